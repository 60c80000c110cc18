//! From Rust to what a browser runs: the WebAssembly and the JavaScript that binds it to the page.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result};
use wasm_bindgen_cli_support::Bindgen;

use crate::{
    cargo::{self, run},
    progress::{say, timed},
    target,
};

/// What the page is made for, which decides the profile in the root `Cargo.toml`.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// To be given to others: as small as it gets.
    Dist,
    /// To be worked on: quick to rebuild, with the names of functions in stack traces.
    Serve,
}

/// The app, compiled and bound.
pub(crate) struct Page {
    /// JavaScript that defines the global `wasm_bindgen`, which starts the app. Not a module: modules do not load from `file://`, and one
    /// kind of binding for both pages means that what was tested in one holds in the other.
    pub(crate) bindings: String,
    /// The app itself.
    pub(crate) wasm: Vec<u8>,
}

/// Compiles the page.
pub(crate) fn build(purpose: Purpose) -> Result<Page> {
    compile("the page", &[], purpose)
}

/// Compiles the least page that Yew makes, as it would be given to others.
pub(crate) fn hello() -> Result<Page> {
    compile(
        "a page that says hello",
        &["--example", "hello"],
        Purpose::Dist,
    )
}

fn compile(name: &str, program: &[&str], purpose: Purpose) -> Result<Page> {
    let profile = match purpose {
        Purpose::Dist => "web",
        Purpose::Serve => "web-dev",
    };
    let compiled = timed(&format!("compiling {name} (profile {profile})"), || {
        cargo::build("chainwalk-web", program, target::WASM, profile)
    })?;
    let mut page = timed("binding it to JavaScript", || bind(&compiled, purpose))?;
    if purpose == Purpose::Dist {
        optimize(&mut page);
    }
    Ok(page)
}

fn bind(compiled: &Path, purpose: Purpose) -> Result<Page> {
    let mut output = Bindgen::new()
        .input_path(compiled)
        .no_modules(true)?
        .typescript(false)
        // `boot.js` says where the WebAssembly is: the default would be a name without the hash in
        // it.
        .omit_default_module_path(true)
        .remove_name_section(purpose == Purpose::Dist)
        .remove_producers_section(true)
        .generate_output()
        .context("cannot generate the bindings")?;
    Ok(Page {
        bindings: output.js().to_owned(),
        wasm: output.wasm_mut().emit_wasm(),
    })
}

/// A second optimizer, where there is one that can: it saves some 7 % of what a browser compiles,
/// if little of what it loads.
fn optimize(page: &mut Page) {
    match find_wasm_opt() {
        None => say(
            "wasm-opt is not installed: left out (it makes the unpacked WebAssembly some 7 % smaller)",
        ),
        Some(wasm_opt) => match timed("wasm-opt", || optimized(&wasm_opt, &page.wasm)) {
            Ok(smaller) => page.wasm = smaller,
            // An old one does not know every feature.
            Err(error) => say(format_args!("wasm-opt: left out, since {error:#}")),
        },
    }
}

fn optimized(wasm_opt: &Path, wasm: &[u8]) -> Result<Vec<u8>> {
    let directory = env::temp_dir().join(format!("chainwalk-wasm-opt-{}", std::process::id()));
    fs::create_dir(&directory).with_context(|| format!("cannot create {}", directory.display()))?;
    let (before, after) = (directory.join("before.wasm"), directory.join("after.wasm"));
    let optimized = (|| {
        fs::write(&before, wasm)?;
        run(Command::new(wasm_opt)
            .arg("-Oz")
            .args(FEATURES)
            .arg(&before)
            .arg("-o")
            .arg(&after))?;
        Ok(fs::read(&after)?)
    })();
    fs::remove_dir_all(&directory)?;
    optimized
}

/// Those that rustc uses by default and the bindings add; newer ones would need newer browsers.
const FEATURES: [&str; 7] = [
    "--enable-bulk-memory",
    "--enable-bulk-memory-opt",
    "--enable-multivalue",
    "--enable-mutable-globals",
    "--enable-nontrapping-float-to-int",
    "--enable-reference-types",
    "--enable-sign-ext",
];

fn find_wasm_opt() -> Option<PathBuf> {
    let local = cargo::root().join("node_modules/.bin/wasm-opt");
    if local.is_file() {
        Some(local)
    } else {
        target::on_path("wasm-opt").then(|| "wasm-opt".into())
    }
}
