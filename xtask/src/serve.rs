//! `cargo xtask serve`: serves the page on this machine, and rebuilds and reloads it on every
//! change.

use std::{
    env,
    net::{Ipv4Addr, TcpListener},
    process::{Command, Stdio},
    sync::Arc,
    thread,
    time::{Instant, SystemTime, UNIX_EPOCH},
};

use anyhow::{Context, Result};
use chainwalk_http::Site;

use crate::{
    cargo,
    page::{self, BuildPurpose},
    progress::{print_progress, problem, seconds},
    shell::Shell,
    target,
    watch::SourceWatcher,
};

/// The page is built from these files and directories.
const SOURCES: [&str; 5] = ["core", "web", "static", "Cargo.toml", "Cargo.lock"];
/// The preferred port. The browser's stored data for the page (draft, theme) belongs to the port.
const USUAL_PORT: u16 = 8080;

/// Serves the page until it is interrupted.
pub(crate) fn serve(port: Option<u16>, open: bool) -> Result<()> {
    let started = Instant::now();
    // The listener comes before the long build, so that an occupied port is reported at once.
    let listener = listener(port)?;
    let url = format!("http://{}/", listener.local_addr()?);
    target::ensure(target::WASM)?;

    // The watch begins before the build, so that a change during the build starts another one.
    let watcher = SourceWatcher::start(&cargo::root(), &SOURCES)?;
    let site = Arc::new(Site::default());
    build(&site)?;
    chainwalk_http::serve(listener, Arc::clone(&site));
    print_progress(format_args!(
        "\nready after {}: {url}  (Ctrl-C ends it)\n",
        seconds(started.elapsed())
    ));
    if open {
        open_browser(&url);
    }

    loop {
        let changed = watcher.wait_for_change()?;
        print_progress(format_args!("{} changed", changed.display()));
        let started = Instant::now();
        match build(&site) {
            Ok(()) => print_progress(format_args!(
                "rebuilt after {}, the page reloads\n",
                seconds(started.elapsed())
            )),
            Err(error) => problem(format_args!(
                "{error:#}; {url} stays as it was until the next change\n"
            )),
        }
    }
}

fn listener(port: Option<u16>) -> Result<TcpListener> {
    let bind = |port| TcpListener::bind((Ipv4Addr::LOCALHOST, port));
    match port {
        Some(port) => bind(port)
            .with_context(|| format!("cannot serve on port {port}: choose another with --port")),
        None => bind(USUAL_PORT)
            .or_else(|_| bind(0))
            .context("cannot serve on any port"),
    }
}

fn build(site: &Site) -> Result<()> {
    let page = page::build(BuildPurpose::Serve)?;
    let shell = Shell::from_directory(&cargo::root().join("static"))?;
    // The time is unique, even after a restart of the server.
    let version = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default()
        .as_nanos();
    let reload = format!(
        "const VERSION = \"{version}\";\n{}",
        include_str!("reload.js")
    );
    site.publish(shell.hosted(&page, &[("reload.js", &reload)])?, version);
    Ok(())
}

/// Opens the page in a browser if there is a desktop.
fn open_browser(url: &str) {
    let opener = if cfg!(target_os = "macos") {
        "open"
    } else if ["DISPLAY", "WAYLAND_DISPLAY"]
        .iter()
        .any(|name| env::var_os(name).is_some_and(|value| !value.is_empty()))
    {
        "xdg-open"
    } else {
        return;
    };
    // A failure is ignored, because the address is printed.
    if let Ok(mut child) = Command::new(opener)
        .arg(url)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
    {
        thread::spawn(move || child.wait());
    }
}
