//! The keyboard.

use serde_json::json;
use thirtyfour::Key;

use crate::{Page, each_way};

#[test]
fn keys_step() {
    each_way(|page| {
        page.is_at(5);
        for (key, step) in [(",", 4), (".", 5), (".", 6)] {
            page.press(key);
            page.is_at(step);
        }
        page.press(Key::Home);
        page.is_at(1);
        page.press("n");
        page.is_at(5);
        page.is_current("nat/ISTIO_OUTPUT/4");
        page.press("u");
        page.is_at(6);
        page.is_current("nat/OUTPUT/policy");
        page.press(Key::End);
        page.is_at(12);
        page.press(Key::Right);
        page.press(Key::Left);
        page.is_at(11);

        page.press("c");
        page.holds("document.getElementById('compare').ariaPressed == 'false'");
        page.reads("#verdict", "Not captured. Rule 4");
        page.holds("!document.getElementById('verdict-other')");
        page.press("c");
        page.reads("#verdict-other", "As uid 1000: captured");

        for (button, step) in [("first", 1), ("forward", 2), ("last", 12), ("back", 11)] {
            page.click(&format!("#{button}"));
            page.is_at(step);
        }
    });
}

#[test]
fn keys_in_a_field_are_the_fields_own() {
    each_way(|page| {
        page.is_at(5);
        page.click("#b-uid");
        page.press(Key::Home + Key::Right + Key::End + Key::Left);
        page.click("#both-dst");
        page.press(Key::End + "nuc?,.");
        page.holds("document.getElementById('both-dst').value == '93.184.216.34nuc?,.'");
        page.holds("document.getElementById('compare').ariaPressed == 'true'");
        assert!(!help_is_open(page));
        page.press(
            Key::Backspace
                + Key::Backspace
                + Key::Backspace
                + Key::Backspace
                + Key::Backspace
                + Key::Backspace,
        );
        page.is_at(5);
        // Outside a field, the same keys step exactly once.
        page.click("#pane-walk h2");
        page.press(Key::Right);
        page.is_at(6);
    });
}

#[test]
fn a_slider_has_its_own_arrows() {
    each_way(|page| {
        page.run("document.getElementById('step').focus()", ());
        page.press(Key::Right + Key::Right + Key::Right);
        page.is_at(8);
        page.press(Key::Left);
        page.is_at(7);
        page.press(Key::Home);
        page.is_at(1);
        page.press(Key::End);
        page.is_at(12);
        page.press(Key::Left);
        page.is_at(11);
    });
}

#[test]
fn shortcuts_of_a_character_can_be_switched_off() {
    each_way(|page| {
        page.press("?");
        page.until("the help", || help_is_open(page).then_some(()));
        page.holds("document.activeElement.closest('#help')");
        page.click("#shortcuts");
        page.press(Key::Escape);
        page.until("the help to close", || (!help_is_open(page)).then_some(()));

        page.press("?.nuc");
        page.press(Key::Right);
        page.is_at(6);
        assert!(!help_is_open(page));
        page.holds("document.getElementById('compare').ariaPressed == 'true'");

        page.click("#help-open");
        page.click("#shortcuts");
        page.press(Key::Escape);
        page.until("the help to close", || (!help_is_open(page)).then_some(()));
        page.press(",");
        page.is_at(5);
    });
}

#[test]
fn the_sentence_is_quiet_while_a_key_is_held() {
    each_way(|page| {
        let key = |kind: &str, repeats: bool| {
            let event = json!({"type": kind, "key": "ArrowLeft", "code": "ArrowLeft", "windowsVirtualKeyCode": 37,
                "autoRepeat": repeats});
            page.command("Input.dispatchKeyEvent", event);
        };
        page.holds("document.getElementById('sentence').ariaLive == 'polite'");
        key("rawKeyDown", false);
        key("rawKeyDown", true);
        page.holds("document.getElementById('sentence').ariaLive == 'off'");
        page.is_at(3);
        key("keyUp", false);
        page.holds("document.getElementById('sentence').ariaLive == 'polite'");
    });
}

#[test]
fn every_control_can_be_reached_and_shows_that_it_is() {
    each_way(|page| {
        let wanted =
            "return [...document.querySelectorAll('button, input, select, textarea, a[href]')]
            .filter(e => e.checkVisibility() && !e.disabled && e.tabIndex >= 0).length";
        let wanted = page.run(wanted, ()).as_u64().expect("a number");
        let mut seen = 0;
        // One round through the page. Some elements, such as scrolling lists, add further places.
        for _ in 0..2 * wanted {
            page.press(Key::Tab);
            let at = "const e = document.activeElement;
                if (e == document.body || e.dataset.seen) return null;
                e.dataset.seen = 1;
                const has = (e, part) => {
                  const style = getComputedStyle(e, part);
                  return style.outlineStyle != 'none' && parseFloat(style.outlineWidth) > 0;
                };
                // Some elements show the focus on their frame.
                const frame = e.closest('.input');
                return {name: e.outerHTML.slice(0, 80), control: e.matches('button, input, select, textarea, a'),
                    outline: has(e) || has(e, '::after') || Boolean(frame && has(frame))}";
            let at = page.run(at, ());
            if at.is_null() {
                break;
            }
            assert_eq!(at["outline"], true, "no visible focus: {}", at["name"]);
            seen += u64::from(at["control"] == true);
        }
        assert_eq!(seen, wanted, "controls that Tab leads to");
    });
}

fn help_is_open(page: &Page) -> bool {
    page.run("return document.getElementById('help').open", ()) == true
}
