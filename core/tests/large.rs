//! Generated rule sets: they are equal to the output of iptables-save, and a service is shown as
//! its endpoints.

use chainwalk_core::analysis::explain::{self, chance};
use chainwalk_core::analysis::{large, report};
use chainwalk_core::input::parse;
use chainwalk_core::input::parse::Parsed;
use chainwalk_core::iptables::print;
use chainwalk_core::netfilter::place::{ChainPlace, Place};
use chainwalk_core::packet::Packet;
use chainwalk_core::packet::host::Host;
use chainwalk_core::text::diagnostic::Code;
use chainwalk_core::walk::trace::{ChanceDistribution, VerdictKind};
use chainwalk_core::walk::{Known, walk, walk_with};

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
    Packet::tcp(
        ([10, 244, 1, 5], 40_000),
        (large::address(10, 96, service), 80),
        1000,
        1000,
    )
}

#[test]
fn a_service_is_shown_as_its_endpoints() {
    let parsed = parse::parse(large::kube_proxy(50));
    for service in [0, 25, 49] {
        let trace = walk(&parsed.rulesets, None, &Host::pod(), &to_service(service));
        let ends: Vec<_> = trace
            .branches
            .iter()
            .map(|branch| (branch.path.result().dst, branch.probability()))
            .collect();
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
        assert!(
            branch
                .probability()
                .is_some_and(|chance| (chance - 0.001).abs() < 1e-6)
        );
        assert!(
            branch
                .path
                .verdict
                .as_ref()
                .is_some_and(|verdict| verdict.kind == VerdictKind::Sent)
        );
    }
    let spread = trace.spread.expect("chance alone chooses");
    assert_eq!((spread.endpoints.len(), spread.elsewhere), (1_000, 0.0));
    for (number, endpoint) in (0..).zip(&spread.endpoints) {
        assert_eq!(
            (endpoint.dst, endpoint.dport),
            (large::address(10, 244, 1_000 + number).into(), Some(8080))
        );
        assert!((endpoint.probability - 0.001).abs() < 1e-6, "{endpoint:?}");
    }
    let all: f64 = spread
        .endpoints
        .iter()
        .map(|endpoint| endpoint.probability)
        .sum();
    assert!((all - 1.0).abs() < 1e-9, "{all}");
}

#[test]
fn what_chance_chooses_among_is_said_in_a_sentence() {
    let says = |endpoints| {
        let parsed = parse::parse(large::kube_proxy_of(1, endpoints));
        let trace = walk(&parsed.rulesets, None, &Host::pod(), &to_service(0));
        let end = explain::verdict(&parsed.rulesets, &trace, None).end;
        let mut sets = parsed.rulesets;
        let spread = trace.spread.expect("chance alone chooses");
        sets[0].tables[0].chains[spread.endpoints[0].place.at.chain as usize].name =
            "KUBE-SVC-X".into();
        (end, chance::says(&sets, &spread))
    };
    let (end, all) = says(1_000);
    assert_eq!(end, "1000 destinations by chance");
    assert_eq!(
        all,
        "Chance chooses among 1000 destinations of KUBE-SVC-X, 0.1 % each."
    );
    let (end, all) = says(3);
    assert_eq!(end, "leaves by eth0 for one of 3 destinations by chance");
    assert_eq!(
        all,
        "Chance chooses among 3 destinations of KUBE-SVC-X, 33.33 % each."
    );
    assert_eq!(
        [0.0, 1e-6, 0.0001, 0.125, 1.0].map(chance::percent),
        ["0 %", "below 0.01 %", "0.01 %", "12.5 %", "100 %"]
    );
    let all = spread(
        &format!("{THIRDS}-A SVC -m recent --name x --rcheck -j C\n"),
        &[],
    )
    .expect("two are known");
    assert_eq!(
        chance::says(&service("").rulesets, &all),
        "Chance chooses among 2 destinations of SVC, 33.33 % each; 33.33 % of the time it is none of them, or an undetermined one."
    );
}

