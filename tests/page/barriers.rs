//! Accessibility: barriers for people who do not see the page, see it differently, or use no mouse.

use serde_json::{Value, json};
use thirtyfour::Key;

use crate::{Page, WIDE, Way, one_way};

/// axe-core; see `vendor/README.md`.
const AXE: &str = include_str!("../vendor/axe.min.js");

#[test]
fn axe_finds_no_barrier_in_any_state() {
    // The content of the page is equal in both ways.
    one_way(Way::File, |page| {
        for scheme in ["light", "dark"] {
            page.reload();
            page.reads("#verdict", "Not captured.");
            page.is_whole();
            page.run(AXE, ());
            page.show_as(WIDE, scheme);
            let look = |state: &str| check(page, &format!("{state}, {scheme}"));
            look("opening page");
            for view in ["saved", "text", "paste", "walked"] {
                page.click(&format!("#view-{view}"));
                look(&format!("rules as {view}"));
            }
            page.click("#compare");
            look("one packet");
            page.click("#compare");
            page.click("#help-open");
            page.holds("document.getElementById('help').open");
            look("the help");
            page.press(Key::Escape);
            page.click("#share-open");
            page.holds("document.getElementById('share').open");
            for form in ["link", "ticket", "script"] {
                page.click(&format!("#share-{form}"));
                page.click("#share-neutral");
                look(&format!("shared as {form}"));
            }
            page.press(Key::Escape);
            page.run("document.getElementById('theme').focus()", ());
            page.paste("Good morning, everyone");
            page.reads("#diagnostics [role=alert]", "rejected");
            look("a paste that is refused");
            page.paste("*filter\n:OUTPUT ACCEPT [0:0]\n-A OUTPUT -m limit --limit 3/hour -j DROP\n-A OUTPUT --frob 1 -j DROP\n");
            page.reads("#settle", "Assume that it matches");
            look("an undetermined rule, and remarks");
            page.fill("#both-dport", "x");
            page.holds("document.getElementById('both-dport').ariaInvalid == 'true'");
            look("a wrong field");

            page.reload();
            page.reads("#verdict", "Not captured.");
            page.is_whole();
            page.run(AXE, ());
            page.show_as((400, 800), scheme);
            for tab in ["rules", "walk", "packet", "past"] {
                page.click(&format!("#tab-{tab}"));
                look(&format!("narrow, {tab}"));
            }
            page.click("#share-open");
            page.holds("document.getElementById('share').open");
            look("narrow, shared");
            page.click("#share-embed");
            let source = page.run(
                "return document.getElementById('share-text').value.split('\"')[1]",
                (),
            );
            page.open(source.as_str().expect("a source"));
            page.reads("#verdict", "Not captured.");
            page.is_whole();
            page.run(AXE, ());
            look("narrow, embedded");
            page.show_as(WIDE, scheme);
            look("embedded");
            page.open(&page.own);
        }
    });
}

#[test]
fn what_is_touched_is_large_enough() {
    one_way(Way::File, |page| {
        // A touch screen, and a narrow window.
        page.command(
            "Emulation.setDeviceMetricsOverride",
            json!({"width": 400, "height": 800, "deviceScaleFactor": 1, "mobile": true}),
        );
        page.command(
            "Emulation.setTouchEmulationEnabled",
            json!({"enabled": true}),
        );
        page.reload();
        page.reads("#verdict", "Not captured.");
        page.is_whole();
        for tab in ["rules", "walk", "packet", "past"] {
            page.run(
                "document.getElementById(arguments[0]).click()",
                format!("tab-{tab}"),
            );
            page.holds(&format!(
                "document.getElementById('pane-{tab}').checkVisibility()"
            ));
            // Links in sentences have the height of their line.
            let small = "return [...document.querySelectorAll('button, select, input, textarea, summary, label.line, [role=slider]')]
                .filter(element => element.checkVisibility() && !element.matches('.hidden, .link, label input'))
                .map(element => [element, element.getBoundingClientRect()])
                .filter(([, at]) => at.width > 0 && (at.height < 43.5 || at.width < 43.5))
                .map(([element, at]) => `${element.outerHTML.slice(0, 90)}: ${Math.round(at.width)} x ${Math.round(at.height)}`)";
            let small = page.run(small, ());
            assert_eq!(small, json!([]), "{tab}");
        }
        page.command(
            "Emulation.setTouchEmulationEnabled",
            json!({"enabled": false}),
        );
    });
}

#[test]
fn axe_finds_no_serious_barrier_in_lessons() {
    one_way(Way::File, |page| {
        page.run(AXE, ());
        for (scheme, size) in [("light", WIDE), ("dark", WIDE), ("dark", (400, 800))] {
            page.show_as(size, scheme);
            for (address, part) in [
                ("lessons", "Lessons"),
                ("lesson/the-number-1337/2", "The rule that decides"),
            ] {
                page.run("location.hash = arguments[0]", address);
                page.reads("#lesson-title", part);
                check(page, &format!("{part}, {scheme}, {size:?}"));
            }
            page.click("[data-choice='0']");
            page.click("[data-choice='2']");
            page.reads(".behind", "The packets differ first at");
            check(page, &format!("answered, {scheme}, {size:?}"));
            page.run("location.hash = 'lesson/the-number-1337/handout'", ());
            page.reads("#lesson", "7. What follows");
            check(page, &format!("handout, {scheme}, {size:?}"));
        }
    });
}

#[track_caller]
fn check(page: &Page, state: &str) {
    let result = page.run("return axe.run({resultTypes: ['violations']})", ());
    let rules = result["passes"].as_array().map_or(0, Vec::len);
    assert!(rules > 10, "{state}: axe looked at {rules} rules only");
    let violations = result["violations"].as_array().expect("axe lists them");
    let violations: Vec<String> = violations.iter().map(describe).collect();
    assert!(violations.is_empty(), "{state}:\n{}", violations.join("\n"));
}

/// The rule, and the places that violate it.
fn describe(violation: &Value) -> String {
    let places = violation["nodes"].as_array().into_iter().flatten();
    let places: Vec<String> = places
        .map(|node| format!("  {}\n  {}", node["html"], node["failureSummary"]))
        .collect();
    format!(
        "{}: {}\n{}",
        violation["id"],
        violation["help"],
        places.join("\n")
    )
}
