//! What was, to go back to: rules and packets.

use std::rc::Rc;

use chainwalk_core::packet::fields::PacketField;
use chainwalk_core::packet::form::PacketForm;

use crate::paste::Paste;
use crate::shelf::Shelf;
use crate::side::{Side, Target};

/// So many steps back are kept.
const MOST: usize = 100;
/// The texts of all of them together have no more bytes than this, but for the last.
const MOST_BYTES: usize = 64 << 20;

/// Rules and packets as they stood.
#[derive(Clone, Debug)]
pub(crate) struct Snapshot {
    pub(crate) paste: Rc<Paste>,
    pub(crate) original: Rc<Paste>,
    pub(crate) packets: [(PacketForm, Option<&'static str>); 2],
    pub(crate) compare: bool,
    pub(crate) lead: Side,
    pub(crate) shelf: Shelf,
}

impl Snapshot {
    /// Whether going from one to the other changes anything.
    fn differs(&self, other: &Self) -> bool {
        let same =
            Rc::ptr_eq(&self.paste, &other.paste) && Rc::ptr_eq(&self.original, &other.original);
        let packets = |snapshot: &Self| {
            snapshot
                .shelf
                .iter()
                .map(|kept| kept.packet.clone())
                .collect::<Vec<_>>()
        };
        !same
            || self.packets != other.packets
            || self.compare != other.compare
            || packets(self) != packets(other)
    }

    fn bytes(&self) -> usize {
        self.paste.parsed.sources.iter().map(String::len).sum()
    }
}

/// What is being typed in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Typing {
    Field(Target, PacketField),
    Line(Side),
    Text,
}

/// The steps back, and those that were taken back.
#[derive(Clone, Debug, Default)]
pub(crate) struct History {
    done: Vec<Rc<Snapshot>>,
    undone: Vec<Rc<Snapshot>>,
    /// What was typed in last: typing on makes no new step.
    typing: Option<Typing>,
}

impl History {
    /// Whether there is a step back, or one on.
    pub(crate) fn can(&self, redo: bool) -> bool {
        !if redo { &self.undone } else { &self.done }.is_empty()
    }

    /// Remembers what was before an action, where that changed anything.
    pub(crate) fn keep(&mut self, typing: Option<Typing>, before: Snapshot, after: &Snapshot) {
        if !before.differs(after) {
            return;
        }
        let goes_on = typing.is_some() && typing == self.typing && !self.done.is_empty();
        self.typing = typing;
        self.undone.clear();
        if goes_on {
            return;
        }
        self.done.push(Rc::new(before));
        let weighs = |place: usize| match place.checked_sub(1) {
            Some(last) if Rc::ptr_eq(&self.done[last].paste, &self.done[place].paste) => 0,
            _ => self.done[place].bytes(),
        };
        let mut bytes = 0;
        let keeps = (0..self.done.len()).rev().take(MOST).take_while(|place| {
            bytes += weighs(*place);
            bytes <= MOST_BYTES || *place + 1 == self.done.len()
        });
        let keeps = keeps.count();
        self.done.drain(..self.done.len() - keeps);
    }

    /// A step back, or one on, from what is now.
    pub(crate) fn go(&mut self, redo: bool, now: Snapshot) -> Option<Rc<Snapshot>> {
        self.typing = None;
        let (from, to) = if redo {
            (&mut self.undone, &mut self.done)
        } else {
            (&mut self.done, &mut self.undone)
        };
        let then = from.pop()?;
        to.push(Rc::new(now));
        Some(then)
    }
}
