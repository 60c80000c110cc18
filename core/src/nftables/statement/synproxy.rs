//! `synproxy` (nft(8), "SYNPROXY STATEMENT").

use crate::nftables::cursor::Cursor;

/// The kernel completes the handshake in place of the server.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Synproxy {
    /// The maximum segment size.
    pub mss: Option<u16>,
    /// The window scale.
    pub window_scale: Option<u8>,
    /// `timestamp`, `sack-perm`.
    pub flags: Vec<Box<str>>,
}

impl Synproxy {
    pub(super) fn parse(cursor: &mut Cursor) -> Option<Self> {
        cursor.next();
        let mut synproxy = Self::default();
        loop {
            if cursor.eat("mss") {
                synproxy.mss = Some(cursor.number()?);
            } else if cursor.eat("wscale") {
                synproxy.window_scale = Some(cursor.number()?);
            } else if cursor.eat("timestamp") {
                synproxy.flags.push("timestamp".into());
            } else if cursor.eat("sack-perm") {
                synproxy.flags.push("sack-perm".into());
            } else {
                return Some(synproxy);
            }
        }
    }

    pub(super) fn print(&self, out: &mut String) {
        out.push_str("synproxy");
        if let Some(mss) = self.mss {
            out.push_str(&format!(" mss {mss}"));
        }
        if let Some(scale) = self.window_scale {
            out.push_str(&format!(" wscale {scale}"));
        }
        for flag in &self.flags {
            out.push_str(&format!(" {flag}"));
        }
    }
}
