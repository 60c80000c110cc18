//! The map of paths.

use std::fs;
use std::path::PathBuf;

use serde_json::{Value, json};
use thirtyfour::Key;

use crate::{Page, WIDE, each_way};

/// A chain of forty rules that a TCP packet never matches, then one undetermined rule, and one that
/// drops.
fn long() -> String {
    let rules = (1..=40)
        .map(|port| format!("-A OUTPUT -p udp -m udp --dport {port} -j DROP\n"))
        .collect::<String>();
    format!(
        "*filter\n:INPUT ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\n{rules}-A OUTPUT -m limit --limit 3/hour -j RETURN\n\
         -A OUTPUT -p tcp -j DROP\nCOMMIT\n"
    )
}

/// All text of the map.
fn map(page: &Page) -> String {
    let text = page.run("return document.getElementById('map').textContent", ());
    text.as_str().expect("a text").to_owned()
}

#[track_caller]
fn shows(page: &Page, part: &str) {
    page.until(part, || map(page).contains(part).then_some(()));
}

#[test]
fn it_shows_both_ways_and_says_them() {
    each_way(|page| {
        for part in [
            "OUTPUT",
            "POSTROUTING",
            "→ 127.0.0.1:15001",
            "● Envoy :15001",
            "○ eth0",
            "ISTIO_OUTPUT",
            "policy ACCEPT",
        ] {
            shows(page, part);
        }
        let says = page.run("return document.getElementById('map-says').textContent", ());
        let says = says.as_str().expect("a text");
        assert!(
            says.contains(
                "A, uid 1000: routed to eth0, OUTPUT with nat, rewritten → 127.0.0.1:15001"
            ),
            "{says}"
        );
        assert!(
            says.ends_with("POSTROUTING with nat, eth0, direct."),
            "{says}"
        );
        // Both letters are at their packets.
        page.holds("document.querySelectorAll('#map .token').length == 2");
        page.click("[aria-label='Answer for A']");
        page.press("c");
        page.holds("document.querySelectorAll('#map .token').length == 1");
        // The connection continues from the proxy.
        shows(page, "then Envoy → the network:");
    });
}

#[test]
fn its_stations_lead_to_steps() {
    each_way(|page| {
        page.click("#map [role='button'][aria-label^='A: Rule 9 of ISTIO_OUTPUT']");
        page.is_at(10);
        page.is_current("nat/ISTIO_OUTPUT/9");
        // With the keyboard, too, and the focus stays.
        page.run(
            "document.querySelectorAll('#map [tabindex=\"0\"]')[0].focus()",
            (),
        );
        page.press(Key::Enter);
        page.is_at(1);
        page.holds("document.activeElement.ariaLabel == 'nat at OUTPUT'");
        page.press(" ");
        page.is_at(1);
        page.click("#map [aria-label='nat at POSTROUTING']");
        page.holds(
            "document.querySelector('#map [aria-label=\"nat at POSTROUTING\"][aria-current]')",
        );
    });
}

#[test]
fn a_leg_loads_its_packet() {
    each_way(|page| {
        page.click("#swap");
        page.press("c");
        page.reads("#verdict", "Captured.");
        page.click("#map [aria-label^='Leg 2:']");
        page.reads(
            "#verdict",
            "Not captured. Rule 4 of ISTIO_OUTPUT lets uid 1337 out.",
        );
    });
}

#[test]
fn a_long_chain_folds_and_a_doubt_shows_the_other_end() {
    each_way(|page| {
        page.paste(&long());
        shows(page, "1–40");
        shows(page, "or ");
        page.click("#map [aria-label*='if OUTPUT 41']");
        page.is_current("filter/OUTPUT/41");
        for size in [WIDE, (400, 800)] {
            page.show_as(size, "light");
            if size.0 < 800 {
                page.click("#tab-walk");
                // From top to bottom, with letters of the same size.
                page.holds("document.getElementById('map').clientWidth < 400");
                page.holds("document.getElementById('map').clientHeight > 300");
            }
            page.holds(
                "[...document.querySelectorAll('#map text')].every(t => getComputedStyle(t).fontSize == '11px')",
            );
            page.holds(
                "document.getElementById('map').viewBox.baseVal.width == document.getElementById('map').clientWidth",
            );
        }
    });
}

/// A saved map is a self-contained file with the colors of the page.
#[test]
fn it_is_saved_as_svg_and_png() {
    each_way(|page| {
        for (scheme, ground) in [("light", "rgb(255, 255, 255)"), ("dark", "rgb(21, 23, 27)")] {
            page.show_as(WIDE, scheme);
            let directory = downloads(page, scheme);
            page.click("[aria-label='Save the map as SVG']");
            let svg =
                String::from_utf8(taken(page, &directory.join("chainwalk.svg"))).expect("a text");
            assert!(
                svg.starts_with("<svg ") && svg.contains("xmlns=\"http://www.w3.org/2000/svg\""),
                "{svg}"
            );
            assert!(svg.contains(&format!("fill=\"{ground}\"")), "{svg}");
            for foreign in [
                "class=", "var(", "url(", "href", "data-", "tabindex", "<style",
            ] {
                assert!(!svg.contains(foreign), "{foreign} in {svg}");
            }
            assert!(
                svg.contains("A, uid 1000: routed to eth0") && svg.contains("Envoy :15001"),
                "{svg}"
            );
            // A browser can draw it by itself.
            let size = "const image = new Image();
                image.src = 'data:image/svg+xml,' + encodeURIComponent(arguments[0]);
                return image.decode().then(() => [image.width, image.height])";
            let size = page.run(size, &svg);
            page.click("[aria-label='Save the map as PNG']");
            let png = taken(page, &directory.join("chainwalk.png"));
            assert!(png.starts_with(b"\x89PNG\r\n"), "a picture");
            let number =
                |at: usize| u32::from_be_bytes(png[at..at + 4].try_into().expect("four bytes"));
            assert_eq!(
                json!([number(16) / 2, number(20) / 2]),
                size,
                "two dots a pixel"
            );
        }
    });
}

/// The directory of the browser's downloads.
fn downloads(page: &Page, name: &str) -> PathBuf {
    let own = format!("downloads-{}-{name}-{}", std::process::id(), page.own.len());
    let directory = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(own);
    let _ = fs::remove_dir_all(&directory);
    fs::create_dir_all(&directory).expect("a directory for downloads");
    let wanted = json!({"behavior": "allow", "downloadPath": directory});
    assert_eq!(
        page.command("Browser.setDownloadBehavior", wanted),
        Value::Object(Default::default())
    );
    directory
}

/// The file after the download. Before, it has another name.
fn taken(page: &Page, file: &std::path::Path) -> Vec<u8> {
    page.until(&file.display().to_string(), || {
        fs::read(file).ok().filter(|content| !content.is_empty())
    })
}
