//! Appearance: light and dark, wide and narrow. Each state saves a picture.

use std::fs;
use std::path::PathBuf;

use serde_json::{Value, json};

use crate::{Page, WIDE, each_way};

/// A wide window, a medium one, a wide one at 200 %, and a phone.
const SIZES: [(&str, (u32, u32)); 4] = [
    ("wide", WIDE),
    ("middle", (1024, 768)),
    ("zoomed", (720, 450)),
    ("narrow", (400, 800)),
];

#[test]
fn every_size_shows_the_verdict_and_scrolls_in_one_direction_only() {
    each_way(|page| {
        for (name, size) in SIZES {
            for scheme in ["dark", "light"] {
                page.show_as(size, scheme);
                page.reload();
                page.reads("#verdict", "Not captured.");
                page.is_whole();
                fits(page, name, size);
                picture(page, &format!("{name}-{scheme}"));
            }
        }
        let (name, size) = SIZES[3];
        for tab in ["rules", "walk", "packet", "past"] {
            page.click(&format!("#tab-{tab}"));
            page.holds(&format!(
                "document.getElementById('pane-{tab}').checkVisibility()"
            ));
            fits(page, tab, size);
            picture(page, &format!("{name}-{tab}"));
            // The answer stays visible at any scroll position.
            page.run("window.scrollTo(0, document.body.scrollHeight)", ());
            fits(page, tab, size);
            page.run("window.scrollTo(0, 0)", ());
        }
    });
}

#[test]
fn however_high_the_answer_is_the_window_shows_that_there_is_more_below() {
    each_way(|page| {
        for (size, below) in [
            (WIDE, "past"),
            ((1366, 768), "past"),
            ((1024, 768), "packet"),
        ] {
            page.show_as(size, "light");
            for height in [0, 60] {
                let pad =
                    "document.getElementById('verdict').style.paddingBottom = arguments[0] + 'px'";
                page.run(pad, height);
                page.holds(&format!(
                    "Math.abs(document.querySelector('#pane-{below} .head').getBoundingClientRect().bottom - innerHeight) <= 1"
                ));
                page.holds("document.querySelector('.steps').clientHeight >= 90");
            }
        }
    });
}

#[test]
fn a_page_at_400_percent_is_read_in_one_direction_with_its_tabs_in_sight() {
    each_way(|page| {
        page.show_as((320, 256), "light");
        for tab in ["rules", "walk", "packet", "past"] {
            page.click(&format!("#tab-{tab}"));
            page.holds(&format!(
                "document.getElementById('pane-{tab}').checkVisibility()"
            ));
            picture(page, &format!("reflowed-{tab}"));
            page.run("window.scrollTo(0, document.body.scrollHeight)", ());
            page.holds("document.scrollingElement.scrollWidth <= 320");
            // No necessary text is truncated.
            page.holds(
                "[...document.querySelectorAll('.who, .field input, .line, .chip, .tabs button')].every(part =>
                    !part.checkVisibility() || part.scrollWidth <= part.clientWidth + 1)",
            );
            page.holds(
                "(tabs => Math.abs(tabs.bottom - 46) <= 2)(document.querySelector('.tabs').getBoundingClientRect())",
            );
        }
    });
}

#[test]
fn each_tab_opens_at_its_top_or_where_it_was_left() {
    each_way(|page| {
        page.show_as((400, 800), "light");
        page.run("window.scrollTo(0, 700)", ());
        press(page, "#tab-packet");
        // The answer is at the top of the window, and the tab is directly below.
        let at_top = "Math.abs(document.querySelector('.columns').getBoundingClientRect().top
            - document.querySelector('.verdict').getBoundingClientRect().bottom) <= 1 && scrollY > 0";
        page.holds(at_top);
        press(page, "#tab-rules");
        page.holds("scrollY == 700");
        page.paste(
            "*filter\n:OUTPUT ACCEPT [0:0]\n-A OUTPUT -m limit --limit 3/hour -j DROP\nCOMMIT\n",
        );
        page.reads("#samples", "Your paste");
        press(page, "#tab-walk");
        page.holds("scrollY < 200");
    });
}

#[test]
fn a_rule_that_cannot_be_told_has_its_buttons_in_every_size() {
    each_way(|page| {
        page.paste(
            "*filter\n:OUTPUT ACCEPT [0:0]\n-A OUTPUT -m limit --limit 3/hour -j DROP\nCOMMIT\n",
        );
        for (name, size) in [SIZES[0], SIZES[3]] {
            for scheme in ["dark", "light"] {
                page.show_as(size, scheme);
                if name == "narrow" {
                    page.click("#tab-packet");
                }
                page.reads("#settle", "Assume that it matches");
                page.run(
                    "document.getElementById('settle').scrollIntoView({block: 'center'})",
                    (),
                );
                fits(page, name, size);
                picture(page, &format!("settle-{name}-{scheme}"));
            }
        }
    });
}

