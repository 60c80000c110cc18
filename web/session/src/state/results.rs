//! The results of the rules and packets.

use std::rc::Rc;

use chainwalk_core::analysis::explain;
use chainwalk_core::analysis::findings::Finding;
use chainwalk_core::analysis::scenario::Scenario;
use chainwalk_core::netfilter::place::Place;
use chainwalk_core::packet::Packet;
use chainwalk_core::packet::fields::PacketField;
use chainwalk_core::packet::form::{FieldError, PacketForm};
use chainwalk_core::walk::trace::Path;

use super::{Version, Workspace};
use crate::cursor::{self, Move};
use crate::packet_analysis::PacketAnalysis;
use crate::paste::PacketOutcome;
use crate::rows::{Index, Opened, Row};
use crate::saved_packets::SavedPacket;
use crate::side::Side;
use crate::walked::Walked;

/// The results of the rules and packets. Each change updates the walks, the
/// saved packets and the rows at once; the idle
/// queue (`analysis_queue`) adds the others.
#[derive(Clone, Debug)]
pub struct Results {
    /// The walks of A and B, or the invalid fields.
    pub walks: [Result<Rc<Walked>, Vec<FieldError>>; 2],
    /// The step of the divergence.
    pub divergence: Option<usize>,
    /// Callers and counters of the rules.
    pub index: Rc<Index>,
    /// The rule list.
    pub rows: Rc<Vec<Row>>,
    /// The search whose rules will replace the rule list, while the idle queue searches them.
    pub sought: Option<Rc<Opened>>,
    /// Counterfactuals, senders and the journey of the lead's packet.
    pub analysis: Option<PacketAnalysis>,
    /// The last complete analysis for the same rules. It is shown until the new one is complete.
    pub(crate) previous_analysis: Option<PacketAnalysis>,
    /// The saved packets, with their outcomes.
    pub saved_packets: Rc<Vec<SavedPacket>>,
    /// The packets worth trying, with their outcomes.
    pub outcomes: Option<Rc<Vec<PacketOutcome>>>,
    /// Findings about the rules.
    pub findings: Option<Rc<Vec<Finding>>>,
}

/// The rules and packets with their results.
#[derive(Clone, Debug, PartialEq)]
pub struct Evaluation {
    /// The rules and packets.
    pub workspace: Version<Workspace>,
    /// Their results.
    pub results: Version<Results>,
}

impl Evaluation {
    /// A packet's walk, if the packet is shown and valid.
    pub fn walked(&self, side: Side) -> Option<&Rc<Walked>> {
        let is_shown = self.workspace.sides().contains(&side);
        is_shown
            .then(|| self.results.walks[side as usize].as_ref().ok())
            .flatten()
    }

    /// The invalid fields of a packet.
    pub fn field_errors(&self, side: Side) -> &[FieldError] {
        self.results.walks[side as usize]
            .as_ref()
            .err()
            .map_or(&[], |errors| errors)
    }

    /// The shown walks, with their packets.
    pub fn walks(&self) -> impl Iterator<Item = (Side, &Walked)> {
        let sides = self.workspace.sides().iter();
        sides.filter_map(|side| Some((*side, &**self.walked(*side)?)))
    }

    /// The shown walks, the lead's first.
    pub(crate) fn lead_first(&self) -> impl Iterator<Item = (Side, &Walked)> + Clone {
        let lead = self.workspace.lead;
        let other = self.workspace.compare.then(|| lead.other());
        [Some(lead), other]
            .into_iter()
            .flatten()
            .filter_map(|side| Some((side, &**self.walked(side)?)))
    }

    /// The packet whose chain is shown at a step: the lead's, unless its walk has ended.
    pub fn followed(&self, step: usize) -> Option<(Side, &Walked)> {
        let mut walks = self.lead_first();
        let runs = walks
            .clone()
            .find(|(_, walked)| step < walked.path().steps.len());
        runs.or_else(|| walks.next())
    }

    /// The rules that a step evaluates.
    pub fn current(&self, step: usize) -> Vec<(Side, Place)> {
        self.walks()
            .filter_map(|(side, walked): (Side, &Walked)| {
                Some((side, walked.path().steps.get(step)?.place))
            })
            .collect()
    }

    /// The number of steps of the longest walk.
    pub fn steps(&self) -> usize {
        let lengths = self.walks().map(|(_, walked)| walked.path().steps.len());
        lengths.max().unwrap_or(0)
    }

    /// The target of a move.
    pub fn after(&self, step: usize, to: Move) -> usize {
        cursor::go(&self.paths(), step, to)
    }

    /// The shown paths, the lead's first.
    pub(crate) fn paths(&self) -> Vec<&Path> {
        self.lead_first().map(|(_, walked)| walked.path()).collect()
    }

    /// Whether a field is split in the form. `split`: fields that stay split, even with equal
    /// values.
    pub(crate) fn differs(&self, field: PacketField, split: &[PacketField]) -> bool {
        let [a, b] = &self.workspace.packets;
        let applies = (a.form.applies(field), b.form.applies(field));
        split.contains(&field) || applies != (true, true) || a.form.get(field) != b.form.get(field)
    }

    /// The fields in which the two packets differ.
    pub fn differences(&self) -> Vec<PacketField> {
        let [a, b] = &self.workspace.packets;
        let value =
            |form: &PacketForm, field| form.applies(field).then(|| form.get(field).to_owned());
        PacketField::all()
            .filter(|field| value(&a.form, *field) != value(&b.form, *field))
            .collect()
    }

    /// The difference of a packet from the other, in words: "uid 1337".
    pub fn name(&self, side: Side) -> String {
        let slot = self.workspace.slot(side);
        let differences = self.differences();
        if let ([field], true) = (&differences[..], self.workspace.compare)
            && slot.form.applies(*field)
        {
            return field.phrase(slot.form.get(*field));
        }
        let scenario = slot.scenario.and_then(|key| self.scenario(key));
        match (scenario, slot.form.packet()) {
            (Some(scenario), _) => scenario.label.clone(),
            (_, Ok(packet)) => format_sent(&packet),
            (_, Err(_)) => "incomplete".into(),
        }
    }

    /// The packet of that name, including the additional ones of the table of outcomes.
    pub fn scenario(&self, key: &str) -> Option<&Scenario> {
        let added = self.results.outcomes.iter().flat_map(|all| all.iter());
        self.workspace.paste.scenario(key).or_else(|| {
            added
                .map(|outcome| &outcome.scenario)
                .find(|scenario| scenario.key == key)
        })
    }

    /// Every assumption of the rules and of the shown walks, as sentences.
    pub fn assumptions(&self) -> Vec<String> {
        let mut all = self.workspace.paste.given();
        for (_, walked) in self.walks() {
            for assumption in &walked.trace.assumes {
                if !all.contains(assumption) {
                    all.push(assumption.clone());
                }
            }
        }
        all.iter()
            .map(|assumption| format!("{}.", explain::capital(assumption)))
            .collect()
    }
}

/// A packet in a few words: "uid 1337 to 10.0.0.1:443".
pub fn format_sent(packet: &Packet) -> String {
    let to = explain::endpoint(packet.dst, packet.dport);
    match packet.uid.filter(|_| packet.dport.is_some()) {
        Some(uid) => format!("uid {uid} to {to}"),
        None => format!("{} to {to}", packet.protocol),
    }
}
