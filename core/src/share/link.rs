//! A text inside a link: the part behind `#`, which no browser sends anywhere.
//!
//! The first character is the format's version; every version stays readable. All of them are
//! compressed by raw DEFLATE (RFC 1951), in the URL-safe base64 of RFC 4648 without padding.
//! Version `1` is the text alone, as a paste or a capture's JSON; version `2` is the JSON of
//! [`Shared`], which also stands in the files that the page saves.

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use miniz_oxide::deflate::compress_to_vec;
use miniz_oxide::inflate::decompress_to_vec_with_limit;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::netfilter::place::{ChainPlace, Place};
use crate::netfilter::ruleset::Ruleset;
use crate::packet::Packet;
use crate::packet::host::{self, Host};
use crate::text::visible;

/// So many characters a link may have: mail programs and chats cut longer ones.
pub const MOST: usize = 16 * 1024;

/// Unpacked, a link's text is no longer than this: a few kilobytes could otherwise fill the memory.
const MOST_UNPACKED: usize = 4 << 20;

/// A page shows two packets beside each other.
const MAX_PACKETS: usize = 16;
/// More rules than anyone settles by hand: each is compared with every rule that a packet meets.
const MAX_SETTLED: usize = 256;

/// The version that a text alone has.
const TEXT: char = '1';
/// The version that [`Shared`] has.
const SHARED: char = '2';

/// How hard to compress: the slowest and smallest for what may become a link, a fast one for what
/// cannot.
fn level(text: &str) -> u8 {
    if text.len() < 20 * MOST { 10 } else { 3 }
}

/// What is shared: the rules and what surrounds them, the packets, and what of it is shown.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize)]
pub struct Shared {
    /// The format, 2. It stands first: by it a file of this kind is told from a capture.
    pub chainwalk: u32,
    /// The text, as it was pasted or as a capture's JSON.
    pub text: String,
    /// The namespace, where the text does not tell it and it is not the usual pod.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub host: Option<Host>,
    /// Whether nobody knows the namespace, and `host` is a usual pod with neutral addresses.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub usual: bool,
    /// Whether addresses, names and comments stand for others, as
    /// [`redact::shared`](crate::share::redact::shared) makes them.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub neutral: bool,
    /// The packets that are shown, in their order; none: those that the page would choose by
    /// itself.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub packets: Vec<Packet>,
    /// Which of two packets is the one that the page answers in large, from 0; absent: the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lead: Option<usize>,
    /// The step, from 0; absent: where the page would begin.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub step: Option<usize>,
    /// How the rules are shown: `saved`, `text`, or as the packets meet them.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub view: String,
    /// Rules that a dump cannot tell, with what they are taken to do.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub settled: Vec<Settled>,
    /// To be looked at within another page: nothing can be changed.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub embed: bool,
    /// The lists of which only a part is used: "60000 routes: the first 50000 are used".
    #[serde(skip)]
    pub dropped: Vec<String>,
}

/// A rule that a dump cannot tell, by the names of the public JSON, and whether it is taken to
/// match.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[allow(missing_docs, reason = "the names are those of a trace's steps")]
pub struct Settled {
    pub ruleset: u32,
    pub table: String,
    pub chain: String,
    /// From 1.
    pub rule: u32,
    pub matches: bool,
}

impl Settled {
    /// The place by its names; nothing for a policy.
    ///
    /// # Panics
    /// If the place is not one of these rule sets.
    pub fn of(rulesets: &[Ruleset], (place, matches): (Place, bool)) -> Option<Self> {
        let (_, table, chain) = place.at.find(rulesets);
        let (ruleset, rule) = (place.at.ruleset, place.rule? + 1);
        Some(Self {
            ruleset,
            table: table.label().into(),
            chain: chain.name.to_string(),
            rule,
            matches,
        })
    }

    /// The place in these rule sets, where they have it.
    pub fn place(&self, rulesets: &[Ruleset]) -> Option<(Place, bool)> {
        let ruleset = rulesets.get(self.ruleset as usize)?;
        let mut tables = (0..).zip(&ruleset.tables);
        let (table, _) = tables.find(|(_, table)| table.label() == *self.table)?;
        let (chain, found) = ruleset.tables[table as usize].chain(&self.chain)?;
        let rule = self
            .rule
            .checked_sub(1)
            .filter(|rule| (*rule as usize) < found.rules.len())?;
        let at = ChainPlace {
            ruleset: self.ruleset,
            table,
            chain,
        };
        Some((
            Place {
                at,
                rule: Some(rule),
            },
            self.matches,
        ))
    }
}

impl Shared {
    /// A text, and everything else as the page would choose it.
    pub fn of_text(text: String) -> Self {
        Self {
            chainwalk: 2,
            text,
            ..Self::default()
        }
    }

    /// The part behind `#`.
    pub fn fragment(&self) -> String {
        pack(SHARED, &self.json())
    }

    /// The same as a file.
    ///
    /// # Panics
    /// Never: it holds nothing that JSON cannot.
    pub fn json(&self) -> String {
        let json =
            serde_json::to_string(self).expect("it holds no maps with keys that are not strings");
        visible::escape_json(json)
    }

    /// Reads such a file; nothing where the text is of another kind.
    ///
    /// # Errors
    /// Where it is damaged.
    pub fn from_file(text: &str) -> Option<Result<Self, Broken>> {
        let start = text.trim_start().strip_prefix('{')?.trim_start();
        start
            .starts_with("\"chainwalk\"")
            .then(|| Self::from_json(text))
    }

