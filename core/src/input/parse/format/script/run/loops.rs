//! `for`, `while` and `until`: unrolled where the text determines each iteration.

use super::super::lexer::{Lexer, TokenKind};
use super::super::syntax::Range;
use super::super::variables::VariableValue;
use super::{Flow, MAX_DRY_RUNS, MAX_ITERATIONS, Runner, WORK_OF_COMMAND, WORK_OF_VARIABLE};

impl Runner<'_, '_, '_> {
    pub(super) fn run_for(&mut self, head: Range, body: u32, is_whole: bool) -> Flow {
        let mut lexer = Lexer::new(self.text, head.0 as usize, head.1 as usize);
        let (name, word) = (lexer.next(), lexer.next());
        let variable = self.text[name.start..name.end].to_owned();
        let is_list = name.kind == TokenKind::Word && &self.text[word.start..word.end] == "in";
        let rest = (word.end, head.1 as usize);
        let values = self.script.variables.expand(self.text, rest);
        let is_known = is_list
            && is_whole
            && values.len() <= MAX_ITERATIONS
            && values.iter().all(|value| value.is_known);
        if !is_known {
            return self.run_unknown_loop(&[body], Some(&variable));
        }
        let outer = self.begin_loop();
        self.status = Some(true);
        let mut end = Flow::Next;
        for value in values {
            if !self.spend(WORK_OF_VARIABLE + value.text.len()) {
                break;
            }
            self.script
                .variables
                .set(&variable, VariableValue::Text(value.text));
            if let Some(flow) = self.run_iteration(body) {
                end = flow;
                break;
            }
        }
        self.end_loop(outer);
        end
    }

    pub(super) fn run_loop(
        &mut self,
        condition: u32,
        body: u32,
        until: bool,
        is_whole: bool,
    ) -> Flow {
        let outer = self.begin_loop();
        let mut end = Flow::Next;
        let mut last = Some(true);
        for iteration in 0.. {
            let flow = self.run_list(condition);
            if flow != Flow::Next {
                end = flow;
                break;
            }
            let holds = self
                .status
                .map(|succeeded| succeeded != until)
                .filter(|_| is_whole);
            if holds == Some(false) {
                self.status = last;
                break;
            }
            let goes_on_unknown = holds.is_none() || self.loop_may_have_ended;
            if goes_on_unknown {
                end = self.run_unknown_loop(&[body, condition], None);
                break;
            }
            if iteration == MAX_ITERATIONS || !self.spend(WORK_OF_COMMAND) {
                self.script.tree.is_lost = true;
                break;
            }
            if let Some(flow) = self.run_iteration(body) {
                end = flow;
                break;
            }
            last = self.status;
        }
        self.end_loop(outer);
        end
    }

    /// Begins a loop. Returns the argument for [`Self::end_loop`].
    fn begin_loop(&mut self) -> (bool, usize) {
        let outer = std::mem::take(&mut self.loop_may_have_ended);
        self.outer_loops_may_have_ended += usize::from(outer);
        (outer, self.script.variables.begin())
    }

    /// Ends a loop. If it may have ended early, the variables that it set are unknown.
    fn end_loop(&mut self, (outer, begun): (bool, usize)) {
        let may_have_ended = std::mem::replace(&mut self.loop_may_have_ended, outer);
        self.outer_loops_may_have_ended -= usize::from(outer);
        self.end_variables(begun, may_have_ended);
    }

    /// Ends a part of the script. If its end is undetermined, the variables that it set are
    /// unknown.
    pub(super) fn end_variables(&mut self, begun: usize, may_have_ended: bool) {
        let names = self.script.variables.end_scope(begun, may_have_ended);
        if may_have_ended {
            self.spend(names.len() * WORK_OF_VARIABLE);
            self.status = None;
        }
        for name in names {
            self.script.variables.set(&name, VariableValue::Unknown);
        }
    }

    /// Runs the body of a loop once. Returns how the script continues if the loop ends.
    fn run_iteration(&mut self, body: u32) -> Option<Flow> {
        match self.run_list(body) {
            Flow::Next | Flow::Continue => None,
            Flow::Break => Some(Flow::Next),
            flow => Some(flow),
        }
    }

    /// Runs a loop that may run any number of times.
    fn run_unknown_loop(&mut self, lists: &[u32], variable: Option<&str>) -> Flow {
        let outer = self.loop_may_have_ended;
        // The variables that one iteration sets are unknown in the next one, which may take other
        // paths.
        let mut flows = Vec::new();
        for run in 0.. {
            let begun = self.script.variables.begin();
            self.dry += 1;
            self.doubts += 1;
            variable
                .into_iter()
                .for_each(|name| self.script.variables.set(name, VariableValue::Unknown));
            flows = lists.iter().map(|list| self.run_list(*list)).collect();
            self.dry -= 1;
            self.doubts -= 1;
            let changes = self.script.variables.undo(begun);
            self.spend(changes.len() * WORK_OF_VARIABLE);
            let mut is_settled = true;
            for name in changes.keys() {
                is_settled &= self.script.variables.get(name) == Some(&VariableValue::Unknown);
                self.script.variables.set(name, VariableValue::Unknown);
            }
            if is_settled {
                break;
            }
            if run == MAX_DRY_RUNS {
                self.forget_all();
                break;
            }
        }
        if self.dry == 0 {
            let begun = self.script.variables.begin();
            self.doubts += 1;
            flows = lists.iter().map(|list| self.run_list(*list)).collect();
            self.doubts -= 1;
            self.end_variables(begun, true);
        }
        self.loop_may_have_ended = outer;
        self.script.may_have_ended |= flows.contains(&Flow::Exit);
        self.function_may_have_ended |= flows.contains(&Flow::Return);
        self.status = None;
        Flow::Next
    }
}
