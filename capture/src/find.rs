//! Finds the namespace that the user names.

use std::net::IpAddr;
use std::path::PathBuf;

use crate::capability;
use crate::cgroup::CgroupOwner;
use crate::failure::Failure;
use crate::list;
use crate::machine::Machine;
use crate::node::{Held, Node, NodeNamespace};
use crate::process::{MAX_FILE, read_limited};

/// The ways to name a namespace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum PodSelector {
    /// A process in the namespace.
    Pid(u32),
    /// An address of the namespace.
    Address(IpAddr),
    /// The UID of a pod.
    Pod(String),
    /// The id of a container, or its beginning.
    Container(String),
    /// The file of the namespace.
    Path(PathBuf),
    /// A command in the namespace, or its host name.
    Name(String),
}

/// Finds the one namespace. All namespaces are searched only if the user's value does not identify
/// it directly.
pub(crate) fn find(who: &PodSelector, machine: &Machine) -> Result<Held, Failure> {
    match who {
        PodSelector::Pid(pid) => Held::by_pid(machine, *pid),
        PodSelector::Path(path) => {
            Held::by_path(path.clone()).map(|held| held.with_a_process(machine))
        }
        _ => among(who, machine, &Node::scan(machine)),
    }
}

fn among(who: &PodSelector, machine: &Machine, node: &Node) -> Result<Held, Failure> {
    let mut candidates = match who {
        PodSelector::Pid(_) | PodSelector::Path(_) => Vec::new(),
        PodSelector::Address(address) => by_address(machine, node, *address),
        PodSelector::Pod(uid) => by_owner(machine, node, |owner| {
            owner.pod_uid.as_deref() == Some(&*plain(uid))
        }),
        PodSelector::Container(id) => {
            let id = bare(id);
            by_owner(machine, node, |owner| {
                owner
                    .container_id
                    .as_deref()
                    .is_some_and(|own| own.starts_with(id))
            })
        }
        PodSelector::Name(name) => by_name(machine, node, name),
    };
    if candidates.len() > 1 {
        let message = format!(
            "{} namespaces have {}; say which by --pid",
            candidates.len(),
            described(who)
        );
        return Err(Failure::Ambiguous(
            message,
            list::table(machine, candidates.iter().copied()),
        ));
    }
    match candidates.pop() {
        Some((space, pid)) => {
            let is_found_by_group = matches!(who, PodSelector::Pod(_) | PodSelector::Container(_));
            space.hold(machine, pid).map(|mut held| {
                held.is_found_by_group = is_found_by_group;
                held
            })
        }
        None => Err(Failure::Refused(not_found(who, node))),
    }
}

type Candidates<'a> = Vec<(&'a NodeNamespace, Option<u32>)>;

fn by_address<'a>(machine: &Machine, node: &'a Node, address: IpAddr) -> Candidates<'a> {
    let mut candidates: Candidates = node
        .spaces
        .iter()
        .filter(|space: &&NodeNamespace| {
            let held = space.hold(machine, None).ok();
            held.and_then(|held| held.addresses().ok())
                .is_some_and(|addresses| addresses.contains(&address))
        })
        .map(|space| (space, None))
        .collect();
    // Up to Istio 1.10, the command line of a proxy contains the address of its pod. It only
    // selects among candidates from the kernel, because any process can put any text in its command
    // line.
    if candidates.len() > 1 {
        let mark = format!("sidecar~{address}~");
        let says = |pid: &u32| {
            let line = read_limited(&machine.path(format!("proc/{pid}/cmdline")), MAX_FILE)
                .unwrap_or_default();
            String::from_utf8_lossy(&line).contains(&mark)
        };
        let said: Candidates = candidates
            .iter()
            .filter_map(|(space, _)| {
                Some((*space, Some(*space.pids.iter().find(|pid| says(pid))?)))
            })
            .collect();
        if said.len() == 1 {
            candidates = said;
        }
    }
    candidates
}

fn by_owner<'a>(
    machine: &Machine,
    node: &'a Node,
    is_meant: impl Fn(&CgroupOwner) -> bool,
) -> Candidates<'a> {
    node.spaces
        .iter()
        .filter_map(|space: &'a NodeNamespace| {
            let owners = space.owners(machine);
            owners
                .iter()
                .find(|(_, owner)| is_meant(owner))
                .map(|(pid, _)| (space, Some(*pid)))
        })
        .collect()
}

/// Exact names win over parts of names.
fn by_name<'a>(machine: &Machine, node: &'a Node, name: &str) -> Candidates<'a> {
    let matching = |is_meant: &dyn Fn(&str) -> bool| -> Candidates<'a> {
        node.spaces
            .iter()
            .filter_map(|space: &'a NodeNamespace| {
                let commands = space.commands(machine);
                if let Some((pid, _)) = commands.iter().find(|(_, command)| is_meant(command)) {
                    return Some((space, Some(*pid)));
                }
                let hostname = || space.hold(machine, None).ok()?.hostname();
                hostname()
                    .filter(|hostname| is_meant(hostname))
                    .map(|_| (space, None))
            })
            .collect()
    };
    let whole = matching(&|text| text == name);
    if whole.is_empty() {
        matching(&|text| text.contains(name))
    } else {
        whole
    }
}

/// Normalizes a UID to the form that the parser of control groups returns: lower case, and dashes
/// instead of systemd's underscores.
fn plain(uid: &str) -> String {
    uid.to_ascii_lowercase().replace('_', "-")
}

/// The id of a container without its runtime. `kubectl get pod -o yaml` shows `containerd://3f6e…`.
fn bare(id: &str) -> &str {
    id.rsplit_once("://").map_or(id, |(_, id)| id)
}

fn described(who: &PodSelector) -> String {
    match who {
        PodSelector::Pid(pid) => format!("process {pid}"),
        PodSelector::Address(address) => format!("the address {address}"),
        PodSelector::Pod(uid) => format!("processes of the pod {uid}"),
        PodSelector::Container(id) => format!("processes of the container {id}"),
        PodSelector::Path(path) => format!("the name {}", path.display()),
        PodSelector::Name(name) => format!("a command or a host name like `{name}`"),
    }
}

fn not_found(who: &PodSelector, node: &Node) -> String {
    let hint = match who {
        PodSelector::Address(_) => "is it the pod's node? `kubectl get pod POD -o wide` names it",
        PodSelector::Pod(_) => {
            "is it the pod's node? `kubectl get pod POD -o jsonpath='{.spec.nodeName} {.metadata.uid}'` names both; a static \
             pod's processes carry the hash in its annotation kubernetes.io/config.hash"
        }
        _ => "`chainwalk-capture --list` shows what there is",
    };
    let unreadable = match node.unreadable {
        0 => String::new(),
        1 => format!(
            " (1 process did not show the namespace that it is in{})",
            capability::hint()
        ),
        count => format!(
            " ({count} processes did not show the namespace that they are in{})",
            capability::hint()
        ),
    };
    format!(
        "no network namespace of this machine has {}{unreadable}; {hint}",
        described(who)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_as_others_print_them() {
        assert_eq!(
            plain("1F2D3C4B_5a69_4788_97a6_b5c4d3e2f100"),
            "1f2d3c4b-5a69-4788-97a6-b5c4d3e2f100"
        );
        assert_eq!(bare("containerd://3f6e0b"), "3f6e0b");
        assert_eq!(bare("3f6e0b"), "3f6e0b");
    }
}
