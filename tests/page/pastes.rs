//! Invalid texts, large texts, and files.

use serde_json::json;
use thirtyfour::Key;

use crate::{Page, each_way};

const CAPTURE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../core/tests/capture.json");

/// Loads a sample and steps in it, to check that the page works.
#[track_caller]
fn lives(page: &Page) {
    let choose = "const list = document.getElementById('samples');
        list.value = '0';
        list.dispatchEvent(new Event('change', {bubbles: true}))";
    page.run(choose, ());
    page.reads(
        "#verdict",
        "Not captured. Rule 4 of ISTIO_OUTPUT lets uid 1337 out.",
    );
    page.press(Key::Home);
    page.is_at(1);
}

#[test]
fn what_holds_no_rules_is_refused_with_a_reason() {
    each_way(|page| {
        for text in [
            "Good morning, everyone",
            "{\"schema_version\": 1",
            "\u{0}\u{1}\u{fffd}",
            "<html><body>",
        ] {
            page.paste(text);
            page.reads("#diagnostics [role=alert]", "rejected");
            // The previous state is still there.
            page.reads(
                "#verdict",
                "Not captured. Rule 4 of ISTIO_OUTPUT lets uid 1337 out.",
            );
            lives(page);
            assert_eq!(page.text("#diagnostics [role=alert]"), None, "{text:?}");
        }
    });
}

#[test]
fn what_is_not_understood_is_shown_with_its_line() {
    let unknown = "*nat\n:OUTPUT ACCEPT [0:0]\n-A OUTPUT -p tcp --frobnicate 5 -j ACCEPT\nCOMMIT\n";
    let cycle = "*filter\n:OUTPUT ACCEPT [0:0]\n:a - [0:0]\n:b - [0:0]\n-A OUTPUT -j a\n-A a -j b\n-A b -j a\nCOMMIT\n";
    let broken = "*nat\n:OUTPUT ACCEPT [0:0]\nroot@node:~# iptables-save\n-A OUTPUT -j NOWHERE\n";
    each_way(|page| {
        for (text, line, words) in [
            (unknown, 3, "frobnicate"),
            (cycle, 7, "loop"),
            (broken, 4, "NOWHERE"),
        ] {
            page.paste(text);
            page.reads("#samples", "Your paste");
            page.reads("#diagnostics", words);
            let link = "return [...document.querySelectorAll('#diagnostics button')]
                .find(button => button.innerText == 'line ' + arguments[0])?.click() === undefined";
            page.reads("#diagnostics", &format!("line {line}"));
            assert_eq!(page.run(link, line), true);
            // The link selects the line.
            page.holds(&format!(
                "document.querySelector('[data-line=\"{line}\"][data-current]')"
            ));
            lives(page);
        }
    });
}

#[test]
fn a_damaged_page_is_read_pointed_at_and_whole_again_with_one_click() {
    const TEXT: &str = include_str!("../../core/tests/pastes/page.txt");
    let press = "return [...document.querySelectorAll(arguments[0][0])]
        .find(button => button.innerText.includes(arguments[0][1]))?.click() === undefined";
    each_way(|page| {
        page.paste(TEXT);
        page.reads(
            "#read-as",
            "iptables-save, nat table (line 16); iptables -L -v, nat table (line 41)",
        );
        page.reads("#diagnostics", "-d lacks its value");
        // In the text, the line is visible and marked. In the field, it is selected.
        assert_eq!(
            page.run(press, ("#diagnostics li:has(.offer) .link", "line 28")),
            true
        );
        page.holds(
            "document.querySelector('[data-line=\"28\"][data-current] mark')?.innerText == '-d'",
        );
        page.holds("document.querySelector('[data-line=\"28\"] .mark.error')");
        page.click("#view-paste");
        page.holds("document.activeElement.id == 'paste-area'");
        assert_eq!(
            page.run(press, ("#diagnostics li:has(.offer) .link", "line 28")),
            true
        );
        let selected = "(field => field.value.slice(field.selectionStart, field.selectionEnd))
            (document.getElementById('paste-area')) == '-d'";
        page.holds(selected);
        page.holds("document.querySelector('.gutter .mark.error')");
        assert_eq!(page.run(press, ("button.fix", "whole table")), true);
        page.reads("#read-as", "not evaluated");
        page.reads("#pane-rules", "Istio sidecar 1.5.");
        page.reads(
            "#verdict",
            "Not captured. Rule 4 of ISTIO_OUTPUT lets uid 1337 out.",
        );
        page.holds("!document.querySelector('#diagnostics .error')");
        lives(page);
    });
}

#[test]
fn a_large_paste_never_enters_a_text_field() {
    const RULES: u32 = 26_000;
    let mut text = String::from("*nat\n:OUTPUT ACCEPT [0:0]\n:many - [0:0]\n-A OUTPUT -j many\n");
    for rule in 0..RULES {
        let (third, fourth) = (rule / 250, rule % 250);
        text += &format!(
            "-A many -d 10.200.{third}.{fourth}/32 -p tcp -m tcp --dport 8080 -m comment --comment x -j RETURN\n"
        );
    }
    text += "COMMIT\n";
    assert!(text.len() > 2_000_000, "{}", text.len());
    each_way(|page| {
        for into_field in [false, true] {
            if into_field {
                page.click("#view-paste");
                page.holds("document.activeElement.id == 'paste-area'");
            }
            page.paste(&text);
            page.reads("#diagnostics", "26001 rules");
            page.reads(
                "#taken",
                "26001 rules read: iptables-save, nat table. All understood.",
            );
            // In the text field, `End` would move the text cursor.
            page.run("document.activeElement.blur()", ());
            page.press(Key::End);
            page.is_at(26_002);

            for view in ["#view-paste", "#view-text", "#view-saved", "#view-walked"] {
                page.click(view);
                let size = "return {
                    typed: Math.max(0, ...[...document.querySelectorAll('textarea, input')].map(field => field.value.length)),
                    elements: document.querySelectorAll('*').length}";
                let size = page.run(size, ());
                assert!(
                    size["typed"].as_u64().is_some_and(|typed| typed < 1_000),
                    "{view}: {size}"
                );
                assert!(
                    size["elements"]
                        .as_u64()
                        .is_some_and(|elements| elements < 20_000),
                    "{view}: {size}"
                );
            }
            lives(page);
        }
    });
}

#[test]
fn a_capture_is_read() {
    let text = std::fs::read_to_string(CAPTURE).expect("it is in the repository");
    each_way(|page| {
        page.paste(&text);
        page.reads("#samples", "Your paste");
        page.reads("#diagnostics", "1 rule in 2 chains");
        // Its host has no default route.
        page.reads("#verdict", "No route");
        lives(page);
    });
}

#[test]
fn a_file_is_dropped() {
    let file = std::fs::canonicalize(CAPTURE).expect("it is in the repository");
    each_way(|page| {
        let drop = |what: &str| {
            let data = json!({"items": [], "files": [file], "dragOperationsMask": 1});
            page.command(
                "Input.dispatchDragEvent",
                json!({"type": what, "x": 200, "y": 300, "data": data}),
            );
        };
        for what in ["dragEnter", "dragOver", "drop"] {
            drop(what);
        }
        page.reads("#samples", "Your paste");
        page.reads("#diagnostics", "1 rule in 2 chains");
        lives(page);
    });
}
