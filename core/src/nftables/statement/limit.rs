//! `limit` (nft(8), "LIMIT STATEMENT").

use crate::nftables::cursor::Cursor;

/// A rate limit. Its state is not in a listing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limit {
    /// Whether it holds above the rate: `over`.
    pub is_over: bool,
    /// The rate as printed: `10/second`, `1 mbytes/second`.
    pub rate: Box<str>,
    /// The burst as printed: `5 packets`.
    pub burst: Option<Box<str>>,
}

impl Limit {
    pub(super) fn parse(cursor: &mut Cursor) -> Option<Self> {
        cursor.next();
        Self::parse_content(cursor)
    }

    /// Parses what follows `limit`, also in a named limit.
    pub(in crate::nftables) fn parse_content(cursor: &mut Cursor) -> Option<Self> {
        if !cursor.eat("rate") {
            return None;
        }
        let is_over = cursor.eat("over");
        let mut rate = cursor.word()?.to_owned();
        // `1 mbytes/second` and `10 / second`
        while let Some(next) = cursor.peek_word()
            && (next.contains('/') || rate.ends_with('/'))
        {
            let separator = match next.starts_with('/') || rate.ends_with('/') {
                true => "",
                false => " ",
            };
            rate = format!("{rate}{separator}{next}");
            cursor.next();
        }
        let burst = match cursor.eat("burst") {
            true => {
                let number: u64 = cursor.number()?;
                Some(format!("{number} {}", cursor.word()?).into())
            }
            false => None,
        };
        Some(Self {
            is_over,
            rate: rate.into(),
            burst,
        })
    }

    pub(super) fn print(&self, out: &mut String) {
        out.push_str("limit ");
        self.print_content(out);
    }

    pub(in crate::nftables) fn print_content(&self, out: &mut String) {
        out.push_str("rate ");
        if self.is_over {
            out.push_str("over ");
        }
        out.push_str(&self.rate);
        if let Some(burst) = &self.burst {
            out.push_str(&format!(" burst {burst}"));
        }
    }
}