    fn from_json(text: &str) -> Result<Self, Broken> {
        let mut shared: Self = serde_json::from_str(text).map_err(|_| Broken::Damaged)?;
        let dropped = &mut shared.dropped;
        if let Some(host) = &mut shared.host {
            dropped.extend(host.limit());
        }
        host::limit(&mut shared.packets, MAX_PACKETS, "packets", dropped);
        host::limit(&mut shared.settled, MAX_SETTLED, "settled rules", dropped);
        Ok(shared)
    }
}

/// Why a link cannot be opened.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum Broken {
    /// It is of a version that is not known here.
    #[error("this link is of version {0}, which is newer than this page: load the page again")]
    Version(char),
    /// It was cut or changed on its way.
    #[error("this link is damaged: it was cut or changed on its way; ask for a file instead")]
    Damaged,
}

/// A link to `page` that holds `text`; nothing where it would have more than [`MOST`] characters.
pub fn link(page: &str, text: &str) -> Option<String> {
    to(page, &fragment(text))
}

/// A link to `page` with that part behind `#`; nothing where it would have more than [`MOST`]
/// characters.
pub fn to(page: &str, fragment: &str) -> Option<String> {
    let page = page.split('#').next().unwrap_or(page);
    let link = format!("{page}#{fragment}");
    (link.len() <= MOST).then_some(link)
}

/// The part behind `#` for a text alone.
pub fn fragment(text: &str) -> String {
    pack(TEXT, text)
}

fn pack(version: char, text: &str) -> String {
    let mut fragment = String::from(version);
    BASE64_URL_SAFE_NO_PAD
        .encode_string(compress_to_vec(text.as_bytes(), level(text)), &mut fragment);
    fragment
}

/// What the part behind `#` holds; nothing where that is empty.
///
/// # Errors
/// Where it holds nothing that can be read.
pub fn read(fragment: &str) -> Result<Option<Shared>, Broken> {
    let mut characters = fragment.strip_prefix('#').unwrap_or(fragment).chars();
    let version = match characters.next() {
        None => return Ok(None),
        Some(version @ (TEXT | SHARED)) => version,
        Some(other) => return Err(Broken::Version(other)),
    };
    let packed = BASE64_URL_SAFE_NO_PAD
        .decode(characters.as_str())
        .map_err(|_| Broken::Damaged)?;
    let bytes =
        decompress_to_vec_with_limit(&packed, MOST_UNPACKED).map_err(|_| Broken::Damaged)?;
    let text = String::from_utf8(bytes).map_err(|_| Broken::Damaged)?;
    let shared = if version == TEXT {
        Ok(Shared::of_text(text))
    } else {
        Shared::from_json(&text)
    };
    shared.map(Some)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::input::parse::parse;

    #[test]
    fn version_1_stays_readable() {
        // Made once, and never again: a link outlives the program that wrote it.
        const OLD: &str = "108pLLOGy8g8NCQgNUXB0dnYNCFGINrAyiOVy9vf19QzhAgA";
        assert_eq!(
            read(OLD),
            Ok(Some(Shared::of_text(
                "*nat\n:OUTPUT ACCEPT [0:0]\nCOMMIT\n".to_owned()
            )))
        );
    }

    #[test]
    fn a_settled_rule_names_its_table_and_reads_back() {
        const JSON: &str =
            r#"{"ruleset":0,"table":"nat","chain":"OUTPUT","rule":1,"matches":true}"#;
        let text = "*filter\n:OUTPUT ACCEPT [0:0]\nCOMMIT\n*nat\n:OUTPUT ACCEPT [0:0]\n-A OUTPUT -j ACCEPT\nCOMMIT\n";
        let rulesets = parse(text).rulesets;
        let settled: Settled = serde_json::from_str(JSON).expect("it is valid");
        let found = settled.place(&rulesets).expect("the rule set has the rule");
        assert_eq!(
            found.0,
            Place {
                at: ChainPlace {
                    ruleset: 0,
                    table: 1,
                    chain: 0
                },
                rule: Some(0)
            }
        );
        let again = Settled::of(&rulesets, found).expect("it is a rule");
        assert_eq!(serde_json::to_string(&again).expect("it has no maps"), JSON);
        assert_eq!(
            Settled {
                table: "raw".into(),
                ..settled
            }
            .place(&rulesets),
            None
        );
    }

    #[test]
    fn what_is_no_link_is_said() {
        assert_eq!(read(""), Ok(None));
        assert_eq!(read("#"), Ok(None));
        assert_eq!(read("#3abc"), Err(Broken::Version('3')));
        assert_eq!(read(&pack(SHARED, "no JSON")), Err(Broken::Damaged));
        let whole = fragment("*nat\nCOMMIT\n");
        assert_eq!(read(&whole[..whole.len() - 3]), Err(Broken::Damaged));
        assert_eq!(read("1 not base64"), Err(Broken::Damaged));
        // A bomb: 64 MiB of zeros.
        let bomb = fragment(&"0".repeat(64 << 20));
        assert_eq!(read(&bomb), Err(Broken::Damaged));
    }

    #[test]
    fn a_long_text_has_no_link() {
        let text: String = (0..20_000_u32)
            .map(|number| number.wrapping_mul(2_654_435_761).to_string())
            .collect();
        assert_eq!(link("https://example.org/", &text), None);
        let short = link("https://example.org/walk/#old", "text").expect("it fits");
        assert!(
            short.starts_with("https://example.org/walk/#1") && short.matches('#').count() == 1,
            "{short}"
        );
    }

    proptest! {
        #[test]
        fn every_text_comes_back(text in "\\PC*") {
            let fragment = fragment(&text);
            prop_assert!(fragment.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte)));
            prop_assert_eq!(read(&fragment), Ok(Some(Shared::of_text(text))));
        }

        #[test]
        fn no_fragment_makes_it_panic(text in "[12]?[A-Za-z0-9_-]{0,200}") {
            let _ = read(&text);
        }
    }
}
