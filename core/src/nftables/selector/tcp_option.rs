//! `tcp option`: an option of the TCP header (nft(8), "EXTENSION HEADER EXPRESSIONS").

use crate::nftables::cursor::Cursor;
use crate::nftables::data_type::{BOOLEAN, DataType, INTEGER};

/// The fields of options.
const FIELDS: [&str; 9] = [
    "kind", "length", "size", "count", "tsval", "tsecr", "left", "right", "value",
];

/// A field of an option, or the presence of the option.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TcpOption {
    /// The option: `maxseg`, or its number.
    pub option: Box<str>,
    /// The field; `None` for a test of the option's presence.
    pub field: Option<&'static str>,
}

impl TcpOption {
    pub(super) fn parse(cursor: &mut Cursor) -> Option<Self> {
        if !cursor.eat_all(&["tcp", "option"]) {
            return None;
        }
        let option = cursor.word()?.into();
        let field = FIELDS.into_iter().find(|field| cursor.eat(field));
        Some(Self { option, field })
    }

    pub(super) fn data_type(&self) -> &'static DataType {
        match self.field {
            Some(_) => &INTEGER,
            None => &BOOLEAN,
        }
    }

    pub(super) fn print(&self, out: &mut String) {
        out.push_str("tcp option ");
        out.push_str(&self.option);
        if let Some(field) = self.field {
            out.push(' ');
            out.push_str(field);
        }
    }
}
