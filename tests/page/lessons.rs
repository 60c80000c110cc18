//! The lessons: opened, answered, remembered, printed, and read from a file.

use thirtyfour::Key;

use crate::{Way, each_way, one_way};

#[test]
fn a_lesson_is_opened_answered_and_remembered() {
    each_way(|page| {
        page.click("#lessons-open");
        page.reads("#lesson", "Reading a dump");
        page.click("a[href='#lesson/the-number-1337']");
        page.reads("#lesson-title", "Two packets");
        page.reads("#verdict", "");
        // Neither the verdict nor the steps tell the answer.
        page.holds("!document.querySelector('#verdict').checkVisibility()");
        page.holds("getComputedStyle(document.querySelector('#pane-walk .steps')).visibility == 'hidden'");
        assert!(!page.accessible_text().contains("lets uid 1337 out"));

        page.click("#lesson-hint");
        page.reads(".hints", "ISTIO_OUTPUT");
        page.click("[data-choice='0']");
        page.reads(".reply", "Had the uid been 1000 and not 1337, rule 9 of ISTIO_OUTPUT would have sent it to Envoy");
        page.click("[data-choice='2']");
        page.reads("#verdict", "Not captured. Rule 4 of ISTIO_OUTPUT lets uid 1337 out.");

        // A step has an address of its own, and the way back works.
        page.click("#lesson-next");
        page.reads("#lesson-title", "The rule that decides");
        page.holds("location.hash == '#lesson/the-number-1337/2'");
        page.run("history.back()", ());
        page.reads("#lesson-title", "Two packets");

        // It is there on the next visit, until one begins anew.
        page.run("location.hash = 'lessons'", ());
        page.reads("#lesson", "1 of 7 done");
        page.reload();
        page.reads("#lesson", "1 of 7 done");
        page.holds("document.getElementById('progress-save').href.includes('the-number-1337')");
        page.click("#progress-reset");
        page.holds("!document.getElementById('progress-save')");
        page.click("#lesson-close");
        page.holds("!document.getElementById('lesson')");
        page.reads("#verdict", "captured");
    });
}

#[test]
fn a_lesson_needs_no_mouse() {
    one_way(Way::File, |page| {
        page.run("document.getElementById('lessons-open').focus()", ());
        page.press(Key::Enter);
        page.holds("document.activeElement.id == 'lesson-title'");
        // The first lesson of the list, and its first answer.
        for (look, key) in [("a[href^=\"#lesson/\"]", Key::Enter), ("[data-choice=\"0\"]", Key::Enter)] {
            for _ in 0..40 {
                page.press(Key::Tab);
                if page.run(&format!("return document.activeElement.matches('{look}')"), ()) == true {
                    break;
                }
            }
            page.holds(&format!("document.activeElement.matches('{look}')"));
            page.press(key);
            page.until("an answer, or the lesson", || {
                page.run(
                    "return document.activeElement.id == 'lesson-title' || Boolean(document.querySelector('.reply'))",
                    (),
                )
                .as_bool()
                .filter(|is| *is)
            });
        }
        page.reads(".reply", "Had the protocol been udp");
    });
}

#[test]
fn trainers_see_all_answers_and_print_them() {
    one_way(Way::File, |page| {
        page.run("location.hash = 'lesson/the-number-1337/1'", ());
        page.reads("#lesson-title", "Two packets");
        page.click("#lesson-trainer");
        page.holds("document.querySelectorAll('.reply').length == 4");
        page.reads("#verdict", "Not captured.");
        page.run("location.hash = 'lesson/the-number-1337/handout'", ());
        page.reads("#lesson", "7. What follows");
        page.holds("document.querySelectorAll('.sheet').length == 7");
        page.holds("!document.querySelector('.page').checkVisibility()");
        page.reads("#lesson", "Had the uid been 1000");
    });
}

#[test]
fn a_lesson_from_a_file_is_shown_or_refused_with_its_line() {
    const OPEN: &str = "const input = document.getElementById('lesson-file');
        const files = new DataTransfer();
        files.items.add(new File([arguments[0]], 'mine.md'));
        input.files = files.files;
        input.dispatchEvent(new Event('change', {bubbles: true}))";
    one_way(Way::File, |page| {
        let guide = include_str!("../../docs/write-a-lesson.md");
        let template = guide.split("````markdown\n").nth(1).and_then(|rest| rest.split("````").next());
        let template = template.expect("there is a template");
        page.click("#lessons-open");
        page.reads("#lesson", "Five puzzles");
        page.run(OPEN, template.replace("- sent eth0", "- sent eth7"));
        page.reads("#lesson", "This lesson cannot be used. Line 22: there is no interface `eth7`");
        page.run(OPEN, template);
        page.reads("#lesson-title", "Two programs");
        page.holds("location.hash == '#lesson/own'");
        page.click("[data-choice='1']");
        page.reads(".behind", "Not captured.");
    });
}

#[test]
fn lessons_fit_every_window() {
    each_way(|page| {
        for size in [crate::WIDE, (1024, 768), (400, 800)] {
            page.show_as(size, "light");
            page.run("location.hash = 'lesson/the-number-1337/2'", ());
            page.reads("#lesson-title", "The rule that decides");
            page.click("[data-choice='2']");
            page.reads(".behind", "They part at");
            let width = page.run("return document.scrollingElement.scrollWidth", ()).as_u64().expect("a number");
            assert!(width <= u64::from(size.0), "{size:?}: scrolls sideways: {width}");
            page.holds("document.querySelector('#verdict h1').getBoundingClientRect().top >= 0");
            page.run("location.hash = ''", ());
        }
    });
}
