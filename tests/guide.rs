//! Follows `docs/add-an-extension.md` and `docs/add-a-format.md` word by word on a copy of core:
//! the result must build and pass.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A block of code in the guide that belongs to a file.
struct Block<'a> {
    language: &'a str,
    file: &'a str,
    text: &'a str,
}

impl<'a> Block<'a> {
    /// Parses a fence without its backquotes: the language, the file, the lines.
    fn read(fence: &'a str) -> Option<Self> {
        let (head, text) = fence.split_once('\n')?;
        let (language, file) = head.split_once(' ')?;
        Some(Self {
            language,
            file,
            text,
        })
    }

    /// Does what the guide says in the copy: creates the file, or adds the lines marked `+` after
    /// the lines before them.
    fn follow(&self, copy: &Path) {
        let path = copy.join(self.file);
        let text = match self.language {
            "rust" => format!("{}\n", self.text),
            "diff" => {
                let known: String = self
                    .text
                    .lines()
                    .filter_map(|line| line.strip_prefix(' '))
                    .map(line_of)
                    .collect();
                let new: String = self
                    .text
                    .lines()
                    .filter_map(|line| line.strip_prefix('+'))
                    .map(line_of)
                    .collect();
                let old = fs::read_to_string(&path).expect("the guide names a file that is there");
                assert_eq!(
                    old.matches(&known).count(),
                    1,
                    "{} has this once:\n{known}",
                    self.file
                );
                old.replace(&known, &(known.clone() + &new))
            }
            other => panic!("the guide holds a block of {other} for {}", self.file),
        };
        fs::write(path, text).expect("the copy can be written");
    }
}

fn line_of(text: &str) -> String {
    format!("{text}\n")
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a directory can be made");
    for entry in fs::read_dir(from).expect("core is there") {
        let entry = entry.expect("an entry");
        match entry.file_type().expect("a type").is_dir() {
            true => copy(&entry.path(), &to.join(entry.file_name())),
            false => drop(
                fs::copy(entry.path(), to.join(entry.file_name())).expect("a file can be copied"),
            ),
        }
    }
}

/// Writes the manifest of the workspace with core as its only member, and core's manifest without
/// the dependencies of its own tests.
fn manifests(root: &Path, to: &Path) {
    let of_core = |line: &str| line.starts_with("default-members") || line.starts_with("exclude");
    let text = fs::read_to_string(root.join("Cargo.toml")).expect("the workspace's manifest");
    let lines: Vec<String> = text
        .lines()
        .filter(|line| !of_core(line))
        .map(|line: &str| {
            if line.starts_with("members = ") {
                "members = [\"core\"]".into()
            } else {
                line.to_owned()
            }
        })
        .collect();
    fs::write(to.join("Cargo.toml"), lines.join("\n")).expect("writable");
    fs::copy(root.join("Cargo.lock"), to.join("Cargo.lock")).expect("the lock file");
    let core = to.join("core/Cargo.toml");
    let text = fs::read_to_string(&core).expect("core's manifest");
    let dev = text
        .split("\n[")
        .filter(|section| !section.starts_with("dev-dependencies]"));
    fs::write(&core, dev.collect::<Vec<_>>().join("\n[")).expect("writable");
}

/// Follows a guide of `docs` on a copy of core, and runs the test that it adds.
fn follow(guide: &str, blocks: usize, test: &str, passes: usize) {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..");
    let guide = fs::read_to_string(root.join("docs").join(guide)).expect("the guide");
    let place = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("guide");
    // The sources of an earlier run are removed. Its compiled files are kept.
    let _ = fs::remove_dir_all(place.join("core"));
    copy(&root.join("core/src"), &place.join("core/src"));
    fs::create_dir_all(place.join("core/tests")).expect("a directory can be made");
    fs::copy(root.join("core/Cargo.toml"), place.join("core/Cargo.toml")).expect("core's manifest");
    manifests(&root, &place);
    let found: Vec<Block> = guide
        .split("\n```")
        .skip(1)
        .step_by(2)
        .filter_map(Block::read)
        .collect();
    assert_eq!(found.len(), blocks, "blocks of code about files");
    found.iter().for_each(|block| block.follow(&place));
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args([
        "test",
        "--quiet",
        "--offline",
        "-p",
        "chainwalk-core",
        "--test",
        test,
    ]);
    cargo
        .current_dir(&place)
        .env("CARGO_TARGET_DIR", place.join("target"));
    let output = cargo.output().expect("cargo runs");
    let said = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(
        output.status.success(),
        "{}\n{}",
        said(&output.stdout),
        said(&output.stderr)
    );
    assert!(
        said(&output.stdout).contains(&format!("{passes} passed")),
        "{}",
        said(&output.stdout)
    );
}

/// The guides are followed one after the other, because both use one copy of core.
#[test]
fn the_guides_work_as_they_are() {
    follow("add-an-extension.md", 4, "payload", 2);
    follow("add-a-format.md", 6, "spreadsheet", 1);
}
