//! What acts on a packet next to the rules: programs of interfaces, IPVS, IPsec. A walk does not
//! evaluate it, and lists it where the packet comes to it.

use crate::netfilter::ruleset::Ruleset;
use crate::packet::Protocol;
use crate::packet::hook::Hook;
use crate::packet::host::Prefix;
use crate::packet::other_processing::{
    InterfaceProgram, IpvsService, Mechanism, OtherProcessing, PolicyDirection, TrafficDirection,
    XfrmPolicy,
};
use crate::packet::view::{BridgeOutput, View};
use crate::text::visible::escape_invisible;

use super::trace::Trace;

/// The names in one sentence; a namespace may have thousands of programs.
const MAX_NAMES: usize = 3;
/// The characters of one name; a capture may come from a stranger.
const MAX_NAME_LENGTH: usize = 64;

/// Adds an assumption for each mechanism that acts on the packet of a trace.
pub(super) fn add_assumptions(rulesets: &[Ruleset], trace: &mut Trace) {
    let mut assumes = chain_assumptions(rulesets, trace);
    if let Some(other) = &trace.host.other_processing {
        assumes.extend(interface_assumptions(other, trace));
        assumes.extend(ipvs_assumption(other, trace));
        assumes.extend(xfrm_assumption(other, trace));
        assumes.extend(unread_assumption(other));
    }
    trace.assumes.extend(assumes);
}

/// The packet at every hook of every branch.
fn views(trace: &Trace) -> impl Iterator<Item = &View> {
    let branches = trace.branches.iter().map(|branch| &branch.path);
    let paths = std::iter::once(&trace.path).chain(branches);
    // The first view is the packet before its first hook.
    paths.flat_map(|path| path.views.iter().skip(1))
}

/// The assumptions that names of chains imply: Cilium's chains imply its BPF programs, and those of
/// kube-proxy imply IPVS.
fn chain_assumptions(rulesets: &[Ruleset], trace: &Trace) -> Vec<String> {
    let chains = || {
        let walked = trace.rulesets.iter();
        walked.map(|set| &rulesets[*set as usize].program_chains)
    };
    let of_cilium = chains().find_map(|chains| chains.cilium.as_deref());
    let of_ipvs = chains().find_map(|chains| chains.ipvs.as_deref());
    let mut assumes = Vec::new();
    if let Some(chain) = of_cilium {
        assumes.push(format!(
            "chain {} is Cilium's, whose BPF programs act before and after the rules: evaluated without them",
            shown(chain)
        ));
    }
    // A capture lists the services themselves.
    let is_read = trace.host.other_processing.as_ref();
    let is_read = is_read.is_some_and(|other| !other.unread.contains(&Mechanism::Ipvs));
    let comes_to_ipvs = || views(trace).any(|view| matches!(view.hook, Hook::Input | Hook::Output));
    if let Some(chain) = of_ipvs.filter(|_| !is_read && comes_to_ipvs()) {
        assumes.push(format!(
            "chain {} is kube-proxy's for IPVS, which sends packets for a service to its endpoints: evaluated without it",
            shown(chain)
        ));
    }
    assumes
}

/// The programs and filters of the interfaces that the packet passes, a sentence for each place.
fn interface_assumptions(other: &OtherProcessing, trace: &Trace) -> Vec<String> {
    if other.programs.is_empty() {
        return Vec::new();
    }
    let mut passed: Vec<(&str, TrafficDirection)> = Vec::new();
    for view in views(trace) {
        let (arrives, leaves) = match view.hook {
            Hook::Prerouting => (
                [view.in_interface.as_deref(), view.bridge.input.as_deref()],
                [None; 2],
            ),
            Hook::Postrouting => (
                [None; 2],
                [view.out_interface.as_deref(), bridge_output(view)],
            ),
            _ => continue,
        };
        let arrives = arrives
            .into_iter()
            .flatten()
            .map(|name| (name, TrafficDirection::Ingress));
        let leaves = leaves
            .into_iter()
            .flatten()
            .map(|name| (name, TrafficDirection::Egress));
        for place in arrives.chain(leaves) {
            if !passed.contains(&place) {
                passed.push(place);
            }
        }
    }
    let mut assumes = Vec::new();
    for (interface, direction) in passed {
        let own: Vec<&InterfaceProgram> = other
            .programs
            .iter()
            .filter(|one| one.interface == interface && one.direction == direction)
            .collect();
        if own.is_empty() {
            continue;
        }
        let verb = match direction {
            TrafficDirection::Ingress => "arrive",
            TrafficDirection::Egress => "leave",
        };
        assumes.push(format!(
            "packets that {verb} on {} pass {}: evaluated as if they pass them unchanged",
            shown(interface),
            list(own.into_iter().map(program))
        ));
    }
    assumes
}

fn bridge_output(view: &View) -> Option<&str> {
    match &view.bridge.output {
        BridgeOutput::Port(port) => Some(port),
        BridgeOutput::None | BridgeOutput::Unknown => None,
    }
}

