//! A real Chromium, driven through WebDriver.
//!
//! It needs the Debian packages `chromium` and `chromium-driver`. Everything here fails the test
//! where it does not succeed.

use std::io::{BufRead, BufReader, Read};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use serde::Serialize;
use serde_json::{Value, json};
use thirtyfour::error::WebDriverResult;
use thirtyfour::prelude::*;
use thirtyfour::{LoggingPrefsLogLevel, TypingData};
use tokio::runtime::{Builder, Runtime};

/// How long a condition is waited for that comes by itself.
const PATIENCE: Duration = Duration::from_secs(20);
/// How often it is looked at.
const PAUSE: Duration = Duration::from_millis(10);

/// No window, no requests of its own, and no sandbox, which root cannot have.
const FLAGS: [&str; 8] = [
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
];

/// A browser with one tab, and with a profile of its own that was empty at the start.
#[derive(Debug)]
pub struct Browser {
    runtime: Runtime,
    driver: WebDriver,
    _chromedriver: Chromedriver,
}

impl Browser {
    /// Starts one.
    ///
    /// # Panics
    /// When Chromium or its driver is not installed.
    pub fn start() -> Self {
        let chromedriver = Chromedriver::start();
        let mut wanted = DesiredCapabilities::chrome();
        let user_data = format!("--user-data-dir={}", chromedriver.profile.display());
        for flag in FLAGS.into_iter().chain([user_data.as_str()]) {
            wanted.add_arg(flag).expect("a text is JSON");
        }
        wanted
            .set_binary(&program("chromium"))
            .expect("a text is JSON");
        // Not the browser's own first page, which asks for much.
        let first = json!({"session": {"restore_on_startup": 4, "startup_urls": ["about:blank"]}});
        wanted
            .add_experimental_option("prefs", first)
            .expect("JSON is JSON");
        for log in ["browser", "performance"] {
            wanted
                .set_logging_prefs(log, LoggingPrefsLogLevel::All)
                .expect("a level is JSON");
        }
        let runtime = Builder::new_current_thread()
            .enable_all()
            .build()
            .expect("a runtime");
        // The driver is on this machine, whatever proxy the environment names.
        let client = reqwest::Client::builder()
            .no_proxy()
            .build()
            .expect("a client without TLS cannot fail");
        let driver = runtime.block_on(
            WebDriver::builder(&chromedriver.url, wanted)
                .client(client)
                .connect(),
        );
        let driver = driver.unwrap_or_else(|error| panic!("Chromium does not start: {error}"));
        let browser = Self {
            runtime,
            driver,
            _chromedriver: chromedriver,
        };
        // The clipboard is open to a page that has the focus, and to one that was allowed to write
        // to it.
        browser.command(
            "Emulation.setFocusEmulationEnabled",
            json!({"enabled": true}),
        );
        browser.command(
            "Browser.grantPermissions",
            json!({"permissions": ["clipboardReadWrite", "clipboardSanitizedWrite"]}),
        );
        browser
    }

    /// Loads a page, also where it differs from the one shown only behind `#`.
    #[track_caller]
    pub fn open(&self, url: &str) {
        self.done("about:blank", self.driver.goto("about:blank"));
        self.done(url, self.driver.goto(url));
    }

    /// Loads the page again.
    #[track_caller]
    pub fn reload(&self) {
        self.done("reload", self.driver.refresh());
    }

    /// Runs the body of a JavaScript function in the page; `arguments[0]` is the argument. A
    /// promise is waited for.
    #[track_caller]
    pub fn run(&self, script: &str, argument: impl Serialize) -> Value {
        let argument = serde_json::to_value(argument).expect("arguments are JSON");
        self.done(script, self.driver.execute(script, vec![argument]))
            .json()
            .clone()
    }

    /// The text of the first element that a selector finds, as a reader sees it: without what is
    /// hidden, with single blanks. `None` where there is no such element.
    #[track_caller]
    pub fn text(&self, selector: &str) -> Option<String> {
        let text = self.run(
            "return document.querySelector(arguments[0])?.innerText",
            selector,
        );
        text.as_str()
            .map(|text| text.split_whitespace().collect::<Vec<_>>().join(" "))
    }

    /// Waits until the text of the first such element contains `part`, and gives the text.
    #[track_caller]
    pub fn reads(&self, selector: &str, part: &str) -> String {
        let mut last = None;
        let found = self.poll(|| {
            last = self.text(selector);
            last.clone().filter(|text| text.contains(part))
        });
        found.unwrap_or_else(|| panic!("{selector} should read {part:?}, and reads {last:?}"))
    }

