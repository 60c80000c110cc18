//! The layers of core: a module imports only from its own layer and from those before it in the list of `core/src/lib.rs`.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, ensure};

use crate::cargo::root;

/// Checks every file of core.
pub(crate) fn check() -> Result<()> {
    let source = root().join("core/src");
    let library = fs::read_to_string(source.join("lib.rs")).context("core has no lib.rs")?;
    let layers = listed_layers(&library);
    let declared: Vec<&str> =
        library.lines().filter_map(|line| line.strip_prefix("pub mod ")?.strip_suffix(';')).collect();
    for layer in &declared {
        ensure!(layers.contains(layer), "core/src/lib.rs lists no layer `{layer}`, but declares it");
    }
    ensure!(layers.len() == declared.len(), "core/src/lib.rs lists layers that it does not declare: {layers:?}");
    let mut wrong = Vec::new();
    for file in rust_files(&source)? {
        let place = file.strip_prefix(&source).expect("it was found there");
        let Some(own) =
            layers.iter().position(|layer| place.starts_with(layer) || place == Path::new(&format!("{layer}.rs")))
        else {
            continue;
        };
        let text = fs::read_to_string(&file)?;
        for used in imported_layers(&text) {
            match layers.iter().position(|layer| *layer == used) {
                Some(layer) if layer > own => {
                    wrong.push(format!("{} imports from `{used}`, a layer above its own", place.display()));
                }
                _ => {}
            }
        }
    }
    ensure!(wrong.is_empty(), "core's layers (core/src/lib.rs lists them):\n  {}", wrong.join("\n  "));
    Ok(())
}

/// The layers that the documentation of core lists, from the lowest on: lines such as `//! 2. `packet`: …`.
fn listed_layers(library: &str) -> Vec<&str> {
    let item = |line: &'_ str| -> bool {
        line.starts_with("//! ") && line[4..].starts_with(|first: char| first.is_ascii_digit())
    };
    library.lines().filter(|line| item(line)).filter_map(|line| line.split('`').nth(1)).collect()
}

/// The first names of all paths from the crate's root, outside comments and outside the tests at the end of a file.
fn imported_layers(text: &str) -> Vec<&str> {
    let code = text.split("#[cfg(test)]\nmod tests").next().unwrap_or_default();
    let mut names = Vec::new();
    for line in code.split_inclusive('\n') {
        let start = line.as_ptr() as usize - code.as_ptr() as usize;
        let end = line.find("//").unwrap_or(line.len());
        for (at, path) in line[..end].match_indices("crate::") {
            if !line[..at].ends_with(|before: char| before.is_alphanumeric() || before == '_') {
                first_names(&code[start + at + path.len()..], &mut names);
            }
        }
    }
    names
}

/// The first name of a path, or those of a braced list of paths: `a::b`, `{a::{b, c}, d}`.
fn first_names<'a>(path: &'a str, names: &mut Vec<&'a str>) {
    let name =
        |text: &'a str| text.split(|other: char| !other.is_alphanumeric() && other != '_').next().unwrap_or_default();
    let Some(list) = path.strip_prefix('{') else {
        names.push(name(path));
        return;
    };
    let (mut depth, mut begins) = (0, true);
    for (at, character) in list.char_indices() {
        match character {
            '{' => depth += 1,
            '}' if depth == 0 => return,
            '}' => depth -= 1,
            ',' if depth == 0 => begins = true,
            _ if begins && depth == 0 && !character.is_whitespace() => {
                names.push(name(&list[at..]));
                begins = false;
            }
            _ => {}
        }
    }
}

/// All Rust files below a folder, in order.
fn rust_files(folder: &Path) -> Result<Vec<PathBuf>> {
    let (mut files, mut folders) = (Vec::new(), vec![folder.to_owned()]);
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder)? {
            let path = entry?.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                files.push(path);
            }
        }
    }
    files.sort();
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn layers_are_read_in_their_order() {
        let library =
            "//! # Layers\n//! 1. `text`: numbers.\n//! 2. `packet`: a packet.\n//! Not `this`.\n\npub mod text;\n";
        assert_eq!(listed_layers(library), ["text", "packet"]);
    }

    #[test]
    fn imports_are_found_in_every_form() {
        let text = "use crate::text::number;\nuse crate::{\n    packet::{Packet, view::View},\n    walk,\n};\n// crate::map\nfn f() -> crate::mesh::Mesh { my_crate::lesson() }\n#[cfg(test)]\nmod tests { use crate::share; }\n";
        assert_eq!(imported_layers(text), ["text", "packet", "walk", "mesh"]);
    }

    #[test]
    fn core_keeps_its_layers() {
        check().expect("core keeps its layers");
    }
}
