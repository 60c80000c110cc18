//! A packet that shows the effect of a rule: one that matches it, or one that does not, with the
//! reason.

use std::net::IpAddr;

use crate::analysis::scenario::{self, Destination, Scenario};
use crate::mesh::Mesh;
use crate::netfilter::condition::Subject;
use crate::netfilter::place::Place;
use crate::netfilter::ruleset::{Clause, Ruleset, Value};
use crate::packet::fields::PacketField;
use crate::packet::host::Host;
use crate::packet::{Family, Origin, Packet};
use crate::walk::trace::Outcome;
use crate::walk::walk;

/// A packet to show a rule with, or a chain if the place has no rule: a known scenario that matches
/// it, otherwise a packet made from its conditions, otherwise a packet that only reaches the rule.
/// `None` if none of these reaches the chain.
pub fn find_example_packet(
    rulesets: &[Ruleset],
    host: &Host,
    mesh: Option<&Mesh>,
    place: Place,
) -> Option<Packet> {
    let (ruleset, _, _) = place.at.find(rulesets);
    let met = |packet: &Packet| meets(rulesets, host, packet, place);
    let mut known = scenario::list(host, mesh);
    known.retain(|one| one.packet.family() == ruleset.family);
    // One scenario of each kind of path to begin with.
    let first =
        |is: &dyn Fn(&Scenario) -> bool| known.iter().find(|one| is(one)).map(|one| &one.packet);
    let bases = [
        first(&|one| one.packet.origin == Origin::Local),
        first(&|one| one.packet.origin == Origin::Inbound),
        first(&|one| one.group == Destination::Through),
    ];
    let mut asked = None;
    for packet in known.iter().map(|one| &one.packet) {
        match met(packet) {
            Some(true) => return Some(packet.clone()),
            Some(false) => asked = asked.or(Some(packet)),
            None => {}
        }
    }
    let parts = place
        .rule(rulesets)
        .map_or(&[][..], |rule| ruleset.matches(rule));
    let fitting = bases
        .into_iter()
        .flatten()
        .filter_map(|base| fitted(ruleset, host, base, parts));
    let mut fitting: Vec<Packet> = fitting.collect();
    fitting.retain(|packet| passes(rulesets, host, packet, place));
    // A packet that matches, otherwise one that an earlier rule takes.
    let best = fitting
        .iter()
        .find(|packet| met(packet) == Some(true))
        .or(fitting.first());
    best.filter(|_| !parts.is_empty()).or(asked).cloned()
}

/// Whether the packet matches the rule (for a chain: enters it); `None` if it does not get there.
fn meets(rulesets: &[Ruleset], host: &Host, packet: &Packet, place: Place) -> Option<bool> {
    let trace = walk(rulesets, None, host, packet);
    let here = |at: Place| at.at == place.at && (place.rule.is_none() || at.rule == place.rule);
    let steps = trace.shown().steps.iter();
    steps
        .filter(|step| here(step.place))
        .map(|step| place.rule.is_none() || step.outcome == Outcome::Match)
        .max()
}

/// Whether the packet enters the rule's chain.
fn passes(rulesets: &[Ruleset], host: &Host, packet: &Packet, place: Place) -> bool {
    meets(
        rulesets,
        host,
        packet,
        Place {
            rule: None,
            ..place
        },
    )
    .is_some()
}

/// The packet, changed so that it meets a rule's conditions; `None` if that is impossible for one
/// of them.
fn fitted(ruleset: &Ruleset, host: &Host, base: &Packet, parts: &[Clause]) -> Option<Packet> {
    parts
        .iter()
        .try_fold(base.clone(), |packet, part| {
            fit(ruleset, host, packet, part)
        })
        .filter(|packet| packet.check().is_ok())
}

fn fit(ruleset: &Ruleset, host: &Host, mut packet: Packet, part: &Clause) -> Option<Packet> {
    // A match without options, or a comment, requires nothing.
    let Some(subject) = part.subject() else {
        return Some(packet);
    };
    let number = match &part.value {
        Value::Net4(address, _) => {
            return with_address(packet, subject, (*address).into(), part.negated);
        }
        Value::Net6(net) => return with_address(packet, subject, net.0.into(), part.negated),
        Value::Text(name) => {
            let name = ruleset.text(*name);
            match subject {
                Subject::Packet(PacketField::InInterface) if !part.negated => {
                    packet.in_interface = Some(name.replace('+', "0"));
                }
                Subject::OutInterface if name == "lo" && !part.negated => {
                    packet.dst = scenario::own_address(host, packet.family())?;
                }
                _ => {}
            }
            return Some(packet);
        }
        Value::Number(number) | Value::Range(number, _) | Value::Masked { value: number, .. } => {
            *number
        }
        Value::List(list) => list.first()?.0,
        Value::Bits(bits) => bits & bits.wrapping_neg(),
        _ => return None,
    };
    let field = *subject.fields().first()?;
    match part.negated {
        true if field.number(&packet).is_some_and(|own| own != number) => Some(packet),
        // The next number is a different one. If the condition has a range, the range may contain
        // it. The walk checks this.
        true => field.with_number(&packet, number.wrapping_add(1)),
        false => field.with_number(&packet, number),
    }
}

fn with_address(
    packet: Packet,
    subject: Subject,
    address: IpAddr,
    negated: bool,
) -> Option<Packet> {
    match subject {
        _ if negated || Family::of_address(address) != packet.family() => Some(packet),
        Subject::Packet(field) => Some(field.with_address(&packet, address)),
        _ => None,
    }
}
