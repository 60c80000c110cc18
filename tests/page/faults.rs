//! When it goes wrong: a message, never a blank page.

use serde_json::json;
use thirtyfour::Key;

use crate::browser::Browser;
use crate::site::Site;
use crate::{each_way, file};

#[test]
fn a_fault_is_told_and_the_page_stays() {
    each_way(|page| {
        // The app asks for places on the page with every step; where that is no function its own script throws.
        page.run("Element.prototype.getBoundingClientRect = 'the tyres are flat'", ());
        page.press(Key::Right);
        let message = page.reads("#chainwalk-fault", "getBoundingClientRect");
        assert!(message.contains("Chainwalk has stopped"), "{message}");
        // The browser's console has it, too, and nothing else.
        let complaints = page.complaints();
        assert!(complaints.iter().any(|complaint| complaint.contains("TypeError")), "{complaints:?}");
        // The rest can still be seen below it and copied.
        page.reads("#verdict", "Not captured.");
        let tops = "return ['chainwalk-fault', 'verdict'].map(id => document.getElementById(id).offsetTop)";
        let tops = page.run(tops, ());
        assert!(tops[0].as_f64() < tops[1].as_f64(), "{tops}");

        page.run("document.querySelector('#chainwalk-fault button').click()", ());
        page.holds("!document.getElementById('chainwalk-fault')");
        page.reads("#verdict", "Not captured.");
    });
}

#[test]
fn only_faults_are_told() {
    each_way(|page| {
        // What a browser says when it grants no wish, and a notice that is no error.
        let tell =
            "const reason = arguments[0] == 'refusal' ? new DOMException('no', 'NotAllowedError') : new Error('flat');
            const event = arguments[0] == 'notice' ? new ErrorEvent('error', {message: 'ResizeObserver loop'})
              : new PromiseRejectionEvent('unhandledrejection', {promise: Promise.resolve(), reason});
            window.dispatchEvent(event)";
        for harmless in ["refusal", "notice"] {
            page.run(tell, harmless);
            assert_eq!(page.text("#chainwalk-fault"), None, "{harmless}");
        }
        page.run(tell, "error");
        page.reads("#chainwalk-fault", "flat");
    });
}

#[test]
fn a_page_without_its_webassembly_says_so() {
    let site = Site::serve(|name| !name.ends_with(".wasm"));
    let browser = Browser::start();
    browser.open(&site.url());
    let message = browser.reads("#chainwalk-fault", "Chainwalk could not start");
    assert!(message.contains(".wasm") && message.contains("404"), "{message}");
    assert_eq!(browser.text("#loading"), None);
}

#[test]
fn the_hosted_page_opened_as_a_file_names_the_one_that_works() {
    let browser = Browser::start();
    browser.open(&file("index.html"));
    browser.reads("#chainwalk-fault", "Open chainwalk.html instead");
}

#[test]
fn a_page_without_scripts_says_what_it_needs() {
    let site = Site::serve(|_| true);
    let browser = Browser::start();
    browser.open(&site.url());
    browser.reads("#verdict", "Not captured.");
    browser.command("Emulation.setScriptExecutionDisabled", json!({"value": true}));
    browser.reload();
    let shown = browser.accessible_text();
    assert!(shown.contains("takes JavaScript and WebAssembly"), "{shown}");
    assert!(!shown.contains("is loading"), "{shown}");
}
