//! `-j TCPOPTSTRIP` (xt_TCPOPTSTRIP.c): overwrites options of a TCP header with no-operations.

use std::fmt::Write;

use crate::iptables::extension::kind::read::problem;
use crate::iptables::extension::kind::{Names, ValueForm};
use crate::iptables::extension::{Extension, Kind, ListingForm, Opt};
use crate::iptables::table_name::TableName;
use crate::netfilter::effect::Effect;
use crate::netfilter::ruleset::{CompactBox, Ruleset, Value};
use crate::packet::Protocol;
use crate::text::diagnostic::{Code, Problem};
use crate::text::number;

const NAMES: Names = &[
    ("wscale", 3),
    ("mss", 2),
    ("sack-permitted", 4),
    ("sack", 5),
    ("timestamp", 8),
    ("md5", 19),
];

static LIST: ValueForm = ValueForm {
    words: 1,
    read: parse_options,
    write,
    examples: &["mss", "2,3", "timestamp,5", "255"],
};

/// Numbers, sorted and without duplicates.
fn parse_options(words: &[&str], _: &mut Ruleset) -> Result<Value, Problem> {
    let mut list = Vec::new();
    for word in words[0].split(',') {
        let named = NAMES
            .iter()
            .find(|(name, _)| *name == word)
            .map(|(_, number)| *number);
        let option = named
            .or_else(|| number::parse_u32(word))
            .filter(|number| (2..=255).contains(number));
        let Some(option) = option else {
            return Err(problem(
                "TCP option",
                word,
                "mss, timestamp, or a number from 2 to 255",
            ));
        };
        if list.contains(&(option, option)) {
            return Err(Problem::new(
                Code::DuplicateOption,
                format!("`{word}` occurs twice in this list"),
            ));
        }
        list.push((option, option));
    }
    list.sort();
    Ok(Value::List(CompactBox::new(list)))
}

fn write(value: &Value, _: &Ruleset, out: &mut String) {
    let Value::List(list) = value else { return };
    for (place, (option, _)) in list.iter().enumerate() {
        // Writing to a string cannot fail.
        let _ = write!(out, "{}{option}", if place == 0 { "" } else { "," });
    }
}

/// `-j TCPOPTSTRIP`.
pub static TCPOPTSTRIP: Extension = Extension {
    listed: ListingForm::new("TCPOPTSTRIP", &[("options %", "--strip-options %")]),
    tables: &[TableName::Mangle],
    protocols: &[Protocol::TCP],
    ..Extension::acting(
        "TCPOPTSTRIP",
        "removes options of a TCP header",
        &[Opt::new("--strip-options", Kind::Own(&LIST))],
        |options| match options.value("--strip-options") {
            // Each range contains one option.
            Some(Value::List(list)) => Effect::StripTcpOptions(
                list.iter()
                    .filter_map(|(option, _)| u8::try_from(*option).ok())
                    .collect(),
            ),
            _ => Effect::StripTcpOptions(Vec::new()),
        },
        |options| match options.printed("--strip-options") {
            Some(list) => format!("take the options {list} out of its TCP header"),
            None => "leave its TCP options as they are".into(),
        },
    )
};
