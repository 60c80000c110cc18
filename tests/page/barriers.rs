//! Barriers for people who do not see the page, see it otherwise, or use no mouse.

use serde_json::Value;

use crate::{Page, WIDE, Way, one_way};

/// axe-core; see `vendor/README.md`.
const AXE: &str = include_str!("../vendor/axe.min.js");

#[test]
fn axe_finds_no_serious_barrier() {
    // What is in the page is the same both ways.
    one_way(Way::File, |page| {
        page.run(AXE, ());
        for scheme in ["light", "dark"] {
            page.show_as(WIDE, scheme);
            check(page, &format!("opening page, {scheme}"));
        }
        page.show_as((400, 800), "light");
        for tab in ["rules", "walk", "packet", "past"] {
            page.click(&format!("#tab-{tab}"));
            check(page, &format!("narrow, {tab}"));
        }
        page.show_as(WIDE, "light");
        for view in ["saved", "text", "paste"] {
            page.click(&format!("#view-{view}"));
            check(page, &format!("rules as {view}"));
        }
        page.fill("#b-uid", "x");
        page.reads("#b-uid-wrong", "");
        check(page, "a wrong field");
        page.click("#help-open");
        page.holds("document.getElementById('help').open");
        check(page, "the help");
    });
}

#[track_caller]
fn check(page: &Page, state: &str) {
    let result = page.run("return axe.run({resultTypes: ['violations']})", ());
    let rules = result["passes"].as_array().map_or(0, Vec::len);
    assert!(rules > 10, "{state}: axe looked at {rules} rules only");
    let violations = result["violations"].as_array().expect("axe lists them");
    let serious =
        violations.iter().filter(|found| ["serious", "critical"].iter().any(|impact| found["impact"] == *impact));
    let serious: Vec<String> = serious.map(describe).collect();
    assert!(serious.is_empty(), "{state}:\n{}", serious.join("\n"));
}

/// The rule, and where it is broken.
fn describe(violation: &Value) -> String {
    let places = violation["nodes"].as_array().into_iter().flatten();
    let places: Vec<String> = places.map(|node| format!("  {}\n  {}", node["html"], node["failureSummary"])).collect();
    format!("{}: {}\n{}", violation["id"], violation["help"], places.join("\n"))
}
