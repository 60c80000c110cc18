//! The layers of core: a module imports only from its own layer and from those before it in the
//! list of `core/src/lib.rs`.

use std::{collections::BTreeSet, fs};

use anyhow::{Context, Result, ensure};

use crate::{cargo::root, imports::core_modules};

/// Checks every file of core.
pub(crate) fn check() -> Result<()> {
    let source = root().join("core/src");
    let library = fs::read_to_string(source.join("lib.rs")).context("core has no lib.rs")?;
    let layers = listed_layers(&library);
    let declared: Vec<&str> = library
        .lines()
        .filter_map(|line| line.strip_prefix("pub mod ")?.strip_suffix(';'))
        .collect();
    for layer in &declared {
        ensure!(
            layers.contains(layer),
            "core/src/lib.rs lists no layer `{layer}`, but declares it"
        );
    }
    ensure!(
        layers.len() == declared.len(),
        "core/src/lib.rs lists layers that it does not declare: {layers:?}"
    );
    let mut wrong = BTreeSet::new();
    for (module, file) in core_modules(&source)? {
        let layer_of = |path: &[String]| {
            layers
                .iter()
                .position(|layer| path.first().is_some_and(|name| name == layer))
        };
        let Some(own) = layer_of(&module) else {
            continue;
        };
        for layer in file
            .imports
            .iter()
            .filter_map(|path| layer_of(path))
            .filter(|layer| *layer > own)
        {
            wrong.insert(format!(
                "{} imports from `{}`, a layer above its own",
                file.file.display(),
                layers[layer]
            ));
        }
    }
    ensure!(
        wrong.is_empty(),
        "core's layers (core/src/lib.rs lists them):\n  {}",
        Vec::from_iter(wrong).join("\n  ")
    );
    Ok(())
}

/// The layers in the documentation of core, from the lowest on. They are in lines such as
/// `//! 2. `packet`: …`.
fn listed_layers(library: &str) -> Vec<&str> {
    let item = |line: &'_ str| -> bool {
        line.starts_with("//! ") && line[4..].starts_with(|first: char| first.is_ascii_digit())
    };
    library
        .lines()
        .filter(|line| item(line))
        .filter_map(|line| line.split('`').nth(1))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn layers_are_read_in_their_order() {
        let library = "//! # Layers\n//! 1. `text`: numbers.\n//! 2. `packet`: a packet.\n//! Not `this`.\n\npub mod text;\n";
        assert_eq!(listed_layers(library), ["text", "packet"]);
    }

    #[test]
    fn core_keeps_its_layers() {
        check().expect("core keeps its layers");
    }
}
