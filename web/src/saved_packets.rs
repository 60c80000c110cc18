//! Saved packets, to compare more than two: each with where it ends.

use std::borrow::Cow;
use std::rc::Rc;

use chainwalk_core::analysis::explain::Fate;
use chainwalk_core::netfilter::place::Place;
use chainwalk_core::packet::Packet;
use chainwalk_core::walk::walk;

use crate::paste::{self, Paste};
use crate::side::Side;

/// The largest number of saved packets.
pub(crate) const MAX_SAVED_PACKETS: usize = 40;

/// A packet with where it ends.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct SavedPacket {
    /// The packet.
    pub(crate) packet: Packet,
    /// Where it ends.
    pub(crate) fate: Fate,
    /// The end in a word: a port or an interface.
    pub(crate) end: Cow<'static, str>,
    /// The rule or policy that decided.
    pub(crate) decided_by: Option<Place>,
}

/// All of them, in the order in which they were saved.
pub(crate) type SavedPackets = Rc<Vec<SavedPacket>>;

/// A change of the saved packets.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum SavedPacketAction {
    /// Saves the packet of that side.
    Add(Side),
    /// Removes one.
    Remove(usize),
    /// Shows one as the packet of that side.
    Load(usize, Side),
}

/// Walks a packet.
pub(crate) fn walk_saved(paste: &Paste, packet: Packet) -> SavedPacket {
    let trace = walk(paste.rulesets(), None, &paste.host, &packet);
    let verdict = trace.verdict();
    let end = verdict.map_or("depends".into(), paste::format_end);
    SavedPacket {
        fate: Fate::from_verdict(verdict),
        end,
        decided_by: verdict.and_then(|verdict| verdict.decided_by),
        packet,
    }
}

/// Walks all of them through other rules.
pub(crate) fn walk_all_saved(packets: &SavedPackets, paste: &Paste) -> SavedPackets {
    Rc::new(
        packets
            .iter()
            .map(|one| walk_saved(paste, one.packet.clone()))
            .collect(),
    )
}
