//! The variables of a shell script, and the expansion of words.

use std::collections::{BTreeSet, HashMap};

use super::arithmetic::{self, signed_number};
use super::braces::{Braces, PATTERN_SIGNS, expand_braces, find_unquoted, sequence};
use super::lexer::{Lexer, TokenKind, closing};

/// The longest value that is kept; a longer one is unknown.
const MAX_VALUE_LENGTH: usize = 8 * 1024;
/// The most words that one variable expands to.
const MAX_VALUES: usize = 4096;

/// The name of the arguments of a script or function: `$@`.
pub(super) const ARGUMENTS: &str = "@";

/// The value of a variable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum VariableValue {
    /// Only a run of the script determines it.
    Unknown,
    Text(String),
    /// An array, or arguments.
    List(Vec<Element>),
}

/// An element of an array, or an argument.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Element {
    Known(String),
    /// One element, whose text only a run determines.
    Unknown,
    /// Any number of elements: the expansion of `$X` without quotes.
    AnyNumber,
}

impl Element {
    /// The element for one word of a command.
    pub(super) fn from_field(field: &ShellField) -> Self {
        match field.is_known {
            true => Self::Known(field.text.clone()),
            false if field.is_one_word => Self::Unknown,
            false => Self::AnyNumber,
        }
    }
}

/// The element at an index, if the text determines it. An index after the end gives an empty
/// element.
fn element(list: &[Element], at: usize) -> Option<&str> {
    if list
        .iter()
        .take(at + 1)
        .any(|element| *element == Element::AnyNumber)
    {
        return None;
    }
    match list.get(at) {
        Some(Element::Known(text)) => Some(text),
        Some(_) => None,
        None => Some(""),
    }
}

/// The changes of a part of the script: names with their values after it.
pub(super) type Changes = HashMap<String, VariableValue>;

/// The variables that the script sets. The environment may set any other variable.
#[derive(Debug, Default)]
pub(super) struct Variables {
    /// Whether the script's shell may lack brace expansion: `#!/bin/sh`.
    pub(super) may_lack_braces: bool,
    values: HashMap<String, VariableValue>,
    /// The former values of the variables that were set since the outermost [`Self::begin`].
    log: Vec<(String, Option<VariableValue>)>,
    open: usize,
}

/// A word of a command after expansion.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ShellField {
    /// The word; unknown parts remain as written: `$X`.
    pub(super) text: String,
    pub(super) is_known: bool,
    /// Whether it is exactly one word. `$X` without quotes may be none or several.
    pub(super) is_one_word: bool,
    /// Its place in the script.
    pub(super) start: usize,
    pub(super) end: usize,
}

impl Variables {
    pub(super) fn get(&self, name: &str) -> Option<&VariableValue> {
        self.values.get(name)
    }

