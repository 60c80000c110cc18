//! A packet's path in short: its hooks with the evaluated tables, the routing between them, and the
//! changes of its label.

use std::ops::Range;

use crate::analysis::explain::socket;
use crate::netfilter::base::ChainType;
use crate::netfilter::ruleset::Ruleset;
use crate::packet::hook::Hook;
use crate::packet::view::View;
use crate::walk::steps::Run;
use crate::walk::trace::{Path, RouteReason, VerdictKind};

/// The name of a nat station that a packet skips.
pub(super) const NAT: &str = "nat";

/// A station of a packet's path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum MapStation {
    /// The packet arrives on an interface.
    In(String),
    /// A routing decision.
    Route {
        /// The reason for the decision.
        why: RouteReason,
        /// The chosen interface; `None` for this host.
        to: Option<String>,
    },
    /// A hook.
    Hook(Hooked),
}

/// A hook on a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Hooked {
    /// Which.
    pub(super) hook: Hook,
    /// Its steps.
    pub(super) steps: Range<usize>,
    /// The evaluated tables, in order.
    pub(super) tables: Vec<VisitedTable>,
    /// Whether the dump has a table nat here that was not evaluated, because the connection is
    /// already set up.
    pub(super) skips_nat: bool,
    /// The packet's label from here on, if it changed.
    pub(super) label: Option<String>,
}

/// An evaluated table at a hook.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct VisitedTable {
    /// The rule set, from 0.
    pub(super) ruleset: u32,
    /// The position of the table in the rule set.
    pub(super) table: u32,
    /// Its name.
    pub(super) name: Box<str>,
    /// Its steps.
    pub(super) steps: Range<usize>,
}

impl MapStation {
    /// Whether two packets have the same station here, independent of the results of rules.
    pub(super) fn is_like(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Hook(one), Self::Hook(other)) => one.hook == other.hook,
            (one, other) => one == other,
        }
    }

    /// Whether the packet leaves through `lo` here and returns.
    pub(super) fn turns(&self) -> bool {
        matches!(
            self,
            Self::Route {
                why: RouteReason::Looped,
                ..
            }
        )
    }

    /// The station in words.
    pub(super) fn describe(&self) -> String {
        match self {
            Self::In(interface) => format!("comes in by {interface}"),
            Self::Route {
                why: RouteReason::Looped,
                ..
            } => "out by lo and in again".into(),
            Self::Route { why, to } => {
                let again = if matches!(why, RouteReason::Mangled | RouteReason::Translated) {
                    "again "
                } else {
                    ""
                };
                format!("routed {again}to {}", to.as_deref().unwrap_or("this host"))
            }
            Self::Hook(hooked) => {
                let mut words = hooked.hook.name().to_owned();
                for (at, asked) in hooked.tables.iter().enumerate() {
                    words.push_str(if at == 0 { " with " } else { " and " });
                    words.push_str(&asked.name);
                }
                if let Some(label) = &hooked.label {
                    words.push_str(", rewritten ");
                    words.push_str(label);
                }
                words
            }
        }
    }
}

