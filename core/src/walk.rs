//! The walk: the evaluation of a packet at all hooks and tables, in the kernel's order.
//!
//! One call evaluates the whole path. If the input does not determine whether a rule matches, the
//! walk is repeated for each answer. Every branch is a walk with a script of answers
//! (`Walker::script`).

use std::cell::OnceCell;
use std::net::{IpAddr, Ipv4Addr};

use crate::iptables::table_name::TableName;
use crate::netfilter::backend::Backend;
use crate::netfilter::base::ChainType;
use crate::netfilter::conntrack;
use crate::netfilter::place::{ChainPlace, Place};
use crate::netfilter::ruleset::{Ruleset, Target};
use crate::packet::hook::Hook;
use crate::packet::host::{Host, RouteKind};
use crate::packet::view::View;
use crate::packet::{ConnectionState, Family, Origin, Packet, Protocol};

mod bridge;
mod chain;
pub mod connection;
mod copy;
mod decisive_rule;
mod effects;
mod load_balancing;
mod martian;
mod other_processing;
mod prefilter;
mod schedule;
pub mod steps;
mod stored_translation;
pub mod trace;

use crate::netfilter::routing::{self as route, Query, Way};
use connection::Translation;
use copy::Copy;
use effects::EffectAction;
use prefilter::PacketPrefilter;
use schedule::{Schedule, Station};
use trace::{
    Assumption, Branch, DroppedBy, Path, RouteNote, RouteReason, Trace, Verdict, VerdictKind,
};

/// The maximum number of branches of an uncertain walk.
const MAX_BRANCHES: usize = 64;

/// The maximum number of steps of one walk, and of the walks of all branches together. Without it,
/// thirty levels of chains that each call the next one twice would take a billion steps. A node
/// with a hundred thousand rules in every table stays below it.
const MAX_STEPS: usize = 1_000_000;

/// The reason why a walk ended before the end of the path.
enum Stop {
    /// The packet has an outcome.
    End(Verdict),
    /// A rule is undetermined, and the script has no answer for it.
    Fork,
    /// No kernel would hold these rules.
    Broken(String),
}

/// Evaluates a packet in the rule sets of its family.
///
/// `only` selects one rule set (from 0) of a text with several. Without it, the walk uses the
/// populated rule set of the packet's family. If rule sets of both backends are populated, both are
/// evaluated, in both orders.
///
/// A packet of an older connection gets the translation of the connection's first packet, as far as
/// rules and packet determine it (`stored_translation`).
pub fn walk(rulesets: &[Ruleset], only: Option<u32>, host: &Host, packet: &Packet) -> Trace {
    walk_with(rulesets, only, host, packet, Known::default())
}

/// Like [`walk`], for a packet of a connection whose translation is known: see
/// [`connection::later`] and [`connection::reply`].
pub fn walk_in_connection(
    rulesets: &[Ruleset],
    only: Option<u32>,
    host: &Host,
    packet: &Packet,
    translation: Translation,
) -> Trace {
    let known = Known {
        translation: Some(translation),
        ..Known::default()
    };
    walk_with(rulesets, only, host, packet, known)
}

/// Facts that the rules, the host and the packet do not determine.
#[derive(Clone, Copy, Debug, Default)]
pub struct Known<'a> {
    /// The translation of the packet's connection.
    pub translation: Option<Translation>,
    /// Answers for some undetermined rules: whether each matches, at every evaluation. The trace
    /// lists them as assumptions.
    pub answers: &'a [(Place, bool)],
}

/// Like [`walk`], with known facts.
pub fn walk_with(
    rulesets: &[Ruleset],
    only: Option<u32>,
    host: &Host,
    packet: &Packet,
    known: Known,
) -> Trace {
    let mut assumes = Vec::new();
    let layers = choose(rulesets, only, packet.family(), &mut assumes);
    assume_tables(rulesets, &layers, packet.family(), &mut assumes);
    let walk_by = |schedule: &Schedule| {
        follow(Walker {
            known_translation: known.translation,
            settled: known.answers,
            ..Walker::new(rulesets, schedule, host, packet, assumes.clone())
        })
    };
    let reversed: Vec<u32> = layers.iter().rev().copied().collect();
    let schedule = Schedule::new(rulesets, layers);
    let mut trace = walk_by(&schedule);
    if schedule.has_ties {
        let other = walk_by(&Schedule::new(rulesets, reversed));
        join_orders(rulesets, &mut trace, other);
    }
    other_processing::add_assumptions(rulesets, &mut trace);
    trace
}

