//! Packets set aside, to compare more than two: each with where it ends.

use std::borrow::Cow;
use std::rc::Rc;

use chainwalk_core::analysis::explain::Fate;
use chainwalk_core::netfilter::place::Place;
use chainwalk_core::packet::Packet;
use chainwalk_core::walk::walk;

use crate::paste::{self, Paste};
use crate::side::Side;

/// More than anyone compares.
pub(crate) const MOST: usize = 40;

/// A packet with where it ends.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Kept {
    /// The packet.
    pub(crate) packet: Packet,
    /// Where it ends.
    pub(crate) fate: Fate,
    /// The same in a word: a port or an interface.
    pub(crate) end: Cow<'static, str>,
    /// The rule or policy that decided.
    pub(crate) decided_by: Option<Place>,
}

/// All of them, in the order in which they came.
pub(crate) type Shelf = Rc<Vec<Kept>>;

/// What can happen to them.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Do {
    /// The packet of that side is set aside.
    Add(Side),
    /// One is taken away.
    Remove(usize),
    /// One becomes the packet of that side.
    Load(usize, Side),
}

/// Walks a packet.
pub(crate) fn kept(paste: &Paste, packet: Packet) -> Kept {
    let trace = walk(paste.rulesets(), None, &paste.host, &packet);
    let verdict = trace.verdict();
    let end = verdict.map_or("depends".into(), paste::end);
    Kept {
        fate: Fate::from_verdict(verdict),
        end,
        decided_by: verdict.and_then(|verdict| verdict.decided_by),
        packet,
    }
}

/// Walks all of them again, by other rules.
pub(crate) fn again(shelf: &Shelf, paste: &Paste) -> Shelf {
    Rc::new(
        shelf
            .iter()
            .map(|one| kept(paste, one.packet.clone()))
            .collect(),
    )
}
