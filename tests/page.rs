//! The page in a real Chromium, over http and from a file.
//!
//! It requires the `dist/` of `cargo xtask build`, and the Debian packages `chromium` and
//! `chromium-driver`. Without them it fails. Most tests run in both ways. At the end of each test,
//! the browser's own log must contain no request except for the page's own files, and the console
//! must contain only informational messages.

use std::ops::Deref;
use std::sync::{Arc, Mutex};

use chainwalk_tests::browser::Browser;
use chainwalk_tests::site::{self, Site};
use serde_json::json;

#[path = "page/barriers.rs"]
mod barriers;
#[path = "page/faults.rs"]
mod faults;
#[path = "page/form.rs"]
mod form;
#[path = "page/hostile.rs"]
mod hostile;
#[path = "page/job.rs"]
mod job;
#[path = "page/keys.rs"]
mod keys;
#[path = "page/lessons.rs"]
mod lessons;
#[path = "page/looks.rs"]
mod looks;
#[path = "page/map.rs"]
mod map;
#[path = "page/pastes.rs"]
mod pastes;
#[path = "page/pictures.rs"]
mod pictures;
#[path = "page/privacy.rs"]
mod privacy;
#[path = "page/rules.rs"]
mod rules;
#[path = "page/share.rs"]
mod share;
#[path = "page/start.rs"]
mod start;
#[path = "page/stepper.rs"]
mod stepper;

/// A window on a common screen.
const WIDE: (u32, u32) = (1440, 900);

/// How the browser loads the page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    /// From a web server, as files.
    Http,
    /// From the disk, as one file.
    File,
}

/// The page in a browser.
#[derive(Debug)]
struct Page<'a> {
    browser: &'a Browser,
    /// The prefix of the addresses of the page's own files.
    own: String,
    /// The server.
    site: Option<Arc<Site>>,
}

impl Deref for Page<'_> {
    type Target = Browser;

    fn deref(&self) -> &Browser {
        self.browser
    }
}

impl<'a> Page<'a> {
    /// Opens the page in a wide window and waits for its first answer.
    #[track_caller]
    fn open(browser: &'a Browser, way: Way) -> Self {
        let site = (way == Way::Http).then(|| Site::serve(|_| true));
        let own = site
            .as_ref()
            .map_or_else(|| file("chainwalk.html"), |site| site.url());
        let page = Self { browser, own, site };
        // Removes the data of an earlier test.
        page.command(
            "Storage.clearDataForOrigin",
            json!({"origin": "file://", "storageTypes": "all"}),
        );
        page.show_as(WIDE, "light");
        browser.open(&page.own);
        page.reads("#verdict", "ISTIO_OUTPUT");
        page.is_whole();
        page
    }

    /// Waits until every part of the page is there and complete.
    #[track_caller]
    fn is_whole(&self) {
        self.holds(
            "document.querySelector('main .groups') && !document.querySelector('[aria-busy]')",
        );
    }

    /// Runs the checks at the end of every test.
    #[track_caller]
    fn close(&self) {
        assert_eq!(self.complaints(), [] as [&str; 0], "the console");
        let requests = self.requests();
        assert!(
            requests.contains(&self.own),
            "the log shows the page itself: {requests:?}"
        );
        let is_own = |url: &String| match self.site {
            Some(_) => url.starts_with(&self.own),
            None => *url == self.own,
        };
        let is_inside = |url: &String| url.starts_with("data:") || url.starts_with("blob:");
        let foreign: Vec<&String> = requests
            .iter()
            .filter(|url| !is_own(url) && !is_inside(url))
            .collect();
        assert_eq!(
            foreign,
            [] as [&str; 0],
            "requests for what is not the page's own"
        );
        let missed = self
            .site
            .as_ref()
            .map(|site| site.missed())
            .unwrap_or_default();
        assert_eq!(missed, [] as [&str; 0], "requests for what is not there");
    }

    /// Pastes a text at the focus, with the clipboard and Ctrl+V.
    #[track_caller]
    fn paste(&self, text: &str) {
        self.run("return navigator.clipboard.writeText(arguments[0])", text);
        self.press_with_control('v');
    }

    /// Waits until the page is at a step, counted from 1.
    #[track_caller]
    fn is_at(&self, step: usize) {
        self.holds(&format!(
            "document.getElementById('step').ariaValueText.startsWith('Step {step} of ')"
        ));
    }

    /// Waits until a rule is under the cursor. The list names it like `nat/ISTIO_OUTPUT/4`.
    #[track_caller]
    fn is_current(&self, rule: &str) {
        self.holds(&format!(
            "document.querySelector('[data-rule=\"{rule}\"][data-current]')"
        ));
    }
}

/// Runs a test over http and from a file.
#[track_caller]
fn each_way(test: impl Fn(&Page)) {
    one_way(Way::Http, &test);
    one_way(Way::File, &test);
}

/// Runs a test in one of the ways.
#[track_caller]
fn one_way(way: Way, test: impl Fn(&Page)) {
    // Starting a browser takes longer than most tests, so browsers are reused. A browser of a
    // failed test is not returned. The others end with the program.
    static IDLE: Mutex<Vec<Browser>> = Mutex::new(Vec::new());
    let take = || IDLE.lock().expect("nobody panics with it").pop();
    let browser = take().unwrap_or_else(Browser::start);
    // Shown only if the test fails.
    eprintln!("{way:?}:");
    let page = Page::open(&browser, way);
    test(&page);
    page.close();
    IDLE.lock().expect("nobody panics with it").push(browser);
}

/// The address of a file of `dist/` on the disk.
fn file(name: &str) -> String {
    format!("file://{}", site::dist().join(name).display())
}
