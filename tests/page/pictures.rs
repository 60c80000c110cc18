//! The pictures of the README. `cargo xtask pictures` takes them. As a test, this checks that their
//! states can be reached.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::json;

use crate::looks::pictures;
use crate::{Page, WIDE, Way, one_way};

#[test]
fn of_the_readme() {
    one_way(Way::File, |page| {
        picture(page, "playground");
        page.show_as(WIDE, "dark");
        picture(page, "dark");
        page.show_as((400, 800), "light");
        page.click("#tab-walk");
        page.holds("document.getElementById('pane-walk').checkVisibility()");
        picture(page, "narrow");
        page.show_as((1000, 700), "light");
        page.click("#share-open");
        page.click("#share-ticket");
        page.holds("document.getElementById('share-text').value.startsWith('###')");
        page.click("#share-neutral");
        page.holds("document.getElementById('share-neutral').checked");
        picture(page, "share");
    });
}

/// Saves a picture as WebP, a third of the size of a PNG.
#[track_caller]
fn picture(page: &Page, name: &str) {
    let taken = page.command(
        "Page.captureScreenshot",
        json!({"format": "webp", "quality": 80}),
    );
    let bytes = BASE64_STANDARD
        .decode(taken["data"].as_str().expect("a picture"))
        .expect("it is base64");
    std::fs::write(pictures().join(name).with_extension("webp"), bytes)
        .expect("a picture can be written");
}
