//! `cargo xtask bench`: Chainwalk against its peers, measured by `tests/bench.rs`.

use anyhow::Result;

use crate::{
    cargo::{cargo, run},
    packages,
};

/// Measures. `parts`: only those, of `kernel`, `reading` and `hostile`.
pub(crate) fn bench(parts: &[String]) -> Result<()> {
    packages::ensure()?;
    run(cargo(&["bench", "--quiet", "-p", "chainwalk-tests", "--bench", "peers", "--"]).args(parts))
}
