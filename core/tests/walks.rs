//! Expected walks: every `walks/NAME.rules` has packets and their expected results in
//! `walks/NAME.walks`.
//!
//! A case is a `##` heading, the packet as JSON, the counters of the kernel (a line for each hook
//! and table: rules as `CHAIN number`, the policy as `CHAIN policy`), and `=>` with the verdict,
//! the decisive rule, and the packet's final addresses and ports. `? …` lines give the assumptions
//! and the outcome of a branch. `~ …` is the reason why the walk stopped.

use std::fmt::Write;
use std::fs;
use std::path::{Path as FilePath, PathBuf};

use chainwalk_core::input::parse::{self, Parsed};
use chainwalk_core::netfilter::place::Place;
use chainwalk_core::netfilter::ruleset::Ruleset;
use chainwalk_core::packet::Packet;
use chainwalk_core::packet::host::Host;
use chainwalk_core::walk::trace::{Outcome, Path, Trace};
use chainwalk_core::walk::walk;
use expect_test::expect_file;

struct Case {
    title: String,
    packet: String,
}

fn cases(text: &str) -> Vec<Case> {
    let blocks = text.split("\n## ").skip(1);
    blocks
        .map(|block: &str| {
            let mut lines = block.lines();
            let title = lines.next().expect("a title").to_owned();
            let packet = lines.next().expect("a packet").to_owned();
            Case { title, packet }
        })
        .collect()
}

fn name(rulesets: &[Ruleset], place: Place) -> String {
    let (_, _, chain) = place.at.find(rulesets);
    match place.rule {
        Some(rule) => format!("{} {}", chain.name, rule + 1),
        None => format!("{} policy", chain.name),
    }
}

fn write_path(rulesets: &[Ruleset], path: &Path, out: &mut String) {
    let counted = path
        .steps
        .iter()
        .filter(|step| matches!(step.outcome, Outcome::Match | Outcome::Policy));
    let counted: Vec<_> = counted.collect();
    for run in counted.chunk_by(|a, b| {
        (a.hook, a.place.at.table, a.place.at.ruleset)
            == (b.hook, b.place.at.table, b.place.at.ruleset)
    }) {
        let places: Vec<String> = run.iter().map(|step| name(rulesets, step.place)).collect();
        writeln!(
            out,
            "{} {}: {}",
            run[0].hook,
            run[0].place.at.table(rulesets).label(),
            places.join(", ")
        )
        .expect("a string");
    }
}

fn end(rulesets: &[Ruleset], path: &Path) -> String {
    let Some(verdict) = &path.verdict else {
        return "undecided".into();
    };
    let mut out = format!("{:?}", verdict.kind).to_lowercase();
    for detail in [
        verdict.port.map(|port| port.to_string()),
        verdict.interface.clone(),
        verdict.reason.clone(),
    ] {
        out += &detail
            .map(|detail| format!(" {detail}"))
            .unwrap_or_default();
    }
    if let Some(place) = verdict.decided_by {
        write!(
            out,
            " by {} {}",
            place.at.table(rulesets).label(),
            name(rulesets, place)
        )
        .expect("a string");
    }
    out
}

fn render(parsed: &Parsed, trace: &Trace) -> String {
    let mut out = String::new();
    write_path(&parsed.rulesets, &trace.path, &mut out);
    for branch in &trace.branches {
        let assumes: Vec<String> = branch
            .assumes
            .iter()
            .map(|assumed| {
                let word = if assumed.matches {
                    "matches"
                } else {
                    "does not match"
                };
                format!("{} {word}", name(&parsed.rulesets, assumed.place))
            })
            .collect();
        writeln!(
            out,
            "? {}: {}",
            assumes.join(", "),
            end(&parsed.rulesets, &branch.path)
        )
        .expect("a string");
    }
    if let Some(stopped) = &trace.path.stopped {
        writeln!(out, "~ {stopped}").expect("a string");
    } else if let Some(verdict) = trace.verdict() {
        let path = trace.shown();
        let view = path.result();
        let mut changes = String::new();
        if (Some(view.src), view.sport) != (trace.packet.src, trace.packet.sport) {
            write!(
                changes,
                ", src {} {}",
                view.src,
                view.sport.unwrap_or_default()
            )
            .expect("a string");
        }
        if (view.dst, view.dport) != (trace.packet.dst, trace.packet.dport) {
            write!(
                changes,
                ", dst {} {}",
                view.dst,
                view.dport.unwrap_or_default()
            )
            .expect("a string");
        }
        if view.mark != trace.packet.mark {
            write!(changes, ", mark {:#x}", view.mark).expect("a string");
        }
        let sure = if trace.certain { "" } else { " (uncertain)" };
        let _ = verdict;
        writeln!(out, "=> {}{changes}{sure}", end(&parsed.rulesets, path)).expect("a string");
    }
    out
}

fn host(rules: &FilePath) -> Host {
    match fs::read_to_string(rules.with_extension("host.json")) {
        Ok(text) => Host::from_json(&text).expect("the host reads"),
        Err(_) => Host::pod(),
    }
}

/// `UPDATE_EXPECT=1` rewrites the files with the current walks. Read the difference before you keep
/// it.
fn check(rules: &FilePath) -> usize {
    let parsed = parse::parse(fs::read_to_string(rules).expect("rules"));
    let walks = rules.with_extension("walks");
    let text = fs::read_to_string(&walks).expect("a .walks file beside the .rules");
    let host = host(rules);
    let head = text.split("\n## ").next().unwrap_or_default();
    let mut blessed = head.to_owned();
    let cases = cases(&text);
    for case in &cases {
        let packet = Packet::from_json(&case.packet)
            .unwrap_or_else(|error| panic!("{}: {error}", case.title));
        let have = render(&parsed, &walk(&parsed.rulesets, None, &host, &packet));
        write!(blessed, "\n## {}\n{}\n{have}", case.title, case.packet).expect("a string");
    }
    expect_file![walks].assert_eq(&blessed);
    cases.len()
}

#[test]
fn every_walk_goes_as_written() {
    let directory = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/walks");
    let files = fs::read_dir(directory)
        .expect("the walks")
        .map(|entry| entry.expect("an entry").path());
    let mut rules: Vec<PathBuf> = files
        .filter(|path| {
            path.extension()
                .is_some_and(|extension| extension == "rules")
        })
        .collect();
    rules.sort();
    let walked: usize = rules.iter().map(|rules| check(rules)).sum();
    assert!(walked >= 60, "only {walked} walks were found");
}

/// The kernel's choice of an address depends on the zone of the connection, also where only the
/// replies are in it. Measured.
#[test]
fn a_zone_from_the_mark_changes_the_chosen_address() {
    let rules = "*raw\n:OUTPUT ACCEPT [0:0]\n-A OUTPUT -j CT --zone-reply mark\nCOMMIT\n\
        *nat\n:OUTPUT ACCEPT [0:0]\n-A OUTPUT -j DNAT --to-destination 127.0.0.1-127.0.0.6\nCOMMIT\n";
    let packet = Packet::from_json(
        r#"{"origin": "local", "protocol": "udp", "src": "10.244.1.5", "dst": "10.244.1.5", "sport": 22, "dport": 22, "uid": 0, "gid": 0, "mark": 1}"#,
    )
    .expect("it is a packet");
    let trace = walk(&parse::parse(rules).rulesets, None, &Host::pod(), &packet);
    let verdict = trace.verdict().expect("it is certain");
    assert_eq!(verdict.address, "127.0.0.4".parse().ok());
}
