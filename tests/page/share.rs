//! Links and files: their content, and the result of opening them elsewhere.

use serde_json::json;
use thirtyfour::Key;

use crate::{Page, Way, each_way, file, one_way};
use chainwalk_tests::browser::Browser;

const DUMP: &str = "*filter\n:OUTPUT ACCEPT [0:0]\n-A OUTPUT -p udp -j ACCEPT\n\
    -A OUTPUT -d 93.184.216.34/32 -m comment --comment \"to the bank\" -j DROP\nCOMMIT\n";

/// The text that the dialog shows for a form.
#[track_caller]
fn form(page: &Page, form: &str) -> String {
    page.click(&format!("#share-{form}"));
    page.holds(&format!(
        "document.getElementById('share-{form}').ariaPressed == 'true'"
    ));
    value(page)
}

#[track_caller]
fn value(page: &Page) -> String {
    let text = page.run("return document.getElementById('share-text').value", ());
    text.as_str().expect("it is shown").to_owned()
}

#[track_caller]
fn open(page: &Page) {
    page.click("#share-open");
    page.holds("document.getElementById('share').open");
}

#[test]
fn a_link_leads_to_the_same_step_and_an_edit_takes_it_out_of_the_address() {
    each_way(|page| {
        page.paste(DUMP);
        page.reads("#samples", "Your paste");
        page.click("#compare");
        page.is_at(2);
        page.press(Key::Home);
        page.is_at(1);
        open(page);
        page.reads("#share-holds", "2 rules and 1 packet");
        let link = value(page);
        assert!(link.contains("#2"), "{link}");
        page.click("#share-copy");
        page.reads("#share-says", "Copied");
        assert_eq!(
            page.run("return navigator.clipboard.readText()", ()),
            json!(link)
        );
        assert_eq!(page.run("return location.href", ()), json!(link));

        page.open(&link);
        page.reads("#samples", "Shared or saved rules");
        page.is_at(1);
        page.holds("document.getElementById('compare').ariaPressed == 'false'");
        // The address stays that of the link until something changes.
        page.press(Key::End);
        page.is_at(2);
        assert_eq!(page.run("return location.href", ()), json!(link));
        page.click("#compare");
        page.holds("location.hash == ''");
        // Another link in the same page reloads nothing and is opened. The dialog described the
        // previous state.
        open(page);
        page.run(
            "location.hash = arguments[0]",
            link.split_once('#').expect("it has one").1,
        );
        page.holds("document.getElementById('compare').ariaPressed == 'false'");
        page.holds("!document.getElementById('share').open");
    });
}

#[test]
fn a_neutral_link_tells_nothing_and_ends_alike() {
    one_way(Way::Http, |page| {
        page.paste(DUMP);
        page.reads("#verdict", "Dropped.");
        open(page);
        page.reads("#share-holds", "1 comment");
        page.click("#share-neutral");
        page.reads("#share-holds", "Anonymized: ");
        let file = form(page, "file");
        assert!(
            !file.contains("bank") && !file.contains("93.184.216.34"),
            "{file}"
        );
        let link = form(page, "link");
        page.open(&link);
        page.reads("#verdict", "Dropped. Rule 2 of OUTPUT");
        page.reads("[data-rule='filter/OUTPUT/2']", "comment-1");
    });
}

#[test]
fn each_form_has_its_text() {
    one_way(Way::File, |page| {
        open(page);
        for (key, part) in [
            ("embed", "<iframe src=\"file://"),
            ("ticket", "### Uid 1337: Not captured."),
            ("trace", "\"steps\":[{\"hook\":\"OUTPUT\""),
            ("script", "#!/bin/sh\n"),
        ] {
            let text = form(page, key);
            assert!(
                text.starts_with(part) || text.contains(part),
                "{key}: {text}"
            );
        }
        page.press(Key::Escape);
        page.holds("!document.getElementById('share').open");
    });
}

#[test]
fn without_a_clipboard_the_text_is_selected() {
    one_way(Way::Http, |page| {
        page.run(
            "Object.defineProperty(navigator, 'clipboard', {value: undefined})",
            (),
        );
        open(page);
        page.click("#share-copy");
        page.reads("#share-says", "Press Ctrl+C");
        page.holds("document.activeElement.id == 'share-text'");
        page.holds("getSelection().toString() == document.getElementById('share-text').value");
    });
}

#[test]
fn what_is_too_long_for_a_link_is_saved_and_opened_as_a_file() {
    let rules: String = (0..3000)
        .map(|number: u32| {
            let [a, b, c, _] = number.wrapping_mul(2_654_435_761).to_be_bytes();
            format!("-A OUTPUT -d 10.{a}.{b}.{c}/32 -j DROP\n")
        })
        .collect();
    let text = format!("*filter\n:OUTPUT ACCEPT [0:0]\n{rules}COMMIT\n");
    let directory = std::path::Path::new(env!("CARGO_TARGET_TMPDIR"))
        .join(format!("saved-{}", std::process::id()));
    std::fs::create_dir_all(&directory).expect("a directory for what is saved");
    one_way(Way::Http, |page| {
        page.command(
            "Browser.setDownloadBehavior",
            json!({"behavior": "allow", "downloadPath": directory}),
        );
        page.paste(&text);
        page.reads("#diagnostics", "3000 rules");
        open(page);
        page.reads("#share [role=alert]", "above 16384");
        page.click("#share-as-file");
        page.click("#share-save");
        let saved = directory.join("chainwalk.json");
        page.until("the file", || saved.is_file().then_some(()));
        page.press(Key::Escape);
        page.run("document.getElementById('theme').focus()", ());

        page.paste(DUMP);
        page.reads("#diagnostics", "2 rules in");
        page.command("DOM.enable", json!({}));
        let root = page.command("DOM.getDocument", json!({}))["root"]["nodeId"].clone();
        let field = page.command(
            "DOM.querySelector",
            json!({"nodeId": root, "selector": "#open"}),
        )["nodeId"]
            .clone();
        page.command(
            "DOM.setFileInputFiles",
            json!({"files": [saved], "nodeId": field}),
        );
        page.reads("#diagnostics", "3000 rules");
    });
    std::fs::remove_dir_all(&directory).expect("it was there");
}

