//! The progress in the lessons, kept in this browser or in a saved file.

use std::fmt::Write;

/// The first line of a saved file.
const FILE: &str = "chainwalk progress 1";

/// A lesson's name, and its finished steps, from 0, with the number of moves.
type Of = (String, Vec<(usize, usize)>);

/// The finished steps of each lesson.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Progress(Vec<Of>);

impl Progress {
    /// The finished steps of a lesson, each with the number of moves.
    pub fn of(&self, lesson: &str) -> &[(usize, usize)] {
        self.0
            .iter()
            .find(|(name, _)| name == lesson)
            .map_or(&[], |(_, steps)| steps)
    }

    /// Whether no step is finished.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Records a finished step, with the lowest number of moves.
    pub(crate) fn note(&mut self, lesson: &str, step: usize, moves: usize) {
        let place = self
            .0
            .iter()
            .position(|(name, _)| name == lesson)
            .unwrap_or_else(|| {
                self.0.push((lesson.into(), Vec::new()));
                self.0.len() - 1
            });
        let steps = &mut self.0[place].1;
        match steps.iter_mut().find(|(done, _)| *done == step) {
            Some((_, best)) => *best = moves.min(*best),
            None => steps.push((step, moves)),
        }
    }

    /// Adds the progress of another file or browser.
    pub(crate) fn join(&mut self, other: Self) {
        for (lesson, steps) in other.0 {
            for (step, moves) in steps {
                self.note(&lesson, step, moves);
            }
        }
    }

    /// The content of the file: a line for each lesson, `NAME STEP=MOVES …`.
    pub fn to_file(&self) -> String {
        let mut text = format!("{FILE}\n");
        for (lesson, steps) in &self.0 {
            text += lesson;
            for (step, moves) in steps {
                // Writing to a string cannot fail.
                let _ = write!(text, " {step}={moves}");
            }
            text += "\n";
        }
        text
    }

    /// Parses such a file; `None` for any other file. Invalid entries are skipped.
    pub fn from_file(text: &str) -> Option<Self> {
        let mut progress = Self::default();
        for line in text.trim_start().strip_prefix(FILE)?.lines() {
            let mut words = line.split_whitespace();
            let Some(lesson) = words.next() else { continue };
            for (step, moves) in words.filter_map(|word| word.split_once('=')) {
                if let (Ok(step), Ok(moves)) = (step.parse(), moves.parse()) {
                    progress.note(lesson, step, moves);
                }
            }
        }
        Some(progress)
    }
}
