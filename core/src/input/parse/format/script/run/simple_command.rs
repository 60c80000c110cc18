//! Simple commands: shell builtins, calls of functions, and programs.

use super::super::super::super::call;
use super::super::assignment::assignment;
use super::super::braces::PATTERN_SIGNS;
use super::super::lexer::closing;
use super::super::shell;
use super::super::syntax::{Parser, Range};
use super::super::test_command;
use super::super::variables::{ARGUMENTS, Element, ShellField, VariableValue};
use super::{Flow, Runner, ScriptPath};

impl Runner<'_, '_, '_> {
    pub(super) fn run_simple(&mut self, range: Range, may_fail: bool) -> Flow {
        let text = self.text;
        let raw = self.slice(range).to_owned();
        let may_fail = may_fail || raw.contains("2>") || raw.contains("&>");
        if let Some(word) = shell::heredoc(&raw) {
            self.run_restore(range, &raw, word);
            return Flow::Next;
        }
        let value = |name: &str| self.script.variables.text(name).map(str::to_owned);
        if let Some((offset, family, backend)) = shell::program(&raw, &value) {
            if let Some(inner) = quoted_part(&raw, offset) {
                // `sh -c "iptables …; iptables …"`
                let start = range.0 as usize;
                return self.run_text((start + inner.0, start + inner.1));
            }
            let words = self
                .script
                .variables
                .expand(text, (range.0 as usize + offset, range.1 as usize));
            self.run_iptables((family, backend), &words, range, may_fail);
            return Flow::Next;
        }
        if raw.starts_with("((") {
            self.run_arithmetic(&raw);
            return Flow::Next;
        }
        let assigned = self.run_assignments(range);
        if assigned == range.1 as usize {
            return Flow::Next;
        }
        let fields = self
            .script
            .variables
            .expand(text, (assigned, range.1 as usize));
        let made: usize = fields.iter().map(|field| field.text.len()).sum();
        if !self.spend(made.saturating_sub(raw.len())) {
            return Flow::Next;
        }
        let flow = self.run_words(&fields, range, &raw, may_fail);
        self.forget_expanded(&raw);
        flow
    }

    /// Runs the commands in a quoted part of the text.
    pub(super) fn run_text(&mut self, range: (usize, usize)) -> Flow {
        let mut parser = Parser::new(self.text, self.reading.lines, range, range);
        while let Some(list) = parser.next(&mut self.script.tree, &|_| false) {
            self.run_apart(|runner| runner.run_list(list));
        }
        Flow::Next
    }

    /// Runs a command given by its expanded words.
    fn run_words(
        &mut self,
        fields: &[ShellField],
        range: Range,
        raw: &str,
        may_fail: bool,
    ) -> Flow {
        let fields = skip_launchers(fields);
        let Some((first, rest)) = fields.split_first() else {
            return Flow::Next;
        };
        if self.script.functions.contains_key(&first.text) {
            let name = first.text.clone();
            // A shell does not call the function if an expression has an error.
            let is_expanded = |field: &ShellField| field.is_known || !field.text.contains("$((");
            return match rest.iter().all(is_expanded) {
                true => self.call_function(&name, rest),
                false => self.run_paths(&[ScriptPath::Call(&name, rest), ScriptPath::Nothing]),
            };
        }
        if let Some((family, backend, "")) = call::named(&first.text).filter(|_| first.is_known) {
            let call = call::find(raw).filter(|call| {
                matches!(
                    call.program,
                    call::CalledProgram::List | call::CalledProgram::Rules
                )
            });
            match call {
                Some(call) => self.run_list_command((family, backend), call.rest, rest, range),
                None => self.run_iptables((family, backend), rest, range, may_fail),
            }
            return Flow::Next;
        }
        if let Some((family, backend, "-restore")) =
            call::named(&first.text).filter(|_| first.is_known)
        {
            self.run_unknown_input((family, backend), range);
            return Flow::Next;
        }
        if !first.is_known {
            return self.run_unknown_command(fields, range, may_fail);
        }
        self.status = match &*first.text {
            // `printf -v NAME`
            "printf" if rest.first().is_some_and(|word| word.text == "-v") => {
                rest.iter().for_each(|word| self.forget_names(&word.text));
                Some(true)
            }
            "true" | ":" | "echo" | "printf" | "logger" | "sleep" | "modprobe" | "sysctl"
            | "cd" | "umask" => Some(true),
            "false" => Some(false),
            "trap" => {
                self.set_trap(rest);
                Some(true)
            }
            "[" | "test" | "[[" => self.test(fields, raw),
            // The words "exit the shell" are prose.
            "exit" | "return" | "break" | "continue" if rest.len() > 1 => None,
            "exit" | "return" | "break" | "continue" => {
                self.status = match rest.first().map(|code| &*code.text) {
                    None => self.status,
                    Some("0") => Some(true),
                    Some(code) => code.parse::<u8>().ok().map(|_| false),
                };
                return match &*first.text {
                    "exit" => Flow::Exit,
                    "return" => Flow::Return,
                    "break" => Flow::Break,
                    _ => Flow::Continue,
                };
            }
            // This is an error outside functions.
            "local" if self.function_depth == 0 => {
                rest.iter().for_each(|word| self.forget_names(&word.text));
                None
            }
            "export" | "local" | "readonly" | "declare" | "typeset" => {
                self.declare(range, first.text == "local" || self.function_depth > 0);
                Some(true)
            }
            "unset" => {
                rest.iter().for_each(|name| {
                    self.script
                        .variables
                        .set(&name.text, VariableValue::Text(String::new()))
                });
                Some(true)
            }
            "shift" => {
                let count = rest
                    .first()
                    .map_or(Some(1), |count| count.text.parse::<usize>().ok());
                let arguments = match (self.script.variables.get(ARGUMENTS), count) {
                    (Some(VariableValue::List(list)), Some(count))
                        if !list
                            .iter()
                            .take(count)
                            .any(|one| *one == Element::AnyNumber) =>
                    {
                        VariableValue::List(list.get(count..).unwrap_or_default().to_vec())
                    }
                    _ => VariableValue::Unknown,
                };
                self.script.variables.set(ARGUMENTS, arguments);
                Some(true)
            }
            "set" => {
                if let Some(at) = rest.iter().position(|word| word.text == "--") {
                    let list = rest[at + 1..].iter().map(Element::from_field).collect();
                    self.script
                        .variables
                        .set(ARGUMENTS, VariableValue::List(list));
                }
                Some(true)
            }
            "read" | "getopts" | "mapfile" | "readarray" | "let" => {
                rest.iter().for_each(|word| self.forget_names(&word.text));
                self.forget_names("OPTARG OPTIND REPLY");
                None
            }
            "source" | "." | "eval" => {
                self.forget_all();
                if raw.contains("tables") && first.text == "eval" {
                    self.run_hidden_command(raw, range);
                }
                None
            }
            _ => {
                let place = fields
                    .iter()
                    .position(|field| matches!(call::named(&field.text), Some((.., ""))));
                let is_quoting = matches!(
                    &*first.text,
                    "grep" | "which" | "type" | "cat" | "man" | "apt-get" | "alias" | "command"
                );
                if let (Some(place), false) = (place, is_quoting)
                    && call::find(&join(&fields[place..]))
                        .is_some_and(|call| call.program == call::CalledProgram::Change)
                {
                    match &*first.text {
                        "timeout" | "nice" | "ionice" | "setsid" | "stdbuf" | "flock" => {
                            return self.run_words(&fields[place..], range, raw, may_fail);
                        }
                        "xargs" | "parallel" | "find" => self.run_hidden_command(raw, range),
                        _ => {}
                    }
                }
                None
            }
        };
        Flow::Next
    }

    /// Whether `[ … ]` holds.
    fn test(&self, fields: &[ShellField], raw: &str) -> Option<bool> {
        let has_patterns = fields[0].text == "[[";
        let closes = |field: &ShellField| {
            matches!((&*fields[0].text, &*field.text), ("[", "]") | ("[[", "]]"))
        };
        let words = &fields[1..];
        let words = match words.split_last() {
            Some((last, words)) if closes(last) => words,
            _ if fields[0].text == "test" => words,
            _ => return None,
        };
        // `[[ $A == "x*" ]]` compares with the quoted text, not with a pattern.
        let inner = raw.trim_start_matches('[').trim_end_matches(']');
        let may_be_quoted = inner.contains(['"', '\'', '\\']) && inner.contains(PATTERN_SIGNS);
        if has_patterns && (raw.contains(['<', '>', '~']) || may_be_quoted) {
            return None;
        }
        test_command::evaluate(words, has_patterns)
    }

    /// Runs a command whose name only a run determines.
    fn run_unknown_command(&mut self, fields: &[ShellField], range: Range, may_fail: bool) -> Flow {
        let place = fields
            .iter()
            .position(|field| matches!(call::named(&field.text), Some((.., ""))));
        if let Some(place) = place
            && let Some((family, backend, _)) = call::named(&fields[place].text)
        {
            // `$SUDO iptables …`, `$DRY_RUN iptables …`
            self.doubts += 1;
            self.run_iptables((family, backend), &fields[place + 1..], range, may_fail);
            self.doubts -= 1;
            self.status = None;
            return Flow::Next;
        }
        // `"$1"`: the command may call any function of the script.
        let names: Vec<String> = self.script.functions.keys().cloned().collect();
        let is_argument =
            fields[0].text.starts_with(['$', '"']) && !fields[0].text.contains(['(', '/', '`']);
        if is_argument && self.dry == 0 {
            self.doubts += 1;
            for name in names {
                self.call_function(&name, &fields[1..]);
            }
            self.doubts -= 1;
            self.forget_all();
        }
        self.status = None;
        Flow::Next
    }
}

