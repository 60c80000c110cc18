//! Diagnostics about a script: commands that may not have run, functions without a call, limits.

use crate::packet::Family;
use crate::text::diagnostic::{Code, Problem, Span};

use super::super::super::super::assemble::Program;
use super::super::script_state::Function;
use super::super::shell;
use super::super::syntax::{NodeKind, Range};
use super::{MAX_REPORTS, Runner};

impl Runner<'_, '_, '_> {
    pub(super) fn report_conditional(&mut self, range: Range) {
        if !self.script.reported.insert(range.0) || self.script.reported.len() > MAX_REPORTS {
            return;
        }
        let message = "the text does not determine whether this command runs; what depends on it is undetermined";
        let problem = Problem::new(Code::ConditionalCommand, message)
            .hint("paste the commands that ran, such as `sh -x` prints them");
        self.report(range, problem);
    }

    pub(super) fn report(&mut self, range: Range, problem: Problem) {
        let line = self.reading.lines.holding(range.0 as usize);
        self.reading.report(
            line,
            Span {
                start: range.0,
                end: range.1,
            },
            problem,
        );
    }

    /// Reports the functions with iptables commands that the script never calls.
    pub(super) fn report_uncalled_functions(&mut self) {
        let mut ranges: Vec<Range> = Vec::new();
        for function in self
            .script
            .functions
            .values_mut()
            .filter(|function: &&mut Function| !function.is_called)
        {
            function.is_called = true;
            let has_commands = function.bodies.iter().any(|body| {
                let mut at = *body;
                let mut found = false;
                while let Some(node) = self.script.tree.nodes.get(at as usize) {
                    let range = match node.kind {
                        NodeKind::Simple(range) => range,
                        _ => (0, 0),
                    };
                    found |= !matches!(node.kind, NodeKind::Simple(_))
                        || shell::calls(&self.text[range.0 as usize..range.1 as usize]);
                    at = node.next;
                }
                found
            });
            if has_commands {
                ranges.push(function.name);
            }
        }
        ranges.sort_unstable();
        for range in ranges.into_iter().take(MAX_REPORTS) {
            let message = format!(
                "nothing in this script calls function `{}`: its commands do not run",
                self.slice(range)
            );
            let problem =
                Problem::new(Code::ConditionalCommand, message).hint("add the line that calls it");
            self.report(range, problem);
        }
    }

    /// Marks all chains, because the script is too large or too deep to evaluate.
    pub(super) fn mark_all(&mut self, range: (usize, usize)) {
        let line = self.reading.lines.holding(range.0);
        let number = self.reading.line(line).number;
        for family in [Family::Ipv4, Family::Ipv6] {
            let program = Program {
                family,
                backend: None,
                may_fail: true,
                is_sure: false,
            };
            self.reading
                .assembler
                .mark_unknown_command(program, None, number);
        }
        self.reading.assembler.mark_live_tables(number);
        let message =
            "this script is too large or too deep to be followed: what it does is undetermined";
        let problem = Problem::new(Code::ConditionalCommand, message)
            .hint("paste what `iptables-save` prints after it");
        let place = u32::try_from(range.0).unwrap_or(u32::MAX);
        self.report((place, place), problem);
        self.script.tree.is_lost = false;
    }
}