/// The rule sets that the packet meets. Tables of one kind run in this order.
fn choose(
    rulesets: &[Ruleset],
    only: Option<u32>,
    family: Family,
    assumes: &mut Vec<String>,
) -> Vec<u32> {
    if let Some(only) = only {
        return vec![only]
            .into_iter()
            .filter(|only| (*only as usize) < rulesets.len())
            .collect();
    }
    let of_family: Vec<u32> = (0..)
        .zip(rulesets)
        .filter(|(_, set)| set.family == family)
        .map(|(place, _)| place)
        .collect();
    let populated: Vec<u32> = of_family
        .iter()
        .copied()
        .filter(|place| rulesets[*place as usize].is_populated())
        .collect();
    let backend = |place: u32| rulesets[place as usize].backend;
    match populated[..] {
        [] => of_family.into_iter().take(1).collect(),
        [one] => vec![one],
        [first, ..] => {
            let second = populated.iter().copied().find(|other| {
                matches!(
                    (backend(first), backend(*other)),
                    (Some(Backend::Nft), None | Some(Backend::Legacy))
                        | (None | Some(Backend::Legacy), Some(Backend::Nft))
                )
            });
            for left in populated
                .iter()
                .filter(|place| **place != first && Some(**place) != second)
            {
                let line = rulesets[*left as usize]
                    .tables
                    .first()
                    .map_or(1, |table| table.line);
                assumes.push(format!(
                    "the {family} rules from line {line} of the paste are another version and are not walked"
                ));
            }
            [Some(first), second].into_iter().flatten().collect()
        }
    }
}

/// Lists the tables that the input does not contain.
fn assume_tables(rulesets: &[Ruleset], layers: &[u32], family: Family, assumes: &mut Vec<String>) {
    if layers.is_empty() {
        assumes.push(format!("no {family} rules in the paste: walked as empty"));
        return;
    }
    let held = |table| {
        layers
            .iter()
            .any(|place| rulesets[*place as usize].table(table).is_some())
    };
    let missing: Vec<&str> = TableName::ALL
        .into_iter()
        .filter(|table| !held(*table))
        .map(TableName::name)
        .collect();
    match missing.as_slice() {
        [] => {}
        [one] => assumes.push(format!("no {one} table in the paste: walked as empty")),
        many => assumes.push(format!(
            "no {} tables in the paste: walked as empty",
            many.join(", ")
        )),
    }
    for backend in layers
        .iter()
        .filter_map(|place| rulesets[*place as usize].hidden_backend)
    {
        let walked = layers
            .iter()
            .any(|place| rulesets[*place as usize].backend == Some(backend));
        if !walked {
            let name = backend.name();
            assumes.push(format!("the {name} backend has rules, too, which are not shown (iptables-{name} shows them): walked without them"));
        }
    }
    for place in layers {
        assumes.extend(rulesets[*place as usize].unread.iter().cloned());
    }
    let unnamed = layers
        .iter()
        .any(|place| rulesets[*place as usize].backend.is_none());
    if unnamed && held(TableName::Security) && held(TableName::Nat) {
        assumes.push("the dump names no backend: tables are asked in legacy's order".into());
    }
    let tracks = || {
        layers
            .iter()
            .any(|place| turns_tracking_on(&rulesets[*place as usize]))
    };
    if held(TableName::Nat) && !tracks() {
        assumes.push("no rule turns connection tracking on: taken as on".into());
    }
}

/// Whether a rule of the set turns connection tracking on.
fn turns_tracking_on(ruleset: &Ruleset) -> bool {
    ruleset.extensions.iter().any(|id| id.get().tracks)
}

