//! `-m dscp` (xt_dscp.c): the differentiated services code point, six bits of the IP header.

use std::fmt::Write;

use super::kind::{Names, ValueForm};
use super::{Extension, Kind, Opt};
use crate::netfilter::condition::{Field, Phrase, Subject};
use crate::netfilter::ruleset::{Ruleset, Value};
use crate::packet::fields::PacketField;
use crate::text::diagnostic::{Code, Problem};

/// Names of code points, in the order in which iptables tries them (dscp_helper.c of iptables
/// 1.8.9).
pub const CLASSES: Names = &[
    ("CS0", 0x00),
    ("CS1", 0x08),
    ("CS2", 0x10),
    ("CS3", 0x18),
    ("CS4", 0x20),
    ("CS5", 0x28),
    ("CS6", 0x30),
    ("CS7", 0x38),
    ("BE", 0x00),
    ("AF11", 0x0a),
    ("AF12", 0x0c),
    ("AF13", 0x0e),
    ("AF21", 0x12),
    ("AF22", 0x14),
    ("AF23", 0x16),
    ("AF31", 0x1a),
    ("AF32", 0x1c),
    ("AF33", 0x1e),
    ("AF41", 0x22),
    ("AF42", 0x24),
    ("AF43", 0x26),
    ("EF", 0x2e),
];

/// A code point by number, 0 to 63.
pub static NUMBER: ValueForm = ValueForm {
    words: 1,
    read: |words, ruleset| Kind::Number(63).parse(words, ruleset),
    write,
    examples: &["0", "10", "0x2e", "63"],
};

/// A code point by the name of its class, in any case. iptables ignores text after a name.
pub static CLASS: ValueForm = ValueForm {
    words: 1,
    read: read_class,
    write,
    examples: &["EF", "af41", "CS0", "be"],
};

fn read_class(words: &[&str], _: &mut Ruleset) -> Result<Value, Problem> {
    let begins = |name: &str| {
        words[0]
            .get(..name.len())
            .is_some_and(|start| start.eq_ignore_ascii_case(name))
    };
    let class = CLASSES.iter().find(|(name, _)| begins(name));
    class
        .map(|(_, point)| Value::Number(*point))
        .ok_or_else(|| {
            Problem::new(
                Code::InvalidValue,
                format!("invalid DSCP class `{}`", words[0]),
            )
            .hint("write a class such as EF, AF41, CS6 or BE")
        })
}

fn write(value: &Value, _: &Ruleset, out: &mut String) {
    if let Value::Number(point) = value {
        // Writing to a string cannot fail.
        let _ = write!(out, "{point:#04x}");
    }
}

static DSCP_FIELD: Field = Field {
    subject: Subject::Packet(PacketField::Dscp),
    phrase: Phrase::Noun("DSCP"),
    read: |context| context.field(PacketField::Dscp),
};

/// `-m dscp`.
pub static DSCP: Extension = Extension::matching(
    "dscp",
    "the differentiated services code point",
    &[
        Opt::tests("--dscp", Kind::Own(&NUMBER), &DSCP_FIELD).required(),
        Opt::tests("--dscp-class", Kind::Own(&CLASS), &DSCP_FIELD).stored_as("--dscp"),
    ],
)
.listed("DSCP match", &[("!%", "--dscp %")]);
