//! One of the two packets, with its line as typed.

use std::rc::Rc;

use chainwalk_core::netfilter::place::Place;
use chainwalk_core::packet::Packet;
use chainwalk_core::packet::form::{FieldError, PacketForm};
use chainwalk_core::packet::line::{self, LineError};

use crate::paste::Paste;
use crate::walked::Walked;

/// One of the two packets.
#[derive(Clone, Debug)]
pub struct PacketSlot {
    /// Its fields.
    pub form: PacketForm,
    /// The text of its line during typing.
    pub line: Option<String>,
    /// The error in that line. The fields keep the values of the last valid line.
    pub line_error: Option<LineError>,
    /// The scenario that filled it in, until a field changes.
    pub scenario: Option<&'static str>,
}

impl PacketSlot {
    /// A packet.
    pub fn new(packet: &Packet, scenario: Option<&'static str>) -> Self {
        Self {
            form: PacketForm::from_packet(packet),
            line: None,
            line_error: None,
            scenario,
        }
    }

    /// The text of its line: the typed text, or the one for its fields.
    pub fn line_text(&self) -> String {
        self.line.clone().unwrap_or_else(|| {
            let packet = self.form.packet();
            packet
                .map(|packet| line::print(&packet))
                .unwrap_or_default()
        })
    }

    /// Takes the typed text, or ends the typing.
    pub(crate) fn type_line(&mut self, text: Option<String>) {
        match text.as_deref().map(line::parse_packet_line) {
            Some(Ok(packet)) => {
                *self = Self {
                    line: text,
                    ..Self::new(&packet, None)
                }
            }
            Some(Err(error)) => {
                (self.line, self.line_error, self.scenario) = (text, Some(error), None)
            }
            // An error stays until the line is valid, or a field changes.
            None if self.line_error.is_none() => self.line = None,
            None => {}
        }
    }

    /// A field changed: the line shows the new packet.
    pub(crate) fn reset_line(&mut self) {
        (self.line, self.line_error, self.scenario) = (None, None, None);
    }

    /// Its walk, or the invalid fields.
    pub(crate) fn walk(
        &self,
        paste: &Paste,
        settled: &[(Place, bool)],
    ) -> Result<Rc<Walked>, Vec<FieldError>> {
        if self.line_error.is_some() {
            return Err(Vec::new());
        }
        let packet = self.form.packet()?;
        let mesh = paste.mesh.as_ref();
        let walked = Walked::new(paste.rulesets(), mesh, &paste.host, &packet, settled);
        Ok(Rc::new(walked))
    }
}
