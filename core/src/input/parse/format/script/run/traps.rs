//! `trap`: commands that run when the script ends. The text does not determine whether the script
//! has ended. Traps of other signals never run, because no signal is assumed.

use super::super::shell;
use super::super::variables::ShellField;
use super::Runner;

/// The most traps that may be the current one.
const MAX_TRAPS: usize = 8;

impl Runner<'_, '_, '_> {
    /// Stores the commands of `trap COMMANDS EXIT`; `words` follow `trap`.
    pub(super) fn set_trap(&mut self, words: &[ShellField]) {
        let Some((action, signals)) = words.split_first() else {
            return;
        };
        let is_exit = |signal: &ShellField| matches!(&*signal.text, "EXIT" | "0" | "exit");
        if !signals.iter().any(is_exit) || self.dry > 0 {
            return;
        }
        if self.is_sure() && self.is_in_main_shell {
            self.script.traps.clear();
        }
        let raw = &self.text[action.start..action.end];
        let is_quoted = raw.len() > 1
            && ['"', '\'']
                .iter()
                .any(|quote| raw.starts_with(*quote) && raw.ends_with(*quote));
        let quotes = u32::from(is_quoted);
        let (start, end) = (action.start, action.end);
        let narrow = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
        let place = (narrow(start) + quotes, narrow(end) - quotes);
        let first = action.text.split_whitespace().next().unwrap_or_default();
        let may_change = shell::calls(&action.text)
            || action.text.contains("tables")
            || self.script.functions.contains_key(first)
            || !action.is_known;
        if may_change && place.0 < place.1 {
            self.script.tree.is_lost |= self.script.traps.len() == MAX_TRAPS;
            self.script.traps.truncate(MAX_TRAPS - 1);
            self.script.traps.push(place);
        }
    }

    /// Runs the commands of the traps. The dump may show the rules before or after the script's
    /// end.
    pub(super) fn run_traps(&mut self) {
        for (start, end) in self.script.traps.clone() {
            self.doubts += 1;
            self.run_text((start as usize, end as usize));
            self.doubts -= 1;
        }
    }
}
