//! The size of the page for a browser, and the time until it shows an answer, compared with a
//! minimal Yew page.
//!
//! The starts of all pages alternate, so that each meets the same machine.
//! `CHAINWALK_COMPARE=DIR:DIR` adds other builds of `dist/`, to choose between two ways of
//! building.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;

use chainwalk_tests::browser::Browser;
use chainwalk_tests::site::{self, Site};
use serde_json::json;

use crate::table::{Aim, Figures, Table};

/// The number of starts of each page.
const STARTS: usize = 9;
/// The parts of a start, each with the mark that ends it.
const PHASES: [(&str, &str); 5] = [
    ("until the WebAssembly is requested", "requested"),
    ("until it is compiled", "compiled"),
    ("until the first walk is done", "walked"),
    ("until the answer is in the document", "rendered"),
    ("until it is on the screen", "shown"),
];

/// Records the end of each phase. `{there}` is an element that has a text after the page has
/// started.
const WATCH: &str = "
    window.marks = {};
    const mark = name => window.marks[name] ??= performance.now();
    for (const name of ['instantiate', 'instantiateStreaming', 'compile', 'compileStreaming']) {
        const compile = WebAssembly[name];
        WebAssembly[name] = async (...given) => {
            mark('requested');
            const compiled = await compile.call(WebAssembly, ...given);
            mark('compiled');
            return compiled;
        };
    }
    // Yew computes the state and the content before it creates the first element.
    for (const name of ['createElement', 'createElementNS']) {
        const make = Document.prototype[name];
        Document.prototype[name] = function (...given) {
            if (window.marks.compiled) mark('walked');
            return make.apply(this, given);
        };
    }
    new MutationObserver((_, observer) => {
        if (!document.querySelector('{there}')?.textContent) return;
        observer.disconnect();
        mark('rendered');
        // The frame is drawn before the next task of the highest priority.
        requestAnimationFrame(() => scheduler.postTask(() => mark('shown'), {priority: 'user-blocking'}));
    }).observe(document, {childList: true, subtree: true})";

/// A build of a page.
struct Page {
    name: String,
    directory: PathBuf,
    one_file: &'static str,
    /// An element that has a text after the page has started.
    there: &'static str,
}

/// One page in one of its two forms, with the measurements of its starts.
struct Candidate {
    url: String,
    there: &'static str,
    /// The end of each of [`PHASES`] in milliseconds, for each start.
    starts: Vec<[f64; PHASES.len()]>,
}

impl Candidate {
    fn new(url: String, page: &Page) -> Self {
        Self {
            url,
            there: page.there,
            starts: Vec::new(),
        }
    }

    /// Starts the page once.
    fn start(&mut self, browser: &Browser) {
        let watch = WATCH.replace("{there}", self.there);
        let watching = browser.command(
            "Page.addScriptToEvaluateOnNewDocument",
            json!({"source": watch}),
        );
        browser.open(&self.url);
        browser.until(self.there, || {
            browser.run("return window.marks?.shown", ()).as_f64()
        });
        let marks = browser.run("return window.marks", ());
        self.starts.push(PHASES.map(|(_, mark)| {
            marks[mark]
                .as_f64()
                .unwrap_or_else(|| panic!("{} has no mark {mark}: {marks}", self.url))
        }));
        browser.command("Page.removeScriptToEvaluateOnNewDocument", watching);
    }

    /// From navigation to the frame that shows the answer.
    fn total(&self) -> Figures {
        Figures::new(
            "ms",
            self.starts
                .iter()
                .map(|ends| ends[PHASES.len() - 1])
                .collect(),
        )
    }

    /// The duration of one phase.
    fn phase(&self, phase: usize) -> Figures {
        let before =
            |ends: &[f64; PHASES.len()]| phase.checked_sub(1).map_or(0.0, |before| ends[before]);
        Figures::new(
            "ms",
            self.starts
                .iter()
                .map(|ends| ends[phase] - before(ends))
                .collect(),
        )
    }
}

