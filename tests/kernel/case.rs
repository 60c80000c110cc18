//! One rule set with its packets, compared with the kernel.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::{self, Write};

use chainwalk_core::analysis::findings::dead_rules;
use chainwalk_core::iptables::print;
use chainwalk_core::iptables::table_name::TableName;
use chainwalk_core::netfilter::backend::Backend;
use chainwalk_core::netfilter::ruleset::Ruleset;
use chainwalk_core::packet::host::Host;
use chainwalk_core::packet::view::View;
use chainwalk_core::packet::{Family, Packet, Protocol};
use chainwalk_core::walk::trace::{Branch, Outcome, Path, Step, Trace, VerdictKind};
use chainwalk_core::walk::walk;
use chainwalk_tests::namespace::program;
use chainwalk_tests::random::{packet::packet, rules::rules};
use proptest::prelude::*;

use super::coverage::Coverage;
use super::host::Settings;
use super::lab::{Ends, Lab, Observed, Spot};
use super::made::MadeChain;

/// The number of packets for each rule set.
pub(crate) const PACKETS: usize = 10;

/// A rule set, its settings, and packets.
#[derive(Clone)]
pub(crate) struct Case {
    settings: Settings,
    /// A rule set for each backend of the namespace.
    rules: Vec<String>,
    packets: Vec<Packet>,
}

/// A failure prints the case in a form that can be pasted. This text is for the intermediate output
/// of proptest.
impl fmt::Debug for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} lines of rules, {} packets",
            self.rules.concat().lines().count(),
            self.packets.len()
        )
    }
}

impl Case {
    pub(crate) fn any(backends: &[Backend], family: Family) -> impl Strategy<Value = Self> {
        let rules: Vec<_> = backends
            .iter()
            .map(|backend| rules(*backend, family))
            .collect();
        (
            Settings::any(),
            rules,
            prop::collection::vec(packet(family), 1..=PACKETS),
        )
            .prop_map(|(settings, rules, packets)| Self {
                settings,
                rules,
                packets,
            })
    }

    /// A rule set without remains of an earlier one: every other table is flushed.
    pub(crate) fn of(text: &str, packets: Vec<Packet>) -> Self {
        let absent = TableName::ALL
            .into_iter()
            .filter(|table| !text.lines().any(|line| line == format!("*{table}")));
        let mut rules = String::from(text);
        for table in absent {
            let chains: String = table
                .hooks()
                .iter()
                .map(|hook| format!(":{hook} ACCEPT [0:0]\n"))
                .collect();
            rules += &format!("\n*{table}\n{chains}COMMIT\n");
        }
        Self {
            settings: Settings::pod(),
            rules: vec![rules],
            packets,
        }
    }

    /// Loads the rules and some other base chains, sends the packets, and compares.
    pub(crate) fn judge_with(&self, made: &[MadeChain], lab: &mut Lab) -> Result<(), String> {
        lab.load_with(self.settings, &self.rules, made)
            .map_err(|refused| format!("{refused}\n{made:?}"))?;
        for packet in &self.packets {
            let mut observed = lab.send(packet);
            let trace = walk(&lab.rulesets, None, &lab.host, packet);
            observed
                .counts
                .retain(|(ruleset, ..), _| trace.rulesets.contains(ruleset));
            if let Err(difference) = compare(
                &lab.rulesets,
                &observed,
                &trace,
                lab.first_asked(&trace.rulesets),
            ) {
                return Err(format!(
                    "{made:#?}\n{}",
                    report(lab, packet, &observed, &trace, &difference)
                ));
            }
        }
        Ok(())
    }

    pub(crate) fn settings(&self) -> Settings {
        self.settings
    }

    pub(crate) fn rules(&self) -> &[String] {
        &self.rules
    }

    pub(crate) fn first_packets(&self) -> &[Packet] {
        &self.packets
    }

