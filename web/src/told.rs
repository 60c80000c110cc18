//! What there is to say of one packet beyond its walk: who else, what would flip it, and where its connection goes on.

use chainwalk_core::flip::{self, Flips};
use chainwalk_core::journey::{self, Choices, Journey};
use chainwalk_core::owners::{self, Class};
use chainwalk_core::packet::Packet;

use crate::paste::Paste;
use crate::walked::Walked;

/// All of it.
#[derive(Debug)]
pub(crate) struct Told {
    /// The packet that it is about.
    pub(crate) packet: Packet,
    /// Senders by what becomes of their packet.
    pub(crate) owners: Vec<Class>,
    /// What would have altered its end; nothing where a dump cannot tell that end.
    pub(crate) flips: Option<Flips>,
    /// Its connection, as legs.
    pub(crate) journey: Journey,
}

impl Told {
    /// Works it out: some hundred walks, fewer where rules are many.
    pub(crate) fn new(paste: &Paste, walked: &Walked, choices: &Choices) -> Self {
        let (rulesets, host, packet) = (paste.rulesets(), &paste.host, &walked.trace.packet);
        Self {
            packet: packet.clone(),
            owners: owners::classes(rulesets, host, packet),
            flips: walked.trace.verdict().map(|_| flip::find(rulesets, host, &walked.trace)),
            journey: journey::journey(rulesets, host, paste.mesh.as_ref(), packet, choices),
        }
    }
}
