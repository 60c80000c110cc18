//! The pieces of a row: their widths, and how they are drawn.

use super::super::labels::{draw_end, glyphed, heading, said, word};
use super::super::shapes::{area, cut, dot, leads, line, of_lane, plain, text, wide};
use super::super::way::{Hooked, MapStation, NAT, first_label};
use super::super::{Anchor, ShapeGroup, Track};
use super::{FOOT, HEAD, LINE, WideLayout};

/// The maximum width of a packet's name.
const NAME: i32 = 150;

/// A piece of a row.
#[derive(Clone, Copy, Debug)]
pub(super) enum TrackPiece {
    /// The packet's name.
    Start,
    /// One of the lanes' stations.
    Stop(usize),
    /// The outcome.
    End,
}

/// The place of a piece in a row.
#[derive(Clone, Copy, Debug)]
pub(super) struct PiecePlace<'a> {
    pub(super) lanes: &'a [usize],
    /// The y coordinate of each lane.
    pub(super) rails: &'a [i32],
    /// Its left end.
    pub(super) x: i32,
    /// Its upper end.
    pub(super) y: i32,
    pub(super) width: i32,
    /// Whether the row leads to the right.
    pub(super) right: bool,
}

/// A table of a hook, to be drawn.
struct Tag {
    /// The rule set and the table; `None` if nat is not evaluated.
    key: Option<(u32, u32)>,
    name: Box<str>,
    /// Its first step.
    step: usize,
    /// Whether the cursor is in it.
    lit: bool,
}

