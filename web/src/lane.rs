//! One of the two packets, as typed and walked.

use std::rc::Rc;

use chainwalk_core::netfilter::place::Place;
use chainwalk_core::netfilter::ruleset::Ruleset;
use chainwalk_core::packet::Packet;
use chainwalk_core::packet::form::{FieldError, PacketForm};
use chainwalk_core::packet::line::{self, LineError};

use crate::paste::Paste;
use crate::walked::Walked;

/// One of the two packets.
#[derive(Clone, Debug)]
pub(crate) struct Lane {
    /// Its fields.
    pub(crate) draft: PacketForm,
    /// Its line while that is typed in.
    pub(crate) line: Option<String>,
    /// What is wrong with that line: then the fields are still those of the last one that was
    /// right.
    pub(crate) mistake: Option<LineError>,
    /// The scenario it was filled in with, until a field is changed.
    pub(crate) scenario: Option<&'static str>,
    /// Its walk, or what is wrong with the fields.
    pub(crate) walked: Result<Rc<Walked>, Vec<FieldError>>,
}

impl Lane {
    /// A packet, not walked yet.
    pub(crate) fn of(packet: &Packet, scenario: Option<&'static str>) -> Self {
        Self {
            draft: PacketForm::from_packet(packet),
            line: None,
            mistake: None,
            scenario,
            walked: Err(Vec::new()),
        }
    }

    /// What its line is to show: what is being typed, or the packet that its fields make.
    pub(crate) fn says(&self) -> String {
        let made = || {
            self.draft
                .packet()
                .map(|packet| line::print(&packet))
                .unwrap_or_default()
        };
        self.line.clone().unwrap_or_else(made)
    }

    /// The line is typed in, or left.
    pub(crate) fn say(&mut self, text: Option<String>) {
        match text.as_deref().map(line::parse_packet_line) {
            Some(Ok(packet)) => {
                *self = Self {
                    line: text,
                    ..Self::of(&packet, None)
                }
            }
            Some(Err(mistake)) => {
                (self.line, self.mistake, self.scenario) = (text, Some(mistake), None)
            }
            // A mistake stays until it is mended, or a field is written.
            None if self.mistake.is_none() => self.line = None,
            None => {}
        }
    }

    /// A field was written: the line follows.
    pub(crate) fn wrote(&mut self) {
        (self.line, self.mistake, self.scenario) = (None, None, None);
    }

    /// Walks it again.
    pub(crate) fn walk(&mut self, paste: &Paste, settled: &[(Place, bool)]) {
        let walk = |packet: Packet| {
            let rulesets: &[Ruleset] = paste.rulesets();
            Rc::new(Walked::new(
                rulesets,
                paste.mesh.as_ref(),
                &paste.host,
                &packet,
                settled,
            ))
        };
        self.walked = match self.mistake {
            Some(_) => Err(Vec::new()),
            None => self.draft.packet().map(walk),
        };
    }
}
