//! Any sequence of edits is made or refused. The commands for the result exist, and every position
//! stays valid.

#![no_main]

use chainwalk_core::input::edit::{Edit, edit};
use chainwalk_core::input::parse::{Parsed, parse};
use chainwalk_core::iptables::print;
use chainwalk_core::netfilter::place::{ChainPlace, Place};
use chainwalk_core::netfilter::ruleset::Policy;
use chainwalk_core::share::commands::commands;
use chainwalk_fuzz::{SAMPLES, Woven, check_places, places, weave};
use libfuzzer_sys::fuzz_target;

const WORDS: &[&str] = &[
    "-p tcp",
    "-p udp",
    "-m tcp",
    "--dport 80",
    "--sport 1:2",
    "-j ACCEPT",
    "-j DROP",
    "-j RETURN",
    "-j ISTIO_OUTPUT",
    "-g a",
    "-j REDIRECT",
    "--to-ports 15001",
    "-s 10.0.0.0/8",
    "-d ::1/128",
    "! ",
    "-i eth0",
    "-o lo",
    "-m owner",
    "--uid-owner 1337",
    "-m comment",
    "--comment",
    "\"a b\"",
    "'x'",
    "\"",
    "\\",
    "-m mark --mark 0x1/0x2",
    "-j MARK --set-xmark 0x1/0x2",
    "-m set --match-set x dst",
    "-c 1 2",
    "[1:2] ",
    "-A OUTPUT ",
    "-A x",
    "*nat",
    "COMMIT",
    "#",
    ":a - [0:0]",
    "-m multiport --dports 1,2",
    "-s 1.1.1.1,2.2.2.2",
    "é",
    "\r",
];

#[derive(arbitrary::Arbitrary, Debug)]
struct Session<'a> {
    start: Start<'a>,
    edits: Vec<Step<'a>>,
}

#[derive(arbitrary::Arbitrary, Debug)]
enum Start<'a> {
    Sample(u8),
    Script(u8),
    Text(&'a str),
}

#[derive(arbitrary::Arbitrary, Debug)]
enum Step<'a> {
    Change(u8, Vec<Woven<'a>>),
    Add(u8, u8, Vec<Woven<'a>>),
    Swap(u8, u8),
    Off(u8),
    On(u8, u8),
    Delete(u8),
    Policy(u8, bool),
    /// A position without a rule, such as one in earlier rules.
    Stale(u8, u8, u8, u8),
}

fn made(parsed: &Parsed, step: &Step) -> Option<Edit> {
    let all = places(parsed, 250);
    let place = |at: &u8| all.get(*at as usize % all.len().max(1)).copied();
    let words = |pieces: &[Woven]| {
        let text: String = pieces
            .iter()
            .map(|piece| match piece {
                Woven::Known(at) => format!("{} ", WORDS[*at as usize % WORDS.len()]),
                other => weave(std::slice::from_ref(other), WORDS),
            })
            .collect();
        text
    };
    Some(match step {
        Step::Change(at, new) => Edit::Change(place(at)?, words(new)),
        Step::Add(at, before, new) => Edit::Add(place(at)?.at, u32::from(*before), words(new)),
        Step::Swap(at, other) => Edit::Swap(place(at)?, u32::from(*other)),
        Step::Off(at) => Edit::Off(place(at)?),
        Step::On(set, at) => Edit::On(u32::from(*set % 3), u32::from(*at)),
        Step::Delete(at) => Edit::Delete(place(at)?),
        Step::Policy(at, drop) => Edit::Policy(
            place(at)?.at,
            if *drop { Policy::Drop } else { Policy::Accept },
        ),
        Step::Stale(ruleset, table, chain, rule) => {
            let at = ChainPlace {
                ruleset: u32::from(*ruleset % 4),
                table: u32::from(*table % 6),
                chain: u32::from(*chain),
            };
            let place = Place {
                at,
                rule: Some(u32::from(*rule)),
            };
            match rule % 4 {
                0 => Edit::Delete(place),
                1 => Edit::Swap(place, 0),
                2 => Edit::Policy(at, Policy::Drop),
                _ => Edit::Add(at, 0, "-j DROP".into()),
            }
        }
    })
}

fuzz_target!(|session: Session| {
    let start = match session.start {
        Start::Sample(place) => SAMPLES[place as usize % SAMPLES.len()].1.to_owned(),
        Start::Script(place) => {
            let rules = parse(SAMPLES[place as usize % SAMPLES.len()].1).rulesets;
            commands(&[], &rules)
                .expect("the samples have no names that iptables refuses")
                .join("\n")
        }
        Start::Text(text) => text.to_owned(),
    };
    let first = parse(start);
    let mut now = first.clone();
    for step in session.edits.iter().take(12) {
        let Some(wanted) = made(&now, step) else {
            continue;
        };
        match edit(&now, &wanted) {
            Ok(new) => {
                check_places(&new);
                let _ = commands(&now.rulesets, &new.rulesets);
                now = new;
            }
            Err(refused) => assert!(refused.column >= 1 && !refused.message.is_empty()),
        }
    }
    let _ = commands(&first.rulesets, &now.rulesets);
    now.rulesets
        .iter()
        .for_each(|ruleset| _ = print::save(ruleset, true));
});
