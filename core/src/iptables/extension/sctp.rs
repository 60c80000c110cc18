//! `-m sctp` (xt_sctp.c): ports and chunks of SCTP.

use super::kind::ValueForm;
use super::transport::{DESTINATION_PORT, SOURCE_PORT, TRANSPORT, headless};
use super::{Extension, Kind, ListingForm, Opt};
use crate::netfilter::condition::{Context, Field, Phrase, Subject};
use crate::netfilter::ruleset::{CompactBox, Ruleset, Value};
use crate::packet::Protocol;
use crate::packet::fields::PacketField;
use crate::packet::value::FieldValue;
use crate::text::diagnostic::{Code, Problem};
use crate::text::names::{SCTP_CHUNKS, sctp_chunk};

/// The ways to compare the chunks of a packet with those of a rule, by position.
const WAYS: [&str; 3] = ["any", "all", "only"];
const ANY: u32 = 0;
const ALL_OF: u32 = 1;

/// The number that means all chunks. No chunk has this number.
const EVERY: u32 = 256;

/// A list. Its first entry is the way to compare. Each other entry is a chunk with its flags: mask
/// times 256 plus value.
static CHUNKS: ValueForm = ValueForm {
    words: 2,
    read: parse_chunks,
    write,
    examples: &[
        "all INIT,SACK",
        "any DATA:Be",
        "only ASCONF",
        "ANY all",
        "only none",
    ],
};

fn parse_chunks(words: &[&str], _: &mut Ruleset) -> Result<Value, Problem> {
    let way = WAYS
        .iter()
        .position(|way| way.eq_ignore_ascii_case(words[0]));
    let way = way.ok_or_else(|| {
        Problem::new(Code::InvalidValue, format!("unknown value `{}`", words[0]))
            .hint("use all, any or only")
    })?;
    let mut list = vec![(u32::try_from(way).unwrap_or(ANY), 0)];
    match words[1].to_ascii_uppercase().as_str() {
        "ALL" => list.push((EVERY, 0)),
        "NONE" => {}
        _ => {
            let chunks = words[1].split(',').filter(|word| !word.is_empty());
            for chunk in chunks {
                add(&mut list, read_chunk(chunk)?);
            }
            let mut chunks = list.split_off(1);
            chunks.sort_by_key(|(kind, _)| *kind);
            list.append(&mut chunks);
        }
    }
    Ok(Value::List(CompactBox::new(list)))
}

/// Adds a chunk. A chunk that is named twice is stored once, with the flags of both.
fn add(list: &mut Vec<(u32, u32)>, (kind, flags): (u32, u32)) {
    match list[1..].iter_mut().find(|(known, _)| *known == kind) {
        Some((_, known)) => *known |= flags,
        None => list.push((kind, flags)),
    }
}

/// Parses `DATA` or `DATA:Be`: an upper-case letter requires the flag to be set, a lower-case
/// letter requires it to be clear. iptables loses the flags of chunks from 15 on, because it stores
/// them under the wrong number (measured).
fn read_chunk(text: &str) -> Result<(u32, u32), Problem> {
    let (name, flags) = text.split_once(':').unwrap_or((text, ""));
    let Some((_, kind, valid)) = sctp_chunk(name) else {
        return Err(
            Problem::new(Code::InvalidValue, format!("invalid SCTP chunk `{name}`"))
                .hint("such as DATA, INIT, SACK or ABORT"),
        );
    };
    let mut all = 0;
    for letter in flags.chars() {
        let bit = valid
            .chars()
            .rev()
            .position(|known| known == letter.to_ascii_uppercase());
        let Some(bit) = bit else {
            return Err(
                Problem::new(Code::InvalidValue, format!("{name} has no flag `{letter}`")).hint(
                    match *valid {
                        "" => "it has none".into(),
                        _ => format!("use the flags {valid}"),
                    },
                ),
            );
        };
        all |= 1 << (bit + 8) | u32::from(letter.is_ascii_uppercase()) << bit;
    }
    Ok((u32::from(*kind), if *kind < 15 { all } else { 0 }))
}