/// Walks, and repeats the walk for both answers at each undetermined rule, depth first.
fn follow(mut walker: Walker) -> Trace {
    let forked = walker.run(&[]);
    let spread = if forked { walker.distribution() } else { None };
    let path = std::mem::take(&mut walker.path);
    let mut trace = Trace {
        packet: walker.packet.clone(),
        host: walker.host.clone(),
        rulesets: walker.schedule.layers.clone(),
        certain: !forked && !walker.doubtful && path.stopped.is_none(),
        path,
        assumes: Vec::new(),
        branches: Vec::new(),
        branches_left_out: 0,
        spread,
    };
    let mut scripts: Vec<Vec<bool>> = if forked {
        vec![vec![false], vec![true]]
    } else {
        Vec::new()
    };
    let mut steps = 0;
    while let Some(script) = scripts.pop() {
        if trace.branches.len() == MAX_BRANCHES || steps >= MAX_STEPS {
            trace.branches_left_out = scripts.len() + 1;
            break;
        }
        let forked = walker.run(&script);
        steps += walker.path.steps.len();
        if forked {
            scripts.push([&script[..], &[false]].concat());
            scripts.push([&script[..], &[true]].concat());
        } else {
            let (assumes, path) = (walker.assumed.clone(), std::mem::take(&mut walker.path));
            trace.branches.push(Branch {
                assumes,
                first: None,
                path,
            });
        }
    }
    trace.assumes = walker.assumes;
    trace
}

/// Joins the walks of both orders of the backends. No dump shows which backend registered its
/// tables first. If the order matters, the trace has branches for both.
fn join_orders(rulesets: &[Ruleset], trace: &mut Trace, other: Trace) {
    let order =
        "both backends hold rules: which runs first is not in a dump, and makes no difference here";
    if trace.certain
        && other.certain
        && same_end(&trace.path, &other.path)
        && same_counts(&trace.path, &other.path)
    {
        trace.assumes.push(order.into());
        return;
    }
    let first_of = |trace: &Trace| {
        trace
            .rulesets
            .first()
            .map(|place| rulesets[*place as usize].backend.unwrap_or(Backend::Legacy))
    };
    let branches_of = |trace: &Trace| -> Vec<Branch> {
        let first = first_of(trace);
        match trace.branches.is_empty() {
            true => vec![Branch {
                assumes: Vec::new(),
                first,
                path: trace.path.clone(),
            }],
            false => trace
                .branches
                .iter()
                .cloned()
                .map(|branch| Branch { first, ..branch })
                .collect(),
        }
    };
    let mut branches = branches_of(trace);
    branches.extend(branches_of(&other));
    let left_out = branches.len().saturating_sub(MAX_BRANCHES);
    branches.truncate(MAX_BRANCHES);
    trace.branches = branches;
    trace.branches_left_out += other.branches_left_out + left_out;
    trace.certain = false;
    trace.path.verdict = None;
}

/// Whether two paths end with the same outcome, the same packet, and the same copy.
fn same_end(one: &Path, other: &Path) -> bool {
    let ends = |path: &Path| {
        let copy = path
            .copy
            .as_ref()
            .map(|copy| (copy.verdict.clone(), path.views[copy.view as usize].clone()));
        let verdict = path
            .verdict
            .clone()
            .map(|verdict| (verdict, path.result().clone()));
        [verdict, copy].map(|end| {
            end.map(|(verdict, view)| {
                (
                    Verdict {
                        decided_by: None,
                        ..verdict
                    },
                    view,
                )
            })
        })
    };
    one.verdict.is_some() && ends(one) == ends(other)
}

/// Whether two paths increase the same counters, in any order.
fn same_counts(one: &Path, other: &Path) -> bool {
    let counted = |path: &Path| {
        let mut places: Vec<_> = path
            .steps
            .iter()
            .filter(|step| matches!(step.outcome, trace::Outcome::Match | trace::Outcome::Policy))
            .map(|step| {
                (
                    step.place.at.ruleset,
                    step.place.at.table,
                    step.place.at.chain,
                    step.place.rule,
                )
            })
            .collect();
        places.sort();
        places
    };
    counted(one) == counted(other)
}

