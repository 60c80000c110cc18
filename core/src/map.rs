//! The map: the ways of one or two packets as a drawing, as plain data. Shapes with places, a name
//! for each station, and what a click on it means; who draws them needs to know nothing of packets.
//!
//! # Layout
//! - `way`: what a packet passes, and how its label changes there
//! - `cells`: the table under the cursor, a station a rule, runs without a match folded
//! - `wide`, `tall`: where everything stands, from left to right or from top to bottom; `lens`: the
//!   opened table
//! - `others`: where an uncertain walk could end, too; `word`: what is written; `pen`: shapes
//!
//! Places are in CSS pixels, so that the text has the page's own size at every width.

use crate::analysis::explain::Fate;
use crate::netfilter::ruleset::Ruleset;
use crate::walk::trace::{Outcome, Path};

mod cells;
mod lens;
mod others;
mod pen;
mod tall;
mod way;
mod wide;
mod word;

pub use others::others;
use way::Stop;

/// A packet on the map.
#[derive(Clone, Debug)]
pub struct Lane<'a> {
    /// Its letter.
    pub letter: &'static str,
    /// What sets it apart: "uid 1337".
    pub name: String,
    /// Its way.
    pub path: &'a Path,
    /// How the way shown ends.
    pub fate: Fate,
    /// Where, in a word or two: "Envoy :15001".
    pub end: String,
    /// The step at which the deciding rule was asked.
    pub decided: Option<usize>,
    /// Steps of which a dump cannot tell what becomes of their rule.
    pub doubts: Vec<usize>,
    /// Other ends of an uncertain walk.
    pub others: Vec<Other>,
}

/// Another way that an uncertain walk can end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Other {
    /// The step at which it leaves the way shown.
    pub step: usize,
    /// How it ends.
    pub fate: Fate,
    /// Where.
    pub end: String,
    /// On what condition: "OUTPUT 1 matches".
    pub given: String,
}

/// A later leg of the connection that the first packet of a lane begins.
#[derive(Clone, Debug)]
pub struct Leg<'a> {
    /// Who opens it, and who gets it: "Envoy → the network".
    pub name: String,
    /// Its way.
    pub path: &'a Path,
    /// How it ends.
    pub fate: Fate,
    /// Where.
    pub end: String,
}

/// What a map shows.
#[derive(Clone, Debug)]
pub struct Sheet<'a> {
    /// The rules.
    pub rulesets: &'a [Ruleset],
    /// Whether they are a mesh's.
    pub meshed: bool,
    /// One or two packets; the first is drawn below the second where they go side by side.
    pub lanes: Vec<Lane<'a>>,
    /// Which lane's table is opened: a place in `lanes`.
    pub followed: usize,
    /// The legs behind the followed lane's first one.
    pub legs: Vec<Leg<'a>>,
    /// The step shown, from 0, of every lane.
    pub cursor: usize,
    /// How wide the drawing may be, in CSS pixels.
    pub width: i32,
}

/// What a click on a part of the map means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Go {
    /// To that step.
    Step(usize),
    /// To the packet of that leg: a place in [`Sheet::legs`].
    Leg(usize),
}

/// A shape, with the class that says how it looks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shape {
    /// Its classes, as the style sheet of the page has them.
    pub class: &'static str,
    /// What it is.
    pub form: Form,
}

/// What a shape is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Form {
    /// A rectangle: left, top, width, height, and the radius of its corners.
    Box(i32, i32, i32, i32, i32),
    /// Lines, as SVG writes a path.
    Line(String),
    /// A circle: its middle and its radius.
    Dot(i32, i32, i32),
    /// Text from, around or up to a point on its base line.
    Text(i32, i32, Anchor, String),
}

/// Which part of a text stands at its point.
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

/// Shapes that belong together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// The lane whose line and colour it has: a place in [`Sheet::lanes`].
    pub lane: Option<usize>,
    /// The colour of an end that is no lane's.
    pub fate: Option<Fate>,
    /// What a click means.
    pub go: Option<Go>,
    /// What it is, in words, where there is something to click.
    pub name: String,
    /// Whether Tab leads there. Others have their equal in the list of steps.
    pub stop: bool,
    /// Whether the cursor is on it.
    pub current: bool,
    /// In the order in which they are drawn.
    pub shapes: Vec<Shape>,
}

/// A drawing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Map {
    /// Its width in CSS pixels.
    pub width: i32,
    /// Its height in CSS pixels.
    pub height: i32,
    /// In the order in which they are drawn.
    pub groups: Vec<Group>,
    /// The same in words, a sentence for each packet and leg.
    pub says: String,
}

/// Draws. From left to right where there is room for every station, else from top to bottom.
pub fn draw(sheet: &Sheet) -> Map {
    let ways: Vec<Vec<Stop>> = sheet
        .lanes
        .iter()
        .map(|lane| way::stops(sheet.rulesets, lane.path, false))
        .collect();
    let says = says(sheet, &ways);
    let drawn = wide::draw(sheet, &ways).unwrap_or_else(|| tall::draw(sheet, &ways));
    Map { says, ..drawn }
}

/// What became of a step's rule, as far as a dump can tell.
fn outcome(lane: &Lane, step: usize) -> Outcome {
    if lane.doubts.contains(&step) {
        Outcome::Unknown
    } else {
        lane.path.steps.at(step).outcome
    }
}

/// The ways in words.
fn says(sheet: &Sheet, ways: &[Vec<Stop>]) -> String {
    let mut says = String::new();
    let mut add = |name: &str, path: &Path, stops: &[Stop], end: &str, fate: Fate| {
        if !says.is_empty() {
            says.push(' ');
        }
        says.push_str(name);
        says.push_str(": ");
        for stop in stops {
            says.push_str(&stop.words());
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
