//! `-j CT` and `-j NOTRACK` (xt_CT.c): how connection tracking treats the packet. Allowed in table
//! raw only.

use std::fmt::Write;

use crate::iptables::extension::kind::read::problem;
use crate::iptables::extension::kind::{Names, ValueForm};
use crate::iptables::extension::{Extension, Given, Kind, ListingForm, Opt, Options};
use crate::iptables::table_name::TableName;
use crate::netfilter::effect::{ConnectionZone, Effect};
use crate::netfilter::ruleset::{Ruleset, Value};
use crate::text::diagnostic::{Code, Problem};

/// The events that connection tracking can report, by the numbers of `ip_conntrack_events`.
const ALL_EVENTS: Names = &[
    ("new", 1),
    ("related", 1 << 1),
    ("destroy", 1 << 2),
    ("reply", 1 << 3),
    ("assured", 1 << 4),
    ("protoinfo", 1 << 5),
    ("helper", 1 << 6),
    ("mark", 1 << 7),
    ("natseqinfo", 1 << 8),
    ("secmark", 1 << 9),
];

fn events(names: Names, list: &str) -> Result<Value, Problem> {
    let one = |word: &str| {
        names
            .iter()
            .find(|(name, _)| *name == word)
            .map(|(_, bit)| *bit)
    };
    match list.split(',').map(one).collect::<Option<Vec<u32>>>() {
        Some(bits) => Ok(Value::Bits(bits.into_iter().fold(0, |all, bit| all | bit))),
        None => Err(problem("list of events", list, "new,destroy")),
    }
}

fn write_events(value: &Value, _: &Ruleset, out: &mut String) {
    let Value::Bits(bits) = value else { return };
    let names: Vec<&str> = ALL_EVENTS
        .iter()
        .filter(|(_, bit)| bits & bit != 0)
        .map(|(name, _)| *name)
        .collect();
    out.push_str(&names.join(","));
}

static EVENTS: ValueForm = ValueForm {
    words: 1,
    read: |words, _| events(ALL_EVENTS, words[0]),
    write: write_events,
    examples: &["new", "new,destroy,mark", "secmark,natseqinfo"],
};

static EXPECTED: ValueForm = ValueForm {
    words: 1,
    read: |words, _| events(&[("new", 1)], words[0]),
    write: write_events,
    examples: &["new"],
};

/// The number of a zone, or the packet's mark.
static ZONE: ValueForm = ValueForm {
    words: 1,
    read: |words, ruleset| match words[0].eq_ignore_ascii_case("mark") {
        true => Ok(Value::None),
        false => Kind::Number(65535).parse(words, ruleset),
    },
    write: |value, _, out| {
        // Writing to a string cannot fail.
        let _ = match value {
            Value::Number(zone) => write!(out, "{zone}"),
            _ => write!(out, "mark"),
        };
    },
    examples: &["1", "mark", "0xffff"],
};

/// Zone 0 is not printed. Zones for single directions are printed as a zone for both (measured).
fn print(options: &Options, out: &mut String) {
    let mut say = |flag: &str, value: Option<String>| {
        if let Some(value) = value {
            out.push(' ');
            out.push_str(flag);
            out.push_str(if value.is_empty() { "" } else { " " });
            out.push_str(&value);
        }
    };
    for flag in [
        "--notrack",
        "--helper",
        "--timeout",
        "--ctevents",
        "--expevents",
    ] {
        say(flag, options.printed(flag));
    }
    let zone = |flag| options.printed(flag).filter(|zone| zone != "0");
    let (original, reply) = (zone("--zone-orig"), zone("--zone-reply"));
    match (zone("--zone"), original, reply) {
        (Some(zone), ..) | (None, Some(zone), Some(_)) => say("--zone", Some(zone)),
        (None, original, reply) => {
            say("--zone-orig", original);
            say("--zone-reply", reply);
        }
    }
}

/// `xt_ct_tg_check`: a helper and a timeout belong to one protocol.
fn check(given: &Given) -> Result<(), Problem> {
    let flag = ["--helper", "--timeout"]
        .iter()
        .find(|flag| given.options.has(flag));
    match flag {
        Some(flag) if given.protocol.is_none() && !given.options.has("--notrack") => Err(
            Problem::new(Code::MissingProtocol, format!("{flag} needs -p"))
                .hint("add it: the kernel requires it"),
        ),
        _ => Ok(()),
    }
}

fn lower(options: &Options) -> Effect {
    let flags = ["--zone", "--zone-orig", "--zone-reply"];
    let flag = flags.into_iter().find(|flag| options.has(flag));
    let zone = flag.map_or(ConnectionZone::Number(0), |flag| {
        match options.number(flag) {
            Some(number) => ConnectionZone::Number(u16::try_from(number).unwrap_or(0)),
            None => ConnectionZone::Mark,
        }
    });
    Effect::Track {
        tracked: !options.has("--notrack"),
        zone: Some(zone),
    }
}

/// `-j CT`. A packet that has a connection or a template, or that is not tracked, stays as it is.
pub static CT: Extension = Extension {
    listed: ListingForm::new("CT", &[("NOTRACK", "--notrack"), ("notrack", "--notrack")]),
    tables: &[TableName::Raw],
    check,
    print: Some(print),
    ..Extension::acting(
        "CT",
        "sets how connection tracking treats the packet",
        &[
            Opt::new("--notrack", Kind::Flag),
            Opt::new("--helper", Kind::Word(15)),
            Opt::new("--timeout", Kind::Word(31)),
            Opt::new("--ctevents", Kind::Own(&EVENTS)),
            Opt::new("--expevents", Kind::Own(&EXPECTED)),
            Opt::new("--zone", Kind::Own(&ZONE)),
            Opt::new("--zone-orig", Kind::Own(&ZONE)),
            Opt::new("--zone-reply", Kind::Own(&ZONE)),
        ],
        lower,
        |options| match (
            options.has("--notrack"),
            options.printed("--zone"),
            options.text("--helper"),
        ) {
            (true, ..) => "keep connection tracking away from it".into(),
            (_, Some(zone), _) if zone == "mark" => {
                "track its connection in the zone of its mark".into()
            }
            (_, Some(zone), _) => format!("track its connection in zone {zone}"),
            (_, _, Some(helper)) => format!("track its connection with the helper {helper}"),
            _ => "set options of its connection tracking".into(),
        },
    )
};

/// `-j NOTRACK`. The kernel treats it as `-j CT --notrack`, and iptables stores which of the two
/// was written.
pub static NOTRACK: Extension = Extension {
    tables: &[TableName::Raw],
    ..Extension::acting(
        "NOTRACK",
        "excludes the packet from connection tracking",
        &[],
        |_| Effect::Track {
            tracked: false,
            zone: None,
        },
        |_| "keep connection tracking away from it".into(),
    )
};
