//! The table of packet fields: every row is complete, and every content survives the JSON, the form
//! and the line.

use std::collections::BTreeSet;
use std::net::IpAddr;

use chainwalk_core::packet::content::{Content, FieldKind};
use chainwalk_core::packet::fields::{PacketField, PacketShape, Presence};
use chainwalk_core::packet::form::{self, PacketForm};
use chainwalk_core::packet::hook::Hook;
use chainwalk_core::packet::value::FieldValue;
use chainwalk_core::packet::view::{BridgeInfo, BridgeOutput, View};
use chainwalk_core::packet::{Origin, Packet, Protocol, line};
use proptest::prelude::*;

/// A packet that has the field.
fn base(field: PacketField) -> Packet {
    let (four, six) = (
        [192, 0, 2, 1].into(),
        [0x2001, 0xdb8, 0, 0, 0, 0, 0, 1].into(),
    );
    let to = |origin, protocol, dst: IpAddr| Packet {
        src: Some(dst),
        ..Packet::to(origin, protocol, dst)
    };
    match field.row().presence {
        Presence::Always | Presence::Local | Presence::Ports => {
            to(Origin::Local, Protocol::TCP, four)
        }
        Presence::Process => Packet::tcp((four, 40_000), (four, 443), 1000, 1000),
        Presence::Inbound => to(Origin::Inbound, Protocol::TCP, four),
        Presence::Protocols(protocols) => to(Origin::Local, protocols[0], four),
        Presence::Ipv6 => to(Origin::Local, Protocol::TCP, six),
    }
}

/// Texts of a kind as they are printed.
fn texts(kind: FieldKind) -> Vec<String> {
    let texts: &[&str] = match kind {
        FieldKind::Number(highest) => {
            return [0, 1, highest / 2, highest]
                .map(|number| number.to_string())
                .into();
        }
        FieldKind::Origin
        | FieldKind::Owner
        | FieldKind::State
        | FieldKind::Direction
        | FieldKind::Flag
        | FieldKind::PacketType => {
            let choices = kind.choices().iter().map(|(choice, _)| *choice);
            return choices
                .filter(|choice| !choice.is_empty())
                .map(str::to_owned)
                .collect();
        }
        FieldKind::Interface => &["eth0", "lo", "a.b@c"],
        FieldKind::Mac => &["02:42:0a:f4:01:05"],
        FieldKind::Address => &["203.0.113.9", "0.0.0.0"],
        FieldKind::Protocol => &["tcp", "udp", "icmpv6", "esp", "0", "255"],
        FieldKind::Mark => &["0", "0x1", "0xffffffff"],
        FieldKind::TcpFlags => &["SYN", "SYN,ACK", "NONE", "FIN,SYN,RST,PSH,ACK,URG,ECE,CWR"],
        FieldKind::Ids => &["27", "27,1000"],
        FieldKind::Bytes => &["none", "2", "2,4,8"],
        FieldKind::Names("headers") => &["none", "none,", "hop-by-hop,frag", "43"],
        FieldKind::Names(_) => &["none", "DATA", "DATA,INIT"],
        FieldKind::Fragment => &["0", "0+", "185", "8191+"],
    };
    texts.iter().map(|text| (*text).to_owned()).collect()
}

/// Each field with each of its texts, and a packet that states it.
fn cases() -> impl Iterator<Item = (PacketField, String, Packet)> {
    PacketField::all().flat_map(|field| {
        texts(field.row().kind).into_iter().map(move |text| {
            let mut packet = base(field);
            let content = field.row().kind.parse(&text).expect("the text is right");
            field.set(&mut packet, content.clone());
            assert_eq!(field.get(&packet), content, "{field:?} {text}");
            (field, text, packet)
        })
    })
}

#[test]
fn every_row_is_whole() {
    let mut labels = BTreeSet::new();
    let mut in_lines = BTreeSet::new();
    for field in PacketField::all() {
        let row = field.row();
        assert!(
            !row.label.is_empty() && labels.insert(row.label),
            "{field:?} has a label of its own"
        );
        assert_ne!(row.kind, FieldKind::Number(0), "{field:?} has a kind");
        assert!(
            row.in_line.is_none_or(|name| in_lines.insert(name)),
            "{field:?} has a name of its own in a line"
        );
        assert!(
            row.trial
                .as_ref()
                .is_none_or(|trial| !trial.noun.is_empty()),
            "{field:?} has a noun"
        );
        assert_eq!(
            field.name().parse(),
            Ok(field),
            "its JSON name leads back to it"
        );
        assert!(
            field.applies(&PacketShape::from_packet(&base(field))),
            "{field:?} is in its packets"
        );
        let bounded = row.region.is_some_and(|region| region.bounded);
        assert!(
            !bounded || row.kind.bits(base(field).family()).is_some(),
            "{field:?} has bounds"
        );
    }
    use PacketField::{Dport, Dst, InInterface, Origin, Protocol, Sport, Src};
    let unnamed = PacketField::all().filter(|field| field.row().in_line.is_none());
    assert_eq!(
        unnamed.collect::<Vec<_>>(),
        [Origin, InInterface, Protocol, Src, Sport, Dst, Dport]
    );
}

