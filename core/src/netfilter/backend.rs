//! The kernel's two packet filters.

use serde::{Deserialize, Serialize};

/// The kernel's packet filter that holds a rule set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Backend {
    /// ip_tables: `iptables-legacy` shows its rules.
    Legacy,
    /// nf_tables: `iptables-nft` shows its rules.
    Nft,
}
