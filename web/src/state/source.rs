//! Where rules come from: a paste, a link, a lesson, an edit; and what is said of a text that is
//! not taken.

use std::rc::Rc;

use chainwalk_core::analysis::findings::lint;
use chainwalk_core::lesson::At;
use chainwalk_core::packet::Origin as PacketOrigin;
use chainwalk_core::packet::host::Host;
use chainwalk_core::share::link::{self, Broken, Shared};
use chainwalk_core::text::diagnostic::{Code, Diagnostic, Fix, Severity};
use chainwalk_core::walk::steps::Run;

use super::{State, Tab, View};
use crate::cursor::{self, Move};
use crate::editing::Editing;
use crate::lane::Lane;
use crate::lesson::Stage;
use crate::paste::{Origin, Paste};
use crate::rows::{Index, Order};
use crate::shelf;
use crate::side::Side;

impl State {
    /// Takes the rules of another namespace: a packet that it cannot send gives way to the usual
    /// one.
    pub(super) fn come(&mut self, paste: Paste) {
        let second = if paste.scenario("as-proxy").is_some() {
            "as-proxy"
        } else {
            "pod-internet"
        };
        for (lane, usual) in self.lanes.iter_mut().zip(["internet", second]) {
            let gives_way = match lane.scenario {
                None => is_foreign(lane, &paste.host),
                // One that the old rules suggested stays as a packet.
                Some(key) => !key.starts_with("own-") && paste.scenario(key).is_none(),
            };
            if gives_way {
                lane.scenario = Some(usual);
            }
        }
        self.take(paste);
    }

    /// Walks the same rules as those of a usual node, or of a usual pod.
    pub(super) fn place(&mut self, node: bool) {
        let original = self
            .is_edited()
            .then(|| Rc::new(self.original.placed(node)));
        self.come(self.paste.placed(node));
        if let Some(original) = original {
            self.original = original;
        }
    }

    /// Takes a new text, and fills packets that stand for a scenario in again: its addresses and
    /// uids may differ.
    pub(super) fn take(&mut self, paste: Paste) {
        let paste = Rc::new(paste);
        self.original = Rc::clone(&paste);
        for lane in &mut self.lanes {
            match lane.scenario.and_then(|key| paste.scenario(key)) {
                Some(scenario) => *lane = Lane::of(&scenario.packet, Some(scenario.key)),
                // It was one that the old rules suggested.
                None => lane.scenario = None,
            }
        }
        self.replace(paste);
    }

    /// Shows rules, with the packets that there are.
    pub(crate) fn replace(&mut self, paste: Rc<Paste>) {
        self.refused.clear();
        self.line = None;
        // Their places are those of the old text.
        self.settled.clear();
        self.editing = Editing::default();
        self.opened.forget();
        (self.told, self.told_before) = (None, None);
        self.index = Rc::new(Index::of(paste.rulesets()));
        self.shelf = shelf::again(&self.shelf, &paste);
        self.paste = paste;
        self.walk();
    }

    /// Takes a text that rules are in; another is refused, and the rules before it stay.
    pub(super) fn paste(&mut self, text: String) {
        match given(&text) {
            Some(shared) => self.open(shared.map(Some)),
            None => drop(self.accept(Paste::own(text))),
        }
    }

    /// Says whether it was taken.
    pub(super) fn accept(&mut self, paste: Paste) -> bool {
        self.tab = Tab::Rules;
        if !paste.rulesets().is_empty() {
            self.view = View::Rows(Order::Walked);
            self.come(paste);
            return true;
        }
        self.refused_text = paste.parsed.sources.first().map_or("", |text| text).into();
        self.refused = paste.parsed.diagnostics.clone();
        // `iptables-save` prints nothing where there is nothing: why that may be is what its reader
        // looks for.
        if self.refused.is_empty() {
            let reasons = lint(&[], &paste.host, paste.host_known).into_iter();
            self.refused = reasons
                .map(|reason| {
                    Diagnostic::of_input(Code::EmptyInput, reason.says.trim_end_matches(['.', ':']))
                })
                .collect();
        }
        false
    }

