//! `quota` (nft(8), "QUOTA").

use crate::nftables::cursor::Cursor;

/// A quota. It holds until its amount is used up, or only after that.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quota {
    /// Whether it holds after the amount is used up.
    pub is_over: bool,
    /// The amount with its unit: `10 mbytes`.
    pub amount: Box<str>,
    /// The used amount.
    pub used: Option<Box<str>>,
}

impl Quota {
    pub(super) fn parse(cursor: &mut Cursor) -> Option<Self> {
        cursor.next();
        Self::parse_content(cursor)
    }

    /// Parses what follows `quota`, also in a named quota.
    pub(in crate::nftables) fn parse_content(cursor: &mut Cursor) -> Option<Self> {
        let is_over = cursor.eat("over");
        let _ = cursor.eat("until");
        let amount = parse_amount(cursor)?;
        let used = match cursor.eat("used") {
            true => Some(parse_amount(cursor)?),
            false => None,
        };
        Some(Self {
            is_over,
            amount,
            used,
        })
    }

    pub(super) fn print(&self, out: &mut String) {
        out.push_str("quota ");
        self.print_content(out);
    }

    pub(in crate::nftables) fn print_content(&self, out: &mut String) {
        if self.is_over {
            out.push_str("over ");
        }
        out.push_str(&self.amount);
        if let Some(used) = &self.used {
            out.push_str(&format!(" used {used}"));
        }
    }
}

fn parse_amount(cursor: &mut Cursor) -> Option<Box<str>> {
    let number: u64 = cursor.number()?;
    Some(format!("{number} {}", cursor.word()?).into())
}