    /// The number of its packets.
    pub(crate) fn packets(&self) -> usize {
        self.packets.len()
    }

    /// Loads the rules, sends the packets, and compares.
    pub(crate) fn judge(&self, lab: &mut Lab, coverage: &mut Coverage) -> Result<(), String> {
        lab.load(self.settings, &self.rules)
            .map_err(|refused| format!("{refused}\n{}", self.rules.concat()))?;
        comes_back(&lab.saved, &lab.rulesets)?;
        for (ruleset, backend) in lab.rulesets.iter().zip(&lab.backends) {
            coverage.add_ruleset(ruleset, *backend);
        }
        let dead = dead(&lab.rulesets);
        coverage.add_dead(dead.len());
        for packet in &self.packets {
            let mut observed = lab.send(packet);
            let trace = walk(&lab.rulesets, None, &lab.host, packet);
            // A rule set without rules is not walked next to another one.
            observed
                .counts
                .retain(|(ruleset, ..), _| trace.rulesets.contains(ruleset));
            if let Err(difference) = compare(
                &lab.rulesets,
                &observed,
                &trace,
                lab.first_asked(&trace.rulesets),
            ) {
                return Err(report(lab, packet, &observed, &trace, &difference));
            }
            if let Some(live) = observed.counts.keys().find(|spot| dead.contains(spot)) {
                let called = format!("called dead: {}", names(&lab.rulesets, &[*live]));
                return Err(report(lab, packet, &observed, &trace, &called));
            }
            coverage.add(&lab.rulesets, packet, &trace);
        }
        Ok(())
    }
}

/// The rules that are reported as dead, for all routes.
fn dead(rulesets: &[Ruleset]) -> BTreeSet<Spot> {
    let tables = (0..)
        .zip(rulesets)
        .flat_map(|(number, set)| set.tables.iter().map(move |table| (number, set, table)));
    tables
        .flat_map(|(number, set, table)| {
            let dead = dead_rules(set, table)
                .into_iter()
                .filter(|dead| !dead.in_practice);
            dead.map(move |dead| {
                (
                    number,
                    table.iptables().expect("a table of iptables"),
                    dead.chain,
                    Some(dead.rule),
                )
            })
        })
        .collect()
}

/// [`print::save`] prints the output of iptables-save byte for byte, except for comment lines.
fn comes_back(saved: &str, rulesets: &[Ruleset]) -> Result<(), String> {
    let want: String = saved
        .lines()
        .filter(|line| !line.starts_with('#'))
        .map(|line| format!("{line}\n"))
        .collect();
    let have: String = rulesets
        .iter()
        .map(|ruleset| print::save(ruleset, true))
        .collect();
    if want == have {
        return Ok(());
    }
    let mut pairs = want.lines().zip(have.lines());
    let (want, have) = pairs
        .find(|(want, have)| want != have)
        .unwrap_or(("", "(one is longer)"));
    Err(format!(
        "iptables-save printed\n{want}\nand it was printed back as\n{have}"
    ))
}

/// The counters of a path: those that increase, in order, and those that are undetermined.
fn expected(rulesets: &[Ruleset], path: &Path) -> (Vec<Spot>, Vec<Spot>) {
    let of = |outcomes: &[Outcome]| {
        path.steps
            .iter()
            .filter(|step| outcomes.contains(&step.outcome))
            .map(|step: Step| {
                let at = step.place.at;
                (
                    at.ruleset,
                    at.table(rulesets).iptables().expect("a table of iptables"),
                    at.chain,
                    step.place.rule,
                )
            })
            .collect()
    };
    (
        of(&[Outcome::Match, Outcome::Policy]),
        of(&[Outcome::Unknown]),
    )
}

/// The number of occurrences of each counter.
fn counted(spots: &[Spot]) -> BTreeMap<Spot, u64> {
    let mut counts = BTreeMap::new();
    for spot in spots {
        *counts.entry(*spot).or_default() += 1;
    }
    counts
}

