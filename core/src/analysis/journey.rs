//! A connection as legs: from the app to the proxy, from the proxy to its destination, and into the
//! app, each with its reply.
//!
//! The walk evaluates the rules. The proxy's handling of a connection depends on its configuration,
//! which no dump contains. It is therefore an assumption, which is listed and can be changed
//! ([`Choices`]).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::analysis::explain::{self, endpoint, socket};
use crate::mesh::{Listener, Mesh, Mode};
use crate::netfilter::ruleset::Ruleset;
use crate::packet::host::Host;
use crate::packet::{Family, Origin, Packet, Protocol};
use crate::walk::connection;
use crate::walk::trace::{Outcome, Trace, VerdictKind};
use crate::walk::{walk, walk_in_connection};

/// The maximum number of legs. A connection with more is in a loop.
const MAX_HOPS: usize = 6;
/// The source port of the proxy's own connections. The kernel chooses a random one.
const PROXY_PORT: u16 = 50_000;
/// The socket option that returns the original destination of a redirected connection.
const ORIGINAL: &str = "SO_ORIGINAL_DST";

/// The assumed choices of the proxy.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Choices {
    /// The destination of its outgoing connection; `None` for the original destination.
    pub endpoint: Option<(IpAddr, u16)>,
}

/// One connection of a journey, with its first packet and its reply.
#[derive(Clone, Debug)]
pub struct Hop {
    /// The sender.
    pub from: &'static str,
    /// The receiver.
    pub to: &'static str,
    /// Its first packet.
    pub trace: Trace,
    /// The reply.
    pub reply: Option<Trace>,
    /// The destination before rules changed it. The proxy can read it.
    pub original: Option<(IpAddr, u16)>,
    /// The interface through which the proxy reads the original destination.
    pub asked_by: Option<&'static str>,
}

/// An assumption about the proxy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Assumed {
    /// The assumption.
    pub says: String,
    /// The alternatives: in words, and as a choice.
    pub others: Vec<(String, Choices)>,
}

/// All legs of a connection.
#[derive(Clone, Debug)]
pub struct Journey {
    /// Its legs, in order.
    pub legs: Vec<Hop>,
    /// The assumptions.
    pub assumes: Vec<Assumed>,
}

/// Follows a connection from its first packet.
pub fn journey(
    rulesets: &[Ruleset],
    host: &Host,
    mesh: Option<&Mesh>,
    packet: &Packet,
    choices: &Choices,
) -> Journey {
    let mut journey = Journey {
        legs: Vec::new(),
        assumes: Vec::new(),
    };
    let from = if packet.origin == Origin::Inbound {
        "the caller"
    } else {
        "the app"
    };
    let mut next = Some((from, packet.clone()));
    while let Some((from, packet)) = next.take() {
        let trace = walk(rulesets, None, host, &packet);
        let leg = leg(rulesets, host, mesh, from, trace);
        if journey.legs.len() + 1 < MAX_HOPS {
            next = onward(host, mesh, &leg, choices, &mut journey.assumes);
        } else if leg.original.is_some() {
            let says = format!(
                "After {MAX_HOPS} legs it still comes back to the proxy: it goes round in circles."
            );
            journey.assumes.push(Assumed {
                says,
                others: Vec::new(),
            });
        }
        journey.legs.push(leg);
    }
    journey
}

fn leg(
    rulesets: &[Ruleset],
    host: &Host,
    mesh: Option<&Mesh>,
    from: &'static str,
    trace: Trace,
) -> Hop {
    let result = trace.shown().result();
    let verdict = trace.verdict();
    let delivered = verdict.is_some_and(|verdict| verdict.kind == VerdictKind::Delivered);
    let taken = delivered && verdict.is_some_and(|verdict| verdict.redirected);
    let port = verdict.and_then(|verdict| verdict.port);
    let listener = port.and_then(|port| mesh?.listener(port));
    let listening = port
        .filter(|_| delivered)
        .and_then(|port| mesh?.listening(port));
    let to = match verdict.map(|verdict| verdict.kind) {
        Some(VerdictKind::Delivered) => {
            listener.unwrap_or(if taken { "the proxy" } else { "the app" })
        }
        Some(VerdictKind::Sent | VerdictKind::Forwarded) => "the network",
        _ => "nobody",
    };
    let original = if taken {
        Some(trace.packet.dst).zip(trace.packet.dport)
    } else {
        None
    };
    let asked_by = original.map(|_| {
        if result.steered.is_some() {
            "its socket's own address"
        } else {
            ORIGINAL
        }
    });
    let reply = connection::reply(&trace).map(|(packet, translation)| {
        // Within the pod, the process that received the packet replies.
        let own = packet.origin == Origin::Local;
        let (uid, gid) = if own {
            answering(mesh, listening)
        } else {
            (None, None)
        };
        walk_in_connection(
            rulesets,
            None,
            host,
            &Packet { uid, gid, ..packet },
            translation,
        )
    });
    Hop {
        from,
        to,
        trace,
        reply,
        original,
        asked_by,
    }
}

