//! Runs cargo in this workspace.

use std::{
    env,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::target;

/// The root of the repository.
pub(crate) fn root() -> PathBuf {
    // The value from run time, because the checkout may have moved since this program was built.
    let own = env::var_os("CARGO_MANIFEST_DIR")
        .map_or_else(|| env!("CARGO_MANIFEST_DIR").into(), PathBuf::from);
    own.parent()
        .expect("xtask/ is in the repository")
        .to_owned()
}

/// A cargo command that runs in the root directory.
pub(crate) fn cargo(arguments: &[&str]) -> Command {
    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.args(arguments).current_dir(root());
    cargo
}

/// Runs a command. An error names it.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    let status = command
        .status()
        .with_context(|| format!("cannot run {}", line(command)))?;
    if !status.success() {
        bail!("{} failed", line(command));
    }
    Ok(())
}

/// Runs a command and returns its standard output.
pub(crate) fn output(command: &mut Command) -> Result<Vec<u8>> {
    let output = command
        .stderr(Stdio::inherit())
        .output()
        .with_context(|| format!("cannot run {}", line(command)))?;
    if !output.status.success() {
        bail!("{} failed", line(command));
    }
    Ok(output.stdout)
}

/// The command as text.
fn line(command: &Command) -> String {
    let program = Path::new(command.get_program())
        .file_name()
        .unwrap_or(command.get_program());
    let words = std::iter::once(program).chain(command.get_args());
    words
        .map(|word| word.to_string_lossy().into_owned())
        .collect::<Vec<_>>()
        .join(" ")
}

/// Builds the program of `package`, or the one that `program` selects, for `target`, and returns
/// its path.
pub(crate) fn build(
    package: &str,
    program: &[&str],
    target: &str,
    profile: &str,
) -> Result<PathBuf> {
    let mut cargo = cargo(&[
        "build",
        "--package",
        package,
        "--target",
        target,
        "--profile",
        profile,
    ]);
    cargo.args(program);
    if profile != "web-dev" {
        cargo.arg("--config").arg(flags_to_give_away(target)?);
    }
    // cargo prints the path. A guess would fail if the user has moved the target directory.
    let messages = output(cargo.arg("--message-format=json-render-diagnostics"))?;
    String::from_utf8_lossy(&messages)
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok())
        .filter_map(|message| message["executable"].as_str().map(PathBuf::from))
        .next_back()
        .with_context(|| format!("cargo built no program for {package}"))
}

/// Compiler flags that remove local paths. A program for others must not contain the place where it
/// was built. A panic names its source file, and for a crate from a registry, or for the standard
/// library with its sources, this would be a path in the builder's home.
fn flags_to_give_away(target: &str) -> Result<String> {
    let home = env::var_os("CARGO_HOME")
        .map(PathBuf::from)
        .or_else(|| Some(env::home_dir()?.join(".cargo")));
    let registries = home.and_then(|home| home.join("registry/src").read_dir().ok());
    let mut flags: Vec<String> = registries
        .into_iter()
        .flatten()
        .flatten()
        .map(|registry| format!("--remap-path-prefix={}=crates", registry.path().display()))
        .collect();
    flags.push(format!(
        "--remap-path-prefix={}=rust",
        target::libraries()?.join("src/rust").display()
    ));
    Ok(format!("target.{target}.rustflags={flags:?}"))
}
