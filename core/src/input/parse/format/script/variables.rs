//! The variables of a shell script, and the words that they make.

use std::collections::HashMap;

use super::lexer::{Lexer, TokenKind, closing};

/// The longest value that is followed.
const MAX_VALUE_LENGTH: usize = 8 * 1024;
/// The most words that one variable makes.
const MAX_VALUES: usize = 4096;

/// The name of a script's or function's arguments: `$@`.
pub(super) const ARGUMENTS: &str = "@";

/// The value of a variable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Value {
    /// Only a run of the script determines it.
    Unknown,
    Text(String),
    /// An array, or arguments; `None` for an element that only a run determines.
    List(Vec<Option<String>>),
}

/// What a part of a script changed: names with the values after it.
pub(super) type Changes = HashMap<String, Value>;

/// The variables that the text sets. Any other variable may come from the environment.
#[derive(Debug, Default)]
pub(super) struct Variables {
    values: HashMap<String, Value>,
    /// The former values of what was set since the outermost [`Self::begin`].
    log: Vec<(String, Option<Value>)>,
    open: usize,
}

/// A word of a command after expansion.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Field {
    /// The word, with the unknown parts as they are written: `$X`.
    pub(super) text: String,
    pub(super) is_known: bool,
    /// Where it is in the script.
    pub(super) start: usize,
    pub(super) end: usize,
}

impl Variables {
    pub(super) fn get(&self, name: &str) -> Option<&Value> {
        self.values.get(name)
    }

    /// The text of a variable, where the script determines it.
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        if let Ok(number @ 1..) = name.parse::<usize>() {
            let Some(Value::List(arguments)) = self.values.get(ARGUMENTS) else {
                return None;
            };
            return arguments.get(number - 1).map_or(Some(""), Option::as_deref);
        }
        match self.values.get(name)? {
            Value::Text(text) => Some(text),
            Value::List(list) => list.first().map_or(Some(""), Option::as_deref),
            Value::Unknown => None,
        }
    }

    pub(super) fn set(&mut self, name: &str, value: Value) {
        let is_long = match &value {
            Value::Text(text) => text.len() > MAX_VALUE_LENGTH,
            Value::List(list) => list.len() > MAX_VALUES,
            Value::Unknown => false,
        };
        let value = if is_long { Value::Unknown } else { value };
        let old = self.values.insert(name.to_owned(), value);
        if self.open > 0 {
            self.log.push((name.to_owned(), old));
        }
    }

    /// Forgets all values: anything may have changed them.
    pub(super) fn forget_all(&mut self) {
        let names: Vec<String> = self.values.keys().cloned().collect();
        names.iter().for_each(|name| self.set(name, Value::Unknown));
    }

    /// Begins a part of the script that may not run.
    pub(super) fn begin(&mut self) -> usize {
        self.open += 1;
        self.log.len()
    }

    /// Ends that part and undoes what it changed.
    pub(super) fn undo(&mut self, begun: usize) -> Changes {
        self.open -= 1;
        let mut changes = Changes::new();
        for (name, old) in self.log.split_off(begun).into_iter().rev() {
            let new = match old {
                Some(old) => self.values.insert(name.clone(), old),
                None => self.values.remove(&name),
            };
            changes.entry(name).or_insert(new.unwrap_or(Value::Unknown));
        }
        changes
    }

    /// The words of a part of the script, expanded; without redirections.
    pub(super) fn expand(&self, text: &str, (start, end): (usize, usize)) -> Vec<Field> {
        let mut lexer = Lexer::new(text, start, end);
        let mut fields = Vec::new();
        loop {
            let token = lexer.next();
            match token.kind {
                TokenKind::End => return fields,
                TokenKind::Redirection | TokenKind::HereDocument => {
                    if lexer.peek().kind == TokenKind::Word && !text[..token.end].ends_with('-') {
                        lexer.next();
                    }
                }
                TokenKind::Word => self.expand_word(text, (token.start, token.end), &mut fields),
                TokenKind::Newline => {}
                _ => fields.push(Field {
                    text: text[token.start..token.end].to_owned(),
                    is_known: token.kind != TokenKind::Broken,
                    start: token.start,
                    end: token.end,
                }),
            }
        }
    }

    /// Adds what a word becomes: nothing, one word, or several.
    pub(super) fn expand_word(
        &self,
        text: &str,
        (start, end): (usize, usize),
        fields: &mut Vec<Field>,
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
                    // `"$@"` without arguments is no word.
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
        word.end();
    }

    /// Adds what `$NAME`, `${NAME:-default}` or `$(command)` becomes.
    fn expand_variable(&self, raw: &str, is_quoted: bool, word: &mut WordBuilder) {
        if raw == "$" {
            return word.push(raw);
        }
        let inner = raw
            .strip_prefix("${")
            .and_then(|inner| inner.strip_suffix('}'))
            .or_else(|| raw.strip_prefix('$'));
        let Some(inner) = inner else {
            return self.expand_command(raw, word);
        };
        let whole = inner
            .strip_suffix("[@]")
            .or_else(|| inner.strip_suffix("[*]"));
        let is_list = whole.is_some() || matches!(inner, "@" | "*");
        if is_list {
            let joins = is_quoted && inner.ends_with('*');
            return match self.get(whole.unwrap_or(ARGUMENTS)) {
                Some(Value::List(list)) if !joins || list.len() == 1 => {
                    word.push_list(list, is_quoted)
                }
                Some(Value::Text(text)) if whole.is_some() => {
                    word.push_list(&[Some(text.clone())], is_quoted)
                }
                _ => word.push_unknown(raw),
            };
        }
        match self.value_of(inner) {
            Some(text) if is_quoted => word.push(&text),
            // Another separator is in `IFS`.
            Some(text) if text.contains([' ', '\t', '\n']) && self.get("IFS").is_some() => {
                word.push_unknown(raw)
            }
            Some(text) => word.push_split(&text),
            None => self.expand_command(raw, word),
        }
    }

    /// The value of `NAME` or `NAME:-default`, where the script determines it.
    fn value_of(&self, inner: &str) -> Option<String> {
        let end = inner
            .find(|c: char| !c.is_ascii_alphanumeric() && c != '_')
            .unwrap_or(inner.len());
        let (name, operator) = inner.split_at(end);
        if inner == "#" {
            let Some(Value::List(arguments)) = self.get(ARGUMENTS) else {
                return None;
            };
            return Some(arguments.len().to_string());
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

    /// `$(command -v iptables)` is the program itself. What any other command prints is unknown.
    fn expand_command(&self, raw: &str, word: &mut WordBuilder) {
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
            _ => word.push_unknown(raw),
        }
    }
}

