//! A packet as typed: a text for each field, in the form or in one line. Each text is checked while
//! the user types.

use strum::EnumCount;

use super::fields::{FormPlace, PacketField, PacketShape};
use super::{Family, NO_ADDRESS, Origin, Packet, Protocol};

/// An error in one field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldError {
    /// The field.
    pub field: PacketField,
    /// The reason, and a description of valid texts.
    pub message: String,
}

/// A packet as typed.
#[derive(Clone, Debug, PartialEq)]
pub struct PacketForm {
    texts: [String; PacketField::COUNT],
}

impl PacketForm {
    /// The form, filled with a packet's texts.
    pub fn from_packet(packet: &Packet) -> Self {
        let mut form = Self::empty();
        for field in PacketField::all() {
            form.set(field, field.text(packet));
        }
        form
    }

    /// The form before anything is typed.
    pub(super) fn empty() -> Self {
        Self {
            texts: std::array::from_fn(|_| String::new()),
        }
    }

    /// The text of a field.
    pub fn get(&self, field: PacketField) -> &str {
        &self.texts[field as usize]
    }

    /// Writes the text of a field.
    pub fn set(&mut self, field: PacketField, text: String) {
        self.texts[field as usize] = text;
    }

    /// Whether a packet with these texts has the field.
    pub fn applies(&self, field: PacketField) -> bool {
        field.applies(&PacketShape {
            local: self.get(PacketField::Origin) != "inbound",
            process: self.get(PacketField::Owner).is_empty(),
            protocol: Protocol::from_text(self.get(PacketField::Protocol).trim()),
            ipv6: self.get(PacketField::Dst).contains(':'),
        })
    }

    /// The packet, or all errors.
    ///
    /// # Errors
    /// At most one for each field.
    pub fn packet(&self) -> Result<Packet, Vec<FieldError>> {
        self.packet_of(|field| self.applies(field))
    }

    /// The packet of the fields that a filter selects.
    pub(super) fn packet_of(
        &self,
        has: impl Fn(PacketField) -> bool,
    ) -> Result<Packet, Vec<FieldError>> {
        let mut packet = Packet::to(Origin::Local, Protocol::TCP, NO_ADDRESS);
        let mut stated = [false; PacketField::COUNT];
        let mut errors = FieldErrors(Vec::new());
        for field in PacketField::all().filter(|field| has(*field)) {
            match self.get(field).trim() {
                "" => {}
                text => match field.row().kind.parse(text) {
                    Ok(content) => {
                        field.set(&mut packet, content);
                        stated[field as usize] = true;
                    }
                    Err(message) => errors.add(field, message),
                },
            }
        }
        let stated = |field: PacketField| stated[field as usize];
        if !stated(PacketField::Dst) {
            errors.add(PacketField::Dst, "a packet needs a destination address");
        }
        if !stated(PacketField::Protocol) {
            errors.add(PacketField::Protocol, "a packet needs a protocol");
        }
        match packet.src {
            Some(src)
                if stated(PacketField::Dst)
                    && Family::of_address(packet.dst) != Family::of_address(src) =>
            {
                errors.add(
                    PacketField::Src,
                    "both addresses must be IPv4, or both IPv6",
                );
            }
            None if packet.origin == Origin::Inbound => {
                errors.add(
                    PacketField::Src,
                    "a packet from outside needs a source address",
                );
            }
            _ => {}
        }
        match (packet.uid, packet.gid) {
            (Some(_), None) => errors.add(PacketField::Gid, "a socket has a gid, too"),
            (None, Some(_)) => errors.add(PacketField::Uid, "a socket has a uid, too"),
            _ => {}
        }
        // The other fields are names.
        if errors.0.is_empty() {
            match packet.check_fields() {
                Ok(()) => return Ok(packet),
                Err((field, message)) => errors.add(field, message),
            }
        }
        Err(errors.0)
    }
}

/// The errors of a form, at most one for each field.
struct FieldErrors(Vec<FieldError>);

impl FieldErrors {
    fn add(&mut self, field: PacketField, message: impl Into<String>) {
        if self.0.iter().all(|error| error.field != field) {
            self.0.push(FieldError {
                field,
                message: message.into(),
            });
        }
    }
}

