//! The layout from top to bottom, for narrow screens: a line for each packet at the left, and a row
//! for each station.

use std::ops::Range;

use super::cells::{self, Plan, cells};
use super::labels::{copy, draw_end, glyph, glyphed, heading, said, word};
use super::open_table;
use super::shapes::{Layers, area, cut, dot, leads, line, of_lane, plain, rail, text, wide};
use super::way::{Hooked, MapStation, NAT, VisitedTable, first_label, stops};
use super::{Anchor, ClickTarget, Layout, Map, Shape, ShapeGroup, outcome};
use crate::walk::trace::Outcome;

/// The height of a row, and the minimum height of a touch target.
const ROW: i32 = 24;
const TOUCH: i32 = 44;
/// The distance between two lines.
const GAP: i32 = 20;

struct TallLayout<'a> {
    sheet: &'a Layout<'a>,
    ways: &'a [Vec<MapStation>],
    /// The points of each lane's line, at the rows of the lane.
    points: Vec<Vec<i32>>,
    here: Vec<Option<usize>>,
    layers: Layers,
    y: i32,
}

/// Draws.
pub(super) fn draw(sheet: &Layout, ways: &[Vec<MapStation>]) -> Map {
    let (points, here) = (vec![Vec::new(); ways.len()], vec![None; ways.len()]);
    let mut hand = TallLayout {
        sheet,
        ways,
        points,
        here,
        layers: Layers::default(),
        y: 4,
    };
    hand.starts();
    let lanes: Vec<usize> = (0..ways.len()).collect();
    let alike = match ways {
        [one, other] => one
            .iter()
            .zip(other)
            .take_while(|(one, other)| one.is_like(other))
            .count(),
        _ => 0,
    };
    for stop in 0..alike {
        hand.stop(&lanes, stop);
    }
    // The second lane comes first, because its line is the inner one.
    for lane in lanes.iter().rev() {
        for stop in alike..ways[*lane].len() {
            hand.stop(&[*lane], stop);
        }
        hand.draw_end(*lane);
    }
    let TallLayout {
        mut layers,
        points,
        here,
        y,
        ..
    } = hand;
    for (lane, points) in points.iter().enumerate() {
        let through: Vec<(i32, i32)> = points.iter().map(|y| (x(lane), *y)).collect();
        if let Some(last) = through.len().checked_sub(1) {
            rail(
                &mut layers,
                lane,
                sheet.lanes[lane].letter,
                &through,
                here[lane].unwrap_or(last),
            );
        }
    }
    let y = strips(sheet, &mut layers, y, 2);
    Map {
        width: sheet.width,
        height: y + 4,
        groups: layers.flatten(),
        says: String::new(),
    }
}

/// The x coordinate of a lane's line.
fn x(lane: usize) -> i32 {
    12 + GAP * i32::try_from(lane).unwrap_or(0)
}

