//! Numbers as people and tools write them: decimal, `0x…`, as a JSON number or a string.

use std::fmt;

use serde::{Deserialize, Deserializer};

/// Reads an unsigned number as iptables does: decimal, `0x` hexadecimal, or octal with a leading zero.
pub fn parse_u32(text: &str) -> Option<u32> {
    parse_u64(text).and_then(|n| u32::try_from(n).ok())
}

/// As [`parse_u32`], up to 64 bits.
pub fn parse_u64(text: &str) -> Option<u64> {
    let (digits, radix) = match text.as_bytes() {
        [b'0', b'x' | b'X', ..] => (&text[2..], 16),
        [b'0', _, ..] => (&text[1..], 8),
        _ => (text, 10),
    };
    // `from_str_radix` would accept a sign.
    digits.bytes().all(|b| b.is_ascii_hexdigit()).then(|| u64::from_str_radix(digits, radix).ok()).flatten()
}

/// A JSON value that may be a string or a number.
#[derive(Deserialize)]
#[serde(untagged)]
pub(crate) enum TextOrNumber {
    Number(u64),
    Text(String),
}

impl fmt::Display for TextOrNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(n) => n.fmt(f),
            Self::Text(text) => text.fmt(f),
        }
    }
}

impl TextOrNumber {
    fn value<E: serde::de::Error>(&self) -> Result<u64, E> {
        match self {
            Self::Number(n) => Ok(*n),
            Self::Text(text) => parse_u64(text).ok_or_else(|| E::custom(format!("`{text}` is no number"))),
        }
    }
}

/// Deserialises a number that may be written as a string (`"0x539"`).
pub(crate) fn any<'de, D: Deserializer<'de>, T: TryFrom<u64>>(deserializer: D) -> Result<T, D::Error> {
    let value = TextOrNumber::deserialize(deserializer)?.value::<D::Error>()?;
    T::try_from(value).map_err(|_| {
        let highest = u128::MAX >> (128 - 8 * size_of::<T>());
        serde::de::Error::custom(format!("{value} is out of range: 0 to {highest}"))
    })
}

/// As [`any`], for a field that may be absent.
pub(crate) fn optional<'de, D: Deserializer<'de>, T: TryFrom<u64>>(deserializer: D) -> Result<Option<T>, D::Error> {
    #[derive(Deserialize)]
    #[serde(bound = "T: TryFrom<u64>")]
    struct Wrap<T>(#[serde(deserialize_with = "any")] T);
    Ok(Option::<Wrap<T>>::deserialize(deserializer)?.map(|wrap| wrap.0))
}

/// As [`any`], between `LOW` and `HIGH`, both included.
pub(crate) fn in_range<'de, const LOW: u64, const HIGH: u64, D: Deserializer<'de>, T: TryFrom<u64>>(
    deserializer: D,
) -> Result<T, D::Error> {
    let value = any::<D, u64>(deserializer)?;
    match T::try_from(value) {
        Ok(number) if (LOW..=HIGH).contains(&value) => Ok(number),
        _ => Err(serde::de::Error::custom(format!("{value} is out of range: {LOW} to {HIGH}"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_in_three_bases() {
        for (text, want) in [("10", Some(10)), ("0x539", Some(1337)), ("010", Some(8)), ("0", Some(0)), ("", None)] {
            assert_eq!(parse_u32(text), want, "{text}");
        }
        for text in ["-1", "+1", "1a", "0x", "4294967296", "08", "é"] {
            assert_eq!(parse_u32(text), None, "{text}");
        }
    }
}