/// The state of a walk.
struct Walker<'a> {
    rulesets: &'a [Ruleset],
    /// The base chains and stations of each hook.
    schedule: &'a Schedule,
    host: &'a Host,
    packet: Packet,
    /// The packet at this point. It is always equal to the last of `path.views`.
    view: View,
    current: u32,
    path: Path,
    /// The values that the prefilter has read from the packet.
    glance: PacketPrefilter,
    assumes: Vec<String>,
    /// The answers for the undetermined rules, in their order.
    script: Vec<bool>,
    assumed: Vec<Assumption>,
    /// Whether a rule that only counts or logs was undetermined.
    doubtful: bool,
    /// Whether nat has settled the destination of the connection, and its source.
    destination_settled: bool,
    source_settled: bool,
    /// The packet with the source that nat settled, and whether that source differs from the
    /// packet's own.
    settled_source: Option<View>,
    /// Whether a target of the last table set up a translation.
    translated: bool,
    /// The translation of an earlier packet of the connection, if the caller knows it.
    known_translation: Option<Translation>,
    /// The translation of an earlier packet of the connection that this walk uses.
    translation: Translation,
    /// The mark that an earlier packet gave to the connection.
    connmark: Option<u32>,
    /// Whether this is the walk of an earlier packet that only determines the state of the
    /// connection. In this walk the packet is not dropped.
    rehearses: bool,
    /// Answers for undetermined rules.
    settled: &'a [(Place, bool)],
    /// The first rule that tests the ports of a bridge, after the first search for it.
    physdev_rule: OnceCell<Option<Place>>,
}

impl<'a> Walker<'a> {
    fn new(
        rulesets: &'a [Ruleset],
        schedule: &'a Schedule,
        host: &'a Host,
        packet: &Packet,
        mut assumes: Vec<String>,
    ) -> Self {
        let mut packet = packet.clone();
        if packet.src.is_none() {
            let query = Query {
                dst: packet.dst,
                src: None,
                mark: packet.mark,
                iif: "lo",
            };
            packet.src = route::lookup(host, query)
                .and_then(|way| route::source_for(host, &way, packet.dst));
            match packet.src {
                Some(src) => assumes.push(format!(
                    "the packet states no source: {src}, as routing would choose"
                )),
                None => assumes.push(
                    "the packet states no source and no route gives one: the unspecified address"
                        .into(),
                ),
            }
        }
        let src = packet.src.unwrap_or(match packet.family() {
            Family::Ipv4 => IpAddr::V4(Ipv4Addr::UNSPECIFIED),
            Family::Ipv6 => IpAddr::V6(std::net::Ipv6Addr::UNSPECIFIED),
        });
        packet.src = Some(src);
        let view = View::new(&packet, src, Hook::Output);
        Self {
            rulesets,
            schedule,
            host,
            packet,
            view,
            current: 0,
            path: Path::default(),
            glance: PacketPrefilter::default(),
            assumes,
            script: Vec::new(),
            assumed: Vec::new(),
            doubtful: false,
            destination_settled: false,
            source_settled: false,
            settled_source: None,
            translated: false,
            known_translation: None,
            translation: Translation::default(),
            connmark: None,
            rehearses: false,
            settled: &[],
            physdev_rule: OnceCell::new(),
        }
    }

    /// Walks from the start and takes the answers for undetermined rules from `script`. Returns
    /// whether the script was too short.
    fn run(&mut self, script: &[bool]) -> bool {
        self.script = script.to_vec();
        self.assumed.clear();
        self.begin();
        let stop = self
            .find_connection()
            .map_or_else(|stop| stop, |()| self.take_way());
        match stop {
            Stop::End(verdict) => {
                self.path.verdict = Some(decisive_rule::settle(self.rulesets, &self.path, verdict));
            }
            Stop::Broken(reason) => self.path.stopped = Some(reason),
            Stop::Fork => return true,
        }
        false
    }

    /// Resets the packet to its state before its first hook.
    fn begin(&mut self) {
        let src = self.packet.src.unwrap_or(self.packet.dst);
        self.view = View::new(&self.packet, src, Hook::Output);
        self.current = 0;
        self.path = Path {
            views: vec![self.view.clone()],
            ..Path::default()
        };
        self.glance = PacketPrefilter::default();
        self.destination_settled = false;
        self.source_settled = false;
        self.settled_source = None;
    }

    /// Evaluates the whole path of the packet.
    fn take_way(&mut self) -> Stop {
        match self.packet.origin {
            Origin::Local => self.local(),
            Origin::Inbound => self.inbound(),
        }
    }

    /// Makes `view` the current packet.
    fn show(&mut self, view: View) {
        self.view = view.clone();
        self.path.views.push(view);
        self.current =
            u32::try_from(self.path.views.len() - 1).expect("views are fewer than steps");
    }

