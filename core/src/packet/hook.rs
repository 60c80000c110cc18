//! The hooks of netfilter.

use serde::{Deserialize, Serialize};
use strum::{Display, IntoStaticStr};

/// A point on a packet's way at which rules are asked.
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
    /// Arrived, not yet routed.
    Prerouting,
    /// Routed to this host.
    Input,
    /// Routed on to another host.
    Forward,
    /// Sent by a process here.
    Output,
    /// About to leave.
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
