//! The texts on the map.

use super::pen::plain;
use super::way::{Stop, stops};
use super::{Go, Group, Lane, Shape, Sheet};
use crate::analysis::explain::Fate;
use crate::walk::trace::RouteReason;

/// The text above a station that is not a hook.
pub(super) fn heading(stop: &Stop) -> &'static str {
    match stop {
        Stop::In(_) => "in by",
        Stop::Route {
            why: RouteReason::Mangled | RouteReason::Translated,
            ..
        } => "again",
        _ => "route",
    }
}

/// The text below the station.
pub(super) fn word(stop: &Stop) -> &str {
    match stop {
        Stop::In(interface) => interface,
        Stop::Route { to, .. } => to.as_deref().unwrap_or("here"),
        Stop::Hook(hooked) => hooked.hook.name(),
    }
}

/// The symbol of an outcome.
pub(super) fn glyph(fate: Fate) -> &'static str {
    match fate {
        Fate::Captured => "●",
        Fate::Direct => "○",
        Fate::Dropped => "✕",
        Fate::Unknown => "?",
    }
}

/// An outcome with its symbol.
pub(super) fn glyphed(sheet: &Sheet, lane: usize) -> String {
    let Lane { fate, end, .. } = &sheet.lanes[lane];
    format!("{} {end}", glyph(*fate))
}

/// "A, B captured".
pub(super) fn said(sheet: &Sheet, lanes: &[usize]) -> String {
    let mut letters: Vec<&str> = lanes.iter().map(|lane| sheet.lanes[*lane].letter).collect();
    letters.sort();
    format!(
        "{} {}",
        letters.join(", "),
        sheet.lanes[lanes[0]].fate.word(sheet.meshed)
    )
}

/// The box of an outcome. A click shows the last step.
pub(super) fn draw_end(sheet: &Sheet, lanes: &[usize], shapes: Vec<Shape>) -> Group {
    let lane = &sheet.lanes[lanes[0]];
    let last = lane.path.steps.len().saturating_sub(1);
    let name = format!("{}, {}", lane.end, said(sheet, lanes));
    Group {
        lane: Some(lanes[0]),
        stop: true,
        go: Some(Go::Step(last)),
        name,
        ..plain(shapes)
    }
}

/// The path of the copy of a broadcast or multicast.
pub(super) fn copy(sheet: &Sheet) -> Vec<(&'static str, Vec<Stop>)> {
    let copied = sheet.lanes.iter().filter(|lane| lane.path.copy.is_some());
    copied
        .map(|lane| (lane.letter, stops(sheet.rulesets, lane.path, true)))
        .collect()
}
