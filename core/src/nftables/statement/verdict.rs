//! Verdicts (nft(8), "VERDICT STATEMENTS").

use crate::nftables::cursor::Cursor;

/// A verdict.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Ends the base chain. The chains after it still run.
    Accept,
    /// Drops the packet.
    Drop,
    /// Goes on with the next rule.
    Continue,
    /// Returns to the calling chain, or applies the policy of the base chain.
    Return,
    /// Continues in a chain. The packet returns to the next rule.
    Jump(Box<str>),
    /// Continues in a chain. When it ends, the packet returns to the caller of this chain.
    Goto(Box<str>),
}

impl Verdict {
    /// Parses a verdict. Takes nothing if the next word is none.
    pub(in crate::nftables) fn parse(cursor: &mut Cursor) -> Option<Self> {
        let mut ahead = cursor.clone();
        let verdict = match ahead.word()? {
            "accept" => Self::Accept,
            "drop" => Self::Drop,
            "continue" => Self::Continue,
            "return" => Self::Return,
            "jump" => Self::Jump(ahead.word()?.into()),
            "goto" => Self::Goto(ahead.word()?.into()),
            _ => return None,
        };
        *cursor = ahead;
        Some(verdict)
    }

    /// Prints it as `nft list ruleset` does.
    pub(in crate::nftables) fn print(&self, out: &mut String) {
        match self {
            Self::Accept => out.push_str("accept"),
            Self::Drop => out.push_str("drop"),
            Self::Continue => out.push_str("continue"),
            Self::Return => out.push_str("return"),
            Self::Jump(chain) => out.push_str(&format!("jump {chain}")),
            Self::Goto(chain) => out.push_str(&format!("goto {chain}")),
        }
    }
}
