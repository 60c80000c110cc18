//! The layout from left to right: the shared part of two packets once, then a row for each. A
//! packet that leaves through `lo` returns in a row below. Stations that do not fit in a row
//! continue in a row below, too.

use super::labels::glyph;
use super::shapes::{Layers, area, cut, leads, line, plain, rail, text, wide};
use super::way::MapStation;
use super::{Anchor, Layout, Map, ShapeGroup, open_table, vertical};

mod piece;

use piece::{PiecePlace, TrackPiece};

/// The margin at both sides.
const EDGE: i32 = 9;
/// The space above the boxes, for the names of hooks.
const HEAD: i32 = 14;
/// The distance from the top of a box to its first line.
const TO_RAIL: i32 = 29;
/// The distance between two lines.
const GAP: i32 = 17;
/// The distance from the last line of a box to its bottom.
const FOOT: i32 = 9;
/// The space between rows. The box of an outcome is lower than those of hooks, and the names of the
/// next row are below it.
const BETWEEN: i32 = 14;
/// The length of the shortest line between two stations, and of the longest one if there is room.
const LINE: i32 = 16;
const STRETCH: i32 = 90;
/// The width of a turn at the side.
const TURN: i32 = 34;
/// The minimum width for this layout.
const NARROWEST: i32 = 500;

/// The start of a row.
#[derive(Clone, Copy, Debug)]
struct TrackRow {
    x: i32,
    y: i32,
    /// Whether it runs to the right.
    right: bool,
}

/// The part of a lane's line that is laid out.
#[derive(Clone, Debug, Default)]
struct WideTrack {
    points: Vec<(i32, i32)>,
    /// The point of the cursor.
    here: Option<usize>,
    /// The label of the packet since its last station.
    label: Option<String>,
}

struct WideLayout<'a> {
    sheet: &'a Layout<'a>,
    ways: &'a [Vec<MapStation>],
    tracks: Vec<WideTrack>,
    layers: Layers,
    /// The starts of paths that are not shown: lane, its `others`, and the point.
    forks: Vec<(usize, usize, (i32, i32))>,
}

/// Draws; `None` if it does not fit.
pub(super) fn draw(sheet: &Layout, ways: &[Vec<MapStation>]) -> Option<Map> {
    if sheet.width < NARROWEST || ways.is_empty() {
        return None;
    }
    let (tracks, layers, forks) = (
        vec![WideTrack::default(); ways.len()],
        Layers::default(),
        Vec::new(),
    );
    let mut hand = WideLayout {
        sheet,
        ways,
        tracks,
        layers,
        forks,
    };
    let comes_back = |lane: usize| ways[lane].iter().any(MapStation::turns);
    // The upper line leaves upward, so that no line crosses another.
    let order: &[usize] = match ways.len() {
        1 => &[0],
        _ if comes_back(1) && !comes_back(0) => &[0, 1],
        _ => &[1, 0],
    };
    let y = hand.lay(
        order,
        0,
        TrackRow {
            x: EDGE,
            y: 0,
            right: true,
        },
    )?;
    let y = hand.others(y);
    let WideLayout {
        mut layers, tracks, ..
    } = hand;
    for (lane, track) in tracks.iter().enumerate() {
        let last = track.points.len().checked_sub(1)?;
        rail(
            &mut layers,
            lane,
            sheet.lanes[lane].letter,
            &track.points,
            track.here.unwrap_or(last),
        );
    }
    let y = vertical::strips(sheet, &mut layers, y, EDGE);
    let height = open_table::draw(sheet, &mut layers, y + 4);
    Some(Map {
        width: sheet.width,
        height,
        groups: layers.flatten(),
        says: String::new(),
    })
}

/// The y coordinates of the lines of a row.
fn rails(lanes: &[usize], y: i32) -> Vec<i32> {
    (0..)
        .zip(lanes)
        .map(|(at, _)| y + HEAD + TO_RAIL + GAP * at)
        .collect()
}

/// The y coordinate of the next row.
fn beneath(lanes: &[usize], y: i32) -> i32 {
    rails(lanes, y)
        .last()
        .map_or(y, |rail| rail + FOOT + BETWEEN)
}

