//! Findings: errors, useless rules and unlikely facts in a dump, with their consequences.

use crate::analysis::example_packet::find_example_packet;
use crate::analysis::explain::capital;
use crate::analysis::scenario;
use crate::iptables::extension::lower;
use crate::iptables::print;
use crate::mesh::{self, Mesh, Mode};
use crate::netfilter::backend::Backend;
use crate::netfilter::effect::Behavior;
use crate::netfilter::place::{ChainPlace, Place};
use crate::netfilter::routing::{Query, lookup};
use crate::netfilter::ruleset::{Chain, Rule, Ruleset, Table, Target, Value};
use crate::packet::host::{Host, RouteKind};
use crate::packet::{Family, Packet, Protocol};
use crate::text::diagnostic::Severity;

mod dead;
mod space;

pub use dead::{Dead, dead_rules};

/// A fact about a dump that the user should know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Its severity.
    pub severity: Severity,
    /// The rule that it concerns, or the chain if the place has no rule.
    pub place: Option<Place>,
    /// The fact and its consequence.
    pub says: String,
    /// The key of the scenario that shows it, if it does not concern a rule.
    pub scenario: Option<&'static str>,
}

impl Finding {
    /// The rule that it concerns, if it concerns one.
    pub fn rule(&self) -> Option<Place> {
        self.place.filter(|place| place.rule.is_some())
    }

    /// A packet that shows it; `None` if there is none, as for a chain that no rule calls.
    pub fn packet(&self, rulesets: &[Ruleset], host: &Host, mesh: Option<&Mesh>) -> Option<Packet> {
        if let Some(place) = self.place {
            return find_example_packet(rulesets, host, mesh, place);
        }
        let wanted = self.scenario?;
        scenario::list(host, mesh)
            .into_iter()
            .find(|one| one.key == wanted)
            .map(|one| one.packet)
    }
}

/// Finds facts about rule sets. `host_known` means that the host comes from a capture and is not a
/// usual pod.
pub fn lint(rulesets: &[Ruleset], host: &Host, host_known: bool) -> Vec<Finding> {
    let mut search = FindingSearch::new(rulesets, host, host_known);
    search.go_on(rulesets, usize::MAX);
    search.found
}

/// A search for findings that processes some rules at a time, so that the page stays responsive.
#[derive(Debug)]
pub struct FindingSearch {
    found: Vec<Finding>,
    /// The current rule set and table.
    at: (usize, usize),
    part: FindingPart,
}

/// The parts of the search in one table.
#[derive(Debug)]
enum FindingPart {
    /// Chains that no rule calls.
    Unreferenced,
    /// Duplicate rules, from this chain on.
    Duplicates(usize),
    /// Rules that never match.
    Dead(dead::DeadRuleSearch),
}

impl FindingSearch {
    /// Searches for findings whose cost does not depend on the number of rules.
    pub fn new(rulesets: &[Ruleset], host: &Host, host_known: bool) -> Self {
        let found = whole(rulesets, host, host_known);
        let at = if rulesets.iter().any(Ruleset::is_populated) {
            (0, 0)
        } else {
            (rulesets.len(), 0)
        };
        Self {
            found,
            at,
            part: FindingPart::Unreferenced,
        }
    }

    /// The findings so far. They are complete after [`go_on`](Self::go_on) returned `true`.
    pub fn found(self) -> Vec<Finding> {
        self.found
    }

