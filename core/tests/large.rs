//! Made rule sets: they are what iptables-save would print, and a service is shown as its endpoints.

use chainwalk_core::host::Host;
use chainwalk_core::packet::Packet;
use chainwalk_core::walk::trace::VerdictKind;
use chainwalk_core::walk::walk;
use chainwalk_core::{large, parse, print};

#[test]
fn they_are_read_without_a_remark_and_printed_as_they_are() {
    for text in [large::kube_proxy(40), large::flat(300, large::blocked)] {
        let parsed = parse::parse(text.clone());
        assert_eq!(parsed.diagnostics, []);
        assert_eq!(print::save(&parsed.rulesets[0], false), text);
    }
}

#[test]
fn a_service_takes_eleven_rules_and_four_chains() {
    let count = |services| {
        let parsed = parse::parse(large::kube_proxy(services));
        let table = &parsed.rulesets[0].tables[0];
        (table.rules(), table.chains.len())
    };
    let ((rules, chains), (more_rules, more_chains)) = (count(100), count(200));
    assert_eq!((more_rules - rules, more_chains - chains), (1_100, 400));
}

fn to_service(service: u32) -> Packet {
    Packet::tcp([10, 244, 1, 5].into(), 40_000, large::address(10, 96, service).into(), 80, 1000, 1000)
}

#[test]
fn a_service_is_shown_as_its_endpoints() {
    let parsed = parse::parse(large::kube_proxy(50));
    for service in [0, 25, 49] {
        let trace = walk(&parsed.rulesets, None, &Host::pod(), &to_service(service));
        let ends: Vec<_> =
            trace.branches.iter().map(|branch| (branch.path.result().dst, branch.probability())).collect();
        assert_eq!(trace.branches.len(), 3);
        for (endpoint, (dst, chance)) in (0..).zip(ends) {
            assert_eq!(dst, large::address(10, 244, service * 3 + endpoint));
            assert!(chance.is_some_and(|chance| (chance - 1.0 / 3.0).abs() < 1e-6));
        }
    }
}

#[test]
fn a_thousand_endpoints_stay_bounded() {
    let parsed = parse::parse(large::kube_proxy_of(2, 1_000));
    let trace = walk(&parsed.rulesets, None, &Host::pod(), &to_service(1));
    assert_eq!((trace.branches.len(), trace.branches_left_out), (64, 1));
    for branch in &trace.branches {
        assert!(branch.probability().is_some_and(|chance| (chance - 0.001).abs() < 1e-6));
        assert!(branch.path.verdict.as_ref().is_some_and(|verdict| verdict.kind == VerdictKind::Sent));
    }
}

#[test]
fn chains_beyond_those_of_any_node_are_left_out_and_spoken_of() {
    const MOST: usize = 1 << 18;
    let mut text = String::from("*nat\n");
    (0..MOST + 2).for_each(|chain| text += &format!(":{chain} -\n"));
    text += "-A 7 -j RETURN\n-A none -j RETURN\nCOMMIT\n";
    let parsed = parse::parse(text);
    let table = &parsed.rulesets[0].tables[0];
    assert_eq!((table.chains.len(), table.rules()), (MOST, 1));
    let said: Vec<(u32, bool)> =
        parsed.diagnostics.iter().map(|one| (one.line, one.message.contains("262144 chains"))).collect();
    let first = u32::try_from(MOST).unwrap() + 2;
    assert_eq!(said, [(first, true), (first + 1, true), (first + 3, true)]);
}
