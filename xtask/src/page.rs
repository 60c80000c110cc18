//! Compiles Rust for browsers: the WebAssembly, and the JavaScript that connects it with the page.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result};
use wasm_bindgen_cli_support::Bindgen;

use crate::{
    cargo::{self, run},
    progress::{print_progress, timed},
    target,
};

/// The purpose of a build. It selects the profile in the root `Cargo.toml`.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum BuildPurpose {
    /// For users: as small as possible.
    Dist,
    /// For development: fast to rebuild, with function names in stack traces.
    Serve,
}

/// The compiled app.
pub(crate) struct BuiltPage {
    /// JavaScript that defines the global `wasm_bindgen`, which starts the app. It is not a module,
    /// because modules do not load from `file://`. Both pages use the same kind, so that tests of
    /// one are valid for the other.
    pub(crate) bindings: String,
    /// The WebAssembly of the app.
    pub(crate) wasm: Vec<u8>,
}

/// Compiles the page.
pub(crate) fn build(purpose: BuildPurpose) -> Result<BuiltPage> {
    compile("the page", &[], purpose)
}

/// Compiles a minimal Yew page with the profile for users.
pub(crate) fn hello() -> Result<BuiltPage> {
    compile(
        "a page that says hello",
        &["--example", "hello"],
        BuildPurpose::Dist,
    )
}

fn compile(name: &str, program: &[&str], purpose: BuildPurpose) -> Result<BuiltPage> {
    let profile = match purpose {
        BuildPurpose::Dist => "web",
        BuildPurpose::Serve => "web-dev",
    };
    let compiled = timed(&format!("compiling {name} (profile {profile})"), || {
        cargo::build("chainwalk-web", program, target::WASM, profile)
    })?;
    let mut page = timed("binding it to JavaScript", || bind(&compiled, purpose))?;
    if purpose == BuildPurpose::Dist {
        optimize(&mut page);
    }
    Ok(page)
}

fn bind(compiled: &Path, purpose: BuildPurpose) -> Result<BuiltPage> {
    let mut output = Bindgen::new()
        .input_path(compiled)
        .no_modules(true)?
        .typescript(false)
        // `boot.js` passes the address of the WebAssembly. The default would be a name without the
        // hash in it.
        .omit_default_module_path(true)
        .remove_name_section(purpose == BuildPurpose::Dist)
        .remove_producers_section(true)
        .generate_output()
        .context("cannot generate the bindings")?;
    Ok(BuiltPage {
        bindings: output.js().to_owned(),
        wasm: output.wasm_mut().emit_wasm(),
    })
}

/// Runs a second optimizer, if an installed one supports the features. It removes about 7 % of what
/// a browser compiles, but little of what it loads.
fn optimize(page: &mut BuiltPage) {
    match find_wasm_opt() {
        None => print_progress(
            "wasm-opt is not installed: left out (it makes the unpacked WebAssembly some 7 % smaller)",
        ),
        Some(wasm_opt) => match timed("wasm-opt", || optimized(&wasm_opt, &page.wasm)) {
            Ok(smaller) => page.wasm = smaller,
            // An old version does not support every feature.
            Err(error) => print_progress(format_args!("wasm-opt: left out, since {error:#}")),
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

/// The features that rustc uses by default and that the bindings add. Newer ones would require
/// newer browsers.
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
