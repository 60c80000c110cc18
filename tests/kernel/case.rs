//! One rule set and its packets: does the walk say what the kernel does?

use std::collections::BTreeMap;
use std::fmt::{self, Write};

use chainwalk_core::capture::Backend;
use chainwalk_core::host::Host;
use chainwalk_core::packet::{Family, Packet, Protocol};
use chainwalk_core::print;
use chainwalk_core::ruleset::Ruleset;
use chainwalk_core::view::View;
use chainwalk_core::walk::trace::{Outcome, Trace, VerdictKind};
use chainwalk_core::walk::walk;
use chainwalk_tests::namespace::program;
use chainwalk_tests::random::{packet::packet, rules::rules};
use proptest::prelude::*;

use super::coverage::Coverage;
use super::host::Settings;
use super::lab::{Ends, Lab, Observed, Spot};

/// How many packets go through each rule set.
pub(crate) const PACKETS: usize = 10;

/// A rule set, the settings around it, and packets.
#[derive(Clone)]
pub(crate) struct Case {
    settings: Settings,
    rules: String,
    packets: Vec<Packet>,
}

/// A failure prints the case in a form that can be pasted; this is for what proptest says in between.
impl fmt::Debug for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} lines of rules, {} packets", self.rules.lines().count(), self.packets.len())
    }
}

impl Case {
    pub(crate) fn any(backend: Backend, family: Family) -> impl Strategy<Value = Self> {
        (Settings::any(), rules(backend, family), prop::collection::vec(packet(family), 1..=PACKETS))
            .prop_map(|(settings, rules, packets)| Self { settings, rules, packets })
    }

    /// Loads the rules, sends the packets, and compares.
    pub(crate) fn judge(&self, lab: &mut Lab, coverage: &mut Coverage) -> Result<(), String> {
        lab.load(self.settings, &self.rules).map_err(|refused| format!("{refused}\n{}", self.rules))?;
        comes_back(&lab.saved, &lab.rulesets)?;
        coverage.add_ruleset(&lab.rulesets[0], lab.backend);
        for packet in &self.packets {
            let observed = lab.send(packet);
            let trace = walk(&lab.rulesets, None, &lab.host, packet);
            if let Err(difference) = compare(&observed, &trace) {
                return Err(report(lab, packet, &observed, &trace, &difference));
            }
            coverage.add(&lab.rulesets, packet, &trace);
        }
        Ok(())
    }
}

/// What iptables-save printed comes out of [`print::save`] byte for byte, comment lines aside.
fn comes_back(saved: &str, rulesets: &[Ruleset]) -> Result<(), String> {
    let want: String = saved.lines().filter(|line| !line.starts_with('#')).map(|line| format!("{line}\n")).collect();
    let have: String = rulesets.iter().map(|ruleset| print::save(ruleset, true)).collect();
    if want == have {
        return Ok(());
    }
    let mut pairs = want.lines().zip(have.lines());
    let (want, have) = pairs.find(|(want, have)| want != have).unwrap_or(("", "(one is longer)"));
    Err(format!("iptables-save printed\n{want}\nand it was printed back as\n{have}"))
}

/// What the walk expects the counters to gain, and in which order.
fn expected(trace: &Trace) -> Vec<Spot> {
    let counted = trace.path.steps.iter().filter(|step| matches!(step.outcome, Outcome::Match | Outcome::Policy));
    counted.map(|step| (step.place.at.table, step.place.at.chain, step.place.rule)).collect()
}

fn ends(trace: &Trace, view: &View) -> Ends {
    let ports = view.sport.zip(view.dport).filter(|_| Protocol::has_ports(trace.packet.protocol));
    Ends { src: view.src, dst: view.dst, ports, mark: view.mark }
}

fn compare(observed: &Observed, trace: &Trace) -> Result<(), String> {
    if !trace.certain {
        return Err("the walk is not certain".into());
    }
    let order = expected(trace);
    let mut counts: BTreeMap<Spot, u64> = BTreeMap::new();
    for spot in &order {
        *counts.entry(*spot).or_default() += 1;
    }
    if counts != observed.counts {
        return Err("other rules count".into());
    }
    if observed.order.as_ref().is_some_and(|seen| *seen != order) {
        return Err("the same rules count in another order".into());
    }
    let verdict = trace.verdict().ok_or("the walk has no verdict")?;
    let ends_here = ends(trace, trace.path.result());
    let copy = trace.path.copy.as_ref();
    let delivered = match copy {
        Some(copy) if copy.verdict.kind == VerdictKind::Delivered => {
            Some(ends(trace, &trace.path.views[copy.view as usize]))
        }
        _ => (verdict.kind == VerdictKind::Delivered).then_some(ends_here),
    };
    if delivered != observed.delivered {
        return Err(format!("delivered: the kernel {:?}, the walk {delivered:?}", observed.delivered));
    }
    let left = match verdict.kind {
        VerdictKind::Sent | VerdictKind::Forwarded => verdict.interface.clone().map(|interface| (interface, ends_here)),
        _ => None,
    };
    // The copy is the first of two in IPv4, the last in IPv6. Where the packet itself was dropped, it may be the only one.
    let seen = match (copy, trace.packet.family()) {
        (Some(_), _) if left.is_none() => None,
        (Some(_), Family::Ipv6) => observed.left.first(),
        _ => observed.left.last(),
    };
    if left.as_ref() != seen {
        return Err(format!("left: the kernel {:?}, the walk {left:?}", observed.left));
    }
    Ok(())
}

/// The case with both answers, each part ready to be pasted.
fn report(lab: &Lab, packet: &Packet, observed: &Observed, trace: &Trace, difference: &str) -> String {
    let json = |host: &Host| serde_json::to_string(host).expect("a host is JSON");
    let packet = serde_json::to_string(packet).expect("a packet is JSON");
    let ruleset = &lab.rulesets[0];
    let mut out = format!("{difference}\n--- rules ({})\n{}", program(lab.backend, lab.family, "save"), lab.saved);
    let _ = write!(out, "--- host\n{}\n--- packet\n{packet}\n--- the kernel", json(&lab.host));
    let _ = match &observed.order {
        Some(order) => write!(out, ", in order\n{}", names(ruleset, order)),
        None => {
            let all = observed.counts.iter().flat_map(|(spot, count)| (0..*count).map(move |_| *spot));
            write!(out, " counted\n{}", names(ruleset, &all.collect::<Vec<_>>()))
        }
    };
    let _ = writeln!(out, "delivered {:?}, left {:?}, told {:?}", observed.delivered, observed.left, observed.told);
    let _ = writeln!(
        out,
        "--- the walk\n{}{:?}, {:?}",
        names(ruleset, &expected(trace)),
        trace.verdict(),
        ends(trace, trace.path.result())
    );
    out
}

fn names(ruleset: &Ruleset, spots: &[Spot]) -> String {
    let mut out = String::new();
    for (table, chain, rule) in spots {
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
