//! Functions that make shapes.

use super::{Anchor, ClickTarget, MapForm, Shape, ShapeGroup};

/// The width of a character in tenths of a pixel. The map's text is monospaced, at 11 pixels.
const CHARACTER: i32 = 67;

/// The width of a text.
pub(super) fn wide(text: &str) -> i32 {
    let characters = i32::try_from(text.chars().count()).unwrap_or(i32::MAX / CHARACTER);
    (characters * CHARACTER + 9) / 10
}

/// Truncates a text to a width.
pub(super) fn cut(text: &str, width: i32) -> String {
    if wide(text) <= width {
        return text.to_owned();
    }
    let fits = usize::try_from((width * 10 / CHARACTER - 1).max(0)).unwrap_or(0);
    text.chars().take(fits).chain(['…']).collect()
}

/// Shortens a name in its middle to a width, because names of chains often differ only at their
/// ends.
pub(super) fn shorten(name: &str, width: i32) -> String {
    if wide(name) <= width {
        return name.to_owned();
    }
    let fits = usize::try_from((width * 10 / CHARACTER - 1).max(0)).unwrap_or(0);
    let end = name.chars().count().saturating_sub(fits / 2);
    name.chars()
        .take(fits - fits / 2)
        .chain(['…'])
        .chain(name.chars().skip(end))
        .collect()
}

/// A rectangle.
pub(super) fn area(
    class: &'static str,
    (x, y): (i32, i32),
    (width, height): (i32, i32),
    radius: i32,
) -> Shape {
    Shape {
        class,
        form: MapForm::Box(x, y, width, height, radius),
    }
}

/// A circle.
pub(super) fn dot(class: &'static str, (x, y): (i32, i32), radius: i32) -> Shape {
    Shape {
        class,
        form: MapForm::Dot(x, y, radius),
    }
}

/// A text.
pub(super) fn text(class: &'static str, (x, y): (i32, i32), anchor: Anchor, text: &str) -> Shape {
    Shape {
        class,
        form: MapForm::Text(x, y, anchor, text.to_owned()),
    }
}

/// A line through points.
pub(super) fn line(class: &'static str, points: &[(i32, i32)]) -> Shape {
    let mut path = String::new();
    for (at, (x, y)) in points.iter().enumerate() {
        path.push_str(&format!("{}{x} {y}", if at == 0 { 'M' } else { 'L' }));
    }
    Shape {
        class,
        form: MapForm::Line(path),
    }
}

/// Shapes of no lane, without a click action.
pub(super) fn plain(shapes: Vec<Shape>) -> ShapeGroup {
    ShapeGroup {
        lane: None,
        fate: None,
        go: None,
        name: String::new(),
        stop: false,
        current: false,
        shapes,
    }
}

/// Shapes of a lane.
pub(super) fn of_lane(lane: usize, shapes: Vec<Shape>) -> ShapeGroup {
    ShapeGroup {
        lane: Some(lane),
        ..plain(shapes)
    }
}

/// Shapes that lead to a step.
pub(super) fn leads(step: usize, name: String, shapes: Vec<Shape>) -> ShapeGroup {
    ShapeGroup {
        go: Some(ClickTarget::Step(step)),
        name,
        ..plain(shapes)
    }
}

/// Draws the line of a lane: the part before the cursor, the part after it, and the packet's letter
/// at the cursor.
pub(super) fn rail(
    layers: &mut Layers,
    lane: usize,
    letter: &'static str,
    points: &[(i32, i32)],
    here: usize,
) {
    let (x, y) = points[here];
    let lines = vec![
        line("rail ahead", &points[here..]),
        line("rail gone", &points[..=here]),
    ];
    let token = vec![
        dot("token", (x, y), 8),
        text("letter", (x, y + 4), Anchor::Middle, letter),
    ];
    layers.lines.push(of_lane(lane, lines));
    layers.tokens.push(of_lane(lane, token));
}

/// Groups by drawing layer, so that lines never cover stations and never take their clicks.
#[derive(Default)]
pub(super) struct Layers {
    /// Boxes.
    pub(super) boxes: Vec<ShapeGroup>,
    /// Highlights in the boxes.
    pub(super) tints: Vec<ShapeGroup>,
    /// Areas that can be clicked.
    pub(super) keys: Vec<ShapeGroup>,
    /// The lines of packets.
    pub(super) lines: Vec<ShapeGroup>,
    /// Stations and texts.
    pub(super) marks: Vec<ShapeGroup>,
    /// The letters of packets.
    pub(super) tokens: Vec<ShapeGroup>,
}

impl Layers {
    /// All groups, from the back to the front.
    pub(super) fn flatten(self) -> Vec<ShapeGroup> {
        [
            self.boxes,
            self.tints,
            self.keys,
            self.lines,
            self.marks,
            self.tokens,
        ]
        .concat()
    }
}