    /// Shows what a link or a file holds.
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
        for (lane, packet) in self.lanes.iter_mut().zip(&shared.packets) {
            *lane = Lane::of(packet, self.paste.key(packet));
        }
        self.compare = shared.packets.len() != 1;
        // A link of before names none: the last one was the one in large.
        self.lead = match (self.compare, shared.lead) {
            (false, _) | (true, Some(0)) => Side::A,
            (true, _) => Side::B,
        };
        self.split.clear();
        self.settled = shared
            .settled
            .iter()
            .filter_map(|settled| settled.place(self.paste.rulesets()))
            .collect();
        self.view = match &*shared.view {
            "saved" => View::Rows(Order::Saved),
            "text" => View::Text,
            _ => View::Rows(Order::Walked),
        };
        self.embed = shared.embed.then(|| {
            Shared {
                embed: false,
                ..shared.clone()
            }
            .fragment()
        });
        self.walk();
        if let Some(step) = shared.step {
            self.cursor = cursor::go(&self.paths(), 0, Move::To(step));
        }
    }

    pub(super) fn fix(&mut self, fix: &Fix, refused: bool) {
        match (refused, self.paste.fixable()) {
            (true, _) => self.paste(fix.apply(&self.refused_text)),
            (false, Some(text)) => self.take(self.paste.edited(fix.apply(text))),
            (false, None) => {}
        }
    }

    pub(super) fn refuse(&mut self, message: String) {
        self.refused = vec![Diagnostic::of_input(Code::UnreadableInput, message)];
        self.tab = Tab::Rules;
    }

    /// Shows what a step of a lesson is about.
    pub(super) fn stage(&mut self, stage: Stage) {
        if self.paste.origin != Origin::Lesson {
            self.before_lesson = Some(Rc::new(self.snapshot()));
        }
        let Stage {
            text,
            host,
            packets,
            at,
            whole,
        } = stage;
        for (side, lane) in self.lanes.iter_mut().enumerate() {
            if let Some(packet) = packets.get(side).or(packets.first()) {
                *lane = Lane::of(packet, None);
            }
        }
        self.compare = packets.len() > 1;
        self.lead = if self.compare { Side::B } else { Side::A };
        self.view = View::Rows(if whole { Order::Saved } else { Order::Walked });
        self.split.clear();
        self.take(Paste::lesson(text, host));
        match at {
            At::Decided => {}
            At::Start => self.cursor = 0,
            At::End => self.cursor = cursor::go(&self.paths(), self.cursor, Move::Last),
            At::Rule(place) if place.is_in(self.paste.rulesets()) => self.jump(place),
            At::Rule(_) => {}
            At::Station(hook, table) => {
                let rulesets = self.paste.rulesets();
                let is_there = |run: &&Run| {
                    run.first.hook == hook && run.first.place.at.table(rulesets).is(table)
                };
                let first = self
                    .paths()
                    .first()
                    .and_then(|path| path.steps.runs().iter().find(is_there));
                self.cursor = first.map_or(self.cursor, |run| run.places().start);
            }
        }
    }

    /// Shows again what was before the lesson, unless other rules came since.
    pub(crate) fn leave(&mut self) {
        if let Some(before) = self
            .before_lesson
            .take_if(|_| self.paste.origin == Origin::Lesson)
        {
            self.restore(&before);
        }
    }
}

/// Whether a packet is sent from an address that the namespace does not have: it was meant for
/// another one.
fn is_foreign(lane: &Lane, host: &Host) -> bool {
    let own = |address| {
        host.interfaces
            .iter()
            .flat_map(|one| &one.addresses)
            .any(|prefix| prefix.address == address)
    };
    let packet = lane
        .draft
        .packet()
        .ok()
        .filter(|packet| packet.origin == PacketOrigin::Local);
    packet
        .and_then(|packet| packet.src)
        .is_some_and(|src| !own(src) && !src.is_loopback())
}

/// What a text holds that is a file of this page's, or a link to it.
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
