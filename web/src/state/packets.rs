//! What is written into the packets, set aside of them, and taken back.

use std::rc::Rc;

use chainwalk_core::netfilter::place::Place;
use chainwalk_core::packet::Packet;
use chainwalk_core::packet::fields::PacketField;

use super::State;
use crate::history::Snapshot;
use crate::lane::Lane;
use crate::shelf;
use crate::side::{Side, Target};

impl State {
    /// Rules and packets as they stand.
    pub(super) fn snapshot(&self) -> Snapshot {
        Snapshot {
            paste: Rc::clone(&self.paste),
            original: Rc::clone(&self.original),
            packets: self
                .lanes
                .each_ref()
                .map(|lane| (lane.draft.clone(), lane.scenario)),
            compare: self.compare,
            lead: self.lead,
            shelf: Rc::clone(&self.shelf),
        }
    }

    /// A step back, or on again.
    pub(super) fn undo(&mut self, redo: bool) {
        let now = self.snapshot();
        if let Some(then) = self.history.go(redo, now) {
            self.restore(&then);
        }
    }

    /// Shows what was.
    pub(super) fn restore(&mut self, then: &Snapshot) {
        self.original = Rc::clone(&then.original);
        (self.compare, self.lead) = (then.compare, then.lead);
        for (lane, (draft, scenario)) in self.lanes.iter_mut().zip(&then.packets) {
            lane.wrote();
            (lane.draft, lane.scenario) = (draft.clone(), *scenario);
        }
        self.split.clear();
        self.shelf = Rc::clone(&then.shelf);
        if Rc::ptr_eq(&self.paste, &then.paste) {
            self.walk();
        } else {
            self.replace(Rc::clone(&then.paste));
        }
    }

    pub(super) fn put_aside(&mut self, what: shelf::Do) {
        let shelf = Rc::make_mut(&mut self.shelf);
        match what {
            shelf::Do::Add(side) => {
                if let Ok(packet) = self.lanes[side as usize].draft.packet()
                    && shelf.len() < shelf::MOST
                    && shelf.iter().all(|kept| kept.packet != packet)
                {
                    shelf.push(shelf::kept(&self.paste, packet));
                }
            }
            shelf::Do::Remove(place) if place < shelf.len() => drop(shelf.remove(place)),
            shelf::Do::Load(place, side) if place < shelf.len() => {
                self.lanes[side as usize] = Lane::of(&shelf[place].packet, None);
                self.compare |= side != self.lead;
                self.lead = side;
                self.split.clear();
                self.walk();
            }
            shelf::Do::Remove(_) | shelf::Do::Load(..) => {}
        }
    }

    pub(super) fn settle(&mut self, place: Place, matches: Option<bool>) {
        self.settled.retain(|(settled, _)| *settled != place);
        self.settled.extend(matches.map(|matches| (place, matches)));
        self.walk();
    }

    pub(super) fn fill(&mut self, key: &str) {
        let paste = Rc::clone(&self.paste);
        if let Some(scenario) = paste.scenario(key) {
            self.lanes[self.lead as usize] = Lane::of(&scenario.packet, Some(scenario.key));
            self.split.clear();
            self.walk();
        }
    }

    /// The lead's packet becomes this one.
    pub(super) fn load(&mut self, packet: &Packet) {
        self.lanes[self.lead as usize] = Lane::of(packet, None);
        self.split.clear();
        self.walk();
    }

    pub(super) fn write(&mut self, target: Target, field: PacketField, value: String) {
        match target {
            Target::Both => {
                self.split.retain(|split| *split != field);
                self.lanes
                    .iter_mut()
                    .for_each(|lane| lane.draft.set(field, value.clone()));
            }
            Target::One(side) => {
                // It stays two while it is typed in, also where it comes to equal the other.
                self.split(field);
                self.lead = side;
                self.lanes[side as usize].draft.set(field, value);
            }
        }
        for (side, lane) in [Side::A, Side::B].into_iter().zip(&mut self.lanes) {
            if matches!(target, Target::Both) || target == Target::One(side) {
                lane.wrote();
            }
        }
        self.walk();
    }

    /// Keeps a field two.
    pub(super) fn split(&mut self, field: PacketField) {
        if !self.split.contains(&field) {
            self.split.push(field);
        }
    }
}