    /// Waits until `look` finds something.
    #[track_caller]
    pub fn until<T>(&self, what: &str, look: impl FnMut() -> Option<T>) -> T {
        self.poll(look)
            .unwrap_or_else(|| panic!("waited in vain for {what}"))
    }

    /// Waits until a JavaScript expression is true. One that throws, since an element is still to
    /// come, is false.
    #[track_caller]
    pub fn holds(&self, expression: &str) {
        let script = format!("try {{ return Boolean({expression}) }} catch {{ return false }}");
        self.until(expression, || {
            self.run(&script, ()).as_bool().filter(|holds| *holds)
        });
    }

    /// Looks again and again, until something is found or patience ends.
    pub fn poll<T>(&self, mut look: impl FnMut() -> Option<T>) -> Option<T> {
        let start = Instant::now();
        loop {
            let found = look();
            if found.is_some() || start.elapsed() > PATIENCE {
                return found;
            }
            // Not as fast as possible: the page needs the processor, too.
            thread::sleep(PAUSE);
        }
    }

    /// Clicks the middle of the first such element, as a mouse does, once it is scrolled to. The
    /// page may still be drawn or scroll by itself just then, so it is tried again; one that
    /// stays covered or out of reach is an error.
    #[track_caller]
    pub fn click(&self, selector: &str) {
        let mut refusal = None;
        let clicked = self.poll(|| {
            let found = self
                .runtime
                .block_on(self.driver.find(By::Css(selector)))
                .ok()?;
            self.run(
                "document.querySelector(arguments[0])?.scrollIntoView({block: 'center'})",
                selector,
            );
            self.runtime
                .block_on(found.click())
                .map_err(|error| refusal = Some(error))
                .ok()
        });
        if clicked.is_none() {
            self.done(selector, async { refusal.map_or(Ok(()), Err) });
            panic!("waited in vain for {selector}");
        }
    }

    /// From now on everything is asked of the page within the first such frame.
    #[track_caller]
    pub fn enter(&self, selector: &str) {
        let enter = async {
            self.driver
                .find(By::Css(selector))
                .await?
                .enter_frame()
                .await
        };
        self.done(selector, enter);
    }

    /// Presses keys, one after another, wherever the focus is.
    #[track_caller]
    pub fn press(&self, keys: impl Into<TypingData>) {
        self.done(
            "keys",
            self.driver.action_chain().send_keys(keys.into()).perform(),
        );
    }

    /// Presses a key while Control is down.
    #[track_caller]
    pub fn press_with_control(&self, key: char) {
        let chain = self
            .driver
            .action_chain()
            .key_down(Key::Control)
            .key_down(key)
            .key_up(key)
            .key_up(Key::Control);
        self.done("keys", chain.perform());
    }

    /// Empties the first such field and types something into it.
    #[track_caller]
    pub fn fill(&self, selector: &str, text: &str) {
        self.click(selector);
        self.press_with_control('a');
        self.press(Key::Delete + text);
    }

    /// Sends a command of Chromium's own protocol.
    #[track_caller]
    pub fn command(&self, name: &str, parameters: Value) -> Value {
        self.done(name, self.driver.cdp().send_raw(name, parameters))
    }

    /// Makes the page believe in a window of this size, and in what the system prefers: `light` or
    /// `dark`.
    #[track_caller]
    pub fn show_as(&self, (width, height): (u32, u32), scheme: &str) {
        let size =
            json!({"width": width, "height": height, "deviceScaleFactor": 1, "mobile": false});
        self.command("Emulation.setDeviceMetricsOverride", size);
        // Without motion, so that every colour is there at once.
        let scheme = json!({"name": "prefers-color-scheme", "value": scheme});
        let media =
            json!({"features": [scheme, {"name": "prefers-reduced-motion", "value": "reduce"}]});
        self.command("Emulation.setEmulatedMedia", media);
    }

    /// What the window shows, as PNG.
    #[track_caller]
    pub fn screenshot(&self) -> Vec<u8> {
        self.done("screenshot", self.driver.screenshot_as_png())
    }

    /// All text that a screen reader would find. It is asked of the browser, not of the page: also
    /// where scripts are off.
    #[track_caller]
    pub fn accessible_text(&self) -> String {
        let tree = self.command("Accessibility.getFullAXTree", json!({}));
        let nodes = tree["nodes"].as_array().expect("a tree has nodes");
        let texts = nodes
            .iter()
            .filter(|node| node["role"]["value"] == "StaticText");
        texts
            .filter_map(|node| node["name"]["value"].as_str())
            .collect::<Vec<_>>()
            .join(" ")
    }

