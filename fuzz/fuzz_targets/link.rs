//! Any content of a link or a shared file can be shown.

#![no_main]

use chainwalk_core::input::parse;
use chainwalk_core::mesh;
use chainwalk_core::packet::form::PacketForm;
use chainwalk_core::share::link::{self, Shared};
use chainwalk_fuzz::{Wishes, ask_everything, check_places};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let shared = match Shared::from_file(text) {
        Some(shared) => shared.ok(),
        None => link::read_link(text).ok().flatten(),
    };
    let Some(shared) = shared else { return };
    let parsed = parse::parse(shared.text.clone());
    check_places(&parsed);
    let mesh = parsed.rulesets.iter().find_map(mesh::recognise);
    let host = shared.host.clone().or(parsed.host.clone());
    let host = host.unwrap_or_else(|| mesh::usual_host(&parsed.rulesets, mesh.as_ref()));
    // The page shows packets as forms and walks the valid ones.
    let packets: Vec<_> = shared
        .packets
        .iter()
        .filter_map(|packet| PacketForm::from_packet(packet).packet().ok())
        .collect();
    let settled: Vec<_> = shared
        .settled
        .iter()
        .filter_map(|settled| settled.place(&parsed.rulesets))
        .collect();
    let wishes = Wishes {
        settled: settled.len() as u32,
        cursor: shared.step.unwrap_or(3) as u16,
        ..Wishes::default()
    };
    ask_everything(&parsed, &host, &packets, wishes);
    if let Ok(Some(again)) = link::read_link(&shared.fragment()) {
        assert_eq!(again, shared);
    }
});