    /// Enters a hook. The interfaces stay fixed until the next hook.
    fn enter(&mut self, hook: Hook, in_interface: Option<&str>, out_interface: Option<&str>) {
        let own = |name: Option<&str>| name.map(str::to_owned);
        self.show(View {
            hook,
            in_interface: own(in_interface),
            out_interface: own(out_interface),
            ..self.view.clone()
        });
    }

    /// The path of a packet that a process here sends.
    fn local(&mut self) -> Stop {
        self.local_way()
            .map_or_else(|stop| stop, |never| match never {})
    }

    fn local_way(&mut self) -> Result<std::convert::Infallible, Stop> {
        let mut way = self.route_sent(RouteReason::Sent)?;
        self.enter(Hook::Output, None, Some(&way.interface));
        self.run_output(&mut way)?;
        if way.interface != "lo" {
            self.leave_with_copy(&way)?;
            return Err(Stop::End(self.sent(VerdictKind::Sent, way.interface)));
        }
        self.leave_by(None, &way)?;
        self.note_route(RouteReason::Looped, None);
        if self.come_back("lo")? {
            return self.route_arrived("lo");
        }
        let is_ours = match way.kind {
            RouteKind::Multicast => self.has_joined("lo"),
            kind => kind != RouteKind::Unicast,
        };
        if !is_ours && self.view.steered.is_none() {
            return Err(
                self.lost("it came back by lo, and its destination is not an address of this host")
            );
        }
        self.deliver("lo")
    }

    /// Evaluates PREROUTING for a packet that this host sent. nat has settled its translation, and
    /// the first routing decision still applies, unless nat must write the destination again.
    /// Returns whether nat wrote it.
    fn come_back(&mut self, interface: &str) -> Result<bool, Stop> {
        let settled = (self.view.dst, self.view.dport);
        self.check_header(interface, Copy::Yes)?;
        self.view.confirmed = true;
        self.enter(Hook::Prerouting, Some(interface), None);
        // An invalid packet has no connection that it could keep. CT may still act on it, and
        // connection tracking sees it again.
        let invalid = self.view.state == Some(ConnectionState::Invalid);
        if invalid {
            self.show(View {
                state: None,
                tracked: false,
                confirmed: false,
                ..self.view.clone()
            });
        }
        let mut written = false;
        for station in self.schedule.at(Hook::Prerouting) {
            match station {
                Station::ConnectionTracking if !invalid => {}
                // nf_nat_core.c, `nf_nat_packet`: nat writes the addresses of a translated packet
                // again, over the result of DNPT. The packet is then routed again (nf_nat_proto.c,
                // `nf_nat_ipv6_in`).
                Station::Nat(_) => {
                    written = self.view.destination_translated
                        && settled != (self.view.dst, self.view.dport);
                    if written {
                        let (dst, dport) = settled;
                        self.show(View {
                            dst,
                            dport,
                            ..self.view.clone()
                        });
                    }
                }
                station => self.run_station(station)?,
            }
        }
        Ok(written)
    }

    /// Whether a change in mangle OUTPUT requires a new routing decision (iptable_mangle.c,
    /// `ipt_mangle_out`; ip6table_mangle.c, `ip6t_mangle_out`; nft_chain_route.c). The TOS byte
    /// counts, and for IPv6 the hop limit.
    fn reroutes(before: &View, after: &View) -> bool {
        let hop_limit = |view: &View| if view.dst.is_ipv6() { view.ttl } else { 0 };
        let seen = |view: &View| {
            (
                view.src,
                view.dst,
                view.mark,
                view.dscp,
                view.ecn,
                hop_limit(view),
            )
        };
        seen(before) != seen(after)
    }

    /// The path of a packet that arrives.
    fn inbound(&mut self) -> Stop {
        self.inbound_way()
            .map_or_else(|stop| stop, |never| match never {})
    }

    fn inbound_way(&mut self) -> Result<std::convert::Infallible, Stop> {
        let interface = self.incoming_interface();
        self.note_port(&interface);
        if self.is_bridged(&interface)? {
            return self.bridge(&interface);
        }
        self.check_header(&interface, Copy::No)?;
        self.enter(Hook::Prerouting, Some(&interface), None);
        self.run_hook()?;
        self.check_martian(&interface)?;
        self.route_arrived(&interface)
    }

