//! `-j SET` (xt_set.c): adds the packet's addresses to a set of ipset, deletes them, or maps them.
//! A dump does not contain the elements of a set, so a match on the set is undetermined in any
//! case.

use crate::iptables::extension::kind::ValueForm;
use crate::iptables::extension::set::write_set;
use crate::iptables::extension::{Extension, Given, Kind, Opt, Options};
use crate::iptables::table_name::TableName;
use crate::netfilter::effect::Effect;
use crate::netfilter::ruleset::{Ruleset, Value};
use crate::packet::hook::Hook;
use crate::text::diagnostic::{Code, Problem};

/// The name of a set, and the ends of the packet to look up: two words.
static NAMED: ValueForm = ValueForm {
    words: 2,
    read: parse_dimensions,
    write: |value, ruleset, out| {
        if let Value::Text(text) = value {
            write_set(ruleset.text(*text), out);
        }
    },
    examples: &["blocked src", "pairs src,dst"],
};

fn parse_dimensions(words: &[&str], ruleset: &mut Ruleset) -> Result<Value, Problem> {
    // IPSET_MAXNAMELEN is 32 and includes the terminating byte.
    if words[0].is_empty() || words[0].len() > 31 {
        return Err(Problem::new(
            Code::InvalidValue,
            format!("invalid set name `{}`", words[0]),
        )
        .hint("use 1 to 31 characters"));
    }
    let ends: Vec<&str> = words[1].split(',').collect();
    if ends.len() > 6
        || !ends
            .iter()
            .all(|end| end.starts_with("src") || end.starts_with("dst"))
    {
        return Err(
            Problem::new(Code::InvalidValue, format!("invalid end `{}`", words[1]))
                .hint("write `src`, `dst` or a list such as `src,dst`"),
        );
    }
    let ends: Vec<&str> = ends.iter().map(|end| &end[..3]).collect();
    Ok(Value::Text(ruleset.keep(&format!(
        "{} {}",
        words[0],
        ends.join(",")
    ))))
}

const ADD: &str = "--add-set";
const MAP: &str = "--map-set";

fn lower(options: &Options) -> Effect {
    let changes = options.has(ADD) || options.has("--del-set");
    match (options.has("--map-mark"), options.has(MAP)) {
        (true, _) => Effect::SetUnknownMark {
            source: "the mark that SET finds in a set",
        },
        // No match of iptables reads the priority or the queue of a packet.
        (false, true) if !changes => Effect::Passive,
        _ => Effect::UpdateSet,
    }
}

fn check(given: &Given) -> Result<(), Problem> {
    let maps = ["--map-mark", "--map-prio", "--map-queue"]
        .iter()
        .any(|flag| given.options.has(flag));
    match given.options.has(MAP) {
        true if !maps => Err(Problem::new(
            Code::MissingOption,
            "--map-set needs --map-mark, --map-prio or --map-queue beside it",
        )),
        true if given.table != TableName::Mangle => Err(Problem::new(
            Code::WrongTable,
            "--map-set is valid only in table mangle",
        )),
        _ if [ADD, "--del-set", MAP]
            .iter()
            .any(|flag| given.options.has(flag)) =>
        {
            Ok(())
        }
        _ => Err(Problem::new(
            Code::MissingOption,
            "-j SET needs --add-set, --del-set or --map-set",
        )),
    }
}

/// `-j SET`.
pub static SET: Extension = Extension {
    hooks_for: Some(|options| match options.has("--map-prio") {
        true => &[Hook::Forward, Hook::Output, Hook::Postrouting],
        false => &[],
    }),
    check,
    ..Extension::acting(
        "SET",
        "changes a set of addresses",
        &[
            Opt::new(ADD, Kind::Own(&NAMED)),
            Opt::new("--exist", Kind::Flag).needs(&[ADD]),
            Opt::new("--timeout", Kind::Number(u32::MAX)).needs(&[ADD]),
            Opt::new("--del-set", Kind::Own(&NAMED)),
            Opt::new(MAP, Kind::Own(&NAMED)),
            Opt::new("--map-mark", Kind::Flag).needs(&[MAP]),
            Opt::new("--map-prio", Kind::Flag).needs(&[MAP]),
            Opt::new("--map-queue", Kind::Flag).needs(&[MAP]),
        ],
        lower,
        |options| {
            let does = [
                (ADD, "add it to"),
                ("--del-set", "take it out of"),
                (MAP, "give it what it has in"),
            ];
            let does = does.iter().filter_map(|(flag, does)| {
                let (set, _) = options.text(flag)?.rsplit_once(' ')?;
                Some(format!("{does} the set {set}"))
            });
            does.collect::<Vec<_>>().join(" and ")
        },
    )
};
