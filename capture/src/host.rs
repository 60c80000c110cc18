//! Reads the namespace around the rules: interfaces, routes, routing rules, settings, processes,
//! sockets.

use std::io;
use std::path::Path;

use chainwalk_core::packet::host::{self, Host, Interface};
use nix::sys::socket::SockProtocol;

use crate::capability;
use crate::interface::{interfaces, links};
use crate::machine::Machine;
use crate::multicast;
use crate::netlink::Netlink;
use crate::other_processing;
use crate::process::ProcessEntry;
use crate::route::{AF_INET, AF_INET6, routes};
use crate::rule::rules;
use crate::socket::sockets;
use crate::sysctl;
use crate::user::Ids;

/// The maximum number of processes. A node has a few thousand.
const MAX_PROCESSES: usize = 50_000;
const MAX_GROUPS: usize = 1 << 20;
const MAX_WARNINGS: usize = 100;

/// Reads the network namespace of the calling thread, which is that of the process.
pub(crate) fn host(
    machine: &Machine,
    process: Option<&ProcessEntry>,
    pids: &[u32],
    warnings: &mut Vec<String>,
) -> Host {
    let ids = Ids::of_network_namespace(|file| process.and_then(|process| process.read_file(file)));
    if ids.is_none() {
        warnings.push(
            "the namespace belongs to a user namespace other than its process's: uids and gids are as this machine counts \
             them, which is not how its rules do"
                .into(),
        );
    }
    let processes = processes(machine, pids, ids.as_ref(), warnings);
    let sockets = sockets(machine, &processes, ids.as_ref(), warnings);
    let mut host = Host {
        sockets,
        processes,
        ..Host::default()
    };
    if let Err(error) = ask(&mut host, warnings) {
        warnings.push(format!(
            "addresses, routes and routing rules are not complete: {error}{}",
            capability::hint()
        ));
    }
    shorten(warnings);
    host.sysctls = sysctl::read_settings(Path::new("/proc/sys"), host.interfaces.iter().map(name));
    host
}

/// Limits the number of warnings. A container with NET_ADMIN can add routes, and each of them may
/// cause a warning.
fn shorten(warnings: &mut Vec<String>) {
    let more = warnings.len().saturating_sub(MAX_WARNINGS);
    if more > 0 {
        warnings.truncate(MAX_WARNINGS);
        warnings.push(format!("and {more} more warnings of this kind"));
    }
}

fn name(interface: &Interface) -> &str {
    &interface.name
}

/// The processes that still run.
fn processes(
    machine: &Machine,
    pids: &[u32],
    ids: Option<&Ids>,
    warnings: &mut Vec<String>,
) -> Vec<host::Process> {
    let unchanged = Ids::unchanged();
    let ids = ids.unwrap_or(&unchanged);
    let mut processes: Vec<host::Process> = Vec::new();
    let (mut groups, mut omitted) = (0, 0);
    for process in pids
        .iter()
        .filter_map(|&pid: &u32| ProcessEntry::hold(machine, pid).ok())
    {
        // Each process may have 65,536 groups, and its namespace thousands of processes.
        if processes.len() >= MAX_PROCESSES || groups > MAX_GROUPS {
            omitted += 1;
        } else if let Some(process) = process.describe(ids) {
            groups += process.groups.len();
            processes.push(process);
        }
    }
    if omitted > 0 {
        warnings.push(format!(
            "{omitted} processes are left out: this capture names {} already",
            processes.len()
        ));
    }
    if capability::missing().contains(&"SYS_PTRACE") {
        warnings.push(format!(
            "processes and who holds which socket may be missing{}",
            capability::hint()
        ));
    }
    processes
}

fn ask(host: &mut Host, warnings: &mut Vec<String>) -> io::Result<()> {
    let mut netlink = Netlink::open(SockProtocol::NetlinkRoute)?;
    let links = links(&mut netlink)?;
    host.interfaces = interfaces(&mut netlink, &links, warnings)?;
    multicast::tell(&links, &mut host.interfaces);
    for family in [AF_INET, AF_INET6] {
        host.routes
            .append(&mut routes(&mut netlink, family, &links, warnings)?);
        host.rules
            .append(&mut rules(&mut netlink, family, warnings)?);
    }
    host.other_processing = Some(other_processing::read_other_processing(
        &mut netlink,
        &links,
        warnings,
    ));
    if netlink.is_cut {
        warnings.push(
            "the kernel lists more addresses, routes or routing rules than this capture holds"
                .into(),
        );
    }
    Ok(())
}