#[test]
fn the_form_shows_every_field_once() {
    let rows = [form::rows(false), form::rows(true)].concat();
    assert!(rows.iter().all(|row| row.len() <= 2));
    let mut shown = rows.concat();
    shown.sort();
    assert_eq!(shown, PacketField::all().collect::<Vec<_>>());
}

#[test]
fn every_content_comes_back_from_the_json() {
    let plain = Packet::to(Origin::Local, Protocol::TCP, [192, 0, 2, 1].into());
    for (field, text, packet) in cases() {
        let json = serde_json::to_value(&packet).expect("plain data");
        let names = json.as_object().expect("an object");
        for name in names.keys() {
            assert!(name.parse::<PacketField>().is_ok(), "`{name}` has a row");
        }
        let is_default = field.get(&packet) == field.get(&plain);
        assert!(
            names.contains_key(field.name()) || is_default,
            "{field:?} {text} is in {json}"
        );
        assert_eq!(
            Packet::from_json(&json.to_string()).map_err(|error| error.to_string()),
            Ok(packet),
            "{field:?} {text}"
        );
    }
}

#[test]
fn every_content_comes_back_from_the_form() {
    for (field, text, packet) in cases() {
        let mut form = PacketForm::from_packet(&base(field));
        form.set(field, format!(" {text} "));
        assert_eq!(form.packet().as_ref(), Ok(&packet), "{field:?} {text}");
        let form = PacketForm::from_packet(&packet);
        assert_eq!(form.get(field), text, "{field:?}");
        assert_eq!(form.packet(), Ok(packet), "{field:?} {text}");
    }
}

#[test]
fn every_content_comes_back_from_the_line() {
    for (field, text, packet) in cases() {
        let line = line::print(&packet);
        assert_eq!(
            line::parse_packet_line(&line),
            Ok(packet),
            "{field:?} {text}: {line}"
        );
    }
}

#[test]
fn every_content_is_seen_by_the_walk() {
    for (field, text, packet) in cases() {
        let kind = field.row().kind;
        let output = match (&packet.physdev_out, packet.bridged) {
            (Some(port), _) => BridgeOutput::Port(port.clone()),
            (None, Some(true)) => BridgeOutput::Unknown,
            _ => BridgeOutput::None,
        };
        let view = View {
            in_interface: packet.in_interface.clone(),
            state: packet.state,
            bridge: BridgeInfo {
                exists: Some(true),
                input: packet.physdev_in.clone(),
                output,
            },
            ..View::new(&packet, packet.src.unwrap_or(packet.dst), Hook::Prerouting)
        };
        let value = field.value(&packet, &view);
        let is_list = matches!(
            kind,
            FieldKind::Ids | FieldKind::Bytes | FieldKind::Names(_)
        );
        match (field.get(&packet), &value) {
            (_, FieldValue::Unknown(_)) => assert!(is_list, "{field:?} {text}"),
            (Content::Number(number), FieldValue::Number(seen))
                if field != PacketField::IcmpType =>
            {
                assert_eq!(number, *seen, "{field:?}");
            }
            (Content::Address(address), FieldValue::Address(seen)) => {
                assert_eq!(address, *seen, "{field:?}")
            }
            (Content::Text(name), FieldValue::Name(seen)) => assert_eq!(name, **seen, "{field:?}"),
            (Content::Flag(flag), FieldValue::Number(seen)) => assert_eq!(u32::from(flag), *seen),
            (Content::State(state), FieldValue::Bits(seen)) => assert_eq!(state.bit(), *seen),
            (Content::Number(_) | Content::Fragment(_), FieldValue::Number(_)) => {}
            (Content::Origin(_) | Content::Direction(_), FieldValue::Name(seen)) => {
                assert_eq!(*seen, text)
            }
            (Content::Owner(_), FieldValue::Number(_) | FieldValue::Absent(_)) => {}
            (Content::Text(_), FieldValue::Mac(_)) => {}
            (content, _) => panic!("{field:?}: {content:?} is seen as {value:?}"),
        }
    }
}

proptest! {
    #[test]
    fn a_number_that_a_packet_is_given_is_the_number_that_it_has(number in any::<u32>(), low in 0..300_u32) {
        for field in PacketField::all() {
            for number in [number, low] {
                let changed = field.with_number(&base(field), number);
                let found = changed.as_ref().and_then(|packet| field.number(packet));
                prop_assert!(found.is_none() || found == Some(number), "{:?}", field);
                if let Some(highest) = field.row().kind.highest().filter(|_| found.is_some()) {
                    prop_assert!(number <= highest || field == PacketField::IcmpType, "{:?}", field);
                }
            }
        }
    }

    #[test]
    fn no_text_is_too_odd_for_a_field(text in "\\PC{0,20}") {
        for field in PacketField::all() {
            if let Ok(content) = field.row().kind.parse(&text) {
                let mut packet = base(field);
                field.set(&mut packet, content.clone());
                let printed = field.text(&packet);
                prop_assert_eq!(field.row().kind.parse(&printed), Ok(content), "{:?} {}", field, printed);
            }
        }
    }
}
