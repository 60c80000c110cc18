//! The map: the paths of one or two packets as a drawing, in plain data. It contains shapes with
//! coordinates, a name for each station, and the action of a click. The code that draws them needs
//! to know nothing about packets.
//!
//! # Layout
//! - `way`: the path of a packet, and the changes of its label
//! - `cells`: the table under the cursor. A rule is a station. Runs without a match are folded
//! - `wide`, `tall`: the layout from left to right or from top to bottom; `lens`: the opened table
//! - `others`: other outcomes of an uncertain walk; `word`: texts; `pen`: shapes
//!
//! Coordinates are in CSS pixels, so that the text has the page's own size at every width.

use crate::analysis::explain::Fate;
use crate::netfilter::ruleset::Ruleset;
use crate::walk::trace::{Outcome, Path};

mod cells;
mod horizontal;
mod labels;
mod open_table;
mod other_ends;
mod shapes;
mod vertical;
mod way;

pub use other_ends::others;
use way::MapStation;

/// A packet on the map.
#[derive(Clone, Debug)]
pub struct Track<'a> {
    /// Its letter.
    pub letter: &'static str,
    /// The property that distinguishes it: "uid 1337".
    pub name: String,
    /// Its path.
    pub path: &'a Path,
    /// The class of the shown outcome.
    pub fate: Fate,
    /// The outcome in one or two words: "Envoy :15001".
    pub end: String,
    /// The step of the decisive rule.
    pub decided: Option<usize>,
    /// The steps with undetermined rules.
    pub doubts: Vec<usize>,
    /// The other outcomes of an uncertain walk.
    pub others: Vec<Other>,
}

/// Another outcome of an uncertain walk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Other {
    /// The step at which it leaves the shown path.
    pub step: usize,
    /// The class of the outcome.
    pub fate: Fate,
    /// The outcome in one or two words.
    pub end: String,
    /// Its condition: "OUTPUT 1 matches".
    pub given: String,
}

/// A later leg of the connection that the packet begins.
#[derive(Clone, Debug)]
pub struct TrackLeg<'a> {
    /// The sender and the receiver: "Envoy → the network".
    pub name: String,
    /// Its path.
    pub path: &'a Path,
    /// The class of the outcome.
    pub fate: Fate,
    /// The outcome in one or two words.
    pub end: String,
}

/// The input of a drawing.
#[derive(Clone, Debug)]
pub struct Layout<'a> {
    /// The rules.
    pub rulesets: &'a [Ruleset],
    /// Whether a mesh made them.
    pub meshed: bool,
    /// One or two packets. If they are side by side, the first is drawn below the second.
    pub lanes: Vec<Track<'a>>,
    /// The lane whose table is opened: a position in `lanes`.
    pub followed: usize,
    /// The legs after the first one, for the followed lane.
    pub legs: Vec<TrackLeg<'a>>,
    /// The shown step of every lane, from 0.
    pub cursor: usize,
    /// The maximum width of the drawing in CSS pixels.
    pub width: i32,
}

/// The action of a click on a part of the map.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClickTarget {
    /// Shows this step.
    Step(usize),
    /// Shows the packet of this leg: a position in [`Layout::legs`].
    Leg(usize),
}

/// A shape with its CSS class.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shape {
    /// Its classes in the style sheet of the page.
    pub class: &'static str,
    /// Its form.
    pub form: MapForm,
}

/// The form of a shape.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MapForm {
    /// A rectangle: left, top, width, height, and the radius of its corners.
    Box(i32, i32, i32, i32, i32),
    /// Lines, in the syntax of an SVG path.
    Line(String),
    /// A circle: its center and its radius.
    Dot(i32, i32, i32),
    /// Text at a point on its baseline.
    Text(i32, i32, Anchor, String),
}

/// The part of a text that is at its point.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Anchor {
    /// Its start.
    Start,
    /// Its middle.
    Middle,
    /// Its end.
    End,
}

impl Anchor {
    /// Its name in SVG.
    pub fn name(self) -> &'static str {
        match self {
            Self::Start => "start",
            Self::Middle => "middle",
            Self::End => "end",
        }
    }
}

/// A group of shapes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShapeGroup {
    /// The lane whose line and color it has: a position in [`Layout::lanes`].
    pub lane: Option<usize>,
    /// The color of an outcome that belongs to no lane.
    pub fate: Option<Fate>,
    /// The action of a click.
    pub go: Option<ClickTarget>,
    /// Its name in words, if it can be clicked.
    pub name: String,
    /// Whether Tab reaches it. The other groups have equivalents in the list of steps.
    pub stop: bool,
    /// Whether the cursor is on it.
    pub current: bool,
    /// The shapes, in the order in which they are drawn.
    pub shapes: Vec<Shape>,
}

/// A drawing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Map {
    /// Its width in CSS pixels.
    pub width: i32,
    /// Its height in CSS pixels.
    pub height: i32,
    /// The groups, in the order in which they are drawn.
    pub groups: Vec<ShapeGroup>,
    /// The content in words: a sentence for each packet and leg.
    pub says: String,
}

/// Draws a map: from left to right if there is room for every station, otherwise from top to
/// bottom.
pub fn draw(sheet: &Layout) -> Map {
    let ways: Vec<Vec<MapStation>> = sheet
        .lanes
        .iter()
        .map(|lane| way::stops(sheet.rulesets, lane.path, false))
        .collect();
    let says = says(sheet, &ways);
    let drawn = horizontal::draw(sheet, &ways).unwrap_or_else(|| vertical::draw(sheet, &ways));
    Map { says, ..drawn }
}

/// The result of a step's rule, as far as it is determined.
fn outcome(lane: &Track, step: usize) -> Outcome {
    if lane.doubts.contains(&step) {
        Outcome::Unknown
    } else {
        lane.path.steps.at(step).outcome
    }
}

/// The paths in words.
fn says(sheet: &Layout, ways: &[Vec<MapStation>]) -> String {
    let mut says = String::new();
    let mut add = |name: &str, path: &Path, stops: &[MapStation], end: &str, fate: Fate| {
        if !says.is_empty() {
            says.push(' ');
        }
        says.push_str(name);
        says.push_str(": ");
        for stop in stops {
            says.push_str(&stop.describe());
            says.push_str(", ");
        }
        if path.copy.is_some() {
            says.push_str("a copy comes back, ");
        }
        says.push_str(end);
        says.push_str(", ");
        says.push_str(fate.word(sheet.meshed));
        says.push('.');
    };
    for (lane, stops) in sheet.lanes.iter().zip(ways) {
        add(
            &format!("{}, {}", lane.letter, lane.name),
            lane.path,
            stops,
            &lane.end,
            lane.fate,
        );
    }
    for leg in &sheet.legs {
        let stops = way::stops(sheet.rulesets, leg.path, false);
        add(
            &format!("Then {}", leg.name),
            leg.path,
            &stops,
            &leg.end,
            leg.fate,
        );
    }
    says
}
