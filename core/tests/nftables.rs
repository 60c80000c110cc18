//! Listings of nft are read and printed back.

use std::fs;
use std::path::{Path, PathBuf};

use chainwalk_core::input::parse::parse;
use chainwalk_core::nftables::listing::Listing;
use chainwalk_core::nftables::rule::NativeRule;
use chainwalk_core::nftables::statement::NativeStatement;
use proptest::prelude::*;

fn fixtures() -> Vec<PathBuf> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/nftables");
    let entries = fs::read_dir(directory).expect("the fixtures");
    entries.map(|entry| entry.expect("a file").path()).collect()
}

/// Reads a chain with one rule, and prints the rule.
fn printed(rule: &str) -> String {
    let listing = Listing::read(&format!("table inet t {{\n chain c {{\n{rule}\n }}\n}}\n"));
    let text = listing.print();
    let rule = text.lines().nth(2).unwrap_or_default();
    rule.trim_start().to_owned()
}

#[test]
fn a_listing_prints_back_byte_for_byte() {
    assert!(fixtures().len() > 2);
    for path in fixtures() {
        let text = fs::read_to_string(&path).expect("a text");
        let listing = Listing::read(&text);
        assert_eq!(listing.print(), text, "{}", path.display());
        assert_eq!(listing.problems, [], "{}", path.display());
        let rules = listing.tables.iter().flat_map(|table| &table.chains);
        for rule in rules.flat_map(|chain| &chain.rules) {
            assert!(!rule.is_opaque(), "{}: {rule:?}", path.display());
        }
    }
}

#[test]
fn other_spellings_print_as_the_listing_does() {
    for (written, listed) in [
        (
            "reject with icmpx type admin-prohibited",
            "reject with icmpx admin-prohibited",
        ),
        ("meta mark set 1", "meta mark set 0x00000001"),
        (
            "tcp dport == 80 counter",
            "tcp dport 80 counter packets 0 bytes 0",
        ),
        ("tcp dport {80,443} accept", "tcp dport { 80, 443 } accept"),
        ("meta iifname lo drop", "iifname \"lo\" drop"),
        (
            "ct state established , related accept",
            "ct state established,related accept",
        ),
        ("dnat to [fd00::1]:80", "dnat to [fd00::1]:80"),
        (
            "icmpv6 type . icmpv6 code { packet-too-big . no-route }",
            "icmpv6 type . icmpv6 code { packet-too-big . 0 }",
        ),
        (
            "ct mark set ct mark & 0xffff0000 | 5",
            "ct mark set ct mark & 0xffff0000 | 0x00000005",
        ),
        ("ip6 saddr ::127.0.0.53 drop", "ip6 saddr ::127.0.0.53 drop"),
        (
            "masquerade fully-random , persistent",
            "masquerade fully-random,persistent",
        ),
        (
            "tcp flags syn / syn,ack drop",
            "tcp flags syn / syn,ack drop",
        ),
        (
            "tcp flags & (syn | ack) == syn drop",
            "tcp flags & (syn | ack) == syn drop",
        ),
        ("log level warn prefix \"x\"", "log prefix \"x\""),
    ] {
        assert_eq!(printed(written), listed);
    }
}

/// The words after the unknown ones may belong to them, so they are kept with them.
#[test]
fn an_unknown_statement_is_kept_and_so_is_the_rest_of_the_table() {
    let text = "table ip t {\n\tset s {\n\t\ttype ipv4_addr\n\t\tnovelty 7\n\t}\n\n\tchain c {\n\t\ttcp dport 80 wonder { 1 } \"x\" accept\n\t\tdrop\n\t}\n}\n";
    let listing = Listing::read(text);
    let chain = &listing.tables[0].chains[0];
    assert_eq!(chain.rules.len(), 2);
    let opaque = NativeStatement::Opaque("wonder { 1 } \"x\" accept".into());
    assert_eq!(chain.rules[0].statements.last(), Some(&opaque));
    assert_eq!(chain.rules[0].statements.len(), 2);
    let problems = listing.problems.iter().map(|span| span.slice(text));
    assert_eq!(problems.collect::<Vec<_>>(), ["novelty"]);
}

