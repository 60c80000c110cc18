//! Numbers as people and tools write them: decimal, `0x…`, as a JSON number or a string.

use std::fmt;

use serde::de::Error;
use serde::{Deserialize, Deserializer};

/// Parses an unsigned number as iptables does: decimal, `0x` hexadecimal, or octal with a leading
/// zero.
pub fn parse_u32(text: &str) -> Option<u32> {
    parse_u64(text).and_then(|n| u32::try_from(n).ok())
}

/// Like [`parse_u32`], for up to 64 bits.
pub fn parse_u64(text: &str) -> Option<u64> {
    // The fast path for nearly all numbers: too short to overflow.
    if let bytes @ ([b'0'..=b'9'] | [b'1'..=b'9', ..]) = text.as_bytes()
        && bytes.len() < 20
        && bytes.iter().all(u8::is_ascii_digit)
    {
        return Some(
            bytes
                .iter()
                .fold(0, |number, digit| number * 10 + u64::from(digit - b'0')),
        );
    }
    let (digits, radix) = match text.as_bytes() {
        [b'0', b'x' | b'X', ..] => (&text[2..], 16),
        [b'0', _, ..] => (&text[1..], 8),
        _ => (text, 10),
    };
    // `from_str_radix` would accept a sign.
    digits
        .bytes()
        .all(|b| b.is_ascii_hexdigit())
        .then(|| u64::from_str_radix(digits, radix).ok())
        .flatten()
}

/// Parses a decimal number such as `0.25` or `1e-3`, without a minus sign.
pub(crate) fn parse_decimal(text: &str) -> Option<f64> {
    // The standard library also parses `inf` and `nan`.
    let is_decimal = text
        .bytes()
        .all(|byte| byte.is_ascii_digit() || b".+-eE".contains(&byte));
    text.parse()
        .ok()
        .filter(|number: &f64| is_decimal && !text.starts_with('-') && number.is_finite())
}

/// A JSON value that may be a string or a number.
#[derive(Deserialize)]
#[serde(untagged, expecting = "expected a number, or a number as text")]
pub(crate) enum TextOrNumber {
    Number(u64),
    Text(String),
}

impl fmt::Display for TextOrNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => number.fmt(f),
            Self::Text(text) => text.fmt(f),
        }
    }
}

impl TextOrNumber {
    /// The number, if it is at most `high` and fits its type.
    fn up_to<T: TryFrom<u64>, E: Error>(&self, high: u64) -> Result<T, E> {
        let number = match self {
            Self::Number(number) => *number,
            Self::Text(text) => {
                parse_u64(text).ok_or_else(|| E::custom(format!("`{text}` is not a number")))?
            }
        };
        let fits = T::try_from(number).ok().filter(|_| number <= high);
        fits.ok_or_else(|| E::custom(format!("{number} is out of range: 0 to {high}")))
    }
}

/// The highest number of an unsigned type.
const fn highest<T>() -> u64 {
    u64::MAX >> (64 - 8 * size_of::<T>())
}

/// Deserializes a number that may be a string (`"0x539"`).
pub(crate) fn any<'de, T: TryFrom<u64>, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<T, D::Error> {
    TextOrNumber::deserialize(deserializer)?.up_to(highest::<T>())
}

/// Like [`any`], for a field that may be absent.
pub(crate) fn optional<'de, T: TryFrom<u64>, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<T>, D::Error> {
    Option::<TextOrNumber>::deserialize(deserializer)?
        .map(|number| number.up_to(highest::<T>()))
        .transpose()
}

/// Like [`any`], with the maximum `HIGH`.
pub(crate) fn up_to<'de, const HIGH: u64, T: TryFrom<u64>, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<T, D::Error> {
    TextOrNumber::deserialize(deserializer)?.up_to(HIGH)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_in_three_bases() {
        for (text, want) in [
            ("10", Some(10)),
            ("0x539", Some(1337)),
            ("010", Some(8)),
            ("0", Some(0)),
            ("", None),
        ] {
            assert_eq!(parse_u32(text), want, "{text}");
        }
        for text in ["-1", "+1", "1a", "0x", "4294967296", "08", "é"] {
            assert_eq!(parse_u32(text), None, "{text}");
        }
    }

    #[test]
    fn decimals_have_digits_and_no_minus() {
        for (text, want) in [
            ("0", 0.0),
            ("0.5", 0.5),
            (".25", 0.25),
            ("1.", 1.0),
            ("+0.5", 0.5),
            ("25E-2", 0.25),
            ("0.1e1", 1.0),
        ] {
            assert_eq!(parse_decimal(text), Some(want), "{text}");
        }
        for text in [
            "", ".", "e1", "1e", "-1", "-0", "0x1", "inf", "nan", "1.2.3", "++1", "1e400", "é",
        ] {
            assert_eq!(parse_decimal(text), None, "{text}");
        }
    }
}
