//! A shell script that replays a walk on a real kernel, in network namespaces of its own, and
//! compares the counters.
//!
//! Root runs the script, and it may come from a stranger's link. A word that is not clearly a name
//! or a number is refused. Rules are in quoted here-documents. Rules that are not understood, or
//! that do not parse back to themselves, are not written.

use std::fmt::Write;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use serde::Serialize;

use crate::input::parse;
use crate::iptables::extension::Id;
use crate::iptables::print;
use crate::netfilter::backend::Backend;
use crate::netfilter::ruleset::{Ruleset, Target};
use crate::packet::host::{Host, Prefix, Route, RouteKind, RoutingRule, Socket};
use crate::packet::{Family, Origin, Packet, Protocol};
use crate::share::commands;
use crate::text::diagnostic::Severity;
use crate::text::visible;
use crate::walk::trace::{Outcome, Trace};

/// The checks and the functions of the script.
const HEAD: &str = include_str!("replay/head.sh");
/// The part that sends the packet and suppresses replies.
const TAIL: &str = include_str!("replay/tail.sh");
/// The part that sends the packet and reads the counters.
const LAST: &str = include_str!("replay/last.sh");
/// The end marker of a here-document. No line of rules is equal to it.
const END: &str = "CHAINWALK";

/// The script.
///
/// # Errors
/// The reason why this walk cannot be replayed.
pub fn script(rulesets: &[Ruleset], trace: &Trace) -> Result<String, String> {
    let packet = sent(trace)?;
    let sets: Vec<(u32, &Ruleset)> = trace
        .rulesets
        .iter()
        .map(|number| (*number, &rulesets[*number as usize]))
        .collect();
    sets.iter().try_for_each(|(_, set)| check(set))?;
    let mut out = String::from(HEAD);
    let wire = namespace(&trace.host, &packet, &mut out)?;
    let (sent, wire) = (json(&packet), json(&wire));
    // Writing to a string cannot fail.
    let _ = write!(
        out,
        "cat > \"$work/packet.json\" << '{END}'\n{{\"packet\":{sent},\"wire\":{wire}}}\n{END}\n"
    );
    let sockets = json(&listeners(trace, &packet));
    let _ = write!(
        out,
        "cat > \"$work/sockets.json\" << '{END}'\n{sockets}\n{END}\n\n# The rules.\n"
    );
    for (_, set) in &sets {
        let (program, backend) = called(set);
        let _ = write!(
            out,
            "load {program} {backend} << '{END}'\n{}{END}\n",
            print::save(set, false)
        );
    }
    out.push('\n');
    out.push_str(TAIL);
    let from = if packet.origin == Origin::Local {
        "pod"
    } else {
        "far"
    };
    let _ = writeln!(out, "from=${from}\nall_counted() {{\n  :");
    for (number, set) in &sets {
        let (program, backend) = called(set);
        let _ = writeln!(out, "  counted {number} {program} {backend}");
    }
    let _ = write!(out, "}}\n{LAST}");
    compare(rulesets, trace, &mut out);
    Ok(out)
}

fn json(value: &impl Serialize) -> String {
    serde_json::to_string(value).expect("it holds no maps with keys that are not strings")
}

/// The listening sockets, and the socket that the walk delivers to. Without a socket, TPROXY drops
/// the packet.
fn listeners(trace: &Trace, packet: &Packet) -> Vec<Socket> {
    let mut sockets = trace.host.sockets.clone();
    sockets.extend(
        trace
            .path
            .verdict
            .as_ref()
            .and_then(|verdict| verdict.port)
            .map(|port| Socket {
                protocol: packet.protocol,
                address: if packet.dst.is_ipv4() {
                    Ipv4Addr::UNSPECIFIED.into()
                } else {
                    Ipv6Addr::UNSPECIFIED.into()
                },
                port,
                pid: None,
                uid: None,
                command: None,
            }),
    );
    sockets
}

fn called(set: &Ruleset) -> (&'static str, &'static str) {
    let program = if set.family == Family::Ipv4 {
        "iptables"
    } else {
        "ip6tables"
    };
    (
        program,
        if set.backend == Some(Backend::Nft) {
            "nft"
        } else {
            "legacy"
        },
    )
}

