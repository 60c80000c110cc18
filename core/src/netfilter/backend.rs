//! The kernel's two packet filters.

use serde::{Deserialize, Serialize};

/// Which of the kernel's two packet filters a rule set is loaded into.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Backend {
    /// ip_tables, asked with `iptables-legacy`.
    Legacy,
    /// nf_tables, asked with `iptables-nft`.
    Nft,
}
