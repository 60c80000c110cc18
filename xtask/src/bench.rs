//! `cargo xtask bench`: compares Chainwalk with its peers (`tests/bench.rs`), and measures its
//! parts (`tests/bench/parts.rs`).

mod hello;

use anyhow::{Result, ensure};

use crate::{
    cargo::{cargo, root, run},
    dist, packages,
};

/// The parts of the comparison, in the order of the table.
const AGAINST_PEERS: [&str; 6] = ["kernel", "reading", "hostile", "page", "start", "capture"];
/// The part that is measured by itself.
const PARTS: &str = "parts";

/// Runs the benchmarks, or only those of `wanted`.
pub(crate) fn bench(wanted: &[String]) -> Result<()> {
    let known = || AGAINST_PEERS.into_iter().chain([PARTS]);
    for part in wanted {
        ensure!(
            known().any(|known| known == part),
            "there is no part {part:?}: choose from {}",
            known().collect::<Vec<_>>().join(", ")
        );
    }
    let wants = |part: &str| wanted.is_empty() || wanted.iter().any(|wanted| wanted == part);
    let peers: Vec<&str> = AGAINST_PEERS
        .into_iter()
        .filter(|part| wants(part))
        .collect();
    if !peers.is_empty() {
        packages::ensure(if wants("start") {
            &[packages::BROTLI]
        } else {
            &[]
        })?;
        let dist = root().join("dist");
        let mut measure = cargo(&[
            "bench",
            "--quiet",
            "-p",
            "chainwalk-tests",
            "--bench",
            "peers",
            "--",
        ]);
        measure
            .args(&peers)
            .env("CHAINWALK_CAPTURE", dist.join("chainwalk-capture"))
            .env("CHAINWALK_DIST", dist);
        if wants("page") || wants("start") || wants("capture") {
            dist::build(wants("capture"))?;
        }
        if wants("start") {
            measure.env("CHAINWALK_HELLO", hello::build()?);
        }
        run(&mut measure)?;
    }
    if wants(PARTS) {
        run(&mut cargo(&[
            "bench",
            "--quiet",
            "-p",
            "chainwalk-tests",
            "--bench",
            PARTS,
        ]))?;
    }
    Ok(())
}