/// `XDP program 7`, ``tc filter bpf `cil_from_container` (program 7)``.
fn program(program: &InterfaceProgram) -> String {
    let number = program.id.map(|id| format!("program {id}"));
    if program.mechanism == Mechanism::Xdp {
        return format!("XDP {}", number.unwrap_or_else(|| "programs".into()));
    }
    let mut text = format!("{} filter", program.mechanism);
    if let Some(kind) = &program.filter {
        text += &format!(" {}", shown(kind));
    }
    if let Some(name) = &program.name {
        text += &format!(" `{}`", shown(name));
    }
    if let Some(number) = number {
        text += &format!(" ({number})");
    }
    text
}

fn ipvs_assumption(other: &OtherProcessing, trace: &Trace) -> Option<String> {
    let at_hooks = views(trace).filter(|view| matches!(view.hook, Hook::Input | Hook::Output));
    let seen: Vec<&View> = at_hooks.collect();
    let protocol = trace.packet.protocol;
    let mut own = other
        .ipvs_services
        .iter()
        .filter(|service| seen.iter().any(|view| serves(service, protocol, view)))
        .peekable();
    own.peek()?;
    Some(format!(
        "IPVS sends packets for {} to a server of its choice: evaluated without it",
        list(own.map(
            |service: &IpvsService| match (service.address, service.fwmark) {
                (Some(address), _) => match service.port.filter(|port| *port != 0) {
                    Some(port) => std::net::SocketAddr::new(address, port).to_string(),
                    None => address.to_string(),
                },
                (None, mark) => format!("mark {:#x}", mark.unwrap_or_default()),
            }
        ))
    ))
}

fn serves(service: &IpvsService, protocol: Protocol, view: &View) -> bool {
    let Some(address) = service.address else {
        return service
            .fwmark
            .is_some_and(|mark| mark != 0 && mark == view.mark);
    };
    let port = service.port.filter(|port| *port != 0);
    service.protocol.is_none_or(|own| own == protocol)
        && address == view.dst
        && port.is_none_or(|port| view.dport == Some(port))
}

fn xfrm_assumption(other: &OtherProcessing, trace: &Trace) -> Option<String> {
    let protocol = trace.packet.protocol;
    let mut own = other
        .xfrm_policies
        .iter()
        .filter(|policy| views(trace).any(|view| applies(policy, protocol, view)))
        .peekable();
    own.peek()?;
    Some(format!(
        "policies of IPsec (`ip xfrm policy`) apply to packets from {}: evaluated without them",
        list(own.map(|policy: &XfrmPolicy| {
            let end = |prefix: Option<_>| {
                prefix.map_or_else(|| "any".to_owned(), |prefix: Prefix| prefix.to_string())
            };
            let what = if policy.blocks { ", which blocks" } else { "" };
            format!(
                "{} to {} ({}{what})",
                end(policy.src),
                end(policy.dst),
                policy.direction
            )
        }))
    ))
}

/// The kernel asks for a policy after routing; `lo` is exempt (`inetdev_event`, NOXFRM).
fn applies(policy: &XfrmPolicy, protocol: Protocol, view: &View) -> bool {
    let (hook, interface) = match policy.direction {
        PolicyDirection::In => (Hook::Input, &view.in_interface),
        PolicyDirection::Fwd => (Hook::Forward, &view.in_interface),
        PolicyDirection::Out => (Hook::Postrouting, &view.out_interface),
    };
    let contains =
        |prefix: Option<Prefix>, address| prefix.is_none_or(|prefix| prefix.contains(address));
    view.hook == hook
        && interface.as_deref() != Some("lo")
        && policy.protocol.is_none_or(|own| own == protocol)
        && contains(policy.src, view.src)
        && contains(policy.dst, view.dst)
}

fn unread_assumption(other: &OtherProcessing) -> Option<String> {
    let mut unread = other.unread.clone();
    unread.sort_unstable();
    unread.dedup();
    let names: Vec<&str> = unread.into_iter().map(describe).collect();
    let (last, others) = names.split_last()?;
    let separator = if others.is_empty() { "" } else { " and " };
    Some(format!(
        "the capture does not show {}{separator}{last}: evaluated without them",
        others.join(", ")
    ))
}

/// Where a mechanism could not be read: what is unknown, with the command that shows it.
fn describe(mechanism: Mechanism) -> &'static str {
    match mechanism {
        Mechanism::Cgroup => "BPF programs of control groups (`bpftool cgroup tree`)",
        Mechanism::Xdp => "XDP programs (`ip link`)",
        Mechanism::Tc => "filters of traffic control (`tc filter show`)",
        Mechanism::Tcx => "programs of tcx (`bpftool net`)",
        Mechanism::Ipvs => "services of IPVS (`ipvsadm -Ln`)",
        Mechanism::Xfrm => "policies of IPsec (`ip xfrm policy`)",
    }
}

/// "a, b, c and 4 more".
fn list(mut names: impl Iterator<Item = String>) -> String {
    let mut first: Vec<String> = Vec::new();
    // A service may be listed for several protocols of the kernel.
    for name in names.by_ref() {
        if !first.contains(&name) {
            first.push(name);
        }
        if first.len() == MAX_NAMES {
            break;
        }
    }
    match names.count() {
        0 => first.join(", "),
        more => format!("{} and {more} more", first.join(", ")),
    }
}

/// A name of the namespace, which may have any characters.
fn shown(name: &str) -> String {
    let short: String = name.chars().take(MAX_NAME_LENGTH).collect();
    escape_invisible(&short).replace('`', "'")
}