    /// Processes about `most` further rules, and returns whether these were the last ones. All
    /// calls must pass the same rules.
    pub fn go_on(&mut self, rulesets: &[Ruleset], mut most: usize) -> bool {
        while most > 0 {
            let Some(set) = rulesets.get(self.at.0) else {
                return true;
            };
            let Some(table) = set.tables.get(self.at.1) else {
                self.at = (self.at.0 + 1, 0);
                continue;
            };
            let ruleset = u32::try_from(self.at.0)
                .expect("rule sets are fewer than bytes of a text below 4 GiB");
            let place = u32::try_from(self.at.1)
                .expect("tables are fewer than bytes of a text below 4 GiB");
            let mut say = |chain, rule, says: String| {
                let at = ChainPlace {
                    ruleset,
                    table: place,
                    chain,
                };
                add(
                    &mut self.found,
                    Severity::Note,
                    Some(Place { at, rule }),
                    says,
                );
            };
            match &mut self.part {
                FindingPart::Unreferenced => {
                    for (chain, says) in unreferenced(table) {
                        say(chain, None, says);
                    }
                    self.part = FindingPart::Duplicates(0);
                }
                FindingPart::Duplicates(place) => match table.chains.get(*place) {
                    Some(chain) => {
                        let own = u32::try_from(*place)
                            .expect("chains are fewer than bytes of a text below 4 GiB");
                        for (rule, first) in duplicates(set, table, chain) {
                            say(
                                own,
                                Some(rule),
                                format!("It says the same as rule {} of this chain.", first + 1),
                            );
                        }
                        most = most.saturating_sub(chain.rules.len() + 1);
                        *place += 1;
                    }
                    None => self.part = FindingPart::Dead(dead::DeadRuleSearch::new(set, table)),
                },
                FindingPart::Dead(search) => {
                    if !search.go_on(set, table, &mut most) {
                        continue;
                    }
                    for dead in std::mem::take(&mut search.dead) {
                        say(dead.chain, Some(dead.rule), never(table, &dead));
                    }
                    self.part = FindingPart::Unreferenced;
                    self.at.1 += 1;
                }
            }
        }
        false
    }
}

/// The reason why a rule never matches.
fn never(table: &Table, dead: &Dead) -> String {
    let takers = takers(table, dead);
    match dead.in_practice {
        true => format!(
            "In practice it never matches: what goes to a loopback address leaves by lo, and {takers} that. Only a socket that is bound to another interface could reach it."
        ),
        false if dead.takers.is_empty() => {
            "It can never match: no packet that comes into its chain has what it asks for.".into()
        }
        false => format!("It can never match: {takers} everything that it asks for."),
    }
}

/// The rules that take all packets of a rule, as the subject of a sentence: "rule 4 takes".
fn takers(table: &Table, dead: &Dead) -> String {
    let name = |(chain, rule): &(u32, u32)| match *chain == dead.chain {
        true => format!("rule {}", rule + 1),
        false => format!(
            "rule {} of {}",
            rule + 1,
            table.chains[*chain as usize].name
        ),
    };
    match &dead.takers[..] {
        [one] => format!("{} takes", name(one)),
        [first, second] => format!("{} and {} take", name(first), name(second)),
        _ => "the rules before it take".into(),
    }
}

/// Findings about the dump as a whole.
fn whole(rulesets: &[Ruleset], host: &Host, host_known: bool) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut say = |severity, place, says: String| add(&mut findings, severity, place, says);
    if !rulesets.iter().any(Ruleset::is_populated) {
        for says in EMPTY {
            say(Severity::Warning, None, says.into());
        }
        return findings;
    }
    let recognised: Vec<(u32, &Ruleset, Mesh)> = (0..)
        .zip(rulesets)
        .filter_map(|(at, set)| Some((at, set, mesh::recognise(set)?)))
        .collect();
    if let (Some(who), true) = (rulesets.iter().find_map(mesh::node), recognised.is_empty()) {
        say(
            Severity::Note,
            None,
            format!(
                "These are the rules of {who}, so of a node. For a pod's own, dump them inside its network namespace."
            ),
        );
    }
    for (ruleset, set, mesh) in &recognised {
        for deviation in mesh::deviations(mesh, set) {
            let at = ChainPlace {
                ruleset: *ruleset,
                table: deviation.table,
                chain: deviation.chain,
            };
            say(
                Severity::Warning,
                Some(Place {
                    at,
                    rule: deviation.rule,
                }),
                format!("{}.", capital(&deviation.says)),
            );
        }
    }
    if let Some((_, _, mesh)) = recognised.first() {
        findings.append(&mut about_mesh(mesh, rulesets, host, host_known));
    }
    let mut say = |severity, place, says: String| add(&mut findings, severity, place, says);
    for family in [Family::Ipv4, Family::Ipv6] {
        let mut populated = rulesets
            .iter()
            .filter(|set| set.family == family && set.is_populated());
        let nft = populated
            .clone()
            .any(|set| set.backend == Some(Backend::Nft));
        if nft && populated.any(|set| set.backend != Some(Backend::Nft)) {
            say(
                Severity::Warning,
                None,
                format!(
                    "Both backends, legacy and nft, hold {family} rules: both run at every hook, and which first no dump shows."
                ),
            );
        }
    }
    findings
}

