//! Assignments of variables: `A=1`, `A+=1`, `A=(1 2)`, `export A=1`, `local A`.

use super::super::assignment::{assignment, is_name};
use super::super::lexer::{Lexer, TokenKind};
use super::super::syntax::Range;
use super::super::variables::{Element, VariableValue};
use super::{Runner, WORK_OF_VARIABLE};

impl Runner<'_, '_, '_> {
    /// Sets the variables of `A=1 B=2`. Returns the place of the command after them, or the end if
    /// there is none.
    pub(super) fn run_assignments(&mut self, range: Range) -> usize {
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
        // `A=1 function` sets the variable only for the function.
        if end != range.1 as usize {
            for (start, end) in &found {
                if let Some((name, _)) = assignment(&self.text[*start..*end]) {
                    self.script.variables.set(name, VariableValue::Unknown);
                }
            }
        }
        // `A=1 command` sets the variable only for the command.
        if end == range.1 as usize {
            self.status = Some(true);
            for place in found {
                self.assign(place);
            }
        }
        end
    }

    /// Forgets the variables that the expansions of a command may set: `${A:=1}`, `$((A++))`.
    pub(super) fn forget_expanded(&mut self, raw: &str) {
        let has_assignment = |(at, _): (usize, &str)| {
            let rest = &raw[at..];
            let inner = &rest[..rest.find("))").unwrap_or(rest.len())];
            inner.contains(['=']) || inner.contains("++") || inner.contains("--")
        };
        if raw.contains(":=") || raw.match_indices("$((").take(16).any(has_assignment) {
            let status = self.status;
            self.forget_names(raw);
            self.status = status;
        }
    }

    /// Forgets all variables, because a command may have changed any of them.
    pub(super) fn forget_all(&mut self) {
        if self.spend(self.script.variables.len() * WORK_OF_VARIABLE) {
            self.script.variables.forget_all();
        }
    }

    /// Carries out one assignment.
    fn assign(&mut self, (start, end): (usize, usize)) {
        let word = &self.text[start..end];
        let Some((name, operator)) = assignment(word) else {
            return;
        };
        let at = start + name.len() + operator.len();
        if let Some((array, _)) = name.split_once('[') {
            return self.script.variables.set(array, VariableValue::Unknown);
        }
        let variables = &self.script.variables;
        let value = &self.text[at..end];
        let new = match value
            .strip_prefix('(')
            .and_then(|list| list.strip_suffix(')'))
        {
            Some(_) => {
                let words = variables.expand(self.text, (at + 1, end - 1));
                // `([2]=x)`
                match value.contains("]=") {
                    true => VariableValue::Unknown,
                    false => VariableValue::List(words.iter().map(Element::from_field).collect()),
                }
            }
            None => {
                let mut quoted = Vec::new();
                // A value is not split into words.
                variables.expand_word(self.text, (at, end), &mut quoted);
                match &mut quoted[..] {
                    [] => VariableValue::Text(String::new()),
                    fields if fields.iter().all(|field| field.is_known) => VariableValue::Text(
                        fields
                            .iter()
                            .map(|field| &*field.text)
                            .collect::<Vec<_>>()
                            .join(" "),
                    ),
                    _ => VariableValue::Unknown,
                }
            }
        };
        // A home directory.
        let new = if value.starts_with('~') {
            VariableValue::Unknown
        } else {
            new
        };
        let new = match (operator, variables.get(name), new) {
            ("=", _, new) => new,
            (_, Some(VariableValue::Text(old)), VariableValue::Text(new)) => {
                VariableValue::Text([old, &*new].concat())
            }
            (_, Some(VariableValue::List(old)), VariableValue::List(new)) => {
                VariableValue::List([&old[..], &new[..]].concat())
            }
            _ => VariableValue::Unknown,
        };
        self.script.variables.set(name, new);
    }

    /// Carries out `((N++))`, `((N = 3))`, `((N < 3))`.
    pub(super) fn run_arithmetic(&mut self, raw: &str) {
        let inner = raw
            .strip_prefix("((")
            .and_then(|inner| inner.strip_suffix("))"));
        let inner = inner.unwrap_or_default().trim();
        let end = inner
            .find(|c: char| !c.is_ascii_alphanumeric() && c != '_')
            .unwrap_or(inner.len());
        let (name, rest) = inner.split_at(end);
        let changed = match rest.trim() {
            "++" => Some((format!("{name} + 1"), true)),
            "--" => Some((format!("{name} - 1"), true)),
            rest => match rest.split_once('=') {
                Some((operator @ ("" | "+" | "-" | "*" | "/" | "%"), value))
                    if !value.starts_with('=') =>
                {
                    let left = if operator.is_empty() { "0+" } else { name };
                    Some((format!("{left}{operator}({value})"), false))
                }
                _ => None,
            },
        };
        let variables = &self.script.variables;
        let (number, before) = match &changed {
            Some((expression, _)) => (variables.evaluate(expression), variables.evaluate(name)),
            None => (variables.evaluate(inner), None),
        };
        if number.is_none() || changed.is_some() && !is_name(name) {
            return self.forget_names(raw);
        }
        let result = match changed {
            Some((_, is_after)) => {
                let text = number.unwrap_or_default().to_string();
                self.script.variables.set(name, VariableValue::Text(text));
                if is_after { before } else { number }
            }
            None => number,
        };
        self.status = result.map(|result| result != 0);
    }

    /// Forgets every variable whose name is in a text.
    pub(super) fn forget_names(&mut self, text: &str) {
        for name in text
            .split(|c: char| !c.is_ascii_alphanumeric() && c != '_')
            .filter(|name| is_name(name))
        {
            self.script.variables.set(name, VariableValue::Unknown);
        }
        self.status = None;
    }

    /// `export A=1`, `local A`.
    pub(super) fn declare(&mut self, range: Range, is_local: bool) {
        let mut lexer = Lexer::new(self.text, range.0 as usize, range.1 as usize);
        lexer.next();
        loop {
            let token = lexer.next();
            let word = &self.text[token.start..token.end];
            match token.kind {
                TokenKind::Word if assignment(word).is_some() => {
                    if let Some((name, _)) = assignment(word).filter(|_| is_local) {
                        self.declare_local(name);
                    }
                    self.assign((token.start, token.end));
                }
                TokenKind::Word if is_local && is_name(word) => {
                    self.declare_local(word);
                    self.script
                        .variables
                        .set(word, VariableValue::Text(String::new()));
                }
                TokenKind::Word => {}
                _ => return,
            }
        }
    }
}
