//! What a flag names: an option of iptables itself, of the header, or of a match or target that the rule has opened.

use crate::diagnostic::Span;
use crate::extension::{Id, Opt};
use crate::packet::Family;
use crate::ruleset::Value;

use super::super::command::{self, Global};
use super::{HEADER, RuleReader, TARGET};

/// What a flag names.
pub(super) enum Found {
    Global(Global),
    Option(u16, Id, (u8, &'static Opt)),
    /// An abbreviation of several.
    Several(Vec<&'static str>),
}

impl RuleReader {
    /// The option that a flag names: a command's, the header's, one of the latest match or target that has it, or one of
    /// the match that `-p` implies. A long one may be abbreviated, as getopt_long takes it.
    pub(super) fn find(&mut self, flag: &str, span: Span, family: Family) -> Option<Found> {
        if let Some(found) = self.find_exact(flag).or_else(|| self.find_abbreviated(flag)) {
            return Some(found);
        }
        let implied = Id::implied_by(self.named?, family)?;
        // `--` alone ends getopt_long's options: it abbreviates none.
        if flag.len() < 3 || self.matches.iter().any(|(id, _)| *id == implied) {
            return None;
        }
        let options = implied.get().options;
        options.iter().any(|opt| opt.flags().any(|known| known.starts_with(flag))).then(|| {
            self.matches.push((implied, span));
            self.push_bare(implied, Value::None);
        })?;
        self.find_exact(flag).or_else(|| self.find_abbreviated(flag))
    }

    pub(super) fn find_exact(&self, flag: &str) -> Option<Found> {
        if let Some(global) = command::global(flag) {
            return Some(Found::Global(global));
        }
        let mut groups = self.open_groups();
        groups.find_map(|(group, id)| Some(Found::Option(group, id, id.get().option(flag)?)))
    }

    pub(super) fn find_abbreviated(&self, flag: &str) -> Option<Found> {
        if flag.len() < 3 || !flag.starts_with("--") {
            return None;
        }
        let mut found: Vec<(&'static str, Found)> =
            command::abbreviated(flag).map(|(name, global)| (name, Found::Global(global))).collect();
        for (group, id) in self.open_groups() {
            for (place, opt) in (0..).zip(id.get().options) {
                let named = opt.flags().find(|known| known.starts_with(flag));
                found.extend(named.map(|known| (known, Found::Option(group, id, (place, opt)))));
            }
        }
        match found.len() {
            0 => None,
            1 => found.pop().map(|(_, found)| found),
            _ => Some(Found::Several(found.into_iter().map(|(name, _)| name).collect())),
        }
    }

    /// The matches and the target, what was opened last first, and the header: `--proto` is -m policy's where that is open.
    pub(super) fn open_groups(&self) -> impl Iterator<Item = (u16, Id)> {
        let mut opened: Vec<(u16, Id)> = (1..).zip(&self.matches).map(|(group, (id, _))| (group, *id)).collect();
        if let Some((id, _)) = self.target {
            opened.insert(self.before_target, (TARGET, id));
        }
        opened.into_iter().rev().chain([(HEADER, Id::HEADER)])
    }
}