    /// Routes a packet that arrived, and evaluates its path from there.
    fn route_arrived(&mut self, interface: &str) -> Result<std::convert::Infallible, Stop> {
        let query = Query {
            dst: self.view.dst,
            src: Some(self.view.src),
            mark: self.view.mark,
            iif: interface,
        };
        match route::lookup(self.host, query) {
            // For IPv4 groups, ip_route_input_rcu decides before any route lookup. IPv6 requires
            // the route of the interface.
            found
                if self.view.dst.is_multicast() && (self.view.dst.is_ipv4() || found.is_some()) =>
            {
                if !self.has_joined(interface) {
                    return Err(self.lost("this host has not joined the multicast group"));
                }
                self.check_source(interface, "lo")?;
                self.note_route(RouteReason::Arrived, None);
                self.deliver(interface)
            }
            // route.c, `ip_route_input_slow`: 255.255.255.255 is always for this host, independent
            // of the routes.
            _ if self.view.dst == Ipv4Addr::BROADCAST => {
                self.check_source(interface, "lo")?;
                self.note_route(RouteReason::Arrived, None);
                self.deliver(interface)
            }
            Some(way) if matches!(way.kind, RouteKind::Local | RouteKind::Broadcast) => {
                self.check_source(interface, "lo")?;
                self.note_route(RouteReason::Arrived, None);
                self.deliver(interface)
            }
            Some(way) if way.kind == RouteKind::Unicast => self.forward(interface, way),
            _ => Err(self.lost("no route leads to its destination")),
        }
    }

    fn incoming_interface(&mut self) -> String {
        if let Some(name) = self.stated_interface() {
            return name;
        }
        let query = Query {
            dst: self.view.src,
            src: None,
            mark: 0,
            iif: "lo",
        };
        let name =
            route::lookup(self.host, query).map_or_else(|| "eth0".into(), |way| way.interface);
        self.assume(format!(
            "the packet states no interface: it arrives by {name}, where its answer would leave"
        ));
        name
    }

    fn forward(&mut self, incoming: &str, way: Way) -> Result<std::convert::Infallible, Stop> {
        if !self.host.forwards(self.packet.family()) {
            return Err(self.lost("it is for another host, and forwarding is off"));
        }
        self.check_source(incoming, &way.interface)?;
        if self.view.steered.is_some() {
            // ip_forward.c and ip6_output.c: a packet with a socket is not forwarded.
            return Err(
                self.lost("TPROXY gave it to a socket here, and its route leads to another host")
            );
        }
        if self.view.ttl <= 1 {
            return Err(self.lost("its time to live ran out"));
        }
        // Forwarding decreases the time to live before any rule sees the packet (ip_forward.c,
        // ip6_output.c).
        self.view.ttl -= 1;
        self.note_route(RouteReason::Arrived, Some(&way.interface));
        self.enter(Hook::Forward, Some(incoming), Some(&way.interface));
        self.run_hook()?;
        self.leave_by(Some(incoming), &way)?;
        Err(Stop::End(self.sent(VerdictKind::Forwarded, way.interface)))
    }

    /// Evaluates POSTROUTING. A forwarded packet still shows the interface that it arrived on
    /// (ip_output.c, `ip_output`; measured).
    fn leave_by(&mut self, incoming: Option<&str>, way: &Way) -> Result<(), Stop> {
        self.enter(Hook::Postrouting, incoming, Some(&way.interface));
        self.run_hook()
    }

    /// Evaluates INPUT and delivers the packet.
    fn deliver(&mut self, interface: &str) -> Result<std::convert::Infallible, Stop> {
        self.enter(Hook::Input, Some(interface), None);
        self.run_hook()?;
        let (address, port) = match self.view.steered {
            Some((address, port)) => (address, port),
            None => (
                self.view.dst,
                self.view.dport.filter(|_| self.packet.protocol.has_ports()),
            ),
        };
        Err(Stop::End(Verdict {
            port,
            address: Some(address),
            ..self.verdict(VerdictKind::Delivered)
        }))
    }

