//! Runs a shell script as far as its text determines: functions at their call, the branch of a
//! condition that the text chooses, loops over words that it has. A command that may have run or
//! not is carried out as such a one.

use std::collections::HashSet;

use crate::iptables::table_name::TableName;
use crate::netfilter::backend::Backend;
use crate::packet::Family;
use crate::text::diagnostic::{Code, Problem, Span};
use crate::text::shell::quote;

use super::super::super::assemble::Program;
use super::super::super::call;
use super::super::super::reading::Reading;
use super::super::super::source_map::MappedText;
use super::super::restore;
use super::lexer::{Lexer, TokenKind, closing};
use super::script_state::{Function, Script};
use super::shell;
use super::syntax::{Link, NONE, Node, NodeKind, Parser, Range};
use super::test_command;
use super::variables::{ARGUMENTS, Changes, Field, Value};

/// Structures and calls of functions within each other.
const MAX_DEPTH: usize = 60;
/// The most runs of one loop that are followed.
const MAX_ITERATIONS: usize = 1000;
/// Commands that a script may run beside those of its text.
const MAX_REPEATED_COMMANDS: usize = 50_000;
/// Bytes of a script for each command that it may run beside those.
const MIN_COMMAND_LENGTH: usize = 2;
/// How much more a command costs that is run for its variables alone.
const COST_OF_DRY_RUN: usize = 4;
/// Bytes of words that cost as much as a command.
const BYTES_OF_COMMAND: usize = 64;
/// The most reports of one script about commands that may have run.
const MAX_REPORTS: usize = 40;

/// How a list of commands ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Flow {
    Next,
    Break,
    Continue,
    Return,
    Exit,
}

/// One way that a script may take.
#[derive(Clone, Copy)]
enum Way {
    List(u32),
    Command(Node),
    Nothing,
}

/// Runs the commands of a fragment: the text from `range.0` to `range.1`, of which `certain` is
/// surely a script.
pub(super) fn run(reading: &mut Reading, range: (usize, usize), certain: (usize, usize)) {
    let mut script = std::mem::take(&mut reading.script);
    let text = &*reading.cleaned.text;
    let before = &text[range.0..certain.0];
    // Another script does not end where the one before it does.
    script.may_have_ended &= !before.contains("#!") && !before.contains("```");
    let mut parser = Parser::new(text, reading.lines, range, certain);
    let budget = MAX_REPEATED_COMMANDS + (range.1 - range.0) / MIN_COMMAND_LENGTH;
    let mut runner = Runner {
        text,
        reading,
        script,
        status: Some(true),
        doubts: 0,
        dry: 0,
        function_may_have_ended: false,
        loop_may_have_ended: false,
        depth: 0,
        budget,
        ran_commands: false,
    };
    loop {
        let first = runner.script.tree.nodes.len();
        let Script {
            tree, functions, ..
        } = &mut runner.script;
        let is_function = |word: &str| functions.contains_key(word);
        let Some(list) = parser.next(tree, &is_function) else {
            break;
        };
        let known = runner.script.functions.len();
        let flow = runner.run_list(list);
        let defines = runner.script.tree.nodes[first..]
            .iter()
            .any(|node| matches!(node.kind, NodeKind::Function { .. }));
        if !defines && runner.script.functions.len() == known {
            runner.script.tree.nodes.truncate(first);
        }
        if flow == Flow::Exit {
            break;
        }
    }
    runner.report_uncalled_functions();
    if runner.script.tree.is_lost {
        runner.mark_all(range);
    }
    let script = runner.script;
    reading.script = script;
}

struct Runner<'s, 'a, 'r> {
    text: &'s str,
    reading: &'s mut Reading<'a, 'r>,
    script: Script,
    /// Whether the last command succeeded; `None` where only a run determines it.
    status: Option<bool>,
    /// Conditions around the command that the text does not determine.
    doubts: usize,
    /// Loops around it of which only the variables are followed.
    dry: usize,
    function_may_have_ended: bool,
    loop_may_have_ended: bool,
    depth: usize,
    budget: usize,
    /// Whether a command of iptables has run.
    ran_commands: bool,
}

