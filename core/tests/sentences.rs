//! Sentences about rules, steps and verdicts.

use chainwalk_core::analysis::compare;
use chainwalk_core::analysis::explain::{self, Fate};
use chainwalk_core::analysis::scenario;
use chainwalk_core::input::parse::{Parsed, parse};
use chainwalk_core::mesh;
use chainwalk_core::packet::Packet;
use chainwalk_core::packet::host::Host;
use chainwalk_core::walk::trace::Trace;
use chainwalk_core::walk::walk;

const SIDECAR: &str = include_str!("walks/sidecar.rules");

fn sidecar(packet: &str) -> (Parsed, Trace) {
    let parsed = parse(SIDECAR);
    let packet = Packet::from_json(packet).expect("a packet");
    let trace = walk(&parsed.rulesets, None, &Host::pod(), &packet);
    (parsed, trace)
}

fn app(changes: &str) -> (Parsed, Trace) {
    sidecar(&format!(
        r#"{{"origin": "local", "protocol": "tcp", "src": "10.244.1.5", "dst": "93.184.216.34", "sport": 40000, "dport": 443{changes}}}"#
    ))
}

fn rule(text: &str, want: &str) {
    let parsed = parse(format!(
        "*mangle\n:OUTPUT ACCEPT [0:0]\n:a - [0:0]\n-A OUTPUT {text}\nCOMMIT\n"
    ));
    let ruleset = &parsed.rulesets[0];
    let table = &ruleset.tables[0];
    assert_eq!(
        explain::rule(ruleset, table, &table.chains[0].rules[0]),
        want,
        "{text}"
    );
}

#[test]
fn every_rule_has_a_sentence() {
    rule("-j a", "Always: continue in a.");
    rule("-g a", "Always: continue in a, and not come back here.");
    rule("-p tcp", "If the protocol is tcp: only count it.");
    rule(
        "-s 127.0.0.6/32 -o lo -j RETURN",
        "If the source is 127.0.0.6 and it leaves by lo: return to the calling chain.",
    );
    rule(
        "! -d 10.0.0.0/8 ! -o lo -j DROP",
        "If the destination is not in 10.0.0.0/8 and it does not leave by lo: drop it.",
    );
    rule(
        "-m owner ! --uid-owner 1000-1999 -j ACCEPT",
        "If the uid is not in 1000 to 1999: accept it.",
    );
    rule(
        "-m owner --socket-exists -j ACCEPT",
        "If it comes from a socket: accept it.",
    );
    rule(
        "-p tcp -m multiport ! --dports 53,80:90",
        "If the protocol is tcp and the destination port is not 53 or 80:90: only count it.",
    );
    rule(
        "-m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT",
        "If the connection state is RELATED or ESTABLISHED: accept it.",
    );
    rule(
        "-m mark --mark 0x539/0xfff -j MARK --set-xmark 0x1/0xffffffff",
        "If the mark is 0x539/0xfff: set the packet's mark to 0x1.",
    );
    rule(
        "-m set --match-set x dst -j ACCEPT",
        "If its destination is in the set “x”: accept it.",
    );
    rule(
        "-m weird --x 1 -j ACCEPT",
        "If `weird --x 1` holds: accept it.",
    );
    rule(
        "-m comment --comment \"why not\" -j LOG --log-prefix \"x: \"",
        "Always: log it as “x:” and go on.",
    );
    rule(
        "-p icmp -m icmp --icmp-type 8 -j ACCEPT",
        "If the protocol is icmp and the ICMP type is echo-request: accept it.",
    );
}

