//! Earlier workspaces, for undo, redo and the end of a lesson.

use std::rc::Rc;

use chainwalk_core::packet::fields::PacketField;

use crate::side::{FieldTarget, Side};
use crate::state::{Version, Workspace};

/// At most this number of steps can be undone.
const MAX_STEPS: usize = 100;
/// The most bytes of text that all steps together keep; the last step is not counted.
const MAX_BYTES: usize = 64 << 20;

/// The text that a user types.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Typing {
    Field(FieldTarget, PacketField),
    Line(Side),
    Text,
}

/// The steps to undo and to redo.
#[derive(Clone, Debug, Default)]
pub struct History {
    done: Vec<Version<Workspace>>,
    undone: Vec<Version<Workspace>>,
    /// The text field of the last change: further typing in it makes no new step.
    typing: Option<Typing>,
    /// The workspace before a lesson was opened.
    pub(crate) before_lesson: Option<Version<Workspace>>,
}

impl History {
    /// Whether there is a step to undo, or to redo.
    pub fn can(&self, redo: bool) -> bool {
        !if redo { &self.undone } else { &self.done }.is_empty()
    }

    /// Adds the workspace before a change.
    pub(crate) fn push(&mut self, typing: Option<Typing>, before: Version<Workspace>) {
        let continues = typing.is_some() && typing == self.typing && !self.done.is_empty();
        self.typing = typing;
        self.undone.clear();
        if continues {
            return;
        }
        self.done.push(before);
        let mut bytes = 0;
        let kept = (0..self.done.len())
            .rev()
            .take(MAX_STEPS)
            .take_while(|step| {
                bytes += self.text_bytes(*step);
                bytes <= MAX_BYTES || *step + 1 == self.done.len()
            });
        let kept = kept.count();
        self.done.drain(..self.done.len() - kept);
    }

    /// The bytes of text that a step keeps and the step before it does not.
    fn text_bytes(&self, step: usize) -> usize {
        let paste = &self.done[step].paste;
        match step.checked_sub(1) {
            Some(last) if Rc::ptr_eq(&self.done[last].paste, paste) => 0,
            _ => paste.parsed.sources.iter().map(String::len).sum(),
        }
    }

    /// The workspace to restore: the step before or after the current one.
    pub(crate) fn step(
        &mut self,
        redo: bool,
        current: Version<Workspace>,
    ) -> Option<Version<Workspace>> {
        self.typing = None;
        let (from, to) = if redo {
            (&mut self.undone, &mut self.done)
        } else {
            (&mut self.done, &mut self.undone)
        };
        let restored = from.pop()?;
        to.push(current);
        Some(restored)
    }
}
