//! Lessons: texts that name rules and packets, state their outcomes, ask questions, and set tasks
//! that the walk judges.
//!
//! Every claim about a packet is computed, or checked, while the lesson is parsed. A lesson with a
//! false claim is invalid. `docs/write-a-lesson.md` describes the format.
//!
//! # Layout
//! - `read`: the lines of a file; `words`: one line, with its claims
//! - `world`: a rule set with its namespace, and the names of its rules and ends
//! - `ask`: the reply to each answer; `task`: the reply to a changed packet or rule set

use thiserror::Error;

use crate::iptables::table_name::TableName;
use crate::netfilter::place::Place;
use crate::packet::Packet;
use crate::packet::fields::PacketField;
use crate::packet::hook::Hook;

mod ask;
mod read;
mod task;
mod words;
mod world;

pub use read::{head, read_lesson};
pub use task::{Goal, Judgement, Task, Work};
pub use world::{LessonTest, World};

/// An error in a lesson.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("{line}: {message}")]
pub struct Fault {
    /// Line in the file, from 1.
    pub line: usize,
    /// The error, and a description of the valid form.
    pub message: String,
}

/// A rule set of the page: its text, and its namespace as the public JSON.
pub type Source<'a> = (&'a str, Option<&'a str>);

/// The entry of a lesson in the list of lessons.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LessonHead {
    /// Its name.
    pub title: String,
    /// The knowledge that it teaches.
    pub about: String,
    /// The number of minutes it takes.
    pub minutes: String,
}

/// A parsed and checked lesson.
#[derive(Debug)]
pub struct Lesson {
    /// Title, subject and duration.
    pub head: LessonHead,
    /// Its rule sets.
    pub worlds: Vec<World>,
    /// Its packets, with their names.
    pub packets: Vec<(String, Packet)>,
    /// Its steps, in order.
    pub steps: Vec<LessonStep>,
}

/// One step.
#[derive(Debug)]
pub struct LessonStep {
    /// Its heading.
    pub title: String,
    /// Line of the heading in the file, from 1.
    pub line: usize,
    /// The state of the playground during the step.
    pub scene: Scene,
    /// The text before the exercise.
    pub before: Vec<Block>,
    /// The exercise.
    pub exercise: Option<Exercise>,
    /// The text after the exercise.
    pub after: Vec<Block>,
}

/// The state of the playground.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scene {
    /// The rule set: a position in [`Lesson::worlds`].
    pub world: usize,
    /// One or two packets: positions in [`Lesson::packets`].
    pub packets: Vec<usize>,
    /// The step of the walk.
    pub at: At,
    /// A packet field to highlight.
    pub field: Option<PacketField>,
}

/// A step of the walk.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum At {
    /// The step at which the walks differ, or the decisive rule.
    #[default]
    Decided,
    /// The first step.
    Start,
    /// The last step.
    End,
    /// The step that evaluates a rule.
    Rule(Place),
    /// The first step in a table at a hook.
    Station(Hook, TableName),
}

/// A paragraph, an item of a list, or a listing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Block {
    /// A paragraph.
    Paragraph(Vec<TextPiece>),
    /// One item of a list.
    Item(Vec<TextPiece>),
    /// Text that is shown verbatim.
    Listing(String),
}

/// A part of a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TextPiece {
    /// Words of the author.
    Text(String),
    /// Emphasized words of the author.
    Strong(String),
    /// Verbatim text.
    Code(String),
    /// Words from the walk, or words that the walk confirmed, and the rule that they concern.
    Told(String, Option<Place>),
}

/// An exercise of a step.
#[derive(Debug)]
pub enum Exercise {
    /// A question with answers to choose from.
    Ask(LessonQuestion),
    /// A packet to build, or rules to change.
    Task(Task),
}

impl Exercise {
    /// The question or the task.
    pub fn prompt(&self) -> &[TextPiece] {
        match self {
            Self::Ask(question) => &question.prompt,
            Self::Task(task) => &task.prompt,
        }
    }

    /// Hints, from a small one to nearly the answer.
    pub fn hints(&self) -> &[Vec<TextPiece>] {
        match self {
            Self::Ask(question) => &question.hints,
            Self::Task(task) => &task.hints,
        }
    }
}

/// A question.
#[derive(Debug)]
pub struct LessonQuestion {
    /// The question.
    pub prompt: Vec<TextPiece>,
    /// The answers. One of them is right.
    pub choices: Vec<AnswerChoice>,
    /// Whether the walk is hidden until the answer, because the question asks for a prediction.
    pub hides: bool,
    /// Hints, from a small one to nearly the answer.
    pub hints: Vec<Vec<TextPiece>>,
}

/// An answer to choose.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AnswerChoice {
    /// The answer in words.
    pub words: String,
    /// The rule that it concerns, as `iptables-save` prints it.
    pub code: Option<String>,
    /// Whether it is right.
    pub right: bool,
    /// The effect of this rule, or the outcome of this packet.
    pub reply: String,
}
