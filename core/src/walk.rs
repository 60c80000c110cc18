//! The walk: a packet's way through hooks and tables, as the kernel takes it.
//!
//! A walk is computed once, whole. Where a rule cannot be told, the walk is done again for each
//! answer: every branch is a walk with a script of answers (`Walker::script`).

use std::cell::OnceCell;
use std::net::{IpAddr, Ipv4Addr};

use crate::iptables::table_name::TableName;
use crate::netfilter::backend::Backend;
use crate::netfilter::base::ChainType;
use crate::netfilter::conntrack;
use crate::netfilter::place::{ChainPlace, Place};
use crate::netfilter::ruleset::{Rule, Ruleset, Target};
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
mod prefilter;
mod schedule;
pub mod steps;
mod stored_translation;
pub mod trace;

use crate::netfilter::routing::{self as route, Query, Way};
use connection::Translation;
use copy::Copy;
use effects::Action;
use prefilter::Glance;
use schedule::{Schedule, Station};
use trace::{
    Assumption, Branch, DroppedBy, Path, RouteNote, RouteReason, Trace, Verdict, VerdictKind,
};

/// Most branches that an uncertain walk is followed into.
const MOST_BRANCHES: usize = 64;

/// Most steps of one walk, and of all the walks that its branches take: chains that call each other
/// twice, thirty levels deep, would take a billion. A node's hundred thousand rules in every table
/// stay below it.
const MOST_STEPS: usize = 1_000_000;

/// Why a walk ended before its way was done.
enum Stop {
    /// The packet has ended.
    End(Verdict),
    /// A rule cannot be told, and the script has no answer for it.
    Fork,
    /// The rules are not ones that a kernel would hold.
    Broken(String),
}

/// Walks a packet through the rule sets of its family.
///
/// `only` picks one rule set (from 0) where a text has several. Without it the populated one of the
/// packet's family is taken; two populated ones of different backends both run, in both orders.
///
/// For a packet of an older connection, the translation is that of the first packet, as far as
/// rules and packet determine it (`stored_translation`).
pub fn walk(rulesets: &[Ruleset], only: Option<u32>, host: &Host, packet: &Packet) -> Trace {
    walk_settled(rulesets, only, host, packet, None, &[])
}

/// As [`walk`], for a packet of a connection whose translation is known: see [`connection::later`]
/// and [`connection::reply`].
pub fn walk_in_connection(
    rulesets: &[Ruleset],
    only: Option<u32>,
    host: &Host,
    packet: &Packet,
    translation: Translation,
) -> Trace {
    walk_settled(rulesets, only, host, packet, Some(translation), &[])
}

/// As [`walk_in_connection`], with an answer for some rules that cannot be told: whether each
/// matches, whenever it is asked. The trace lists them among what it assumes.
pub fn walk_settled(
    rulesets: &[Ruleset],
    only: Option<u32>,
    host: &Host,
    packet: &Packet,
    translation: Option<Translation>,
    settled: &[(Place, bool)],
) -> Trace {
    let mut assumes = Vec::new();
    let layers = choose(rulesets, only, packet.family(), &mut assumes);
    assume_tables(rulesets, &layers, packet.family(), &mut assumes);
    let walk_by = |schedule: &Schedule| {
        follow(Walker {
            known_translation: translation,
            settled,
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
    trace
}

/// Which rule sets the packet meets, in the order in which their tables of one kind run.
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
                assumes.push(format!(
                    "rule set {} of the paste is another {family} set and is not walked",
                    left + 1
                ));
            }
            [Some(first), second].into_iter().flatten().collect()
        }
    }
}

/// Says what the paste does not hold.
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
            let name = format!("{backend:?}").to_ascii_lowercase();
            assumes.push(format!("the {name} backend has rules, too, which are not shown (iptables-{name} shows them): walked without them"));
        }
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

/// Whether a rule of the set makes the kernel track connections.
fn turns_tracking_on(ruleset: &Ruleset) -> bool {
    let tracks = |rule: &Rule| matches!(rule.target, Target::Extension(id) if id.get().tracks);
    let mut rules = ruleset
        .tables
        .iter()
        .flat_map(|table| &table.chains)
        .flat_map(|chain| &chain.rules);
    rules.any(tracks) || ruleset.parts.iter().any(|part| part.extension().tracks)
}