    /// What was written to the console since the last call, errors and refusals of the policy among
    /// it; mere information is left out.
    #[track_caller]
    pub fn complaints(&self) -> Vec<String> {
        let entries = self.done("console", self.driver.get_log("browser"));
        let serious = entries
            .into_iter()
            .filter(|entry| !matches!(entry.level.as_str(), "INFO" | "DEBUG"));
        serious
            .map(|entry| format!("{}: {}", entry.level, entry.message))
            .collect()
    }

    /// Everything that was asked of the network since the last call, as the browser's own log has
    /// it: also what failed, and connections other than HTTP's; but not what the page's policy
    /// held back, which is among the complaints.
    #[track_caller]
    pub fn requests(&self) -> Vec<String> {
        let entries = self.done("performance log", self.driver.get_log("performance"));
        let mut asked = Vec::new();
        for entry in entries {
            let event: Value = serde_json::from_str(&entry.message).expect("the log holds JSON");
            let (method, parameters) = (&event["message"]["method"], &event["message"]["params"]);
            let url = match method.as_str() {
                Some("Network.requestWillBeSent") => &parameters["request"]["url"],
                Some("Network.webSocketCreated" | "Network.webTransportCreated") => {
                    &parameters["url"]
                }
                Some("Network.loadingFailed") if parameters["blockedReason"] == "csp" => {
                    asked.retain(|(id, _)| *id != parameters["requestId"]);
                    continue;
                }
                _ => continue,
            };
            asked.push((
                parameters["requestId"].clone(),
                url.as_str().unwrap_or_default().to_owned(),
            ));
        }
        asked.into_iter().map(|(_, url)| url).collect()
    }

    #[track_caller]
    fn done<T>(&self, what: &str, task: impl Future<Output = WebDriverResult<T>>) -> T {
        self.runtime.block_on(task).unwrap_or_else(|error| {
            let error = error.to_string();
            // Behind that stand the driver's own addresses.
            let message = error.split("Stacktrace:").next().unwrap_or_default();
            panic!("{}: {}", first_line(what), message.trim_end())
        })
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // Not told to quit: a page that hangs would make that take minutes. The process ends with
        // its guard.
        let _ = self.driver.clone().leak();
    }
}

/// The driver's process and, below it, the browser's. All of them end with this value, or with the
/// program.
#[derive(Debug)]
struct Chromedriver {
    shell: Child,
    life: Option<ChildStdin>,
    // Open as long as the driver runs: who writes to a closed one ends.
    _output: BufReader<ChildStdout>,
    url: String,
    profile: PathBuf,
}

/// Runs the driver in a group of its own until the input ends; then ends that group and removes the
/// profile.
const KEEP: &str = r#"setsid "$1" --port=0 & cat; kill -s KILL -- -$! && wait; rm -rf "$2""#;

impl Chromedriver {
    fn start() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name = format!(
            "chainwalk-page-{}-{}",
            std::process::id(),
            NEXT.fetch_add(1, Ordering::Relaxed)
        );
        let profile = std::env::temp_dir().join(name);
        // It is the shell that ends them: its input ends also when this program is killed and can
        // end nobody. In a group of its own it outlives a Ctrl+C.
        let mut shell = Command::new("sh")
            .args(["-c", KEEP, "sh", &program("chromedriver")])
            .arg(&profile)
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("there is a shell");
        let life = shell.stdin.take();
        let mut output = BufReader::new(shell.stdout.take().expect("it is piped"));
        let port = output
            .by_ref()
            .lines()
            .map_while(Result::ok)
            .find_map(|line| {
                let (_, port) = line.split_once("started successfully on port ")?;
                port.trim_end_matches('.').parse::<u16>().ok()
            });
        let port = port.expect("chromedriver says its port");
        Self {
            shell,
            life,
            _output: output,
            url: format!("http://127.0.0.1:{port}"),
            profile,
        }
    }
}

impl Drop for Chromedriver {
    fn drop(&mut self) {
        drop(self.life.take());
        // It may have been ended from outside.
        let _ = self.shell.wait();
    }
}

/// Where a program is.
fn program(name: &str) -> String {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&path)
        .map(|directory| directory.join(name))
        .find(|path| path.is_file());
    let found = found.unwrap_or_else(|| {
        panic!("{name} is missing: install the packages chromium and chromium-driver")
    });
    found.to_string_lossy().into_owned()
}

fn first_line(text: &str) -> &str {
    text.trim().lines().next().unwrap_or_default()
}
