//! The part of a rule that `iptables -L` does not show. Such a rule has a condition that is
//! unknown. The condition is kept and is always undetermined. iptables has no match with this name,
//! so no tool mistakes a rule that is printed with it for a complete one.

use std::net::IpAddr;

use super::{Extension, Kind, Opt};
use crate::netfilter::condition::{Context, Field, Phrase, Subject};
use crate::netfilter::ruleset::Value;
use crate::packet::value::FieldValue;

/// The name of a loopback address, as listings print it (RFC 6761).
const LOCALHOST: &str = "localhost";

static INTERFACES: Field = Field {
    subject: Subject::Other,
    phrase: Phrase::Sentence(
        "it is of the interfaces that the rule asks for",
        "it is not of them",
    ),
    read: |_| {
        FieldValue::Unknown(
            "the listing, made without -v, does not show which interfaces the rule asks for".into(),
        )
    },
};

static SOURCE: Field = Field {
    subject: Subject::Other,
    phrase: Phrase::Noun("source"),
    read: |context| named(context, context.view.src),
};

static DESTINATION: Field = Field {
    subject: Subject::Other,
    phrase: Phrase::Noun("destination"),
    read: |context| named(context, context.view.dst),
};

/// The input determines only one thing about a name: `localhost` is a loopback address.
fn named(context: &Context, address: IpAddr) -> FieldValue<'static> {
    let name = match context.wanted {
        Value::Text(name) => context.ruleset.text(*name),
        _ => "",
    };
    match name {
        LOCALHOST if !address.is_loopback() => FieldValue::Holds(false, address.to_string()),
        "" => FieldValue::Unknown("the address was taken out of the listing".into()),
        _ => FieldValue::Unknown(format!("the listing names `{name}`, not the address").into()),
    }
}

static WORDS: Field = Field {
    subject: Subject::Other,
    phrase: Phrase::Sentence("it is as these words ask", "it is not as these words ask"),
    read: |context| match context.wanted {
        Value::Text(words) => FieldValue::Unknown(
            format!(
                "`{}` in the listing is not understood",
                context.ruleset.text(*words)
            )
            .into(),
        ),
        _ => FieldValue::Unknown("a part of the listing is not understood".into()),
    },
};

/// A condition that a listing does not show, or shows in words that are not understood.
pub static UNLISTED: Extension = Extension::matching(
    "unlisted",
    "what a listing does not show",
    &[
        Opt::tests("--interfaces", Kind::Flag, &INTERFACES).positive(),
        Opt::tests("--source-name", Kind::Text(1024), &SOURCE),
        Opt::tests("--destination-name", Kind::Text(1024), &DESTINATION),
        Opt::tests("--words", Kind::Text(64 * 1024), &WORDS)
            .positive()
            .repeatable(),
    ],
);
