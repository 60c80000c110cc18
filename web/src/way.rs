//! A packet's way in short: its hooks, the routing between them, and where it ends.

use chainwalk_core::ruleset::{Hook, TableName};
use chainwalk_core::walk::trace::{Path, RouteReason};

/// One station.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Station {
    /// A routing decision, with the interface it chose; none for this host.
    Route {
        /// Why it was taken.
        why: RouteReason,
        /// Where the packet goes now.
        interface: Option<String>,
    },
    /// A hook, with the tables that were asked there.
    Hook {
        /// Which.
        hook: Hook,
        /// Tables with a chain at it.
        tables: Vec<TableName>,
        /// Its first step, where a rule or policy was asked.
        first: Option<usize>,
        /// One past its last step.
        end: usize,
    },
}

/// The stations of a way, in order.
pub(crate) fn stations(path: &Path) -> Vec<Station> {
    let route = |wanted: &[RouteReason]| {
        let notes = path
            .routes
            .iter()
            .filter(|note| wanted.contains(&note.why))
            .map(|note| Station::Route { why: note.why, interface: note.interface.clone() });
        notes.collect::<Vec<_>>()
    };
    let mut stations = Vec::new();
    let mut last = None;
    // The first view is the packet before any hook.
    for view in path.views.iter().skip(1) {
        if last == Some(view.hook) {
            continue;
        }
        last = Some(view.hook);
        match view.hook {
            Hook::Output => stations.extend(route(&[RouteReason::Sent])),
            Hook::Prerouting => stations.extend(route(&[RouteReason::Looped, RouteReason::Copied])),
            _ => {}
        }
        let mut here = path.steps.runs().iter().filter(|run| run.first.hook == view.hook);
        let mut tables: Vec<TableName> = here.clone().map(|run| run.first.place.at.table).collect();
        tables.dedup();
        stations.push(Station::Hook {
            hook: view.hook,
            tables,
            first: here.clone().next().map(|run| run.places().start),
            end: here.next_back().map_or(0, |run| run.places().end),
        });
        match view.hook {
            Hook::Output => stations.extend(route(&[RouteReason::Mangled, RouteReason::Translated])),
            Hook::Prerouting => stations.extend(route(&[RouteReason::Arrived])),
            _ => {}
        }
    }
    stations
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::paste::Paste;
    use crate::walked::Walked;

    fn way(key: &str) -> String {
        let paste = Paste::sample(0);
        let packet = &paste.scenario(key).expect("known").packet;
        let walked = Walked::new(paste.rulesets(), None, &paste.host, packet, &[]);
        let say = |station: Station| match station {
            Station::Hook { hook, .. } => hook.name().to_owned(),
            Station::Route { interface, .. } => interface.unwrap_or("here".into()),
        };
        stations(walked.path()).into_iter().map(say).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn ways_go_through_their_hooks() {
        assert_eq!(way("internet"), "eth0 OUTPUT lo POSTROUTING here PREROUTING INPUT");
        assert_eq!(way("as-proxy"), "eth0 OUTPUT POSTROUTING");
        assert_eq!(way("inbound"), "PREROUTING here INPUT");
    }
}
