//! The diagnostics of the reader, and the rules that it makes from a text.

use std::fs;
use std::path::PathBuf;

use chainwalk_core::input::parse::parse;
use chainwalk_core::iptables::print;
use chainwalk_core::netfilter::backend::Backend;
use chainwalk_core::packet::Family;

/// Puts a rule into a table with all chains that it may need.
fn around(rule: &str) -> String {
    format!("*mangle\n:OUTPUT ACCEPT [0:0]\n:a - [0:0]\n{rule}\nCOMMIT\n")
}

/// The diagnostics of a text, one per line: position, severity and code.
fn said(text: &str) -> Vec<String> {
    let parsed = parse(text);
    for diagnostic in parsed
        .diagnostics
        .iter()
        .filter(|diagnostic| diagnostic.hint.is_none())
    {
        assert!(
            diagnostic.message.len() > 20,
            "a short message needs a hint: {diagnostic}"
        );
    }
    parsed
        .diagnostics
        .iter()
        .map(|d: &chainwalk_core::text::diagnostic::Diagnostic| {
            format!("{}:{}: {}: {}", d.line, d.column, d.severity, d.code)
        })
        .collect()
}

fn check(text: &str, want: &[&str]) {
    assert_eq!(said(text), want, "{text}");
}

/// Checks the printed form of a rule, as iptables 1.8.9 would print it.
fn canonical(rule: &str, want: &str) {
    let parsed = parse(around(&format!("-A OUTPUT {rule}")));
    assert_eq!(parsed.diagnostics, [], "{rule}");
    let ruleset = &parsed.rulesets[0];
    let table = &ruleset.tables[0];
    assert_eq!(
        print::rule(ruleset, table, &table.chains[0].rules[0]),
        want,
        "{rule}"
    );
}

#[test]
fn what_is_wrong_is_said_with_its_place() {
    check(
        &around("-A OUTPUT -p tcp --dport 65536 -j DROP"),
        &["4:26: error: invalid-value"],
    );
    check(
        &around("-A OUTPUT -p tcp --dport 90:80"),
        &["4:26: error: reversed-range"],
    );
    check(
        &around("-A OUTPUT --dport 80"),
        &["4:11: error: unknown-option"],
    );
    check(
        &around("-A OUTPUT -s 10.0.0.256"),
        &["4:14: error: invalid-value"],
    );
    check(
        &around("-A OUTPUT -s example.com"),
        &["4:14: error: invalid-value"],
    );
    check(
        &around("-A OUTPUT -m owner --uid-owner"),
        &["4:20: error: missing-value"],
    );
    check(
        &around("-A OUTPUT -m owner --uid-owner -j a"),
        &["4:20: error: missing-value"],
    );
    check(&around("-A OUTPUT -m"), &["4:11: error: missing-argument"]);
    check(
        &around("-A OUTPUT -s 1.1.1.1 -s 2.2.2.2"),
        &["4:22: error: duplicate-option"],
    );
    check(
        &around("-A OUTPUT -j MARK ! --set-mark 1"),
        &["4:21: error: not-negatable"],
    );
    check(
        &around("-A OUTPUT -j a !"),
        &["4:16: error: misplaced-negation"],
    );
    check(
        &around("-A OUTPUT -m comment --comment \"é ü\" --x"),
        &["4:38: error: unknown-option"],
    );
    check(
        &around("-A OUTPUT -m comment --comment \"a"),
        &["4:32: error: unclosed-quote"],
    );
    check(
        &around("-A OUTPUT -j nowhere"),
        &["4:1: error: unknown-target"],
    );
    check(
        &around("-A nowhere -j a"),
        &["4:4: error: undeclared-chain"],
    );
    check(&around("-A a -j a"), &["4:1: error: chain-loop"]);
    check(&around(":a - [0:0]"), &["4:1: error: duplicate-chain"]);
    check(
        &around(":OUTPUT2 ACCEPT [0:0]"),
        &["4:1: error: policy-on-user-chain"],
    );
    check(&around("-D OUTPUT -j a"), &["4:1: error: no-such-rule"]);
}