fn write(value: &Value, _: &Ruleset, out: &mut String) {
    let Value::List(list) = value else { return };
    let Some(((way, _), chunks)) = list.split_first() else {
        return;
    };
    out.push_str(WAYS.get(*way as usize).copied().unwrap_or_default());
    out.push(' ');
    if chunks.is_empty() {
        out.push_str("NONE");
    }
    for (place, (kind, flags)) in chunks.iter().enumerate() {
        out.push_str(if place == 0 { "" } else { "," });
        let chunk = SCTP_CHUNKS
            .iter()
            .find(|(_, known, _)| u32::from(*known) == *kind);
        out.push_str(chunk.map_or("ALL", |(name, ..)| name));
        let letters = chunk.map_or("", |(_, _, letters)| letters);
        out.push_str(if *flags == 0 { "" } else { ":" });
        for (bit, letter) in (0..letters.len()).rev().zip(letters.chars()) {
            if flags & 1 << (bit + 8) != 0 {
                out.push(if flags & 1 << bit != 0 {
                    letter
                } else {
                    letter.to_ascii_lowercase()
                });
            }
        }
    }
}

/// `match_packet`: compares the packet's chunks. A packet does not state the flags of its chunks.
fn compare(context: &Context) -> FieldValue<'static> {
    let Some(stated) = &context.packet.sctp_chunks else {
        return FieldValue::Unknown("the packet does not state its chunks of SCTP".into());
    };
    let have: Vec<u32> = stated
        .iter()
        .filter_map(|name| sctp_chunk(name))
        .map(|(_, kind, _)| u32::from(*kind))
        .collect();
    let Value::List(list) = context.wanted else {
        return FieldValue::Unknown("it asks for no chunks".into());
    };
    if have.is_empty() {
        return FieldValue::Drops("it has no chunk, and -m sctp drops such a packet");
    }
    let (way, wanted) = (list[0].0, &list[1..]);
    let every = wanted.iter().any(|(kind, _)| *kind == EVERY);
    let flags = wanted
        .iter()
        .any(|(kind, flags)| *flags != 0 && have.contains(kind));
    let wants = |kind: &u32| every || wanted.iter().any(|(known, _)| known == kind);
    let holds = match way {
        ANY if flags
            && !wanted
                .iter()
                .any(|(kind, flags)| *flags == 0 && have.contains(kind)) =>
        {
            return flags_unstated();
        }
        ANY => have.iter().any(wants),
        // No packet has room for all 256 chunks.
        ALL_OF => {
            let all = !every && wanted.iter().all(|(kind, _)| have.contains(kind));
            if all && flags {
                return flags_unstated();
            }
            all
        }
        // Flags have no effect: a chunk with other flags is skipped.
        _ => have.iter().all(wants),
    };
    FieldValue::Holds(holds, stated.join(","))
}

fn flags_unstated() -> FieldValue<'static> {
    FieldValue::Unknown("the packet does not state the flags of its chunks".into())
}

static CHUNK_TYPES: Field = Field {
    subject: Subject::Packet(PacketField::SctpChunks),
    phrase: Phrase::Noun("list of SCTP chunks"),
    read: |context| headless(context).unwrap_or_else(|| compare(context)),
};

/// `iptables -L -n` prints chunks as numbers.
fn chunk_names(flag: &str, value: &str) -> Option<String> {
    let name = |chunk: &str| {
        let (number, flags) = chunk.split_at(chunk.find(':').unwrap_or(chunk.len()));
        let number = number
            .strip_prefix("0x")
            .and_then(|number| u8::from_str_radix(number, 16).ok());
        let known = SCTP_CHUNKS
            .iter()
            .find(|(_, known, _)| Some(*known) == number);
        known.map_or_else(|| chunk.to_owned(), |(name, ..)| format!("{name}{flags}"))
    };
    match flag {
        "--chunk-types" => Some(value.split(',').map(name).collect::<Vec<_>>().join(",")),
        _ => Some(value.to_owned()),
    }
}

/// `-m sctp`.
pub static SCTP: Extension = Extension {
    listed: ListingForm::new(
        "sctp",
        &[
            ("spt:!%", "--sport %"),
            ("spts:!%", "--sport %"),
            ("dpt:!%", "--dport %"),
            ("dpts:!%", "--dport %"),
            ("!any %", "--chunk-types any %"),
            ("!all %", "--chunk-types all %"),
            ("!only %", "--chunk-types only %"),
        ],
    )
    .values(chunk_names),
    implied_by: Some(Protocol::SCTP),
    protocols: &[Protocol::SCTP],
    asks_first: Some(&TRANSPORT),
    ..Extension::matching(
        "sctp",
        "ports and chunks of SCTP",
        &[
            Opt::tests("--sport", Kind::Port, &SOURCE_PORT).or(&["--source-port"]),
            Opt::tests("--dport", Kind::Port, &DESTINATION_PORT).or(&["--destination-port"]),
            Opt::tests("--chunk-types", Kind::Own(&CHUNKS), &CHUNK_TYPES),
        ],
    )
};
