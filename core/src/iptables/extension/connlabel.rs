//! `-m connlabel` (xt_connlabel.c): one of 128 labels that rules set on a connection.

use super::kind::read::problem;
use super::kind::{ValueForm, quote_always};
use super::{Extension, Kind, ListingForm, Opt};
use crate::netfilter::condition::{Field, Parameters, Phrase, Subject};
use crate::netfilter::conntrack;
use crate::netfilter::ruleset::Value;
use crate::packet::ConnectionState;
use crate::packet::value::FieldValue;

/// The highest label (`XT_CONNLABEL_MAXBIT`).
const HIGHEST: u32 = 127;

/// The number of a label, or its name in `connlabel.conf`, which is not looked up.
static LABEL: ValueForm = ValueForm {
    words: 1,
    read: |words, ruleset| match crate::text::number::parse_u32(words[0]) {
        Some(number) if number <= HIGHEST => Ok(Value::Number(number)),
        None if words[0].starts_with(|c: char| c.is_ascii_alphabetic()) => {
            Ok(Value::Text(ruleset.keep(words[0])))
        }
        _ => Err(problem(
            "label",
            words[0],
            &format!("a number from 0 to {HIGHEST}"),
        )),
    },
    write: |value, ruleset, out| match value {
        Value::Number(number) => out.extend(["\"", &number.to_string(), "\""]),
        Value::Text(name) => quote_always(ruleset.text(*name), out),
        _ => {}
    },
    examples: &["40", "0", "127"],
};

/// With `--set`, a connection without the label gets it, and the rule matches.
static LABELLED: Field = Field {
    subject: Subject::Other,
    phrase: Phrase::Noun("connection's label"),
    read: |context| {
        if !conntrack::has_connection(context.view.state) {
            return FieldValue::Absent("no connection, and so no label");
        }
        let sets = context.parameters == Parameters::ConnectionLabel { sets: true };
        match (context.wanted, context.view.state) {
            (Value::Number(label), Some(ConnectionState::New)) if sets && context.view.tracked => {
                FieldValue::Number(*label)
            }
            _ => FieldValue::Unknown(
                "-m connlabel: it depends on which labels the connection has".into(),
            ),
        }
    },
};

/// `-m connlabel`.
pub static CONNLABEL: Extension = Extension {
    listed: ListingForm::new("connlabel", &[("!%", "--label %")]),
    tracks: true,
    parameters: Some(|options| Parameters::ConnectionLabel {
        sets: options.has("--set"),
    }),
    ..Extension::matching(
        "connlabel",
        "a label of the connection",
        &[
            Opt::tests("--label", Kind::Own(&LABEL), &LABELLED).required(),
            Opt::new("--set", Kind::Flag),
        ],
    )
};
