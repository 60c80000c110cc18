//! Import cycles: at most two files of core import each other. A larger cycle can be understood
//! only as a whole.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Result, ensure};

use crate::{
    cargo::root,
    imports::{ItemPath, ModuleFile, core_modules},
};

/// The maximum number of files that import each other.
const MAX_CYCLE: usize = 2;

/// Checks the imports of every file of core.
pub(crate) fn check() -> Result<()> {
    let modules = core_modules(&root().join("core/src"))?;
    let cycles = import_cycles(&imported_modules(&modules));
    let shown: Vec<String> = cycles
        .iter()
        .filter(|cycle| cycle.len() > MAX_CYCLE)
        .map(|cycle| {
            cycle
                .iter()
                .map(|module| modules[*module].file.display().to_string())
                .collect::<Vec<_>>()
                .join(", ")
        })
        .collect();
    ensure!(
        shown.is_empty(),
        "more than {MAX_CYCLE} files of core import each other in a circle:\n  {}",
        shown.join("\n  ")
    );
    Ok(())
}

/// The modules that each module imports. Parent modules do not count: the file of a module uses its
/// children, and they may use its items.
fn imported_modules(
    modules: &BTreeMap<ItemPath, ModuleFile>,
) -> BTreeMap<&ItemPath, BTreeSet<&ItemPath>> {
    let imported = |own: &ItemPath, file: &ModuleFile| -> BTreeSet<&ItemPath> {
        file.imports
            .iter()
            .filter_map(|path: &ItemPath| {
                let names = (1..=path.len()).rev().map(|count| &path[..count]);
                names
                    .into_iter()
                    .find_map(|names| modules.get_key_value(names))
                    .map(|(module, _)| module)
            })
            .filter(|module| !own.starts_with(module))
            .collect()
    };
    modules
        .iter()
        .map(|(own, file)| (own, imported(own, file)))
        .collect()
}

/// The sets of modules that import each other, directly or indirectly.
fn import_cycles<'a, T: Ord>(imports: &BTreeMap<&'a T, BTreeSet<&'a T>>) -> Vec<BTreeSet<&'a T>> {
    let reached: BTreeMap<&T, BTreeSet<&T>> = imports
        .keys()
        .map(|module| (*module, reached_from(*module, imports)))
        .collect();
    let cycles: BTreeSet<BTreeSet<&T>> = imports
        .keys()
        .map(|module: &&'a T| -> BTreeSet<&'a T> {
            reached[module]
                .iter()
                .copied()
                .filter(|other| reached.get(other).is_some_and(|back| back.contains(module)))
                .collect()
        })
        .filter(|cycle| !cycle.is_empty())
        .collect();
    cycles.into_iter().collect()
}

/// The modules that a module imports, directly or indirectly.
fn reached_from<'a, T: Ord>(
    module: &T,
    imports: &BTreeMap<&'a T, BTreeSet<&'a T>>,
) -> BTreeSet<&'a T> {
    let (mut reached, mut waiting) = (BTreeSet::new(), vec![module]);
    while let Some(module) = waiting.pop() {
        for other in imports.get(module).into_iter().flatten() {
            if reached.insert(*other) {
                waiting.push(other);
            }
        }
    }
    reached
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_that_import_each_other_form_a_cycle() {
        let imports = BTreeMap::from([
            (&'a', BTreeSet::from([&'b'])),
            (&'b', BTreeSet::from([&'c', &'d'])),
            (&'c', BTreeSet::from([&'a'])),
            (&'d', BTreeSet::from([&'e'])),
            (&'e', BTreeSet::from([&'d'])),
            (&'f', BTreeSet::from([&'a'])),
        ]);
        let expected = [
            BTreeSet::from([&'a', &'b', &'c']),
            BTreeSet::from([&'d', &'e']),
        ];
        assert_eq!(import_cycles(&imports), expected);
    }

    #[test]
    fn a_module_may_import_from_those_around_it() {
        let path = |text: &str| -> ItemPath { text.split("::").map(str::to_owned).collect() };
        let file = |imports: &[&str]| ModuleFile {
            file: "x.rs".into(),
            imports: imports.iter().map(|text| path(text)).collect(),
        };
        let modules = BTreeMap::from([
            (path("mesh"), file(&["mesh::kind::Kind"])),
            (path("mesh::kind"), file(&["mesh::Mode", "text::number"])),
            (path("text"), file(&[])),
        ]);
        let imports = imported_modules(&modules);
        assert_eq!(
            imports[&path("mesh::kind")],
            BTreeSet::from([&path("text")])
        );
        assert_eq!(
            imports[&path("mesh")],
            BTreeSet::from([&path("mesh::kind")])
        );
    }

    #[test]
    fn core_has_no_large_cycle() {
        check().expect("core has no large cycle");
    }
}
