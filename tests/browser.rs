//! Controls a real Chromium through WebDriver.
//!
//! It requires the Debian packages `chromium` and `chromium-driver`. Every failure here fails the
//! test.

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

/// The maximum wait for a condition.
const PATIENCE: Duration = Duration::from_secs(20);
/// The interval between checks of a condition.
const PAUSE: Duration = Duration::from_millis(10);

/// No window, no requests by the browser itself, and no sandbox, which root cannot have.
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

/// A browser with one tab and with an empty profile of its own.
#[derive(Debug)]
pub struct Browser {
    runtime: Runtime,
    driver: WebDriver,
    _chromedriver: Chromedriver,
}

impl Browser {
    /// Starts a browser.
    ///
    /// # Panics
    /// If Chromium or its driver is not installed.
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
        // The browser's own start page would make many requests.
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
        // The driver is on this machine, so proxies of the environment do not apply.
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
        // The clipboard is available to a page that has the focus and the permission to write to
        // it.
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

    /// Loads a page, even if its address differs only in the part after `#`.
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

    /// Runs the body of a JavaScript function in the page. `arguments[0]` is the argument. A
    /// promise is awaited.
    #[track_caller]
    pub fn run(&self, script: &str, argument: impl Serialize) -> Value {
        let argument = serde_json::to_value(argument).expect("arguments are JSON");
        self.done(script, self.driver.execute(script, vec![argument]))
            .json()
            .clone()
    }

    /// The text of the first element for a selector as a reader sees it: without hidden text, with
    /// single blanks. `None` if there is no such element.
    #[track_caller]
    pub fn text(&self, selector: &str) -> Option<String> {
        let text = self.run(
            "return document.querySelector(arguments[0])?.innerText",
            selector,
        );
        text.as_str()
            .map(|text| text.split_whitespace().collect::<Vec<_>>().join(" "))
    }

    /// Waits until the text of the first such element contains `part`, and returns the text.
    #[track_caller]
    pub fn reads(&self, selector: &str, part: &str) -> String {
        let mut last = None;
        let found = self.poll(|| {
            last = self.text(selector);
            last.clone().filter(|text| text.contains(part))
        });
        found.unwrap_or_else(|| panic!("{selector} should read {part:?}, and reads {last:?}"))
    }

    /// Waits until `look` returns a value.
    #[track_caller]
    pub fn until<T>(&self, what: &str, look: impl FnMut() -> Option<T>) -> T {
        self.poll(look)
            .unwrap_or_else(|| panic!("waited in vain for {what}"))
    }

    /// Waits until a JavaScript expression is true. An expression that throws because an element is
    /// missing counts as false.
    #[track_caller]
    pub fn holds(&self, expression: &str) {
        let script = format!("try {{ return Boolean({expression}) }} catch {{ return false }}");
        self.until(expression, || {
            self.run(&script, ()).as_bool().filter(|holds| *holds)
        });
    }

    /// Checks repeatedly until there is a value or the time is over.
    pub fn poll<T>(&self, mut look: impl FnMut() -> Option<T>) -> Option<T> {
        let start = Instant::now();
        loop {
            let found = look();
            if found.is_some() || start.elapsed() > PATIENCE {
                return found;
            }
            // The page needs the processor, too.
            thread::sleep(PAUSE);
        }
    }

    /// Scrolls to the first such element and clicks its center, as a mouse does. The page may still
    /// be drawing or scrolling, so the click is tried again. An element that stays covered or out
    /// of reach is an error.
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

    /// Sends all further commands to the page in the first such frame.
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

    /// Presses keys, one after another, at the focus.
    #[track_caller]
    pub fn press(&self, keys: impl Into<TypingData>) {
        self.done(
            "keys",
            self.driver.action_chain().send_keys(keys.into()).perform(),
        );
    }

    /// Presses a key together with Control.
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

    /// Clears the first such field and types a text.
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

