//! `-m tos` (xt_dscp.c, `tos_mt`): the byte of the IP header that holds DSCP and ECN.

use std::fmt::Write;

use nom::character::complete::char;
use nom::combinator::opt;
use nom::sequence::preceded;

use super::kind::read::{number_u32, problem, whole};
use super::kind::{Names, ValueForm};
use super::{Extension, Kind, Opt};
use crate::netfilter::condition::{Field, Phrase, Subject};
use crate::netfilter::ruleset::{Ruleset, Value};
use crate::packet::value::FieldValue;
use crate::text::diagnostic::Problem;

/// Names of values. Each has the mask 0x3f (`xtopt_parse_tosmask` in xtoptions.c of iptables
/// 1.8.9).
pub const NAMES: Names = &[
    ("Minimize-Delay", 0x10),
    ("Maximize-Throughput", 0x08),
    ("Maximize-Reliability", 0x04),
    ("Minimize-Cost", 0x02),
    ("Normal-Service", 0x00),
];

/// A value with a mask: `0x10/0x3f`, `16`, or a name. A single number has the mask 0xff.
pub static VALUE: ValueForm = ValueForm {
    words: 1,
    read: parse_tos,
    write,
    examples: &[
        "0x10/0x3f",
        "16",
        "Minimize-Cost",
        "normal-service",
        "0/0xff",
    ],
};

fn parse_tos(words: &[&str], _: &mut Ruleset) -> Result<Value, Problem> {
    if let Some((_, value)) = NAMES
        .iter()
        .find(|(name, _)| name.eq_ignore_ascii_case(words[0]))
    {
        return Ok(Value::Masked {
            value: *value,
            mask: 0x3f,
        });
    }
    let byte = |number: &u32| *number <= 0xff;
    match whole((number_u32, opt(preceded(char('/'), number_u32))), words[0]) {
        Some((value, mask)) if byte(&value) && mask.as_ref().is_none_or(byte) => {
            Ok(Value::Masked {
                value,
                mask: mask.unwrap_or(0xff),
            })
        }
        _ => Err(problem(
            "TOS value",
            words[0],
            "0x10, 0x10/0x3f or Minimize-Delay",
        )),
    }
}

fn write(value: &Value, _: &Ruleset, out: &mut String) {
    // Writing to a string cannot fail.
    let _ = match value {
        Value::Masked { value, mask } => write!(out, "{value:#04x}/{mask:#04x}"),
        Value::Number(number) => write!(out, "{number:#04x}"),
        _ => Ok(()),
    };
}

static BYTE: Field = Field {
    subject: Subject::Other,
    phrase: Phrase::Noun("TOS byte"),
    read: |context| {
        FieldValue::Number(u32::from(context.view.dscp) << 2 | u32::from(context.view.ecn))
    },
};

/// `-m tos`.
pub static TOS: Extension = Extension::matching(
    "tos",
    "the byte that holds DSCP and ECN",
    &[Opt::tests("--tos", Kind::Own(&VALUE), &BYTE).required()],
)
.listed("", &[("tos match!%", "--tos %")]);
