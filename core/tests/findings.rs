//! Findings about whole dumps. No walk matches a rule that is reported as dead.

use std::collections::HashSet;

use chainwalk_core::analysis::example_packet::find_example_packet;
use chainwalk_core::analysis::findings::{dead_rules, lint};
use chainwalk_core::input::parse::{Parsed, parse};
use chainwalk_core::netfilter::place::{ChainPlace, Place};
use chainwalk_core::packet::host::{Host, Socket};
use chainwalk_core::packet::{Packet, Protocol};
use chainwalk_core::walk::trace::Outcome;
use chainwalk_core::walk::walk;
use proptest::prelude::*;
use proptest::test_runner::RngSeed;

const SIDECAR: &str = include_str!("../../static/samples/istio-sidecar.txt");

/// Dead rules as `chain number`, with `~` for those that are dead only in practice.
fn dead(text: &str) -> Vec<String> {
    let parsed = parse(text);
    assert!(!parsed.has_errors(), "{:?}", parsed.diagnostics);
    let ruleset = &parsed.rulesets[0];
    ruleset
        .tables
        .iter()
        .flat_map(
            |table: &chainwalk_core::netfilter::ruleset::Table| -> Vec<String> {
                let say = |dead: chainwalk_core::analysis::findings::Dead| {
                    let practice = if dead.in_practice { " ~" } else { "" };
                    format!(
                        "{} {}{practice}",
                        table.chains[dead.chain as usize].name,
                        dead.rule + 1
                    )
                };
                dead_rules(ruleset, table).into_iter().map(say).collect()
            },
        )
        .collect()
}

#[test]
fn the_dead_rules_of_istio_are_found_and_no_other() {
    assert_eq!(
        dead(SIDECAR),
        ["ISTIO_OUTPUT 5", "ISTIO_OUTPUT 6", "ISTIO_OUTPUT 8 ~"]
    );
    assert_eq!(
        dead(include_str!("../../static/samples/istio-sidecar-1.5.txt")),
        ["ISTIO_OUTPUT 5", "ISTIO_OUTPUT 6", "ISTIO_OUTPUT 8 ~"]
    );
    // With DNS capture, packets to port 53 on lo reach rule 5.
    assert_eq!(
        dead(include_str!("../../static/samples/istio-sidecar-dns.txt")),
        ["ISTIO_OUTPUT 6"]
    );
    for sample in [
        include_str!("../../static/samples/istio-ambient.txt"),
        include_str!("../../static/samples/linkerd.txt"),
    ] {
        assert_eq!(
            dead(sample),
            [""; 0],
            "{}",
            sample.lines().next().unwrap_or_default()
        );
    }
}

#[test]
fn a_dead_rules_finding_names_who_takes_its_packets() {
    let said = |rules: &str| {
        let text = format!("*mangle\n:OUTPUT ACCEPT [0:0]\n:a - [0:0]\n{rules}COMMIT\n");
        let findings = lint(&parse(&*text).rulesets, &Host::pod(), true).into_iter();
        findings
            .map(|finding| finding.says)
            .find(|says| says.contains("never match"))
            .expect("a dead rule")
    };
    let last = "-A OUTPUT -d 10.1.1.1/32 -p tcp -j DROP\n";
    assert_eq!(
        said(&format!("-A OUTPUT -d 10.1.0.0/16 -j DROP\n{last}")),
        "It can never match: rule 1 takes everything that it asks for."
    );
    // The first rule takes some packets, the second one all.
    assert_eq!(
        said(&format!(
            "-A OUTPUT -d 10.1.1.1/32 -p tcp -m tcp --dport 80 -j DROP\n-A OUTPUT -p tcp -j DROP\n{last}"
        )),
        "It can never match: rule 2 takes everything that it asks for."
    );
    assert_eq!(
        said(
            "-A OUTPUT -d 10.0.0.0/9 -j DROP\n-A OUTPUT -d 10.0.0.0/8 -p tcp -j a\n-A a -d 10.0.0.0/9 -j DROP\n"
        ),
        "It can never match: rule 1 of OUTPUT takes everything that it asks for."
    );
    assert_eq!(
        said(
            "-A OUTPUT -d 10.0.0.0/9 -j DROP\n-A OUTPUT -d 10.128.0.0/9 -j DROP\n-A OUTPUT -d 10.0.0.0/8 -j DROP\n"
        ),
        "It can never match: rule 1 and rule 2 take everything that it asks for."
    );
    assert_eq!(
        said("-A OUTPUT -p udp -j a\n-A a -p tcp -j DROP\n"),
        "It can never match: no packet that comes into its chain has what it asks for."
    );
}

