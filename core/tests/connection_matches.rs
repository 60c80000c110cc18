//! Matches on connections, sockets, history and state outside the rules: parsing, printing,
//! validation, sentences, and answers for undetermined rules. Spellings and refusals are measured
//! with iptables 1.8.9.

use chainwalk_core::analysis::explain;
use chainwalk_core::input::parse::{Parsed, parse};
use chainwalk_core::iptables::print;
use chainwalk_core::netfilter::place::{ChainPlace, Place};
use chainwalk_core::packet::Packet;
use chainwalk_core::packet::host::Host;
use chainwalk_core::text::diagnostic::Severity;
use chainwalk_core::walk::trace::{Trace, VerdictKind};
use chainwalk_core::walk::{Known, walk, walk_with};

fn read(rule: &str) -> Parsed {
    parse(format!(
        "*mangle\n:PREROUTING ACCEPT [0:0]\n:INPUT ACCEPT [0:0]\n-A {rule}\nCOMMIT\n"
    ))
}

fn is_refused(parsed: &Parsed) -> bool {
    parsed
        .diagnostics
        .iter()
        .any(|diagnostic| diagnostic.severity == Severity::Error)
}

#[test]
fn spellings_are_printed_as_iptables_prints_them() {
    for (written, printed) in [
        (
            "-m conntrack --ctstate n,est",
            "-m conntrack --ctstate NEW,ESTABLISHED",
        ),
        (
            "-m conntrack ! --ctstate SNAT",
            "-m conntrack ! --ctstate SNAT",
        ),
        (
            "-m conntrack --ctproto tcp --ctdir reply",
            "-m conntrack --ctproto 6 --ctdir REPLY",
        ),
        (
            "-m conntrack --ctorigsrc 10.9.0.1/8",
            "-m conntrack --ctorigsrc 10.9.0.1/8",
        ),
        (
            "-m conntrack --ctreplsrc 10.9.0.1/32",
            "-m conntrack --ctreplsrc 10.9.0.1",
        ),
        (
            "-m conntrack --ctorigdst 10.9.0.1/255.255.0.0",
            "-m conntrack --ctorigdst 10.9.0.1/16",
        ),
        (
            "-m conntrack --ctorigsrcport :9",
            "-m conntrack --ctorigsrcport 0:9",
        ),
        (
            "-m conntrack --ctrepldstport 0:65535",
            "-m conntrack --ctrepldstport 0:65535",
        ),
        (
            "-m conntrack --ctorigdstport 90:80",
            "-m conntrack --ctorigdstport 90:80",
        ),
        (
            "-m conntrack --ctstatus NONE,ASS",
            "-m conntrack --ctstatus ASSURED",
        ),
        (
            "-m conntrack --ctstatus none",
            "-m conntrack --ctstatus NONE",
        ),
        (
            "-m conntrack --ctexpire 7:",
            "-m conntrack --ctexpire 7:4294967295",
        ),
        ("-m state --state rel", "-m state --state RELATED"),
        ("-m limit", "-m limit --limit 3/hour"),
        (
            "-m limit --limit 90/min --limit-burst 5",
            "-m limit --limit 90/min",
        ),
        (
            "-m limit --limit 120/min --limit-burst 7",
            "-m limit --limit 2/sec --limit-burst 7",
        ),
        (
            "-m hashlimit --hashlimit 7 --hashlimit-name h",
            "-m hashlimit --hashlimit-upto 7/sec --hashlimit-burst 5 --hashlimit-name h",
        ),
        (
            "-m hashlimit ! --hashlimit-upto 60/min --hashlimit-mode dstip,srcip --hashlimit-name h",
            "-m hashlimit --hashlimit-above 1/sec --hashlimit-burst 5 --hashlimit-mode srcip,dstip --hashlimit-name h \
             --hashlimit-htable-expire 60000",
        ),
        (
            "-m hashlimit --hashlimit-above 256kb/s --hashlimit-burst 1m --hashlimit-name h --hashlimit-srcmask 24",
            "-m hashlimit --hashlimit-above 256kb/s --hashlimit-burst 1mb --hashlimit-name h --hashlimit-srcmask 24",
        ),
        (
            "-m recent --set",
            "-m recent --set --name DEFAULT --mask 255.255.255.255 --rsource",
        ),
        (
            "-m recent ! --update --seconds 9 --reap --hitcount 0 --rdest --name q",
            "-m recent ! --update --seconds 9 --reap --name q --mask 255.255.255.255 --rdest",
        ),
        (
            "-m connlimit ! --connlimit-above 4",
            "-m connlimit --connlimit-upto 4 --connlimit-mask 32 --connlimit-saddr",
        ),
        (
            "-m connlimit --connlimit-above 4 --connlimit-mask 255.255.255.0 --connlimit-daddr",
            "-m connlimit --connlimit-above 4 --connlimit-mask 24 --connlimit-daddr",
        ),
        (
            "-m connbytes --connbytes-dir both --connbytes-mode bytes ! --connbytes 7:",
            "-m connbytes ! --connbytes 7 --connbytes-mode bytes --connbytes-dir both",
        ),
        (
            "-m connlabel --label 0x11 --set",
            "-m connlabel --label \"17\" --set",
        ),
        (
            "-m cluster --cluster-total-nodes 4 --cluster-local-node 3 --cluster-hash-seed 9",
            "-m cluster --cluster-local-nodemask 0x00000004 --cluster-total-nodes 4 --cluster-hash-seed 0x00000009",
        ),
        (
            "-m statistic --mode random --probability .25",
            "-m statistic --mode random --probability 0.25000000000",
        ),
        (
            "-m statistic --mode random ! --probability 1e-3",
            "-m statistic --mode random ! --probability 0.00100000016",
        ),
        (
            "-m string --algo bm --hex-string \"|41 42|c\"",
            "-m string --string \"ABc\" --algo bm",
        ),
        (
            "-m string --algo kmp --string é --from 0 --to 9",
            "-m string --hex-string \"|c3a9|\" --algo kmp --to 9",
        ),
        ("-m time", "-m time --datestop 2038-01-19T03:14:07"),
        (
            "-m time ! --weekdays 6,Su",
            "-m time --weekdays Mon,Tue,Wed,Thu,Fri --datestop 2038-01-19T03:14:07",
        ),
        (
            "-m time --timestart 5:6 --datestart 2024-02-30 --localtz",
            "-m time --timestart 05:06:00 --timestop 23:59:59 --datestart 2024-03-01T00:00:00 \
             --datestop 2038-01-19T03:14:07 --kerneltz",
        ),
        (
            "-m u32 --u32 \"4 & 0xff = 1 , 3:03\"",
            "-m u32 --u32 \"0x4&0xff=0x1,0x3\"",
        ),
        (
            "-m bpf --bytecode \"2,48 0 0 9,6 0 0 1,\"",
            "-m bpf --bytecode \"2,48 0 0 9,6 0 0 1\"",
        ),
        ("-m quota ! --quota 0x20", "-m quota ! --quota 32"),
        (
            "-m policy --dir in --proto 50",
            "-m policy --dir in --pol ipsec --proto esp",
        ),
        (
            "-m policy --next --spi 9 --strict --dir in --mode tunnel",
            "-m policy --dir in --pol ipsec --strict --next --spi 0x9 --mode tunnel",
        ),
        (
            "-m policy --dir in --strict --mode tunnel --reqid 3 --next --spi 9",
            "-m policy --dir in --pol ipsec --strict --reqid 3 --mode tunnel --next --spi 0x9",
        ),
        (
            "-m set ! --match-set s src,dst --update-counters",
            "-m set ! --match-set s src,dst",
        ),
        ("-m socket --nowildcard", "-m socket --nowildcard"),
        ("-m ipvs --ipvs --vmethod masq", "-m ipvs --vmethod MASQ"),
    ] {
        let parsed = read(&format!("INPUT {written} -j ACCEPT"));
        let saved = print::save(&parsed.rulesets[0], false);
        let line = saved
            .lines()
            .find(|line| line.starts_with("-A"))
            .unwrap_or_default();
        assert_eq!(
            line,
            format!("-A INPUT {printed} -j ACCEPT"),
            "{written}: {:?}",
            parsed.diagnostics
        );
        let again = parse(saved.clone());
        assert_eq!(print::save(&again.rulesets[0], false), saved, "{written}");
    }
}