    /// The text of a variable, if the script determines it.
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        if let Ok(number @ 1..) = name.parse::<usize>() {
            let Some(VariableValue::List(arguments)) = self.values.get(ARGUMENTS) else {
                return None;
            };
            return element(arguments, number - 1);
        }
        match self.values.get(name)? {
            VariableValue::Text(text) => Some(text),
            VariableValue::List(list) => element(list, 0),
            VariableValue::Unknown => None,
        }
    }

    pub(super) fn set(&mut self, name: &str, value: VariableValue) {
        let is_long = match &value {
            VariableValue::Text(text) => text.len() > MAX_VALUE_LENGTH,
            VariableValue::List(list) => list.len() > MAX_VALUES,
            VariableValue::Unknown => false,
        };
        let value = if is_long {
            VariableValue::Unknown
        } else {
            value
        };
        // Without this, the log of nested loops would double with each level.
        if self.values.get(name) == Some(&value) {
            return;
        }
        let old = self.values.insert(name.to_owned(), value);
        if self.open > 0 {
            self.log.push((name.to_owned(), old));
        }
    }

    /// Forgets all values, because a command may have changed any of them.
    pub(super) fn forget_all(&mut self) {
        let names: Vec<String> = self.values.keys().cloned().collect();
        names
            .iter()
            .for_each(|name| self.set(name, VariableValue::Unknown));
    }

    /// Begins a part of the script that may not run.
    pub(super) fn begin(&mut self) -> usize {
        self.open += 1;
        self.log.len()
    }

    /// Ends that part and keeps its changes. Returns the changed names on request.
    pub(super) fn end_scope(&mut self, begun: usize, wants_names: bool) -> BTreeSet<String> {
        self.open -= 1;
        let changed = if wants_names { begun } else { self.log.len() };
        let changed = self.log[changed..].iter();
        let names = changed.map(|(name, _)| name.clone()).collect();
        if self.open == 0 {
            self.log.clear();
        }
        names
    }

    /// The number of variables with a value.
    pub(super) fn len(&self) -> usize {
        self.values.len()
    }

    /// Ends that part and reverts its changes.
    pub(super) fn undo(&mut self, begun: usize) -> Changes {
        self.open -= 1;
        let mut changes = Changes::new();
        for (name, old) in self.log.split_off(begun).into_iter().rev() {
            let new = match old {
                Some(old) => self.values.insert(name.clone(), old),
                None => self.values.remove(&name),
            };
            changes
                .entry(name)
                .or_insert(new.unwrap_or(VariableValue::Unknown));
        }
        changes
    }

    /// The words of a part of the script, expanded; without redirections.
    pub(super) fn expand(&self, text: &str, (start, end): (usize, usize)) -> Vec<ShellField> {
        let mut lexer = Lexer::new(text, start, end);
        let mut fields: Vec<ShellField> = Vec::new();
        // `[[ $A == x* ]]` compares with a pattern, which is not expanded to words.
        let mut is_test = false;
        loop {
            let token = lexer.next();
            match token.kind {
                TokenKind::End => return fields,
                TokenKind::Redirection | TokenKind::HereDocument => {
                    if lexer.peek().kind == TokenKind::Word && !text[..token.end].ends_with('-') {
                        lexer.next();
                    }
                }
                TokenKind::Word if is_test => {
                    let first = fields.len();
                    self.expand_word(text, (token.start, token.end), &mut fields);
                    // Each element becomes one word, even an empty one.
                    let is_one = fields.len() == first + 1;
                    let is_known = fields.len() == first || is_one && fields[first].is_known;
                    let word = fields.get(first).filter(|_| is_one);
                    let text = word.map_or(String::new(), |field| field.text.clone());
                    fields.truncate(first);
                    fields.push(ShellField {
                        text,
                        is_known,
                        is_one_word: true,
                        start: token.start,
                        end: token.end,
                    });
                }
                TokenKind::Word => {
                    is_test = fields.is_empty() && &text[token.start..token.end] == "[[";
                    self.expand_words(text, (token.start, token.end), &mut fields);
                }
                TokenKind::Newline => {}
                _ => fields.push(ShellField {
                    text: text[token.start..token.end].to_owned(),
                    is_known: token.kind != TokenKind::Broken,
                    is_one_word: true,
                    start: token.start,
                    end: token.end,
                }),
            }
        }
    }

    /// Adds the words that a word with braces or file patterns expands to.
    fn expand_words(&self, text: &str, place: (usize, usize), fields: &mut Vec<ShellField>) {
        let raw = &text[place.0..place.1];
        let first = fields.len();
        match expand_braces(raw) {
            Braces::Words(words) if !self.may_lack_braces => {
                fields.extend(words.into_iter().map(|text| ShellField {
                    text,
                    is_known: true,
                    is_one_word: true,
                    start: place.0,
                    end: place.1,
                }));
            }
            braces => {
                self.expand_word(text, place, fields);
                for field in fields.iter_mut().skip(first) {
                    if braces != Braces::None {
                        (field.is_known, field.is_one_word) = (false, false);
                    }
                }
            }
        }
        // The matching files are unknown.
        let is_pattern = !matches!(raw, "[" | "[[")
            && find_unquoted(raw, |byte: u8| PATTERN_SIGNS.contains(&char::from(byte))).is_some();
        let has_values = find_unquoted(raw, |byte| matches!(byte, b'$' | b'`')).is_some();
        for field in fields.iter_mut().skip(first) {
            if is_pattern || has_values && field.text.contains(PATTERN_SIGNS) {
                (field.is_known, field.is_one_word) = (false, false);
            }
        }
    }

    /// The text of a here-document after expansion; `None` where only a run determines it.
    pub(super) fn expand_document(&self, text: &str) -> Option<String> {
        let mut expanded = String::new();
        let mut at = 0;
        while let Some(length) = text[at..].find(['$', '`', '\\']) {
            let place = at + length;
            expanded.push_str(&text[at..place]);
            if text.as_bytes()[place] == b'\\' {
                let next = text[place + 1..].chars().next()?;
                if !matches!(next, '$' | '`' | '\\') {
                    expanded.push('\\');
                }
                expanded.push(next);
                at = place + 1 + next.len_utf8();
                continue;
            }
            let end = place + expansion_length(text, place);
            let mut fields = Vec::new();
            let mut word = WordBuilder {
                fields: &mut fields,
                current: None,
                start: place,
                end,
            };
            self.expand_variable(&text[place..end], true, &mut word);
            word.end_word();
            for field in fields {
                if !field.is_known || expanded.len() + field.text.len() > MAX_VALUE_LENGTH {
                    return None;
                }
                expanded.push_str(&field.text);
            }
            at = end;
        }
        expanded.push_str(&text[at..]);
        Some(expanded)
    }

    /// The value of an arithmetic expression; `None` where only a run determines it.
    pub(super) fn evaluate(&self, expression: &str) -> Option<i64> {
        arithmetic::evaluate(expression, &|name| signed_number(self.text(name)?.trim()))
    }

    /// Adds the expansion of a word: no word, one, or several.
    pub(super) fn expand_word(
        &self,
        text: &str,
        (start, end): (usize, usize),
        fields: &mut Vec<ShellField>,
    ) {
        let mut word = WordBuilder {
            fields,
            current: None,
            start,
            end,
        };
        let raw = &text[start..end];
        let bytes = raw.as_bytes();
        let (mut at, mut is_quoted) = (0, false);
        while at < bytes.len() {
            match bytes[at] {
                b'\'' if !is_quoted => {
                    let length =
                        memchr::memchr(b'\'', &bytes[at + 1..]).unwrap_or(bytes.len() - at - 1);
                    word.push(&raw[at + 1..at + 1 + length]);
                    at += length + 2;
                }
                b'"' => {
                    is_quoted = !is_quoted;
                    // `"$@"` without arguments expands to no words.
                    if raw != "\"$@\"" {
                        word.push("");
                    }
                    at += 1;
                }
                b'\\' => {
                    let next = raw[at + 1..].chars().next();
                    let keeps = is_quoted && !matches!(next, Some('$' | '`' | '"' | '\\' | '\n'));
                    if keeps {
                        word.push("\\");
                    }
                    let mut buffer = [0; 4];
                    match next {
                        Some('\n') | None => {}
                        Some(next) => word.push(next.encode_utf8(&mut buffer)),
                    }
                    at += 1 + next.map_or(0, char::len_utf8);
                }
                b'$' | b'`' => {
                    let length = expansion_length(raw, at);
                    self.expand_variable(&raw[at..at + length], is_quoted, &mut word);
                    at += length;
                }
                _ => {
                    let rest = &bytes[at..];
                    let length = rest
                        .iter()
                        .position(|byte| matches!(byte, b'\'' | b'"' | b'\\' | b'$' | b'`'));
                    let length = length.unwrap_or(rest.len()).max(1);
                    word.push(&raw[at..at + length]);
                    at += length;
                }
            }
        }
        word.end_word();
    }

    /// Adds the expansion of `$NAME`, `${NAME:-default}` or `$(command)`.
    fn expand_variable(&self, raw: &str, is_quoted: bool, word: &mut WordBuilder) {
        if raw == "$" {
            return word.push(raw);
        }
        let inner = raw
            .strip_prefix("${")
            .and_then(|inner| inner.strip_suffix('}'))
            .or_else(|| raw.strip_prefix('$'));
        let Some(inner) = inner else {
            return self.expand_command(raw, is_quoted, word);
        };
        let whole = inner
            .strip_suffix("[@]")
            .or_else(|| inner.strip_suffix("[*]"));
        let is_list = whole.is_some() || matches!(inner, "@" | "*");
        if is_list {
            let joins = is_quoted && inner.ends_with('*');
            return match self.get(whole.unwrap_or(ARGUMENTS)) {
                Some(VariableValue::List(list)) if !joins || list.len() == 1 => {
                    word.push_list(list, is_quoted)
                }
                Some(VariableValue::Text(text)) if whole.is_some() => {
                    word.push_list(&[Element::Known(text.clone())], is_quoted)
                }
                _ => word.push_unknown(raw, false),
            };
        }
        match self.value_of(inner) {
            Some(text) if is_quoted => word.push(&text),
            // `IFS` has another separator.
            Some(text) if !text.is_empty() && self.get("IFS").is_some() => {
                word.push_unknown(raw, false)
            }
            Some(text) => word.push_split(&text),
            None => self.expand_command(raw, is_quoted, word),
        }
    }

    /// The value of `NAME` or `NAME:-default`, if the script determines it.
    fn value_of(&self, inner: &str) -> Option<String> {
        let end = inner
            .find(|c: char| !c.is_ascii_alphanumeric() && c != '_')
            .unwrap_or(inner.len());
        let (name, operator) = inner.split_at(end);
        if inner == "#" {
            let Some(VariableValue::List(arguments)) = self.get(ARGUMENTS) else {
                return None;
            };
            let is_counted = !arguments.contains(&Element::AnyNumber);
            return is_counted.then(|| arguments.len().to_string());
        }
        if name.is_empty() {
            return None;
        }
        let value = self.text(name)?;
        let default = operator
            .strip_prefix(":-")
            .or_else(|| operator.strip_prefix(":="));
        match (operator, default) {
            ("", _) => Some(value.to_owned()),
            (_, Some(_)) if !value.is_empty() => Some(value.to_owned()),
            (_, Some(default)) if !default.contains(['$', '`', '"', '\'', '\\']) => {
                Some(default.to_owned())
            }
            _ => None,
        }
    }

    /// `$(command -v iptables)` expands to the program, `$(seq 1 3)` to numbers. The output of any
    /// other command is unknown.
    fn expand_command(&self, raw: &str, is_quoted: bool, word: &mut WordBuilder) {
        let arithmetic = raw
            .strip_prefix("$((")
            .and_then(|inner| inner.strip_suffix("))"));
        if let Some(number) = arithmetic.and_then(|expression| self.evaluate(expression)) {
            return word.push(&number.to_string());
        }
        let inner = raw
            .strip_prefix("$(")
            .and_then(|inner| inner.strip_suffix(')'));
        let inner = inner.or_else(|| {
            raw.strip_prefix('`')
                .and_then(|inner| inner.strip_suffix('`'))
        });
        let words: Vec<&str> = inner.unwrap_or_default().split_whitespace().collect();
        match words[..] {
            ["which", name] | ["command" | "type", "-v" | "-p" | "-P", name]
                if name.contains("tables") =>
            {
                word.push(name)
            }
            ["seq", ref numbers @ ..] => match self.count(numbers) {
                Some(list) if is_quoted => word.push(&list.join("\n")),
                Some(list) if self.get("IFS").is_none() => word.push_split(&list.join("\n")),
                _ => word.push_unknown(raw, is_quoted),
            },
            _ => word.push_unknown(raw, is_quoted),
        }
    }

    /// The numbers in the output of `seq`.
    fn count(&self, words: &[&str]) -> Option<Vec<String>> {
        let numbers: Vec<i64> = words
            .iter()
            .map(
                |word: &&str| match word.trim_matches('"').strip_prefix('$') {
                    Some(name) => {
                        let name = name.trim_matches(['{', '}']);
                        self.text(name).and_then(signed_number)
                    }
                    // `seq 08` prints 8.
                    None => signed_number(word).filter(|_| !word.starts_with('0') || *word == "0"),
                },
            )
            .collect::<Option<_>>()?;
        match numbers[..] {
            [last] => sequence(1, 1, last),
            [first, last] => sequence(first, 1, last),
            [first, step, last] => sequence(first, step, last),
            _ => None,
        }
    }
}

