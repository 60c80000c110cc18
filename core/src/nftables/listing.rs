//! Reads what `nft list ruleset` prints, and prints it again.

use super::cursor::Cursor;
use super::table::NativeTable;
use super::token::TokenKind;
use crate::text::diagnostic::Span;

/// The tables of a listing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Listing {
    /// The tables, in the order of the text.
    pub tables: Vec<NativeTable>,
    /// The words that belong to no table, or to no known part of one. Rules that are not understood
    /// are kept in their chains instead.
    pub problems: Vec<Span>,
}

impl Listing {
    /// Reads a text, also with other text before, between and after the tables. It never fails: what
    /// is not understood is in `problems` or opaque.
    pub fn read(text: &str) -> Self {
        let mut cursor = Cursor::new(text);
        let mut listing = Self::default();
        while let Some(token) = cursor.next() {
            if matches!(token.kind, TokenKind::End | TokenKind::Comment) {
                continue;
            }
            let table = match token.is_word("table") {
                true => NativeTable::parse(&mut cursor, &mut listing.problems),
                false => None,
            };
            match table {
                Some(table) => listing.tables.push(table),
                None => {
                    listing.problems.push(token.span);
                    cursor.skip_line();
                }
            }
        }
        listing
    }

    /// Prints the tables as `nft list ruleset` of version 1.1 does.
    pub fn print(&self) -> String {
        let mut out = String::new();
        for table in &self.tables {
            table.print(&mut out);
        }
        out
    }
}