#[test]
fn what_iptables_or_the_kernel_refuses_is_refused() {
    for rule in [
        "-m conntrack",
        "-m conntrack ! --ctdir REPLY",
        "-m conntrack --ctstate NEW,,",
        "-m state",
        "-m mark",
        "-m connmark",
        "-m comment",
        "-m limit --limit 10001/sec",
        "-m limit --limit 3/week",
        "-m limit --limit-burst 0",
        "-m hashlimit --hashlimit-name h",
        "-m hashlimit --hashlimit-upto 3/sec",
        "-m hashlimit --hashlimit-upto 3/sec --hashlimit-name a/b",
        "-m hashlimit --hashlimit-upto 256kb/s --hashlimit-burst 2k --hashlimit-name h",
        "-m hashlimit --hashlimit-upto 3/sec --hashlimit-name h --hashlimit-dstmask 33",
        "-m recent",
        "-m recent --set --remove",
        "-m recent --set --seconds 5",
        "-m recent --rcheck --reap",
        "-m recent --rcheck --hitcount 65536",
        "-m connlimit --connlimit-mask 8",
        "-m connbytes --connbytes 9:8 --connbytes-dir both --connbytes-mode bytes",
        "-m connlabel --label 128",
        "-m cluster --cluster-total-nodes 2 --cluster-local-node 3 --cluster-hash-seed 1",
        "-m cgroup",
        "-m helper",
        "-m statistic --mode nth --every 2",
        "-m statistic --mode nth --every 2 --packet 2",
        "-m statistic --mode random --probability 1.5",
        "-m string --algo bm",
        "-m string --algo bm --string x --from 9 --to 8",
        "-m string --algo bm --hex-string \"|4|\"",
        "-m time --contiguous",
        "-m time --weekdays 0",
        "-m time --timestart 24:00",
        "-m u32 --u32 0=1&&",
        "-m bpf --bytecode 2,6,0,0,1",
        "-m policy",
        "-m policy --dir out",
        "-m policy --dir in --pol none --strict",
        "-m policy --dir in --reqid 1 --reqid 2",
        "-m policy --dir in --tunnel-src 10.0.0.1",
        "-m rpfilter",
        "-p udp -m osf --genre Linux",
        "-m ipvs",
        "-m rateest --rateest-bps 1bit",
    ] {
        let parsed = read(&format!("INPUT {rule} -j ACCEPT"));
        assert!(is_refused(&parsed), "{rule}");
    }
    assert!(!is_refused(&read("PREROUTING -m rpfilter -j ACCEPT")));
}