pub(crate) fn rows(table: &mut Table) {
    let hello = env::var_os("CHAINWALK_HELLO").expect("`cargo xtask bench` says where it is");
    let page = |name: &str, directory: PathBuf| Page {
        name: name.to_owned(),
        directory,
        one_file: "chainwalk.html",
        there: "#verdict",
    };
    let others = env::var_os("CHAINWALK_COMPARE").unwrap_or_default();
    let others = env::split_paths(&others).filter(|path| path.is_dir());
    let mut pages = vec![
        page("the page", site::dist()),
        Page {
            name: "a Yew hello".to_owned(),
            directory: hello.into(),
            one_file: "hello.html",
            there: "#hello",
        },
    ];
    pages.extend(others.map(|directory| page(&directory.display().to_string(), directory)));

    let sites: Vec<Arc<Site>> = pages
        .iter()
        .map(|page| Site::of(&page.directory, |_| true))
        .collect();
    let mut hosted: Vec<Candidate> = pages
        .iter()
        .zip(&sites)
        .map(|(page, site)| Candidate::new(site.url(), page))
        .collect();
    let in_one = |page: &Page| format!("file://{}", page.directory.join(page.one_file).display());
    let mut from_file: Vec<Candidate> = pages
        .iter()
        .map(|page| Candidate::new(in_one(page), page))
        .collect();

    let browser = Browser::start();
    browser.show_as((1440, 900), "light");
    // The cache is off, so that no start uses a file of an earlier one.
    browser.command("Network.setCacheDisabled", json!({"cacheDisabled": true}));
    // The first round warms up the browser and does not count.
    for turn in 0..=STARTS {
        for candidate in hosted.iter_mut().chain(&mut from_file) {
            candidate.start(&browser);
            if turn == 0 {
                candidate.starts.clear();
            }
        }
    }

    let hello = ("a Yew hello", &hosted[1].total());
    table.row(
        "from navigation to the first answer",
        &hosted[0].total(),
        Some(hello),
        Aim::Times(3.6),
    );
    let peer = ("the hosted page", &hosted[0].total());
    table.row(
        "the same, the page in one file",
        &from_file[0].total(),
        Some(peer),
        Aim::Times(2.0),
    );
    for (phase, (name, _)) in PHASES.iter().enumerate() {
        let peer = ("in one file", &from_file[0].phase(phase));
        table.row(
            &format!("hosted: {name}"),
            &hosted[0].phase(phase),
            Some(peer),
            Aim::None,
        );
    }
    for (page, (hosted, from_file)) in pages.iter().zip(hosted.iter().zip(&from_file)).skip(2) {
        table.row(
            &format!("{}: first answer", page.name),
            &hosted.total(),
            Some(hello),
            Aim::None,
        );
        table.row(
            &format!("{}: in one file", page.name),
            &from_file.total(),
            Some(peer),
            Aim::None,
        );
        for (phase, (name, _)) in PHASES.iter().enumerate() {
            let peer = ("in one file", &from_file.phase(phase));
            table.row(
                &format!("{}: {name}", page.name),
                &hosted.phase(phase),
                Some(peer),
                Aim::None,
            );
        }
    }
    let [ours, peer] = [0, 1].map(|page| sent(&browser, &hosted[page], &pages[page]));
    table.row(
        "sent for it, as brotli",
        &ours,
        Some(("a Yew hello", &peer)),
        Aim::None,
    );
    let [ours, peer] = [0, 1].map(|page| {
        let file = pages[page].directory.join(pages[page].one_file);
        kilobytes(fs::metadata(file).expect("it was built").len() as f64)
    });
    table.row(
        "the page in one file",
        &ours,
        Some(("a Yew hello", &peer)),
        Aim::None,
    );
}

fn kilobytes(bytes: f64) -> Figures {
    Figures::new("kB", vec![bytes / 1e3])
}

/// The size of the files that a browser loads for the hosted page, each after brotli compression.
fn sent(browser: &Browser, hosted: &Candidate, page: &Page) -> Figures {
    browser.open(&hosted.url);
    browser.reads(page.there, "");
    let loaded = browser.run(
        "return performance.getEntriesByType('resource').map(entry => entry.name)",
        (),
    );
    let names = loaded
        .as_array()
        .expect("a list")
        .iter()
        .filter_map(|url| url.as_str()?.strip_prefix(&hosted.url));
    kilobytes(
        names
            .chain(["index.html"])
            .map(|name| brotli(&page.directory.join(name)))
            .sum::<usize>() as f64,
    )
}

/// The size of a file after brotli compression, in bytes.
fn brotli(path: &Path) -> usize {
    let mut brotli = Command::new("brotli");
    brotli
        .args(["--stdout", "--quality=11", "--"])
        .arg(path)
        .stderr(Stdio::inherit());
    let output = brotli.output().expect("it is installed");
    assert!(
        output.status.success(),
        "brotli {}: {}",
        path.display(),
        output.status
    );
    output.stdout.len()
}
