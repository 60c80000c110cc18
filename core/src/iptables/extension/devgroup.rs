//! `-m devgroup` (xt_devgroup.c): the groups of the interfaces that a packet arrives on and leaves
//! through.

use std::fmt::Write;

use nom::character::complete::char;
use nom::combinator::opt;
use nom::sequence::preceded;

use super::kind::ValueForm;
use super::kind::read::{number_u32, problem, whole};
use super::{Extension, Kind, Opt, Options};
use crate::netfilter::condition::{Context, Field, Phrase, Subject};
use crate::netfilter::ruleset::Value;
use crate::packet::hook::Hook;
use crate::packet::value::FieldValue;
use crate::text::diagnostic::Problem;

/// The only group that Debian's iproute2 names, in `/etc/iproute2/group`.
const DEFAULT: &str = "default";

static GROUP: ValueForm = ValueForm {
    words: 1,
    read: |words, _| named_or_masked(words[0], DEFAULT),
    write: |value, _, out| write_named(value, DEFAULT, out),
    examples: &["0", "0x10/0xf0", "default", "7"],
};

/// Parses `0x10`, `0x10/0xf0`, or the name of 0 (`xtables_parse_val_mask` in xtables.c).
pub(super) fn named_or_masked(text: &str, zero: &str) -> Result<Value, Problem> {
    if text == zero {
        return Ok(Value::Masked {
            value: 0,
            mask: u32::MAX,
        });
    }
    match whole((number_u32, opt(preceded(char('/'), number_u32))), text) {
        Some((value, mask)) => Ok(Value::Masked {
            value,
            mask: mask.unwrap_or(u32::MAX),
        }),
        None => Err(problem(
            "number with a mask",
            text,
            "0x10 or 0x10/0xf0; other names are not looked up",
        )),
    }
}

/// Prints it as `iptables-save` does on a machine without other names.
pub(super) fn write_named(value: &Value, zero: &str, out: &mut String) {
    // Writing to a string cannot fail.
    let _ = match *value {
        Value::Masked {
            value: 0,
            mask: u32::MAX,
        } => write!(out, "{zero}"),
        Value::Masked {
            value,
            mask: u32::MAX,
        } => write!(out, "{value:#x}"),
        Value::Masked { value, mask } => write!(out, "{value:#x}/{mask:#x}"),
        _ => Ok(()),
    };
}

/// The kernel compares only under the mask, even if the value has bits outside of the mask.
fn group(context: &Context, interface: Option<&str>) -> FieldValue<'static> {
    let Some(name) = interface else {
        return FieldValue::Absent("no interface");
    };
    let Some(found) = context
        .host
        .interfaces
        .iter()
        .find(|interface| interface.name == name)
    else {
        return FieldValue::Unknown(format!("the group of {name} is not known").into());
    };
    let group = found.group.unwrap_or(0);
    match context.wanted {
        Value::Masked { value, mask } => {
            FieldValue::Holds((group ^ value) & mask == 0, format!("{group:#x} of {name}"))
        }
        _ => FieldValue::Number(group),
    }
}

static IN_GROUP: Field = Field {
    subject: Subject::Other,
    phrase: Phrase::Noun("incoming interface's group"),
    read: |context| group(context, context.view.in_interface.as_deref()),
};

static OUT_GROUP: Field = Field {
    subject: Subject::Other,
    phrase: Phrase::Noun("outgoing interface's group"),
    read: |context| group(context, context.view.out_interface.as_deref()),
};

/// The hooks at which the kernel accepts it (`devgroup_mt_checkentry`).
fn hooks(options: &Options) -> &'static [Hook] {
    match (options.has("--src-group"), options.has("--dst-group")) {
        (true, true) => &[Hook::Forward],
        (true, false) => &[Hook::Prerouting, Hook::Input, Hook::Forward],
        (false, true) => &[Hook::Forward, Hook::Output, Hook::Postrouting],
        (false, false) => &[],
    }
}

/// `-m devgroup`.
pub static DEVGROUP: Extension = Extension {
    hooks_for: Some(hooks),
    ..Extension::matching(
        "devgroup",
        "the groups of interfaces",
        &[
            Opt::tests("--src-group", Kind::Own(&GROUP), &IN_GROUP),
            Opt::tests("--dst-group", Kind::Own(&GROUP), &OUT_GROUP),
        ],
    )
    .asking()
};