impl Runner<'_, '_, '_> {
    fn is_sure(&self) -> bool {
        self.doubts == 0
            && !self.script.may_have_ended
            && !self.function_may_have_ended
            && !self.loop_may_have_ended
    }

    fn node(&self, place: u32) -> Option<Node> {
        self.script.tree.nodes.get(place as usize).copied()
    }

    fn slice(&self, range: Range) -> &str {
        &self.text[range.0 as usize..range.1 as usize]
    }

    /// Takes the cost of something from what the script may still cost. Returns whether it may.
    fn spend(&mut self, cost: usize) -> bool {
        let rest = self.budget.checked_sub(cost);
        self.budget = rest.unwrap_or(0);
        self.script.tree.is_lost |= rest.is_none();
        rest.is_some()
    }

    fn run_list(&mut self, list: u32) -> Flow {
        if self.depth >= MAX_DEPTH {
            self.script.tree.is_lost = true;
            self.status = None;
            return Flow::Next;
        }
        self.depth += 1;
        let flow = self.run_commands(list);
        self.depth -= 1;
        flow
    }

    fn run_commands(&mut self, list: u32) -> Flow {
        let mut at = list;
        let mut before: Option<Node> = None;
        while let Some(node) = self.node(at) {
            if !self.spend(if self.dry > 0 { COST_OF_DRY_RUN } else { 1 }) {
                return Flow::Next;
            }
            let runs = match node.link {
                Link::Next | Link::Pipe => Some(true),
                Link::And => self.status,
                Link::Or => self.status.map(|succeeded| !succeeded),
            };
            match runs {
                Some(false) => {}
                Some(true) => {
                    let flow = self.run_command(node);
                    if flow != Flow::Next {
                        return flow;
                    }
                }
                // `[ -f /etc/x ] || exit 1`: the script that came here went on.
                None if self.aborts(
                    node,
                    before.is_some_and(|before| self.is_prerequisite(before)),
                ) =>
                {
                    self.status = Some(node.link == Link::Or);
                }
                None => {
                    let flow = self.run_ways(&[Way::Command(node), Way::Nothing]);
                    self.status = None;
                    if flow != Flow::Next {
                        return flow;
                    }
                }
            }
            before = Some(node);
            at = node.next;
        }
        Flow::Next
    }

    fn run_command(&mut self, node: Node) -> Flow {
        // Every command of a pipeline has a shell of its own.
        let is_piped = node.link == Link::Pipe
            || self
                .node(node.next)
                .is_some_and(|next| next.link == Link::Pipe);
        let flow = if is_piped {
            self.run_apart(|runner| runner.run_node(node))
        } else {
            self.run_node(node)
        };
        if node.is_negated {
            self.status = self.status.map(|succeeded| !succeeded);
        }
        flow
    }

    /// Runs commands in a shell of their own, which leaves the variables as they are.
    fn run_apart(&mut self, run: impl FnOnce(&mut Self) -> Flow) -> Flow {
        let begun = self.script.variables.begin();
        let had_ended = self.script.may_have_ended;
        let flow = run(self);
        self.script.variables.undo(begun);
        self.script.may_have_ended = had_ended;
        if flow == Flow::Exit {
            self.status = None;
        }
        Flow::Next
    }

    fn run_node(&mut self, node: Node) -> Flow {
        match node.kind {
            NodeKind::Simple(range) => {
                let may_fail = self
                    .node(node.next)
                    .is_some_and(|next| next.link == Link::Or);
                return self.run_simple(range, may_fail);
            }
            NodeKind::Group {
                body,
                is_subshell: false,
            } => return self.run_list(body),
            NodeKind::Group {
                body,
                is_subshell: true,
            } => return self.run_apart(|runner| runner.run_list(body)),
            NodeKind::If { arms, is_whole } => return self.run_if(arms, is_whole),
            NodeKind::Case {
                word,
                arms,
                is_whole,
            } => return self.run_case(word, arms, is_whole),
            NodeKind::For {
                head,
                body,
                is_whole,
            } => return self.run_for(head, body, is_whole),
            NodeKind::Loop {
                condition,
                body,
                until,
                is_whole,
            } => {
                return self.run_loop(condition, body, until, is_whole);
            }
            NodeKind::Function { name, body } => {
                let is_certain = self.is_sure();
                let function = self
                    .script
                    .functions
                    .entry(self.text[name.0 as usize..name.1 as usize].to_owned())
                    .or_default();
                if is_certain {
                    function.bodies.clear();
                }
                function.bodies.push(body);
                (function.is_certain, function.name) = (is_certain, name);
                self.status = Some(true);
            }
            NodeKind::IfArm { .. } | NodeKind::CaseArm { .. } => {}
        }
        Flow::Next
    }

    fn run_way(&mut self, way: Way) -> Flow {
        match way {
            Way::List(list) => self.run_list(list),
            Way::Command(node) => self.run_command(node),
            Way::Nothing => Flow::Next,
        }
    }

    /// Runs all ways of which the script takes one, and the text does not determine which.
    fn run_ways(&mut self, ways: &[Way]) -> Flow {
        let mut flows = Vec::new();
        let mut changes: Vec<Changes> = Vec::new();
        for way in ways {
            let begun = self.script.variables.begin();
            self.doubts += 1;
            let flow = self.run_way(*way);
            self.doubts -= 1;
            let changed = self.script.variables.undo(begun);
            flows.push(flow);
            if flow != Flow::Exit {
                changes.push(changed);
            }
        }
        self.join(&changes);
        self.status = None;
        if let [first, rest @ ..] = &flows[..]
            && rest.iter().all(|flow| flow == first)
        {
            return *first;
        }
        for flow in flows {
            match flow {
                Flow::Next => {}
                Flow::Exit => self.script.may_have_ended = true,
                Flow::Return => self.function_may_have_ended = true,
                Flow::Break | Flow::Continue => self.loop_may_have_ended = true,
            }
        }
        Flow::Next
    }

    /// Sets the variables to what all ways left; unknown where they differ.
    fn join(&mut self, ways: &[Changes]) {
        let names: HashSet<&String> = ways.iter().flat_map(|changes| changes.keys()).collect();
        for name in names {
            let before = self.script.variables.get(name).cloned();
            let mut values = ways
                .iter()
                .map(|changes| changes.get(name).cloned().or_else(|| before.clone()));
            let first = values.next().flatten();
            let is_same = values.all(|value| value == first);
            self.script
                .variables
                .set(name, first.filter(|_| is_same).unwrap_or(Value::Unknown));
        }
    }

    fn run_if(&mut self, arms: u32, is_whole: bool) -> Flow {
        let mut ways = Vec::new();
        let mut has_last = false;
        let mut at = arms;
        while let Some(Node {
            kind: NodeKind::IfArm { condition, body },
            next,
            ..
        }) = self.node(at)
        {
            let holds = match condition {
                NONE => Some(true),
                _ => {
                    // The conditions after an unknown one may not be tested.
                    let doubt = usize::from(!ways.is_empty());
                    self.doubts += doubt;
                    let flow = self.run_list(condition);
                    self.doubts -= doubt;
                    if flow != Flow::Next {
                        return flow;
                    }
                    self.status.filter(|_| is_whole)
                }
            };
            if holds != Some(false) {
                ways.push((body, self.is_prerequisite_list(condition)));
            }
            if holds == Some(true) {
                has_last = true;
                break;
            }
            at = next;
        }
        self.choose(ways, has_last)
    }

    /// Runs the one of several lists that the text determines, or all.
    fn choose(&mut self, mut ways: Vec<(u32, bool)>, has_last: bool) -> Flow {
        let is_open = ways.len() > 1 || !has_last;
        if is_open && !ways.is_empty() {
            // The script that came here did not abort.
            let goes_on: Vec<(u32, bool)> = ways
                .iter()
                .copied()
                .filter(|(list, tests)| !self.aborts_in(*list, *tests))
                .collect();
            if !goes_on.is_empty() || !has_last {
                ways = goes_on;
            }
        }
        match ways[..] {
            [(list, _)] if has_last => self.run_list(list),
            [] => {
                self.status = if is_open { None } else { Some(true) };
                Flow::Next
            }
            _ => {
                let nothing = (!has_last).then_some(Way::Nothing);
                let ways: Vec<Way> = ways
                    .into_iter()
                    .map(|(list, _)| Way::List(list))
                    .chain(nothing)
                    .collect();
                self.run_ways(&ways)
            }
        }
    }

    fn run_case(&mut self, word: Range, arms: u32, is_whole: bool) -> Flow {
        let mut fields = Vec::new();
        self.script.variables.expand_word(
            self.text,
            (word.0 as usize, word.1 as usize),
            &mut fields,
        );
        let value = match &fields[..] {
            [] => Some(String::new()),
            [field] if field.is_known && is_whole => Some(field.text.clone()),
            _ => None,
        };
        let mut ways = Vec::new();
        let mut has_last = false;
        let mut at = arms;
        while let Some(Node {
            kind:
                NodeKind::CaseArm {
                    patterns,
                    body,
                    falls_through,
                },
            next,
            ..
        }) = self.node(at)
        {
            let matches = self.match_patterns(patterns, value.as_deref());
            if matches != Some(false) {
                ways.push((body, false));
            }
            if falls_through && matches != Some(false) {
                // The arms after it may run, too.
                let rest = self.arms_after(next);
                ways.extend(rest);
                break;
            }
            if matches == Some(true) {
                has_last = true;
                break;
            }
            at = next;
        }
        self.choose(ways, has_last)
    }

    fn arms_after(&self, first: u32) -> Vec<(u32, bool)> {
        let mut found = Vec::new();
        let mut at = first;
        while let Some(Node {
            kind: NodeKind::CaseArm { body, .. },
            next,
            ..
        }) = self.node(at)
        {
            found.push((body, false));
            at = next;
        }
        found
    }

    /// Whether a value matches one of the patterns of an arm.
    fn match_patterns(&self, patterns: Range, value: Option<&str>) -> Option<bool> {
        let mut result = Some(false);
        for pattern in self.slice(patterns).split('|') {
            let pattern = pattern.trim();
            let bare = pattern.trim_matches(['"', '\'']);
            let matches = match (bare, value) {
                ("*", _) if bare == pattern => Some(true),
                _ if bare.contains(['$', '`', '"', '\'']) => None,
                (_, Some(value)) if bare != pattern => Some(bare == value),
                (_, Some(value)) => test_command::matches(bare, value),
                (_, None) => None,
            };
            match matches {
                Some(true) => return Some(true),
                Some(false) => {}
                None => result = None,
            }
        }
        result
    }

    fn run_for(&mut self, head: Range, body: u32, is_whole: bool) -> Flow {
        let mut lexer = Lexer::new(self.text, head.0 as usize, head.1 as usize);
        let (name, word) = (lexer.next(), lexer.next());
        let variable = self.text[name.start..name.end].to_owned();
        let is_list = name.kind == TokenKind::Word && &self.text[word.start..word.end] == "in";
        let rest = (word.end, head.1 as usize);
        // File names, and words such as `{1..3}`.
        let has_pattern = is_list
            && self.text[rest.0..rest.1]
                .replace("${", "$")
                .contains(['*', '?', '[', '{']);
        let values = self.script.variables.expand(self.text, rest);
        let arrays = self.text[rest.0..rest.1].contains("[@]}")
            && values
                .iter()
                .all(|value| !value.text.contains(['*', '?', '[', '{']));
        let is_known = is_list
            && is_whole
            && (!has_pattern || arrays)
            && values.len() <= MAX_ITERATIONS
            && values.iter().all(|value| value.is_known);
        if !is_known {
            return self.run_unknown_loop(&[body], Some(&variable));
        }
        let outer = self.loop_may_have_ended;
        self.status = Some(true);
        let mut end = Flow::Next;
        for value in values {
            if !self.spend(1 + value.text.len() / BYTES_OF_COMMAND) {
                break;
            }
            self.script
                .variables
                .set(&variable, Value::Text(value.text));
            if let Some(flow) = self.run_iteration(body) {
                end = flow;
                break;
            }
        }
        self.loop_may_have_ended = outer;
        end
    }

    fn run_loop(&mut self, condition: u32, body: u32, until: bool, is_whole: bool) -> Flow {
        let outer = self.loop_may_have_ended;
        let mut end = Flow::Next;
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
                self.status = Some(true);
                break;
            }
            let goes_on_unknown = holds.is_none() || self.loop_may_have_ended != outer;
            if goes_on_unknown {
                end = self.run_unknown_loop(&[body, condition], None);
                break;
            }
            if iteration == MAX_ITERATIONS || !self.spend(1) {
                self.script.tree.is_lost = true;
                break;
            }
            if let Some(flow) = self.run_iteration(body) {
                end = flow;
                break;
            }
        }
        self.loop_may_have_ended = outer;
        end
    }

    /// Runs the body of a loop once. Returns how the commands after the loop go on, if the loop
    /// ends.
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
        // What one run sets is unknown in the next.
        let begun = self.script.variables.begin();
        self.dry += 1;
        self.doubts += 1;
        variable
            .into_iter()
            .for_each(|name| self.script.variables.set(name, Value::Unknown));
        for list in lists {
            self.run_list(*list);
        }
        self.dry -= 1;
        self.doubts -= 1;
        for name in self.script.variables.undo(begun).keys() {
            self.script.variables.set(name, Value::Unknown);
        }
        self.doubts += 1;
        let mut flows = Vec::new();
        for list in lists {
            flows.push(self.run_list(*list));
        }
        self.doubts -= 1;
        self.loop_may_have_ended = outer;
        self.script.may_have_ended |= flows.contains(&Flow::Exit);
        self.function_may_have_ended |= flows.contains(&Flow::Return);
        self.status = None;
        Flow::Next
    }

    fn run_simple(&mut self, range: Range, may_fail: bool) -> Flow {
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
            self.forget_names(&raw);
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
        let cost = fields.iter().map(|field| field.text.len()).sum::<usize>() / BYTES_OF_COMMAND;
        if !self.spend(cost) {
            return Flow::Next;
        }
        self.run_words(&fields, range, &raw, may_fail)
    }

    /// Runs the commands of a part of the text that is quoted.
    fn run_text(&mut self, range: (usize, usize)) -> Flow {
        let mut parser = Parser::new(self.text, self.reading.lines, range, range);
        while let Some(list) = parser.next(&mut self.script.tree, &|_| false) {
            self.run_apart(|runner| runner.run_list(list));
        }
        Flow::Next
    }

    /// Sets the variables of `A=1 B=2`. Returns where the command after them begins; the end where
    /// none does.
    fn run_assignments(&mut self, range: Range) -> usize {
        let mut lexer = Lexer::new(self.text, range.0 as usize, range.1 as usize);
        let mut found = Vec::new();
        let end = loop {
            let token = lexer.next();
            let word = &self.text[token.start..token.end];
            match token.kind {
                TokenKind::Word if assignment(word).is_some() => {
                    found.push((token.start, token.end))
                }
                TokenKind::End => break range.1 as usize,
                _ => break token.start,
            }
        };
        // `A=1 command` sets it for the command alone.
        if end == range.1 as usize {
            self.status = Some(true);
            for place in found {
                self.assign(place);
            }
        }
        end
    }

    /// Carries out one assignment.
    fn assign(&mut self, (start, end): (usize, usize)) {
        let word = &self.text[start..end];
        let Some((name, operator)) = assignment(word) else {
            return;
        };
        let at = start + name.len() + operator.len();
        if let Some((array, _)) = name.split_once('[') {
            return self.script.variables.set(array, Value::Unknown);
        }
        let variables = &self.script.variables;
        let value = &self.text[at..end];
        let new = match value
            .strip_prefix('(')
            .and_then(|list| list.strip_suffix(')'))
        {
            Some(_) => {
                let has_pattern = value.contains(['*', '?', '[', '{']);
                let words = variables.expand(self.text, (at + 1, end - 1));
                let list = words
                    .into_iter()
                    .map(|field| field.is_known.then_some(field.text))
                    .collect();
                if has_pattern {
                    Value::Unknown
                } else {
                    Value::List(list)
                }
            }
            None => {
                let mut quoted = Vec::new();
                // A value is not split into words.
                variables.expand_word(self.text, (at, end), &mut quoted);
                match &mut quoted[..] {
                    [] => Value::Text(String::new()),
                    fields if fields.iter().all(|field| field.is_known) => Value::Text(
                        fields
                            .iter()
                            .map(|field| &*field.text)
                            .collect::<Vec<_>>()
                            .join(" "),
                    ),
                    _ => Value::Unknown,
                }
            }
        };
        // A home directory.
        let new = if value.starts_with('~') {
            Value::Unknown
        } else {
            new
        };
        let new = match (operator, variables.get(name), new) {
            ("=", _, new) => new,
            (_, Some(Value::Text(old)), Value::Text(new)) => Value::Text([old, &*new].concat()),
            (_, Some(Value::List(old)), Value::List(new)) => {
                Value::List([&old[..], &new[..]].concat())
            }
            _ => Value::Unknown,
        };
        self.script.variables.set(name, new);
    }

    /// Forgets every variable whose name is in a text.
    fn forget_names(&mut self, text: &str) {
        for name in text
            .split(|c: char| !c.is_ascii_alphanumeric() && c != '_')
            .filter(|name| is_name(name))
        {
            self.script.variables.set(name, Value::Unknown);
        }
        self.status = None;
    }

    /// Runs a command by its expanded words.
    fn run_words(&mut self, fields: &[Field], range: Range, raw: &str, may_fail: bool) -> Flow {
        let fields = skip_launchers(fields);
        let Some((first, rest)) = fields.split_first() else {
            return Flow::Next;
        };
        if self.script.functions.contains_key(&first.text) {
            return self.call_function(&first.text.clone(), rest);
        }
        if let Some((family, backend, "")) = call::named(&first.text).filter(|_| first.is_known) {
            let call = call::find(raw)
                .filter(|call| matches!(call.program, call::Program::List | call::Program::Rules));
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
            "true" | ":" | "echo" | "printf" | "logger" | "sleep" | "modprobe" | "sysctl"
            | "cd" | "umask" => Some(true),
            "false" => Some(false),
            "[" | "test" | "[[" => self.test(fields, raw),
            // "exit the shell" is a sentence.
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
            "export" | "local" | "readonly" | "declare" | "typeset" => {
                self.declare(range, first.text == "local");
                Some(true)
            }
            "unset" => {
                rest.iter().for_each(|name| {
                    self.script
                        .variables
                        .set(&name.text, Value::Text(String::new()))
                });
                Some(true)
            }
            "shift" => {
                let count = rest
                    .first()
                    .map_or(Some(1), |count| count.text.parse::<usize>().ok());
                let arguments = match (self.script.variables.get(ARGUMENTS), count) {
                    (Some(Value::List(list)), Some(count)) => {
                        Value::List(list.get(count..).unwrap_or_default().to_vec())
                    }
                    _ => Value::Unknown,
                };
                self.script.variables.set(ARGUMENTS, arguments);
                Some(true)
            }
            "set" => {
                if let Some(at) = rest.iter().position(|word| word.text == "--") {
                    let list = rest[at + 1..]
                        .iter()
                        .map(|field| field.is_known.then(|| field.text.clone()))
                        .collect();
                    self.script.variables.set(ARGUMENTS, Value::List(list));
                }
                Some(true)
            }
            "read" | "getopts" | "mapfile" | "readarray" | "let" => {
                rest.iter().for_each(|word| self.forget_names(&word.text));
                self.forget_names("OPTARG OPTIND REPLY");
                None
            }
            "source" | "." | "eval" => {
                self.script.variables.forget_all();
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
                        .is_some_and(|call| call.program == call::Program::Change)
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
    fn test(&self, fields: &[Field], raw: &str) -> Option<bool> {
        let has_patterns = fields[0].text == "[[";
        let closes =
            |field: &Field| matches!((&*fields[0].text, &*field.text), ("[", "]") | ("[[", "]]"));
        let words = &fields[1..];
        let words = match words.split_last() {
            Some((last, words)) if closes(last) => words,
            _ if fields[0].text == "test" => words,
            _ => return None,
        };
        if has_patterns && raw.contains(['<', '>', '~']) {
            return None;
        }
        test_command::evaluate(words, has_patterns)
    }

    /// `export A=1`, `local A`.
    fn declare(&mut self, range: Range, is_local: bool) {
        let mut lexer = Lexer::new(self.text, range.0 as usize, range.1 as usize);
        lexer.next();
        loop {
            let token = lexer.next();
            let word = &self.text[token.start..token.end];
            match token.kind {
                TokenKind::Word if assignment(word).is_some() => {
                    self.assign((token.start, token.end))
                }
                TokenKind::Word if is_local && is_name(word) => {
                    self.script.variables.set(word, Value::Text(String::new()));
                }
                TokenKind::Word => {}
                _ => return,
            }
        }
    }

    /// Runs a command whose name only a run determines.
    fn run_unknown_command(&mut self, fields: &[Field], range: Range, may_fail: bool) -> Flow {
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
        // `"$1"`: the command may be any function of the script.
        let names: Vec<String> = self.script.functions.keys().cloned().collect();
        let is_argument =
            fields[0].text.starts_with(['$', '"']) && !fields[0].text.contains(['(', '/', '`']);
        if is_argument && self.dry == 0 {
            self.doubts += 1;
            for name in names {
                self.call_function(&name, &fields[1..]);
            }
            self.doubts -= 1;
            self.script.variables.forget_all();
        }
        self.status = None;
        Flow::Next
    }

    fn call_function(&mut self, name: &str, arguments: &[Field]) -> Flow {
        let Some(function) = self.script.functions.get_mut(name) else {
            return Flow::Next;
        };
        function.is_called = true;
        let (bodies, is_certain) = (function.bodies.clone(), function.is_certain);
        let list = arguments
            .iter()
            .map(|field| field.is_known.then(|| field.text.clone()))
            .collect();
        let outer = self
            .script
            .variables
            .get(ARGUMENTS)
            .cloned()
            .unwrap_or(Value::Unknown);
        let had_ended = (self.function_may_have_ended, self.loop_may_have_ended);
        let locals = bodies
            .iter()
            .flat_map(|body| self.local_names(*body))
            .collect::<Vec<_>>();
        let held: Vec<(String, Option<Value>)> = locals
            .into_iter()
            .map(|name| (name.clone(), self.script.variables.get(&name).cloned()))
            .collect();
        self.script.variables.set(ARGUMENTS, Value::List(list));
        let flow = match (&bodies[..], is_certain) {
            ([body], true) => self.run_list(*body),
            _ => {
                let ways: Vec<Way> = bodies
                    .iter()
                    .map(|body| Way::List(*body))
                    .chain([Way::Nothing])
                    .collect();
                self.run_ways(&ways)
            }
        };
        for (name, value) in held {
            self.script
                .variables
                .set(&name, value.unwrap_or(Value::Unknown));
        }
        self.script.variables.set(ARGUMENTS, outer);
        (self.function_may_have_ended, self.loop_may_have_ended) = had_ended;
        if flow == Flow::Exit {
            Flow::Exit
        } else {
            Flow::Next
        }
    }

    /// The variables that a function declares as its own, in the commands of its body.
    fn local_names(&mut self, body: u32) -> Vec<String> {
        let mut names = Vec::new();
        let mut at = body;
        while let Some(node) = self.node(at) {
            if let NodeKind::Simple(range) = node.kind
                && let Some(rest) = self.slice(range).strip_prefix("local ")
            {
                let words = rest
                    .split_whitespace()
                    .map(|word| word.split('=').next().unwrap_or_default());
                names.extend(words.filter(|word| is_name(word)).map(str::to_owned));
            }
            at = node.next;
            self.spend(1);
        }
        names
    }

    /// Gives the input of iptables-restore that a here-document holds to the tables.
    fn run_restore(&mut self, range: Range, raw: &str, word: &str) {
        let lines = self.reading.lines;
        let begin = lines.holding(range.0 as usize);
        let Some(stop) = lines.closing(lines.holding((range.1 as usize).saturating_sub(1)), word)
        else {
            return;
        };
        let first = lines.holding((range.1 as usize).saturating_sub(1)) + 1;
        let keeps = raw.contains("--noflush") || raw.contains(" -n");
        let program = restore_program(raw);
        if self.dry > 0 {
            return;
        }
        if self.is_sure() {
            restore::restore(self.reading, program, first, stop.saturating_sub(1), keeps);
            self.status = Some(true);
            return;
        }
        for at in first..stop {
            if let Some(name) = lines.get(at).trim().strip_prefix('*') {
                let table = TableName::from_text(name.trim());
                if table.is_some() {
                    let number = self.reading.line(begin).number;
                    self.reading
                        .assembler
                        .mark_unknown_command(program, table, number);
                }
            }
        }
        self.report_conditional(range);
        self.status = None;
    }

    /// Carries out a command of iptables; `words` follow the program's name.
    fn run_iptables(
        &mut self,
        (family, backend): (Family, Option<Backend>),
        words: &[Field],
        range: Range,
        may_fail: bool,
    ) {
        self.status = None;
        let cost = 1 + words.iter().map(|word| word.text.len()).sum::<usize>() / BYTES_OF_COMMAND;
        if self.dry > 0 || !self.spend(cost) {
            return;
        }
        let is_sure = self.is_sure();
        let cleaned = self.reading.cleaned;
        let mut line = MappedText::default();
        for word in words {
            if !line.text.is_empty() {
                line.put(" ", cleaned.origin(word.start), 0);
            }
            let raw = &self.text[word.start..word.end];
            let is_made =
                word.start == word.end || raw.contains(['$', '`', '\n']) && word.text != raw;
            if is_made || raw.ends_with('\\') {
                line.put(
                    &quote(&word.text),
                    cleaned.origin(word.start),
                    word.end - word.start,
                );
            } else {
                line.copy(cleaned, word.start, word.end);
            }
        }
        if line.text.is_empty() {
            return;
        }
        let may_fail = may_fail || self.reading.is_log;
        let asks = words
            .iter()
            .any(|word| matches!(&*word.text, "-C" | "--check" | "-L" | "--list" | "-S"));
        let program = Program {
            family,
            backend,
            may_fail,
            is_sure,
        };
        let source = self.reading.assembler.reports.input_line(&line);
        self.status = self
            .reading
            .assembler
            .run_shell_command(&source, program, 0);
        self.ran_commands = true;
        if !is_sure && !asks {
            self.report_conditional(range);
        }
    }

    /// `iptables -nL CHAIN` succeeds if the chain exists.
    fn run_list_command(
        &mut self,
        program: (Family, Option<Backend>),
        words: &str,
        fields: &[Field],
        range: Range,
    ) {
        self.status = Some(true);
        let names = |field: &&Field| {
            field.is_known
                && !field.text.starts_with('-')
                && Some(&*field.text) != call::table(words)
        };
        let Some(chain) = fields
            .iter()
            .find(names)
            .filter(|_| call::names_chain(words))
        else {
            return;
        };
        let at = chain.start;
        let word = |text: &str| Field {
            text: text.to_owned(),
            is_known: true,
            start: at,
            end: at,
        };
        let mut asked = vec![word("-L"), word(&chain.text)];
        if let Some(table) = call::table(words) {
            asked.extend([word("-t"), word(table)]);
        }
        self.run_iptables(program, &asked, range, true);
    }

    /// `iptables-restore < file`: the text does not have the file.
    fn run_unknown_input(&mut self, (family, backend): (Family, Option<Backend>), range: Range) {
        self.status = None;
        if self.dry > 0 || self.reading.is_log {
            return;
        }
        let number = self
            .reading
            .line(self.reading.lines.holding(range.0 as usize))
            .number;
        let program = Program {
            family,
            backend,
            may_fail: true,
            is_sure: false,
        };
        self.reading
            .assembler
            .mark_unknown_command(program, None, number);
        if self.script.reported.insert(range.0) && self.script.reported.len() <= MAX_REPORTS {
            let message = "the input of this command is not in the text: which rules it makes is undetermined";
            let problem = Problem::new(Code::ConditionalCommand, message)
                .hint("paste the rules that it is given");
            self.report(range, problem);
        }
    }

    /// Notes that a command may have changed rules in a way that its text does not show.
    fn run_hidden_command(&mut self, raw: &str, range: Range) {
        if self.dry > 0 {
            return;
        }
        let family = if raw.contains("ip6tables") {
            Family::Ipv6
        } else {
            Family::Ipv4
        };
        let program = Program {
            family,
            backend: None,
            may_fail: true,
            is_sure: false,
        };
        let table = call::table(raw).and_then(TableName::from_text);
        let table = table.or((!raw.contains(" -t")).then_some(TableName::Filter));
        let line = self.reading.lines.holding(range.0 as usize);
        let number = self.reading.line(line).number;
        self.reading
            .assembler
            .mark_unknown_command(program, table, number);
        self.report_conditional(range);
    }

    fn report_conditional(&mut self, range: Range) {
        if !self.script.reported.insert(range.0) || self.script.reported.len() > MAX_REPORTS {
            return;
        }
        let message = "the text does not determine whether this command runs; what depends on it is undetermined";
        let problem = Problem::new(Code::ConditionalCommand, message)
            .hint("paste the commands that ran, such as `sh -x` prints them");
        self.report(range, problem);
    }

    fn report(&mut self, range: Range, problem: Problem) {
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

    /// Reports the functions with commands of iptables that nothing calls.
    fn report_uncalled_functions(&mut self) {
        let uncalled = |function: &&mut Function| !function.is_called;
        let mut ranges: Vec<Range> = Vec::new();
        for function in self.script.functions.values_mut().filter(uncalled) {
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

    /// Marks all chains: the script is too large or too deep to be followed.
    fn mark_all(&mut self, range: (usize, usize)) {
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

    /// Whether a command ends the script with an error and does nothing else: `exit 1`, `{ echo no;
    /// exit 1; }`, `die no`.
    fn aborts(&self, node: Node, is_prerequisite: bool) -> bool {
        match node.kind {
            NodeKind::Simple(range) => {
                let mut words = self.slice(range).split_whitespace();
                let (name, code) = (words.next().unwrap_or_default(), words.next());
                match name {
                    "exit" | "return" if is_prerequisite => true,
                    "exit" | "return" => {
                        code.is_some_and(|code| code.parse::<u8>().is_ok_and(|code| code > 0))
                    }
                    _ => match self.script.functions.get(name) {
                        Some(Function {
                            bodies,
                            is_certain: true,
                            ..
                        }) => bodies
                            .first()
                            .is_some_and(|body| self.ends_with_error(*body)),
                        _ => false,
                    },
                }
            }
            NodeKind::Group { body, .. } => self.aborts_in(body, is_prerequisite),
            _ => false,
        }
    }

    /// Whether the commands of a list change nothing and end the script with an error.
    fn aborts_in(&self, list: u32, is_prerequisite: bool) -> bool {
        let mut at = list;
        for _ in 0..16 {
            let Some(node) = self.node(at) else {
                return false;
            };
            let NodeKind::Simple(range) = node.kind else {
                return false;
            };
            if shell::calls(self.slice(range)) {
                return false;
            }
            if self.aborts(node, is_prerequisite) {
                return true;
            }
            at = node.next;
        }
        false
    }

    /// As [`Self::aborts_in`] for the body of a function, whose own calls are not followed.
    fn ends_with_error(&self, list: u32) -> bool {
        let mut at = list;
        for _ in 0..16 {
            let Some(Node {
                kind: NodeKind::Simple(range),
                next,
                ..
            }) = self.node(at)
            else {
                return false;
            };
            let command = self.slice(range);
            if shell::calls(command) {
                return false;
            }
            let code = command
                .strip_prefix("exit ")
                .and_then(|code| code.trim().parse::<u8>().ok());
            if code.is_some_and(|code| code > 0) {
                return true;
            }
            at = next;
        }
        false
    }

    /// Whether a command tests what a script needs to run: a file, a program, the user.
    fn is_prerequisite(&self, node: Node) -> bool {
        let NodeKind::Simple(range) = node.kind else {
            return false;
        };
        let words: Vec<&str> = self
            .slice(range)
            .split_whitespace()
            .take(4)
            .filter(|word| *word != "!")
            .collect();
        matches!(
            words[..],
            [
                "[" | "[[" | "test",
                "-x" | "-f" | "-e" | "-r" | "-d" | "-s",
                ..
            ] | ["which" | "hash" | "type", ..]
                | ["command", "-v", ..]
        )
    }

    fn is_prerequisite_list(&self, list: u32) -> bool {
        self.node(list)
            .is_some_and(|node| node.next == NONE && self.is_prerequisite(node))
    }
}

/// The program that a line gives a here-document to.
fn restore_program(command: &str) -> Program {
    let family = if command.contains("ip6tables") {
        Family::Ipv6
    } else {
        Family::Ipv4
    };
    let backend = match command {
        command if command.contains("-legacy-restore") => Some(Backend::Legacy),
        command if command.contains("-nft-restore") => Some(Backend::Nft),
        _ => None,
    };
    Program {
        family,
        backend,
        may_fail: false,
        is_sure: true,
    }
}

/// The part in quotes that holds a place of a command, without its quotes.
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

/// Skips the programs before a command that run it: `sudo -n`, `command`.
fn skip_launchers(mut fields: &[Field]) -> &[Field] {
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

fn join(fields: &[Field]) -> String {
    fields
        .iter()
        .map(|field| &*field.text)
        .collect::<Vec<_>>()
        .join(" ")
}

/// The name and operator of `NAME=value` or `NAME+=value`.
fn assignment(word: &str) -> Option<(&str, &str)> {
    let at = word.find('=')?;
    let (name, operator) = match word[..at].strip_suffix('+') {
        Some(name) => (name, "+="),
        None => (&word[..at], "="),
    };
    let base = name.split('[').next().unwrap_or_default();
    (is_name(base) && (base.len() == name.len() || name.ends_with(']'))).then_some((name, operator))
}

fn is_name(name: &str) -> bool {
    let of_names = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    !name.is_empty() && name.bytes().all(of_names) && !name.as_bytes()[0].is_ascii_digit()
}