/// The rows of the form: the main rows, or the details. Fields in one row belong together.
pub fn rows(details: bool) -> Vec<Vec<PacketField>> {
    let mut rows: Vec<Vec<PacketField>> = Vec::new();
    for field in PacketField::all() {
        let place = field.row().place;
        match (place, rows.last_mut()) {
            _ if (place == FormPlace::Details) != details => {}
            (FormPlace::Beside, Some(row)) => row.push(field),
            _ => rows.push(vec![field]),
        }
    }
    rows
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::scenario;
    use crate::packet::host::Host;
    use crate::packet::{IpFragment, TcpFlags};

    fn form() -> PacketForm {
        PacketForm::from_packet(&scenario::list(&Host::pod(), None)[0].packet)
    }

    #[test]
    fn a_packet_comes_back_as_it_went_in() {
        for scenario in scenario::list(&Host::pod(), None) {
            assert_eq!(
                PacketForm::from_packet(&scenario.packet).packet(),
                Ok(scenario.packet),
                "{}",
                scenario.key
            );
        }
    }

    #[test]
    fn every_field_of_the_contract_has_one_in_the_form() {
        let mut packet = form().packet().expect("a scenario's packet");
        packet.mss = Some(1400);
        packet.tcp_options = Some(Vec::new());
        packet.fragment = Some(IpFragment {
            offset: 0,
            more: true,
        });
        packet.tcp_flags = Some(TcpFlags(0x42));
        let json = serde_json::to_value(&packet).expect("plain data");
        for key in json.as_object().expect("an object").keys() {
            assert!(PacketField::all().any(|field| field.name() == key), "{key}");
        }
        assert_eq!(PacketForm::from_packet(&packet).packet(), Ok(packet));
    }

    fn wrong(field: PacketField, text: &str) -> Vec<(PacketField, String)> {
        let mut form = form();
        form.set(field, text.into());
        let wrong = form.packet().expect_err("something is wrong");
        wrong
            .into_iter()
            .map(|wrong| (wrong.field, wrong.message))
            .collect()
    }

    #[test]
    fn every_field_says_what_is_wrong_with_it() {
        let cases = [
            (PacketField::Uid, "-1", "a number from 0 to 4294967295"),
            (PacketField::Dport, "65536", "a number from 0 to 65535"),
            (PacketField::Dst, "1.2.3", "an address"),
            (PacketField::Protocol, "tpc", "a protocol"),
            (PacketField::Dscp, "64", "a number from 0 to 63"),
            (PacketField::TcpFlags, "SIN", "flags such as SYN"),
            (PacketField::Groups, "1 x", "numbers"),
            (PacketField::Ecn, "4", "a number from 0 to 3"),
            (PacketField::TcpOptions, "2 256", "numbers from 0 to 255"),
            (PacketField::Fragment, "8192", "an offset from 0 to 8191"),
            (PacketField::BoundInterface, "eth 0", "invalid interface"),
            (PacketField::State, "OLD", "a state"),
        ];
        for (field, text, part) in cases {
            let wrong = wrong(field, text);
            assert!(
                wrong
                    .iter()
                    .any(|(at, message)| *at == field && message.contains(part)),
                "{field:?}: {wrong:?}"
            );
        }
        assert_eq!(
            wrong(PacketField::Dst, ""),
            [(
                PacketField::Dst,
                "a packet needs a destination address".into()
            )]
        );
        assert_eq!(
            wrong(PacketField::Gid, ""),
            [(PacketField::Gid, "a socket has a gid, too".into())]
        );
        assert_eq!(
            wrong(PacketField::Src, "fd00::1"),
            [(
                PacketField::Src,
                "both addresses must be IPv4, or both IPv6".into()
            )]
        );
    }

    #[test]
    fn a_field_that_does_not_apply_is_not_read() {
        let mut form = form();
        form.set(PacketField::Dport, "nonsense".into());
        form.set(PacketField::Protocol, "icmp".into());
        assert_eq!(form.packet().map(|packet| packet.dport), Ok(None));
        form.set(PacketField::Origin, "inbound".into());
        assert_eq!(form.packet().map(|packet| packet.uid), Ok(None));
    }
}