#[test]
fn what_is_not_known_is_kept_and_said() {
    check(
        &around("-A OUTPUT -m set --match-set x dst -j a"),
        &["4:14: note: undetermined-match"],
    );
    check(
        &around("-A OUTPUT -m weird --x 1 -j a"),
        &["4:14: warning: unsupported-match"],
    );
    check(
        &around("-A OUTPUT -j WEIRD --x 1"),
        &["4:14: warning: unsupported-target"],
    );
    let thrice = "-A OUTPUT -m set --match-set x dst -j a\n".repeat(3);
    check(&around(&thrice), &["4:14: note: undetermined-match"]);
    for rule in [
        "-A OUTPUT -m set ! --match-set x dst -j a",
        "-A OUTPUT -m limit --limit 5/sec -m mark --mark 0x1 -j WEIRD --queue-num 1",
        "-A OUTPUT -m weird --string \"a \\\"b\" --algo bm --to 65535 -j a",
    ] {
        let parsed = parse(around(rule));
        assert_eq!(print::save(&parsed.rulesets[0], false), around(rule));
    }
}

#[test]
fn a_text_without_rules_says_what_to_paste() {
    check("", &[]);
    check("  \n", &[]);
    check("hello\nworld", &["1:1: error: no-rules"]);
    check("*nat", &["1:1: warning: missing-commit"]);
    check("-A OUTPUT -j ACCEPT", &["1:1: error: outside-table"]);
    check(
        "*bogus\n-A x\nCOMMIT\n*nat\nCOMMIT",
        &["1:1: error: unknown-table"],
    );
    check("$ iptables-save\n*nat\nCOMMIT", &[]);
    check(
        "*nat\nCOMMIT\n-A OUTPUT -j ACCEPT",
        &["3:1: error: outside-table"],
    );
    check("*nat\nx y\nCOMMIT", &["2:1: warning: unknown-line"]);
    check("{\"schema_version\": ", &["1:19: error: invalid-capture"]);
}

#[test]
fn native_nftables_is_recognised() {
    check("table ip filter {\n}\n", &["1:1: error: native-nftables"]);
    check(
        "{\"nftables\": [{\"table\": {\"family\": \"ip\"}}]}",
        &["1:1: error: native-nftables"],
    );
    // Next to rules of iptables, it is a diagnostic on its own line.
    check(
        "*nat\nCOMMIT\ntable ip x {",
        &["3:1: warning: native-nftables"],
    );
    let message = |text: &str| parse(text).diagnostics[0].message.clone();
    assert!(message("table inet istio-proxy-nat {\n}\n").contains("Istio's"));
}

#[test]
fn old_and_lazy_spellings_are_read() {
    canonical("-s 10.1.2.3/8 -j ACCEPT", "-s 10.0.0.0/8 -j ACCEPT");
    canonical("-s 10.1.2.3/255.0.0.0", "-s 10.0.0.0/8");
    canonical("-d ! 127.0.0.1", "! -d 127.0.0.1/32");
    canonical("-s 0.0.0.0/0 -p all -i + -j ACCEPT", "-j ACCEPT");
    canonical("-p 6 --dport 80", "-p tcp -m tcp --dport 80");
    canonical(
        "--protocol tcp --destination-port=:1023",
        "-p tcp -m tcp --dport 0:1023",
    );
    canonical(
        "-p tcp --syn",
        "-p tcp -m tcp --tcp-flags FIN,SYN,RST,ACK SYN",
    );
    canonical(
        "-p icmp --icmp-type echo-request",
        "-p icmp -m icmp --icmp-type 8",
    );
    canonical(
        "-p icmp --icmp-type port-unreachable",
        "-p icmp -m icmp --icmp-type 3/3",
    );
    canonical("-j MARK --set-mark 1", "-j MARK --set-xmark 0x1/0xffffffff");
    canonical("-j MARK --or-mark 0x10", "-j MARK --set-xmark 0x10/0x10");
    canonical(
        "-j MARK --and-mark 0xff",
        "-j MARK --set-xmark 0x0/0xffffff00",
    );
    canonical(
        "-j CONNMARK --save-mark",
        "-j CONNMARK --save-mark --nfmask 0xffffffff --ctmask 0xffffffff",
    );
    canonical(
        "-m state --state ESTABLISHED,RELATED",
        "-m state --state RELATED,ESTABLISHED",
    );
    canonical(
        "-j LOG --log-level warning --log-prefix x",
        "-j LOG --log-prefix x",
    );
    canonical(
        "-m comment --comment \"\" -m comment --comment a/b",
        "-m comment --comment \"\" -m comment --comment \"a/b\"",
    );
    canonical(
        "-m comment --comment -a -j a",
        "-m comment --comment -a -j a",
    );
    canonical(
        "-m owner --gid-owner 1000-1999 --uid-owner 1",
        "-m owner --uid-owner 1 --gid-owner 1000-1999",
    );
    canonical(
        "-m tcp -p tcp -m owner --uid-owner 1 --dport 1",
        "-p tcp -m tcp --dport 1 -m owner --uid-owner 1",
    );
}

