//! Calls of the functions that a script defines.

use super::super::variables::{ARGUMENTS, Element, ShellField, VariableValue};
use super::{Flow, Runner, ScriptPath, WORK_OF_CALL, WORK_OF_COMMAND, WORK_OF_VARIABLE};

impl Runner<'_, '_, '_> {
    pub(super) fn call_function(&mut self, name: &str, arguments: &[ShellField]) -> Flow {
        let Some(function) = self.script.functions.get_mut(name) else {
            return Flow::Next;
        };
        function.is_called = true;
        let (bodies, is_certain) = (function.bodies.clone(), function.is_certain);
        if !self.spend(WORK_OF_CALL + WORK_OF_COMMAND * bodies.len()) {
            self.status = None;
            return Flow::Next;
        }
        let list = arguments.iter().map(Element::from_field).collect();
        let outer = self
            .script
            .variables
            .get(ARGUMENTS)
            .cloned()
            .unwrap_or(VariableValue::Unknown);
        let had_ended = (self.function_may_have_ended, self.loop_may_have_ended);
        let first_local = self.locals.len();
        let begun = self.script.variables.begin();
        self.script
            .variables
            .set(ARGUMENTS, VariableValue::List(list));
        self.function_depth += 1;
        let flow = match (&bodies[..], is_certain) {
            ([body], true) => self.run_list(*body),
            _ => {
                let paths: Vec<ScriptPath> = bodies
                    .iter()
                    .map(|body| ScriptPath::List(*body))
                    .chain([ScriptPath::Nothing])
                    .collect();
                self.run_paths(&paths)
            }
        };
        self.function_depth -= 1;
        let may_have_ended = self.function_may_have_ended && !had_ended.0;
        self.end_variables(begun, may_have_ended);
        for (name, value) in self.locals.split_off(first_local).into_iter().rev() {
            self.spend(WORK_OF_VARIABLE);
            self.script
                .variables
                .set(&name, value.unwrap_or(VariableValue::Unknown));
        }
        self.script.variables.set(ARGUMENTS, outer);
        (self.function_may_have_ended, self.loop_may_have_ended) = had_ended;
        if flow == Flow::Exit {
            Flow::Exit
        } else {
            Flow::Next
        }
    }

    /// Declares a local variable: the value outside is restored after the function.
    pub(super) fn declare_local(&mut self, name: &str) {
        if self.function_depth > 0 {
            let value = match self.is_sure() {
                true => self.script.variables.get(name).cloned(),
                false => None,
            };
            self.locals.push((name.to_owned(), value));
        }
    }
}
