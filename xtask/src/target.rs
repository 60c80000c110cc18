//! Compilation targets and components of the toolchain: finds them, and adds missing ones.

use std::{env, path::PathBuf, process::Command};

use anyhow::{Result, bail};

use crate::{
    cargo::{self, output, run},
    progress::print_progress,
};

/// The target of the page.
pub(crate) const WASM: &str = "wasm32-unknown-unknown";
/// The targets of the capture helper: one static program for each kind of node, which runs on every
/// Linux. The tests use the first one.
pub(crate) const MUSL: [(&str, &str); 2] = [
    ("x86_64-unknown-linux-musl", "chainwalk-capture"),
    ("aarch64-unknown-linux-musl", "chainwalk-capture-aarch64"),
];

/// The directory of the toolchain's libraries and, if they are installed, of their sources.
pub(crate) fn libraries() -> Result<PathBuf> {
    let rustc = env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let sysroot = output(
        Command::new(rustc)
            .args(["--print", "sysroot"])
            .current_dir(cargo::root()),
    )?;
    Ok(PathBuf::from(String::from_utf8_lossy(&sysroot).trim()).join("lib/rustlib"))
}

/// Ensures that `target` is installed.
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
    print_progress(format_args!("adding the Rust target {target} …"));
    run(Command::new("rustup")
        .args(["target", "add", target])
        .current_dir(cargo::root()))
}

/// Ensures that `cargo fmt` and `cargo clippy` are installed. A minimal toolchain has neither.
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
        print_progress(format_args!("adding the Rust component {component} …"));
        run(Command::new("rustup")
            .args(["component", "add", component])
            .current_dir(cargo::root()))?;
    }
    Ok(())
}

/// Whether a command is installed. The directories of system commands count, because the path of
/// some users lacks them.
pub(crate) fn on_path(command: &str) -> bool {
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path)
        .chain(["/usr/sbin".into(), "/sbin".into()])
        .any(|directory| {
            directory.join(command).is_file() || directory.join(format!("{command}.exe")).is_file()
        })
}