/// The quoted part that contains a place of a command, without its quotes.
fn quoted_part(raw: &str, place: usize) -> Option<(usize, usize)> {
    let mut at = 0;
    while let Some(open) = raw[at..place].find(['"', '\'']) {
        let open = at + open;
        let end = closing(raw.as_bytes(), open).unwrap_or(raw.len() + 1);
        if end > place {
            return Some((open + 1, end - 1)).filter(|(start, end)| start <= end);
        }
        at = end;
    }
    None
}

/// Skips programs that run the following command: `sudo -n`, `command`.
fn skip_launchers(mut fields: &[ShellField]) -> &[ShellField] {
    while let [first, rest @ ..] = fields {
        let is_launcher = first.is_known
            && matches!(
                &*first.text,
                "sudo" | "doas" | "command" | "exec" | "env" | "nohup" | "builtin" | "time"
            );
        if !is_launcher || rest.is_empty() || rest[0].text == "-v" || rest[0].text == "-V" {
            break;
        }
        fields = rest;
        while let [option, rest @ ..] = fields
            && !rest.is_empty()
            && (option.text.starts_with('-') || assignment(&option.text).is_some())
        {
            fields = rest;
        }
    }
    fields
}

fn join(fields: &[ShellField]) -> String {
    fields
        .iter()
        .map(|field| &*field.text)
        .collect::<Vec<_>>()
        .join(" ")
}
