//! Any text typed as a packet, in fields or in a line, becomes a packet or a list of errors. A
//! packet survives its line, and every packet can be walked.

#![no_main]

use chainwalk_core::analysis::scenario;
use chainwalk_core::input::parse::parse;
use chainwalk_core::packet::Packet;
use chainwalk_core::packet::fields::PacketField;
use chainwalk_core::packet::form::PacketForm;
use chainwalk_core::packet::host::Host;
use chainwalk_core::packet::line;
use chainwalk_fuzz::{SAMPLES, Wishes, Woven, ask_everything, weave};
use libfuzzer_sys::fuzz_target;

const KNOWN: &[&str] = &[
    "tcp ",
    "udp ",
    "icmp ",
    "icmpv6 ",
    "sctp ",
    "dccp ",
    "esp ",
    "132 ",
    "10.244.1.5:40000",
    "[fd00::1]:443",
    "1.1.1.1",
    "::1",
    " > ",
    "uid ",
    "gid ",
    "groups ",
    "owner kernel",
    "owner none",
    "out",
    "in ",
    "eth0",
    "lo",
    "mark ",
    "0x539",
    "connmark ",
    "dscp ",
    "ecn ",
    "ttl ",
    "length ",
    "mss ",
    "options ",
    "flags ",
    "SYN,ACK",
    "NONE",
    "state ",
    "ESTABLISHED",
    "RELATED",
    "INVALID",
    "reply",
    "direction ",
    "type ",
    "code ",
    "spi ",
    "chunks ",
    "DATA,INIT",
    "fragment ",
    "offset ",
    "more",
    "headers ",
    "mac ",
    "02:42:0a:f4:01:05",
    "4294967295",
    "-1",
    "65536",
    "0",
    "é",
    "broadcast",
    "bound ",
    "bridged",
    ",",
];

#[derive(arbitrary::Arbitrary, Debug)]
struct Typed<'a> {
    rules: u8,
    line: Vec<Woven<'a>>,
    base: u8,
    fields: Vec<(u8, Value<'a>)>,
    wishes: Wishes,
}

#[derive(arbitrary::Arbitrary, Debug)]
enum Value<'a> {
    Example,
    Choice(u8),
    Known(u8),
    Number(u32),
    Text(&'a str),
}

fn value(field: PacketField, value: &Value) -> String {
    match value {
        Value::Example => field.row().example.into(),
        Value::Choice(place) => {
            let choices = field.row().kind.choices();
            if choices.is_empty() {
                String::new()
            } else {
                choices[*place as usize % choices.len()].0.into()
            }
        }
        Value::Known(place) => KNOWN[*place as usize % KNOWN.len()].trim().into(),
        Value::Number(number) => number.to_string(),
        Value::Text(text) => (*text).into(),
    }
}

fn check(packet: &Packet) {
    let printed = line::print(packet);
    match line::parse_packet_line(&printed) {
        Ok(again) => assert_eq!(again, *packet, "{printed}"),
        Err(mistake) => panic!("{printed}: {}", mistake.message),
    }
    assert_eq!(
        PacketForm::from_packet(packet).packet().as_ref(),
        Ok(packet)
    );
}

fuzz_target!(|typed: Typed| {
    let text = weave(&typed.line, KNOWN);
    let mut packets = Vec::new();
    match line::parse_packet_line(&text) {
        Ok(packet) => packets.push(packet),
        Err(mistake) => assert!(mistake.column >= 1 && mistake.column <= text.chars().count() + 1),
    }
    let usual = scenario::list(&Host::pod(), None);
    let mut draft = PacketForm::from_packet(&usual[typed.base as usize % usual.len()].packet);
    for (place, typed) in &typed.fields {
        let fields: Vec<PacketField> = PacketField::all().collect();
        let field = fields[*place as usize % fields.len()];
        let value = value(field, typed);
        let _ = field.phrase(&value);
        draft.set(field, value);
    }
    match draft.packet() {
        Ok(packet) => packets.push(packet),
        Err(wrong) => assert!(!wrong.is_empty()),
    }
    packets.iter().for_each(check);
    if let [_, ..] = packets[..] {
        let (_, rules, host) = SAMPLES[typed.rules as usize % SAMPLES.len()];
        let host = host.map_or_else(Host::pod, |json| {
            Host::from_json(json).expect("a sample's host")
        });
        ask_everything(&parse(rules), &host, &packets, typed.wishes);
    }
});