#[test]
fn a_step_says_which_condition_decided_with_both_values() {
    let (parsed, trace) = app(r#", "uid": 1000, "gid": 1000"#);
    let say = |place: usize| {
        explain::step(
            &parsed.rulesets,
            &trace,
            &trace.path,
            &trace.path.steps.at(place),
        )
    };
    assert_eq!(
        say(0),
        "Rule 1 of OUTPUT matches: it has no condition. Continue in ISTIO_OUTPUT."
    );
    assert_eq!(
        say(1),
        "Rule 1 of ISTIO_OUTPUT does not match: source 10.244.1.5 is not 127.0.0.6."
    );
    assert_eq!(
        say(2),
        "Rule 2 of ISTIO_OUTPUT does not match: leaves by eth0, not lo."
    );
    assert_eq!(
        say(4),
        "Rule 4 of ISTIO_OUTPUT does not match: uid 1000 is not 1337."
    );
    assert_eq!(
        say(10),
        "Rule 1 of ISTIO_REDIRECT matches: protocol tcp is tcp. The destination becomes 127.0.0.1:15001."
    );
    assert_eq!(say(11), "The policy of POSTROUTING applies: ACCEPT.");
    let (parsed, trace) = app(r#", "uid": 1337, "gid": 1000"#);
    let step = &trace.path.steps.at(4);
    assert_eq!(
        explain::why(&parsed.rulesets, &trace, &trace.path, step),
        "uid 1337 is 1337"
    );
    let (parsed, trace) = app(r#", "owner": "kernel""#);
    let step = &trace.path.steps.at(4);
    assert_eq!(
        explain::why(&parsed.rulesets, &trace, &trace.path, step),
        "it has no owner: the kernel itself sends it"
    );
}

#[test]
fn a_verdict_names_the_rule_and_what_it_saw() {
    let check = |changes: &str, fate: Fate, want: [&str; 3]| {
        let (parsed, trace) = app(changes);
        let mesh = mesh::recognise(&parsed.rulesets[0]);
        let said = explain::verdict(&parsed.rulesets, &trace, mesh.as_ref());
        assert_eq!([&said.lead[..], &said.reason, &said.end], want, "{changes}");
        assert_eq!(said.fate, fate);
    };
    check(
        r#", "uid": 1337, "gid": 1000"#,
        Fate::Direct,
        [
            "Not captured.",
            "Rule 4 of ISTIO_OUTPUT lets uid 1337 out.",
            "leaves by eth0 unchanged",
        ],
    );
    check(
        r#", "uid": 1000, "gid": 1000"#,
        Fate::Captured,
        [
            "Captured.",
            "Rule 9 of ISTIO_OUTPUT sends uid 1000 to Envoy on 15001.",
            "delivered to Envoy on 127.0.0.1:15001",
        ],
    );
    check(
        "",
        Fate::Unknown,
        [
            "Depends.",
            "Rule 4 of ISTIO_OUTPUT is undetermined: the packet states no owner: give it a uid and a gid.",
            "3 ways it can go",
        ],
    );
    let (parsed, trace) = sidecar(
        r#"{"origin": "local", "protocol": "udp", "dst": "10.96.0.10", "sport": 1, "dport": 53, "uid": 0, "gid": 0}"#,
    );
    let said = explain::verdict(
        &parsed.rulesets,
        &trace,
        mesh::recognise(&parsed.rulesets[0]).as_ref(),
    );
    assert_eq!(
        said.reason,
        "No rule redirects this udp packet: the policy of OUTPUT lets it out."
    );
    let (parsed, trace) = sidecar(
        r#"{"origin": "local", "protocol": "tcp", "dst": "2001:db8::1", "sport": 1, "dport": 53, "uid": 0, "gid": 0}"#,
    );
    let said = explain::verdict(
        &parsed.rulesets,
        &trace,
        mesh::recognise(&parsed.rulesets[0]).as_ref(),
    );
    assert_eq!(said.reason, "The paste holds no IPv6 rules.");
}

/// Tables may have chains with the same name, and no rule compares the owner.
#[test]
fn a_verdict_tells_twins_apart_and_names_no_owner_for_nothing() {
    let parsed = parse(
        "*raw\n:OUTPUT ACCEPT [0:0]\n:DNS - [0:0]\n-A OUTPUT -j DNS\nCOMMIT\n\
         *nat\n:OUTPUT ACCEPT [0:0]\n:DNS - [0:0]\n-A OUTPUT -j DNS\n-A DNS -j ACCEPT\nCOMMIT\n",
    );
    let packet = Packet::tcp(([10, 244, 1, 5], 1), ([10, 0, 0, 1], 80), 7, 7);
    let trace = walk(&parsed.rulesets, None, &Host::pod(), &packet);
    assert_eq!(
        explain::verdict(&parsed.rulesets, &trace, None).reason,
        "Rule 1 of nat DNS lets tcp out."
    );
}

#[test]
fn two_walks_part_at_the_rule_that_tells_them_apart() {
    let (_, app_trace) = app(r#", "uid": 1000, "gid": 1000"#);
    let (_, proxy_trace) = app(r#", "uid": 1337, "gid": 1000"#);
    assert_eq!(compare::part(&app_trace.path, &proxy_trace.path), Some(4));
    assert_eq!(compare::part(&app_trace.path, &app_trace.path), None);
}

#[test]
fn a_mesh_is_read_from_its_rules_not_from_its_number() {
    let text = SIDECAR
        .replace("1337", "4711")
        .replace("15001", "16001")
        .replace("15006", "16006");
    let parsed = parse(text);
    let mesh = mesh::recognise(&parsed.rulesets[0]).expect("a mesh");
    assert_eq!(
        (mesh.name(), mesh.proxy(), mesh.uid()),
        ("Istio sidecar", "Envoy", Some(4711))
    );
    assert_eq!(
        (&mesh.outbound[..], &mesh.inbound[..]),
        (&[16001][..], &[16006][..])
    );
    assert_eq!(
        mesh::recognise(&parse("*nat\n:OUTPUT ACCEPT [0:0]\nCOMMIT\n").rulesets[0]),
        None
    );
    let labels: Vec<String> = scenario::list(&Host::pod(), Some(&mesh))
        .into_iter()
        .map(|s| s.label)
        .collect();
    for want in [
        "app → internet",
        "uid 4711 → internet",
        "app → own pod",
        "from outside to 8080",
        "Envoy → app from 127.0.0.6",
    ] {
        assert!(
            labels.iter().any(|label| label == want),
            "{want} is not among {labels:?}"
        );
    }
}

#[test]
fn several_routes_to_the_same_end_agree() {
    let (_, trace) = sidecar(
        r#"{"origin": "local", "protocol": "tcp", "src": "127.0.0.1", "dst": "127.0.0.1", "sport": 1, "dport": 80}"#,
    );
    assert!(!trace.certain);
    assert!(trace.verdict().is_some(), "delivered for any sender");
}

#[test]
fn chains_that_call_each_other_twice_do_not_walk_for_ever() {
    let declared: String = (0..40).map(|n| format!(":c{n} - [0:0]\n")).collect();
    let rules: String = (0..39)
        .map(|n| format!("-A c{n} -j c{}\n", n + 1).repeat(2))
        .collect();
    let parsed = parse(format!(
        "*mangle\n:OUTPUT ACCEPT [0:0]\n{declared}-A OUTPUT -j c0\n{rules}COMMIT\n"
    ));
    let packet = Packet::tcp(([10, 244, 1, 5], 1), ([1, 1, 1, 1], 1), 0, 0);
    let trace = walk(&parsed.rulesets, None, &Host::pod(), &packet);
    assert!(
        trace
            .path
            .stopped
            .is_some_and(|reason| reason.contains("steps"))
    );
}

#[test]
fn a_thousand_rules_that_cannot_be_told_do_not_branch_for_ever() {
    let rules = "-A OUTPUT -m set --match-set x dst -j a\n".repeat(20_000);
    let parsed = parse(format!(
        "*mangle\n:OUTPUT ACCEPT [0:0]\n:a - [0:0]\n{rules}COMMIT\n"
    ));
    let packet = Packet::tcp(([10, 244, 1, 5], 1), ([1, 1, 1, 1], 1), 0, 0);
    let trace = walk(&parsed.rulesets, None, &Host::pod(), &packet);
    assert!(trace.branches_left_out > 0);
    assert_eq!(trace.verdict(), None);
}

#[test]
fn the_inbound_port_is_not_an_outbound_one() {
    let tproxy = parse(include_str!(
        "../../static/samples/istio-sidecar-tproxy.txt"
    ));
    let mesh = mesh::recognise(&tproxy.rulesets[0]).expect("a mesh");
    assert_eq!(
        (&mesh.outbound[..], &mesh.inbound[..]),
        (&[15001][..], &[15006][..])
    );
}

#[test]
fn what_is_for_the_proxy_goes_straight_to_it() {
    let packet = r#"{"origin": "inbound", "protocol": "tcp", "src": "10.9.9.9", "dst": "10.244.1.5", "sport": 40000, "dport": 15090, "in_interface": "eth0"}"#;
    let (parsed, trace) = sidecar(packet);
    let said = explain::verdict(
        &parsed.rulesets,
        &trace,
        mesh::recognise(&parsed.rulesets[0]).as_ref(),
    );
    let [lead, reason, end] = [&said.lead[..], &said.reason, &said.end];
    assert_eq!(
        [lead, reason, end],
        [
            "Straight to Envoy.",
            "Rule 2 of ISTIO_INBOUND lets destination port 15090 in.",
            "delivered to Envoy on 10.244.1.5:15090",
        ]
    );
}

#[test]
fn an_end_says_what_of_the_packet_has_changed() {
    let check = |rules: &str, packet: &str, want: &str| {
        let parsed = parse(rules);
        assert_eq!(parsed.diagnostics, [], "{rules}");
        let packet = Packet::from_json(packet).expect("a packet");
        let trace = walk(&parsed.rulesets, None, &Host::pod(), &packet);
        assert_eq!(
            explain::verdict(&parsed.rulesets, &trace, None).end,
            want,
            "{rules}"
        );
    };
    let sent = r#"{"origin": "local", "protocol": "tcp", "src": "10.244.1.5", "dst": "192.0.2.1", "sport": 40000, "dport": 443, "uid": 0, "gid": 0}"#;
    let nat = |rule: &str| {
        format!("*nat\n:OUTPUT ACCEPT [0:0]\n:POSTROUTING ACCEPT [0:0]\n{rule}\nCOMMIT\n")
    };
    check(
        &nat("-A POSTROUTING -d 10.0.0.0/8 -j SNAT --to-source 198.51.100.7"),
        sent,
        "leaves by eth0 unchanged",
    );
    check(
        &nat("-A POSTROUTING -j SNAT --to-source 198.51.100.7"),
        sent,
        "leaves by eth0 with the source 198.51.100.7:40000",
    );
    check(
        &nat(
            "-A OUTPUT -p tcp -j DNAT --to-destination 192.0.2.9:8443\n-A POSTROUTING -j SNAT --to-source 198.51.100.7",
        ),
        sent,
        "leaves by eth0 for 192.0.2.9:8443 with the source 198.51.100.7:40000",
    );
    check(
        "*mangle\n:POSTROUTING ACCEPT [0:0]\n-A POSTROUTING -j TTL --ttl-set 9\nCOMMIT\n",
        sent,
        "leaves by eth0",
    );
}

#[test]
fn a_sentence_begins_with_a_capital_and_a_short_word_stays_one() {
    for (text, want) in [
        ("uid 1 to x", "Uid 1 to x"),
        ("tcp to x", "TCP to x"),
        ("udp", "UDP"),
        ("", ""),
        ("é", "é"),
    ] {
        assert_eq!(explain::capital(text), want);
    }
}

#[test]
fn a_damaged_rule_is_undetermined() {
    let parsed =
        parse("*filter\n:OUTPUT ACCEPT [0:0]\n-A OUTPUT --dprt 80\n-A OUTPUT -j ACCEPT\nCOMMIT\n");
    let set = &parsed.rulesets[0];
    let table = &set.tables[0];
    let says: Vec<String> = table.chains[0]
        .rules
        .iter()
        .map(|rule| explain::rule(set, table, rule))
        .collect();
    assert!(says[0].starts_with("The rule is damaged"), "{says:?}");
    assert!(says[1].starts_with("Always: "), "{says:?}");
}