#[test]
fn rules_are_dead_where_those_before_take_everything() {
    let rules = |rules: &str| {
        dead(&format!(
            "*mangle\n:OUTPUT ACCEPT [0:0]\n:a - [0:0]\n{rules}COMMIT\n"
        ))
    };
    let none: [&str; 0] = [];
    assert_eq!(
        rules("-A OUTPUT -j ACCEPT\n-A OUTPUT -d 1.1.1.1/32 -j DROP\n"),
        ["OUTPUT 2"]
    );
    let halves =
        "-A OUTPUT -d 0.0.0.0/1 -j DROP\n-A OUTPUT -d 128.0.0.0/1 -j DROP\n-A OUTPUT -p tcp -j a\n";
    assert_eq!(rules(halves), ["OUTPUT 3"]);
    // The rule in its chain is dead, too, but no packet enters the chain.
    let ports = "-A OUTPUT -p tcp -m tcp --dport 0:999 -j DROP\n-A OUTPUT -p tcp -m tcp --dport 1000:65535 -j DROP\n";
    assert_eq!(
        rules(&format!(
            "{ports}-A OUTPUT -p tcp -m tcp --dport 80 -j ACCEPT\n"
        )),
        ["OUTPUT 3"]
    );
    // A later fragment has no ports.
    assert_eq!(rules(&format!("{ports}-A OUTPUT -p tcp -j ACCEPT\n")), none);
    // The mark changes between the two rules.
    let marks = "-A OUTPUT -m mark --mark 0x1 -j ACCEPT\n-A OUTPUT -j MARK --set-xmark 0x1/0xffffffff\n-A OUTPUT -m mark --mark 0x1 -j DROP\n";
    assert_eq!(rules(marks), none);
    assert_eq!(
        rules("-A OUTPUT -m mark --mark 0x1 -j ACCEPT\n-A OUTPUT -m mark --mark 0x1 -j DROP\n"),
        ["OUTPUT 2"]
    );
    // Chance, and undetermined conditions.
    let chance = "-A OUTPUT -m statistic --mode random --probability 0.5 -j DROP\n";
    assert_eq!(rules(&format!("{chance}{chance}")), none);
    // A supplementary group instead of the primary one.
    let groups = "-A OUTPUT -m owner --gid-owner 7 -j DROP\n-A OUTPUT -m owner --gid-owner 7 --suppl-groups -j DROP\n";
    assert_eq!(rules(groups), none);
    // A packet without an owner.
    assert_eq!(
        rules("-A OUTPUT -m owner --uid-owner 0-4294967294 -j DROP\n-A OUTPUT -j ACCEPT\n"),
        none
    );
    // A packet that returns from a chain continues.
    assert_eq!(
        rules("-A OUTPUT -p tcp -j a\n-A OUTPUT -p tcp -j DROP\n-A a -p tcp -j RETURN\n"),
        none
    );
    assert_eq!(
        rules("-A OUTPUT -p tcp -j a\n-A OUTPUT -p tcp -j DROP\n-A a -p tcp -j ACCEPT\n"),
        ["OUTPUT 2"]
    );
    assert_eq!(
        rules("-A OUTPUT -p udp -j DROP\n-A OUTPUT -j a\n-A a -p udp -j ACCEPT\n"),
        ["a 1"]
    );
}