/// The length of the expansion that begins at a `$` or backtick.
fn expansion_length(raw: &str, at: usize) -> usize {
    let bytes = raw.as_bytes();
    let bracket = match bytes.get(at + 1) {
        _ if bytes[at] == b'`' => Some(at),
        Some(b'(' | b'{') => Some(at + 1),
        _ => None,
    };
    if let Some(bracket) = bracket {
        return closing(bytes, bracket).unwrap_or(bytes.len()) - at;
    }
    match bytes.get(at + 1) {
        Some(first) if first.is_ascii_alphabetic() || *first == b'_' => {
            let rest = &bytes[at + 1..];
            1 + rest
                .iter()
                .position(|byte| !byte.is_ascii_alphanumeric() && *byte != b'_')
                .unwrap_or(rest.len())
        }
        Some(b'0'..=b'9' | b'@' | b'*' | b'#' | b'?' | b'$' | b'!' | b'-') => 2,
        _ => 1,
    }
}

struct WordBuilder<'f> {
    fields: &'f mut Vec<ShellField>,
    current: Option<ShellField>,
    start: usize,
    end: usize,
}

impl WordBuilder<'_> {
    fn current(&mut self) -> &mut ShellField {
        let (start, end) = (self.start, self.end);
        self.current.get_or_insert_with(|| ShellField {
            text: String::new(),
            is_known: true,
            is_one_word: true,
            start,
            end,
        })
    }

    fn push(&mut self, text: &str) {
        let field = self.current();
        if field.text.len() + text.len() > MAX_VALUE_LENGTH {
            field.is_known = false;
            field.text = "$".into();
        } else {
            field.text.push_str(text);
        }
    }

    fn push_unknown(&mut self, raw: &str, is_quoted: bool) {
        self.push(raw);
        let field = self.current();
        field.is_known = false;
        field.is_one_word &= is_quoted;
    }

    /// Adds an unquoted text, which blanks split into words.
    fn push_split(&mut self, text: &str) {
        let is_blank = |c: char| matches!(c, ' ' | '\t' | '\n');
        if text.starts_with(is_blank) {
            self.end_word();
        }
        for (number, piece) in text
            .split(is_blank)
            .filter(|piece| !piece.is_empty())
            .enumerate()
        {
            if number > 0 {
                self.end_word();
            }
            self.push(piece);
        }
        if text.ends_with(is_blank) {
            self.end_word();
        }
    }

    fn push_list(&mut self, list: &[Element], is_quoted: bool) {
        for (number, element) in list.iter().enumerate() {
            if number > 0 {
                self.end_word();
            }
            match element {
                Element::Known(text) if is_quoted => self.push(text),
                Element::Known(text) => self.push_split(text),
                Element::Unknown => self.push_unknown("$@", is_quoted),
                Element::AnyNumber => self.push_unknown("$@", false),
            }
        }
    }

    fn end_word(&mut self) {
        self.fields.extend(self.current.take());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(variables: &Variables, text: &str) -> Vec<String> {
        variables
            .expand(text, (0, text.len()))
            .into_iter()
            .map(|field| field.text)
            .collect()
    }

    #[test]
    fn words_are_expanded_as_a_shell_does() {
        let mut variables = Variables::default();
        variables.set("A", VariableValue::Text("1 2".into()));
        variables.set("E", VariableValue::Text(String::new()));
        variables.set(
            "L",
            VariableValue::List(vec![
                Element::Known("x".into()),
                Element::Known("y z".into()),
            ]),
        );
        variables.set(
            ARGUMENTS,
            VariableValue::List(vec![Element::Known("first".into()), Element::Unknown]),
        );
        let check = |text: &str, want: &[&str]| assert_eq!(words(&variables, text), want, "{text}");
        check("a$A \"b$A\" '$A'", &["a1", "2", "b1 2", "$A"]);
        check("$E \"$E\" x", &["", "x"]);
        check(
            "\"${L[@]}\" $1 $# ${E:-d} ${A:-d}",
            &["x", "y z", "first", "2", "d", "1", "2"],
        );
        check(
            "$X ${X:-1} $(id -u) a\\ b",
            &["$X", "${X:-1}", "$(id -u)", "a b"],
        );
        check(
            "$(which iptables) \"$@\" >/dev/null 2>&1",
            &["iptables", "first", "$@"],
        );
        check(
            "{1..3} $(seq 2 3) $((1 + 2)) \"$(seq 2)\"",
            &["1", "2", "3", "2", "3", "3", "1\n2"],
        );
    }

    #[test]
    fn words_whose_number_is_unknown_hide_the_places_of_those_after_them() {
        let mut variables = Variables::default();
        let text = "a $X b";
        let fields = variables.expand(text, (0, text.len()));
        let list = fields.iter().map(Element::from_field).collect();
        variables.set(ARGUMENTS, VariableValue::List(list));
        assert_eq!(
            (variables.text("1"), variables.text("3")),
            (Some("a"), None)
        );
        assert_eq!(words(&variables, "$#"), ["$#"]);
        let is_known = |text: &str| variables.expand(text, (0, text.len()))[0].is_known;
        assert!(!is_known("*.rules") && !is_known("{a,b}$X") && is_known("\"*\""));
    }

    #[test]
    fn a_here_document_is_expanded_without_words() {
        let mut variables = Variables::default();
        variables.set("P", VariableValue::Text("22".into()));
        let check = |text, want| {
            assert_eq!(variables.expand_document(text).as_deref(), want, "{text}");
        };
        check("--dport $P \"${P}\" '$P'", Some("--dport 22 \"22\" '22'"));
        check("$((P + 1)) \\$P \\a", Some("23 $P \\a"));
        check("$X", None);
    }

    #[test]
    fn a_part_that_may_not_run_is_undone() {
        let mut variables = Variables::default();
        variables.set("A", VariableValue::Text("1".into()));
        let begun = variables.begin();
        variables.set("A", VariableValue::Text("2".into()));
        variables.set("A", VariableValue::Text("3".into()));
        variables.set("B", VariableValue::Unknown);
        let changes = variables.undo(begun);
        assert_eq!((variables.text("A"), variables.get("B")), (Some("1"), None));
        assert_eq!(changes.get("A"), Some(&VariableValue::Text("3".into())));
    }
}
