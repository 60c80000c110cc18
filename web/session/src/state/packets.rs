//! Changes of the packets, undo and redo.

use std::rc::Rc;

use chainwalk_core::netfilter::place::Place;
use chainwalk_core::packet::Packet;
use chainwalk_core::packet::fields::PacketField;

use super::{State, Version, Workspace};
use crate::packet_slot::PacketSlot;
use crate::saved_packets::{self, MAX_SAVED_PACKETS, SavedPacketAction};
use crate::side::FieldTarget;

impl State {
    /// Undoes or redoes a step.
    pub(super) fn undo(&mut self, redo: bool) {
        let current = self.evaluation.workspace.clone();
        if let Some(restored) = self.history.edit().step(redo, current) {
            self.restore(restored);
        }
    }

    /// Shows another workspace.
    pub(super) fn restore(&mut self, restored: Version<Workspace>) {
        let current = std::mem::replace(&mut self.evaluation.workspace, restored);
        let same_rules = Rc::ptr_eq(&current.paste, self.paste());
        self.edit_view().split.clear();
        let workspace = self.edit_workspace();
        for slot in &mut workspace.packets {
            let scenario = slot.scenario;
            slot.reset_line();
            slot.scenario = scenario;
        }
        if same_rules {
            workspace.settled.clone_from(&current.settled);
            self.walk_saved_packets();
            self.walk();
        } else {
            let paste = Rc::clone(self.paste());
            self.replace(paste);
        }
    }

    pub(super) fn change_saved_packets(&mut self, action: SavedPacketAction) {
        let count = self.workspace().saved_packets.len();
        match action {
            SavedPacketAction::Add(side) => {
                let workspace = self.workspace();
                if let Ok(packet) = workspace.slot(side).form.packet()
                    && count < MAX_SAVED_PACKETS
                    && workspace.saved_packets.iter().all(|saved| *saved != packet)
                {
                    Rc::make_mut(&mut self.edit_workspace().saved_packets).push(packet);
                    self.walk_saved_packets();
                }
            }
            SavedPacketAction::Remove(place) if place < count => {
                Rc::make_mut(&mut self.edit_workspace().saved_packets).remove(place);
                self.walk_saved_packets();
            }
            SavedPacketAction::Load(place, side) if place < count => {
                let packet = self.workspace().saved_packets[place].clone();
                let workspace = self.edit_workspace();
                workspace.compare |= side != workspace.lead;
                workspace.lead = side;
                self.load(&packet);
            }
            SavedPacketAction::Remove(_) | SavedPacketAction::Load(..) => {}
        }
    }

    /// Walks the saved packets that have no outcome for the current rules.
    pub(super) fn walk_saved_packets(&mut self) {
        let known = &self.results().saved_packets;
        let packets = self.workspace().saved_packets.iter();
        let saved = packets.map(|packet| {
            let same = known.iter().find(|saved| saved.packet == *packet);
            same.cloned()
                .unwrap_or_else(|| saved_packets::walk_saved(self.paste(), packet.clone()))
        });
        let saved = Rc::new(saved.collect());
        self.edit_results().saved_packets = saved;
    }

    pub(super) fn settle(&mut self, place: Place, matches: Option<bool>) {
        let settled = &mut self.edit_workspace().settled;
        settled.retain(|(settled, _)| *settled != place);
        settled.extend(matches.map(|matches| (place, matches)));
        self.walk();
    }

    pub(super) fn fill(&mut self, key: &str) {
        if let Some(scenario) = self.evaluation.scenario(key) {
            let slot = PacketSlot::new(&scenario.packet, Some(scenario.key));
            self.show_slot(slot);
        }
    }

    /// Shows this packet as the lead's.
    pub(super) fn load(&mut self, packet: &Packet) {
        self.show_slot(PacketSlot::new(packet, None));
    }

    fn show_slot(&mut self, slot: PacketSlot) {
        let workspace = self.edit_workspace();
        workspace.packets[workspace.lead as usize] = slot;
        self.edit_view().split.clear();
        self.walk();
    }

    pub(super) fn write(&mut self, target: FieldTarget, field: PacketField, value: String) {
        match target {
            FieldTarget::Both => {
                self.edit_view().split.retain(|split| *split != field);
                for slot in &mut self.edit_workspace().packets {
                    slot.form.set(field, value.clone());
                    slot.reset_line();
                }
            }
            FieldTarget::One(side) => {
                // The field stays split while the user types, even when it equals the other.
                self.split(field);
                let workspace = self.edit_workspace();
                workspace.lead = side;
                let slot = &mut workspace.packets[side as usize];
                slot.form.set(field, value);
                slot.reset_line();
            }
        }
        self.walk();
    }

    /// Keeps a field split.
    pub(super) fn split(&mut self, field: PacketField) {
        if !self.view.split.contains(&field) {
            self.edit_view().split.push(field);
        }
    }
}
