//! Finds the option of a flag: an option of iptables itself, of the header, or of a match or target
//! of the rule.

use crate::iptables::extension::{Id, Opt};
use crate::netfilter::ruleset::Value;
use crate::packet::Family;
use crate::text::diagnostic::Span;

use super::super::command::{self, Global};
use super::{HEADER, RuleReader, TARGET, group};

/// The option of a flag.
pub(super) enum FoundOption {
    Global(Global),
    Option(u16, Id, (u8, &'static Opt)),
    /// An abbreviation of several.
    Several(Vec<&'static str>),
}

impl RuleReader {
    /// The option of a flag: that of a command, of the header, of the latest match or target that
    /// has it, or of the match that `-p` implies. A long flag may be abbreviated, as in
    /// getopt_long.
    pub(super) fn find(&mut self, flag: &str, span: Span, family: Family) -> Option<FoundOption> {
        let exact = self.find_exact(flag);
        if exact.is_some() {
            return exact;
        }
        let abbreviated = self.find_abbreviated(flag);
        if abbreviated.is_some() {
            return abbreviated;
        }
        let implied = Id::implied_by(self.named?, family)?;
        // `--` by itself ends the options of getopt_long. It is not an abbreviation.
        if flag.len() < 3 || self.matches.iter().any(|(id, _)| *id == implied) {
            return None;
        }
        let options = implied.get().options;
        options
            .iter()
            .any(|opt| opt.flags().any(|known| known.starts_with(flag)))
            .then(|| {
                self.matches.push((implied, span));
                self.push_bare(implied, Value::None);
            })?;
        self.find_exact(flag)
            .or_else(|| self.find_abbreviated(flag))
    }

    pub(super) fn find_exact(&self, flag: &str) -> Option<FoundOption> {
        // No long option of iptables itself is also one of an extension.
        let global = if flag.starts_with("--") {
            None
        } else {
            command::global(flag)
        };
        if let Some(global) = global {
            return Some(FoundOption::Global(global));
        }
        for (group, id) in self.open_groups() {
            if let Some(option) = id.get().option(flag) {
                return Some(FoundOption::Option(group, id, option));
            }
        }
        command::global(flag).map(FoundOption::Global)
    }

    pub(super) fn find_abbreviated(&self, flag: &str) -> Option<FoundOption> {
        if flag.len() < 3 || !flag.starts_with("--") {
            return None;
        }
        let mut found: Vec<(&'static str, FoundOption)> = command::abbreviated(flag)
            .map(|(name, global)| (name, FoundOption::Global(global)))
            .collect();
        for (group, id) in self.open_groups() {
            for (place, opt) in (0..).zip(id.get().options) {
                let named = opt.flags().find(|known| known.starts_with(flag));
                found.extend(
                    named.map(|known| (known, FoundOption::Option(group, id, (place, opt)))),
                );
            }
        }
        match found.len() {
            0 => None,
            1 => found.pop().map(|(_, found)| found),
            _ => Some(FoundOption::Several(
                found.into_iter().map(|(name, _)| name).collect(),
            )),
        }
    }

    /// The matches and the target, the latest first, then the header. If -m policy is open,
    /// `--proto` belongs to it.
    pub(super) fn open_groups(&self) -> impl Iterator<Item = (u16, Id)> {
        let mut target = self.target.map(|(id, _)| (self.before_target, id));
        let mut left = self.matches.len();
        let mut header = Some((HEADER, Id::HEADER));
        std::iter::from_fn(move || {
            if let Some((_, id)) = target.take_if(|(before, _)| *before == left) {
                return Some((TARGET, id));
            }
            match left.checked_sub(1) {
                Some(place) => Some((
                    group(std::mem::replace(&mut left, place)),
                    self.matches[place].0,
                )),
                None => header.take(),
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_extension_has_a_long_option_of_iptables_itself() {
        for flag in Id::all()
            .flat_map(|id| id.get().options)
            .flat_map(Opt::flags)
        {
            assert!(
                !flag.starts_with("--") || command::global(flag).is_none(),
                "{flag}"
            );
        }
    }
}
