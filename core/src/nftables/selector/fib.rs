//! `fib`: a query of the routing tables (nft(8), "FIB EXPRESSIONS").

use crate::nftables::cursor::Cursor;
use crate::nftables::data_type::{BOOLEAN, DataType, FIB_ADDRTYPE, IFACE_INDEX, IFNAME};

/// The parts of the packet that a query may use.
const KEYS: [&str; 5] = ["saddr", "daddr", "mark", "iif", "oif"];

/// The result that a query asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FibResult {
    /// The type of the address.
    Type,
    /// The index of the interface.
    Oif,
    /// The name of the interface.
    Oifname,
    /// Whether there is a route.
    Check,
}

/// A query.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fib {
    /// The parts of the packet that it uses.
    pub keys: Vec<&'static str>,
    /// The result that it asks for.
    pub result: FibResult,
}

impl Fib {
    pub(super) fn parse(cursor: &mut Cursor) -> Option<Self> {
        cursor.next();
        let mut keys = Vec::new();
        loop {
            let word = cursor.word()?;
            keys.push(KEYS.into_iter().find(|key| *key == word)?);
            if !cursor.eat(".") {
                break;
            }
        }
        let result = match cursor.word()? {
            "type" => FibResult::Type,
            "oif" => FibResult::Oif,
            "oifname" => FibResult::Oifname,
            "check" => FibResult::Check,
            _ => return None,
        };
        Some(Self { keys, result })
    }

    pub(super) fn data_type(&self) -> &'static DataType {
        match self.result {
            FibResult::Type => &FIB_ADDRTYPE,
            FibResult::Oif => &IFACE_INDEX,
            FibResult::Oifname => &IFNAME,
            FibResult::Check => &BOOLEAN,
        }
    }

    pub(super) fn print(&self, out: &mut String) {
        let result = match self.result {
            FibResult::Type => "type",
            FibResult::Oif => "oif",
            FibResult::Oifname => "oifname",
            FibResult::Check => "check",
        };
        out.push_str(&format!("fib {} {result}", self.keys.join(" . ")));
    }
}
