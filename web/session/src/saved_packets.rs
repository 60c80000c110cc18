//! The outcomes of saved packets, to compare more than two.

use std::borrow::Cow;

use chainwalk_core::analysis::explain::Fate;
use chainwalk_core::netfilter::place::Place;
use chainwalk_core::packet::Packet;
use chainwalk_core::walk::walk;

use crate::paste::Paste;
use crate::phrases::format_end;
use crate::side::Side;

/// The largest number of saved packets.
pub const MAX_SAVED_PACKETS: usize = 40;

/// A saved packet with its outcome.
#[derive(Clone, Debug, PartialEq)]
pub struct SavedPacket {
    /// The packet.
    pub packet: Packet,
    /// The outcome.
    pub fate: Fate,
    /// The place where it ends, in a word: a port or an interface.
    pub end: Cow<'static, str>,
    /// The deciding rule or policy.
    pub decided_by: Option<Place>,
}

/// A change of the saved packets.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum SavedPacketAction {
    /// Saves the packet of a side.
    Add(Side),
    /// Removes a saved packet.
    Remove(usize),
    /// Shows a saved packet on a side.
    Load(usize, Side),
}

/// Walks a packet.
pub(crate) fn walk_saved(paste: &Paste, packet: Packet) -> SavedPacket {
    let trace = walk(paste.rulesets(), None, &paste.host, &packet);
    let verdict = trace.verdict();
    let end = verdict.map_or("depends".into(), format_end);
    SavedPacket {
        fate: Fate::from_verdict(verdict),
        end,
        decided_by: verdict.and_then(|verdict| verdict.decided_by),
        packet,
    }
}
