//! The senders of a packet: all user and group ids, split into classes with one outcome each.

use std::collections::BTreeSet;

use crate::analysis::constants::Constants;
use crate::mesh::ranges;
use crate::netfilter::condition::Subject;
use crate::netfilter::ruleset::Ruleset;
use crate::packet::fields::PacketField;
use crate::packet::host::Host;
use crate::packet::{Origin, Packet};
use crate::walk::trace::{Trace, Verdict};
use crate::walk::walk;

/// The maximum number of steps. The rules of a node may name thousands of ids.
const MAX_STEPS: usize = 300_000;

/// Ranges of ids, both ends included.
pub type Ids = Vec<(u32, u32)>;

/// Senders with the same outcome by the same rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SenderClass {
    /// Their user ids.
    pub uids: Ids,
    /// Their group ids.
    pub gids: Ids,
    /// The outcome of their packet and the decisive rule; `None` if it is undetermined.
    pub verdict: Option<Verdict>,
}

impl SenderClass {
    /// The packet, sent by a member of the class. It keeps the packet's own ids if they belong to
    /// the class, otherwise it gets the lowest ones.
    pub fn sample(&self, packet: &Packet) -> Packet {
        let pick = |ids: &Ids, own: Option<u32>| {
            let own = own.filter(|own| ids.iter().any(|(low, high)| low <= own && own <= high));
            own.or_else(|| ids.first().map(|(low, _)| *low))
        };
        Packet {
            uid: pick(&self.uids, packet.uid),
            gid: pick(&self.gids, packet.gid),
            owner: None,
            ..packet.clone()
        }
    }

    /// Names the class: "uid 1337", "uid not 1337, gid 1337"; the last class is "everyone else".
    pub fn who(&self) -> String {
        let ids = |what: &str, ids: &Ids| match ids[..] {
            [(0, u32::MAX)] => None,
            _ if covered(ids) > u64::from(u32::MAX / 2) => {
                Some(format!("{what} not {}", ranges(&gaps(ids))))
            }
            _ => Some(format!("{what} {}", ranges(ids))),
        };
        let who: Vec<String> = [ids("uid", &self.uids), ids("gid", &self.gids)]
            .into_iter()
            .flatten()
            .collect();
        if who.is_empty() {
            "everyone".into()
        } else {
            who.join(", ")
        }
    }
}

fn covered(ids: &Ids) -> u64 {
    ids.iter()
        .map(|(low, high)| u64::from(high - low) + 1)
        .sum()
}

/// The gaps between ranges that are in order.
fn gaps(ids: &Ids) -> Ids {
    let mut gaps = Vec::new();
    let mut next = 0;
    for (low, high) in ids {
        if *low > next {
            gaps.push((next, low - 1));
        }
        next = high.saturating_add(1);
    }
    if ids.last().is_some_and(|(_, high)| *high < u32::MAX) {
        gaps.push((next, u32::MAX));
    }
    gaps
}

/// Splits all senders of a local packet into classes. The largest class is the last. The list is
/// empty for a packet that arrives, or if the rules name too many ids. `constants` are those of the
/// rules for the packet's family.
pub fn classes(
    rulesets: &[Ruleset],
    constants: &Constants,
    host: &Host,
    packet: &Packet,
) -> Vec<SenderClass> {
    if packet.origin == Origin::Inbound {
        return Vec::new();
    }
    let [uids, gids] = [PacketField::Uid, PacketField::Gid]
        .map(|field| intervals(constants, Subject::Packet(field)));
    let mut steps = 0;
    let mut rows: Vec<(Ids, Vec<SenderClass>)> = Vec::new();
    for uid in uids {
        let mut row: Vec<SenderClass> = Vec::new();
        for gid in &gids {
            let mut packet = packet.clone();
            (packet.uid, packet.gid, packet.owner) = (Some(uid.0), Some(gid.0), None);
            let trace = walk(rulesets, None, host, &packet);
            steps += taken(&trace);
            if steps > MAX_STEPS {
                return Vec::new();
            }
            let verdict = trace.verdict().cloned();
            match row.iter_mut().find(|class| class.verdict == verdict) {
                Some(class) => join(&mut class.gids, *gid),
                None => row.push(SenderClass {
                    uids: Vec::new(),
                    gids: vec![*gid],
                    verdict,
                }),
            }
        }
        match rows.iter_mut().find(|(_, other)| *other == row) {
            Some((ids, _)) => join(ids, uid),
            None => rows.push((vec![uid], row)),
        }
    }
    let mut classes: Vec<SenderClass> = rows
        .into_iter()
        .flat_map(|(uids, row): (Ids, Vec<SenderClass>)| {
            row.into_iter().map(move |class| SenderClass {
                uids: uids.clone(),
                ..class
            })
        })
        .collect();
    let size =
        |class: &SenderClass| u128::from(covered(&class.uids)) * u128::from(covered(&class.gids));
    if let Some(largest) = (0..classes.len()).max_by_key(|place| size(&classes[*place])) {
        let largest = classes.remove(largest);
        classes.push(largest);
    }
    classes
}

/// The cost of a walk in steps.
pub(crate) fn taken(trace: &Trace) -> usize {
    let branches: usize = trace
        .branches
        .iter()
        .map(|branch| branch.path.steps.len())
        .sum();
    trace.path.steps.len() + branches + 1 + trace.host.weight()
}

/// The ids, cut at the ends of every range in the rules.
fn intervals(constants: &Constants, subject: Subject) -> Ids {
    let ranges = constants.ranges(subject).into_iter();
    let cuts = ranges
        .flat_map(|(low, high)| [Some(low), high.checked_add(1)])
        .flatten();
    let starts: BTreeSet<u32> = cuts.chain([0]).collect();
    let mut intervals: Ids = starts.into_iter().map(|start| (start, u32::MAX)).collect();
    for place in 1..intervals.len() {
        intervals[place - 1].1 = intervals[place].0 - 1;
    }
    intervals
}

fn join(ids: &mut Ids, next: (u32, u32)) {
    match ids.last_mut() {
        Some((_, high)) if high.checked_add(1) == Some(next.0) => *high = next.1,
        _ => ids.push(next),
    }
}
