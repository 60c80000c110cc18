//! A minimal page made with Yew (`web/examples/hello.rs`), built as the playground's page is. It
//! shows the cost of any such page.

use std::{fs, path::PathBuf};

use anyhow::{Context, Result};

use crate::{
    cargo,
    page::{self, BuiltPage},
    shell::{data_block, inside_script},
};

/// Writes `target/hello/`: `index.html` with its files, and `hello.html` in one file. Returns the
/// directory.
pub(crate) fn build() -> Result<PathBuf> {
    let page = page::hello()?;
    let directory = cargo::root().join("target/hello");
    fs::create_dir_all(&directory)
        .with_context(|| format!("cannot create {}", directory.display()))?;
    for (name, content) in [
        ("index.html", hosted().into_bytes()),
        ("hello.html", one_file(&page).into_bytes()),
        ("hello.js", page.bindings.into_bytes()),
        ("hello.wasm", page.wasm),
    ] {
        fs::write(directory.join(name), content).with_context(|| format!("cannot write {name}"))?;
    }
    Ok(directory)
}

fn hosted() -> String {
    html(
        "<script src=\"hello.js\"></script>\n<script>wasm_bindgen({ module_or_path: \"hello.wasm\" })</script>",
    )
}

fn one_file(page: &BuiltPage) -> String {
    let start = "const text = document.getElementById(\"chainwalk-wasm\").textContent;
const packed = Uint8Array.from(atob(text), c => c.charCodeAt());
const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream(\"gzip\"));
wasm_bindgen({ module_or_path: new Response(stream, { headers: { \"Content-Type\": \"application/wasm\" } }) });";
    let (wasm, bindings) = (
        data_block("wasm", &page.wasm),
        inside_script(&page.bindings),
    );
    html(&format!(
        "{wasm}\n<script>{bindings}</script>\n<script>{start}</script>"
    ))
}

fn html(scripts: &str) -> String {
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n<title>Hello</title>\n\
         <link rel=\"icon\" href=\"data:,\">\n<body>\n{scripts}\n</body>\n</html>\n"
    )
}
