//! Decides whether the name of a control group proves which pod its processes belong to.
//!
//! The kubelet names a pod's control group after its UID. A process that can create control groups
//! can choose any name and move processes there: in a privileged container, in a container with a
//! writable mount of the hierarchy (`mkdir` and `cgroup.procs`, cgroups(7)), within its own control
//! group, or as a user to whom systemd has delegated a control group.

use std::fs;
use std::os::unix::fs::MetadataExt;

use crate::cgroup::{CgroupOwner, ControlGroup};
use crate::machine::Machine;
use crate::mount::{Mounts, mountinfo};
use crate::process::{Identity, MAX_FILE, read_limited};

/// `CAP_SYS_ADMIN` of `linux/capability.h`, which permits mounting control groups.
const SYS_ADMIN: u32 = 21;

/// The reason why the processes of a namespace could have chosen `owner` themselves; `None` if they
/// could not.
pub(crate) fn doubt(machine: &Machine, pids: &[u32], owner: &CgroupOwner) -> Option<String> {
    let group = owner.group.as_ref()?;
    if group.is_nested {
        return Some(
            "its control group is in that of another pod or container, which may make any there"
                .into(),
        );
    }
    if let Some(reason) = doubt_of_directory(machine, group) {
        return Some(reason);
    }
    pids.iter()
        .find_map(|&pid| doubt_of_process(machine, pid, group))
}

/// The directories of the kubelet belong to root.
fn doubt_of_directory(machine: &Machine, group: &ControlGroup) -> Option<String> {
    let hierarchies = if group.controllers.is_empty() {
        vec!["unified".to_owned(), String::new()]
    } else {
        vec![group.controllers.trim_start_matches("name=").to_owned()]
    };
    let below = group.path.trim_start_matches('/');
    let mut found = hierarchies
        .iter()
        .map(|name| machine.path("sys/fs/cgroup").join(name))
        .filter(|top| top.join(below).is_dir());
    let Some(top) = found.next() else {
        return Some("the directory of its control group is not visible here".into());
    };
    for part in top
        .join(below)
        .ancestors()
        .take_while(|part| part.starts_with(&top))
    {
        let Ok(data) = fs::metadata(part) else {
            continue;
        };
        if data.uid() != 0 {
            return Some(format!(
                "user {} owns the control group {}",
                data.uid(),
                part.display()
            ));
        }
        if data.mode() & 0o002 != 0 || data.mode() & 0o020 != 0 && data.gid() != 0 {
            return Some(format!(
                "others than root may write to the control group {}",
                part.display()
            ));
        }
    }
    None
}

fn doubt_of_process(machine: &Machine, pid: u32, group: &ControlGroup) -> Option<String> {
    let identity = |pid: &str| Identity::at(&machine.path(format!("proc/{pid}/ns/user"))).ok();
    let status = read_limited(&machine.path(format!("proc/{pid}/status")), MAX_FILE).ok()?;
    let status = String::from_utf8_lossy(&status);
    let bounds = status.lines().find_map(|line| line.strip_prefix("CapBnd:"));
    let may_mount = bounds
        .and_then(|hex| u64::from_str_radix(hex.trim(), 16).ok())
        .is_none_or(|bits| bits >> SYS_ADMIN & 1 == 1);
    // In a user namespace of its own, the capability is restricted to the control group in which
    // the process started.
    let first = identity("1").or_else(|| identity("self"));
    if may_mount && (first.is_none() || identity(&pid.to_string()) == first) {
        return Some(format!(
            "process {pid} may get the capability SYS_ADMIN, and so make control groups of any name"
        ));
    }
    let mounts = Mounts::read(&mountinfo(machine, &pid.to_string())).ok()?;
    let writable = mounts.0.iter().find(|mount| {
        ["cgroup", "cgroup2"].contains(&mount.kind.as_str())
            && !mount.is_read_only
            && mount.source.holds(&group.path)
    })?;
    Some(format!(
        "process {pid} has control groups mounted writable at {}",
        writable.point.display()
    ))
}