/// The ids of the process that received a packet: those of the proxy, or of an app.
fn answering(mesh: Option<&Mesh>, listening: Option<Listener>) -> (Option<u32>, Option<u32>) {
    let app = if mesh.and_then(Mesh::uid) == Some(1000) {
        1001
    } else {
        1000
    };
    match (mesh, listening) {
        (Some(mesh), Some(Listener::Proxy)) => proxy_ids(mesh),
        _ => (Some(app), Some(app)),
    }
}

/// The user and group that open the proxy's sockets.
fn proxy_ids(mesh: &Mesh) -> (Option<u32>, Option<u32>) {
    let gid = mesh.gid().or(mesh.uid()).unwrap_or(0);
    match mesh.mode {
        // The proxy needs the privilege to bind foreign addresses. Istio runs it as root with its
        // own group.
        Mode::Tproxy => (Some(0), Some(gid)),
        Mode::Redirect => (Some(mesh.uid().unwrap_or(gid)), Some(gid)),
        Mode::Ambient => (Some(0), Some(0)),
    }
}

/// The connection that the proxy opens for one that it received.
fn onward(
    host: &Host,
    mesh: Option<&Mesh>,
    leg: &Hop,
    choices: &Choices,
    assumes: &mut Vec<Assumed>,
) -> Option<(&'static str, Packet)> {
    let mesh = mesh?;
    let (dst, dport) = leg.original?;
    let port = leg.trace.verdict()?.port?;
    let family = leg.trace.packet.family();
    let own = crate::analysis::scenario::own_address(host, family)?;
    let (uid, gid) = proxy_ids(mesh);
    let mark = mesh.mark.map_or(0, |(mark, _)| mark);
    // If both directions share a port, as in Istio 1.0, a connection to this pod is an incoming
    // one.
    let arrives = mesh.inbound.contains(&port) && (!mesh.outbound.contains(&port) || dst == own);
    let sport = PROXY_PORT;
    let mut packet = Packet {
        protocol: leg.trace.packet.protocol,
        mark,
        ..Packet::tcp((own, sport), (dst, dport), 0, 0)
    };
    (packet.uid, packet.gid) = (uid, gid);
    let mut assume = |says: String, others: Vec<(String, Choices)>| {
        if !assumes.iter().any(|assumed| assumed.says == says) {
            assumes.push(Assumed { says, others });
        }
    };
    let proxy = mesh.listener(port).unwrap_or(mesh.proxy());
    if mesh.mode == Mode::Tproxy {
        assume(
            format!(
                "{proxy} runs as root with gid {}, as Istio does in TPROXY mode.",
                gid.unwrap_or(0)
            ),
            Vec::new(),
        );
    }
    if arrives {
        packet.src = Some(match mesh.mode {
            Mode::Redirect => passthrough(family),
            Mode::Tproxy | Mode::Ambient => leg.trace.packet.src.unwrap_or(own),
        });
        if let (Mode::Tproxy, Some((route, _))) = (mesh.mode, mesh.route) {
            packet.mark = route;
        }
        let how = match mesh.mode {
            Mode::Redirect => format!("from {}", passthrough(family)),
            Mode::Tproxy | Mode::Ambient => format!(
                "under the caller's address, with the mark {:#x}",
                packet.mark
            ),
        };
        assume(
            format!("{proxy} hands what arrives to the app on the port that was asked for, {how}."),
            Vec::new(),
        );
    } else if mesh.dns.contains(&port) {
        assume(
            format!(
                "{proxy} does not know the name and asks the resolver itself; what it knows it answers at once."
            ),
            Vec::new(),
        );
    } else {
        let words = |to: Option<(IpAddr, u16)>| match to {
            None => "the original destination".to_owned(),
            Some((address, port)) => format!("the endpoint {}", socket(address, port)),
        };
        (packet.dst, packet.dport) = choices
            .endpoint
            .map_or((dst, Some(dport)), |(address, port)| (address, Some(port)));
        let all = [None, Some((own, dport)), Some((other_pod(family), dport))];
        let others = all.into_iter().filter(|to| *to != choices.endpoint);
        let others = others
            .map(|endpoint| (words(endpoint), Choices { endpoint }))
            .collect();
        assume(
            format!("{proxy} connects to {}.", words(choices.endpoint)),
            others,
        );
    }
    Some((proxy, packet))
}

