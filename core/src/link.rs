//! A text inside a link: the part behind `#`, which no browser sends anywhere.
//!
//! The first character is the format's version; every version stays readable. Version `1`: the text, as a paste or a
//! capture's JSON, compressed by raw DEFLATE (RFC 1951), in the URL-safe base64 of RFC 4648 without padding.

use std::fmt;

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use miniz_oxide::deflate::compress_to_vec;
use miniz_oxide::inflate::decompress_to_vec_with_limit;

/// So many characters a link may have: mail programs and chats cut longer ones.
pub const MOST: usize = 16 * 1024;

/// Unpacked, a link's text is no longer than this: a few kilobytes could otherwise fill the memory.
const MOST_UNPACKED: usize = 4 << 20;

const VERSION: char = '1';
/// The slowest and smallest.
const LEVEL: u8 = 10;

/// Why a link cannot be opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Broken {
    /// It is of a version that is not known here.
    Version(char),
    /// It was cut or changed on its way.
    Damaged,
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Version(version) => {
                write!(f, "this link is of version {version}, which is newer than this page: load the page again")
            }
            Self::Damaged => {
                f.write_str("this link is damaged: it was cut or changed on its way; ask for a file instead")
            }
        }
    }
}

/// A link to `page` that holds `text`; nothing where it would have more than [`MOST`] characters.
pub fn link(page: &str, text: &str) -> Option<String> {
    let page = page.split('#').next().unwrap_or(page);
    let link = format!("{page}#{}", fragment(text));
    (link.len() <= MOST).then_some(link)
}

/// The part behind `#`.
pub fn fragment(text: &str) -> String {
    let mut fragment = String::from(VERSION);
    BASE64_URL_SAFE_NO_PAD.encode_string(compress_to_vec(text.as_bytes(), LEVEL), &mut fragment);
    fragment
}

/// The text in the part behind `#`; nothing where that is empty.
///
/// # Errors
/// Where it holds none that can be read.
pub fn read(fragment: &str) -> Result<Option<String>, Broken> {
    let mut characters = fragment.strip_prefix('#').unwrap_or(fragment).chars();
    match characters.next() {
        None => return Ok(None),
        Some(VERSION) => {}
        Some(other) => return Err(Broken::Version(other)),
    }
    let packed = BASE64_URL_SAFE_NO_PAD.decode(characters.as_str()).map_err(|_| Broken::Damaged)?;
    let bytes = decompress_to_vec_with_limit(&packed, MOST_UNPACKED).map_err(|_| Broken::Damaged)?;
    String::from_utf8(bytes).map(Some).map_err(|_| Broken::Damaged)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn version_1_stays_readable() {
        // Made once, and never again: a link outlives the program that wrote it.
        const OLD: &str = "108pLLOGy8g8NCQgNUXB0dnYNCFGINrAyiOVy9vf19QzhAgA";
        assert_eq!(read(OLD), Ok(Some("*nat\n:OUTPUT ACCEPT [0:0]\nCOMMIT\n".to_owned())));
    }

    #[test]
    fn what_is_no_link_is_said() {
        assert_eq!(read(""), Ok(None));
        assert_eq!(read("#"), Ok(None));
        assert_eq!(read("#2abc"), Err(Broken::Version('2')));
        let whole = fragment("*nat\nCOMMIT\n");
        assert_eq!(read(&whole[..whole.len() - 3]), Err(Broken::Damaged));
        assert_eq!(read("1 not base64"), Err(Broken::Damaged));
        // A bomb: 64 MiB of zeros.
        let bomb = fragment(&"0".repeat(64 << 20));
        assert_eq!(read(&bomb), Err(Broken::Damaged));
    }

    #[test]
    fn a_long_text_has_no_link() {
        let text: String = (0..20_000_u32).map(|number| number.wrapping_mul(2_654_435_761).to_string()).collect();
        assert_eq!(link("https://example.org/", &text), None);
        let short = link("https://example.org/walk/#old", "text").expect("it fits");
        assert!(short.starts_with("https://example.org/walk/#1") && short.matches('#').count() == 1, "{short}");
    }

    proptest! {
        #[test]
        fn every_text_comes_back(text in "\\PC*") {
            let fragment = fragment(&text);
            prop_assert!(fragment.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte)));
            prop_assert_eq!(read(&fragment), Ok(Some(text)));
        }

        #[test]
        fn no_fragment_makes_it_panic(text in "1?[A-Za-z0-9_-]{0,200}") {
            let _ = read(&text);
        }
    }
}
