//! The rules and packets: exactly what undo, links and drafts keep.

use std::rc::Rc;

use chainwalk_core::netfilter::place::Place;
use chainwalk_core::packet::Packet;

use crate::packet_slot::PacketSlot;
use crate::paste::Paste;
use crate::side::Side;

/// The rules and packets.
#[derive(Clone, Debug)]
pub struct Workspace {
    /// The rules and their host.
    pub paste: Rc<Paste>,
    /// The rules as they were pasted, before any change in place.
    pub original: Rc<Paste>,
    /// The packets A and B.
    pub packets: [PacketSlot; 2],
    /// Whether B is shown.
    pub compare: bool,
    /// The lead: the packet with the large answer, which scenarios fill in. It is the one that
    /// changed last.
    pub lead: Side,
    /// Assumptions about undetermined rules: whether each matches.
    pub settled: Vec<(Place, bool)>,
    /// Saved packets, oldest first.
    pub saved_packets: Rc<Vec<Packet>>,
}

impl Workspace {
    /// Whether both hold the same rules and packets. Saved packets are not compared, because links
    /// omit them.
    pub(crate) fn same_work(&self, other: &Self) -> bool {
        let mut packets = self.packets.iter().zip(&other.packets);
        Rc::ptr_eq(&self.paste, &other.paste)
            && packets.all(|(one, other)| one.form == other.form)
            && (self.compare, self.lead) == (other.compare, other.lead)
            && self.settled == other.settled
    }

    /// Whether an undo step between both would change anything.
    pub(crate) fn is_undo_step(&self, other: &Self) -> bool {
        let mut packets = self.packets.iter().zip(&other.packets);
        !Rc::ptr_eq(&self.paste, &other.paste)
            || !Rc::ptr_eq(&self.original, &other.original)
            || self.compare != other.compare
            || packets.any(|(a, b)| (&a.form, a.scenario) != (&b.form, b.scenario))
            || self.saved_packets != other.saved_packets
    }

    /// Whether rules were changed since they were pasted.
    pub fn is_edited(&self) -> bool {
        !Rc::ptr_eq(&self.paste, &self.original)
    }

    /// A packet.
    pub fn slot(&self, side: Side) -> &PacketSlot {
        &self.packets[side as usize]
    }

    /// The shown packets.
    pub fn sides(&self) -> &'static [Side] {
        match (self.compare, self.lead) {
            (true, _) => &[Side::A, Side::B],
            (false, Side::A) => &[Side::A],
            (false, Side::B) => &[Side::B],
        }
    }
}
