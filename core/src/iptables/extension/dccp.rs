//! `-m dccp` (xt_dccp.c): ports, types and options of DCCP.

use super::kind::ValueForm;
use super::transport::{DESTINATION_PORT, SOURCE_PORT, TRANSPORT};
use super::{Extension, Kind, ListingForm, Opt};
use crate::netfilter::condition::{Field, Phrase, Subject};
use crate::netfilter::ruleset::{Ruleset, Value};
use crate::packet::Protocol;
use crate::packet::value::FieldValue;
use crate::text::diagnostic::{Code, Problem};

/// The names, by number.
const TYPES: [&str; 11] = [
    "REQUEST", "RESPONSE", "DATA", "ACK", "DATAACK", "CLOSEREQ", "CLOSE", "RESET", "SYNC",
    "SYNCACK", "INVALID",
];

static TYPES_FORM: ValueForm = ValueForm {
    words: 1,
    read: parse_types,
    write,
    examples: &["REQUEST,RESPONSE", "data", "INVALID", "SYNC,SyncAck"],
};

/// Complete names in any case. Empty names are skipped, as `strtok` does.
fn parse_types(words: &[&str], _: &mut Ruleset) -> Result<Value, Problem> {
    let bit = |word: &str| {
        TYPES
            .iter()
            .position(|name| name.eq_ignore_ascii_case(word))
            .map(|place| 1 << place)
    };
    match words[0]
        .split(',')
        .filter(|word| !word.is_empty())
        .map(bit)
        .try_fold(0, |all, bit| Some(all | bit?))
    {
        Some(bits) => Ok(Value::Bits(bits)),
        None => Err(Problem::new(
            Code::InvalidValue,
            format!("invalid list of DCCP types `{}`", words[0]),
        )
        .hint(format!(
            "use one or more of {}, separated by commas",
            TYPES.join(",")
        ))),
    }
}

fn write(value: &Value, _: &Ruleset, out: &mut String) {
    let Value::Bits(bits) = value else { return };
    let names: Vec<&str> = (0..)
        .zip(TYPES)
        .filter(|(place, _)| bits & 1 << place != 0)
        .map(|(_, name)| name)
        .collect();
    out.push_str(&names.join(","));
}

static TYPE: Field = Field {
    subject: Subject::Other,
    phrase: Phrase::Noun("type of DCCP packet"),
    read: |_| FieldValue::Unknown("the packet does not state its type of DCCP".into()),
};

static OPTION: Field = Field {
    subject: Subject::Other,
    phrase: Phrase::Noun("list of DCCP options"),
    read: |_| FieldValue::Unknown("the packet does not state its options of DCCP".into()),
};

/// `iptables -L -n` prints types as numbers.
fn types(flag: &str, value: &str) -> Option<String> {
    let words = value.split(',');
    match flag {
        // All numbers from ten on mean the same type.
        "--dccp-types" => {
            let names = words.map(|word| {
                word.parse()
                    .map_or(word, |number: usize| TYPES[number.min(TYPES.len() - 1)])
            });
            Some(names.collect::<Vec<_>>().join(","))
        }
        _ => Some(value.to_owned()),
    }
}

/// `-m dccp`.
pub static DCCP: Extension = Extension {
    listed: ListingForm::new(
        "dccp",
        &[
            ("spt:!%", "--sport %"),
            ("spts:!%", "--sport %"),
            ("dpt:!%", "--dport %"),
            ("dpts:!%", "--dport %"),
            ("option=!%", "--dccp-option %"),
            ("?!%", "--dccp-types %"),
        ],
    )
    .values(types),
    implied_by: Some(Protocol::DCCP),
    protocols: &[Protocol::DCCP],
    asks_first: Some(&TRANSPORT),
    ..Extension::matching(
        "dccp",
        "ports, types and options of DCCP",
        &[
            Opt::tests("--sport", Kind::AnyPort, &SOURCE_PORT).or(&["--source-port"]),
            Opt::tests("--dport", Kind::AnyPort, &DESTINATION_PORT).or(&["--destination-port"]),
            Opt::tests("--dccp-types", Kind::Own(&TYPES_FORM), &TYPE),
            Opt::tests("--dccp-option", Kind::Between(1, 255), &OPTION),
        ],
    )
};
