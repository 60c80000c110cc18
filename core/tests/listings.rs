//! Listings of `iptables -L` and their losses, compared with the dump of the same rules
//! (`listings/gate.*`, printed by iptables 1.8.9). `tests/listings.rs` checks that iptables lists
//! every extension as its table states.

use std::fs;
use std::path::PathBuf;

use chainwalk_core::input::parse::{Parsed, parse};
use chainwalk_core::iptables::print;
use chainwalk_core::iptables::table_name::TableName;
use chainwalk_core::netfilter::backend::Backend;
use chainwalk_core::packet::Family;

fn file(name: &str) -> String {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("tests/listings")
        .join(name);
    fs::read_to_string(path).expect("the file is there")
}

fn printed(parsed: &Parsed, counters: bool) -> String {
    parsed
        .rulesets
        .iter()
        .map(|ruleset| print::save(ruleset, counters))
        .collect()
}

/// Position, severity and code of each diagnostic.
fn said(parsed: &Parsed) -> Vec<String> {
    parsed
        .diagnostics
        .iter()
        .map(|d: &chainwalk_core::text::diagnostic::Diagnostic| {
            format!("{}:{}: {}: {}", d.line, d.column, d.severity, d.code)
        })
        .collect()
}

/// The rule of a listing with one row, after its column heads.
fn row(columns: &str, row: &str) -> (String, Vec<String>) {
    let parsed = parse(format!(
        "$ iptables -t nat -L\nChain OUTPUT (policy ACCEPT)\n{columns}\n{row}\n"
    ));
    let rules = printed(&parsed, false);
    (
        rules
            .lines()
            .find(|line| line.starts_with("-A"))
            .unwrap_or_default()
            .to_owned(),
        said(&parsed),
    )
}

const FULL: &str =
    " pkts bytes target     prot opt in     out     source               destination";
const SHORT: &str = "target     prot opt source               destination";

#[test]
fn a_full_listing_is_the_dump() {
    let parsed = parse(file("gate.full"));
    assert_eq!(said(&parsed), [""; 0]);
    assert_eq!(printed(&parsed, true), file("gate.rules"));
    assert_eq!(parsed.rulesets.len(), 1, "both tables are of one set");
    let chain = |name| {
        parsed.rulesets[0]
            .table(TableName::Nat)
            .expect("nat")
            .chain(name)
            .expect("it is listed")
            .1
    };
    let rule = &chain("GATE_IN").rules[0];
    assert!(
        rule.span.slice(&parsed.sources[0]).ends_with("tcp dpt:22"),
        "a rule leads back to its line"
    );
    let options: Vec<String> = parsed.sections.iter().map(ToString::to_string).collect();
    assert_eq!(
        options,
        [
            "iptables -L -v -n --line-numbers, mangle table",
            "iptables -L -v -n --line-numbers, nat table"
        ]
    );
}

#[test]
fn what_names_hide_is_not_known() {
    let parsed = parse(file("gate.names"));
    let lost = [
        "29:1: note: rounded-counters",
        "38:94: note: named-ports",
        "44:68: warning: named-addresses",
    ];
    assert_eq!(said(&parsed), lost, "each is said once");
    let known = file("gate.rules")
        .replace("[1234567:98765432]", "[1235000:99000000]")
        .replace("7654321]", "7654000]");
    let known = known.replace("[123456:", "[123000:").replace(
        "-d 127.0.0.1/32 -j",
        "-m unlisted --destination-name localhost -j",
    );
    let known = known.replace(
        "! -d 127.0.0.1/32 -o lo -p tcp -m owner --uid-owner 4711",
        "-o lo -p tcp -m owner --uid-owner 4711 -m unlisted ! --destination-name localhost",
    );
    assert_eq!(printed(&parsed, true), known);
}

#[test]
fn what_is_not_listed_is_not_known() {
    let parsed = parse(file("gate.short"));
    assert_eq!(said(&parsed), ["3:1: warning: unlisted-interfaces"]);
    let rules = printed(&parsed, false);
    let rules = rules.lines().filter(|line| line.starts_with("-A"));
    let asks_for_more = "-m unlisted --interfaces";
    assert!(rules.clone().count() == 14 && rules.clone().all(|rule| rule.contains(asks_for_more)));
    let bare = parse(file("gate.bare"));
    assert_eq!(bare.diagnostics.len(), 3, "{:?}", said(&bare));
    assert!(
        printed(&bare, false).contains("-m unlisted --interfaces ! --destination-name localhost")
    );
}

