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

impl Backend {
    /// Its name, as in `iptables-nft`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Legacy => "legacy",
            Self::Nft => "nft",
        }
    }
}
