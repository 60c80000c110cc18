//! The texts on the map.

use super::shapes::plain;
use super::way::{MapStation, stops};
use super::{ClickTarget, Layout, Shape, ShapeGroup, Track};
use crate::analysis::explain::Fate;
use crate::walk::trace::RouteReason;

/// The text above a station that is not a hook.
pub(super) fn heading(stop: &MapStation) -> &'static str {
    match stop {
        MapStation::In(_) => "in by",
        MapStation::Route {
            why: RouteReason::Mangled | RouteReason::Translated,
            ..
        } => "again",
        _ => "route",
    }
}

/// The text below the station.
pub(super) fn word(stop: &MapStation) -> &str {
    match stop {
        MapStation::In(interface) => interface,
        MapStation::Route { to, .. } => to.as_deref().unwrap_or("here"),
        MapStation::Hook(hooked) => hooked.hook.name(),
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
pub(super) fn glyphed(sheet: &Layout, lane: usize) -> String {
    let Track { fate, end, .. } = &sheet.lanes[lane];
    format!("{} {end}", glyph(*fate))
}

/// "A, B captured".
pub(super) fn said(sheet: &Layout, lanes: &[usize]) -> String {
    let mut letters: Vec<&str> = lanes.iter().map(|lane| sheet.lanes[*lane].letter).collect();
    letters.sort();
    format!(
        "{} {}",
        letters.join(", "),
        sheet.lanes[lanes[0]].fate.word(sheet.meshed)
    )
}

/// The box of an outcome. A click shows the last step.
pub(super) fn draw_end(sheet: &Layout, lanes: &[usize], shapes: Vec<Shape>) -> ShapeGroup {
    let lane = &sheet.lanes[lanes[0]];
    let last = lane.path.steps.len().saturating_sub(1);
    let name = format!("{}, {}", lane.end, said(sheet, lanes));
    ShapeGroup {
        lane: Some(lanes[0]),
        stop: true,
        go: Some(ClickTarget::Step(last)),
        name,
        ..plain(shapes)
    }
}

/// The path of the copy of a broadcast or multicast.
pub(super) fn copy(sheet: &Layout) -> Vec<(&'static str, Vec<MapStation>)> {
    let copied = sheet.lanes.iter().filter(|lane| lane.path.copy.is_some());
    copied
        .map(|lane| (lane.letter, stops(sheet.rulesets, lane.path, true)))
        .collect()
}