/// The stations of a packet in order; with `copied`, those of its copy.
pub(super) fn stops(rulesets: &[Ruleset], path: &Path, copied: bool) -> Vec<MapStation> {
    let mut stops = Vec::new();
    let route = |wanted: &[RouteReason], stops: &mut Vec<MapStation>| {
        let notes = path.routes.iter().filter(|note| wanted.contains(&note.why));
        stops.extend(notes.map(|note| MapStation::Route {
            why: note.why,
            to: note.interface.clone(),
        }));
    };
    // The first view is the packet before any hook.
    let views: Vec<&View> = path
        .views
        .iter()
        .skip(1)
        .filter(|view| view.copied == copied)
        .collect();
    if views.is_empty() {
        // A failed routing decision is not recorded. A recorded one here belongs to a packet that
        // met no hook.
        route(&[RouteReason::Sent], &mut stops);
    }
    let mut at = 0;
    for here in views.chunk_by(|one, next| one.hook == next.hook) {
        let (first, last) = (here[0], here[here.len() - 1]);
        match first.hook {
            Hook::Output => route(&[RouteReason::Sent], &mut stops),
            Hook::Prerouting if path.views[1].hook == Hook::Prerouting => {
                stops.extend(first.in_interface.clone().map(MapStation::In));
            }
            Hook::Prerouting => route(&[RouteReason::Looped], &mut stops),
            _ => {}
        }
        let runs = path.steps.runs().iter().filter(|run: &&Run| {
            run.first.hook == first.hook && path.views[run.first.view as usize].copied == copied
        });
        let start = runs.clone().next().map_or(at, |run| run.places().start);
        let end = runs
            .clone()
            .next_back()
            .map_or(start, |run| run.places().end);
        at = end;
        let asks_nat = runs.clone().any(|run: &Run| {
            run.first
                .place
                .at
                .find(rulesets)
                .2
                .base
                .is_some_and(|base| base.kind == ChainType::Nat)
        });
        let tables = tables(rulesets, runs);
        let gone = [
            VerdictKind::Dropped,
            VerdictKind::Rejected,
            VerdictKind::Queued,
        ];
        let ended = end == path.steps.len()
            && path
                .verdict
                .as_ref()
                .is_some_and(|verdict| gone.contains(&verdict.kind));
        let skips_nat = !ended && !asks_nat && nat_is_held(rulesets, path, first);
        let label = label(first, last);
        stops.push(MapStation::Hook(Hooked {
            hook: first.hook,
            steps: start..end,
            tables,
            skips_nat,
            label,
        }));
        match first.hook {
            Hook::Output => route(&[RouteReason::Mangled, RouteReason::Translated], &mut stops),
            Hook::Prerouting => route(&[RouteReason::Arrived], &mut stops),
            _ => {}
        }
    }
    stops
}

fn tables<'a>(rulesets: &[Ruleset], runs: impl Iterator<Item = &'a Run>) -> Vec<VisitedTable> {
    let mut tables: Vec<VisitedTable> = Vec::new();
    for run in runs {
        let (at, steps) = (run.first.place.at, run.places());
        match tables.last_mut() {
            Some(last) if (last.ruleset, last.table) == (at.ruleset, at.table) => {
                last.steps.end = steps.end
            }
            _ => {
                let name = at.table(rulesets).label().into();
                tables.push(VisitedTable {
                    ruleset: at.ruleset,
                    table: at.table,
                    name,
                    steps,
                });
            }
        }
    }
    tables
}

/// Whether one of the rule sets of this walk has a nat chain at the hook.
fn nat_is_held(rulesets: &[Ruleset], path: &Path, view: &View) -> bool {
    let walked = |place: u32| {
        path.steps
            .runs()
            .iter()
            .any(|run| run.first.place.at.ruleset == place)
    };
    let mut sets = (0..).zip(rulesets);
    sets.any(|(place, set)| {
        let mut base_chains = set
            .tables
            .iter()
            .flat_map(|table| &table.chains)
            .filter_map(|chain| chain.base);
        base_chains.any(|base| (base.hook, base.kind) == (view.hook, ChainType::Nat))
            && walked(place)
    })
}

/// The new label of a packet: the ends and the mark that a rule wrote.
pub(super) fn label(before: &View, after: &View) -> Option<String> {
    let end = |address: std::net::IpAddr, port: Option<u16>| match port {
        Some(port) => socket(address, port),
        None => address.to_string(),
    };
    let mut label = String::new();
    let mut add = |part: String| {
        if !label.is_empty() {
            label.push_str(", ");
        }
        label.push_str(&part);
    };
    if (before.dst, before.dport) != (after.dst, after.dport) {
        add(format!("→ {}", end(after.dst, after.dport)));
    }
    if (before.src, before.sport) != (after.src, after.sport) {
        add(format!("from {}", end(after.src, after.sport)));
    }
    if before.mark != after.mark {
        add(format!("mark {:#x}", after.mark));
    }
    if let (true, Some((_, Some(port)))) = (before.steered != after.steered, after.steered) {
        add(format!("to the socket on {port}"));
    }
    (!label.is_empty()).then_some(label)
}

/// The first label of a packet: its destination.
pub(super) fn first_label(path: &Path) -> String {
    let Some(view) = path.views.first() else {
        return String::new();
    };
    match view.dport {
        Some(port) => format!("→ {}", socket(view.dst, port)),
        None => format!("→ {}", view.dst),
    }
}