/// How long the expansion is that begins at a `$` or backtick.
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
    fields: &'f mut Vec<Field>,
    current: Option<Field>,
    start: usize,
    end: usize,
}

impl WordBuilder<'_> {
    fn current(&mut self) -> &mut Field {
        let (start, end) = (self.start, self.end);
        self.current.get_or_insert_with(|| Field {
            text: String::new(),
            is_known: true,
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

    fn push_unknown(&mut self, raw: &str) {
        self.push(raw);
        self.current().is_known = false;
    }

    /// Adds a text without quotes, which blanks split into words.
    fn push_split(&mut self, text: &str) {
        let is_blank = |c: char| matches!(c, ' ' | '\t' | '\n');
        if text.starts_with(is_blank) {
            self.end();
        }
        for (number, piece) in text
            .split(is_blank)
            .filter(|piece| !piece.is_empty())
            .enumerate()
        {
            if number > 0 {
                self.end();
            }
            self.push(piece);
        }
        if text.ends_with(is_blank) {
            self.end();
        }
    }

    fn push_list(&mut self, list: &[Option<String>], is_quoted: bool) {
        for (number, element) in list.iter().enumerate() {
            if number > 0 {
                self.end();
            }
            match element {
                Some(text) if is_quoted => self.push(text),
                Some(text) => self.push_split(text),
                None => self.push_unknown("$@"),
            }
        }
    }

    fn end(&mut self) {
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
        variables.set("A", Value::Text("1 2".into()));
        variables.set("E", Value::Text(String::new()));
        variables.set("L", Value::List(vec![Some("x".into()), Some("y z".into())]));
        variables.set(ARGUMENTS, Value::List(vec![Some("first".into()), None]));
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
    }

    #[test]
    fn a_part_that_may_not_run_is_undone() {
        let mut variables = Variables::default();
        variables.set("A", Value::Text("1".into()));
        let begun = variables.begin();
        variables.set("A", Value::Text("2".into()));
        variables.set("A", Value::Text("3".into()));
        variables.set("B", Value::Unknown);
        let changes = variables.undo(begun);
        assert_eq!((variables.text("A"), variables.get("B")), (Some("1"), None));
        assert_eq!(changes.get("A"), Some(&Value::Text("3".into())));
    }
}
