//! What was packed comes back as it was, whatever it was; what is damaged does not.

use chainwalk_pack::{pack, unpack};
use proptest::{collection::vec, prelude::*};

fn comes_back(pieces: &[&[u8]]) {
    let unpacked = unpack(&pack(pieces)).expect("it is not damaged");
    assert_eq!(unpacked, pieces);
}

#[test]
fn little_and_nothing() {
    comes_back(&[]);
    comes_back(&[b""]);
    comes_back(&[b"", b"a", b""]);
    comes_back(&[b"\0"]);
    comes_back(&[b"\0asm\x01\0\0\0"]);
    comes_back(&[&[0; 100_000]]);
    comes_back(&[&[255; 3]]);
    comes_back(&[&(0..=255).collect::<Vec<u8>>().repeat(3)]);
}

#[test]
fn numbers_without_an_end() {
    for section in [1, 10, 11] {
        comes_back(&[&[&b"\0asm\x01\0\0\0"[..], &[section], &[0xff; 40]].concat()]);
    }
    // A function in which every instruction's numbers go on beyond it.
    for op in 0..=255 {
        let code = [&b"\0asm\x01\0\0\0\x0a\x20\x01\x1e\x00"[..], &[op], &[0xff; 12], &[op; 40]].concat();
        comes_back(&[&code]);
    }
}

#[test]
fn what_repeats_takes_little_room() {
    let text = "-A ISTIO_OUTPUT -m owner --uid-owner 1337 -j RETURN\n".repeat(1000);
    let packed = pack(&[text.as_bytes()]);
    assert!(packed.len() < 500, "{}", packed.len());
}

/// Sections with their numbers and sizes, which now and then lie, and functions of any bytes.
fn program() -> impl Strategy<Value = Vec<u8>> {
    let function = (vec(any::<u8>(), 0..60), 0..3_u8)
        .prop_map(|(body, lie)| [&[body.len() as u8 + 1 + lie / 2, 0], &body[..]].concat());
    let code = vec(function, 0..5).prop_map(|functions| [&[functions.len() as u8], &functions.concat()[..]].concat());
    let section =
        prop_oneof![(Just(10), code.boxed()), (prop_oneof![Just(11), 0..13_u8], vec(any::<u8>(), 0..80).boxed())];
    let section = (section, 0..8_u16).prop_map(|((number, content), lie)| {
        let size = content.len() as u16 + lie / 7;
        [&[number, size as u8 | 128, (size >> 7) as u8 & 127], &content[..]].concat()
    });
    vec(section, 0..6).prop_map(|sections| [&b"\0asm\x01\0\0\0"[..], &sections.concat()].concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn any_bytes(pieces in vec(vec(any::<u8>(), 0..400), 0..4)) {
        comes_back(&pieces.iter().map(|piece| &piece[..]).collect::<Vec<_>>());
    }

    #[test]
    fn programs(program in program(), text in "[a-c ]{0,200}") {
        comes_back(&[&program, text.as_bytes()]);
    }

    #[test]
    fn damage_is_seen(program in program(), place in any::<prop::sample::Index>(), change in 1..=255_u8, keep in any::<prop::sample::Index>()) {
        let packed = pack(&[&program]);
        let mut changed = packed.clone();
        *place.get_mut(&mut changed) ^= change;
        prop_assert_eq!(unpack(&changed), None);
        prop_assert_eq!(unpack(&packed[..keep.index(packed.len())]), None);
    }
}
