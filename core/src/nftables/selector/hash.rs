//! `jhash` and `symhash`: a hash of the packet (nft(8), "HASH EXPRESSIONS").

use std::fmt::Write;

use super::Selector;
use crate::nftables::cursor::Cursor;
/// A hash.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hash {
    /// The hashed fields; empty for `symhash`, which hashes the addresses and ports.
    pub fields: Vec<Selector>,
    /// The number of different results.
    pub modulus: u32,
    /// The seed as written. Without it, the kernel chooses one.
    pub seed: Option<Box<str>>,
    /// The least result.
    pub offset: u32,
}

impl Hash {
    pub(super) fn parse(cursor: &mut Cursor) -> Option<Self> {
        let mut fields = Vec::new();
        if cursor.word()? == "jhash" {
            fields.push(Selector::parse(cursor)?);
            while cursor.eat(".") {
                fields.push(Selector::parse(cursor)?);
            }
        }
        let modulus = cursor.eat("mod").then(|| cursor.number()).flatten()?;
        let seed = match cursor.eat("seed") {
            true => Some(cursor.word()?.into()),
            false => None,
        };
        let offset = match cursor.eat("offset") {
            true => cursor.number()?,
            false => 0,
        };
        Some(Self {
            fields,
            modulus,
            seed,
            offset,
        })
    }

    pub(super) fn print(&self, out: &mut String) {
        out.push_str(if self.fields.is_empty() {
            "symhash"
        } else {
            "jhash"
        });
        for (place, field) in self.fields.iter().enumerate() {
            out.push_str(if place == 0 { " " } else { " . " });
            field.print(out);
        }
        let _ = write!(out, " mod {}", self.modulus);
        if let Some(seed) = &self.seed {
            let _ = write!(out, " seed {seed}");
        }
        if self.offset > 0 {
            let _ = write!(out, " offset {}", self.offset);
        }
    }
}
