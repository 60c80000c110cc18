//! The stepper: jumps, playback, and the list of all steps.

use serde_json::json;

use crate::{Page, WIDE, Way, each_way, one_way};

#[test]
fn jumps_have_buttons_and_keys() {
    each_way(|page| {
        page.click("#first");
        page.is_at(1);
        page.click("#next-match");
        page.is_at(5);
        page.click("#out");
        page.is_at(6);
        page.click("#decided");
        page.is_at(5);
        page.press("u");
        page.is_at(6);
        page.press("v");
        page.is_at(5);
        page.is_current("nat/ISTIO_OUTPUT/4");
    });
}

#[test]
fn on_a_phone_the_buttons_stay_where_they_are_and_the_list_follows() {
    each_way(|page| {
        page.show_as((400, 800), "light");
        page.click("#tab-walk");
        page.click("#first");
        page.is_at(1);
        page.run(
            "document.getElementById('out').scrollIntoView({block: 'center'})",
            (),
        );
        let place = "return document.getElementById('out').getBoundingClientRect().top";
        let before = page.run(place, ());
        let shown = "(list => [...document.querySelectorAll('.steps [data-current]')].every(row =>
            row.getBoundingClientRect().top >= list.top && row.getBoundingClientRect().bottom <= list.bottom))
            (document.querySelector('.steps').getBoundingClientRect())";
        for (button, step) in [
            ("last", 12),
            ("decided", 5),
            ("next-match", 6),
            ("first", 1),
        ] {
            page.run("document.getElementById(arguments[0]).click()", button);
            page.is_at(step);
            page.holds(shown);
            assert_eq!(page.run(place, ()), before, "after {button}");
        }
    });
}

#[test]
fn a_jump_that_leads_nowhere_says_so() {
    each_way(|page| {
        page.click("#decided");
        page.is_at(5);
        page.holds("document.getElementById('decided').ariaDisabled == 'true'");
        page.click("#last");
        page.is_at(12);
        page.holds("document.getElementById('decided').ariaDisabled == 'false'");
        page.holds("document.getElementById('next-match').ariaDisabled == 'true'");
    });
}

/// Allows motion, as a system setting.
fn with_motion(page: &Page) {
    page.command(
        "Emulation.setEmulatedMedia",
        json!({"features": [{"name": "prefers-reduced-motion", "value": "no-preference"}]}),
    );
}

#[test]
fn it_plays_quietly_until_the_end_or_a_step() {
    each_way(|page| {
        with_motion(page);
        page.run(
            "const pace = document.getElementById('pace');
            pace.value = '350';
            pace.dispatchEvent(new Event('change', {bubbles: true}))",
            (),
        );
        page.click("#first");
        page.click("#play");
        page.holds("document.getElementById('sentence').ariaLive == 'off'");
        page.holds("document.getElementById('play').ariaLabel == 'Pause'");
        page.is_at(3);
        page.press(",");
        page.holds("document.getElementById('play').ariaLabel == 'Play'");
        page.holds("document.getElementById('sentence').ariaLive == 'polite'");
        page.click("#last");
        page.press(",");
        page.is_at(11);
        page.click("#play");
        page.is_at(12);
        page.holds("document.getElementById('play').ariaLabel == 'Play'");
    });
}

#[test]
fn nothing_plays_where_motion_is_unwanted() {
    each_way(|page| {
        // The default of all tests here.
        page.show_as(WIDE, "light");
        page.holds("!document.getElementById('play').checkVisibility()");
        page.holds("!document.getElementById('pace').checkVisibility()");
        // Playback stops when motion becomes unwanted.
        with_motion(page);
        page.click("#first");
        page.click("#play");
        page.is_at(2);
        page.show_as(WIDE, "light");
        page.holds("document.getElementById('play').ariaLabel == 'Play'");
    });
}

#[test]
fn runs_unfold_and_fold_again() {
    each_way(|page| {
        let run = ".steps [aria-expanded]";
        page.reads(run, "rules 1 to 3: no match");
        assert_eq!(
            page.run(
                "return document.querySelectorAll('.steps .shared').length",
                ()
            ),
            2
        );
        page.click(run);
        page.holds("document.querySelectorAll('.steps .shared').length == 5");
        page.holds("document.querySelector('.steps [aria-expanded]').ariaExpanded == 'true'");
        page.click(".steps .shared:nth-of-type(6) button");
        page.is_at(3);
        page.click(run);
        page.holds("document.querySelectorAll('.steps .shared').length == 2");
        page.is_at(3);
    });
}

/// The rules of a node: too many for a list, and for a text field.
fn many() -> String {
    let rules = (0..110_000).map(|at| {
        format!(
            "-A OUTPUT -d 10.{}.{}.{}/32 -j DROP\n",
            at >> 16,
            at >> 8 & 255,
            at & 255
        )
    });
    format!(
        "*filter\n:OUTPUT ACCEPT [0:0]\n{}COMMIT\n",
        rules.collect::<String>()
    )
}

#[test]
fn a_walk_of_110_000_steps_is_a_list_that_scrolls() {
    one_way(Way::File, |page| {
        page.paste(&many());
        page.reads(".count", "110001");
        page.press("c");
        page.reads(".steps [aria-expanded]", "rules 1 to 110000: no match");
        page.click(".steps [aria-expanded]");
        page.holds("document.querySelector('.steps').scrollHeight > 3000000");
        page.holds("document.querySelectorAll('.steps .pair').length < 300");
        page.run("document.querySelector('.steps').scrollTop = 1500000", ());
        page.holds("(document.elementFromPoint(700, 800)?.closest('.cell')?.innerText ?? '').includes('OUTPUT 517')");
        // Every step is available at once, and visible.
        page.run("document.getElementById('step').focus()", ());
        page.run(
            "const step = document.getElementById('step');
            step.value = '60000';
            step.dispatchEvent(new InputEvent('input', {bubbles: true}))",
            (),
        );
        page.is_at(60_000);
        let seen = "(() => {
            const row = document.querySelector('.steps [data-current]')?.getBoundingClientRect();
            const list = document.querySelector('.steps').getBoundingClientRect();
            return row && row.top >= list.top && row.bottom <= list.bottom;
        })()";
        page.holds(seen);
    });
}
