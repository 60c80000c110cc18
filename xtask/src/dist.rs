//! `cargo xtask build`: builds `dist/`, which contains everything for others.

use std::{
    fs,
    io::Write,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    thread,
};

use anyhow::{Context, Result};

use crate::{
    cargo, lessons,
    page::{self, BuildPurpose},
    progress::{print_progress, thousands, timed},
    shell::{Shell, gzip},
    target,
};

/// Writes `dist/`.
pub(crate) fn build(capture: bool) -> Result<()> {
    target::ensure(target::WASM)?;
    lessons::check(&cargo::root().join("static/lessons"))?;
    let page = page::build(BuildPurpose::Dist)?;
    let shell = Shell::from_directory(&cargo::root().join("static"))?;
    let mut files = shell.hosted(&page, &[])?;
    files.push((
        "chainwalk.html".to_owned(),
        shell.one_file(&page)?.into_bytes(),
    ));
    let helpers = if capture {
        build_capture()?
    } else {
        Vec::new()
    };

    // The old directory is removed only now, when compilation can no longer fail.
    let dist = cargo::root().join("dist");
    if dist.exists() {
        fs::remove_dir_all(&dist).with_context(|| format!("cannot remove {}", dist.display()))?;
    }
    fs::create_dir(&dist).with_context(|| format!("cannot create {}", dist.display()))?;
    for (name, content) in &files {
        fs::write(dist.join(name), content).with_context(|| format!("cannot write dist/{name}"))?;
    }
    for (name, built) in &helpers {
        // A copy keeps the mode, so the file is executable.
        fs::copy(built, dist.join(name)).with_context(|| format!("cannot write dist/{name}"))?;
    }
    if capture && cfg!(all(target_os = "linux", target_arch = "x86_64")) {
        describe_capture(&dist)?;
    }
    report(&dist)
}

/// The helper for each kind of node, with its file name.
fn build_capture() -> Result<Vec<(&'static str, PathBuf)>> {
    let mut built = Vec::new();
    for (target, name) in target::MUSL {
        target::ensure(target)?;
        let program = timed(&format!("compiling {name} (profile capture)"), || {
            cargo::build("chainwalk-capture", &[], target, "capture")
        })?;
        built.push((name, program));
    }
    Ok(built)
}

/// Writes the man page and the completions. The helper itself prints them, so they always match it.
fn describe_capture(dist: &Path) -> Result<()> {
    let program = dist.join(target::MUSL[0].1);
    for (arguments, name) in [
        (&["--man"][..], "chainwalk-capture.8"),
        (&["--completions", "bash"], "chainwalk-capture.bash"),
        (&["--completions", "fish"], "chainwalk-capture.fish"),
        (&["--completions", "zsh"], "_chainwalk-capture"),
    ] {
        let text = cargo::output(Command::new(&program).args(arguments))?;
        fs::write(dist.join(name), text).with_context(|| format!("cannot write dist/{name}"))?;
    }
    Ok(())
}

/// Prints the sizes of all files, and the size that a browser loads.
fn report(dist: &Path) -> Result<()> {
    let brotli = target::on_path("brotli");
    let mut names = Vec::new();
    for entry in dist.read_dir()? {
        names.push(entry?.file_name().to_string_lossy().into_owned());
    }
    names.sort();

    print_progress(format_args!(
        "\n{:<34} {:>10} {:>10} {:>10}",
        "dist/, sizes in bytes", "raw", "gzip", "brotli"
    ));
    let mut total = [0, 0, 0];
    for name in names {
        let content = fs::read(dist.join(&name))?;
        let sizes = [
            content.len(),
            gzip(&content).len(),
            if brotli { brotli_size(&content)? } else { 0 },
        ];
        // The one-file page, the helper and the lessons do not count for the hosted page.
        if name != "chainwalk.html" && !name.contains("-capture") && !name.starts_with("lessons-") {
            total = [0, 1, 2].map(|way| total[way] + sizes[way]);
        }
        row(&name, sizes, brotli);
    }
    row("hosted page", total, brotli);
    Ok(())
}

fn row(name: &str, [raw, gzip, brotli]: [usize; 3], has_brotli: bool) {
    let brotli = if has_brotli {
        thousands(brotli)
    } else {
        "-".to_owned()
    };
    print_progress(format_args!(
        "{name:<34} {:>10} {:>10} {brotli:>10}",
        thousands(raw),
        thousands(gzip)
    ));
}

/// The size after brotli compression, from the command. The crate would take longer to build than
/// everything else here.
fn brotli_size(content: &[u8]) -> Result<usize> {
    let mut brotli = Command::new("brotli")
        .args(["--stdout", "--quality=11", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .context("cannot run brotli")?;
    let mut input = brotli.stdin.take().expect("it was asked for");
    let packed = thread::scope(|scope| {
        scope.spawn(move || input.write_all(content));
        brotli.wait_with_output()
    })?;
    Ok(packed.stdout.len())
}