impl WideLayout<'_> {
    /// The width of a piece.
    pub(super) fn width(&self, lanes: &[usize], piece: TrackPiece) -> i32 {
        let most =
            |width: &dyn Fn(usize) -> i32| lanes.iter().map(|lane| width(*lane)).max().unwrap_or(0);
        match piece {
            TrackPiece::Start => most(&|lane| wide(&self.start(lanes, lane))) + 6,
            TrackPiece::End => {
                most(&|lane| wide(&self.sheet.lanes[lane].end))
                    .max(wide(&said(self.sheet, lanes)) - 14)
                    + 34
            }
            TrackPiece::Stop(stop) => match &self.ways[lanes[0]][stop] {
                MapStation::Hook(hooked) => {
                    let tags: i32 = self
                        .tags(lanes, stop)
                        .iter()
                        .map(|tag| wide(&tag.name) + 9)
                        .sum();
                    (wide(hooked.hook.name()) + 6).max(tags + 6)
                }
                other => wide(word(other)).max(wide(heading(other))).max(24),
            },
        }
    }

    /// Whether a piece leaves the space below its lines free.
    pub(super) fn is_route(&self, lanes: &[usize], piece: TrackPiece) -> bool {
        matches!(piece, TrackPiece::Stop(stop) if !matches!(self.ways[lanes[0]][stop], MapStation::Hook(_)))
    }

    /// The text at the start of a lane.
    fn start(&self, lanes: &[usize], lane: usize) -> String {
        let Track {
            letter, name, path, ..
        } = &self.sheet.lanes[lane];
        let name = cut(name, NAME);
        if self.starts_alike(lanes) {
            format!("{letter} {name}")
        } else {
            format!("{letter} {name} {}", first_label(path))
        }
    }

    fn starts_alike(&self, lanes: &[usize]) -> bool {
        let label = |lane: &usize| first_label(self.sheet.lanes[*lane].path);
        lanes.iter().all(|lane| label(lane) == label(&lanes[0]))
    }

    /// The width of the labels that packets get in this piece, on the line after it.
    pub(super) fn labelled(&self, lanes: &[usize], piece: TrackPiece) -> i32 {
        lanes
            .iter()
            .map(|lane: &usize| match piece {
                TrackPiece::Start if self.starts_alike(lanes) => {
                    wide(&first_label(self.sheet.lanes[*lane].path)) + 8 - self.width(lanes, piece)
                }
                TrackPiece::Stop(stop) => match &self.ways[*lane][stop] {
                    MapStation::Hook(Hooked {
                        label: Some(label), ..
                    }) => wide(label) + 14,
                    _ => 0,
                },
                _ => 0,
            })
            .max()
            .unwrap_or(0)
    }

    /// The width of the labels that packets already have.
    pub(super) fn label_width(&self, lanes: &[usize]) -> i32 {
        lanes
            .iter()
            .map(|lane: &usize| {
                self.tracks[*lane]
                    .label
                    .as_ref()
                    .map_or(0, |label| wide(label) + 14)
            })
            .max()
            .unwrap_or(0)
    }

    /// Writes the current labels of lanes below or above the line that begins at `x`.
    pub(super) fn labels(&mut self, lanes: &[usize], x: i32, rails: &[i32], right: bool) {
        let labels: Vec<Option<String>> = lanes
            .iter()
            .map(|lane| self.tracks[*lane].label.take())
            .collect();
        let (x, anchor) = if right {
            (x + 6, Anchor::Start)
        } else {
            (x - 6, Anchor::End)
        };
        let alike = labels.iter().all(|label| *label == labels[0]);
        for (place, (label, lane)) in labels.into_iter().zip(lanes).enumerate() {
            let below = place + 1 == lanes.len();
            if let Some(label) = label.filter(|_| below || !alike) {
                let y = if below {
                    rails[place] + LINE
                } else {
                    rails[place] - 7
                };
                self.layers.marks.push(of_lane(
                    *lane,
                    vec![text("rewrite", (x, y), anchor, &label)],
                ));
            }
        }
    }

    /// The tables of a hook, in order, that any of the lanes meets.
    fn tags(&self, lanes: &[usize], stop: usize) -> Vec<Tag> {
        let mut tags: Vec<Tag> = Vec::new();
        let mut skips = true;
        for lane in lanes {
            let MapStation::Hook(hooked) = &self.ways[*lane][stop] else {
                continue;
            };
            skips &= hooked.skips_nat;
            for asked in &hooked.tables {
                let key = Some((asked.ruleset, asked.table));
                let lit = asked.steps.contains(&self.sheet.cursor);
                match tags.iter_mut().find(|tag| tag.key == key) {
                    Some(tag) => tag.lit |= lit,
                    None => tags.push(Tag {
                        key,
                        name: asked.name.clone(),
                        step: asked.steps.start,
                        lit,
                    }),
                }
            }
        }
        if skips {
            tags.push(Tag {
                key: None,
                name: NAT.into(),
                step: 0,
                lit: false,
            });
        }
        tags
    }

    /// Draws a piece.
    pub(super) fn piece(&mut self, piece: TrackPiece, place: &PiecePlace) {
        let PiecePlace {
            lanes,
            rails,
            x,
            y,
            width,
            right,
        } = *place;
        let (first, last) = (rails[0], rails[rails.len() - 1]);
        match piece {
            TrackPiece::Start => {
                for (lane, rail) in lanes.iter().zip(rails) {
                    let name = self.start(lanes, *lane);
                    self.layers.marks.push(of_lane(
                        *lane,
                        vec![text("start", (x, rail + 4), Anchor::Start, &name)],
                    ));
                    self.tracks[*lane].points.push((x + width, *rail));
                }
                if self.starts_alike(lanes) {
                    let label = first_label(self.sheet.lanes[lanes[0]].path);
                    self.layers.marks.push(plain(vec![text(
                        "word",
                        (x, last + LINE),
                        Anchor::Start,
                        &label,
                    )]));
                }
            }
            TrackPiece::Stop(stop) => match &self.ways[lanes[0]][stop] {
                MapStation::Hook(_) => self.hook(stop, place),
                other => {
                    let middle = x + width / 2;
                    let mut shapes = vec![
                        text(
                            "quiet",
                            (middle, y + HEAD + 10),
                            Anchor::Middle,
                            heading(other),
                        ),
                        text("word", (middle, y + HEAD + 22), Anchor::Middle, word(other)),
                    ];
                    shapes.extend(rails.iter().map(|rail| dot("route", (middle, *rail), 3)));
                    let lane = (lanes.len() == 1).then(|| lanes[0]);
                    self.layers.marks.push(ShapeGroup {
                        lane,
                        ..plain(shapes)
                    });
                }
            },
            TrackPiece::End => {
                let (height, top) = (last - first + 36, first - 18);
                let middle = (first + last) / 2;
                let says = text(
                    "end-word",
                    (x + 12, middle + 11),
                    Anchor::Start,
                    &said(self.sheet, lanes),
                );
                let shapes = vec![
                    area("end", (x, top), (width, height), 4),
                    text(
                        "end-text",
                        (x + 12, middle - 3),
                        Anchor::Start,
                        &glyphed(self.sheet, lanes[0]),
                    ),
                ];
                self.layers.marks.push(plain(vec![says]));
                self.layers.keys.push(draw_end(self.sheet, lanes, shapes));
                for (lane, rail) in lanes.iter().zip(rails) {
                    self.tracks[*lane]
                        .points
                        .push((if right { x } else { x + width }, *rail));
                }
            }
        }
    }

    fn hook(&mut self, stop: usize, place: &PiecePlace) {
        let PiecePlace {
            lanes,
            rails,
            x,
            y,
            width,
            ..
        } = *place;
        let (top, bottom) = (y + HEAD, rails[rails.len() - 1] + FOOT);
        let tags = self.tags(lanes, stop);
        let hook = word(&self.ways[lanes[0]][stop]).to_owned();
        let class = if tags.iter().any(|tag| tag.lit) {
            "hook lit"
        } else {
            "hook"
        };
        let mut left = x + 3;
        for tag in &tags {
            let width = wide(&tag.name) + 9;
            let center = left + width / 2;
            let (class, says) = if tag.lit {
                ("tag lit", "tag-text lit")
            } else {
                ("tag", "tag-text")
            };
            match tag.key {
                Some(_) => {
                    let shapes = vec![
                        area("hit", (left, top), (width, bottom - top), 3),
                        area(class, (left, top + 2), (width, 17), 3),
                        text(says, (center, top + 14), Anchor::Middle, &tag.name),
                    ];
                    let name = format!("{} at {hook}", tag.name);
                    self.layers.keys.push(ShapeGroup {
                        stop: true,
                        current: tag.lit,
                        ..leads(tag.step, name, shapes)
                    });
                }
                None => self.layers.marks.push(plain(vec![
                    text("quiet", (center, top + 14), Anchor::Middle, &tag.name),
                    line(
                        "skipped",
                        &[(left + 3, top + 10), (left + width - 3, top + 10)],
                    ),
                ])),
            }
            for (lane, rail) in lanes.iter().zip(rails) {
                let found = self.mark(*lane, stop, tag, (center, *rail));
                self.forks.extend(
                    found
                        .into_iter()
                        .map(|other| (*lane, other, (center, bottom))),
                );
            }
            left += width;
        }
        self.layers.boxes.push(plain(vec![
            area(class, (x, top), (width, bottom - top), 4),
            text("hook-name", (x + 2, y + 11), Anchor::Start, &hook),
        ]));
        for (lane, rail) in lanes.iter().zip(rails) {
            let MapStation::Hook(hooked) = &self.ways[*lane][stop] else {
                continue;
            };
            let track = &mut self.tracks[*lane];
            track.label = hooked.label.clone();
            // The copy of a packet completes its path before the packet itself, so the packet waits
            // here.
            if hooked.steps.start > self.sheet.cursor && track.here.is_none() {
                track.here = Some(track.points.len());
                track.points.push((x, *rail));
            }
        }
    }

    /// Marks the point where the cursor meets a table. Returns the paths that are not shown and leave
    /// there.
    fn mark(&mut self, lane: usize, stop: usize, tag: &Tag, point: (i32, i32)) -> Vec<usize> {
        let MapStation::Hook(hooked) = &self.ways[lane][stop] else {
            return Vec::new();
        };
        let asked = hooked
            .tables
            .iter()
            .find(|asked| Some((asked.ruleset, asked.table)) == tag.key);
        let Some(asked) = asked else {
            return Vec::new();
        };
        let track = &mut self.tracks[lane];
        if asked.steps.contains(&self.sheet.cursor) {
            track.here = Some(track.points.len());
            track.points.push(point);
        }
        let others = self.sheet.lanes[lane].others.iter().enumerate();
        others
            .filter(|(_, other)| asked.steps.contains(&other.step))
            .map(|(place, _)| place)
            .collect()
    }
}
