//! Compilation targets and components of the toolchain: looked for, and added where they are
//! missing.

use std::{env, path::PathBuf, process::Command};

use anyhow::{Result, bail};

use crate::{
    cargo::{self, output, run},
    progress::say,
};

/// The page.
pub(crate) const WASM: &str = "wasm32-unknown-unknown";
/// The capture helper: one static program for each kind of node, which runs on every Linux. The
/// first is the one that the tests run.
pub(crate) const MUSL: [(&str, &str); 2] = [
    ("x86_64-unknown-linux-musl", "chainwalk-capture"),
    ("aarch64-unknown-linux-musl", "chainwalk-capture-aarch64"),
];

/// Where the toolchain keeps its libraries, and, where they were added, their sources.
pub(crate) fn libraries() -> Result<PathBuf> {
    let rustc = env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let sysroot = output(
        Command::new(rustc)
            .args(["--print", "sysroot"])
            .current_dir(cargo::root()),
    )?;
    Ok(PathBuf::from(String::from_utf8_lossy(&sysroot).trim()).join("lib/rustlib"))
}

/// Makes sure that `target` can be compiled for.
pub(crate) fn ensure(target: &str) -> Result<()> {
    if libraries()?.join(target).join("lib").is_dir() {
        return Ok(());
    }
    if !on_path("rustup") {
        bail!(
            "the Rust target {target} is missing, and there is no rustup to add it with.\n\
             Either install Rust with rustup (https://rustup.rs) and run `rustup target add {target}`,\n\
             or install the package of your distribution that holds Rust's standard library for {target}\n\
             (for the page: Debian libstd-rust-dev-wasm32, Fedora rust-std-static-wasm32-unknown-unknown)"
        );
    }
    say(format_args!("adding the Rust target {target} …"));
    run(Command::new("rustup")
        .args(["target", "add", target])
        .current_dir(cargo::root()))
}

/// Makes sure that `cargo fmt` and `cargo clippy` are there: a minimal toolchain has neither.
pub(crate) fn ensure_components() -> Result<()> {
    for (command, component) in [("fmt", "rustfmt"), ("clippy", "clippy")] {
        let found = cargo::cargo(&[command, "--version"])
            .output()
            .is_ok_and(|output| output.status.success());
        if found {
            continue;
        }
        if !on_path("rustup") {
            bail!(
                "`cargo {command}` is missing: install your distribution's package of {component}"
            );
        }
        say(format_args!("adding the Rust component {component} …"));
        run(Command::new("rustup")
            .args(["component", "add", component])
            .current_dir(cargo::root()))?;
    }
    Ok(())
}

/// Whether a command of this name can be run. The directories of system commands count: not every
/// user's path has them.
pub(crate) fn on_path(command: &str) -> bool {
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path)
        .chain(["/usr/sbin".into(), "/sbin".into()])
        .any(|directory| {
            directory.join(command).is_file() || directory.join(format!("{command}.exe")).is_file()
        })
}