fn findings(text: &str, host: &Host, known: bool) -> String {
    let parsed = parse(text);
    lint(&parsed.rulesets, host, known)
        .into_iter()
        .map(|finding| finding.says + "\n")
        .collect()
}

#[test]
fn a_dump_is_told_what_it_lacks() {
    let pod = Host::pod();
    let says = findings(SIDECAR, &pod, true);
    assert!(
        says.contains("The pod has the IPv6 address fd00:1::5, and no IPv6 rules"),
        "{says}"
    );
    assert!(says.contains("UDP is not captured"), "{says}");
    assert!(!says.contains("listens"), "{says}");
    let socket = Socket {
        protocol: Protocol::TCP,
        address: [0, 0, 0, 0].into(),
        port: 15001,
        pid: None,
        uid: None,
        command: None,
    };
    let says = findings(
        SIDECAR,
        &Host {
            sockets: vec![socket],
            ..Host::pod()
        },
        true,
    );
    assert!(
        says.contains("No socket listens on port 15006") && !says.contains("port 15001,"),
        "{says}"
    );
    let tproxy = include_str!("../../static/samples/istio-sidecar-tproxy.txt");
    let host = Host::from_json(include_str!(
        "../../static/samples/istio-sidecar-tproxy.host.json"
    ))
    .expect("a host");
    assert!(findings(tproxy, &pod, true).contains("Nothing routes the mark 0x539 to lo"));
    assert!(!findings(tproxy, &host, true).contains("mark 0x539 to lo"));
    assert!(findings(tproxy, &pod, false).contains("TPROXY mode needs policy routing"));
    let ambient = include_str!("../../static/samples/istio-ambient.txt");
    let host = Host::from_json(include_str!("../../static/samples/istio-ambient.host.json"))
        .expect("a host");
    assert!(findings(ambient, &pod, true).contains("Nothing routes the mark 0x111 to lo"));
    assert!(!findings(ambient, &host, true).contains("to lo:"));
    assert!(
        findings("*nat\n:OUTPUT ACCEPT [0:0]\nCOMMIT\n", &pod, true)
            .contains("There are no rules here")
    );
    let node = "*nat\n:PREROUTING ACCEPT [0:0]\n:KUBE-X - [0:0]\n-A PREROUTING -j KUBE-X\nCOMMIT\n";
    assert!(findings(node, &pod, true).contains("the rules of kube-proxy, so of a node"));
    let loose = "*nat\n:OUTPUT ACCEPT [0:0]\n:a - [0:0]\n-A a -j MARK --set-xmark 0x1/0xffffffff\n-A OUTPUT -p tcp\n-A OUTPUT -p tcp\nCOMMIT\n";
    let says = findings(loose, &pod, true);
    assert!(
        says.contains("none of its 1 rules is ever asked") && says.contains("the same as rule 1"),
        "{says}"
    );
    let both = "# Generated by iptables-save v1.8.9 (nf_tables) on x\n*nat\n:OUTPUT DROP [0:0]\nCOMMIT\n\
        # Generated by iptables-save v1.8.9 (legacy) on x\n*nat\n:OUTPUT DROP [0:0]\nCOMMIT\n";
    assert!(
        findings(&both.replace("nat", "filter"), &pod, true).contains("Both backends"),
        "both"
    );
}

#[test]
fn findings_over_a_hundred_thousand_rules_take_no_square_of_them() {
    let rules: String = (0..100_000_u32)
        .map(|n| {
            format!(
                "-A OUTPUT -d {}/32 -p tcp -j DROP\n",
                std::net::Ipv4Addr::from_bits(n << 8)
            )
        })
        .collect();
    let parsed = parse(format!("*filter\n:OUTPUT ACCEPT [0:0]\n{rules}COMMIT\n"));
    // A quadratic comparison would take hours.
    assert_eq!(lint(&parsed.rulesets, &Host::pod(), false), []);
}

