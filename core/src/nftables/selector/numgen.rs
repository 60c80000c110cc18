//! `numgen`: a generated number (nft(8), "NUMGEN EXPRESSION").

use std::fmt::Write;

use crate::nftables::cursor::Cursor;

/// A number generator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Numgen {
    /// Whether the numbers are random. Otherwise each is one greater than the last one.
    pub is_random: bool,
    /// The number of different results.
    pub modulus: u32,
    /// The least result.
    pub offset: u32,
}

impl Numgen {
    pub(super) fn parse(cursor: &mut Cursor) -> Option<Self> {
        cursor.next();
        let is_random = match cursor.word()? {
            "random" => true,
            "inc" => false,
            _ => return None,
        };
        let modulus = cursor.eat("mod").then(|| cursor.number()).flatten()?;
        let offset = match cursor.eat("offset") {
            true => cursor.number()?,
            false => 0,
        };
        Some(Self {
            is_random,
            modulus,
            offset,
        })
    }

    pub(super) fn print(self, out: &mut String) {
        let kind = if self.is_random { "random" } else { "inc" };
        let _ = write!(out, "numgen {kind} mod {}", self.modulus);
        if self.offset > 0 {
            let _ = write!(out, " offset {}", self.offset);
        }
    }
}
