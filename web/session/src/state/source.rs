//! The sources of rules: a paste, a link, a lesson, an edit; and why a text is rejected.

use std::rc::Rc;

use chainwalk_core::analysis::findings::lint;
use chainwalk_core::lesson::At;
use chainwalk_core::packet::Origin as PacketOrigin;
use chainwalk_core::packet::host::Host;
use chainwalk_core::share::link::{self, Broken, Shared};
use chainwalk_core::text::diagnostic::{Code, Diagnostic, Fix, Severity};
use chainwalk_core::walk::steps::Run;

use super::{RuleView, State, Tab};
use crate::cursor::Move;
use crate::editing::Editing;
use crate::lesson::Stage;
use crate::packet_slot::PacketSlot;
use crate::paste::{Origin, Paste};
use crate::rows::{Index, Order};
use crate::side::Side;

impl State {
    /// Takes the rules of another namespace. The usual packet replaces a packet that the namespace
    /// cannot send.
    pub(super) fn come(&mut self, paste: Paste) {
        let second = if paste.scenario("as-proxy").is_some() {
            "as-proxy"
        } else {
            "pod-internet"
        };
        for (slot, usual) in self
            .edit_workspace()
            .packets
            .iter_mut()
            .zip(["internet", second])
        {
            let gives_way = match slot.scenario {
                None => is_foreign(slot, &paste.host),
                // A packet that the old rules suggested stays as it is.
                Some(key) => !key.starts_with("own-") && paste.scenario(key).is_none(),
            };
            if gives_way {
                slot.scenario = Some(usual);
            }
        }
        self.take(paste);
    }

    /// Walks the rules as a usual node's or a usual pod's.
    pub(super) fn place(&mut self, node: bool) {
        let workspace = self.workspace();
        let original = workspace
            .is_edited()
            .then(|| Rc::new(workspace.original.placed(node)));
        self.come(self.paste().placed(node));
        if let Some(original) = original {
            self.edit_workspace().original = original;
        }
    }

    /// Takes a new text, and fills in the packets of scenarios again, because their addresses and
    /// uids may differ.
    pub(super) fn take(&mut self, paste: Paste) {
        let paste = Rc::new(paste);
        let workspace = self.edit_workspace();
        workspace.original = Rc::clone(&paste);
        for slot in &mut workspace.packets {
            match slot.scenario.and_then(|key| paste.scenario(key)) {
                Some(scenario) => *slot = PacketSlot::new(&scenario.packet, Some(scenario.key)),
                // The old rules suggested this packet.
                None => slot.scenario = None,
            }
        }
        self.replace(paste);
    }

    /// Shows rules with the current packets.
    pub(crate) fn replace(&mut self, paste: Rc<Paste>) {
        let workspace = self.edit_workspace();
        // The places belong to the old text.
        workspace.settled.clear();
        workspace.paste = Rc::clone(&paste);
        let view = self.edit_view();
        view.refused.clear();
        view.line = None;
        view.editing = Editing::default();
        view.opened.forget();
        let results = self.edit_results();
        (results.analysis, results.previous_analysis) = (None, None);
        (results.outcomes, results.findings) = (None, None);
        results.index = Rc::new(Index::new(paste.rulesets()));
        results.saved_packets = Rc::default();
        self.walk_saved_packets();
        self.walk();
    }

    /// Takes a text with rules. Any other text is rejected, and the rules stay.
    pub(super) fn paste_text(&mut self, text: String) {
        match given(&text) {
            Some(shared) => self.open(shared.map(Some)),
            None => drop(self.accept(Paste::own(text))),
        }
    }

    /// Returns whether the text was accepted.
    pub(super) fn accept(&mut self, paste: Paste) -> bool {
        let view = self.edit_view();
        view.tab = Tab::Rules;
        if !paste.rulesets().is_empty() {
            view.rules = RuleView::Rows(Order::Walked);
            self.come(paste);
            return true;
        }
        view.refused_text = paste.parsed.sources.first().map_or("", |text| text).into();
        view.refused = paste.parsed.diagnostics.clone();
        // An empty output of `iptables-save` has several possible causes, which the message lists.
        if view.refused.is_empty() {
            let reasons = lint(&[], &paste.host, paste.host_known).into_iter();
            view.refused = reasons
                .map(|reason| {
                    Diagnostic::of_input(Code::EmptyInput, reason.says.trim_end_matches(['.', ':']))
                })
                .collect();
        }
        false
    }

    /// Shows the content of a link or a file.
    pub(super) fn open(&mut self, shared: Result<Option<Shared>, Broken>) {
        match shared {
            Ok(Some(shared)) => self.show(&shared),
            Ok(None) => {}
            Err(broken) => self.refuse(broken.to_string()),
        }
    }