    /// Routes a packet that this host sends.
    fn route_sent(&mut self, why: RouteReason) -> Result<Way, Stop> {
        let query = Query {
            dst: self.view.dst,
            src: Some(self.view.src),
            mark: self.view.mark,
            iif: "lo",
        };
        let found = match why {
            RouteReason::Sent => route::lookup_sent(self.host, query),
            _ => route::lookup_again(self.host, query),
        };
        let refused = match found {
            Some(way) => match way.kind {
                RouteKind::Blackhole => "a blackhole route swallows it",
                RouteKind::Unreachable => "a route calls its destination unreachable",
                RouteKind::Prohibit => "a route prohibits its destination",
                // route.c, `__mkroute_output`. The first lookup of a sender does not check the
                // source that a raw packet carries.
                _ if why != RouteReason::Sent && self.is_loopback_leaking(&way) => {
                    "a source of 127.0.0.0/8 must not leave by a wire (route_localnet is off)"
                }
                _ => {
                    self.note_route(why, Some(&way.interface));
                    return Ok(way);
                }
            },
            None => "no route leads to its destination",
        };
        Err(Stop::End(Verdict {
            reason: Some(refused.into()),
            ..self.verdict(VerdictKind::Unroutable)
        }))
    }

    /// Connection tracking sees the packet, unless a rule of table raw excluded it.
    fn track(&mut self) {
        let state = match self.view.state {
            Some(ConnectionState::Untracked) => ConnectionState::Untracked,
            _ => self
                .packet
                .state
                .unwrap_or_else(|| conntrack::first_state(&self.packet)),
        };
        if (self.packet.origin, self.packet.protocol) == (Origin::Inbound, Protocol::UDPLITE) {
            // nf_conntrack_proto_udp.c: `udplite_error` computes the checksum as for UDP
            // (measured).
            self.assume("the network card has checked the checksum: connection tracking takes a right one for wrong");
        }
        // A mark that CONNMARK wrote in table raw belongs to the template of a CT rule and not to
        // this connection.
        let connmark = self.connmark.unwrap_or(self.packet.connmark);
        let Translation { snat, dnat, .. } = self.translation;
        let (source_translated, destination_translated) = (snat, dnat);
        let view = self.view.clone();
        self.show(View {
            state: Some(state),
            tracked: true,
            connmark,
            source_translated,
            destination_translated,
            ..view
        });
    }

    /// Evaluates the stations of the current hook.
    fn run_hook(&mut self) -> Result<(), Stop> {
        self.schedule
            .at(self.view.hook)
            .iter()
            .try_for_each(|station| self.run_station(station))
    }

    fn run_station(&mut self, station: &Station) -> Result<(), Stop> {
        match station {
            Station::ConnectionTracking => {
                self.track();
                Ok(())
            }
            Station::Chain(chain, _) => self.run_base_chain(*chain),
            Station::Nat(chains) => self.run_nat(chains),
        }
    }