#[test]
fn a_draft_is_kept_and_a_link_goes_before_it() {
    one_way(Way::Http, |page| {
        page.paste(DUMP);
        page.reads("#samples", "Your paste");
        let kept = "return Object.keys(localStorage).filter(name => name.startsWith('chainwalk.draft.')).length";
        page.until("the draft", || (page.run(kept, ()) == 1).then_some(()));
        page.reload();
        page.reads("#samples", "Shared or saved rules");

        // A link shows its content. Without it, the draft is restored, also after viewing a link.
        let other = chainwalk_core::share::link::fragment("*raw\n:OUTPUT DROP [0:0]\nCOMMIT\n");
        page.open(&format!("{}#{other}", page.own));
        page.reads("#verdict", "policy of OUTPUT");
        page.press(Key::End);
        page.open(&page.own);
        page.reads("[data-rule='filter/OUTPUT/2']", "bank");

        // After a user discards it, it is gone.
        open(page);
        page.click("#keep");
        page.until("no draft", || (page.run(kept, ()) == 0).then_some(()));
        page.reload();
        page.reads("#verdict", "Not captured. Rule 4 of ISTIO_OUTPUT");
    });
}

#[test]
fn a_page_from_the_disk_keeps_a_draft_only_when_asked() {
    one_way(Way::File, |page| {
        page.paste(DUMP);
        page.reads("#samples", "Your paste");
        page.reload();
        page.reads("#verdict", "Not captured. Rule 4 of ISTIO_OUTPUT");
        open(page);
        page.click("#keep");
        page.press(Key::Escape);
        page.run("document.getElementById('theme').focus()", ());
        page.paste(DUMP);
        page.reads("#samples", "Your paste");
        let kept = "Object.keys(localStorage).some(name => name.startsWith('chainwalk.draft.'))";
        page.holds(kept);
        page.reload();
        page.reads("#samples", "Shared or saved rules");
    });
}

#[test]
fn a_draft_that_never_came_up_is_offered() {
    one_way(Way::Http, |page| {
        page.paste(DUMP);
        page.reads("#samples", "Your paste");
        page.holds("Object.keys(localStorage).some(name => name.startsWith('chainwalk.draft.'))");
        // The state of a page that crashed before its first paint.
        page.run("sessionStorage.setItem('chainwalk.opening', '1')", ());
        page.reload();
        page.reads("#verdict", "Not captured. Rule 4 of ISTIO_OUTPUT");
        page.reads(".notice[role=alert]", "did not load");
        page.click("#draft-load");
        page.reads("#samples", "Shared or saved rules");
    });
}

#[test]
fn an_embedded_page_shows_the_walk_within_a_frame_and_is_not_changed() {
    one_way(Way::Http, |page| {
        open(page);
        let html = form(page, "embed");
        let source = html.split('"').nth(1).expect("a source").to_owned();
        page.open(&source);
        page.reads("#verdict", "Not captured. Rule 4 of ISTIO_OUTPUT");
        page.holds("!document.getElementById('samples').checkVisibility()");
        page.holds("!document.getElementById('pane-packet').checkVisibility()");
        page.paste(DUMP);
        page.press(Key::Home);
        page.is_at(1);
        page.reads("#verdict", "Not captured. Rule 4 of ISTIO_OUTPUT");
        let whole = page.run("return document.querySelector('.onward a').href", ());
        page.open(whole.as_str().expect("a link"));
        page.holds("document.getElementById('samples')?.checkVisibility()");
        page.reads("#verdict", "Not captured. Rule 4 of ISTIO_OUTPUT");
    });
}

#[test]
fn a_frame_without_an_origin_has_no_storage_and_shows_it_all_the_same() {
    let browser = Browser::start();
    let page = file("chainwalk.html");
    let wiki = std::path::Path::new(env!("CARGO_TARGET_TMPDIR"))
        .join(format!("wiki-{}.html", std::process::id()));
    let frame = format!(
        "<iframe sandbox='allow-scripts' id='f' width='900' height='600' src='{page}'></iframe>"
    );
    std::fs::write(&wiki, frame).expect("a page can be written");
    browser.open(&format!("file://{}", wiki.display()));
    std::fs::remove_file(&wiki).expect("it is there");
    browser.enter("#f");
    browser.reads("#verdict", "Rule 4 of ISTIO_OUTPUT lets uid 1337 out.");
    let closed = "try { return !localStorage } catch (refused) { return refused.name }";
    assert_eq!(browser.run(closed, ()), "SecurityError");
    browser.click("#theme");
    browser.holds("document.documentElement.dataset.theme == 'light'");
    browser.click("#swap");
    browser.reads("#verdict", "Rule 9 of ISTIO_OUTPUT");
    browser.click("#share-open");
    browser.holds("document.getElementById('share-text').value.includes('#2')");
}