/// Whether the kernel's final packet equals the walk's view.
fn is_end(seen: &Ends, view: &View, protocol: Protocol) -> bool {
    let fits = |seen: u16, port: Option<u16>, span: Option<(u16, u16)>| match (port, span) {
        (Some(port), _) => port == seen,
        (None, Some((low, high))) => (low..=high).contains(&seen),
        (None, None) => false,
    };
    let ports = seen
        .ports
        .filter(|_| protocol.has_ports())
        .is_none_or(|(source, destination)| {
            fits(source, view.sport, view.sport_span)
                && fits(destination, view.dport, view.dport_span)
        });
    (seen.src, seen.dst, seen.mark) == (view.src, view.dst, view.mark)
        && (seen.tos, seen.ttl) == (view.dscp << 2 | view.ecn, view.ttl)
        && ports
}

/// Whether a part is unknown: a port that nat chose at random, or a property of headers that
/// packets do not state, which are their length, the length of SCTP chunks, and the part of GRE
/// that replaces a port.
fn is_open(trace: &Trace) -> bool {
    const GRE: Protocol = Protocol(47);
    const AH: Protocol = Protocol(51);
    const IPCOMP: Protocol = Protocol(108);
    if [Protocol::DCCP, Protocol::SCTP, AH, IPCOMP, GRE].contains(&trace.packet.protocol) {
        return true;
    }
    let paths = trace
        .branches
        .iter()
        .map(|branch| &branch.path)
        .chain([&trace.path]);
    let mut views = paths.flat_map(|path| &path.views);
    views.any(|view| view.sport_span.is_some() || view.dport_span.is_some())
}

/// A certain walk must equal the kernel. Of an uncertain walk, one branch must. If both backends
/// have rules, this test knows their order.
fn compare(
    rulesets: &[Ruleset],
    observed: &Observed,
    trace: &Trace,
    first_asked: Option<Backend>,
) -> Result<(), String> {
    if !trace.certain && !is_open(trace) && first_asked.is_none() {
        return Err("the walk is not certain".into());
    }
    let mut branches = trace
        .branches
        .iter()
        .filter(|branch: &&Branch| first_asked.is_none() || branch.first == first_asked);
    let Some(first) = branches.clone().next() else {
        return agree(rulesets, observed, trace, &trace.path);
    };
    let mut paths = branches.by_ref().map(|branch| &branch.path);
    match paths.any(|path| agree(rulesets, observed, trace, path).is_ok()) {
        true => Ok(()),
        false if trace.branches_left_out > 0 => Ok(()),
        false => agree(rulesets, observed, trace, &first.path)
            .map_err(|difference| format!("no branch agrees: {difference}")),
    }
}