fn condition() -> impl Strategy<Value = String> {
    let not = || prop::sample::select(vec!["", "! "]);
    let id = || prop::sample::select(vec!["0", "7", "7-9", "1337"]);
    prop_oneof![
        3 => Just(String::new()),
        2 => (not(), id()).prop_map(|(not, id)| format!("-m owner {not}--uid-owner {id} ")),
        1 => (not(), id()).prop_map(|(not, id)| format!("-m owner {not}--gid-owner {id} ")),
        2 => (not(), prop::sample::select(vec!["80", "0:79", "80:65535", "443"]))
            .prop_map(|(not, port)| format!("-p tcp -m tcp {not}--dport {port} ")),
        1 => (not(), prop::sample::select(vec!["127.0.0.1/32", "10.0.0.0/8", "93.184.216.34/32"])).prop_map(|(not, net)| format!("{not}-d {net} ")),
        1 => not().prop_map(|not| format!("{not}-o lo ")),
        1 => not().prop_map(|not| format!("{not}-p udp ")),
        1 => not().prop_map(|not| format!("-m mark {not}--mark 0x1/0xf ")),
        1 => not().prop_map(|not| format!("-m conntrack {not}--ctstate NEW ")),
    ]
}

fn rules() -> impl Strategy<Value = String> {
    let targets = vec![
        "RETURN",
        "ACCEPT",
        "DROP",
        "a",
        "b",
        "MARK --set-xmark 0x1/0x1",
    ];
    let chain = prop::sample::select(vec!["OUTPUT", "OUTPUT", "a", "b"]);
    let one = (
        chain,
        condition(),
        condition(),
        any::<bool>(),
        prop::sample::select(targets),
    );
    let one = one.prop_filter_map("a loop", |(chain, first, second, goto, target)| {
        let loops = matches!((chain, target), ("a", "a") | ("b", "a" | "b"));
        let jump = if goto && ["a", "b"].contains(&target) {
            "-g"
        } else {
            "-j"
        };
        (!loops).then(|| format!("-A {chain} {first}{second}{jump} {target}\n"))
    });
    prop::collection::vec(one, 2..12).prop_map(|rules| {
        format!(
            "*mangle\n:OUTPUT ACCEPT [0:0]\n:a - [0:0]\n:b - [0:0]\n{}COMMIT\n",
            rules.concat()
        )
    })
}

fn matched(parsed: &Parsed, packet: &Packet) -> HashSet<(u32, u32)> {
    let trace = walk(&parsed.rulesets, None, &Host::pod(), packet);
    let matched = trace
        .path
        .steps
        .iter()
        .filter(|step| step.outcome == Outcome::Match);
    matched
        .filter_map(|step| Some((step.place.at.chain, step.place.rule?)))
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, rng_seed: RngSeed::Fixed(9), failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_packet_that_shows_a_rule_is_a_whole_one(text in rules()) {
        let parsed = parse(text);
        for (chain, rules) in (0..).zip(&parsed.rulesets[0].tables[0].chains) {
            let at = ChainPlace { ruleset: 0, table: 0, chain };
            for rule in (0..).zip(&rules.rules).map(|(rule, _)| Some(rule)).chain([None]) {
                let packet = find_example_packet(&parsed.rulesets, &Host::pod(), None, Place { at, rule });
                prop_assert!(packet.is_none_or(|packet| packet.check().is_ok()));
            }
        }
    }

    #[test]
    fn nothing_that_a_packet_matches_is_called_dead(text in rules()) {
        let parsed = parse(text.clone());
        prop_assume!(parsed.diagnostics.is_empty());
        let dead: Vec<(u32, u32)> = dead_rules(&parsed.rulesets[0], &parsed.rulesets[0].tables[0]).iter().map(|dead| (dead.chain, dead.rule)).collect();
        if dead.is_empty() {
            return Ok(());
        }
        let fragment = chainwalk_core::packet::IpFragment { offset: 1, more: false };
        for uid in [None, Some(0), Some(7), Some(8), Some(9), Some(1000), Some(1337)] {
            for gid in [0, 7, 9, 10, 1337] {
                for dst in [[127, 0, 0, 1], [10, 244, 1, 5], [10, 0, 0, 1], [93, 184, 216, 34], [9, 9, 9, 9]] {
                    for (mark, port) in [(0, 79), (1, 80), (0, 443), (1, 443), (2, 80)] {
                        let owner = uid.is_none().then_some(chainwalk_core::packet::Owner::Kernel);
                        let tcp = Packet {
                            mark,
                            uid,
                            gid: uid.map(|_| gid),
                            owner,
                            ..Packet::tcp(([10, 244, 1, 5], 1), (dst, port), 0, 0)
                        };
                        let udp = Packet { protocol: Protocol::UDP, ..tcp.clone() };
                        let later = Packet { fragment: Some(fragment), ..tcp.clone() };
                        for packet in [tcp, udp, later] {
                            let matched = matched(&parsed, &packet);
                            prop_assert!(!dead.iter().any(|dead| matched.contains(dead)), "{:?} {:?}\n{}", dead, packet, &text);
                        }
                    }
                }
            }
        }
    }
}

