//! The page in Chromium with rules of three sizes: they are dropped, stepped through, and edited.
//! The peer is a text field of the browser with the same text and the same keys.

use chainwalk_core::analysis::large;
use chainwalk_tests::browser::Browser;
use chainwalk_tests::site::Site;
use serde_json::json;

use crate::table::{Aim, Figures, Table};

/// The rules of a pod.
const POD: &str = include_str!("../../static/samples/istio-sidecar.txt");

/// A script that runs in every page before its own scripts.
const TOOLS: &str = "
    const pause = ms => new Promise(done => setTimeout(done, ms));
    // Milliseconds from `act` to the end of the first frame in which `done` holds.
    window.until = async (act, done) => {
        const start = performance.now();
        act();
        do await new Promise(painted => requestAnimationFrame(() => setTimeout(painted))); while (!done());
        return performance.now() - start;
    };
    // The longest frame in milliseconds during a sequence of acts and a short time after.
    window.longest = async acts => {
        let most = 0, before = performance.now(), on = true;
        const frame = () => {
            const now = performance.now();
            [most, before] = [Math.max(most, now - before), now];
            if (on) requestAnimationFrame(frame);
        };
        requestAnimationFrame(frame);
        await pause(50);
        most = 0;
        for (const act of acts) {
            act();
            await pause(50);
        }
        await pause(200);
        on = false;
        // A frame that is not finished has already lasted this long.
        return Math.max(most, performance.now() - before);
    };
    // Types a text at the cursor, key by key.
    window.keys = text => [...text].map(key => () => document.execCommand('insertText', false, key));
    for (const name of ['instantiate', 'instantiateStreaming']) {
        const make = WebAssembly[name];
        WebAssembly[name] = async (...given) => {
            const made = await make(...given);
            // A compiled module gives the instance itself.
            window.memory = (made.instance ?? made).exports.memory;
            return made;
        };
    }";

/// The measurements of sessions: times in milliseconds, memory in bytes.
#[derive(Default)]
struct Took {
    drop: Vec<f64>,
    step: Vec<f64>,
    field: Vec<f64>,
    search: Vec<f64>,
    memory: Vec<f64>,
}

pub(crate) fn rows(table: &mut Table) {
    let site = Site::serve(|_| true);
    let browser = Browser::start();
    browser.show_as((1440, 900), "light");
    browser.command("Performance.enable", json!({}));
    browser.command(
        "Page.addScriptToEvaluateOnNewDocument",
        json!({"source": TOOLS}),
    );
    for (rules, text, times, most) in [
        ("30", POD.to_owned(), 7, 50.0),
        ("6,000", large::kube_proxy(545), 5, 300.0),
        ("110,000", large::kube_proxy(10_000), 3, 1_000.0),
    ] {
        let (mut ours, mut peer) = (Took::default(), Took::default());
        for _ in 0..times {
            page(&browser, &site.url(), &text, &mut ours, &mut peer);
            text_field(&browser, &text, &mut peer);
        }
        let ms = |measured| Figures::new("ms", measured);
        let mb = |measured: Vec<f64>| {
            Figures::new("MB", measured.iter().map(|bytes| bytes / 1e6).collect())
        };
        let mut row = |what, ours, (name, peer), aim| {
            table.row(
                &format!("{rules} rules: {what}"),
                &ours,
                Some((name, &peer)),
                aim,
            );
        };
        let (value, keys) = (("a text field", ms(peer.drop)), ms(peer.field));
        row(
            "drop to first trace",
            ms(ours.drop),
            value,
            Aim::Below(most),
        );
        row(
            "longest frame of 20 steps",
            ms(ours.step),
            ("at rest", ms(peer.step)),
            Aim::Below(50.0),
        );
        let field = ("in a text field", keys);
        row(
            "longest frame of 5 keys in a packet's port",
            ms(ours.field),
            field.clone(),
            Aim::Below(50.0),
        );
        row(
            "longest frame of 5 keys in the search for rules",
            ms(ours.search),
            field,
            Aim::Below(50.0),
        );
        row(
            "memory of scripts and program",
            mb(ours.memory),
            ("before the drop", mb(peer.memory)),
            Aim::None,
        );
    }
}

/// One session with the page.
fn page(browser: &Browser, url: &str, text: &str, ours: &mut Took, before: &mut Took) {
    // Removes the data of an earlier session.
    browser.command(
        "Storage.clearDataForOrigin",
        json!({"origin": url, "storageTypes": "all"}),
    );
    browser.open(url);
    browser.reads("#verdict", "ISTIO_OUTPUT");
    before.memory.push(memory(browser));
    let drop = "const dataTransfer = new DataTransfer();
        dataTransfer.setData('text/plain', arguments[0]);
        const event = new DragEvent('drop', {dataTransfer, bubbles: true, cancelable: true});
        const samples = document.getElementById('samples');
        const shown = () => samples.selectedOptions[0].text == 'Your paste'
            && document.getElementById('verdict').innerText && document.querySelector('#pane-rules [data-current]');
        return until(() => document.body.dispatchEvent(event), shown)";
    ours.drop.push(number(browser, drop, text));
    before.step.push(number(
        browser,
        "return longest(Array(20).fill(() => {}))",
        "",
    ));
    let steps =
        "const press = key => new KeyboardEvent('keydown', {key, bubbles: true, cancelable: true});
        return longest([...Array(20).keys()].map(step => () =>
            document.body.dispatchEvent(press(step % 4 ? 'ArrowRight' : 'n'))))";
    ours.step.push(number(browser, steps, ""));
    let write = "const field = document.querySelector(arguments[0]);
        field.focus();
        field.select();
        return longest(keys('44312'))";
    ours.field
        .push(number(browser, write, "#pane-packet input[id$=-dport]"));
    ours.search.push(number(browser, write, "#search"));
    ours.memory.push(memory(browser));
}

/// A session with a text field only.
fn text_field(browser: &Browser, text: &str, peer: &mut Took) {
    browser.open("about:blank");
    let drop = "const field = document.createElement('textarea');
        [field.rows, field.cols, field.spellcheck] = [40, 120, false];
        document.body.append(field);
        return until(() => field.value = arguments[0], () => true)";
    peer.drop.push(number(browser, drop, text));
    let write = "const field = document.querySelector('textarea');
        field.focus();
        field.setSelectionRange(0, 0);
        return longest(keys('44312'))";
    peer.field.push(number(browser, write, ""));
}

/// The number that a script returns.
fn number(browser: &Browser, script: &str, argument: &str) -> f64 {
    browser
        .run(script, argument)
        .as_f64()
        .unwrap_or_else(|| panic!("no number: {script}"))
}

/// The memory of scripts and of the program in bytes, after a garbage collection.
fn memory(browser: &Browser) -> f64 {
    browser.command("HeapProfiler.collectGarbage", json!({}));
    let metrics = browser.command("Performance.getMetrics", json!({}));
    let all = metrics["metrics"].as_array().expect("a list");
    let heap = all
        .iter()
        .find(|metric| metric["name"] == "JSHeapUsedSize")
        .expect("it is measured");
    let program = browser.run("return memory.buffer.byteLength", ());
    heap["value"].as_f64().expect("a number") + program.as_f64().expect("a number")
}
