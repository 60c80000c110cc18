//! Failures: the page shows a message and is never blank.

use serde_json::json;
use thirtyfour::Key;

use crate::{Way, each_way, file, one_way};
use chainwalk_tests::browser::Browser;
use chainwalk_tests::site::{self, Site};

#[test]
fn a_fault_is_told_and_the_page_stays() {
    each_way(|page| {
        // The app measures positions on the page at every step. Without this function, its own
        // script throws.
        page.run(
            "Element.prototype.getBoundingClientRect = 'the tyres are flat'",
            (),
        );
        page.press(Key::Right);
        let message = page.reads("#chainwalk-fault", "getBoundingClientRect");
        assert!(message.contains("Chainwalk has stopped"), "{message}");
        // The console contains the error and nothing else.
        let complaints = page.complaints();
        assert!(
            complaints
                .iter()
                .any(|complaint| complaint.contains("TypeError")),
            "{complaints:?}"
        );
        // The rest is visible below the message and can be copied.
        page.reads("#verdict", "Not captured.");
        let tops = "return ['chainwalk-fault', 'verdict'].map(id => document.getElementById(id).offsetTop)";
        let tops = page.run(tops, ());
        assert!(tops[0].as_f64() < tops[1].as_f64(), "{tops}");

        page.run(
            "document.querySelector('#chainwalk-fault button').click()",
            (),
        );
        page.holds("!document.getElementById('chainwalk-fault')");
        page.reads("#verdict", "Not captured.");
    });
}

#[test]
fn a_panic_is_told_with_a_way_on() {
    // A real panic. Nothing in the page can cause one, so the test removes the page while it runs.
    let site = Site::serve(|_| true);
    let browser = Browser::start();
    let steal = "const get = Document.prototype.getElementById;
        Document.prototype.getElementById = function (id) { return id == 'app' ? null : get.call(this, id) }";
    let added = browser.command(
        "Page.addScriptToEvaluateOnNewDocument",
        json!({"source": steal}),
    );
    let broken = chainwalk_core::share::link::fragment("*nat\n:OUTPUT ACCEPT [0:0]\nCOMMIT\n");
    browser.open(&format!("{}#{broken}", site.url()));
    let message = browser.reads("#chainwalk-fault", "the shell has an element `app`");
    assert!(
        message.contains("Reload without what the link holds"),
        "{message}"
    );
    browser.command("Page.removeScriptToEvaluateOnNewDocument", added);
    browser.click("#chainwalk-fault button:last-child");
    browser.reads("#verdict", "Rule 4 of ISTIO_OUTPUT lets uid 1337 out.");
    browser.holds("location.hash == ''");
}

#[test]
fn a_broken_link_is_said_and_the_page_lives() {
    each_way(|page| {
        let whole = chainwalk_core::share::link::fragment("*raw\n:OUTPUT DROP [0:0]\nCOMMIT\n");
        for (link, says) in [
            (&whole[..whole.len() - 4], "damaged"),
            ("9abc", "version 9"),
            ("#", "version #"),
        ] {
            page.open(&format!("{}#{link}", page.own));
            page.reads("#diagnostics [role=alert]", says);
            page.reads("#verdict", "Rule 4 of ISTIO_OUTPUT lets uid 1337 out.");
            page.press(Key::Home);
            page.is_at(1);
        }
    });
}

#[test]
fn a_storage_that_is_full_is_said_and_the_page_lives() {
    let full = "Storage.prototype.setItem = () => { throw new DOMException('full', 'QuotaExceededError') }";
    one_way(Way::Http, |page| {
        page.run(full, ());
        page.click("#theme");
        page.holds("document.documentElement.dataset.theme == 'light'");
        page.click("#swap");
        page.reads(".notice[role=alert]", "Share saves your work");
        page.click("#notice-read");
        page.holds("!document.querySelector('.notice')");
        page.reads("#verdict", "Rule 9 of ISTIO_OUTPUT");
    });
}