#[test]
fn counters_stand_before_a_rule_or_in_it() {
    let text = around("[12:720] -A OUTPUT -j a\n-A OUTPUT -c 3 4 -j a");
    let parsed = parse(text);
    let printed = print::save(&parsed.rulesets[0], true);
    assert!(
        printed.contains("[12:720] -A OUTPUT -j a\n[3:4] -A OUTPUT -j a\n"),
        "{printed}"
    );
}

#[test]
fn several_dumps_in_one_text_are_several_rule_sets() {
    let dump = |header: &str, table: &str| {
        format!("# Generated by {header} on x\n*{table}\nCOMMIT\n# Completed on x\n")
    };
    let text = [
        dump("iptables-save v1.8.9", "mangle"),
        dump("iptables-save v1.8.9", "nat"),
        dump("ip6tables-save v1.8.9", "nat"),
        dump("iptables-nft-save v1.8.9 (nf_tables)", "nat"),
        dump("xtables-save v1.8.2", "nat"),
        dump("ip6tables-nft-save v1.8.9 (nf_tables)", "nat"),
    ]
    .concat();
    let parsed = parse(text);
    assert_eq!(parsed.diagnostics, []);
    let seen: Vec<_> = parsed
        .rulesets
        .iter()
        .map(|set| (set.family, set.backend, set.tables.len()))
        .collect();
    let nft = Some(Backend::Nft);
    assert_eq!(
        seen,
        [
            (Family::Ipv4, None, 2),
            (Family::Ipv6, None, 1),
            (Family::Ipv4, nft, 1),
            (Family::Ipv4, nft, 1),
            (Family::Ipv6, nft, 1)
        ],
    );
}

#[test]
fn without_a_header_addresses_tell_the_family() {
    for (rules, family) in [
        ("-A INPUT -s ::1/128", Family::Ipv6),
        ("-A INPUT -s 1.1.1.1", Family::Ipv4),
        ("", Family::Ipv4),
    ] {
        let parsed = parse(format!("*nat\n:INPUT ACCEPT [0:0]\n{rules}\nCOMMIT\n"));
        assert_eq!(parsed.rulesets[0].family, family, "{rules}");
    }
}

#[test]
fn a_capture_brings_its_host_and_several_texts() {
    let text = include_str!("capture.json");
    let parsed = parse(text);
    assert_eq!(parsed.diagnostics, []);
    assert_eq!(parsed.rulesets.len(), 2);
    assert_eq!(
        (parsed.rulesets[1].family, parsed.rulesets[1].source),
        (Family::Ipv6, 1)
    );
    assert_eq!(parsed.host.expect("a host").interfaces[1].name, "eth0");
}

#[test]
fn every_sample_is_read_without_a_word_and_printed_as_it_was() {
    let directory = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../static/samples");
    let mut seen = 0;
    for entry in fs::read_dir(directory).expect("samples") {
        let path = entry.expect("an entry").path();
        if path.extension().is_none_or(|extension| extension != "txt") {
            continue;
        }
        let text = fs::read_to_string(&path).expect("a text");
        let parsed = parse(text.clone());
        assert_eq!(parsed.diagnostics, [], "{}", path.display());
        let printed: String = parsed
            .rulesets
            .iter()
            .map(|set| print::save(set, false))
            .collect();
        let bare: String = text
            .split_inclusive('\n')
            .filter(|line| !line.starts_with('#'))
            .collect();
        assert_eq!(printed, bare, "{}", path.display());
        assert!(
            chainwalk_core::mesh::recognise(&parsed.rulesets[0]).is_some(),
            "{}",
            path.display()
        );
        seen += 1;
    }
    assert!(seen >= 6, "only {seen} samples");
}

#[test]
fn rules_between_bytes_that_are_no_text_are_read_as_they_stand() {
    let noise = "\u{fffd}\0\u{1b}\u{fffd}x\u{fffd}\u{fffd}\n".repeat(50);
    let parsed = parse(format!(
        "{noise}*nat\n:OUTPUT ACCEPT [0:0]\n-A OUTPUT -j RETURN\nCOMMIT\n{noise}"
    ));
    assert_eq!(
        parsed.rulesets.iter().map(|set| set.rules()).sum::<usize>(),
        1
    );
    assert_eq!(parsed.rulesets[0].tables[0].chains[0].rules[0].line, 53);
}