/// The packet with the fields that the walk added.
fn sent(trace: &Trace) -> Result<Packet, String> {
    let packet = &trace.packet;
    let beyond = packet.owner.is_some() || packet.state.is_some() || packet.connmark != 0;
    let special = packet.mss.is_some() || packet.tcp_options.is_some() || packet.fragment.is_some();
    let more =
        packet.spi.is_some() || packet.ipv6_headers.is_some() || packet.packet_type.is_some();
    let known = [
        Protocol::TCP,
        Protocol::UDP,
        Protocol::ICMP,
        Protocol::ICMPV6,
    ]
    .contains(&packet.protocol);
    let ported =
        packet.bridged.is_some() || packet.physdev_in.is_some() || packet.physdev_out.is_some();
    if ported
        || trace
            .host
            .interfaces
            .iter()
            .any(|interface| interface.master.is_some())
    {
        return Err("the script does not create bridges".into());
    }
    if beyond {
        return Err("it is not a process's first packet of a connection".into());
    }
    if special || more || packet.bound_interface.is_some() || !known {
        return Err("the script makes plain packets of TCP, UDP and ICMP only".into());
    }
    let first = trace
        .path
        .views
        .first()
        .ok_or("the walk has no beginning")?;
    let mac = |mac: &String| {
        mac.bytes()
            .all(|byte| byte.is_ascii_hexdigit() || byte == b':')
            && mac.len() == 17
    };
    if !packet.src_mac.as_ref().is_none_or(mac) {
        return Err("the hardware address is not one".into());
    }
    let in_interface = first.in_interface.clone().map(|name| name.to_string());
    Ok(Packet {
        src: Some(first.src),
        in_interface,
        ..packet.clone()
    })
}

/// Refuses rules that `iptables-restore` would read with another meaning.
fn check(set: &Ruleset) -> Result<(), String> {
    commands::check_names(set)?;
    let chains = || set.tables.iter().flat_map(|table| &table.chains);
    chains().try_for_each(|chain| commands::check_length(&chain.name))?;
    for rule in chains().flat_map(|chain| &chain.rules) {
        commands::check_words(set, rule)?;
        let mut parts = set.matches(rule).iter().chain(set.parameters(rule));
        let is_opaque =
            parts.any(|part| [Id::OPAQUE_MATCH, Id::OPAQUE_TARGET].contains(&part.extension));
        if is_opaque || matches!(rule.target, Target::Missing { .. }) {
            return Err("the rules contain a part that is not understood".into());
        }
    }
    let text = print::save(set, false);
    if let Some(line) = text
        .lines()
        .find(|line| line.contains(visible::is_invisible))
    {
        return Err(format!(
            "the line {line:?} contains a control or invisible character"
        ));
    }
    let again = parse::strictly(print::header(set) + &text);
    if let Some(error) = again
        .diagnostics
        .iter()
        .find(|one| one.severity == Severity::Error)
    {
        return Err(format!("iptables refuses the rules: {}", error.message));
    }
    let printed: String = again
        .rulesets
        .iter()
        .map(|set| print::save(set, false))
        .collect();
    if printed != text {
        Err("the rules do not parse back to themselves".into())
    } else {
        Ok(())
    }
}

/// Accepts a word that has no special meaning in a shell and for `ip`.
fn plain(word: &str) -> Result<&str, String> {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._:/-".contains(&byte);
    match word.bytes().all(is_plain)
        && word
            .bytes()
            .next()
            .is_some_and(|first| first.is_ascii_alphanumeric())
    {
        true => Ok(word),
        false => Err(format!(
            "the host has a name that a script cannot hold: {word:?}"
        )),
    }
}

/// Writes the commands for the interfaces, addresses, routes and settings of the host. Returns the
/// device that the packet arrives on.
fn namespace(host: &Host, packet: &Packet, out: &mut String) -> Result<Option<String>, String> {
    let mut wires: Vec<(&str, String)> = Vec::new();
    for interface in host
        .interfaces
        .iter()
        .filter(|interface| interface.name != "lo")
    {
        let (name, number) = (plain(&interface.name)?, format!("{:02x}", wires.len() + 1));
        let _ = writeln!(out, "wire {name} {number}");
        if let Some(group) = interface.group {
            let _ = writeln!(out, "ip -n \"$pod\" link set {name} group {group}");
        }
        wires.push((name, number));
    }
    for interface in &host.interfaces {
        let name = plain(&interface.name)?;
        for prefix in interface
            .addresses
            .iter()
            .filter(|prefix| !prefix.address.is_loopback() || name != "lo")
        {
            let nodad = if prefix.address.is_ipv6() {
                " nodad"
            } else {
                ""
            };
            let _ = writeln!(
                out,
                "ip -n \"$pod\" address replace {prefix} dev {name}{nodad}"
            );
        }
    }
    for (name, value) in host
        .sysctls
        .iter()
        .filter(|(name, _)| name.starts_with("net."))
    {
        let _ = writeln!(
            out,
            "setting {} {}",
            plain(name)?.replace('.', "/"),
            plain(value)?
        );
    }
    // Routes without a next hop lead to the next hops of the others, so they come first.
    let (near, far): (Vec<&Route>, Vec<&Route>) =
        host.routes.iter().partition(|route| route.via.is_none());
    for route in near.into_iter().chain(far) {
        write_route(route, out)?;
    }
    for rule in &host.rules {
        write_rule(rule, out)?;
    }
    if packet.origin == Origin::Local {
        return Ok(None);
    }
    let chosen = packet.in_interface.as_deref().unwrap_or("eth0");
    let wire = wires
        .into_iter()
        .rfind(|(name, _)| *name == chosen)
        .map(|(_, number)| number);
    wire.map(Some)
        .ok_or_else(|| format!("nothing can be sent in by {chosen} from outside"))
}