    pub(super) fn show(&mut self, shared: &Shared) {
        let mut paste = Paste::shared(&shared.text, shared.host.clone(), !shared.usual);
        paste.neutral = shared.neutral;
        for dropped in &shared.dropped {
            let remark =
                Diagnostic::of_input(Code::LimitExceeded, format!("this link holds {dropped}"));
            paste.parsed.diagnostics.push(Diagnostic {
                severity: Severity::Warning,
                ..remark
            });
        }
        paste.dropped.extend(shared.dropped.iter().cloned());
        if !self.accept(paste) {
            return;
        }
        let paste = Rc::clone(self.paste());
        let mut outcomes = None;
        let slots = shared.packets.iter().map(|packet| {
            PacketSlot::new(
                packet,
                paste.scenario_of(packet).or_else(|| {
                    let all = outcomes.get_or_insert_with(|| Rc::new(paste.outcomes()));
                    let mut scenarios = all.iter().map(|outcome| &outcome.scenario);
                    let found = scenarios.find(|scenario| scenario.packet == *packet);
                    found.map(|scenario| scenario.key)
                }),
            )
        });
        let slots: Vec<PacketSlot> = slots.take(2).collect();
        if outcomes.is_some() {
            self.edit_results().outcomes = outcomes;
        }
        let workspace = self.edit_workspace();
        for (slot, linked) in workspace.packets.iter_mut().zip(slots) {
            *slot = linked;
        }
        workspace.compare = shared.packets.len() != 1;
        // An older link names no lead; its last packet was the lead.
        workspace.lead = match (workspace.compare, shared.lead) {
            (false, _) | (true, Some(0)) => Side::A,
            (true, _) => Side::B,
        };
        let settled = shared.settled.iter();
        workspace.settled = settled
            .filter_map(|settled| settled.place(paste.rulesets()))
            .collect();
        let view = self.edit_view();
        view.split.clear();
        view.rules = match &*shared.view {
            "saved" => RuleView::Rows(Order::Saved),
            "text" => RuleView::Text,
            _ => RuleView::Rows(Order::Walked),
        };
        view.embed = shared.embed.then(|| {
            let whole = Shared {
                embed: false,
                ..shared.clone()
            };
            whole.fragment()
        });
        self.walk();
        if let Some(step) = shared.step {
            self.edit_view().cursor = self.evaluation.after(0, Move::To(step));
        }
    }

    pub(super) fn fix(&mut self, fix: &Fix, refused: bool) {
        match (refused, self.paste().fixable()) {
            (true, _) => self.paste_text(fix.apply(&self.view.refused_text)),
            (false, Some(text)) => self.take(self.paste().edited(fix.apply(text))),
            (false, None) => {}
        }
    }

    pub(super) fn refuse(&mut self, message: String) {
        let view = self.edit_view();
        view.refused = vec![Diagnostic::of_input(Code::UnreadableInput, message)];
        view.tab = Tab::Rules;
    }

    /// Shows the rules and packets of a lesson's step.
    pub(super) fn stage(&mut self, stage: Stage) {
        if self.paste().origin != Origin::Lesson {
            let before = self.evaluation.workspace.clone();
            self.history.edit().before_lesson = Some(before);
        }
        let Stage {
            text,
            host,
            packets,
            at,
            whole,
        } = stage;
        let workspace = self.edit_workspace();
        for (side, slot) in workspace.packets.iter_mut().enumerate() {
            if let Some(packet) = packets.get(side).or(packets.first()) {
                *slot = PacketSlot::new(packet, None);
            }
        }
        workspace.compare = packets.len() > 1;
        workspace.lead = if workspace.compare { Side::B } else { Side::A };
        let view = self.edit_view();
        view.rules = RuleView::Rows(if whole { Order::Saved } else { Order::Walked });
        view.split.clear();
        self.take(Paste::lesson(text, host));
        match at {
            At::Decided => {}
            At::Start => self.edit_view().cursor = 0,
            At::End => {
                self.edit_view().cursor = self.evaluation.after(self.view.cursor, Move::Last);
            }
            At::Rule(place) if place.is_in(self.paste().rulesets()) => self.jump(place),
            At::Rule(_) => {}
            At::Station(hook, table) => {
                let rulesets = self.paste().rulesets();
                let paths = self.evaluation.paths();
                let first = paths.first().and_then(|path| {
                    path.steps.runs().iter().find(|run: &&Run| {
                        run.first.hook == hook && run.first.place.at.table(rulesets).is(table)
                    })
                });
                if let Some(step) = first.map(|run| run.places().start) {
                    self.edit_view().cursor = step;
                }
            }
        }
    }

    /// Restores the workspace before the lesson, unless other rules replaced the lesson's.
    pub(crate) fn leave(&mut self) {
        let is_lesson = self.paste().origin == Origin::Lesson;
        if let Some(before) = self.history.edit().before_lesson.take_if(|_| is_lesson) {
            self.restore(before);
        }
    }
}

/// Whether a packet has a source address that the namespace lacks: it belongs to another namespace.
fn is_foreign(slot: &PacketSlot, host: &Host) -> bool {
    let packet = slot
        .form
        .packet()
        .ok()
        .filter(|packet| packet.origin == PacketOrigin::Local);
    packet.and_then(|packet| packet.src).is_some_and(|src| {
        let mut own = host.interfaces.iter().flat_map(|one| &one.addresses);
        own.all(|prefix| prefix.address != src) && !src.is_loopback()
    })
}

/// The work in a text that is a file of this page or a link to it.
fn given(text: &str) -> Option<Result<Shared, Broken>> {
    let link = text.trim();
    if let Some((_, fragment)) = link
        .split_once('#')
        .filter(|(page, _)| page.contains("://"))
        && link.len() <= 2 * link::MAX_LINK_CHARACTERS
        && !link.contains(char::is_whitespace)
    {
        return link::read_link(fragment).transpose();
    }
    Shared::from_file(text)
}