impl WideLayout<'_> {
    /// Lays out the path of some lanes from one of their stations on. Returns the lower edge;
    /// `None` if it does not fit.
    fn lay(&mut self, lanes: &[usize], from: usize, row: TrackRow) -> Option<i32> {
        let ways = self.ways;
        let way = &ways[lanes[0]];
        let is_alike = |stop: &usize| {
            let others = lanes[1..].iter().map(|lane| ways[*lane].get(*stop));
            others
                .into_iter()
                .all(|other| other.is_some_and(|other| other.is_like(&way[*stop])))
        };
        let alike = (from..way.len())
            .find(|stop| !is_alike(stop))
            .unwrap_or(way.len());
        let end = |lane: usize| (&self.sheet.lanes[lane].end, self.sheet.lanes[lane].fate);
        let goes_on = lanes.iter().any(|lane| alike < ways[*lane].len());
        let ends = !goes_on && lanes.iter().all(|lane| end(*lane) == end(lanes[0]));
        let turn = (from..alike).find(|stop| way[*stop].turns());
        let mut pieces: Vec<TrackPiece> = (from..turn.unwrap_or(alike))
            .map(TrackPiece::Stop)
            .collect();
        if from == 0 && (alike > 0 || ends || lanes.len() == 1) && row.x == EDGE && row.right {
            pieces.insert(0, TrackPiece::Start);
        }
        if ends && turn.is_none() {
            pieces.push(TrackPiece::End);
        }
        let kept = if turn.is_some() { TURN } else { 0 };
        let fits = self.fits(lanes, &pieces, row, kept);
        if fits < pieces.len() {
            let stops = pieces[..fits]
                .iter()
                .filter(|piece| matches!(piece, TrackPiece::Stop(_)))
                .count();
            let edge = if row.right {
                EDGE
            } else {
                self.sheet.width - EDGE
            };
            if fits == 0 && (row.x - edge).abs() <= TURN || fits > 0 && stops == 0 {
                return None;
            }
            let x = self.row(lanes, &pieces[..fits], row, (fits > 0).then_some(TURN));
            return self.turn(lanes, from + stops, TrackRow { x, ..row }, false);
        }
        let x = self.row(
            lanes,
            &pieces,
            row,
            (ends || turn.is_some()).then_some(kept),
        );
        if let Some(turn) = turn {
            return self.turn(lanes, turn + 1, TrackRow { x, ..row }, true);
        }
        if ends {
            return Some(beneath(lanes, row.y));
        }
        let mut y = row.y;
        for (place, lane) in lanes.iter().enumerate() {
            // The point where the paths separate. Lanes that share nothing begin at the edge.
            let aside = if place == 0 || pieces.is_empty() {
                0
            } else {
                10
            };
            let x = if row.right { x + aside } else { x - aside };
            y = self.lay(&[*lane], alike, TrackRow { x, y, ..row })?;
        }
        Some(y.max(beneath(lanes, row.y)))
    }

    /// The lengths of the lines before each piece. A line has room for the label of its packets.
    fn gaps(&self, lanes: &[usize], pieces: &[TrackPiece]) -> Vec<i32> {
        let mut gaps = Vec::new();
        for (at, piece) in pieces.iter().enumerate() {
            let label = match at.checked_sub(1).map(|before| pieces[before]) {
                None => self.label_width(lanes),
                Some(before) => self.labelled(lanes, before),
            };
            // A label may extend below a routing decision.
            let beneath = if self.is_route(lanes, *piece) {
                self.width(lanes, *piece)
            } else {
                0
            };
            gaps.push(if matches!(piece, TrackPiece::Start) {
                0
            } else {
                LINE.max(label - beneath)
            });
        }
        gaps
    }

    /// The number of a row's pieces that fit, with `kept` pixels free at its end, or before the row
    /// must turn.
    fn fits(&self, lanes: &[usize], pieces: &[TrackPiece], row: TrackRow, kept: i32) -> usize {
        let room = if row.right {
            self.sheet.width - EDGE - row.x
        } else {
            row.x - EDGE
        };
        let gaps = self.gaps(lanes, pieces);
        let mut used = 0;
        let mut fits = 0;
        for (at, (piece, gap)) in pieces.iter().zip(gaps).enumerate() {
            used += gap + self.width(lanes, *piece);
            if used <= room - TURN {
                fits = at + 1;
            }
        }
        if used <= room - kept {
            pieces.len()
        } else {
            fits
        }
    }

    /// Lays out pieces that fit, and returns their end. With `kept`, they take all the room except
    /// that.
    fn row(
        &mut self,
        lanes: &[usize],
        pieces: &[TrackPiece],
        row: TrackRow,
        kept: Option<i32>,
    ) -> i32 {
        let gaps = self.gaps(lanes, pieces);
        let widths: Vec<i32> = pieces
            .iter()
            .map(|piece| self.width(lanes, *piece))
            .collect();
        let total: i32 = widths.iter().chain(&gaps).sum();
        let room = if row.right {
            self.sheet.width - EDGE - row.x
        } else {
            row.x - EDGE
        };
        let stretched = (0..).zip(gaps.iter().filter(|gap| **gap > 0)).count();
        let stretched = i32::try_from(stretched).unwrap_or(1).max(1);
        let stretch = kept.map_or(0, |kept| {
            ((room - kept - total) / stretched).clamp(0, STRETCH)
        });
        let rails = rails(lanes, row.y);
        // From the y coordinate of the lane so far to the one in this row.
        for (lane, rail) in lanes.iter().zip(&rails) {
            let track = &mut self.tracks[*lane];
            if let Some((_, y)) = track.points.last().copied().filter(|(_, y)| y != rail) {
                track.points.extend([(row.x, y), (row.x, *rail)]);
            }
        }
        let mut x = row.x;
        for ((piece, width), gap) in pieces.iter().zip(widths).zip(gaps) {
            let gap = if gap > 0 { gap + stretch } else { 0 };
            self.labels(lanes, x, &rails, row.right);
            let left = if row.right { x + gap } else { x - gap - width };
            let place = PiecePlace {
                lanes,
                rails: &rails,
                x: left,
                y: row.y,
                width,
                right: row.right,
            };
            self.piece(*piece, &place);
            x = if row.right { left + width } else { left };
        }
        if !matches!(pieces.last(), None | Some(TrackPiece::End)) {
            for (lane, rail) in lanes.iter().zip(&rails) {
                self.tracks[*lane].points.push((x, *rail));
            }
        }
        x
    }

    /// Continues in the row below in the other direction, because the packet leaves through `lo`
    /// and returns, or because there is no more room.
    fn turn(&mut self, lanes: &[usize], next: usize, row: TrackRow, by_lo: bool) -> Option<i32> {
        let (edge, sign) = if row.right {
            (self.sheet.width - EDGE - 13, 1)
        } else {
            (EDGE + 13, -1)
        };
        let y = beneath(lanes, row.y);
        let back: Vec<usize> = lanes.iter().rev().copied().collect();
        let (before, after) = (rails(lanes, row.y), rails(&back, y));
        let mut x = edge;
        for (lane, (from, to)) in lanes.iter().zip(before.iter().zip(after.iter().rev())) {
            self.tracks[*lane].points.extend([(x, *from), (x, *to)]);
            x -= 8 * sign;
        }
        if by_lo {
            let (x, y) = (
                (edge + x + 8 * sign) / 2,
                (before[before.len() - 1] + after[0]) / 2,
            );
            let chip = vec![
                area("lo", (x - 12, y - 9), (24, 18), 4),
                text("word", (x, y + 4), Anchor::Middle, "lo"),
            ];
            self.layers.marks.push(plain(chip));
        }
        self.lay(
            &back,
            next,
            TrackRow {
                x: x + 8 * sign,
                y,
                right: !row.right,
            },
        )
    }

    /// Draws the outcomes of paths that are not shown, below `y`. Returns the lower edge.
    fn others(&mut self, mut y: i32) -> i32 {
        const MAX_HIDDEN_ENDS: usize = 3;
        let forks = std::mem::take(&mut self.forks);
        for (lane, place, (x, from)) in forks.iter().take(MAX_HIDDEN_ENDS) {
            let lane = &self.sheet.lanes[*lane];
            let other = &lane.others[*place];
            let says = format!("{} or {} {}", lane.letter, glyph(other.fate), other.end);
            let given = format!("if {}", other.given);
            let left = (x + 16)
                .min(self.sheet.width - EDGE - wide(&says) - wide(&given) - 10)
                .max(EDGE);
            let end = left + wide(&says) + 8;
            let way = if left > *x {
                vec![(*x, *from), (*x, y + 9), (left - 4, y + 9)]
            } else {
                vec![(*x, *from), (*x, y + 1)]
            };
            self.layers.boxes.insert(0, plain(vec![line("fork", &way)]));
            let given = text(
                "quiet",
                (end, y + 13),
                Anchor::Start,
                &cut(&given, self.sheet.width - end),
            );
            self.layers.marks.push(plain(vec![given]));
            let name = format!("{says}, if {}", other.given);
            let shapes = vec![
                area("hit", (left - 4, y), (end - left, 20), 3),
                text("end-text", (left, y + 13), Anchor::Start, &says),
            ];
            self.layers.keys.push(ShapeGroup {
                fate: Some(other.fate),
                ..leads(other.step, name, shapes)
            });
            y += 20;
        }
        if forks.len() > MAX_HIDDEN_ENDS {
            let says = format!("and {} more ways", forks.len() - MAX_HIDDEN_ENDS);
            self.layers.marks.push(plain(vec![text(
                "quiet",
                (EDGE, y + 13),
                Anchor::Start,
                &says,
            )]));
            y += 20;
        }
        y
    }
}
