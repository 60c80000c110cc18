//! The JSON that the capture helper prints and the page reads.

use serde::{Deserialize, Serialize};

use crate::netfilter::backend::Backend;
use crate::packet::Family;
use crate::packet::host::{self, Host};

/// The version of the capture's JSON that this crate writes and reads.
pub const SCHEMA_VERSION: u32 = 1;

/// Everything the helper learnt about one network namespace.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize)]
pub struct Capture {
    /// [`SCHEMA_VERSION`].
    pub schema_version: u32,
    /// Name and version of the program that wrote it.
    pub tool: String,
    /// When, in UTC, as RFC 3339 with seconds.
    pub captured_at: String,
    /// Whose namespace it is.
    pub target: Target,
    /// The kernel's release, as `uname -r` prints it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kernel: Option<String>,
    /// Whether addresses and names are neutral ones: see [`crate::share::redact`].
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub redacted: bool,
    /// What each save command printed.
    pub rulesets: Vec<CapturedRules>,
    /// What `nft list ruleset` printed: every table of nf_tables, iptables' own among them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nftables: Option<CapturedNftables>,
    /// Addresses, routes and the rest.
    #[serde(default)]
    pub host: Host,
    /// What could not be asked, and why.
    #[serde(default)]
    pub warnings: Vec<String>,
}

/// More rule sets than any capture has: one for each family and backend.
const MAX_RULESETS: usize = 16;
/// More warnings than anyone reads.
const MAX_WARNINGS: usize = 1_000;

impl Capture {
    /// Drops what exceeds the most that a page can take, and says so of each list, as
    /// [`Host::limit`] does.
    pub fn limit(&mut self) -> Vec<String> {
        let mut dropped = self.host.limit();
        host::limit(&mut self.rulesets, MAX_RULESETS, "rule sets", &mut dropped);
        host::limit(&mut self.warnings, MAX_WARNINGS, "warnings", &mut dropped);
        dropped
    }
}

/// The process that stands for the captured namespace.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
pub struct Target {
    /// Its process id on the capturing host; absent for a namespace without processes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pid: Option<u32>,
    /// Its command name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub command: Option<String>,
    /// Inode number of its network namespace.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub netns_inode: Option<u64>,
    /// The file that stands for the namespace, where that is what was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub netns_path: Option<String>,
    /// Host name in its UTS namespace: the pod's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hostname: Option<String>,
    /// The pod's UID, where its control group tells.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pod_uid: Option<String>,
    /// Whether no process in the namespace could have chosen `pod_uid` itself; absent without one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pod_uid_proven: Option<bool>,
    /// The container's id, where its control group tells.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub container_id: Option<String>,
}

/// One save command and what it said.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct CapturedRules {
    /// The family it prints.
    pub family: Family,
    /// The backend it asks.
    pub backend: Backend,
    /// Program and arguments.
    pub command: Vec<String>,
    /// The program's own words for its version: `iptables-save v1.8.9 (nf_tables)`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// Its exit code; absent when a signal or the time limit ended it.
    pub exit_code: Option<i32>,
    /// Its standard output.
    pub text: String,
    /// Its standard error.
    #[serde(default)]
    pub stderr: String,
}

/// The listing of nf_tables and what its command said.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
pub struct CapturedNftables {
    /// Program and arguments: with `-j` the text is JSON, without it is nft's own language.
    pub command: Vec<String>,
    /// nft's version, where the listing states it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// Its exit code; absent when a signal or a limit ended it.
    pub exit_code: Option<i32>,
    /// Its standard output.
    pub text: String,
    /// Its standard error.
    #[serde(default)]
    pub stderr: String,
}
