//! `-j AUDIT` (xt_AUDIT.c): writes an audit record. The packet continues.

use crate::iptables::extension::kind::read::problem;
use crate::iptables::extension::kind::{Names, ValueForm};
use crate::iptables::extension::{Extension, Kind, Opt};
use crate::netfilter::ruleset::Value;

static AUDIT_TYPE: ValueForm = ValueForm {
    words: 1,
    read: |words, _| match AUDITED
        .iter()
        .find(|(name, _)| name.eq_ignore_ascii_case(words[0]))
    {
        Some((_, number)) => Ok(Value::Number(*number)),
        None => Err(problem(
            "kind of record",
            words[0],
            "accept, drop or reject",
        )),
    },
    write: |value, _, out| {
        let named = AUDITED
            .iter()
            .find(|(_, number)| *value == Value::Number(*number));
        out.push_str(named.map_or("", |(name, _)| name));
    },
    examples: &["accept", "drop", "REJECT"],
};

const AUDITED: Names = &[("accept", 0), ("drop", 1), ("reject", 2)];

/// `-j AUDIT`.
pub static AUDIT: Extension = Extension::observing(
    "AUDIT",
    "writes an audit record",
    &[Opt::new("--type", Kind::Own(&AUDIT_TYPE)).required()],
    |options| {
        format!(
            "write an audit record of kind {} and go on",
            options.printed("--type").unwrap_or_default()
        )
    },
)
.listed("AUDIT", &[("%", "--type %")]);
