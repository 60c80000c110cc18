//! Crates that a package must not depend on, checked against what cargo would build.

use anyhow::{Result, bail};

use crate::{
    cargo::{cargo, output},
    target,
};

/// A package, the target that it is built for, and the crates that it must never depend on.
const RULES: [(&str, &str, &[&str]); 6] = [
    // Pure functions of text and values. They run on a node, in a page and in a test.
    (
        "chainwalk-core",
        "all",
        &["js-sys", "libc", "nix", "tokio", "wasm-bindgen", "web-sys"],
    ),
    // A small program that runs, prints and ends.
    (
        "chainwalk-capture",
        target::MUSL[0].0,
        &["async-std", "js-sys", "tokio", "wasm-bindgen", "web-sys"],
    ),
    // Its tests run without a browser.
    (
        "chainwalk-session",
        "all",
        &[
            "gloo",
            "js-sys",
            "libc",
            "nix",
            "tokio",
            "wasm-bindgen",
            "web-sys",
            "yew",
        ],
    ),
    // A page has no system calls.
    ("chainwalk-web", target::WASM, &["libc", "nix"]),
    // The terminal program shares it, and must stay small.
    (
        "chainwalk-http",
        "all",
        &["chainwalk-core", "hyper", "tokio"],
    ),
    // A newcomer waits for all of these before the first page.
    ("xtask", "all", &["hyper", "nix", "tokio", "yew"]),
];

/// Checks every package.
pub(crate) fn check() -> Result<()> {
    for (package, target, forbidden) in RULES {
        let tree = [
            "tree",
            "--package",
            package,
            "--edges",
            "normal",
            "--target",
            target,
            "--prefix",
            "none",
        ];
        let tree = output(&mut cargo(&tree))?;
        let found = found(&String::from_utf8_lossy(&tree), forbidden);
        if !found.is_empty() {
            bail!(
                "{package} must not depend on {}: `cargo tree -p {package} --target {target} -i {}` shows why it does",
                found.join(", "),
                found[0]
            );
        }
    }
    Ok(())
}

/// The forbidden crates in the output of `cargo tree --prefix none`, which has one `name v1.2.3
/// (…)` per line.
fn found<'a>(tree: &str, forbidden: &[&'a str]) -> Vec<&'a str> {
    let has = |name: &str| {
        tree.lines()
            .any(|line| line.split_once(' ').map_or(line, |(first, _)| first) == name)
    };
    forbidden.iter().copied().filter(|name| has(name)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_names_are_found() {
        let tree = "chainwalk-core v0.1.0 (/src/core)\nnix v0.30.1\nunicode-ident v1.0.0\nserde v1.0.0 (*)\n";
        assert_eq!(found(tree, &["libc", "nix", "serde"]), ["nix", "serde"]);
        assert_eq!(found(tree, &["unicode", "ni", "core"]), [] as [&str; 0]);
    }
}