impl TallLayout<'_> {
    /// The x coordinate of texts.
    fn left(&self) -> i32 {
        x(self.ways.len().saturating_sub(1)) + 18
    }

    fn starts(&mut self) {
        for (lane, at) in self.sheet.lanes.iter().enumerate() {
            let says = format!("{} {}", at.letter, at.name);
            let label = format!("{says} {}", first_label(at.path));
            let room = self.sheet.width - self.left();
            let says = text(
                "start",
                (self.left(), self.y + 14),
                Anchor::Start,
                &cut(&label, room),
            );
            self.layers.marks.push(of_lane(lane, vec![says]));
            self.points[lane].push(self.y + 10);
            self.y += 20;
        }
    }

    /// Draws a station that some lanes share.
    fn stop(&mut self, lanes: &[usize], stop: usize) {
        let way = &self.ways[lanes[0]];
        match &way[stop] {
            MapStation::Hook(hooked) => self.hook(lanes, stop, hooked),
            other => {
                let words = match other.turns() {
                    true => other.describe(),
                    false => format!("{} {}", heading(other), word(other)),
                };
                let (left, y) = (self.left(), self.y);
                self.layers.marks.push(plain(vec![text(
                    "quiet",
                    (left, y + 15),
                    Anchor::Start,
                    &words,
                )]));
                for lane in lanes {
                    self.layers
                        .marks
                        .push(of_lane(*lane, vec![dot("route", (x(*lane), y + 11), 3)]));
                    self.points[*lane].push(y + 11);
                }
                self.y += 22;
            }
        }
    }

    fn hook(&mut self, lanes: &[usize], stop: usize, hooked: &Hooked) {
        let (left, top) = (self.left(), self.y);
        let from = x(lanes[0]) - 10;
        let name = hooked.hook.name();
        let mut shapes = vec![text("hook-name", (left, top + 27), Anchor::Start, name)];
        let (mut tag_x, mut tag_y) = (left + wide(name) + 14, top);
        let mut lit_any = false;
        let mut tags: Vec<(&VisitedTable, usize, bool)> = Vec::new();
        for lane in lanes {
            let MapStation::Hook(hooked) = &self.ways[*lane][stop] else {
                continue;
            };
            for asked in &hooked.tables {
                let lit = asked.steps.contains(&self.sheet.cursor);
                lit_any |= lit;
                match tags
                    .iter_mut()
                    .find(|(tag, ..)| (tag.ruleset, tag.table) == (asked.ruleset, asked.table))
                {
                    Some((_, _, other)) => *other |= lit,
                    None => tags.push((asked, asked.steps.start, lit)),
                }
                if lit {
                    self.here[*lane] = Some(self.points[*lane].len());
                }
            }
            self.points[*lane].push(top + 22);
        }
        let mut signs = Vec::new();
        for (asked, step, lit) in tags {
            let width = wide(&asked.name) + 10;
            if tag_x + width > self.sheet.width - 6 {
                (tag_x, tag_y) = (left, tag_y + TOUCH - 6);
            }
            let (class, says) = if lit {
                ("tag lit", "tag-text lit")
            } else {
                ("tag", "tag-text")
            };
            let shapes = vec![
                area("hit", (tag_x - 2, tag_y + 2), (width + 4, TOUCH - 4), 3),
                area(class, (tag_x, tag_y + 14), (width, 18), 3),
                text(
                    says,
                    (tag_x + width / 2, tag_y + 27),
                    Anchor::Middle,
                    &asked.name,
                ),
            ];
            let name = format!("{} at {name}", asked.name);
            signs.push(ShapeGroup {
                stop: true,
                current: lit,
                ..leads(step, name, shapes)
            });
            tag_x += width + 4;
        }
        if hooked.skips_nat {
            let width = wide(NAT);
            shapes.push(text("quiet", (tag_x, tag_y + 27), Anchor::Start, NAT));
            shapes.push(line(
                "skipped",
                &[(tag_x, tag_y + 23), (tag_x + width, tag_y + 23)],
            ));
        }
        self.y = tag_y + TOUCH;
        if lit_any {
            self.table(lanes, stop);
        }
        let class = if lit_any { "hook lit" } else { "hook" };
        shapes.insert(
            0,
            area(
                class,
                (from, top + 4),
                (self.sheet.width - from - 2, self.y - top - 4),
                4,
            ),
        );
        self.layers.boxes.push(plain(shapes));
        self.layers.keys.extend(signs);
        for lane in lanes {
            let MapStation::Hook(Hooked {
                label: Some(label), ..
            }) = &self.ways[*lane][stop]
            else {
                continue;
            };
            let label = cut(label, self.sheet.width - left);
            self.layers.marks.push(of_lane(
                *lane,
                vec![text("rewrite", (left, self.y + 15), Anchor::Start, &label)],
            ));
            self.y += 20;
        }
        self.y += 2;
    }

    /// Draws the rows of the table under the cursor.
    fn table(&mut self, lanes: &[usize], stop: usize) {
        const MAX_CHARACTERS: i32 = 26;
        let opened = open_table::opened(self.sheet);
        let here: Vec<_> = opened
            .into_iter()
            .filter(|(lane, steps)| {
                let MapStation::Hook(hooked) =
                    &self.ways[*lane][stop.min(self.ways[*lane].len() - 1)]
                else {
                    return false;
                };
                lanes.contains(lane)
                    && hooked.steps.start <= steps.start
                    && steps.end <= hooked.steps.end
            })
            .collect();
        let aligned = open_table::aligned(self.sheet, &here);
        if here.is_empty() {
            return;
        }
        let some = |place: usize, from: usize, to: usize| {
            let (lane, steps) = &here[place];
            let plan = Plan {
                kept: &open_table::kept(self.sheet, &here, aligned, place),
                room: MAX_CHARACTERS / 2,
                rest: 1,
            };
            cells(
                &self.sheet.lanes[*lane],
                steps.start + from..steps.start + to,
                &plan,
                |_| 1,
            )
        };
        let shared = some(0, 0, aligned);
        let mut rows: Vec<Vec<(usize, cells::Cell)>> = Vec::new();
        for cell in &shared {
            rows.push(
                here.iter()
                    .map(|(lane, own): &(usize, Range<usize>)| {
                        let start = cell.start - here[0].1.start + own.start;
                        (*lane, start..start + cell.len())
                    })
                    .collect(),
            );
        }
        for (place, (lane, own)) in here.iter().enumerate().rev() {
            rows.extend(
                some(place, aligned, own.len())
                    .into_iter()
                    .map(|cell| vec![(*lane, cell)]),
            );
        }
        let mut chain = None;
        for row in rows {
            self.row(&row, &mut chain);
        }
        self.y += 4;
    }

    fn row(
        &mut self,
        row: &[(usize, cells::Cell)],
        chain: &mut Option<(usize, crate::netfilter::place::ChainPlace)>,
    ) {
        let (left, y) = (self.left(), self.y);
        let (first, cell) = &row[0];
        let lane = &self.sheet.lanes[*first];
        let step = lane.path.steps.at(cell.start);
        let depth =
            i32::try_from(cells::calls(lane.path, cell.start).len().min(5)).unwrap_or(1) - 1;
        let left = left + 8 * depth;
        let key = (*first, step.place.at);
        let (_, _, held) = step.place.at.find(self.sheet.rulesets);
        let mut says = String::new();
        if *chain != Some(key) {
            says.push_str(&held.name);
            says.push(' ');
        }
        *chain = Some(key);
        says.push_str(&cells::label(lane.path, cell));
        let current = row
            .iter()
            .any(|(_, cell)| cell.contains(&self.sheet.cursor));
        let mut shapes = vec![area(
            "hit",
            (x(*first) - 10, y),
            (self.sheet.width - x(*first) + 6, ROW),
            3,
        )];
        for (lane, cell) in row {
            let at = &self.sheet.lanes[*lane];
            let became = outcome(at, cell.start);
            let class = open_table::class(became, cell.len() > 1);
            self.layers
                .marks
                .push(of_lane(*lane, vec![dot(class, (x(*lane), y + ROW / 2), 4)]));
            if cell.contains(&self.sheet.cursor) {
                self.here[*lane] = Some(self.points[*lane].len());
            }
            self.points[*lane].push(y + ROW / 2);
            let is_lead = *lane + 1 == self.sheet.lanes.len();
            if is_lead && at.decided.is_some_and(|decided| cell.contains(&decided)) {
                self.layers.tints.push(of_lane(
                    *lane,
                    vec![area(
                        "tint",
                        (x(0) - 9, y + 1),
                        (self.sheet.width - 6, ROW - 2),
                        3,
                    )],
                ));
            }
        }
        says.push_str(&self.became(row));
        if current {
            shapes.push(area(
                "frame",
                (x(0) - 9, y + 1),
                (self.sheet.width - 6, ROW - 2),
                3,
            ));
        }
        let class = if current { "number here" } else { "number" };
        shapes.push(text(
            class,
            (left, y + 16),
            Anchor::Start,
            &cut(&says, self.sheet.width - left - 8),
        ));
        // The visible text comes first, for users of voice control.
        let mut name = says;
        for (lane, cell) in row {
            name.push_str(". ");
            name.push_str(&cells::name(
                self.sheet.rulesets,
                &self.sheet.lanes[*lane],
                cell,
            ));
        }
        let step = row
            .iter()
            .find(|(lane, _)| *lane == self.sheet.followed)
            .map_or(cell.start, |(_, cell)| cell.start);
        self.layers.keys.push(ShapeGroup {
            current,
            ..leads(step, name, shapes)
        });
        self.y += ROW;
    }

    /// The result of a row's rule, once if it is the same for all lanes.
    fn became(&self, row: &[(usize, cells::Cell)]) -> String {
        let of = |(lane, cell): &(usize, cells::Cell)| {
            let lane = &self.sheet.lanes[*lane];
            match outcome(lane, cell.start) {
                _ if cells::is_mixed(lane, cell) => "…",
                Outcome::NoMatch => "no match",
                Outcome::Unknown => "undetermined",
                Outcome::Match | Outcome::Policy => {
                    cells::action(self.sheet.rulesets, &lane.path.steps.at(cell.start))
                }
            }
        };
        match row {
            [one, other] if of(one) != of(other) => {
                let letter = |(lane, _): &(usize, cells::Cell)| self.sheet.lanes[*lane].letter;
                format!(
                    "  {} {}, {} {}",
                    letter(one),
                    of(one),
                    letter(other),
                    of(other)
                )
            }
            _ => format!("  {}", of(&row[0])),
        }
    }

    fn draw_end(&mut self, lane: usize) {
        let left = x(lane) - 10;
        let top = self.y + 4;
        let shapes = vec![
            area("end", (left, top), (self.sheet.width - left - 2, 40), 4),
            text(
                "end-text",
                (self.left(), top + 17),
                Anchor::Start,
                &glyphed(self.sheet, lane),
            ),
        ];
        let says = text(
            "end-word",
            (self.left(), top + 32),
            Anchor::Start,
            &said(self.sheet, &[lane]),
        );
        self.layers.marks.push(plain(vec![says]));
        self.layers.keys.push(draw_end(self.sheet, &[lane], shapes));
        self.points[lane].push(top + 20);
        self.y += 48;
        for other in self.sheet.lanes[lane].others.iter().take(3) {
            let says = format!("or {} {}", glyph(other.fate), other.end);
            let end = self.left() + wide(&says) + 8;
            let given = cut(&format!("if {}", other.given), self.sheet.width - end);
            let name = format!(
                "{says}, if {}, for {}",
                other.given, self.sheet.lanes[lane].letter
            );
            let shapes = vec![
                area("hit", (left, self.y), (self.sheet.width - left, ROW), 3),
                text("end-text", (self.left(), self.y + 16), Anchor::Start, &says),
            ];
            self.layers.marks.push(plain(vec![text(
                "quiet",
                (end, self.y + 16),
                Anchor::Start,
                &given,
            )]));
            self.layers.keys.push(ShapeGroup {
                fate: Some(other.fate),
                ..leads(other.step, name, shapes)
            });
            self.y += ROW;
        }
    }
}

