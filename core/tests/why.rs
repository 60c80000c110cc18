//! Senders and counterfactuals: on Istio's sidecar, and on random rules, where a brute-force search
//! must find no more.

use std::net::IpAddr;

use chainwalk_core::analysis::constants::Constants;
use chainwalk_core::analysis::counterfactual::{self, Alteration};
use chainwalk_core::analysis::senders;
use chainwalk_core::input::parse::{Parsed, parse};
use chainwalk_core::mesh;
use chainwalk_core::packet::host::Host;
use chainwalk_core::packet::{Origin, Packet, Protocol};
use chainwalk_core::walk::trace::{Trace, Verdict};
use chainwalk_core::walk::walk;
use proptest::prelude::*;
use proptest::test_runner::RngSeed;

const SIDECAR: &str = include_str!("../../static/samples/istio-sidecar.txt");

fn app(uid: u32, gid: u32) -> Packet {
    Packet::tcp(
        ([10, 244, 1, 5], 40_000),
        ([93, 184, 216, 34], 443),
        uid,
        gid,
    )
}

fn rule(parsed: &Parsed, verdict: Option<&Verdict>) -> u32 {
    let place = verdict
        .and_then(|verdict| verdict.decided_by)
        .expect("somebody decided");
    assert_eq!(&*place.at.find(&parsed.rulesets).2.name, "ISTIO_OUTPUT");
    place.rule.expect("a rule") + 1
}

fn all_classes(parsed: &Parsed, packet: &Packet) -> Vec<senders::SenderClass> {
    senders::classes(
        &parsed.rulesets,
        &Constants::collect(&parsed.rulesets, packet.family()),
        &Host::pod(),
        packet,
    )
}

fn find(parsed: &Parsed, trace: &Trace) -> counterfactual::Flips {
    counterfactual::find(
        &parsed.rulesets,
        &Constants::collect(&parsed.rulesets, trace.packet.family()),
        &Host::pod(),
        trace,
    )
}

#[test]
fn owners_of_a_sidecar() {
    let parsed = parse(SIDECAR);
    let classes = all_classes(&parsed, &app(1000, 1000));
    let said: Vec<(String, u32)> = classes
        .iter()
        .map(|class| (class.who(), rule(&parsed, class.verdict.as_ref())))
        .collect();
    let want = [
        ("uid not 1337, gid 1337", 7),
        ("uid 1337", 4),
        ("uid not 1337, gid not 1337", 9),
    ];
    assert_eq!(said, want.map(|(who, rule)| (who.to_owned(), rule)));
    let inbound = Packet {
        src: Some([10, 9, 9, 9].into()),
        ..Packet::to(Origin::Inbound, Protocol::TCP, [10, 244, 1, 5].into())
    };
    assert_eq!(all_classes(&parsed, &inbound), []);
}

fn flips(packet: &Packet) -> Vec<String> {
    let parsed = parse(SIDECAR);
    let mesh = mesh::recognise(&parsed.rulesets[0]);
    let trace = walk(&parsed.rulesets, None, &Host::pod(), packet);
    let flips = find(&parsed, &trace);
    flips
        .offered
        .iter()
        .map(|flip| flip.sentence(&parsed.rulesets, &trace.packet, mesh.as_ref()))
        .collect()
}

#[test]
fn flips_of_a_sidecar() {
    let says = flips(&app(1337, 1000));
    assert_eq!(
        says[0],
        "Had the uid been 1000 and not 1337, rule 9 of ISTIO_OUTPUT would have sent it to Envoy on 15001."
    );
    let gone = "Without rule 4 of ISTIO_OUTPUT, rule 9 of ISTIO_OUTPUT would have sent it to Envoy on 15001.";
    assert!(says.iter().any(|say| say == gone), "{says:#?}");
    let says = flips(&app(1000, 1000));
    for want in [
        "Had the uid been 1337 and not 1000, rule 4 of ISTIO_OUTPUT would have let it out by eth0.",
        "Had the gid been 1337 and not 1000, rule 7 of ISTIO_OUTPUT would have let it out by eth0.",
        "Had rule 4 of ISTIO_OUTPUT asked whether the uid is 1000, rule 4 of ISTIO_OUTPUT would have let it out by eth0.",
    ] {
        assert!(says.iter().any(|say| say == want), "{want}\n{says:#?}");
    }
}

