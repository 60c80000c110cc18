//! Finds the imports between the files of core in their text.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use anyhow::Result;

/// A module or an item of core, by its names: `["input", "parse"]`.
pub(crate) type ItemPath = Vec<String>;

/// The file of a module of core, with its imports.
#[derive(Debug)]
pub(crate) struct ModuleFile {
    /// The file, relative to core's source directory.
    pub(crate) file: PathBuf,
    /// The paths that it imports, from the root of the crate.
    pub(crate) imports: Vec<ItemPath>,
}

/// All modules of core with a file of their own.
pub(crate) fn core_modules(source: &Path) -> Result<BTreeMap<ItemPath, ModuleFile>> {
    let files = rust_files(source)?;
    let modules: BTreeSet<ItemPath> = files.iter().map(|file| module_path(file)).collect();
    files
        .into_iter()
        .map(|file: PathBuf| {
            let (own, text) = (module_path(&file), fs::read_to_string(source.join(&file))?);
            let children: Vec<&str> = modules
                .iter()
                .filter_map(|module| child_name(module, &own))
                .collect();
            let imports = imported_paths(&text, &own, &children);
            Ok((own, ModuleFile { file, imports }))
        })
        .collect()
}

/// The name of a module, if it is a child of `parent`.
fn child_name<'a>(module: &'a [String], parent: &[String]) -> Option<&'a str> {
    let (name, above) = module.split_last()?;
    (above == parent).then_some(name)
}

/// The module of a file: `input/parse.rs` is `input::parse`, and `lib.rs` is the root.
fn module_path(file: &Path) -> ItemPath {
    let names = file.with_extension("");
    let names = names.iter().map(|name| name.to_string_lossy().into_owned());
    names.filter(|name| name != "lib").collect()
}

/// All Rust files in a directory, with relative paths.
fn rust_files(source: &Path) -> Result<Vec<PathBuf>> {
    let (mut files, mut folders) = (Vec::new(), vec![source.to_owned()]);
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder)? {
            let path = entry?.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                files.push(path.strip_prefix(source)?.to_owned());
            }
        }
    }
    Ok(files)
}

/// All paths in the text of the module `own` that begin with `crate`, `super`, `self` or one of its
/// child modules. Comments and the tests at the end of a file do not count.
pub(crate) fn imported_paths(text: &str, own: &[String], children: &[&str]) -> Vec<ItemPath> {
    let code = text
        .split("#[cfg(test)]\nmod tests")
        .next()
        .unwrap_or_default();
    let code: String = code
        .lines()
        .flat_map(|line| [line.split("//").next().unwrap_or_default(), "\n"])
        .collect();
    let (mut paths, mut rest, mut before) = (Vec::new(), &*code, ' ');
    while let Some(character) = rest.chars().next() {
        let name = first_name(rest);
        if name.is_empty() {
            before = character;
            rest = &rest[character.len_utf8()..];
            continue;
        }
        rest = &rest[name.len()..];
        // Not the middle of a path, a field or a method.
        let begins = before != ':' && before != '.';
        before = name.chars().next_back().unwrap_or(' ');
        let Some(path) = rest.strip_prefix("::").filter(|_| begins) else {
            continue;
        };
        let base = match name {
            "crate" => Vec::new(),
            "self" => own.to_vec(),
            "super" => above(own),
            child if children.contains(&child) => [own, &[child.to_owned()]].concat(),
            _ => continue,
        };
        rest = read_tree(path, &base, &mut paths);
        before = ' ';
    }
    paths
}

/// The parent of a module.
fn above(module: &[String]) -> ItemPath {
    module
        .split_last()
        .map(|(_, above)| above.to_vec())
        .unwrap_or_default()
}

/// The name at the beginning of a text, if there is one.
fn first_name(text: &str) -> &str {
    text.split(|other: char| !other.is_alphanumeric() && other != '_')
        .next()
        .unwrap_or_default()
}

/// Reads the paths that follow `base`, such as `a::b` or `{a::{b, self}, c as d}`. Returns the text
/// after them.
fn read_tree<'a>(text: &'a str, base: &[String], paths: &mut Vec<ItemPath>) -> &'a str {
    let text = text.trim_start();
    if let Some(mut list) = text.strip_prefix('{') {
        loop {
            list = list.trim_start_matches(|character: char| {
                character.is_whitespace() || character == ','
            });
            match list.strip_prefix('}') {
                Some(after) => return after,
                None if first_name(list).is_empty() && !list.starts_with('*') => return list,
                None => list = read_tree(list.strip_prefix('*').unwrap_or(list), base, paths),
            }
        }
    }
    let name = first_name(text);
    let path = match name {
        "" | "self" => base.to_vec(),
        "super" => above(base),
        _ => [base, &[name.to_owned()]].concat(),
    };
    let rest = &text[name.len()..];
    if let Some(more) = rest.strip_prefix("::").filter(|_| !name.is_empty()) {
        return read_tree(more, &path, paths);
    }
    paths.push(path);
    match rest.trim_start().strip_prefix("as ") {
        Some(alias) => &alias[first_name(alias).len()..],
        None => rest,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn imports_are_found_in_every_form() {
        let text = "use crate::text::number;\nuse crate::{\n    packet::{self, Packet as P, view::{View, *}},\n    walk,\n};\n\
                    use super::super::mesh;\nuse self::kind::Kind;\n// crate::map\npub(super) fn f() -> crate::mesh::Mesh {\n    \
                    my_crate::lesson(words::split::<u8>(x)); a.words::b; std::words::c\n}\n\
                    #[cfg(test)]\nmod tests { use crate::share; }\n";
        let own = ["input", "parse"].map(str::to_owned);
        let found: Vec<String> = imported_paths(text, &own, &["words"])
            .iter()
            .map(|path| path.join("::"))
            .collect();
        let expected = [
            "text::number",
            "packet",
            "packet::Packet",
            "packet::view::View",
            "packet::view",
            "walk",
            "mesh",
            "input::parse::kind::Kind",
            "mesh::Mesh",
            "input::parse::words::split",
        ];
        assert_eq!(found, expected);
    }

    #[test]
    fn files_are_modules() {
        assert_eq!(module_path(Path::new("lib.rs")), ItemPath::new());
        assert_eq!(module_path(Path::new("input/parse.rs")), ["input", "parse"]);
    }
}