    /// Emulates a window of this size, and a system preference: `light` or `dark`.
    #[track_caller]
    pub fn show_as(&self, (width, height): (u32, u32), scheme: &str) {
        let size =
            json!({"width": width, "height": height, "deviceScaleFactor": 1, "mobile": false});
        self.command("Emulation.setDeviceMetricsOverride", size);
        // Motion is off, so that every color is final at once.
        let scheme = json!({"name": "prefers-color-scheme", "value": scheme});
        let media =
            json!({"features": [scheme, {"name": "prefers-reduced-motion", "value": "reduce"}]});
        self.command("Emulation.setEmulatedMedia", media);
    }

    /// A screenshot of the window, as PNG.
    #[track_caller]
    pub fn screenshot(&self) -> Vec<u8> {
        self.done("screenshot", self.driver.screenshot_as_png())
    }

    /// All text that a screen reader would find. It comes from the browser and not from the page,
    /// so it works without scripts.
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

    /// The console messages since the last call, including errors and policy violations, without
    /// informational ones.
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

    /// All network requests since the last call, from the browser's own log. They include failed
    /// requests and connections other than HTTP. Requests that the page's policy blocked are in the
    /// complaints instead.
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
            // The text after that contains addresses of the driver.
            let message = error.split("Stacktrace:").next().unwrap_or_default();
            panic!("{}: {}", first_line(what), message.trim_end())
        })
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // The session is not closed: with a page that hangs, closing takes minutes. The guard ends
        // the process.
        let _ = self.driver.clone().leak();
    }
}

/// The process of the driver and its child, the browser. All of them end with this value, or with
/// the program.
#[derive(Debug)]
struct Chromedriver {
    shell: Child,
    life: Option<ChildStdin>,
    // The pipe stays open as long as the driver runs, because writing to a closed pipe would end
    // it.
    output: BufReader<ChildStdout>,
    url: String,
    profile: PathBuf,
}

/// Runs the driver in a process group until the input ends, then kills the group and removes the
/// profile. Only the driver has the output, so that the output ends where the driver does.
const KEEP: &str = r#"exec 3>&1 >&2; setsid "$1" --port=0 >&3 3>&- & exec 3>&-; cat; kill -s KILL -- -$! && wait; rm -rf "$2""#;

/// The maximum number of starts. The driver asks for a free port of IPv4 and ends if another
/// program has the same port of IPv6.
const STARTS: usize = 5;

impl Chromedriver {
    fn start() -> Self {
        (0..STARTS)
            .find_map(|_| Self::try_start())
            .expect("chromedriver says its port")
    }

    /// Starts the driver; `None` if it ends at once.
    fn try_start() -> Option<Self> {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name = format!(
            "chainwalk-page-{}-{}",
            std::process::id(),
            NEXT.fetch_add(1, Ordering::Relaxed)
        );
        let profile = std::env::temp_dir().join(name);
        // A shell ends them, because its input also ends if this program is killed. In a process
        // group of its own, it survives Ctrl+C.
        let mut shell = Command::new("sh")
            .args(["-c", KEEP, "sh", &program("chromedriver")])
            .arg(&profile)
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("there is a shell");
        let output = BufReader::new(shell.stdout.take().expect("it is piped"));
        let mut driver = Self {
            life: shell.stdin.take(),
            shell,
            output,
            url: String::new(),
            profile,
        };
        let port = driver
            .output
            .by_ref()
            .lines()
            .map_while(Result::ok)
            .find_map(|line| {
                let (_, port) = line.split_once("started successfully on port ")?;
                port.trim_end_matches('.').parse::<u16>().ok()
            })?;
        driver.url = format!("http://127.0.0.1:{port}");
        Some(driver)
    }
}

impl Drop for Chromedriver {
    fn drop(&mut self) {
        drop(self.life.take());
        // It may have been ended from outside.
        let _ = self.shell.wait();
    }
}

/// The path of a program.
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