/// A condition with few possible values, so that rules overlap.
fn condition() -> impl Strategy<Value = String> {
    let not = || prop::sample::select(vec!["", "! "]);
    let id = || prop::sample::select(vec!["0", "7", "7-9", "1337", "4294967295"]);
    let port = prop::sample::select(vec!["53", "80", "80:90", "443"]);
    let net = prop::sample::select(vec![
        "10.244.1.5/32",
        "127.0.0.1/32",
        "10.96.0.0/12",
        "93.184.216.34/32",
        "8.0.0.0/8",
    ]);
    prop_oneof![
        Just(String::new()),
        (not(), id()).prop_map(|(not, id)| format!("-m owner {not}--uid-owner {id} ")),
        (not(), id()).prop_map(|(not, id)| format!("-m owner {not}--gid-owner {id} ")),
        (not(), port).prop_map(|(not, port)| format!("-p tcp -m tcp {not}--dport {port} ")),
        (not(), net).prop_map(|(not, net)| format!("{not}-d {net} ")),
        not().prop_map(|not| format!("{not}-o lo ")),
        not().prop_map(|not| format!("{not}-p udp ")),
        not().prop_map(|not| format!("-m mark {not}--mark 0x539/0xfff ")),
    ]
}

fn rules() -> impl Strategy<Value = String> {
    let target = prop::sample::select(vec![
        "RETURN",
        "ACCEPT",
        "a",
        "b",
        "REDIRECT --to-ports 15001",
        "REDIRECT --to-ports 15006",
    ]);
    let chain = prop::sample::select(vec!["OUTPUT", "OUTPUT", "a", "b"]);
    let one = (chain, condition(), condition(), target).prop_filter_map(
        "a loop",
        |(chain, first, second, target)| {
            let loops = matches!((chain, target), ("a", "a" | "b") | ("b", "a" | "b"));
            let protocol = if target.starts_with("REDIRECT") && !first.contains("-p ") {
                "-p tcp "
            } else {
                ""
            };
            let twice = first.contains("-p ") && second.contains("-p ")
                || !protocol.is_empty() && second.contains("-p ");
            (!loops && !twice).then(|| format!("-A {chain} {first}{protocol}{second}-j {target}\n"))
        },
    );
    let filter = (condition(), prop::sample::select(vec!["DROP", "ACCEPT"]))
        .prop_map(|(condition, target)| format!("-A OUTPUT {condition}-j {target}\n"));
    (prop::collection::vec(one, 1..8), prop::collection::vec(filter, 0..3)).prop_map(|(nat, filter)| {
        format!(
            "*nat\n:OUTPUT ACCEPT [0:0]\n:a - [0:0]\n:b - [0:0]\n{}COMMIT\n*filter\n:OUTPUT ACCEPT [0:0]\n{}COMMIT\n",
            nat.concat(),
            filter.concat()
        )
    })
}

fn packet() -> impl Strategy<Value = Packet> {
    let id = || prop::sample::select(vec![0, 5, 7, 8, 1000, 1337]);
    let dst = prop::sample::select(vec![
        [93, 184, 216, 34],
        [10, 244, 1, 5],
        [127, 0, 0, 1],
        [10, 96, 0, 10],
    ]);
    let port = prop::sample::select(vec![53, 80, 85, 443, 9999]);
    (
        id(),
        id(),
        dst,
        port,
        prop::sample::select(vec![0, 0x539]),
        any::<bool>(),
    )
        .prop_map(|(uid, gid, dst, port, mark, tcp)| Packet {
            mark,
            protocol: if tcp { Protocol::TCP } else { Protocol::UDP },
            ..Packet::tcp(([10, 244, 1, 5], 40_000), (dst, port), uid, gid)
        })
}

