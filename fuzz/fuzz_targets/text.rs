//! Any text is read, printed, walked and explained without a panic, and what is printed reads back the same.

#![no_main]

use chainwalk_core::host::Host;
use chainwalk_core::{explain, mesh, parse, print, report, scenario, walk};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let parsed = parse::parse(text);
    for diagnostic in &parsed.diagnostics {
        let source = &parsed.sources[diagnostic.source as usize];
        assert!(source.get(diagnostic.span.start as usize..diagnostic.span.end as usize).is_some());
    }
    for ruleset in &parsed.rulesets {
        let printed = print::save(ruleset, true);
        if !parsed.has_errors() {
            let again = parse::parse(printed.clone());
            assert_eq!(again.rulesets.iter().map(|set| print::save(set, true)).collect::<String>(), printed);
        }
    }
    let mesh = parsed.rulesets.first().and_then(mesh::recognise);
    let host = parsed.host.clone().unwrap_or_else(Host::pod);
    for scenario in scenario::list(&host, mesh.as_ref()) {
        let trace = walk::walk(&parsed.rulesets, None, &host, &scenario.packet);
        let _ = explain::verdict(&parsed.rulesets, &trace, mesh.as_ref());
        let _ = report::json(&parsed.rulesets, &trace);
    }
});
