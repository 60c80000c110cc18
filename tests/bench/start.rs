//! What a browser loads for the page, and how long until it shows an answer, against a page of Yew's that says hello.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use chainwalk_tests::browser::Browser;
use chainwalk_tests::site::{self, Site};
use serde_json::json;

use crate::table::{Aim, Figures, Table};

const TIMES: usize = 9;

/// A page, and what is there once it has started.
struct Page {
    directory: PathBuf,
    one_file: &'static str,
    there: &'static str,
}

/// What was measured of one.
struct Took {
    start: Figures,
    from_file: Figures,
    sent: Figures,
    in_one: Figures,
}

pub(crate) fn rows(table: &mut Table) {
    let hello = env::var_os("CHAINWALK_HELLO").expect("`cargo xtask bench` says where it is").into();
    let pages = [
        Page { directory: site::dist(), one_file: "chainwalk.html", there: "#verdict" },
        Page { directory: hello, one_file: "hello.html", there: "#hello" },
    ];
    let browser = Browser::start();
    browser.show_as((1440, 900), "light");
    // Every start is as the first.
    browser.command("Network.setCacheDisabled", json!({"cacheDisabled": true}));
    let [ours, peer] = pages.map(|page| measure(&browser, &page));
    for (what, ours, peer) in [
        ("from navigation to the first answer", ours.start, peer.start),
        ("the same, the page in one file", ours.from_file, peer.from_file),
        ("what is sent for it, by brotli", ours.sent, peer.sent),
        ("the page in one file", ours.in_one, peer.in_one),
    ] {
        table.row(what, &ours, Some(("a Yew hello", &peer)), Aim::None);
    }
}

fn measure(browser: &Browser, page: &Page) -> Took {
    let served = Site::of(&page.directory, |_| true);
    let in_one = page.directory.join(page.one_file);
    let from_file = start(browser, &format!("file://{}", in_one.display()), page.there);
    let start = start(browser, &served.url(), page.there);
    // As the browser itself has it.
    let loaded = "return performance.getEntriesByType('resource').map(entry => entry.name)";
    let loaded = browser.run(loaded, ());
    let names = loaded.as_array().expect("a list").iter().filter_map(|url| url.as_str()?.strip_prefix(&served.url()));
    let sent: usize = names.chain(["index.html"]).map(|name| brotli(&page.directory.join(name))).sum();
    let size = fs::metadata(in_one).expect("it was built").len();
    let kb = |bytes: f64| Figures::new("kB", vec![bytes / 1e3]);
    Took { start, from_file, sent: kb(sent as f64), in_one: kb(size as f64) }
}

/// From navigation to the frame behind the one in which an element is there that has a text.
fn start(browser: &Browser, url: &str, there: &str) -> Figures {
    let watch = format!(
        "new MutationObserver((_, observer) => {{
            if (!document.querySelector('{there}')?.textContent) return;
            observer.disconnect();
            requestAnimationFrame(() => setTimeout(() => window.shownAt = performance.now()));
        }}).observe(document, {{childList: true, subtree: true}})"
    );
    let watching = browser.command("Page.addScriptToEvaluateOnNewDocument", json!({"source": watch}));
    let one = |_| {
        browser.open(url);
        browser.until(there, || browser.run("return window.shownAt", ()).as_f64())
    };
    // The first finds nothing in memory and does not count.
    let took = (0..=TIMES).map(one).skip(1).collect();
    browser.command("Page.removeScriptToEvaluateOnNewDocument", watching);
    Figures::new("ms", took)
}

/// How large a server's brotli makes a file, in bytes.
fn brotli(path: &Path) -> usize {
    let mut brotli = Command::new("brotli");
    brotli.args(["--stdout", "--quality=11", "--"]).arg(path).stderr(Stdio::inherit());
    let output = brotli.output().expect("it is installed");
    assert!(output.status.success(), "brotli {}: {}", path.display(), output.status);
    output.stdout.len()
}