#[test]
fn the_public_json_lists_them() {
    let rulesets = parse::parse(large::kube_proxy_of(1, 100)).rulesets;
    let trace = walk(&rulesets, None, &Host::pod(), &to_service(0));
    let json: serde_json::Value =
        serde_json::from_str(&report::json(&rulesets, &trace)).expect("it is JSON");
    assert_eq!(
        (
            json["endpoints"].as_array().map(Vec::len),
            json["elsewhere"].as_f64()
        ),
        (Some(100), Some(0.0))
    );
    let last = &json["endpoints"][99];
    assert_eq!(
        (&last["table"], &last["rule"], &last["dst"], &last["dport"]),
        (
            &"nat".into(),
            &101.into(),
            &"10.244.0.99".into(),
            &8080.into()
        )
    );
    assert!(
        last["probability"]
            .as_f64()
            .is_some_and(|chance| (chance - 0.01).abs() < 1e-6),
        "{last}"
    );
    let certain = walk(&rulesets, None, &Host::pod(), &to_service(7));
    assert!(!report::json(&rulesets, &certain).contains("elsewhere"));
}

/// A service at 10.96.0.1:80 with these rules in its chain SVC, and chains A, B and C for three
/// endpoints.
fn service(rules: &str) -> Parsed {
    let parsed = parse::parse(format!(
        "*nat\n:OUTPUT ACCEPT [0:0]\n:SVC - [0:0]\n:A - [0:0]\n:B - [0:0]\n:C - [0:0]\n\
         -A OUTPUT -d 10.96.0.1/32 -p tcp -m tcp --dport 80 -j SVC\n{rules}\
         -A A -s 10.244.1.5/32 -j MARK --set-xmark 0x4000/0x4000\n-A A -p tcp -j DNAT --to-destination 10.244.0.1:8080\n\
         -A B -p tcp -j DNAT --to-destination 10.244.0.2:8080\n-A C -p tcp -j DNAT --to-destination 10.244.0.3:8080\nCOMMIT\n"
    ));
    assert_eq!(parsed.diagnostics, []);
    parsed
}

/// The destinations that chance chooses from for a packet to the service.
fn spread(rules: &str, settled: &[(Place, bool)]) -> Option<ChanceDistribution> {
    let packet = Packet::tcp(([10, 244, 1, 5], 40_000), ([10, 96, 0, 1], 80), 1000, 1000);
    walk_with(
        &service(rules).rulesets,
        None,
        &Host::pod(),
        &packet,
        Known {
            answers: settled,
            ..Known::default()
        },
    )
    .spread
}

/// Each destination and its probability.
fn ends(spread: &ChanceDistribution) -> Vec<(String, f64)> {
    spread
        .endpoints
        .iter()
        .map(|end| (end.dst.to_string(), end.probability))
        .collect()
}

#[track_caller]
fn chooses(rules: &str, expected: &[(&str, f64)], elsewhere: f64) {
    let found = spread(rules, &[]).expect("chance chooses");
    let (found, left) = (ends(&found), found.elsewhere);
    let near = |one: f64, other: f64| (one - other).abs() < 1e-9;
    let same = found
        .iter()
        .zip(expected)
        .all(|((dst, chance), (expected, of))| dst == expected && near(*chance, *of));
    assert!(
        same && found.len() == expected.len() && near(left, elsewhere),
        "{found:?} {left}"
    );
}

/// The kernel stores a probability as a multiple of 1/2^31 (xt_statistic.c).
const THIRD: f64 = 715_827_883.0 / 2_147_483_648.0;
const THIRDS: &str = "-A SVC -m statistic --mode random --probability 0.33333333349 -j A\n\
                      -A SVC -m statistic --mode random --probability 0.50000000000 -j B\n";

#[test]
fn each_end_has_what_the_rules_before_it_leave() {
    let rest = 1.0 - THIRD;
    let [a, b, c] = ["10.244.0.1", "10.244.0.2", "10.244.0.3"];
    chooses(
        &format!("{THIRDS}-A SVC -j C\n"),
        &[(a, THIRD), (b, rest / 2.0), (c, rest / 2.0)],
        0.0,
    );
    // There is no last rule for the rest.
    chooses(THIRDS, &[(a, THIRD), (b, rest / 2.0)], rest / 2.0);
    // One rule with another condition that fails, one that only counts, and one that sets the
    // destination itself.
    let mixed = "-A SVC -p udp -m statistic --mode random --probability 0.5 -j C\n\
                 -A SVC -m statistic --mode random --probability 0.25 -j A\n\
                 -A SVC -m statistic --mode random --probability 0.5\n\
                 -A SVC -m statistic --mode random ! --probability 0.25 -j B\n\
                 -A SVC -p tcp -j DNAT --to-destination 10.244.0.9:80\n";
    chooses(
        mixed,
        &[(a, 0.25), (b, 0.75 * 0.75), ("10.244.0.9", 0.75 * 0.25)],
        0.0,
    );
}

