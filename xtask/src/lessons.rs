//! The lessons of `static/lessons`: checked, and joined into the one file that the page asks for
//! when somebody wants them.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};

use crate::cargo::{cargo, run};

/// Stands before each lesson, with its name behind it.
const MARK: char = '\u{1e}';

/// The files, in the order in which the page lists them.
fn files(directory: &Path) -> Result<Vec<PathBuf>> {
    let entries = directory
        .read_dir()
        .with_context(|| format!("cannot read {}", directory.display()))?;
    let mut files = entries
        .map(|entry| Ok(entry?.path()))
        .collect::<Result<Vec<_>>>()?;
    files.retain(|file| file.extension().is_some_and(|extension| extension == "md"));
    files.sort();
    Ok(files)
}

/// All lessons in one text. A lesson's name is that of its file without the number before it, so
/// that links outlive a new order.
pub(crate) fn bundle(directory: &Path) -> Result<String> {
    let mut joined = String::new();
    for file in files(directory)? {
        let text =
            fs::read_to_string(&file).with_context(|| format!("cannot read {}", file.display()))?;
        let name = file.file_stem().unwrap_or_default().to_string_lossy();
        let name = name
            .trim_start_matches(|c: char| c.is_ascii_digit())
            .trim_start_matches('-');
        joined += &format!("{MARK}{name}\n{text}");
    }
    Ok(joined)
}

/// Has the core read every lesson: a broken one, or one with a claim that does not hold, is told
/// with its line.
pub(crate) fn check(directory: &Path) -> Result<()> {
    let mut cargo = cargo(&[
        "run",
        "--quiet",
        "--package",
        "chainwalk-core",
        "--example",
        "lesson",
        "--",
    ]);
    run(cargo.args(files(directory)?)).context("a lesson is broken: see above")
}