fn family_flag(address: IpAddr) -> &'static str {
    if address.is_ipv6() { " -6" } else { "" }
}

/// The prefix without host bits, as `ip` requires.
fn network(prefix: Prefix) -> Prefix {
    let address = match prefix.address {
        IpAddr::V4(v4) => IpAddr::V4(
            (v4.to_bits()
                & u32::MAX
                    .checked_shl(32 - u32::from(prefix.length))
                    .unwrap_or(0))
            .into(),
        ),
        IpAddr::V6(v6) => IpAddr::V6(
            (v6.to_bits()
                & u128::MAX
                    .checked_shl(128 - u32::from(prefix.length))
                    .unwrap_or(0))
            .into(),
        ),
    };
    Prefix { address, ..prefix }
}

fn write_route(route: &Route, out: &mut String) -> Result<(), String> {
    let kind = match route.kind {
        RouteKind::Unicast => "unicast",
        RouteKind::Local => "local",
        RouteKind::Broadcast => "broadcast",
        RouteKind::Multicast => "multicast",
        RouteKind::Blackhole => "blackhole",
        RouteKind::Unreachable => "unreachable",
        RouteKind::Prohibit => "prohibit",
        RouteKind::Throw => "throw",
    };
    let _ = write!(
        out,
        "ip -n \"$pod\"{} route replace {kind} {}",
        family_flag(route.dst.address),
        network(route.dst)
    );
    if let Some(via) = route.via {
        let _ = write!(
            out,
            " via {}{via}",
            if Family::of_address(via) == Family::of_address(route.dst.address) {
                ""
            } else {
                "inet6 "
            }
        );
    }
    if let Some(dev) = &route.dev {
        let _ = write!(
            out,
            " dev {}{}",
            plain(dev)?,
            if route.via.is_some() { " onlink" } else { "" }
        );
    }
    for (word, number) in [("table", route.table), ("metric", route.metric)] {
        if let Some(number) = number {
            let _ = write!(out, " {word} {number}");
        }
    }
    if let Some(src) = route.src {
        let _ = write!(out, " src {src}");
    }
    out.push('\n');
    Ok(())
}

fn write_rule(rule: &RoutingRule, out: &mut String) -> Result<(), String> {
    let stated = rule.family.or_else(|| {
        rule.from
            .or(rule.to)
            .map(|prefix| Family::of_address(prefix.address))
    });
    for family in [Family::Ipv4, Family::Ipv6]
        .into_iter()
        .filter(|one| stated.is_none_or(|family| family == *one))
    {
        let _ = write!(
            out,
            "ip -n \"$pod\"{} rule add",
            if family == Family::Ipv6 { " -6" } else { "" }
        );
        if rule.not {
            out.push_str(" not");
        }
        for (word, prefix) in [("from", rule.from), ("to", rule.to)] {
            if let Some(prefix) = prefix {
                let _ = write!(out, " {word} {}", network(prefix));
            }
        }
        if let Some(iif) = &rule.iif {
            let _ = write!(out, " iif {}", plain(iif)?);
        }
        if let Some(mark) = rule.fwmark {
            let _ = write!(out, " fwmark {mark}/{}", rule.mask.unwrap_or(u32::MAX));
        }
        let _ = write!(out, " lookup {}", rule.table.unwrap_or(254));
        if let Some(priority) = rule.priority {
            let _ = write!(out, " priority {priority}");
        }
        out.push('\n');
    }
    Ok(())
}

/// The end of the script: the expected counters, and the comparison.
fn compare(rulesets: &[Ruleset], trace: &Trace, out: &mut String) {
    if !trace.certain {
        out.push_str(
            "echo 'The dump does not determine this walk. The kernel counted:'\ncat \"$work/counted\"\nresult=0\n",
        );
        return;
    }
    let mut expected = Vec::new();
    for step in trace
        .path
        .steps
        .iter()
        .filter(|step| matches!(step.outcome, Outcome::Match | Outcome::Policy))
    {
        let (_, table, chain) = step.place.at.find(rulesets);
        let rule = step
            .place
            .rule
            .map_or("policy".into(), |rule| (rule + 1).to_string());
        expected.push(format!(
            "{} {} {} {rule}",
            step.place.at.ruleset,
            table.label(),
            chain.name
        ));
    }
    expected.sort();
    let _ = writeln!(out, "sort > \"$work/expected\" << '{END}'");
    for same in expected.chunk_by(|a, b| a == b) {
        let _ = writeln!(out, "{} {}", same[0], same.len());
    }
    let _ = write!(
        out,
        "{END}\nif diff \"$work/expected\" \"$work/counted\"; then\n  \
         echo 'The kernel counted what the walk says (rule set, table, chain, rule, packets):'\n  \
         cat \"$work/counted\"\n  result=0\nelse\n  \
         echo 'They differ: < the walk, > the kernel (rule set, table, chain, rule, packets).'\n  result=1\nfi\n"
    );
}
