//! A text in a link, in the part after `#`, which browsers do not send to the server.
//!
//! The first character is the version of the format. Every version stays readable. All versions are
//! compressed with raw DEFLATE (RFC 1951) and encoded in the URL-safe base64 of RFC 4648 without
//! padding. Version `1` is the text alone, as a paste or as the JSON of a capture. Version `2` is
//! the JSON of [`Shared`], which the page also saves to files.

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

/// The maximum length of a link: mail programs and chats truncate longer ones.
pub const MAX_LINK_CHARACTERS: usize = 16 * 1024;

/// The maximum length of an uncompressed text. Without it, a few kilobytes could fill the memory.
const MAX_UNPACKED_BYTES: usize = 4 << 20;

/// The maximum number of packets. The page shows two side by side.
const MAX_PACKETS: usize = 16;
/// The maximum number of answers for undetermined rules. Each is compared with every rule that a
/// packet meets.
const MAX_SETTLED: usize = 256;

/// The version of a text alone.
const TEXT: char = '1';
/// The version of a [`Shared`].
const SHARED: char = '2';

/// The compression level: the slowest and smallest for a text that may fit a link, a fast one for
/// others.
fn level(text: &str) -> u8 {
    if text.len() < 20 * MAX_LINK_CHARACTERS {
        10
    } else {
        3
    }
}

/// The shared state: the rules with their host, the packets, and the selected view.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize)]
pub struct Shared {
    /// The format, 2. It is the first field, because it distinguishes such a file from a capture.
    pub chainwalk: u32,
    /// The text, as pasted or as the JSON of a capture.
    pub text: String,
    /// The namespace, if the text does not contain it and it is not the usual pod.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub host: Option<Host>,
    /// Whether the namespace is unknown, and `host` is a usual pod with neutral addresses.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub usual: bool,
    /// Whether [`redact::shared`](crate::share::redact::shared) replaced addresses, names and
    /// comments.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub neutral: bool,
    /// The packets, in their order. If empty, the page chooses them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub packets: Vec<Packet>,
    /// The packet whose answer the page shows in large text, from 0. If absent: the last one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lead: Option<usize>,
    /// The step, from 0. If absent, the page chooses it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub step: Option<usize>,
    /// The view of the rules: `saved`, `text`, or in the order in which the packets meet them.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub view: String,
    /// Undetermined rules, with the answers that the user chose.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub settled: Vec<Settled>,
    /// Whether it is shown inside another page, where nothing can be changed.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub embed: bool,
    /// The lists of which only a part is used: "60000 routes: the first 50000 are used".
    #[serde(skip)]
    pub dropped: Vec<String>,
}

/// An undetermined rule, by the names of the public JSON, and whether it is assumed to match.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[allow(missing_docs, reason = "the names are those of a trace's steps")]
pub struct Settled {
    pub ruleset: u32,
    pub table: String,
    pub chain: String,
    /// The position of the rule, from 1.
    pub rule: u32,
    pub matches: bool,
}

impl Settled {
    /// The place by its names; `None` for a policy.
    ///
    /// # Panics
    /// If these rule sets do not have the place.
    pub fn from_place(rulesets: &[Ruleset], (place, matches): (Place, bool)) -> Option<Self> {
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

    /// The place in these rule sets, if they have it.
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
    /// A text, with the page's default for everything else.
    pub fn of_text(text: String) -> Self {
        Self {
            chainwalk: 2,
            text,
            ..Self::default()
        }
    }

    /// The part of a link after `#`.
    pub fn fragment(&self) -> String {
        pack(SHARED, &self.json())
    }

    /// The content as a file.
    ///
    /// # Panics
    /// Never: JSON can represent every content.
    pub fn json(&self) -> String {
        let json =
            serde_json::to_string(self).expect("it holds no maps with keys that are not strings");
        visible::escape_json(json)
    }

    /// Parses such a file; `None` if the text is of another kind.
    ///
    /// # Errors
    /// If it is damaged.
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

/// The reason why a link cannot be opened.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum Broken {
    /// The program does not know its version.
    #[error("this link is of version {0}, which is newer than this page: load the page again")]
    Version(char),
    /// It was truncated or changed.
    #[error("this link is damaged: it was cut or changed on its way; ask for a file instead")]
    Damaged,
}

/// A link to `page` that contains `text`; `None` if it would be longer than [`MAX_LINK_CHARACTERS`].
pub fn link(page: &str, text: &str) -> Option<String> {
    to(page, &fragment(text))
}

/// A link to `page` with this part after `#`; `None` if it would be longer than [`MAX_LINK_CHARACTERS`].
pub fn to(page: &str, fragment: &str) -> Option<String> {
    let page = page.split('#').next().unwrap_or(page);
    let link = format!("{page}#{fragment}");
    (link.len() <= MAX_LINK_CHARACTERS).then_some(link)
}

/// The part after `#` for a text alone.
pub fn fragment(text: &str) -> String {
    pack(TEXT, text)
}

fn pack(version: char, text: &str) -> String {
    let mut fragment = String::from(version);
    BASE64_URL_SAFE_NO_PAD
        .encode_string(compress_to_vec(text.as_bytes(), level(text)), &mut fragment);
    fragment
}

/// Parses the part after `#`; `None` if it is empty.
///
/// # Errors
/// If it contains nothing readable.
pub fn read_link(fragment: &str) -> Result<Option<Shared>, Broken> {
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
        decompress_to_vec_with_limit(&packed, MAX_UNPACKED_BYTES).map_err(|_| Broken::Damaged)?;
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
        // This link was made once and must stay readable: links outlive the program that wrote
        // them.
        const OLD: &str = "108pLLOGy8g8NCQgNUXB0dnYNCFGINrAyiOVy9vf19QzhAgA";
        assert_eq!(
            read_link(OLD),
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
        let again = Settled::from_place(&rulesets, found).expect("it is a rule");
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
        assert_eq!(read_link(""), Ok(None));
        assert_eq!(read_link("#"), Ok(None));
        assert_eq!(read_link("#3abc"), Err(Broken::Version('3')));
        assert_eq!(read_link(&pack(SHARED, "no JSON")), Err(Broken::Damaged));
        let whole = fragment("*nat\nCOMMIT\n");
        assert_eq!(read_link(&whole[..whole.len() - 3]), Err(Broken::Damaged));
        assert_eq!(read_link("1 not base64"), Err(Broken::Damaged));
        // A decompression bomb: 64 MiB of zeros.
        let bomb = fragment(&"0".repeat(64 << 20));
        assert_eq!(read_link(&bomb), Err(Broken::Damaged));
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
            prop_assert_eq!(read_link(&fragment), Ok(Some(Shared::of_text(text))));
        }

        #[test]
        fn no_fragment_makes_it_panic(text in "[12]?[A-Za-z0-9_-]{0,200}") {
            let _ = read_link(&text);
        }
    }
}