/// Every packet that differs in one field, with all numbers and addresses of the text and the
/// values next to them.
fn neighbours(text: &str, packet: &Packet) -> Vec<Packet> {
    let mut found = Vec::new();
    for word in text.split([' ', '\n', ':', '-', '/']) {
        let number = word
            .parse::<u32>()
            .or_else(|_| u32::from_str_radix(word.trim_start_matches("0x"), 16));
        for number in number
            .into_iter()
            .flat_map(|n| [n.saturating_sub(1), n, n.saturating_add(1)])
        {
            found.push(Packet {
                uid: Some(number),
                ..packet.clone()
            });
            found.push(Packet {
                gid: Some(number),
                ..packet.clone()
            });
            found.push(Packet {
                mark: number,
                ..packet.clone()
            });
            found.extend(u16::try_from(number).map(|port| Packet {
                dport: Some(port),
                ..packet.clone()
            }));
        }
        if let Ok(IpAddr::V4(v4)) = word.parse() {
            for bits in [v4.to_bits() - 1, v4.to_bits(), v4.to_bits() + 1] {
                found.push(Packet {
                    dst: IpAddr::V4(bits.into()),
                    ..packet.clone()
                });
            }
        }
    }
    found.extend([Protocol::TCP, Protocol::UDP].map(|protocol| Packet {
        protocol,
        ..packet.clone()
    }));
    found
}

fn end(parsed: &Parsed, packet: &Packet) -> Option<(String, Option<u16>, Option<String>, bool)> {
    let trace = walk(&parsed.rulesets, None, &Host::pod(), packet);
    trace.verdict().map(|verdict| {
        (
            format!("{:?}", verdict.kind),
            verdict.port,
            verdict.interface.clone(),
            verdict.redirected,
        )
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, rng_seed: RngSeed::Fixed(6), failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_flip_is_true_and_brute_force_finds_none_where_none_is_offered(text in rules(), packet in packet()) {
        let parsed = parse(text.clone());
        // iptables refuses two conditions on one field.
        prop_assume!(parsed.diagnostics.is_empty());
        let trace = walk(&parsed.rulesets, None, &Host::pod(), &packet);
        let before = end(&parsed, &packet).expect("all of these rules are determined");
        let flips = find(&parsed, &trace);
        prop_assert!(flips.tried_all);
        for flip in &flips.offered {
            let after = match &flip.change {
                Alteration::Field(_, packet) => end(&parsed, packet),
                Alteration::Gone(place) => {
                    // The line is removed from the text, and the text is parsed again.
                    let line = place.rule(&parsed.rulesets).expect("a rule").line as usize;
                    let lines = text.lines().enumerate().filter(|(at, _)| at + 1 != line);
                    end(&parse(lines.flat_map(|(_, line)| [line, "\n"]).collect::<String>()), &packet)
                }
                Alteration::Value(..) => continue,
            };
            prop_assert_ne!(after.as_ref(), Some(&before), "{:?}\n{}", flip, &text);
        }
        let fields = flips.offered.iter().any(|flip| matches!(flip.change, Alteration::Field(..)));
        if !fields {
            for other in neighbours(&text, &packet) {
                prop_assert_eq!(end(&parsed, &other), Some(before.clone()), "{:?}\n{}", other, &text);
            }
        }
    }

    #[test]
    fn classes_of_owners_agree_with_walking_each_boundary(text in rules(), packet in packet()) {
        let parsed = parse(text.clone());
        prop_assume!(parsed.diagnostics.is_empty());
        let classes = all_classes(&parsed, &packet);
        let mut covered: u128 = 0;
        for class in &classes {
            let size = |ids: &senders::Ids| ids.iter().map(|(low, high)| u128::from(high - low) + 1).sum::<u128>();
            covered += size(&class.uids) * size(&class.gids);
            for uid in class.uids.iter().flat_map(|(low, high)| [*low, *high]) {
                for gid in class.gids.iter().flat_map(|(low, high)| [*low, *high]) {
                    let packet = Packet { uid: Some(uid), gid: Some(gid), ..packet.clone() };
                    let trace = walk(&parsed.rulesets, None, &Host::pod(), &packet);
                    prop_assert_eq!(trace.verdict(), class.verdict.as_ref(), "uid {} gid {}\n{}", uid, gid, &text);
                }
            }
        }
        prop_assert_eq!(covered, 1_u128 << 64, "the whole space, each pair once");
    }
}