#[test]
fn rules_that_cannot_be_told_have_sentences_too() {
    for (rule, want) in [
        (
            "-m limit --limit 6/m",
            "If no more than 6 packets a minute come, after 5 at first: only count it.",
        ),
        (
            "-m recent --rcheck --seconds 60 --hitcount 4 --name ssh",
            "If its source is in the list “ssh” at least 4 times within 60 seconds: only count it.",
        ),
        (
            "-m statistic --mode random --probability 0.25",
            "If chance lets it through, 25 % of the time: only count it.",
        ),
        (
            "-m connlimit --connlimit-above 9",
            "If the source has more than 9 connections: only count it.",
        ),
        (
            "-m time --weekdays Sat,Sun",
            "If it is the time on Sat or Sun (UTC): only count it.",
        ),
        (
            "-m string --algo bm --string GET",
            "If it holds “GET”: only count it.",
        ),
        (
            "-m socket --transparent",
            "If a transparent socket, one of its own address, waits for it: only count it.",
        ),
        (
            "-m conntrack --ctorigdst 10.0.0.0/8",
            "If the connection's first destination is in 10.0.0.0/8: only count it.",
        ),
    ] {
        let parsed = read(&format!("INPUT {rule}"));
        let ruleset = &parsed.rulesets[0];
        let table = &ruleset.tables[0];
        assert_eq!(
            explain::rule(ruleset, table, &table.chains[1].rules[0]),
            want,
            "{rule}"
        );
    }
}