#[test]
fn tables_are_found_in_other_text_with_their_handles() {
    let text = "This { is what we have:\n$ nft -a list ruleset\ntable ip6 t { # handle 4\n\tchain c { # handle 1\n\t\tdrop # handle 2\n\t}\n}\nAnd that's it.\n";
    let listing = Listing::read(text);
    let [table] = &listing.tables[..] else {
        panic!("{listing:?}")
    };
    let chain = &table.chains[0];
    assert_eq!(table.handle, Some(4));
    assert_eq!((chain.handle, chain.line), (Some(1), 4));
    assert_eq!((chain.rules[0].handle, chain.rules[0].line), (Some(2), 5));
    let parsed = parse(text);
    assert_eq!(parsed.native_tables, listing.tables);
}

#[test]
fn a_text_that_is_cut_off_keeps_the_rules_before() {
    let path = fixtures()
        .into_iter()
        .find(|path| path.ends_with("node.nft"));
    let text = fs::read_to_string(path.expect("the fixture")).expect("a text");
    let whole = rules_before(&text, u32::MAX);
    for end in (0..text.len()).step_by(7) {
        let line = u32::try_from(text[..end].lines().count()).expect("a short text");
        let shown = rules_before(&text[..end], line);
        assert_eq!(shown, whole[..shown.len()], "{}", &text[..end]);
        let before = |rule: &&NativeRule| rule.line < line;
        assert_eq!(shown.len(), whole.iter().filter(before).count());
    }
}

/// The rules of a text before a line.
fn rules_before(text: &str, line: u32) -> Vec<NativeRule> {
    let tables = Listing::read(text).tables.into_iter();
    let chains = tables.flat_map(|table| table.chains);
    let rules = chains.flat_map(|chain| chain.rules);
    rules.filter(|rule| rule.line < line).collect()
}

#[test]
fn deep_brackets_are_no_reason_to_panic() {
    for (open, close) in [("{ ", " }"), ("(", ")")] {
        let nested = format!("{}1{}", open.repeat(100_000), close.repeat(100_000));
        for lead in ["meta mark", "meta mark set", "ip saddr vmap", "add @s"] {
            let _ = printed(&format!("{lead} {nested}"));
        }
    }
    let operations = " | 1".repeat(100_000);
    let _ = printed(&format!("meta mark set meta mark{operations}"));
}

/// A word of a rule, or a part that does not belong there.
fn word() -> impl Strategy<Value = String> {
    let known = prop::sample::select(vec![
        "table",
        "chain",
        "set",
        "map",
        "inet",
        "{",
        "}",
        "(",
        ")",
        "\n",
        ";",
        ",",
        ".",
        ":",
        "@",
        "=",
        "!=",
        "&",
        "|",
        "\"",
        "#",
        "\\\n",
        "type",
        "elements",
        "ip",
        "saddr",
        "tcp",
        "dport",
        "meta",
        "mark",
        "ct",
        "state",
        "vmap",
        "dnat",
        "to",
        "counter",
        "limit",
        "rate",
        "accept",
        "jump",
        "80",
        "0x1",
        "10.0.0.0/8",
        "1-2",
        "fd00::1",
        "[",
        "]",
        "comment",
        "handle",
    ]);
    prop_oneof![9 => known.prop_map(str::to_owned), 1 => "\\PC{0,5}"]
}

fn is_balanced(text: &str) -> bool {
    let mut depth = 0;
    let steps = text
        .chars()
        .map(|c| i32::from(c == '{') - i32::from(c == '}'));
    steps.into_iter().all(|step| {
        depth += step;
        depth >= 0
    }) && depth == 0
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_printed_prints_the_same_again(words in prop::collection::vec(word(), 0..60)) {
        let text = format!("table ip t {{\nchain c {{\n{}\n}}\n}}\n", words.join(" "));
        for text in [words.join(" "), text] {
            let printed = Listing::read(&text).print();
            // A brace without its partner takes that of a block around it.
            prop_assume!(is_balanced(&text));
            prop_assert_eq!(Listing::read(&printed).print(), printed);
        }
    }
}
