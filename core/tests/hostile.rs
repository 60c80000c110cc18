//! Hostile input, and input that a fuzzer found: it must cause no panic and stay within its limits.

use chainwalk_core::input::parse;
use chainwalk_core::iptables::print;
use chainwalk_core::lesson::{self, At, Source};
use chainwalk_core::share::link::{self, Shared};

const SIDECAR: &str = include_str!("../../static/samples/istio-sidecar.txt");

fn library(name: &str) -> Option<Source<'static>> {
    (name == "istio-sidecar").then_some((SIDECAR, None))
}

#[test]
fn a_head_of_a_listing_with_two_blanks_is_read() {
    for text in [
        "Chain  éé",
        "Chain \u{a0}éé",
        "Chain   OUTPUT (policy ACCEPT)",
        "Chain ",
        "Chain \u{3000}é (1 references)",
    ] {
        let parsed = parse::parse(text);
        parsed
            .rulesets
            .iter()
            .for_each(|ruleset| _ = print::save(ruleset, true));
        // The same text as a link: 24 characters are enough.
        let shared = link::read_link(&link::fragment(text));
        assert_eq!(shared, Ok(Some(Shared::of_text(text.into()))));
    }
}

const HEADER: &str = "---\ntitle: T\nabout: A\nminutes: 3\npacket app: internet\n---\n";

/// The error of a lesson with a header and these lines, which begin at line 7.
fn fault(lines: &str) -> String {
    let read = lesson::read_lesson(&format!("{HEADER}{lines}"), &library);
    read.map_or_else(|fault| fault.to_string(), |_| String::new())
}

#[test]
fn a_lesson_whose_text_comes_before_its_first_heading_is_refused() {
    for lines in [
        "Words.\n",
        "{{verdict app}}\n",
        "- {{text nat OUTPUT 1}}\n",
        "```show\npackets: app\n```\n",
        "```ask app\n```\n",
        "```task rules\n```\n",
    ] {
        assert_eq!(
            fault(lines),
            "7: this line is before the first step: begin a step with `## Heading`",
            "{lines}"
        );
    }
    assert!(fault("## A\n{{verdict app}}\n").starts_with("1: the lesson has no rules"));
}

#[test]
fn what_a_lesson_points_at_belongs_to_the_rules_that_it_shows() {
    let rules = "```rules small\n*filter\n:OUTPUT ACCEPT [0:0]\n-A OUTPUT -j DROP\nCOMMIT\n```\n\
                 ```rules large\n*nat\n:OUTPUT ACCEPT [0:0]\n:X - [0:0]\n-A X -j RETURN\n-A X -j RETURN\nCOMMIT\n```\n";
    // `at` precedes `rules` and names a rule of that rule set.
    let before =
        format!("{HEADER}{rules}## A\n```show\nat: X 2\nrules: large\npackets: app\n```\nText.\n");
    let lesson = lesson::read_lesson(&before, &library).expect("a lesson");
    let At::Rule(place) = lesson.steps[0].scene.at else {
        panic!("{:?}", lesson.steps[0].scene.at)
    };
    assert!(place.rule(&lesson.worlds[1].rulesets).is_some());
    // Other rules are shown after it, so it names none of their rules.
    let behind = format!(
        "{HEADER}{rules}## A\n```show\nrules: large\npackets: app\nat: X 2\n```\n```show\nrules: small\n```\n"
    );
    let lesson = lesson::read_lesson(&behind, &library).expect("a lesson");
    assert_eq!(
        (lesson.steps[0].scene.world, lesson.steps[0].scene.at),
        (0, At::Decided)
    );
}

/// The JSON of a link with a list of `count` entries.
fn listed(key: &str, count: usize, one: &str) -> String {
    let list = vec![one; count].join(",");
    let text = "*filter\\n:OUTPUT ACCEPT [0:0]\\nCOMMIT\\n";
    match key {
        "packets" | "settled" => {
            format!("{{\"chainwalk\": 2, \"text\": \"{text}\", \"{key}\": [{list}]}}")
        }
        _ => {
            format!("{{\"chainwalk\": 2, \"text\": \"{text}\", \"host\": {{\"{key}\": [{list}]}}}}")
        }
    }
}

#[test]
fn what_a_link_or_a_capture_holds_too_much_of_is_left_out_and_said() {
    let settled =
        r#"{"ruleset": 0, "table": "filter", "chain": "OUTPUT", "rule": 1, "matches": true}"#;
    for (key, one, says) in [
        (
            "interfaces",
            r#"{"name": "a"}"#,
            "60000 interfaces: the first 5000 are used",
        ),
        (
            "routes",
            r#"{"dst": "0.0.0.0/0"}"#,
            "60000 routes: the first 50000 are used",
        ),
        (
            "rules",
            "{}",
            "60000 routing rules: the first 1000 are used",
        ),
        (
            "sockets",
            r#"{"protocol": "tcp", "address": "::", "port": 1}"#,
            "60000 sockets: the first 10000 are used",
        ),
        (
            "processes",
            r#"{"pid": 1, "command": "a", "uid": 1, "gid": 1}"#,
            "60000 processes: the first 20000 are used",
        ),
        (
            "packets",
            r#"{"origin": "local", "protocol": "tcp", "dst": "::1"}"#,
            "60000 packets: the first 16 are used",
        ),
        (
            "settled",
            settled,
            "60000 settled rules: the first 256 are used",
        ),
    ] {
        let json = listed(key, 60_000, one);
        let shared = Shared::from_file(&json)
            .expect("a file")
            .expect("it is whole");
        assert_eq!(shared.dropped, [says], "{key}");
        // The result fits a link and stays within the limits.
        let fragment = shared.fragment();
        assert!(
            fragment.len() < link::MAX_LINK_CHARACTERS,
            "{key}: {} characters",
            fragment.len()
        );
        let again = link::read_link(&fragment)
            .expect("it is whole")
            .expect("it holds something");
        assert_eq!(again.dropped, [] as [&str; 0], "{key}");
        // A short list causes no message.
        assert_eq!(
            Shared::from_file(&listed(key, 5, one))
                .expect("a file")
                .expect("it is whole")
                .dropped,
            [] as [&str; 0]
        );
    }
    let addresses = r#"{"name": "a", "addresses": ["10.0.0.1/8", "10.0.0.2/8", "10.0.0.3/8", "10.0.0.4/8", "10.0.0.5/8"]}"#;
    let shared = Shared::from_file(&listed("interfaces", 5_000, addresses))
        .expect("a file")
        .expect("it is whole");
    assert_eq!(
        shared.dropped,
        ["25000 addresses of interfaces: the first 20000 are used"]
    );

    let rules = r#"{"family": "ipv4", "backend": "nft", "command": [], "exit_code": 0, "text": "*nat\nCOMMIT\n", "stderr": ""}"#;
    let capture = format!(
        r#"{{"schema_version": 1, "tool": "x", "captured_at": "x", "target": {{}}, "rulesets": [{}], "host": {{"routes": [{}]}}}}"#,
        vec![rules; 500].join(","),
        vec![r#"{"dst": "0.0.0.0/0"}"#; 60_000].join(",")
    );
    let parsed = parse::parse(capture);
    let said: Vec<&str> = parsed
        .diagnostics
        .iter()
        .map(|remark| &*remark.message)
        .collect();
    for says in [
        "this capture contains 60000 routes: the first 50000 are used",
        "this capture contains 500 rule sets: the first 16 are used",
    ] {
        assert!(said.contains(&says), "{said:?}");
    }
    assert!(!parsed.has_errors());
}
