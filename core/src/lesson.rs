//! Lessons: a text that names rules and packets, says what becomes of them, asks, and sets tasks
//! that the walk judges.
//!
//! Nothing that a lesson says of a packet is bare text: it is computed, or checked, while the
//! lesson is read, and a lesson with a claim that does not hold is not read at all.
//! `docs/write-a-lesson.md` describes the format.
//!
//! # Layout
//! - `read`: the lines of a file; `words`: one line, with its claims
//! - `world`: a rule set with its namespace, and the names that lessons give to rules and ends
//! - `ask`: what is said to each answer; `task`: what is said to a changed packet or rule set

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

pub use read::{head, read};
pub use task::{Goal, Judgement, Task, Work};
pub use world::{Test, World};

/// What is wrong with a lesson.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("{line}: {message}")]
pub struct Fault {
    /// Line in the file, from 1.
    pub line: usize,
    /// What is wrong there, and what would be right.
    pub message: String,
}

/// A rule set that comes with the page: its text, and the namespace around it as the public JSON.
pub type Source<'a> = (&'a str, Option<&'a str>);

/// What a list of lessons shows of one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    /// Its name.
    pub title: String,
    /// What one knows afterwards.
    pub about: String,
    /// How many minutes it takes.
    pub minutes: String,
}

/// A lesson, read and checked.
#[derive(Debug)]
pub struct Lesson {
    /// Name, subject and length.
    pub head: Head,
    /// Its rule sets.
    pub worlds: Vec<World>,
    /// Its packets, with their names.
    pub packets: Vec<(String, Packet)>,
    /// Its steps, in order.
    pub steps: Vec<Step>,
}

/// One step.
#[derive(Debug)]
pub struct Step {
    /// Its heading.
    pub title: String,
    /// Line of the heading in the file, from 1.
    pub line: usize,
    /// What the playground shows meanwhile.
    pub scene: Scene,
    /// What is said first.
    pub before: Vec<Block>,
    /// What is to be done.
    pub exercise: Option<Exercise>,
    /// What is said once it is done.
    pub after: Vec<Block>,
}

/// What the playground shows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scene {
    /// The rule set: a place in [`Lesson::worlds`].
    pub world: usize,
    /// One packet or two: places in [`Lesson::packets`].
    pub packets: Vec<usize>,
    /// The step of the walk.
    pub at: At,
    /// A field of the packet to point at.
    pub field: Option<PacketField>,
}

/// A step of the walk.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum At {
    /// Where the walks part, or the rule that decided.
    #[default]
    Decided,
    /// The first.
    Start,
    /// The last.
    End,
    /// That at which a rule is asked.
    Rule(Place),
    /// The first in a table at a hook.
    Station(Hook, TableName),
}

/// A paragraph, an item of a list, or a listing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Block {
    /// A paragraph.
    Paragraph(Vec<Piece>),
    /// One item of a list.
    Item(Vec<Piece>),
    /// Text to be shown as it is.
    Listing(String),
}

/// Part of a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Piece {
    /// Words of the author.
    Text(String),
    /// Words of the author that matter more.
    Strong(String),
    /// Something verbatim.
    Code(String),
    /// What the walk says, or words that it was checked against, and the rule that they are about.
    Told(String, Option<Place>),
}

/// Something to be done.
#[derive(Debug)]
pub enum Exercise {
    /// A question with answers to choose from.
    Ask(Question),
    /// A packet to build, or rules to change.
    Task(Task),
}

impl Exercise {
    /// Its question, or what is to be reached.
    pub fn prompt(&self) -> &[Piece] {
        match self {
            Self::Ask(question) => &question.prompt,
            Self::Task(task) => &task.prompt,
        }
    }

    /// Help, from a nudge to nearly the answer.
    pub fn hints(&self) -> &[Vec<Piece>] {
        match self {
            Self::Ask(question) => &question.hints,
            Self::Task(task) => &task.hints,
        }
    }
}

/// A question.
#[derive(Debug)]
pub struct Question {
    /// What is asked.
    pub prompt: Vec<Piece>,
    /// The answers, one of them right.
    pub choices: Vec<Choice>,
    /// Whether the walk is hidden until it is answered: it is a prediction.
    pub hides: bool,
    /// Help, from a nudge to nearly the answer.
    pub hints: Vec<Vec<Piece>>,
}

/// An answer to choose.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choice {
    /// In words.
    pub words: String,
    /// The rule that it is about, as `iptables-save` prints it.
    pub code: Option<String>,
    /// Whether it is right.
    pub right: bool,
    /// What that very rule or packet does.
    pub reply: String,
}
