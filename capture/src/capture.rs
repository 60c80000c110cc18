//! Puts a capture together.

use chainwalk_core::capture::{Capture, SCHEMA_VERSION, Target};
use nix::errno::Errno;

use crate::failure::Failure;
use crate::process::{Identity, Process, not_allowed};
use crate::{cgroup, host, namespace, ruleset, time};

/// Name and version, as the capture and `--version` state them.
pub(crate) const TOOL: &str = concat!(env!("CARGO_PKG_NAME"), " ", env!("CARGO_PKG_VERSION"));

/// Captures the network namespace of a process. Changes nothing in it.
pub(crate) fn capture(pid: u32) -> Result<Capture, Failure> {
    let process = Process::open(pid)?;
    let network = process.network_namespace()?;
    let identity = Identity::of(&network).ok();
    let mut warnings = Vec::new();
    if identity.is_some() && identity == Identity::own_network().ok() {
        warnings.push(format!(
            "process {pid} is in the very network namespace that this was run in: on a node these are the node's own \
             rules, not a pod's"
        ));
    }
    let tools = ruleset::tools();
    if tools.is_empty() {
        return Err(Failure::Refused(
            "this machine has no iptables-save: install the package `iptables` (Fedora, RHEL: `iptables-nft`); for rules \
             of the older backend Alpine and Fedora need `iptables-legacy`, too"
                .into(),
        ));
    }
    let captured_at = time::now();
    let owner = cgroup::owner(&process.read("cgroup").unwrap_or_default());
    let inside = namespace::inside(&network, || {
        let rulesets = ruleset::rulesets(&tools, &mut warnings);
        (rulesets, host::host(&process, &mut warnings))
    });
    let (rulesets, host) = inside.map_err(|error| match error {
        Errno::EPERM => not_allowed(pid),
        other => Failure::Refused(format!("cannot enter the network namespace of process {pid}: {other}")),
    })?;
    let target = Target {
        pid: process.pid(),
        command: process.command(),
        netns_inode: identity.map(|identity| identity.inode),
        hostname: process.uts_namespace().and_then(|uts| namespace::hostname(&uts)),
        pod_uid: owner.pod_uid,
        container_id: owner.container_id,
    };
    Ok(Capture { schema_version: SCHEMA_VERSION, tool: TOOL.into(), captured_at, target, rulesets, host, warnings })
}
