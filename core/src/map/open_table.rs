//! The opened table under the cursor. Each evaluated rule is a station, which is filled if the rule
//! matches. Below them are the chains, each as wide as the packet's time in it. Read from top to
//! bottom, they are the call stack.

use std::ops::Range;

use super::cells::{self, Cell, Plan, cells};
use super::shapes::{Layers, area, dot, leads, line, of_lane, plain, shorten, text, wide};
use super::{Anchor, Layout, Shape, ShapeGroup, outcome, way};
use crate::walk::trace::{Outcome, Path, Step};

/// The margin at both sides.
const EDGE: i32 = 9;
/// The minimum width of a station.
const PITCH: i32 = 24;
/// The width of a station for everything omitted at one side.
const REST: i32 = 60;
/// The maximum nesting depth with a row of its own.
const DEEPEST: usize = 4;
/// The height of a chain's bar.
const BAR: i32 = 16;

/// The steps of each lane in the table under the cursor: lane and steps. The followed lane is the
/// first.
pub(super) fn opened(sheet: &Layout) -> Vec<(usize, Range<usize>)> {
    let Some(lane) = sheet.lanes.get(sheet.followed) else {
        return Vec::new();
    };
    let at = sheet.cursor.min(lane.path.steps.len().saturating_sub(1));
    let Some(step) = lane.path.steps.get(at) else {
        return Vec::new();
    };
    let key = |path: &Path, step: &Step| {
        (
            step.hook,
            step.place.at.ruleset,
            step.place.at.table,
            path.views[step.view as usize].copied,
        )
    };
    let wanted = key(lane.path, &step);
    let mut found = Vec::new();
    for (place, lane) in sheet.lanes.iter().enumerate() {
        let mut runs = lane
            .path
            .steps
            .runs()
            .iter()
            .filter(|run| key(lane.path, &run.first) == wanted);
        let Some(first) = runs.next() else { continue };
        let end = runs.next_back().unwrap_or(first).places().end;
        found.push((place, first.places().start..end));
    }
    found
}

/// The number of stations that two lanes share: the same rules, up to the first one with different
/// results.
pub(super) fn aligned(sheet: &Layout, opened: &[(usize, Range<usize>)]) -> usize {
    let [(one, a), (other, b)] = opened else {
        return opened.first().map_or(0, |(_, steps)| steps.len());
    };
    let (one, other) = (sheet.lanes[*one].path, sheet.lanes[*other].path);
    let mut count = 0;
    let (one, other) = (
        one.steps.iter().skip(a.start),
        other.steps.iter().skip(b.start),
    );
    for (a, b) in one.take(a.len()).zip(other.take(b.len())) {
        if a.place != b.place {
            break;
        }
        count += 1;
        if a.outcome != b.outcome {
            break;
        }
    }
    count
}

/// The steps that must not be folded, in the numbering of the lane at this position of `opened`.
/// The cursor of the followed lane is the first.
pub(super) fn kept(
    sheet: &Layout,
    opened: &[(usize, Range<usize>)],
    aligned: usize,
    place: usize,
) -> Vec<usize> {
    let start = opened[place].1.start;
    let mut kept = Vec::new();
    for (at, (lane, steps)) in opened.iter().enumerate() {
        for step in sheet.lanes[*lane].decided.into_iter().chain([sheet.cursor]) {
            if steps.contains(&step) && (at == place || step - steps.start < aligned) {
                let own = step - steps.start + start;
                if *lane == sheet.followed {
                    kept.insert(0, own)
                } else {
                    kept.push(own)
                }
            }
        }
    }
    if opened.len() > 1 && aligned > 0 {
        kept.push(start + aligned - 1);
    }
    kept
}

/// The effect of a table on a packet, for the end of its line: "REDIRECT → 127.0.0.1:15001".
pub(super) fn result(sheet: &Layout, lane: usize, steps: &Range<usize>) -> String {
    let path = sheet.lanes[lane].path;
    let Some(last) = steps.clone().last().map(|last| path.steps.at(last)) else {
        return String::new();
    };
    let action = cells::action(sheet.rulesets, &last);
    let views = (
        &path.views[path.steps.at(steps.start).view as usize],
        &path.views[last.after as usize],
    );
    match (last.outcome, way::label(views.0, views.1)) {
        (Outcome::Policy, _) => format!("policy {action}"),
        (_, Some(label)) => format!("{action} {label}"),
        _ => action.to_owned(),
    }
}