/// The findings with this beginning, and the result of their packet at their rule: `matches`,
/// `asked`, `not asked`.
fn shown(text: &str, part: &str) -> Vec<String> {
    let parsed = parse(text);
    let host = Host::pod();
    let mesh = parsed
        .rulesets
        .iter()
        .find_map(chainwalk_core::mesh::recognise);
    let rulesets = &parsed.rulesets;
    let findings = lint(rulesets, &host, false)
        .into_iter()
        .filter(|finding| finding.says.contains(part));
    findings
        .map(|finding: chainwalk_core::analysis::findings::Finding| {
            let Some(packet) = finding.packet(rulesets, &host, mesh.as_ref()) else {
                return "no packet".into();
            };
            let trace = walk(rulesets, None, &host, &packet);
            let at = trace
                .shown()
                .steps
                .iter()
                .find(|step| Some(step.place) == finding.place);
            let met = at.map_or("not asked", |step| {
                if step.outcome == Outcome::Match {
                    "matches"
                } else {
                    "asked"
                }
            });
            format!("{met}: {}", chainwalk_core::packet::line::print(&packet))
        })
        .collect()
}

#[test]
fn a_finding_has_a_packet_that_shows_it() {
    // Earlier rules take the packets of a dead rule.
    assert_eq!(
        shown(SIDECAR, "It can never match"),
        [
            "not asked: tcp 10.244.1.5:40000 > 10.244.1.5:443 uid 1000 gid 1337 out",
            "not asked: tcp 10.244.1.5:40000 > 10.244.1.5:443 uid 1000 gid 1000 out"
        ]
    );
    assert_eq!(
        shown(SIDECAR, "In practice"),
        ["not asked: tcp 10.244.1.5:40000 > 127.0.0.1:443 uid 1000 gid 1000 out"]
    );
    assert_eq!(
        shown(SIDECAR, "UDP is not captured"),
        ["not asked: udp 10.244.1.5:40000 > 93.184.216.34:9999 uid 1000 gid 1000 out"]
    );
    // Several conditions together, which no scenario meets.
    let added = "-A ISTIO_OUTPUT -d 10.9.8.7/32 -p udp -m udp ! --dport 9999 -m owner --uid-owner 5 -j ACCEPT\n";
    let added = SIDECAR.replace(
        "-A ISTIO_OUTPUT -s 127.0.0.6/32",
        &format!("{added}-A ISTIO_OUTPUT -s 127.0.0.6/32"),
    );
    assert_eq!(
        shown(&added, "is not known to make this rule"),
        ["matches: udp 10.244.1.5:40000 > 10.9.8.7:443 uid 5 gid 1000 out"]
    );
    let idle = SIDECAR.replace("-A PREROUTING -p tcp -j ISTIO_INBOUND\n", "");
    assert_eq!(shown(&idle, "No rule leads into"), ["no packet"]);
}