#[test]
fn what_is_no_matter_of_chance_stays_untold() {
    let rest = 1.0 - THIRD;
    let known = [("10.244.0.1", THIRD), ("10.244.0.2", rest / 2.0)];
    // After these rules, the rest depends on something else or is not a new destination.
    for last in [
        "-m recent --name x --rcheck -j C",
        "-j RETURN",
        "-j ACCEPT",
        "-p tcp -j DNAT --to-destination 10.244.0.3-10.244.0.9",
    ] {
        chooses(
            &format!("{THIRDS}-A SVC {last}\n-A SVC -j C\n"),
            &known,
            rest / 2.0,
        );
    }
    assert_eq!(
        spread(
            "-A SVC -m recent --name x --rcheck -j A\n-A SVC -j B\n",
            &[]
        ),
        None
    );
    assert_eq!(
        spread(
            "-A SVC -m statistic --mode nth --every 2 --packet 0 -j A\n-A SVC -j B\n",
            &[]
        ),
        None
    );
    assert_eq!(
        spread(
            "-A SVC -m statistic --mode random --probability 0.5 -j A\n",
            &[]
        ),
        None,
        "a single destination is not a choice"
    );
}

#[test]
fn an_answer_that_was_given_is_no_matter_of_chance_any_more() {
    let rule = |rule| Place {
        at: ChainPlace {
            ruleset: 0,
            table: 0,
            chain: 1,
        },
        rule: Some(rule),
    };
    let rules = format!("{THIRDS}-A SVC -j C\n");
    let left = spread(&rules, &[(rule(0), false)]).expect("two are left");
    assert_eq!(
        ends(&left),
        [
            ("10.244.0.2".to_owned(), 0.5),
            ("10.244.0.3".to_owned(), 0.5)
        ]
    );
    let left = spread(&rules, &[(rule(1), true)]).expect("two are left");
    assert_eq!((left.endpoints.len(), left.elsewhere), (2, 0.0));
    assert_eq!(spread(&rules, &[(rule(0), true)]), None);
}

#[test]
fn chains_beyond_those_of_any_node_are_left_out_and_spoken_of() {
    const MAX_CHAINS: usize = 1 << 17;
    let mut text = String::from("*nat\n");
    (0..MAX_CHAINS + 2).for_each(|chain| text += &format!(":{chain} -\n"));
    text += "-A 7 -j RETURN\n-A none -j RETURN\nCOMMIT\n";
    let parsed = parse::parse(text);
    let table = &parsed.rulesets[0].tables[0];
    let read = table.chains.iter().filter(|chain| chain.line.is_some());
    assert_eq!((read.count(), table.rules()), (MAX_CHAINS, 1));
    let said: Vec<(u32, Code)> = parsed
        .diagnostics
        .iter()
        .map(|one| (one.line, one.code))
        .collect();
    let first = u32::try_from(MAX_CHAINS).unwrap() + 2;
    assert_eq!(
        said,
        [first, first + 1, first + 3].map(|line| (line, Code::PartNotRead))
    );
}

/// A text that is not read to its end has no certain walk.
#[test]
fn rules_beyond_a_limit_are_unknown() {
    let shown = "*filter\n:OUTPUT ACCEPT [0:0]\nCOMMIT\n";
    let hidden =
        "*nat\n:OUTPUT ACCEPT [0:0]\n-A OUTPUT -p tcp -j REDIRECT --to-ports 15001\nCOMMIT\n";
    let chains: String = (0..1 << 17).map(|chain| format!(":{chain} -\n")).collect();
    let texts = [
        format!("{shown}{}{hidden}", "x\n".repeat(1 << 20)),
        format!("{shown}{}{hidden}", "*raw\nCOMMIT\n".repeat(66)),
        format!("*filter\n{chains}:OUTPUT DROP [0:0]\nCOMMIT\n"),
        format!(
            "{}{hidden}",
            "$ iptables -S\n-P INPUT ACCEPT\n".repeat(10_000)
        ),
    ];
    for (number, text) in texts.into_iter().enumerate() {
        let parsed = parse::parse(text);
        let is_reported = parsed
            .diagnostics
            .iter()
            .any(|diagnostic| diagnostic.code == Code::PartNotRead);
        let trace = walk(&parsed.rulesets, None, &Host::pod(), &to_service(1));
        assert!(is_reported, "text {number}");
        assert_eq!(trace.verdict(), None, "text {number}");
    }
}