/// The stations of one line.
struct LensLine {
    lane: usize,
    y: i32,
    stations: Vec<(Cell, i32, i32)>,
}

/// Draws the table under the cursor below `y`. Returns the lower edge.
pub(super) fn draw(sheet: &Layout, layers: &mut Layers, y: i32) -> i32 {
    let opened = opened(sheet);
    let Some((lane, steps)) = opened.first() else {
        return y;
    };
    let first = sheet.lanes[*lane].path.steps.at(steps.start);
    let table = first.place.at.table(sheet.rulesets).label();
    layers
        .marks
        .push(plain(title(&table, first.hook.name(), EDGE + 8, y + 6)));

    // The lower line belongs to the first lane, or to the only one.
    let aligned = aligned(sheet, &opened);
    let (below, above) = match &opened[..] {
        [one, other] => (one, Some(other)),
        _ => (&opened[0], None),
    };
    let ends = opened
        .iter()
        .map(|(lane, steps)| wide(&result(sheet, *lane, steps)) + 30)
        .max()
        .unwrap_or(0);
    let room = sheet.width - 2 * EDGE - 16 - ends;
    let rail = y + if above.is_some() { 66 } else { 44 };
    let mut lines = Vec::new();
    let kept_below = kept(sheet, &opened, aligned, 0);
    let half = if above.is_some() { room * 3 / 5 } else { room };
    let shared = stations(
        sheet,
        below,
        0..aligned,
        &kept_below,
        EDGE + 20..EDGE + 20 + half,
    );
    let x = shared.last().map_or(EDGE + 20, |(_, x, width)| x + width);
    let taken = x - EDGE - 20;
    let tail = stations(
        sheet,
        below,
        aligned..below.1.len(),
        &kept_below,
        x..x + room - taken,
    );
    lines.push(LensLine {
        lane: below.0,
        y: rail,
        stations: shared.iter().cloned().chain(tail).collect(),
    });
    if let Some(above) = above {
        // The shared stations get the numbers of each lane's own steps.
        let mut all: Vec<_> = shared
            .iter()
            .map(|(cell, x, width): &(Cell, i32, i32)| {
                let start = cell.start - below.1.start + above.1.start;
                (start..start + cell.len(), *x, *width)
            })
            .collect();
        let kept = kept(sheet, &opened, aligned, 1);
        all.extend(stations(
            sheet,
            above,
            aligned..above.1.len(),
            &kept,
            x..x + room - taken,
        ));
        lines.push(LensLine {
            lane: above.0,
            y: rail - 13,
            stations: all,
        });
    }
    let bars = bars(sheet, &lines[0], rail + 22, layers);
    for (place, line) in lines.iter().enumerate() {
        // Shared stations have their numbers once, below.
        let own = if place == 0 { 0 } else { shared.len() };
        draw_line(sheet, line, own, place == 1, layers);
    }
    hits(sheet, &lines, shared.len(), layers);
    let bottom = bars + 8;
    layers.tints.extend(tint(sheet, &lines, shared.len()));
    layers.boxes.push(plain(vec![area(
        "lens",
        (EDGE, y),
        (sheet.width - 2 * EDGE, bottom - y),
        5,
    )]));
    bottom + 4
}

/// The highlighted name of the table in its box.
fn title(table: &str, hook: &str, x: i32, y: i32) -> Vec<Shape> {
    let width = wide(table) + 9;
    vec![
        area("tag lit", (x, y), (width, 17), 3),
        text(
            "tag-text lit",
            (x + width / 2, y + 12),
            Anchor::Middle,
            table,
        ),
        text(
            "quiet",
            (x + width + 6, y + 12),
            Anchor::Start,
            &format!("at {hook}"),
        ),
    ]
}

/// Makes stations for some of a lane's steps in the table, counted from its first step. `place` are
/// their x coordinates.
fn stations(
    sheet: &Layout,
    (lane, steps): &(usize, Range<usize>),
    some: Range<usize>,
    kept: &[usize],
    place: Range<i32>,
) -> Vec<(Cell, i32, i32)> {
    let lane = &sheet.lanes[*lane];
    let width = |cell: &Cell| (wide(&cells::label(lane.path, cell)) + 9).max(PITCH);
    let plan = Plan {
        kept,
        room: place.end - place.start,
        rest: REST,
    };
    let mut x = place.start;
    let mut placed = Vec::new();
    for cell in cells(
        lane,
        steps.start + some.start..steps.start + some.end,
        &plan,
        width,
    ) {
        let width = width(&cell);
        placed.push((cell, x, width));
        x += width;
    }
    placed
}

