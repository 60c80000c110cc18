//! Any text is parsed, printed, walked and explained without a panic. Every position is within the
//! text, printed rules parse back unchanged, and every offered edit can be made.

#![no_main]

use chainwalk_core::analysis::{explain, report, scenario};
use chainwalk_core::input::parse;
use chainwalk_core::mesh;
use chainwalk_core::packet::host::Host;
use chainwalk_core::walk;
use chainwalk_fuzz::{check_places, check_printed};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let parsed = parse::parse(text);
    check_places(&parsed);
    check_printed(&parsed);
    if let Some(fix) = parsed
        .diagnostics
        .iter()
        .flat_map(|diagnostic| &diagnostic.fixes)
        .next()
    {
        let _ = parse::parse(fix.apply(&parsed.sources[0]));
    }
    let mesh = parsed.rulesets.first().and_then(mesh::recognise);
    let host = parsed.host.clone().unwrap_or_else(Host::pod);
    for scenario in scenario::list(&host, mesh.as_ref()) {
        let trace = walk::walk(&parsed.rulesets, None, &host, &scenario.packet);
        let _ = explain::verdict(&parsed.rulesets, &trace, mesh.as_ref());
        let _ = report::json(&parsed.rulesets, &trace);
    }
});