/// The source of a sidecar's connections to the app for inbound traffic (Istio's
/// `InboundPassthroughBindIpv4`).
fn passthrough(family: Family) -> IpAddr {
    match family {
        Family::Ipv4 => Ipv4Addr::new(127, 0, 0, 6).into(),
        Family::Ipv6 => Ipv6Addr::new(0, 0, 0, 0, 0, 0, 0, 6).into(),
    }
}

/// The address of another pod, for an example.
fn other_pod(family: Family) -> IpAddr {
    match family {
        Family::Ipv4 => Ipv4Addr::new(10, 244, 2, 7).into(),
        Family::Ipv6 => Ipv6Addr::new(0xfd00, 2, 0, 0, 0, 0, 0, 7).into(),
    }
}

impl Hop {
    /// The leg in sentences: the sender, each rewrite, the outcome, the original destination, and
    /// the reply.
    pub fn steps(&self, rulesets: &[Ruleset]) -> Vec<String> {
        let packet = &self.trace.packet;
        let what = if packet.protocol == Protocol::TCP {
            "connects"
        } else {
            "sends"
        };
        let src = packet
            .src
            .map_or_else(String::new, |src| endpoint(src, packet.sport));
        let mark = if packet.mark == 0 {
            String::new()
        } else {
            format!(", mark {:#x}", packet.mark)
        };
        let who = packet
            .uid
            .map(|uid| format!(" as uid {uid}"))
            .unwrap_or_default();
        let mut steps = vec![format!(
            "{} {what}{who}: {src} → {}{mark}",
            self.from,
            endpoint(packet.dst, packet.dport)
        )];
        steps.extend(rewrites(rulesets, &self.trace));
        let verdict = self.trace.verdict();
        steps.push(
            match verdict.map(|verdict| (verdict.kind, verdict.port, &verdict.interface)) {
                Some((VerdictKind::Delivered, Some(port), _)) => {
                    format!("delivered to {} on port {port}", self.to)
                }
                Some((VerdictKind::Sent | VerdictKind::Forwarded, _, Some(interface))) => {
                    format!("leaves by {interface}")
                }
                Some((kind, ..)) => format!("{kind:?}").to_ascii_lowercase(),
                None => "its end is undetermined".into(),
            },
        );
        if let (Some((address, port)), Some(by)) = (self.original, self.asked_by) {
            steps.push(format!(
                "{} learns from {by} that it was for {}",
                self.to,
                socket(address, port)
            ));
        }
        if let Some(reply) = &self.reply {
            let (packet, view) = (&reply.packet, reply.shown().result());
            let src = packet
                .src
                .map_or_else(String::new, |src| endpoint(src, packet.sport));
            let arrives = endpoint(view.src, view.sport);
            let way = match reply.verdict() {
                Some(verdict) if verdict.kind == VerdictKind::Delivered => "comes back".into(),
                Some(verdict) => verdict
                    .interface
                    .as_ref()
                    .map_or("does not come back".into(), |by| format!("leaves by {by}")),
                None => "may come back".to_owned(),
            };
            let undone = if arrives == src {
                String::new()
            } else {
                format!(", translated back: from {arrives},")
            };
            steps.push(format!(
                "the answer, from {src}, {way}{undone} to {}",
                endpoint(view.dst, view.dport)
            ));
            if view.mark != packet.mark {
                steps.push(format!("a rule gives the answer the mark {:#x}", view.mark));
            }
        }
        steps
    }
}

/// Each rewrite with the rule that made it.
fn rewrites(rulesets: &[Ruleset], trace: &Trace) -> Vec<String> {
    let path = trace.shown();
    let changed = path
        .steps
        .iter()
        .filter(|step| step.outcome == Outcome::Match && step.view != step.after);
    let says = changed.filter_map(|step| {
        let [before, after] = [step.view, step.after].map(|view| &path.views[view as usize]);
        let change = explain::change(&trace.packet, before, after)?;
        Some(format!(
            "{}: {change}",
            explain::place(rulesets, step.place)
        ))
    });
    says.collect()
}
