//! The namespace around the rules: interfaces, routes, routing rules, settings, sockets.

use std::io;
use std::path::Path;

use chainwalk_core::host::{Host, Interface};
use nix::sys::socket::SockProtocol;

use crate::interface::{interfaces, links};
use crate::netlink::Netlink;
use crate::process::Process;
use crate::route::{AF_INET, AF_INET6, routes};
use crate::rule::rules;
use crate::socket::sockets;
use crate::sysctl;

/// Reads what the network namespace of the calling thread, which is the process's, looks like.
pub(crate) fn host(process: &Process, warnings: &mut Vec<String>) -> Host {
    let mut host = Host { sockets: sockets(process), ..Host::default() };
    if let Err(error) = ask(&mut host, warnings) {
        warnings.push(format!("addresses, routes and routing rules are not complete: {error}"));
    }
    host.sysctls = sysctl::read(Path::new("/proc/sys"), host.interfaces.iter().map(name));
    host
}

fn name(interface: &Interface) -> &str {
    &interface.name
}

fn ask(host: &mut Host, warnings: &mut Vec<String>) -> io::Result<()> {
    let mut netlink = Netlink::open(SockProtocol::NetlinkRoute)?;
    let links = links(&mut netlink)?;
    host.interfaces = interfaces(&mut netlink, &links, warnings)?;
    for family in [AF_INET, AF_INET6] {
        host.routes.append(&mut routes(&mut netlink, family, &links, warnings)?);
        host.rules.append(&mut rules(&mut netlink, family, warnings)?);
    }
    Ok(())
}
