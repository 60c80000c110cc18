//! Assembles a capture.

use std::fs;
use std::thread;
use std::time::Instant;

use chainwalk_core::analysis::proxy_processes;
use chainwalk_core::input::capture::{Capture, CaptureTarget, SCHEMA_VERSION};
use nix::errno::Errno;

use crate::capability::refusal;
use crate::cgroup::{self, CgroupOwner};
use crate::failure::Failure;
use crate::machine::Machine;
use crate::node::Held;
use crate::process::{Identity, ProcessEntry, not_allowed};
use crate::ruleset::Toolbox;
use crate::{host, namespace, proof};

/// Name and version, for the capture and `--version`.
pub(crate) const TOOL: &str = concat!(env!("CARGO_PKG_NAME"), " ", env!("CARGO_PKG_VERSION"));

/// A capture, and whether a part of it is missing.
#[derive(Debug)]
pub(crate) struct Captured {
    pub(crate) capture: Capture,
    pub(crate) is_partial: bool,
}

/// The time in UTC, as RFC 3339 with seconds.
pub(crate) fn now() -> String {
    format!("{:.0}", jiff::Timestamp::now())
}

/// Captures a network namespace and changes nothing in it.
pub(crate) fn capture(
    held: &Held,
    machine: &Machine,
    tools: &Toolbox,
    deadline: Instant,
) -> Result<Captured, Failure> {
    let captured_at = now();
    let process = held.process.as_ref();
    // The target is read first, because the process may end while the tools run.
    let (mut warnings, mut notes) = (Vec::new(), Vec::new());
    let target = target(held, machine, &mut notes);
    // The rest is read while the tools run. A new thread starts in the namespace of the thread that
    // starts it.
    let inside = namespace::inside(&held.network, || {
        thread::scope(|scope| {
            let said = scope.spawn(|| tools.ask(machine, deadline, &mut warnings, &mut notes));
            let mut others = Vec::new();
            let host = host::host(machine, process, &held.pids(machine), &mut others);
            (said.join().expect("asking does not panic"), host, others)
        })
    });
    let (said, host, mut others) = inside.map_err(|error| refused(held, error))?;
    warnings.append(&mut others);
    if let Some(process) = process {
        match process.identity() {
            Ok(identity) if identity == held.identity => {}
            Ok(_) => warnings.push(format!(
                "process {} went to another network namespace meanwhile: this is the one that it was in at first",
                process.pid()
            )),
            Err(_) => warnings.push(format!(
                "process {} ended meanwhile: what was read after that may be less than what was there",
                process.pid()
            )),
        }
    }
    if Identity::own_network().is_ok_and(|own| own == held.identity) {
        let who = process.map_or("this".into(), |process| {
            format!("process {}", process.pid())
        });
        notes.push(format!(
            "{who} is in the very network namespace that this was run in: on a node these are the node's own rules, not a \
             pod's"
        ));
    }
    let is_partial = !warnings.is_empty();
    warnings.extend(notes);
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease")
        .ok()
        .map(|release| release.trim_end().to_owned());
    let mut capture = Capture {
        schema_version: SCHEMA_VERSION,
        tool: TOOL.into(),
        captured_at,
        target,
        kernel,
        redacted: false,
        rulesets: said.rulesets,
        nftables: said.nftables,
        host,
        warnings,
        left_out: Vec::new(),
    };
    proxy_processes::mark_proxies(&mut capture);
    Ok(Captured {
        capture,
        is_partial,
    })
}

fn target(held: &Held, machine: &Machine, notes: &mut Vec<String>) -> CaptureTarget {
    let process = held.process.as_ref();
    let owner = cgroup::owner(
        &process
            .and_then(|process| process.read_file("cgroup"))
            .unwrap_or_default(),
    );
    let doubt = process.and_then(|process| {
        proof::doubt(machine, &suspects(held, machine, process, &owner), &owner)
    });
    if let Some(reason) = doubt.as_ref().filter(|_| held.is_found_by_group) {
        notes.push(format!(
            "{}: {reason}; {}",
            unproven(&owner),
            how_to_verify(&owner, held.identity.inode)
        ));
    }
    CaptureTarget {
        pid: process.map(|process| process.pid()),
        command: process.and_then(|process| process.command()),
        netns_inode: Some(held.identity.inode),
        netns_path: held.path.as_ref().map(|path| path.display().to_string()),
        hostname: held.hostname(),
        pod_uid_proven: owner.pod_uid.as_ref().map(|_| doubt.is_none()),
        pod_uid: owner.pod_uid,
        container_id: owner.container_id,
    }
}

/// The processes that could have moved a process of the namespace into a control group of their
/// own. In the machine's own namespace, which contains all its services, only processes of the same
/// pod count.
fn suspects(
    held: &Held,
    machine: &Machine,
    process: &ProcessEntry,
    owner: &CgroupOwner,
) -> Vec<u32> {
    let mut pids = held.pids(machine);
    let first = Identity::at(&machine.path("proc/1/ns/net"));
    if first.is_ok_and(|first| first == held.identity) {
        let is_of_the_pod = |pid: &u32| {
            let other = ProcessEntry::hold(machine, *pid)
                .ok()
                .and_then(|process| process.read_file("cgroup"));
            let other = cgroup::owner(&other.unwrap_or_default());
            (
                other.pod_uid,
                other.container_id.filter(|_| owner.pod_uid.is_none()),
            ) == (
                owner.pod_uid.clone(),
                owner
                    .container_id
                    .clone()
                    .filter(|_| owner.pod_uid.is_none()),
            )
        };
        pids.retain(|pid| *pid == process.pid() || is_of_the_pod(pid));
    }
    pids
}

fn unproven(owner: &CgroupOwner) -> String {
    match (&owner.pod_uid, &owner.container_id) {
        (Some(uid), _) => format!("it is not proven that this is the pod {uid}"),
        (None, id) => format!(
            "it is not proven that this is the container {}",
            id.as_deref().unwrap_or_default()
        ),
    }
}

/// The container runtime knows the namespace that it made for a pod.
fn how_to_verify(owner: &CgroupOwner, inode: u64) -> String {
    match &owner.pod_uid {
        Some(uid) => format!(
            "to verify it, run `crictl inspectp $(crictl pods -q --label io.kubernetes.pod.uid={uid})`: `stat -L` of the \
             network namespace's path in there must show inode {inode}"
        ),
        None => format!(
            "to verify it, run `crictl inspect` with the container's id: `stat -L /proc/PID/ns/net` of the process in there \
             must show inode {inode}"
        ),
    }
}

fn refused(held: &Held, error: Errno) -> Failure {
    match (error, &held.process, &held.path) {
        (Errno::EPERM, Some(process), _) => not_allowed(process.pid()),
        (Errno::EPERM, None, Some(path)) => {
            let path = path.display();
            Failure::Refused(refusal(
                &format!("enter the network namespace {path}"),
                &format!("--netns {path}"),
            ))
        }
        (Errno::EINVAL, _, Some(path)) => Failure::Refused(format!(
            "{} is a namespace, but none of networks",
            path.display()
        )),
        _ => Failure::Refused(format!(
            "cannot enter the network namespace {}: {error}",
            held.identity.inode
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_has_whole_seconds() {
        let now = now();
        assert_eq!(now.len(), "2026-11-22T20:26:08Z".len(), "{now}");
        assert!(
            now.ends_with('Z') && now.parse::<jiff::Timestamp>().is_ok(),
            "{now}"
        );
    }
}
