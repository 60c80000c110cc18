//! The analysis of one packet beyond its walk: counterfactuals, senders, and its connection.

use std::rc::Rc;

use chainwalk_core::analysis::counterfactual::Flips;
use chainwalk_core::analysis::journey::{self, Choices, Journey};
use chainwalk_core::analysis::senders::{self, SenderClass};
use chainwalk_core::packet::Packet;

use crate::paste::Paste;
use crate::walked::Walked;

/// The analysis of one packet. The journey is on the map and is computed at once. The others take
/// hundreds of walks, and the idle queue computes them.
#[derive(Clone, Debug)]
pub struct PacketAnalysis {
    /// The walk that it analyzes.
    pub(crate) walked: Rc<Walked>,
    /// The legs of the packet's connection.
    pub(crate) journey: Rc<Journey>,
    /// Senders by the outcome of their packet.
    pub senders: Option<Rc<Vec<SenderClass>>>,
    /// The changes that change the outcome; `Some(None)` where the outcome is undetermined.
    pub(crate) flips: Option<Option<Rc<Flips>>>,
}

impl PacketAnalysis {
    /// Computes only the journey.
    pub(crate) fn new(paste: &Paste, walked: &Rc<Walked>, choices: &Choices) -> Self {
        let (rulesets, host, packet) = (paste.rulesets(), &paste.host, &walked.trace.packet);
        let journey = journey::journey(rulesets, host, paste.mesh.as_ref(), packet, choices);
        Self {
            walked: Rc::clone(walked),
            journey: Rc::new(journey),
            senders: None,
            flips: None,
        }
    }

    /// The packet that it analyzes.
    pub fn packet(&self) -> &Packet {
        &self.walked.trace.packet
    }

    /// Whether everything is computed.
    pub(crate) fn is_complete(&self) -> bool {
        self.flips.is_some() && self.senders.is_some()
    }

    /// The analysis with its counterfactuals; `None` where the outcome is undetermined.
    pub(crate) fn with_flips(&self, flips: Option<Rc<Flips>>) -> Self {
        Self {
            flips: Some(flips),
            ..self.clone()
        }
    }

    /// The analysis with its senders.
    pub(crate) fn with_senders(&self, paste: &Paste) -> Self {
        let (rulesets, packet) = (paste.rulesets(), self.packet());
        let constants = paste.constants(packet.family());
        let classes = senders::classes(rulesets, constants, &paste.host, packet);
        Self {
            senders: Some(Rc::new(classes)),
            ..self.clone()
        }
    }
}
