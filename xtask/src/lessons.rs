//! The lessons of `static/lessons`: checks them and joins them into the file that the page loads on
//! demand.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};

use crate::cargo::{cargo, run};

/// The mark before the name of each lesson.
const MARK: char = '\u{1e}';

/// The files, in the order of the page's list.
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

/// All lessons in one text. The name of a lesson is that of its file without the number before it,
/// so that links stay valid if the order changes.
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

/// Lets core check every lesson. An invalid lesson, or one with a false claim, is reported with its
/// line.
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
