//! Who may depend on whom: the rooms of the house, checked against what cargo would build.

use anyhow::{Result, bail};

use crate::{
    cargo::{cargo, output},
    target,
};

/// A room, the target it is built for, and what it must never come to depend on.
const RULES: [(&str, &str, &[&str]); 4] = [
    // Text and values in, values out: the same on a node, in a page and in a test.
    ("chainwalk-core", "all", &["js-sys", "libc", "nix", "tokio", "wasm-bindgen", "web-sys"]),
    // One small program that runs, prints and ends.
    ("chainwalk-capture", target::MUSL[0].0, &["async-std", "js-sys", "tokio", "wasm-bindgen", "web-sys"]),
    // A page has no system calls.
    ("chainwalk-web", target::WASM, &["libc", "nix"]),
    // What the tasks need, a newcomer waits for before the first page.
    ("xtask", "all", &["hyper", "nix", "tokio", "yew"]),
];

/// Checks every room.
pub(crate) fn check() -> Result<()> {
    for (room, target, forbidden) in RULES {
        let tree = ["tree", "--package", room, "--edges", "normal", "--target", target, "--prefix", "none"];
        let tree = output(&mut cargo(&tree))?;
        let found = found(&String::from_utf8_lossy(&tree), forbidden);
        if !found.is_empty() {
            bail!(
                "{room} must not depend on {}: see what brings it along with `cargo tree -p {room} --target {target} -i {}`",
                found.join(", "),
                found[0]
            );
        }
    }
    Ok(())
}

/// Which of the forbidden crates stand in what `cargo tree --prefix none` prints: `name v1.2.3 (…)`, one a line.
fn found<'a>(tree: &str, forbidden: &[&'a str]) -> Vec<&'a str> {
    let has = |name: &str| tree.lines().any(|line| line.split_once(' ').map_or(line, |(first, _)| first) == name);
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