/// The class of a station.
pub(super) fn class(outcome: Outcome, several: bool) -> &'static str {
    match outcome {
        Outcome::Match | Outcome::Policy if !several => "station match",
        Outcome::Unknown => "station maybe",
        _ if several => "station several",
        _ => "station",
    }
}

/// Draws a line with its stations, and their numbers from the `own`th on.
fn draw_line(sheet: &Layout, line_: &LensLine, own: usize, above: bool, layers: &mut Layers) {
    let lane = &sheet.lanes[line_.lane];
    // The end of a line that leaves upward.
    let tail = line_.y - if above { 14 } else { 0 };
    let y = |at: usize| if at >= own { tail } else { line_.y };
    let mut points: Vec<(i32, i32)> = Vec::new();
    let mut here = None;
    for (at, (cell, x, width)) in line_.stations.iter().enumerate() {
        points.push((x + width / 2, y(at)));
        if cell.contains(&sheet.cursor) {
            here = Some(at);
        }
    }
    let Some((last, (_, last_y))) = points.len().checked_sub(1).map(|last| (last, points[last]))
    else {
        return;
    };
    let steps = line_.stations[0].0.start..line_.stations[last].0.end;
    let end = (line_.stations[last].1 + line_.stations[last].2 + 10, last_y);
    points.push(end);
    // A cursor outside the table is before or after it.
    let gone = here.unwrap_or(if sheet.cursor < steps.start {
        0
    } else {
        last + 1
    });
    let rails = vec![
        line("rail ahead", &points[gone..]),
        line("rail gone", &points[..=gone]),
    ];
    layers.lines.push(of_lane(line_.lane, rails));
    let mut shapes = Vec::new();
    shapes.push(text(
        "result",
        (end.0 + 4, end.1 + 4),
        Anchor::Start,
        &result(sheet, line_.lane, &steps),
    ));
    for (at, (cell, x, width)) in line_.stations.iter().enumerate() {
        let became = outcome(lane, cell.start);
        let (middle, y) = (x + width / 2, y(at));
        shapes.push(dot(class(became, cell.len() > 1), (middle, y), 4));
        if at >= own {
            let label = cells::label(lane.path, cell);
            let class = if cell.contains(&sheet.cursor) {
                "number here"
            } else {
                "number"
            };
            shapes.push(text(
                class,
                (middle, if above { y - 9 } else { y + 17 }),
                Anchor::Middle,
                &label,
            ));
        }
    }
    layers.marks.push(of_lane(line_.lane, shapes));
}

/// The upper and lower edge of a station's column. Two lines share the column of a shared station.
fn column(lines: &[LensLine], place: usize, is_shared: bool) -> (i32, i32) {
    let y = lines[place].y;
    match (lines.len(), is_shared, place) {
        (2, false, 0) => (y - 6, y + 21),
        (2, false, _) => (y - 34, y - 6),
        (2, true, _) => (y - 24, y + 21),
        _ => (y - 11, y + 21),
    }
}

/// Highlights the decisive rule of the last lane, once.
fn tint(sheet: &Layout, lines: &[LensLine], shared: usize) -> Option<ShapeGroup> {
    let lead = sheet.lanes.len() - 1;
    let (place, line) = lines
        .iter()
        .enumerate()
        .find(|(_, line)| line.lane == lead)?;
    let decided = sheet.lanes[lead].decided?;
    let at = line
        .stations
        .iter()
        .position(|(cell, ..)| cell.contains(&decided))?;
    let (_, x, width) = line.stations[at];
    let (from, to) = column(lines, place, at < shared);
    Some(of_lane(
        lead,
        vec![area("tint", (x + 1, from), (width - 2, to - from), 3)],
    ))
}