#[test]
fn the_table_is_told_or_guessed() {
    let told = |text: &str| {
        let parsed = parse(text);
        let set = &parsed.rulesets[0];
        let guesses = said(&parsed)
            .iter()
            .filter(|said| said.ends_with("-table"))
            .count();
        (set.tables[0].iptables(), set.family, set.backend, guesses)
    };
    let listing = format!(
        "Chain WAY (1 references)\n{FULL}\n  1  60 REDIRECT  6  --  *  *  ::/0  ::/0  redir ports 9080\n"
    );
    assert_eq!(
        told(&listing),
        (Some(TableName::Nat), Family::Ipv6, None, 1)
    );
    let command = format!("root@pod:/# ip6tables-nft -t nat -L WAY -v -n\n{listing}");
    assert_eq!(
        told(&command),
        (Some(TableName::Nat), Family::Ipv6, Some(Backend::Nft), 0)
    );
    let plain = listing
        .replace("REDIRECT  6", "RETURN  6")
        .replace("redir ports 9080", "");
    assert_eq!(
        told(&plain),
        (Some(TableName::Filter), Family::Ipv6, None, 1)
    );
}

#[test]
fn rows_are_read_whatever_stands_in_them() {
    let check =
        |columns: &str, line: &str, want: &str| assert_eq!(row(columns, line).0, want, "{line}");
    check(
        FULL,
        " 1 60 RETURN tcp -- any !eth0 anywhere anywhere tcp dpts:!1024:65535 flags:FIN,SYN/SYN",
        "-A OUTPUT ! -o eth0 -p tcp -m tcp ! --dport 1024:65535 --tcp-flags FIN,SYN SYN -j RETURN",
    );
    check(
        FULL,
        "    1    60            6    --  *      *       0.0.0.0/0           !10.0.0.0/8",
        "-A OUTPUT ! -d 10.0.0.0/8 -p tcp",
    );
    check(
        FULL,
        " 1 60 LOG 17 !f * * 0.0.0.0/0 0.0.0.0/0 LOG flags 9 level 7 prefix \"two words \"",
        "-A OUTPUT -p udp ! -f -j LOG --log-prefix \"two words \" --log-level 7 --log-tcp-sequence --log-uid",
    );
    check(
        FULL,
        " 1 60 DROP 0 -- * * 0.0.0.0/0 0.0.0.0/0 /* a */ mark match 0x1 /* b */",
        "-A OUTPUT -m comment --comment a -m mark --mark 0x1 -m comment --comment b -j DROP",
    );
    check(
        FULL,
        " 1 60 DROP 0 -- * * 0.0.0.0/0 0.0.0.0/0 recent: SET name: a side: source mask: 255.255.255.255 ! recent: UPDATE \
         seconds: 60 name: b side: dest mask: 255.0.0.0",
        "-A OUTPUT -m recent --set --name a --mask 255.255.255.255 --rsource -m recent ! --update --seconds 60 --name b \
         --mask 255.0.0.0 --rdest -j DROP",
    );
    check(
        FULL,
        " 1 60 DROP 0 -- * * 0.0.0.0/0 0.0.0.0/0 TIME from 08:00:00 to 17:30:00 on Mon,Tue on 1st,22nd starting from \
         2024-01-02 03:04:05 until date 2026-03-04 08:00:00 UTC",
        "-A OUTPUT -m time --timestart 08:00:00 --timestop 17:30:00 --monthdays 1,22 --weekdays Mon,Tue --datestart \
         2024-01-02T03:04:05 --datestop 2026-03-04T08:00:00 -j DROP",
    );
    check(
        SHORT,
        "RETURN  tcp  --  anywhere  anywhere",
        "-A OUTPUT -p tcp -m unlisted --interfaces -j RETURN",
    );
}

#[test]
fn what_is_not_understood_stays() {
    let (rule, said) = row(
        FULL,
        " 1 60 RETURN tcp -- * * 0.0.0.0/0 0.0.0.0/0 weird match 7 owner UID match 3 odd words",
    );
    assert_eq!(
        rule,
        "-A OUTPUT -p tcp -m owner --uid-owner 3 -m unlisted --words \"weird match 7\" --words \"odd words\" -j RETURN"
    );
    assert_eq!(said.len(), 2, "{said:?}");
    // In a scrubbed listing, a column is blank.
    let (rule, said) = row(
        FULL,
        "    0     0 RETURN     all  --  any    lo            anywhere",
    );
    assert_eq!(
        rule,
        "-A OUTPUT -o lo -m unlisted --source-name \"\" -j RETURN"
    );
    assert!(said[0].ends_with("removed-address"), "{said:?}");
    // A row that fits no column may have any effect.
    let (rule, said) = row(FULL, "    0     0 RETURN     all  --  any");
    assert_eq!(
        rule,
        "-A OUTPUT -m unlisted --words \"0     0 RETURN     all  --  any\" -j 0     0 RETURN     all  --  any"
    );
    assert!(said[0].ends_with("damaged-row"), "{said:?}");
    // A target that is printed in an unknown form.
    let (rule, _) = row(
        FULL,
        " 1 60 HMARK 6 -- * * 0.0.0.0/0 0.0.0.0/0 HMARK mod 2 + 0x1 rnd 0x1",
    );
    assert_eq!(rule, "-A OUTPUT -p tcp -j HMARK mod 2 + 0x1 rnd 0x1");
    for text in [
        "Chain",
        "Chain x (1 references)\nChain x (1 references)\n\nfoo -- bar",
        "num target prot source destination\n! ! !",
    ] {
        let _ = parse(text);
    }
}