/// Clicks a visible element without scrolling to it.
#[track_caller]
fn press(page: &Page, selector: &str) {
    page.run("document.querySelector(arguments[0]).click()", selector);
}

#[track_caller]
fn fits(page: &Page, name: &str, (width, height): (u32, u32)) {
    let measure = "const verdict = document.querySelector('#verdict h1').getBoundingClientRect();
        const middle = document.elementFromPoint(verdict.x + verdict.width / 2, verdict.y + verdict.height / 2);
        return {width: document.scrollingElement.scrollWidth, top: verdict.top, left: verdict.left, bottom: verdict.bottom,
            right: verdict.right, shown: Boolean(middle?.closest('#verdict'))}";
    let at = page.run(measure, ());
    let number = |name: &str| at[name].as_f64().expect("a number");
    assert!(
        number("width") <= f64::from(width),
        "{name}: scrolls sideways: {at}"
    );
    let inside = number("top") >= 0.0 && number("left") >= 0.0;
    let inside =
        inside && number("bottom") <= f64::from(height) && number("right") <= f64::from(width);
    assert!(
        inside && at["shown"] == true,
        "{name}: the verdict is not in sight: {at}"
    );
}

#[test]
fn colours_follow_the_system_or_the_choice() {
    each_way(|page| {
        page.show_as(WIDE, "light");
        let light = colours(page);
        page.show_as(WIDE, "dark");
        let dark = colours(page);
        assert!(
            brightness(&light["ground"]) > brightness(&light["ink"]),
            "{light}"
        );
        assert!(
            brightness(&dark["ground"]) < brightness(&dark["ink"]),
            "{dark}"
        );

        // System, light, dark. The choice is restored at the next visit.
        page.click("#theme");
        page.holds("document.documentElement.dataset.theme == 'light'");
        assert_eq!(colours(page), light);
        page.reload();
        page.reads("#verdict", "Not captured.");
        assert_eq!(colours(page), light);
        page.click("#theme");
        page.show_as(WIDE, "light");
        page.holds("document.documentElement.dataset.theme == 'dark'");
        assert_eq!(colours(page), dark);
        page.click("#theme");
        page.holds("!document.documentElement.dataset.theme");
        assert_eq!(colours(page), light);
    });
}

#[test]
fn paper_holds_the_answer_and_every_step() {
    each_way(|page| {
        // A4 at 96 dots per inch, printed from a dark screen.
        page.show_as((794, 1123), "dark");
        let dark = json!({"name": "prefers-color-scheme", "value": "dark"});
        page.command(
            "Emulation.setEmulatedMedia",
            json!({"media": "print", "features": [dark]}),
        );
        let shown = "return Object.fromEntries(arguments[0].map(selector => {
            const element = document.querySelector(selector);
            const clipped = element.scrollHeight > element.clientHeight + 1 && getComputedStyle(element).overflowY != 'visible';
            return [selector, element.checkVisibility() && !clipped]}))";
        let shown = page.run(
            shown,
            [
                "#verdict",
                "#verdict-other",
                ".steps",
                ".steps .end",
                ".why",
                "#samples",
                "#step",
                "#theme",
            ],
        );
        let wanted = json!({"#verdict": true, "#verdict-other": true, ".steps": true, ".steps .end": true, ".why": true,
            "#samples": false, "#step": false, "#theme": false});
        assert_eq!(shown, wanted);
        let colours = colours(page);
        assert!(
            brightness(&colours["ground"]) > brightness(&colours["ink"]),
            "{colours}"
        );
        picture(page, "paper");
    });
}

fn colours(page: &Page) -> Value {
    let colours = "const style = getComputedStyle(document.body);
        const root = getComputedStyle(document.documentElement).backgroundColor;
        const clear = style.backgroundColor == 'rgba(0, 0, 0, 0)';
        return {ground: clear ? root : style.backgroundColor, ink: style.color}";
    page.run(colours, ())
}

/// The sum of red, green and blue of `rgb(1, 2, 3)`.
fn brightness(colour: &Value) -> u32 {
    let text = colour.as_str().expect("a colour");
    assert!(text.starts_with("rgb("), "{text}");
    text.split(|character: char| !character.is_ascii_digit())
        .filter_map(|number| number.parse::<u32>().ok())
        .sum()
}

fn picture(page: &Page, name: &str) {
    fs::write(
        pictures().join(name).with_extension("png"),
        page.screenshot(),
    )
    .expect("a picture can be written");
}

/// The directory for pictures: the value of CHAINWALK_PICTURES, otherwise `target/tmp/pictures`.
pub(crate) fn pictures() -> PathBuf {
    let directory = std::env::var_os("CHAINWALK_PICTURES").map_or_else(
        || PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("pictures"),
        PathBuf::from,
    );
    fs::create_dir_all(&directory).expect("a directory for pictures");
    directory
}
