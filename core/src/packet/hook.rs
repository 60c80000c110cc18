//! The hooks of netfilter.

use serde::{Deserialize, Serialize};
use strum::{Display, IntoStaticStr};

/// A point on a packet's path at which rules are evaluated.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    Hash,
    PartialOrd,
    Ord,
    Serialize,
    Deserialize,
    Display,
    IntoStaticStr,
)]
#[serde(rename_all = "UPPERCASE")]
#[strum(serialize_all = "UPPERCASE")]
pub enum Hook {
    /// For a packet that arrived, before routing.
    Prerouting,
    /// For a packet that is routed to this host.
    Input,
    /// For a packet that is routed to another host.
    Forward,
    /// For a packet that a process here sends.
    Output,
    /// For a packet that is about to leave.
    Postrouting,
}

impl Hook {
    /// All five.
    pub const ALL: [Self; 5] = [
        Self::Prerouting,
        Self::Input,
        Self::Forward,
        Self::Output,
        Self::Postrouting,
    ];

    /// The name of the built-in chains at this hook.
    pub fn name(self) -> &'static str {
        self.into()
    }
}
