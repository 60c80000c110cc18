//! The fields that expressions read: `ip saddr`, `meta mark`, `fib daddr type`.

use std::collections::HashMap;
use std::fmt::Write;
use std::sync::LazyLock;

use super::cursor::Cursor;
use super::data_type::{self, DataType};

pub mod fib;
pub mod hash;
pub mod numgen;
pub mod raw_payload;
pub mod tcp_option;

mod arp;
mod ct;
mod ether;
mod icmp;
mod icmpv6;
mod ip;
mod ip6;
mod meta;
mod other_protocols;
mod rt;
mod sctp;
mod socket;
mod tcp;
mod th;
mod udp;

/// A field whose name has no parameters.
#[derive(Debug)]
pub struct NamedField {
    /// The words of its name: `ip`, `saddr`.
    pub words: &'static [&'static str],
    /// The type of its values.
    pub data: &'static DataType,
    /// Whether nft prints the name without its first word: `iifname` for `meta iifname`.
    pub is_short: bool,
}

impl PartialEq for NamedField {
    fn eq(&self, other: &Self) -> bool {
        self.words == other.words
    }
}

impl Eq for NamedField {}

/// A row of a table of fields.
const fn field(words: &'static [&'static str], data: &'static DataType) -> NamedField {
    NamedField {
        words,
        data,
        is_short: false,
    }
}

/// All fields without parameters, by file.
static FIELDS: [&[NamedField]; 16] = [
    meta::FIELDS,
    ct::FIELDS,
    ip::FIELDS,
    ip6::FIELDS,
    tcp::FIELDS,
    udp::FIELDS,
    th::FIELDS,
    icmp::FIELDS,
    icmpv6::FIELDS,
    ether::FIELDS,
    arp::FIELDS,
    rt::FIELDS,
    sctp::FIELDS,
    socket::FIELDS,
    other_protocols::FIELDS,
    other_protocols::EXTENSION_HEADERS,
];

/// A way to write a field.
struct Spelling {
    words: &'static [&'static str],
    field: &'static NamedField,
}

/// The spellings of all fields by their first words. A rule set has hundreds of thousands of fields.
static BY_FIRST_WORD: LazyLock<HashMap<&str, Vec<Spelling>>> = LazyLock::new(|| {
    let mut found: HashMap<&str, Vec<Spelling>> = HashMap::new();
    for field in FIELDS.into_iter().flatten() {
        let without_meta = (field.words[0] == "meta").then_some(&field.words[1..]);
        for words in [Some(field.words), without_meta].into_iter().flatten() {
            let spellings = found.entry(words[0]).or_default();
            spellings.push(Spelling { words, field });
        }
    }
    found
});

/// A field that an expression reads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Selector {
    /// A field without parameters.
    Named {
        /// The field.
        field: &'static NamedField,
        /// Whether it is written without `meta` although nft prints `meta`. This is how nft prints a
        /// match of iptables-nft, which has the meaning of iptables.
        is_translated: bool,
    },
    /// `fib saddr . iif oif`
    Fib(fib::Fib),
    /// `numgen random mod 3`
    Numgen(numgen::Numgen),
    /// `jhash ip saddr mod 2`
    Hash(Box<hash::Hash>),
    /// `tcp option maxseg size`
    TcpOption(tcp_option::TcpOption),
    /// `@nh,528,48`
    RawPayload(raw_payload::RawPayload),
}

impl Selector {
    /// Parses a field. Takes nothing if the next words are none.
    pub(super) fn parse(cursor: &mut Cursor) -> Option<Self> {
        if let Some(raw) = raw_payload::RawPayload::parse(cursor) {
            return Some(Self::RawPayload(raw));
        }
        match cursor.peek_word()? {
            "fib" => return fib::Fib::parse(cursor).map(Self::Fib),
            "numgen" => return numgen::Numgen::parse(cursor).map(Self::Numgen),
            "jhash" | "symhash" => {
                return hash::Hash::parse(cursor).map(|hash| Self::Hash(Box::new(hash)));
            }
            _ => {}
        }
        if let Some(option) = tcp_option::TcpOption::parse(cursor) {
            return Some(Self::TcpOption(option));
        }
        Self::parse_named(cursor)
    }

    /// Parses the field with the longest name.
    fn parse_named(cursor: &mut Cursor) -> Option<Self> {
        let candidates = BY_FIRST_WORD.get(cursor.peek_word()?)?;
        let field = candidates
            .iter()
            .filter(|candidate| cursor.clone().eat_all(candidate.words))
            .max_by_key(|candidate| candidate.words.len())?;
        cursor.eat_all(field.words);
        let is_translated = field.words.len() < field.field.words.len() && !field.field.is_short;
        Some(Self::Named {
            field: field.field,
            is_translated,
        })
    }

    /// The type of its values.
    pub fn data_type(&self) -> &'static DataType {
        match self {
            Self::Named { field, .. } => field.data,
            Self::Fib(fib) => fib.data_type(),
            Self::Numgen(_) | Self::Hash(_) => &data_type::INTEGER,
            Self::RawPayload(_) => &data_type::BITS,
            Self::TcpOption(option) => option.data_type(),
        }
    }

    /// Prints the field as `nft list ruleset` does.
    pub(super) fn print(&self, out: &mut String) {
        match self {
            Self::Named {
                field,
                is_translated,
            } => {
                let skipped = usize::from(*is_translated || field.is_short);
                out.push_str(&field.words[skipped..].join(" "));
            }
            Self::Fib(fib) => fib.print(out),
            Self::Numgen(numgen) => numgen.print(out),
            Self::Hash(hash) => hash.print(out),
            Self::TcpOption(option) => option.print(out),
            Self::RawPayload(raw) => {
                let _ = write!(out, "@{},{},{}", raw.base, raw.offset, raw.length);
            }
        }
    }
}