/// Walks, and where a rule cannot be told walks again for both answers, depth first.
fn follow(mut walker: Walker) -> Trace {
    let forked = walker.run(&[]);
    let spread = if forked { walker.spread() } else { None };
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
        if trace.branches.len() == MOST_BRANCHES || steps >= MOST_STEPS {
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

/// Two backends are loaded and no dump shows whose tables were registered first: if it matters,
/// both ways are shown.
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
    let left_out = branches.len().saturating_sub(MOST_BRANCHES);
    branches.truncate(MOST_BRANCHES);
    trace.branches = branches;
    trace.branches_left_out += other.branches_left_out + left_out;
    trace.certain = false;
    trace.path.verdict = None;
}

/// Whether two ways end alike, with the same packet, and the same copy.
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

/// Whether two ways raise the same counters, in whatever order.
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

/// A packet on its way.
struct Walker<'a> {
    rulesets: &'a [Ruleset],
    /// What is evaluated at each hook.
    schedule: &'a Schedule,
    host: &'a Host,
    packet: Packet,
    /// The packet as it now is: always the last of `path.views`.
    view: View,
    current: u32,
    path: Path,
    /// What it shows, for a first look at rules.
    glance: Glance,
    assumes: Vec<String>,
    /// What to answer for the rules that cannot be told, in their order.
    script: Vec<bool>,
    assumed: Vec<Assumption>,
    /// Whether a rule that only counts or logs could not be told.
    doubtful: bool,
    /// Whether nat has settled this connection's destination, and its source.
    destination_settled: bool,
    source_settled: bool,
    /// The source that nat settled, and whether it differs from the packet's own.
    settled_source: Option<View>,
    /// Whether a target of the table just walked set up a translation.
    translated: bool,
    /// What an earlier packet of the connection set up, where the caller knows it.
    known_translation: Option<Translation>,
    /// What an earlier packet of the connection set up, as this walk takes it.
    translation: Translation,
    /// The mark that an earlier packet gave to the connection.
    connmark: Option<u32>,
    /// Whether this is the walk of an earlier packet, of which only the connection is of interest:
    /// it is not dropped.
    rehearses: bool,
    /// Rules that cannot be told, with what to answer for them.
    settled: &'a [(Place, bool)],
    /// The first rule that asks for the ports of a bridge, once it has been looked for.
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
            glance: Glance::default(),
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

    /// Walks from the start, answering what cannot be told from `script`. Returns whether the
    /// script was too short.
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

    /// Puts the packet before its first hook.
    fn begin(&mut self) {
        let src = self.packet.src.unwrap_or(self.packet.dst);
        self.view = View::new(&self.packet, src, Hook::Output);
        self.current = 0;
        self.path = Path {
            views: vec![self.view.clone()],
            ..Path::default()
        };
        self.glance = Glance::default();
        self.destination_settled = false;
        self.source_settled = false;
        self.settled_source = None;
    }

    /// All of the packet's way.
    fn take_way(&mut self) -> Stop {
        match self.packet.origin {
            Origin::Local => self.local(),
            Origin::Inbound => self.inbound(),
        }
    }

    /// Makes `view` the packet as it now is.
    fn show(&mut self, view: View) {
        self.view = view.clone();
        self.path.views.push(view);
        self.current =
            u32::try_from(self.path.views.len() - 1).expect("views are fewer than steps");
    }

    /// Enters a hook: its interfaces stay fixed until the next one.
    fn enter(&mut self, hook: Hook, in_interface: Option<&str>, out_interface: Option<&str>) {
        let own = |name: Option<&str>| name.map(str::to_owned);
        self.show(View {
            hook,
            in_interface: own(in_interface),
            out_interface: own(out_interface),
            ..self.view.clone()
        });
    }

    /// A packet that a process here sends.
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

    /// PREROUTING for what was sent from here: nat is settled, and the routing decision of the way
    /// out still holds, unless nat has to write the destination again. Returns whether it had
    /// to.
    fn come_back(&mut self, interface: &str) -> Result<bool, Stop> {
        let settled = (self.view.dst, self.view.dport);
        self.check_header(interface, Copy::Yes)?;
        self.view.confirmed = true;
        self.enter(Hook::Prerouting, Some(interface), None);
        // An invalid packet has no connection to bring along: CT may still act on it, and it is
        // tracked again.
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
                // nf_nat_core.c, `nf_nat_packet`: a translated packet is written again, over what
                // DNPT made of it; and then routed again (nf_nat_proto.c,
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

    /// Whether what mangle OUTPUT changed leads to a new routing decision (iptable_mangle.c,
    /// `ipt_mangle_out`; ip6table_mangle.c, `ip6t_mangle_out`; nft_chain_route.c): the TOS byte
    /// does, and of IPv6 the hop limit.
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

    /// A packet that arrives.
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

    /// The routing decision about a packet that has come in, and its way from there.
    fn route_arrived(&mut self, interface: &str) -> Result<std::convert::Infallible, Stop> {
        let query = Query {
            dst: self.view.dst,
            src: Some(self.view.src),
            mark: self.view.mark,
            iif: interface,
        };
        match route::lookup(self.host, query) {
            // ip_route_input_rcu asks for IPv4 groups before any route; in IPv6 the interface's own
            // route is needed.
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
            // route.c, `ip_route_input_slow`: 255.255.255.255 is for this host, whatever the routes
            // say.
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
            // ip_forward.c and ip6_output.c: what has a socket is not forwarded.
            return Err(
                self.lost("TPROXY gave it to a socket here, and its route leads to another host")
            );
        }
        if self.view.ttl <= 1 {
            return Err(self.lost("its time to live ran out"));
        }
        // What forwards it counts it down before any rule sees it (ip_forward.c, ip6_output.c).
        self.view.ttl -= 1;
        self.note_route(RouteReason::Arrived, Some(&way.interface));
        self.enter(Hook::Forward, Some(incoming), Some(&way.interface));
        self.run_hook()?;
        self.leave_by(Some(incoming), &way)?;
        Err(Stop::End(self.sent(VerdictKind::Forwarded, way.interface)))
    }

    /// POSTROUTING. What is forwarded still shows the interface it came in by (ip_output.c,
    /// `ip_output`; measured).
    fn leave_by(&mut self, incoming: Option<&str>, way: &Way) -> Result<(), Stop> {
        self.enter(Hook::Postrouting, incoming, Some(&way.interface));
        self.run_hook()
    }

    /// INPUT, and the end.
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
            ..self.end(VerdictKind::Delivered)
        }))
    }

    /// Routes a packet that is sent from here.
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
                // route.c, `__mkroute_output`; a sender's first lookup has no say in the source
                // that a raw packet carries.
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
            ..self.end(VerdictKind::Unroutable)
        }))
    }

    /// Connection tracking sees the packet, unless a rule of table raw kept it away.
    fn track(&mut self) {
        let state = match self.view.state {
            Some(ConnectionState::Untracked) => ConnectionState::Untracked,
            _ => self
                .packet
                .state
                .unwrap_or_else(|| conntrack::first_state(&self.packet)),
        };
        if (self.packet.origin, self.packet.protocol) == (Origin::Inbound, Protocol::UDPLITE) {
            // nf_conntrack_proto_udp.c, `udplite_error` computes it as for UDP (measured).
            self.assume("the network card has checked the checksum: connection tracking takes a right one for wrong");
        }
        // What CONNMARK wrote in table raw went to the template of a CT rule, not to this
        // connection.
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

    /// Evaluates the stations of the packet's hook.
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

    /// Evaluates the stations of OUTPUT. After some of them the packet is routed again.
    fn run_output(&mut self, way: &mut Way) -> Result<(), Stop> {
        for station in self.schedule.at(Hook::Output) {
            let before = self.view.clone();
            self.run_station(station)?;
            match station {
                Station::Chain(_, ChainType::Route) if Self::reroutes(&before, &self.view) => {
                    *way = self.route_sent(RouteReason::Mangled)?;
                }
                // nf_nat_proto.c, `nf_nat_ipv4_local_fn`: what connection tracking knows is
                // compared.
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

    /// Asks table nat, if this packet is one that nat looks at: the first of a connection, whose
    /// source or destination (depending on the hook) is not settled yet. The next chain is
    /// evaluated only if this one set up no translation (`nf_nat_inet_fn`; measured).
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
            // A broadcast and its copy are of one connection. Where nat left the source alone, it
            // writes nothing over what SNPT made of it.
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

    /// A packet of a known connection gets the translation of that connection, without any rule
    /// being asked.
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
        if self.rehearses && matches!(action, Action::Drop | Action::Reject(_) | Action::Queue) {
            self.assume(stored_translation::NOT_DROPPED);
            return Ok(());
        }
        // A rule that did not match and dropped: its match did.
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
            Action::Drop => Verdict {
                by: Some(is_drop(place)),
                ..self.end(VerdictKind::Dropped)
            },
            Action::Reject(with) => Verdict {
                reason: Some(with),
                ..self.end(VerdictKind::Rejected)
            },
            Action::Queue => self.end(VerdictKind::Queued),
            Action::Accept
            | Action::Continue
            | Action::Return
            | Action::Unknown(_)
            | Action::Depends { .. } => {
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

    fn end(&self, kind: VerdictKind) -> Verdict {
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
            ..self.end(kind)
        }
    }

    /// Dropped by routing.
    fn lost(&self, reason: &str) -> Stop {
        Stop::End(Verdict {
            by: Some(DroppedBy::Routing),
            reason: Some(reason.into()),
            ..self.end(VerdictKind::Dropped)
        })
    }
}
