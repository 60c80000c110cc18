//! Any text is read, printed, walked and explained without a panic; every place lies in it; what is printed reads back the
//! same; and every edit that is offered can be made.

#![no_main]

use chainwalk_core::diagnostic::{Severity, Span};
use chainwalk_core::host::Host;
use chainwalk_core::parse::Format;
use chainwalk_core::{explain, mesh, parse, print, report, scenario, walk};
use libfuzzer_sys::fuzz_target;

fn lies_in(source: &str, span: Span) {
    assert!(source.get(span.start as usize..span.end as usize).is_some(), "{span:?}");
}

fuzz_target!(|text: &str| {
    let parsed = parse::parse(text);
    for diagnostic in &parsed.diagnostics {
        let source = &parsed.sources[diagnostic.source as usize];
        lies_in(source, diagnostic.span);
        for fix in &diagnostic.fixes {
            lies_in(source, fix.span);
        }
    }
    for section in &parsed.sections {
        lies_in(&parsed.sources[section.source as usize], section.span);
        assert!(section.ruleset.is_none_or(|place| (place as usize) < parsed.rulesets.len()));
        let _ = section.to_string();
    }
    for ruleset in &parsed.rulesets {
        let source = &parsed.sources[ruleset.source as usize];
        for rule in ruleset.tables.iter().flat_map(|table| &table.chains).flat_map(|chain| &chain.rules) {
            lies_in(source, rule.span);
            let line = source[..rule.span.start as usize].bytes().filter(|byte| *byte == b'\n').count() + 1;
            assert_eq!(line, rule.line as usize);
        }
        let printed = print::save(ruleset, true);
        // What of a listing was not understood is kept as written, which iptables-save's form has no place for.
        let unread = parsed.sections.iter().any(|section| section.format == Format::Listing)
            && parsed.diagnostics.iter().any(|remark| remark.severity == Severity::Warning);
        if !parsed.has_errors() && !unread {
            let again = parse::parse(printed.clone());
            // Without a header the family is told from what the rules name.
            if again.rulesets.iter().all(|other| other.family == ruleset.family) {
                assert_eq!(again.rulesets.iter().map(|set| print::save(set, true)).collect::<String>(), printed);
            }
        }
    }
    if let Some(fix) = parsed.diagnostics.iter().flat_map(|diagnostic| &diagnostic.fixes).next() {
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
