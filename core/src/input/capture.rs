//! The JSON that the capture helper prints and the page reads.

use serde::{Deserialize, Serialize};

use crate::netfilter::backend::Backend;
use crate::packet::Family;
use crate::packet::host::{self, Host};

/// The version of the capture's JSON that this crate writes and reads.
pub const SCHEMA_VERSION: u32 = 1;

/// Everything that the helper read about one network namespace.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize)]
pub struct Capture {
    /// [`SCHEMA_VERSION`].
    pub schema_version: u32,
    /// Name and version of the program that wrote it.
    pub tool: String,
    /// The time in UTC, as RFC 3339 with seconds.
    pub captured_at: String,
    /// The process that represents the namespace.
    pub target: CaptureTarget,
    /// The kernel's release, as `uname -r` prints it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kernel: Option<String>,
    /// Whether addresses and names are neutral: see [`crate::share::redact`].
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub redacted: bool,
    /// The outputs of the save commands.
    pub rulesets: Vec<CapturedRules>,
    /// The output of `nft list ruleset`: every table of nf_tables, including iptables' own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nftables: Option<CapturedNftables>,
    /// Addresses, routes and the rest of the host.
    #[serde(default)]
    pub host: Host,
    /// The missing parts, each with the reason.
    #[serde(default)]
    pub warnings: Vec<String>,
    /// The parts of the namespace beyond the limits of the page; set by [`Capture::limit`].
    #[serde(skip)]
    pub left_out: Vec<String>,
}

/// The maximum number of rule sets. A capture has one for each family and backend.
const MAX_RULESETS: usize = 16;
/// The maximum number of warnings.
const MAX_WARNINGS: usize = 1_000;

impl Capture {
    /// Removes what exceeds the limits of the page, and reports each shortened list, as
    /// [`Host::limit`] does.
    pub fn limit(&mut self) -> Vec<String> {
        let mut dropped = self.host.limit();
        host::limit(&mut self.rulesets, MAX_RULESETS, "rule sets", &mut dropped);
        self.left_out.clone_from(&dropped);
        host::limit(&mut self.warnings, MAX_WARNINGS, "warnings", &mut dropped);
        dropped
    }
}

/// The process that represents the captured namespace.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
pub struct CaptureTarget {
    /// Its process id on the capturing host. Absent for a namespace without processes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pid: Option<u32>,
    /// Its command name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub command: Option<String>,
    /// The inode number of its network namespace.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub netns_inode: Option<u64>,
    /// The file of the namespace, if the user named a file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub netns_path: Option<String>,
    /// The host name in its UTS namespace: the name of the pod.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hostname: Option<String>,
    /// The UID of the pod, if the control group shows it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pod_uid: Option<String>,
    /// Whether no process in the namespace could have chosen `pod_uid` itself; absent without one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pod_uid_proven: Option<bool>,
    /// The id of the container, if the control group shows it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub container_id: Option<String>,
}

/// A save command and its output.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct CapturedRules {
    /// The family it prints.
    pub family: Family,
    /// The backend that it reads.
    pub backend: Backend,
    /// Program and arguments.
    pub command: Vec<String>,
    /// The version that the program prints: `iptables-save v1.8.9 (nf_tables)`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// Its exit code. Absent if a signal or the time limit ended it.
    pub exit_code: Option<i32>,
    /// Its standard output.
    pub text: String,
    /// Its standard error.
    #[serde(default)]
    pub stderr: String,
}

/// The listing of nf_tables, and the output of its command.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
pub struct CapturedNftables {
    /// Program and arguments. With `-j` the text is JSON, otherwise it is in nft's own language.
    pub command: Vec<String>,
    /// The version of nft, if the listing states it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// Its exit code. Absent if a signal or a limit ended it.
    pub exit_code: Option<i32>,
    /// Its standard output.
    pub text: String,
    /// Its standard error.
    #[serde(default)]
    pub stderr: String,
}
