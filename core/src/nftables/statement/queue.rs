//! `queue`: passes the packet to a program (nft(8), "QUEUE STATEMENT").

use crate::nftables::cursor::Cursor;
use crate::nftables::data_type::INTEGER;
use crate::nftables::expression::Expression;

/// A queue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Queue {
    /// `bypass`, `fanout`.
    pub flags: Vec<Box<str>>,
    /// The number of the queue, or an expression that chooses one. Queue 0 without it.
    pub number: Expression,
}

impl Queue {
    pub(super) fn parse(cursor: &mut Cursor) -> Option<Self> {
        cursor.next();
        let mut flags = Vec::new();
        if cursor.eat("flags") {
            flags.push(cursor.word()?.into());
            while cursor.eat_symbol(",") {
                flags.push(cursor.word()?.into());
            }
        }
        let has_number = cursor.eat("to") || cursor.eat("num");
        let number = match has_number {
            true => Expression::parse_computed(cursor, &INTEGER)?,
            false => Expression::Literal(crate::nftables::literal::Literal::Number(0), &INTEGER),
        };
        while cursor.eat("bypass") {
            flags.push("bypass".into());
        }
        Some(Self { flags, number })
    }

    pub(super) fn print(&self, out: &mut String) {
        out.push_str("queue");
        if !self.flags.is_empty() {
            out.push_str(&format!(" flags {}", self.flags.join(",")));
        }
        out.push_str(" to ");
        self.number.print(out);
    }
}