/// Whether the kernel took this path.
pub(crate) fn agree(
    rulesets: &[Ruleset],
    observed: &Observed,
    trace: &Trace,
    path: &Path,
) -> Result<(), String> {
    let (order, open) = expected(rulesets, path);
    let (mut counts, open) = (counted(&order), counted(&open));
    counts.retain(|spot, _| !observed.uncounted.contains(spot));
    let spots: BTreeSet<&Spot> = observed.counts.keys().chain(counts.keys()).collect();
    let count = |of: &BTreeMap<Spot, u64>, spot| of.get(spot).copied().unwrap_or_default();
    for spot in spots {
        let least = count(&counts, spot);
        if !(least..=least + count(&open, spot)).contains(&count(&observed.counts, spot)) {
            return Err("other rules count".into());
        }
    }
    if open.is_empty() && observed.order.as_ref().is_some_and(|seen| *seen != order) {
        return Err("the same rules count in another order".into());
    }
    let verdict = path.verdict.as_ref().ok_or("the walk has no verdict")?;
    let is_end = |seen: &Ends, view| is_end(seen, view, trace.packet.protocol);
    let copy = path
        .copy
        .as_ref()
        .filter(|copy| copy.verdict.kind == VerdictKind::Delivered);
    let delivered = match copy {
        Some(copy) => Some(&path.views[copy.view as usize]),
        None => (verdict.kind == VerdictKind::Delivered).then(|| path.result()),
    };
    match (&observed.delivered, delivered) {
        (None, None) => {}
        (Some(seen), Some(view)) if is_end(seen, view) => {}
        (seen, view) => return Err(format!("delivered: the kernel {seen:?}, the walk {view:?}")),
    }
    let leaves = matches!(verdict.kind, VerdictKind::Sent | VerdictKind::Forwarded);
    // The copy is the first of two packets in IPv4, and the last in IPv6. If the packet itself was
    // dropped, it may be the only one.
    let seen = match (&path.copy, trace.packet.family()) {
        (Some(_), _) if !leaves => None,
        (Some(_), Family::Ipv6) => observed.left.first(),
        _ => observed.left.last(),
    };
    match (seen, leaves) {
        (None, false) => Ok(()),
        (Some((interface, seen)), true)
            if verdict.interface.as_ref() == Some(interface) && is_end(seen, path.result()) =>
        {
            Ok(())
        }
        _ => Err(format!(
            "left: the kernel {:?}, the walk {verdict:?} {:?}",
            observed.left,
            path.result()
        )),
    }
}

/// The case with both answers. Each part can be pasted.
pub(crate) fn report(
    lab: &Lab,
    packet: &Packet,
    observed: &Observed,
    trace: &Trace,
    difference: &str,
) -> String {
    let json = |host: &Host| serde_json::to_string(host).expect("a host is JSON");
    let packet = serde_json::to_string(packet).expect("a packet is JSON");
    let ruleset = &lab.rulesets;
    let backends: Vec<_> = lab
        .backends
        .iter()
        .map(|backend| program(*backend, lab.family, "save"))
        .collect();
    let mut out = format!(
        "{difference}\n--- rules ({})\n{}",
        backends.join(", then "),
        lab.saved
    );
    let _ = write!(
        out,
        "--- host\n{}\n--- packet\n{packet}\n--- the kernel",
        json(&lab.host)
    );
    let _ = match &observed.order {
        Some(order) => write!(out, ", in order\n{}", names(ruleset, order)),
        None => {
            let all = observed
                .counts
                .iter()
                .flat_map(|(spot, count)| (0..*count).map(move |_| *spot));
            write!(
                out,
                " counted\n{}",
                names(ruleset, &all.collect::<Vec<_>>())
            )
        }
    };
    let _ = writeln!(
        out,
        "delivered {:?}, left {:?}, told {:?}",
        observed.delivered, observed.left, observed.told
    );
    let mut paths: Vec<&Path> = trace.branches.iter().map(|branch| &branch.path).collect();
    if paths.is_empty() {
        paths.push(&trace.path);
    }
    for path in paths {
        let (order, open) = expected(ruleset, path);
        let _ = writeln!(
            out,
            "--- the walk\n{}{:?}, {:?}",
            names(ruleset, &order),
            path.verdict,
            path.result()
        );
        if !open.is_empty() {
            let _ = write!(out, "and perhaps\n{}", names(ruleset, &open));
        }
    }
    out
}

fn names(rulesets: &[Ruleset], spots: &[Spot]) -> String {
    let mut out = String::new();
    for (ruleset, table, chain, rule) in spots {
        let ruleset = &rulesets[*ruleset as usize];
        let held = ruleset.table(*table).expect("the spot is of this rule set");
        let chain = &held.chains[*chain as usize];
        let _ = match rule {
            Some(rule) => {
                let text = print::rule(ruleset, held, &chain.rules[*rule as usize]);
                writeln!(out, "  {table} {} {}: {text}", chain.name, rule + 1)
            }
            None => writeln!(out, "  {table} {} policy", chain.name),
        };
    }
    out
}