/// Draws the paths of copies and later legs of the connection, each as a line of small boxes.
pub(super) fn strips(sheet: &Layout, layers: &mut Layers, mut y: i32, left: i32) -> i32 {
    for (letter, stops) in copy(sheet) {
        let names = stops
            .iter()
            .filter(|stop| matches!(stop, MapStation::Hook(_)));
        let first = names.clone().find_map(|stop| {
            if let MapStation::Hook(hooked) = stop {
                Some(hooked.steps.start)
            } else {
                None
            }
        });
        let names: Vec<&str> = names.map(word).collect();
        let (shapes, bottom) = strip(
            sheet,
            &format!("{letter} a copy comes back:"),
            &names,
            "",
            (left, y),
        );
        let go = first.map(ClickTarget::Step);
        let name = format!("The copy of {letter}");
        layers.keys.push(ShapeGroup {
            go,
            stop: go.is_some(),
            name,
            ..plain(vec![hit((left, y), sheet.width, bottom)])
        });
        layers.marks.push(plain(shapes));
        y = bottom;
    }
    for (place, leg) in sheet.legs.iter().enumerate() {
        let way = stops(sheet.rulesets, leg.path, false);
        let names: Vec<&str> = way
            .iter()
            .filter(|stop| matches!(stop, MapStation::Hook(_)))
            .map(word)
            .collect();
        let ends = format!("{} {}", glyph(leg.fate), leg.end);
        let (shapes, bottom) = strip(
            sheet,
            &format!("then {}:", leg.name),
            &names,
            &ends,
            (left, y),
        );
        let name = format!("Leg {}: {}, {}", place + 2, leg.name, leg.end);
        let shape = hit((left, y), sheet.width, bottom);
        layers.keys.push(ShapeGroup {
            go: Some(ClickTarget::Leg(place)),
            stop: true,
            name,
            ..plain(vec![shape])
        });
        layers.marks.push(ShapeGroup {
            fate: Some(leg.fate),
            ..plain(shapes)
        });
        y = bottom;
    }
    y
}

