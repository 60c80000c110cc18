//! `-j TOS` (xt_DSCP.c, `tos_tg`): rewrites the byte of the IP header that holds DSCP and ECN.

use crate::iptables::extension::kind::ValueForm;
use crate::iptables::extension::tos::VALUE;
use crate::iptables::extension::{Extension, Kind, ListingForm, Opt};
use crate::iptables::table_name::TableName;
use crate::netfilter::effect::Effect;
use crate::netfilter::ruleset::{Ruleset, Value};
use crate::text::diagnostic::Problem;

fn byte(words: &[&str], ruleset: &mut Ruleset) -> Result<u32, Problem> {
    match Kind::Number(0xff).parse(words, ruleset)? {
        Value::Number(number) => Ok(number),
        _ => Ok(0),
    }
}

static AND: ValueForm = ValueForm {
    words: 1,
    read: |words, ruleset| {
        byte(words, ruleset).map(|bits| Value::Masked {
            value: 0,
            mask: bits ^ 0xff,
        })
    },
    write: VALUE.write,
    examples: &["0x12", "255"],
};

static OR: ValueForm = ValueForm {
    words: 1,
    read: |words, ruleset| {
        byte(words, ruleset).map(|bits| Value::Masked {
            value: bits,
            mask: bits,
        })
    },
    write: VALUE.write,
    examples: &["0x12", "0"],
};

static FLIP: ValueForm = ValueForm {
    words: 1,
    read: |words, ruleset| {
        byte(words, ruleset).map(|bits| Value::Masked {
            value: bits,
            mask: 0,
        })
    },
    write: VALUE.write,
    examples: &["0x12", "0xff"],
};

/// `-j TOS`: clears the bits of the mask, then flips the bits of the value.
pub static TOS: Extension = Extension {
    listed: ListingForm::new(
        "TOS",
        &[
            ("set %", "--set-tos %"),
            ("set%", "--set-tos %"),
            ("and %", "--and-tos %"),
            ("or %", "--or-tos %"),
            ("xor %", "--xor-tos %"),
        ],
    ),
    tables: &[TableName::Mangle],
    ..Extension::acting(
        "TOS",
        "sets the byte that holds DSCP and ECN",
        &[
            Opt::new("--set-tos", Kind::Own(&VALUE)),
            Opt::new("--and-tos", Kind::Own(&AND)).stored_as("--set-tos"),
            Opt::new("--or-tos", Kind::Own(&OR)).stored_as("--set-tos"),
            Opt::new("--xor-tos", Kind::Own(&FLIP)).stored_as("--set-tos"),
        ],
        |options| Effect::SetTos(options.masked("--set-tos").unwrap_or_default().into()),
        |options| match options.masked("--set-tos") {
            Some((value, 0xff)) => format!("set its TOS byte to {value:#04x}"),
            Some((value, mask)) if value == mask => {
                format!("set the bits {value:#04x} of its TOS byte")
            }
            Some((value, mask)) => {
                format!("clear the bits {mask:#04x} of its TOS byte and flip the bits {value:#04x}")
            }
            None => "leave its TOS byte as it is".into(),
        },
    )
    .asking()
};
