//! Numbers as people and tools write them: decimal, `0x…`, as a JSON number or a string.

use std::fmt;

use serde::de::Visitor;
use serde::{Deserialize, Deserializer};

/// Reads an unsigned number as iptables does: decimal, `0x` hexadecimal, or octal with a leading zero.
pub fn parse_u32(text: &str) -> Option<u32> {
    parse_u64(text).and_then(|n| u32::try_from(n).ok())
}

/// As [`parse_u32`], up to 64 bits.
pub fn parse_u64(text: &str) -> Option<u64> {
    // What cannot run over, which is nearly all.
    if let bytes @ ([b'0'..=b'9'] | [b'1'..=b'9', ..]) = text.as_bytes()
        && bytes.len() < 20
        && bytes.iter().all(u8::is_ascii_digit)
    {
        return Some(bytes.iter().fold(0, |number, digit| number * 10 + u64::from(digit - b'0')));
    }
    let (digits, radix) = match text.as_bytes() {
        [b'0', b'x' | b'X', ..] => (&text[2..], 16),
        [b'0', _, ..] => (&text[1..], 8),
        _ => (text, 10),
    };
    // `from_str_radix` would accept a sign.
    digits.bytes().all(|b| b.is_ascii_hexdigit()).then(|| u64::from_str_radix(digits, radix).ok()).flatten()
}

/// Reads a decimal number such as `0.25` or `1e-3`, as so many parts of which `unit` make one; what is smaller than a part
/// is cut off. In whole numbers: the standard library's way through a float takes 20 KB of the page.
pub(crate) fn parse_parts(text: &str, unit: u64) -> Option<u64> {
    let (number, exponent) = match text.split_once(['e', 'E']) {
        Some((number, exponent)) => (number, exponent.parse::<i16>().ok()?),
        None => (text, 0),
    };
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let digits = [whole.strip_prefix('+').unwrap_or(whole), fraction].concat();
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let end = i64::try_from(digits.len()).ok()?;
    let point = end - i64::try_from(fraction.len()).ok()? + i64::from(exponent);
    let digit = |place: i64| {
        let byte = usize::try_from(place).ok().and_then(|place| digits.as_bytes().get(place));
        byte.map_or(0, |byte| u64::from(byte - b'0'))
    };
    let whole = (0..point).try_fold(0_u64, |sum, place| sum.checked_mul(10)?.checked_add(digit(place)))?;
    // From the last digit on: what a division cuts off never comes back.
    let rest = (point..end).rev().fold(0, |rest, place| (digit(place) * unit + rest) / 10);
    whole.checked_mul(unit)?.checked_add(rest)
}

/// Prints `number / unit` with so many digits behind the point, as `%.Nf` of C does: a tie goes to the even digit.
pub(crate) fn print_parts(number: u64, unit: u64, digits: u32) -> String {
    let (mut all, mut rest) = (number / unit, number % unit);
    for _ in 0..digits {
        all = all * 10 + rest * 10 / unit;
        rest = rest * 10 % unit;
    }
    all += u64::from(rest * 2 > unit || rest * 2 == unit && all % 2 == 1);
    let one = 10_u64.pow(digits);
    format!("{}.{:0width$}", all / one, all % one, width = digits as usize)
}

/// A JSON value that may be a string or a number.
pub(crate) enum TextOrNumber {
    Number(u64),
    Text(String),
}

/// By hand: what serde derives for an untagged enum first keeps any JSON at all, with code for all of it.
impl<'de> Deserialize<'de> for TextOrNumber {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;

        impl Visitor<'_> for Either {
            type Value = TextOrNumber;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a number, or one as text")
            }

            fn visit_u64<E>(self, number: u64) -> Result<TextOrNumber, E> {
                Ok(TextOrNumber::Number(number))
            }

            fn visit_str<E>(self, text: &str) -> Result<TextOrNumber, E> {
                Ok(TextOrNumber::Text(text.to_owned()))
            }
        }

        deserializer.deserialize_any(Either)
    }
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

/// A number that may be written as a string (`"0x539"`).
pub(crate) struct Any<T>(pub(crate) T);

impl<'de, T: TryFrom<u64>> Deserialize<'de> for Any<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        fit(&TextOrNumber::deserialize(deserializer)?).map(Self)
    }
}

fn fit<T: TryFrom<u64>, E: serde::de::Error>(written: &TextOrNumber) -> Result<T, E> {
    let value = written.value()?;
    T::try_from(value).map_err(|_| {
        let highest = u64::MAX >> (64 - 8 * size_of::<T>());
        E::custom(format!("{value} is out of range: 0 to {highest}"))
    })
}

/// As [`Any`], for a field that may be absent.
pub(crate) struct Optional<T>(pub(crate) Option<T>);

impl<'de, T: TryFrom<u64>> Deserialize<'de> for Optional<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Option::<TextOrNumber>::deserialize(deserializer)?.map(|written| fit(&written)).transpose().map(Self)
    }
}

/// As [`Any`], up to `HIGH`.
pub(crate) struct UpTo<const HIGH: u64, T>(pub(crate) T);

impl<'de, const HIGH: u64, T: TryFrom<u64>> Deserialize<'de> for UpTo<HIGH, T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Any(value) = Any::<u64>::deserialize(deserializer)?;
        match T::try_from(value) {
            Ok(number) if value <= HIGH => Ok(Self(number)),
            _ => Err(serde::de::Error::custom(format!("{value} is out of range: 0 to {HIGH}"))),
        }
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

    #[test]
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "all are small"
    )]
    fn decimals_are_read_and_printed_as_floats_would_be() {
        const UNIT: u64 = 1 << 31;
        for text in
            ["0", "1", "0.5", ".25", "1.", "+0.5", "1e-3", "25E-2", "0.1e1", "0.33333333349", "0.99999999999", "1e-400"]
        {
            let float: f64 = text.parse().unwrap();
            assert_eq!(parse_parts(text, UNIT), Some((float * UNIT as f64) as u64), "{text}");
        }
        for text in ["", ".", "e1", "1e", "-1", "0x1", "inf", "nan", "1.2.3", "++1", "1e30", "é"] {
            assert_eq!(parse_parts(text, UNIT), None, "{text}");
        }
        for number in (0..UNIT).step_by(4_999).chain([1 << 19, 3 << 19, UNIT]) {
            let float = number as f64 / UNIT as f64;
            assert_eq!(print_parts(number, UNIT, 11), format!("{float:.11}"));
            assert_eq!(print_parts(number * 100, UNIT, 4), format!("{:.4}", float * 100.0));
        }
    }
}