fn add(findings: &mut Vec<Finding>, severity: Severity, place: Option<Place>, says: String) {
    findings.push(Finding {
        severity,
        place,
        says,
        scenario: None,
    });
}

/// Reasons why a dump may be empty, each with a command that checks it.
const EMPTY: [&str; 6] = [
    "There are no rules here. Each of these is a reason, with its check:",
    "The pod was not injected: `kubectl get pod POD -o jsonpath='{.spec.containers[*].name}'` must name the proxy.",
    "The init container or the CNI plugin failed: `kubectl logs POD -c istio-init`, or the log of the node's istio-cni pod.",
    "The rules are in the other backend: ask both `iptables-legacy-save` and `iptables-nft-save`.",
    "They are native nftables, which iptables-save does not show: `nft list ruleset`.",
    "It is the wrong namespace: `ip addr` in it must show the pod's address; enter it with `nsenter -t PID -n`.",
];

/// Findings about a mesh: traffic that its rules do not cover, and requirements that no rule shows.
fn about_mesh(mesh: &Mesh, rulesets: &[Ruleset], host: &Host, host_known: bool) -> Vec<Finding> {
    let mut found: Vec<Finding> = Vec::new();
    let mut say = |severity, scenario, says| {
        found.push(Finding {
            severity,
            place: None,
            says,
            scenario: Some(scenario),
        })
    };
    let proxy = mesh.proxy();
    if !mesh::families(rulesets).contains(&Family::Ipv6) {
        let own = host
            .interfaces
            .iter()
            .filter(|one| one.name != "lo")
            .flat_map(|one| &one.addresses);
        let global = |prefix: &&crate::packet::host::Prefix| matches!(prefix.address, std::net::IpAddr::V6(v6) if !v6.is_unicast_link_local());
        match own.into_iter().find(global) {
            Some(own) if host_known => {
                say(
                    Severity::Warning,
                    "internet-v6",
                    format!(
                        "The pod has the IPv6 address {}, and no IPv6 rules: IPv6 traffic bypasses {proxy}.",
                        own.address
                    ),
                );
            }
            _ => say(
                Severity::Note,
                "internet-v6",
                format!(
                    "There are no IPv6 rules here: if the pod has IPv6 addresses, IPv6 traffic bypasses {proxy}. Check `ip -6 addr` and `ip6tables-save`."
                ),
            ),
        }
    }
    say(
        Severity::Note,
        "udp",
        match mesh.dns.is_empty() {
            true => format!("UDP is not captured: it bypasses {proxy}, including DNS and QUIC."),
            false => {
                format!("UDP other than DNS is not captured: it bypasses {proxy}, including QUIC.")
            }
        },
    );
    if let Some((mark, mask)) = mesh.route {
        let query = Query {
            dst: outside(),
            src: None,
            mark,
            iif: "eth0",
        };
        let led = lookup(host, query).is_some_and(|way| way.kind == RouteKind::Local);
        let table = if mesh.mode == Mode::Tproxy {
            "133"
        } else {
            "100"
        };
        let need = format!(
            "`ip rule add fwmark {mark:#x}/{mask:#x} lookup {table}` and `ip route add local default dev lo table {table}`"
        );
        match (host_known, led) {
            (true, false) => say(
                Severity::Warning,
                "inbound",
                format!(
                    "Nothing routes the mark {mark:#x} to lo: answers do not find back to {proxy}. It needs {need}."
                ),
            ),
            (false, false) => say(
                Severity::Note,
                "inbound",
                format!(
                    "{} mode needs policy routing, which no dump of rules shows: {need}.",
                    mesh.mode.name()
                ),
            ),
            (_, true) => {}
        }
    }
    if !host.sockets.is_empty() {
        let listens = |port: u16, protocol| {
            host.sockets
                .iter()
                .any(|socket| socket.port == port && socket.protocol == protocol)
        };
        let of = [
            (&mesh.outbound, "internet"),
            (&mesh.inbound, "inbound"),
            (&mesh.dns, "dns-tcp"),
        ];
        for (port, scenario) in of
            .into_iter()
            .flat_map(|(ports, scenario)| ports.iter().map(move |port| (port, scenario)))
        {
            if !listens(*port, Protocol::TCP) {
                say(
                    Severity::Warning,
                    scenario,
                    format!(
                        "No socket listens on port {port}, where the rules send connections for {proxy}: they are refused."
                    ),
                );
            }
        }
    }
    found
}

