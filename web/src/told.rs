//! What there is to say of one packet beyond its walk: who else, what would flip it, and where its
//! connection goes on.

use std::cell::OnceCell;
use std::rc::Rc;

use chainwalk_core::analysis::counterfactual::{self, Flips};
use chainwalk_core::analysis::journey::{self, Choices, Journey};
use chainwalk_core::analysis::senders::{self, Class};
use chainwalk_core::packet::Packet;

use crate::paste::Paste;
use crate::walked::Walked;

/// All of it. The journey is on the map and known at once; the others take some hundred walks and
/// are worked out behind the first look.
#[derive(Debug)]
pub(crate) struct Told {
    walked: Rc<Walked>,
    /// Its connection, as legs.
    pub(crate) journey: Journey,
    owners: OnceCell<Vec<Class>>,
    flips: OnceCell<Option<Flips>>,
}

impl Told {
    pub(crate) fn new(paste: &Paste, walked: &Rc<Walked>, choices: &Choices) -> Self {
        let (rulesets, host, packet) = (paste.rulesets(), &paste.host, &walked.trace.packet);
        let journey = journey::journey(rulesets, host, paste.mesh.as_ref(), packet, choices);
        Self {
            walked: Rc::clone(walked),
            journey,
            owners: OnceCell::new(),
            flips: OnceCell::new(),
        }
    }

    /// The packet that it is about.
    pub(crate) fn packet(&self) -> &Packet {
        &self.walked.trace.packet
    }

    /// Senders by what becomes of their packet, once that is known.
    pub(crate) fn owners(&self) -> Option<&[Class]> {
        self.owners.get().map(|owners| &**owners)
    }

    /// What would have altered its end, once that is known; nothing then where a dump cannot tell
    /// that end.
    pub(crate) fn flips(&self) -> Option<Option<&Flips>> {
        self.flips.get().map(Option::as_ref)
    }

    /// Whether all is known.
    pub(crate) fn is_whole(&self) -> bool {
        self.flips().is_some() && self.owners().is_some()
    }

    /// Works out the next that is not known; says whether that was the last.
    pub(crate) fn work(&self, paste: &Paste) -> bool {
        let (rulesets, host, packet) = (paste.rulesets(), &paste.host, self.packet());
        let constants = paste.constants(packet.family());
        if self.flips().is_none() {
            let find = |_| counterfactual::find(rulesets, constants, host, &self.walked.trace);
            self.flips
                .get_or_init(|| self.walked.trace.verdict().map(find));
            return false;
        }
        self.owners
            .get_or_init(|| senders::classes(rulesets, constants, host, packet));
        true
    }
}