/// Draws a title and small boxes in one or more lines.
fn strip(
    sheet: &Layout,
    title: &str,
    names: &[&str],
    ends: &str,
    (left, y): (i32, i32),
) -> (Vec<Shape>, i32) {
    const HIGH: i32 = 24;
    let mut shapes = vec![text(
        "quiet",
        (left, y + 16),
        Anchor::Start,
        &cut(title, sheet.width - left),
    )];
    let (mut x, mut top) = (left + wide(title) + 10, y);
    for (at, name) in names.iter().chain([&ends]).enumerate() {
        let is_end = at == names.len();
        if name.is_empty() {
            continue;
        }
        let width = wide(name) + 12;
        if x + width > sheet.width - 2 {
            (x, top) = (left + 16, top + HIGH);
        }
        if at > 0 {
            shapes.push(line("link", &[(x - 8, top + 12), (x, top + 12)]));
        }
        shapes.push(area(
            if is_end { "end small" } else { "hook" },
            (x, top + 3),
            (width, 18),
            3,
        ));
        shapes.push(text(
            if is_end { "end-text" } else { "word" },
            (x + 6, top + 16),
            Anchor::Start,
            name,
        ));
        x += width + 8;
    }
    (shapes, top + HIGH)
}

/// The click area of a strip.
fn hit((left, y): (i32, i32), width: i32, bottom: i32) -> Shape {
    area("hit", (left - 2, y), (width - left, bottom - y), 3)
}