fn outside() -> std::net::IpAddr {
    std::net::IpAddr::V4(std::net::Ipv4Addr::new(93, 184, 216, 34))
}

/// Chains that no rule calls.
fn unreferenced(table: &Table) -> Vec<(u32, String)> {
    let mut led = vec![false; table.chains.len()];
    for rule in table.chains.iter().flat_map(|chain| &chain.rules) {
        if let Target::Jump(chain) | Target::Goto(chain) = rule.target {
            led[chain as usize] = true;
        }
    }
    (0..)
        .zip(&table.chains)
        .filter(|(place, chain): &(u32, &Chain)| chain.hook().is_none() && !led[*place as usize])
        .map(|(place, chain): (u32, &Chain)| match chain.rules.len() {
            0 => (
                place,
                "No rule leads into this chain, and it is empty.".into(),
            ),
            rules => (
                place,
                format!("No rule leads into this chain: none of its {rules} rules is ever asked."),
            ),
        })
        .collect()
}

/// The number of rules of a chain that the others are compared with.
const MAX_COMPARED_RULES: usize = 64;

/// Rules that repeat an earlier rule of their chain and continue, so that both have an effect: the
/// rule, and the first one.
fn duplicates(ruleset: &Ruleset, table: &Table, chain: &Chain) -> Vec<(u32, u32)> {
    let mut found = Vec::new();
    // Only the first rules of a chain are compared with the others. Comparing all pairs would be
    // quadratic.
    let mut seen: Vec<(u32, &Rule)> = Vec::new();
    for (number, rule) in (0..).zip(&chain.rules) {
        // The duplicate of a rule that ends the chain is dead, and another finding reports it.
        if lower::behavior(ruleset, rule).is_some_and(Behavior::ends_chain) {
            continue;
        }
        // Printing is expensive, and most rules differ in their fields.
        let text = |rule: &Rule| print::rule(ruleset, table, rule);
        let alike =
            |(_, other): &&(u32, &Rule)| !differ(ruleset, rule, other) && text(rule) == text(other);
        match seen.iter().find(alike) {
            Some((first, _)) => found.push((number, *first)),
            None if seen.len() < MAX_COMPARED_RULES => seen.push((number, rule)),
            None => {}
        }
    }
    found
}

/// Whether two rules differ in a way that is visible without printing them.
fn differ(ruleset: &Ruleset, one: &Rule, other: &Rule) -> bool {
    let targets = match (one.target, other.target) {
        // The name may be stored at two positions.
        (Target::Missing { .. }, Target::Missing { .. }) => false,
        (one, other) => one != other,
    };
    let values = |one: &Value, other: &Value| match (one, other) {
        (Value::Net4(..), Value::Net4(..)) | (Value::Range(..), Value::Range(..)) => one != other,
        _ => false,
    };
    let mut parts = ruleset.matches(one).iter().zip(ruleset.matches(other));
    targets
        || (one.matches, one.parameters) != (other.matches, other.parameters)
        || parts.any(|(one, other)| {
            one.extension != other.extension || values(&one.value, &other.value)
        })
}