#[test]
fn an_enormous_file_is_refused_before_it_is_read() {
    one_way(Way::File, |page| {
        // A sparse file, which uses no disk space.
        let path = std::path::Path::new(env!("CARGO_TARGET_TMPDIR"))
            .join(format!("enormous-{}", std::process::id()));
        let file = std::fs::File::create(&path).expect("a file can be made");
        file.set_len(300_000_000).expect("it can have holes");
        page.command("DOM.enable", json!({}));
        let root = page.command("DOM.getDocument", json!({}))["root"]["nodeId"].clone();
        let field = page.command(
            "DOM.querySelector",
            json!({"nodeId": root, "selector": "#open"}),
        )["nodeId"]
            .clone();
        page.command(
            "DOM.setFileInputFiles",
            json!({"files": [path], "nodeId": field}),
        );
        page.reads(
            "#diagnostics [role=alert]",
            "300 MB, and this page reads up to 100 MB",
        );
        std::fs::remove_file(&path).expect("it is there");
        page.press(Key::Home);
        page.is_at(1);
    });
}

#[test]
fn only_faults_are_told() {
    each_way(|page| {
        // A browser that refuses every request, and a notification that is not an error.
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
    assert!(
        message.contains(".wasm") && message.contains("404"),
        "{message}"
    );
    assert_eq!(browser.text("#loading"), None);
}

#[test]
fn a_file_that_is_damaged_says_so() {
    let whole = std::fs::read_to_string(site::dist().join("chainwalk.html")).expect("it is there");
    let place = |name: &str| {
        whole
            .find(&format!("id=\"chainwalk-{name}\""))
            .expect("it is inside")
            + 1000
    };
    let (lessons, wasm) = (place("lessons"), place("wasm"));
    let checksum = whole.rfind("</script>").expect("it is inside") - 8;
    let changed = |at: usize, to: &str| [&whole[..at], to, &whole[at + 1..]].concat();
    let other = |at: usize| {
        if whole.as_bytes()[at] == b'a' {
            "b"
        } else {
            "a"
        }
    };
    let browser = Browser::start();
    for (number, damaged) in [
        changed(wasm, other(wasm)),
        // A character that is not a digit of base64.
        changed(wasm, "?"),
        // Only the checksum is wrong.
        changed(checksum, other(checksum)),
        // The policy does not permit a changed script.
        changed(whole.find("let wasm_bindgen").expect("it is inside"), "v"),
        // An incomplete download.
        whole[..wasm].to_owned(),
        whole[..lessons].to_owned(),
    ]
    .into_iter()
    .enumerate()
    {
        let name = format!("damaged-{}-{number}.html", std::process::id());
        let path = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        std::fs::write(&path, damaged).expect("a file can be made");
        browser.open(&format!("file://{}", path.display()));
        let message = browser.reads("#chainwalk-fault", "Chainwalk could not start");
        assert!(
            message.contains("may be damaged: download it again"),
            "{message}"
        );
        std::fs::remove_file(&path).expect("it is there");
    }
}

#[test]
fn damaged_lessons_in_the_file_say_so_and_the_page_lives() {
    let whole = std::fs::read_to_string(site::dist().join("chainwalk.html")).expect("it is there");
    let at = whole
        .find("id=\"chainwalk-lessons\"")
        .expect("they are inside")
        + 1000;
    let other = if whole.as_bytes()[at] == b'a' {
        "b"
    } else {
        "a"
    };
    let path = std::path::Path::new(env!("CARGO_TARGET_TMPDIR"))
        .join(format!("lessons-{}.html", std::process::id()));
    std::fs::write(&path, [&whole[..at], other, &whole[at + 1..]].concat())
        .expect("a file can be made");
    let browser = Browser::start();
    browser.open(&format!("file://{}#lessons", path.display()));
    browser.reads(
        "#lesson [role=alert]",
        "this file is damaged; download it again",
    );
    browser.reads("#verdict", "Rule 4 of ISTIO_OUTPUT lets uid 1337 out.");
    std::fs::remove_file(&path).expect("it is there");
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
    browser.command(
        "Emulation.setScriptExecutionDisabled",
        json!({"value": true}),
    );
    browser.reload();
    let shown = browser.accessible_text();
    assert!(
        shown.contains("takes JavaScript and WebAssembly"),
        "{shown}"
    );
    assert!(!shown.contains("is loading"), "{shown}");
}