const CHANCE: &str = "*filter\n:OUTPUT ACCEPT [0:0]\n\
    -A OUTPUT -m statistic --mode random --probability 0.25 -j DROP\n\
    -A OUTPUT -m statistic --mode random ! --probability 0.5 -j DROP\nCOMMIT\n";

fn first_packet() -> Packet {
    Packet::tcp(([10, 244, 1, 5], 40_000), ([1, 1, 1, 1], 443), 0, 0)
}

fn settled(text: &str, answers: &[(u32, bool)]) -> Trace {
    let parsed = parse(text);
    let place = |rule| Place {
        at: ChainPlace {
            ruleset: 0,
            table: 0,
            chain: 0,
        },
        rule: Some(rule),
    };
    let answers: Vec<(Place, bool)> = answers
        .iter()
        .map(|(rule, matches)| (place(*rule), *matches))
        .collect();
    walk_with(
        &parsed.rulesets,
        None,
        &Host::pod(),
        &first_packet(),
        Known {
            answers: &answers,
            ..Known::default()
        },
    )
}

#[test]
fn a_branch_that_only_chance_decides_has_its_probability() {
    let parsed = parse(CHANCE);
    let trace = walk(&parsed.rulesets, None, &Host::pod(), &first_packet());
    let likely: Vec<Option<f64>> = trace
        .branches
        .iter()
        .map(|branch| branch.probability())
        .collect();
    assert_eq!(likely, [Some(0.25), Some(0.375), Some(0.375)]);
    let mixed = parse(CHANCE.replace("0.25", "0.25 -m limit"));
    let trace = walk(&mixed.rulesets, None, &Host::pod(), &first_packet());
    assert!(
        trace
            .branches
            .iter()
            .all(|branch| branch.probability().is_none())
    );
    let sure = parse(CHANCE.replace("0.25", "0").replace("0.5", "1"));
    let trace = walk(&sure.rulesets, None, &Host::pod(), &first_packet());
    assert!(trace.certain);
}

#[test]
fn a_settled_rule_is_answered_and_the_trace_says_so() {
    let kind = |trace: &Trace| trace.verdict().map(|verdict| verdict.kind);
    assert!(!settled(CHANCE, &[]).certain);
    let dropped = settled(CHANCE, &[(0, true)]);
    assert_eq!(
        (dropped.certain, kind(&dropped)),
        (true, Some(VerdictKind::Dropped))
    );
    assert!(
        dropped
            .assumes
            .iter()
            .any(|line| line == "rule 1 of OUTPUT (table filter) matches: you settled it")
    );
    let sent = settled(CHANCE, &[(0, false), (1, false)]);
    assert_eq!((sent.certain, kind(&sent)), (true, Some(VerdictKind::Sent)));
    // An answer applies to undetermined rules only.
    let known = settled(
        "*filter\n:OUTPUT ACCEPT [0:0]\n-A OUTPUT -p udp -j DROP\nCOMMIT\n",
        &[(0, true)],
    );
    assert_eq!(
        (known.certain, kind(&known)),
        (true, Some(VerdictKind::Sent))
    );
}
