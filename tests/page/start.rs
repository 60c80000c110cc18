//! The start of the page: the answer comes first, and the rest does not move it.

use serde_json::{Value, json};

use crate::{Page, WIDE, each_way};

/// Records the content of the first frame with an answer. The browser calls a `ResizeObserver`
/// after layout, directly before it paints.
const FIRST_FRAME: &str = "
    new MutationObserver((_, added) => {
        const answer = document.querySelector('#verdict h1');
        if (!answer) return;
        added.disconnect();
        new ResizeObserver((_, laid_out) => {
            laid_out.disconnect();
            window.firstFrame = {
                answer: answer.checkVisibility() && answer.innerText,
                rest: [...document.querySelectorAll('.pane, .reader, dialog')].map(part => part.id),
            };
        }).observe(answer);
    }).observe(document, {childList: true, subtree: true})";

/// Records all layout shifts in the window.
const SHIFTS: &str = "
    window.shifts = [];
    const note = entries => window.shifts.push(...entries.map(entry => [entry.value, ...entry.sources.map(
        ({node, previousRect: from, currentRect: to}) =>
            `${node?.outerHTML?.slice(0, 60) ?? node?.data}: ${[from.x, from.y, to.x, to.y].map(Math.round)}`)]));
    window.shiftObserver = new PerformanceObserver(list => note(list.getEntries()));
    window.shiftObserver.observe({type: 'layout-shift', buffered: true});
    window.takeShifts = () => (note(window.shiftObserver.takeRecords()), window.shifts)";

/// Reloads the page with a script that runs before all others, and waits until it is complete.
#[track_caller]
fn start(page: &Page, script: &str) {
    let added = page.command(
        "Page.addScriptToEvaluateOnNewDocument",
        json!({"source": script}),
    );
    page.reload();
    page.is_whole();
    page.command("Page.removeScriptToEvaluateOnNewDocument", added);
}

#[test]
fn the_answer_is_painted_before_the_rest_of_the_page_is_made() {
    each_way(|page| {
        start(page, FIRST_FRAME);
        let frame = page.run("return window.firstFrame", ());
        let answer = frame["answer"]
            .as_str()
            .unwrap_or_else(|| panic!("the answer is not in sight: {frame}"));
        assert!(
            answer.starts_with("Not captured. Rule 4 of ISTIO_OUTPUT"),
            "{answer}"
        );
        assert_eq!(frame["rest"], json!([]));
        let parts = page.run(
            "return [...document.querySelectorAll('.pane, dialog')].map(part => part.id)",
            (),
        );
        assert_eq!(
            parts,
            json!([
                "pane-rules",
                "pane-walk",
                "pane-packet",
                "pane-past",
                "help",
                "share"
            ])
        );
    });
}

#[test]
fn nothing_moves_while_the_page_is_made() {
    each_way(|page| {
        for size in [WIDE, (1024, 768), (400, 800)] {
            page.show_as(size, "light");
            start(page, SHIFTS);
            // At this point, the frame with the last part is drawn.
            let drawn = "return new Promise(drawn => requestAnimationFrame(() => setTimeout(drawn))).then(takeShifts)";
            let shifts: Value = page.run(drawn, ());
            assert_eq!(shifts, json!([]), "{size:?}");
        }
    });
}