/// Draws the frame of the cursor, and the click areas of the columns.
fn hits(sheet: &Layout, lines: &[LensLine], shared: usize, layers: &mut Layers) {
    for (place, line_) in lines.iter().enumerate() {
        for (at, (cell, x, width)) in line_.stations.iter().enumerate() {
            let is_shared = at < shared;
            // The shared stations represent both lines.
            if place == 1 && is_shared {
                continue;
            }
            let (from, to) = column(lines, place, is_shared);
            let mut shapes = vec![area("hit", (*x, from), (*width, to - from), 3)];
            let seen: Vec<&LensLine> = lines
                .iter()
                .filter(|other| is_shared || other.lane == line_.lane)
                .collect();
            let cell_of = |line: &LensLine| line.stations[at].0.clone();
            let here = seen
                .iter()
                .any(|line| cell_of(line).contains(&sheet.cursor));
            if here {
                shapes.push(area("frame", (x + 1, from), (width - 2, to - from), 3));
                let middle = x + width / 2;
                shapes.push(line(
                    "pointer",
                    &[
                        (middle - 5, from - 7),
                        (middle + 5, from - 7),
                        (middle, from - 1),
                    ],
                ));
            }
            let names: Vec<String> = seen
                .iter()
                .map(|line| cells::name(sheet.rulesets, &sheet.lanes[line.lane], &cell_of(line)))
                .collect();
            let step = seen
                .iter()
                .find(|line| line.lane == sheet.followed)
                .map_or(cell.start, |line| cell_of(line).start);
            layers.keys.push(ShapeGroup {
                current: here,
                ..leads(step, names.join(". "), shapes)
            });
        }
    }
}

/// Draws the chains that the packet was in as bars below `y`. The outermost is the first.
fn bars(sheet: &Layout, line_: &LensLine, y: i32, layers: &mut Layers) -> i32 {
    let path = sheet.lanes[line_.lane].path;
    let mut bars: Vec<(usize, Option<u32>, usize, i32, i32)> = Vec::new();
    let mut deepest = 0;
    for (cell, x, width) in &line_.stations {
        let calls = cells::calls(path, cell.start);
        for (depth, call) in calls.iter().enumerate() {
            let row = depth.min(DEEPEST);
            // A bar of the same call in the row continues. Deeper chains share the last row.
            let last = bars.iter_mut().rev().find(|bar| bar.0 == row);
            match last {
                Some(bar) if bar.1 == *call && bar.4 == *x => bar.4 = x + width,
                _ => bars.push((
                    row,
                    *call,
                    chain_of(path, &calls, depth, cell.start),
                    *x,
                    x + width,
                )),
            }
            deepest = deepest.max(row);
        }
    }
    let rights: Vec<i32> = bars
        .iter()
        .map(|bar| {
            let next = bars
                .iter()
                .filter(|other| other.0 == bar.0 && other.3 >= bar.4)
                .map(|other| other.3)
                .min();
            next.unwrap_or(sheet.width - EDGE - 4)
        })
        .collect();
    let mut shapes = Vec::new();
    for ((row, _, step, from, to), right) in bars.iter().zip(rights) {
        let (_, _, chain) = path.steps.at(*step).place.at.find(sheet.rulesets);
        let top = y + BAR * i32::try_from(*row).unwrap_or(0);
        let here = line_
            .stations
            .iter()
            .any(|(cell, x, _)| cell.contains(&sheet.cursor) && x >= from && x < to);
        shapes.push(area(
            if here { "bar here" } else { "bar" },
            (from + 1, top),
            (to - from - 2, BAR - 3),
            2,
        ));
        // The name is in its bar. If the bar is too short, the name is after it, if there is more
        // room.
        let (inside, behind) = (to - from - 8, right - to - 6);
        let is_behind = wide(&chain.name) > inside && behind > inside;
        let (x, room) = if is_behind {
            (to + 3, behind)
        } else {
            (from + 5, inside)
        };
        let name = shorten(&chain.name, room);
        shapes.push(text(
            if here { "chain here" } else { "chain" },
            (x, top + 10),
            Anchor::Start,
            &name,
        ));
    }
    layers.marks.push(plain(shapes));
    y + BAR * (i32::try_from(deepest).unwrap_or(0) + 1)
}

/// A step in the chain at this depth: the caller of the next deeper chain, or the step itself.
fn chain_of(_: &Path, calls: &[Option<u32>], depth: usize, step: usize) -> usize {
    calls
        .get(depth + 1)
        .copied()
        .flatten()
        .map_or(step, |caller| caller as usize)
}