    /// Evaluates the stations of OUTPUT. After some of them, the packet is routed again.
    fn run_output(&mut self, way: &mut Way) -> Result<(), Stop> {
        for station in self.schedule.at(Hook::Output) {
            let before = self.view.clone();
            self.run_station(station)?;
            match station {
                Station::Chain(_, ChainType::Route) if Self::reroutes(&before, &self.view) => {
                    *way = self.route_sent(RouteReason::Mangled)?;
                }
                // nf_nat_proto.c, `nf_nat_ipv4_local_fn` compares the addresses that connection
                // tracking stores.
                Station::Nat(_) => {
                    let known = before.tracked_dst.unwrap_or(before.dst);
                    if before.dst != self.view.dst && known != self.view.dst {
                        *way = self.route_sent(RouteReason::Translated)?;
                    }
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Evaluates the nat chains, if nat handles this packet: it must be the first packet of a
    /// connection whose source or destination (depending on the hook) is not settled yet. The
    /// kernel evaluates the next chain only if the previous one set up no translation
    /// (`nf_nat_inet_fn`; measured).
    fn run_nat(&mut self, chains: &[ChainPlace]) -> Result<(), Stop> {
        let destination = matches!(self.view.hook, Hook::Prerouting | Hook::Output);
        let begins = match self.view.state {
            Some(ConnectionState::New) => true,
            Some(ConnectionState::Related) => self.begins_expected_connection(chains),
            _ => false,
        };
        if !begins
            && matches!(
                self.view.state,
                Some(ConnectionState::Established | ConnectionState::Related)
            )
        {
            self.translate_as_before(destination);
            return Ok(());
        }
        if let (false, true, Some(settled)) = (
            destination,
            self.source_settled,
            self.settled_source.clone(),
        ) {
            // A broadcast and its copy belong to one connection. If nat did not change the source,
            // it does not overwrite the result of SNPT.
            let View {
                src,
                sport,
                sport_span,
                source_translated,
                ..
            } = settled;
            if source_translated {
                self.change(|view| View {
                    src,
                    sport,
                    sport_span,
                    source_translated,
                    ..view
                });
            }
        }
        let settled = if destination {
            self.destination_settled
        } else {
            self.source_settled
        };
        if settled || !begins {
            return Ok(());
        }
        self.translated = false;
        for &chain in chains {
            self.run_base_chain(chain)?;
            if self.translated {
                break;
            }
        }
        match destination {
            true => self.destination_settled = true,
            false => {
                self.source_settled = true;
                self.settled_source = Some(self.view.clone());
            }
        }
        Ok(())
    }

    /// Applies the stored translation to a packet of a known connection. No rule is evaluated.
    fn translate_as_before(&mut self, destination: bool) {
        let translation = self.translation;
        self.change(|mut view| {
            if let (true, Some(end)) = (destination, translation.destination) {
                (view.dst, view.dport) = end;
                view.dport_span = translation.destination_span;
            }
            if let (false, Some(end)) = (destination, translation.source) {
                (view.src, view.sport) = end;
                view.sport_span = translation.source_span;
            }
            view
        });
    }

    fn change(&mut self, change: impl FnOnce(View) -> View) {
        let view = change(self.view.clone());
        if view != self.view {
            self.show(view);
        }
    }

    fn run_base_chain(&mut self, chain: ChainPlace) -> Result<(), Stop> {
        let rulesets = self.rulesets;
        let (action, place) = self.base_chain(chain)?;
        if self.rehearses
            && matches!(
                action,
                EffectAction::Drop | EffectAction::Reject(_) | EffectAction::Queue
            )
        {
            self.assume(stored_translation::NOT_DROPPED);
            return Ok(());
        }
        // If a rule did not match but dropped the packet, its match dropped it.
        let by_match = self
            .path
            .steps
            .last()
            .is_some_and(|step| step.outcome == trace::Outcome::NoMatch);
        let is_drop = |place: Place| match place.rule(rulesets).map(|rule| rule.target) {
            None => DroppedBy::Policy,
            Some(_) if by_match => DroppedBy::Rule,
            Some(Target::Extension(id)) if id.get().name == "DROP" => DroppedBy::Rule,
            Some(_) => DroppedBy::Target,
        };
        let end = match action {
            EffectAction::Drop => Verdict {
                by: Some(is_drop(place)),
                ..self.verdict(VerdictKind::Dropped)
            },
            EffectAction::Reject(with) => Verdict {
                reason: Some(with),
                ..self.verdict(VerdictKind::Rejected)
            },
            EffectAction::Queue => self.verdict(VerdictKind::Queued),
            EffectAction::Accept
            | EffectAction::Continue
            | EffectAction::Return
            | EffectAction::Unknown(_)
            | EffectAction::Depends { .. } => {
                return Ok(());
            }
        };
        Err(Stop::End(end))
    }

    fn note_route(&mut self, why: RouteReason, interface: Option<&str>) {
        let step =
            u32::try_from(self.path.steps.len()).expect("steps are fewer than rules times hooks");
        self.path.routes.push(RouteNote {
            step,
            why,
            interface: interface.map(str::to_owned),
        });
    }

    fn assume(&mut self, what: impl Into<String>) {
        let what = what.into();
        if !self.assumes.contains(&what) {
            self.assumes.push(what);
        }
    }

    fn verdict(&self, kind: VerdictKind) -> Verdict {
        Verdict {
            kind,
            port: None,
            address: None,
            interface: None,
            by: None,
            reason: None,
            decided_by: None,
            redirected: false,
        }
    }

    fn sent(&self, kind: VerdictKind, interface: String) -> Verdict {
        Verdict {
            interface: Some(interface),
            ..self.verdict(kind)
        }
    }

    /// Dropped by routing.
    fn lost(&self, reason: &str) -> Stop {
        Stop::End(Verdict {
            by: Some(DroppedBy::Routing),
            reason: Some(reason.into()),
            ..self.verdict(VerdictKind::Dropped)
        })
    }
}
