//! The shell's side of scripts: variables, conditions, the commands of a line.

use std::collections::{HashMap, HashSet};

use crate::netfilter::backend::Backend;
use crate::packet::Family;

use super::super::super::assemble::Program;
use super::super::super::call;
use super::super::super::source_map::MappedText;

/// Longer lines are no script's.
const MAX_LINE_LENGTH: usize = 64 * 1024;

/// What variables were set to; nothing where only a run would tell.
type Variables = HashMap<String, Option<String>>;

/// What has been run so far.
#[derive(Debug, Default)]
pub(in super::super::super) struct Script {
    variables: Variables,
    /// Conditions, loops and functions that are open.
    depth: usize,
    /// How many of them are functions.
    functions: usize,
    /// The rules that were added, as written: `-C … || -A …` adds none twice.
    added: HashSet<String>,
}

/// A command of iptables in a line of a script.
pub(in super::super) struct IptablesCommand {
    /// Where the words after the program's name are in the line.
    pub(in super::super) words: (usize, usize),
    pub(in super::super) program: Program,
    /// Whether the text determines that it runs.
    pub(in super::super) is_sure: bool,
}

/// Whether a line calls iptables to change something.
pub(in super::super) fn calls(line: &str) -> bool {
    let named = line.contains("tables") || line.contains('$') && line.to_ascii_lowercase().contains("ipt");
    if line.len() > MAX_LINE_LENGTH || !named || line.trim_start().starts_with('#') {
        return false;
    }
    let none = Variables::new();
    simple(line).iter().any(|one| program(&line[one.start..one.end], &none).is_some()) || heredoc(line).is_some()
}

/// A call of a simple command: where its words begin, its family and backend.
fn program(text: &str, variables: &Variables) -> Option<(usize, Family, Option<Backend>)> {
    let skipped = keywords(text).0;
    let rest = &text[skipped..];
    if let Some(call) = call::find(rest) {
        let at = skipped + (rest.len() - call.rest.len());
        return (call.program == call::Program::Change).then_some((at, call.family, call.backend));
    }
    // `$IPT -t nat …`
    let word = rest.split_whitespace().next()?;
    let name = word.trim_matches(['"', '{', '}', '$']);
    if !word.trim_start_matches('"').starts_with('$') {
        return None;
    }
    let behind = &rest[word.len()..];
    let value = variables.get(name).and_then(Option::as_deref);
    let lower = name.to_ascii_lowercase();
    let (family, backend) = match value.map(|value| call::named(value.split_whitespace().next().unwrap_or_default())) {
        Some(named) => named.map(|(family, backend, _)| (family, backend))?,
        // The name says what it is, and nothing else does.
        None if matches!(&*lower, "ipt" | "ipt4" | "iptables" | "iptables_cmd" | "iptables_bin") => {
            (Family::Ipv4, None)
        }
        None if matches!(&*lower, "ipt6" | "ip6t" | "ip6tables" | "ip6tables_cmd") => (Family::Ipv6, None),
        None => return None,
    };
    let changes = call::find(&format!("iptables{behind}")).is_some_and(|call| call.program == call::Program::Change);
    changes.then_some((skipped + word.len(), family, backend))
}

/// How much of a command the shell's own words take, and how they change what is open.
fn keywords(text: &str) -> (usize, isize, bool) {
    let (mut at, mut depth, mut asks) = (text.len() - text.trim_start().len(), 0, false);
    loop {
        let rest = &text[at..];
        let word = rest.split_whitespace().next().unwrap_or_default();
        match word {
            "then" | "do" | "case" => depth += 1,
            "fi" | "done" | "esac" => depth -= 1,
            "if" | "elif" | "while" | "until" => asks = true,
            "else" | "!" | "{" | "}" | "(" | ")" => {}
            _ => return (at, depth, asks),
        }
        at += word.len();
        at += text[at..].len() - text[at..].trim_start().len();
    }
}

/// Whether a line is one of a shell's that begins or ends a condition, a loop or a function, and no sentence.
fn is_control(line: &str) -> bool {
    let line = line.split(" #").next().unwrap_or_default().trim();
    let first = line.split_whitespace().next().unwrap_or_default();
    matches!(line, "then" | "do" | "else" | "fi" | "done" | "esac" | "}")
        || matches!(first, "if" | "elif") && line.ends_with("then")
        || matches!(first, "while" | "until" | "for") && line.ends_with("do")
        || first == "case" && line.ends_with(" in")
        || first == "done" && line.contains('<')
        || begins_function(line)
}

/// Whether a line begins the body of a function: `start() {`, `function start {`.
fn begins_function(line: &str) -> bool {
    let line = line.trim();
    let head = line.strip_suffix('{').unwrap_or(line).trim_end();
    match (head.strip_prefix("function "), head.strip_suffix("()")) {
        (Some(name), _) => line.ends_with('{') && is_name(name.trim().trim_end_matches("()")),
        (None, Some(name)) => is_name(name.trim_end()),
        (None, None) => false,
    }
}

/// Whether a command only tests something.
fn is_test(command: &str) -> bool {
    let first = command.split_whitespace().next().unwrap_or_default();
    matches!(first, "[" | "[[" | "test" | "grep" | "which" | "command" | "type" | "false" | "!")
}

/// A command of a line: where it stands and what stands before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Simple {
    start: usize,
    end: usize,
    /// Whether `||` stands before it.
    or: bool,
    /// Whether `&&` stands before it.
    and: bool,
    /// Whether its failure is of no interest.
    careless: bool,
}

/// The commands of a line, as `;`, `&&`, `||` and `|` part them.
fn simple(line: &str) -> Vec<Simple> {
    let bytes = line.as_bytes();
    let mut list: Vec<Simple> = Vec::new();
    let (mut start, mut at, mut quote, mut or, mut and) = (0, 0, None, false, false);
    while at < bytes.len() {
        let byte = bytes[at];
        match (quote, byte) {
            (Some(open), _) if byte == open => quote = None,
            (Some(b'"') | None, b'\\') => at += 1,
            (Some(_), _) => {}
            (None, b'"' | b'\'') => quote = Some(byte),
            (None, b'#') if at == 0 || bytes[at - 1].is_ascii_whitespace() => {
                list.push(Simple { start, end: at, or, and, careless: false });
                return list;
            }
            (None, b';' | b'|' | b'&') => {
                // `2>&1` and `&>` part nothing.
                let joins = byte == b'&' && (at > 0 && bytes[at - 1] == b'>' || bytes.get(at + 1) == Some(&b'>'));
                if !joins {
                    let double = bytes.get(at + 1) == Some(&byte);
                    let careless = double && byte == b'|';
                    list.push(Simple { start, end: at, or, and, careless });
                    or = careless;
                    and = double && byte == b'&';
                    at += usize::from(double);
                    start = at + 1;
                }
            }
            _ => {}
        }
        at += 1;
    }
    if start < bytes.len() {
        list.push(Simple { start, end: bytes.len(), or, and, careless: false });
    }
    list
}

/// The word that ends the here-document which a line gives to iptables-restore.
pub(in super::super) fn heredoc(line: &str) -> Option<&str> {
    if line.len() > MAX_LINE_LENGTH || !line.contains("tables") || !line.contains("-restore") {
        return None;
    }
    let (_, rest) = line.split_once("<<")?;
    let word = rest.trim_start_matches(['-', ' ']).split(|c: char| c.is_whitespace() || c == '|' || c == ')').next()?;
    let word = word.trim_matches(['"', '\'', '\\']);
    (!word.is_empty() && !word.starts_with('<')).then_some(word)
}

impl Script {
    /// Follows the lines before a fragment, which may set variables or begin a condition.
    pub(in super::super) fn follow(&mut self, line: &str) {
        match assignment(line) {
            Some((name, value)) => self.set(name, value),
            None if is_control(line) => self.control(line),
            None => {}
        }
    }

    fn set(&mut self, name: &str, value: Option<&str>) {
        // What is set in a condition may be set or not.
        let value = value.filter(|_| self.depth == 0).map(str::to_owned);
        self.variables.insert(name.to_owned(), value);
    }

    /// Follows a line that begins or ends a condition, a loop or a function.
    fn control(&mut self, line: &str) {
        self.function(line);
        for one in simple(line) {
            let (_, depth, _) = keywords(&line[one.start..one.end]);
            self.depth = self.depth.saturating_add_signed(depth);
        }
    }

    /// Follows the beginning or end of a function. Whether and when its body runs is not known.
    fn function(&mut self, line: &str) {
        if begins_function(line) {
            (self.functions, self.depth) = (self.functions + 1, self.depth + 1);
        } else if line.trim() == "}" && self.functions > 0 {
            (self.functions, self.depth) = (self.functions - 1, self.depth.saturating_sub(1));
        }
    }

    /// Finds the commands of iptables in a line, and follows what else the line does.
    pub(in super::super) fn commands_of(&mut self, text: &str) -> Vec<IptablesCommand> {
        if let Some((name, value)) = assignment(text) {
            self.set(name, value);
            return Vec::new();
        }
        self.function(text);
        let mut found = Vec::new();
        let mut checked: Option<String> = None;
        let mut tested = false;
        for one in simple(text) {
            let command = &text[one.start..one.end];
            let (skipped, depth, asks) = keywords(command);
            self.depth = self.depth.saturating_add_signed(depth);
            // `[ -n "$X" ] && iptables …`
            tested = is_test(&command[skipped.min(command.len())..]) || tested && one.and;
            let Some((offset, family, backend)) = program(command, &self.variables) else { continue };
            let words = command[offset..].split_whitespace().collect::<Vec<_>>().join(" ");
            let check = words.split(' ').any(|word| word == "-C" || word == "--check");
            if check {
                checked = Some(words.replace("-C ", "-A ").replace("--check ", "-A "));
                continue;
            }
            if one.or && checked.as_ref().is_none_or(|checked| self.added.contains(checked)) {
                continue;
            }
            let is_sure = self.depth == 0 && !asks && !(tested && one.and);
            if is_sure {
                self.added.insert(words);
            }
            let may_fail = one.careless || command.contains("2>") || command.contains("&>");
            let program = Program { family, backend, may_fail, is_sure };
            found.push(IptablesCommand { words: (one.start + offset, one.end), program, is_sure });
        }
        found
    }

    /// Adds a command's words, with the values of variables, without what is written to or read from files.
    pub(in super::super) fn expand(&self, line: &MappedText, (start, end): (usize, usize)) -> MappedText<'static> {
        let text = &line.text[..end];
        let mut out = MappedText::default();
        let (mut at, mut kept, mut single) = (start, start, false);
        while at < end {
            let rest = &text[at..];
            let c = rest.chars().next().unwrap_or_default();
            if c == '\'' {
                single = !single;
            }
            if c == '$' && !single {
                let (name, length) = variable(rest);
                let value = self.variables.get(name).and_then(Option::as_ref);
                if let Some(value) = value {
                    out.copy(line, kept, at);
                    out.put(value, line.origin(at), length);
                    kept = at + length;
                }
                at += length.max(1);
                continue;
            }
            let before = text[..at].chars().next_back().unwrap_or(' ');
            if before.is_whitespace() && !single && redirects(rest) {
                out.copy(line, kept, at);
                let word = rest.split_whitespace().next().unwrap_or_default();
                // `> file` is two words.
                let more = if word.ends_with(['>', '<']) { rest[word.len()..].split_whitespace().next() } else { None };
                let length = match more {
                    Some(file) => file.as_ptr() as usize - rest.as_ptr() as usize + file.len(),
                    None => word.len(),
                };
                at += length;
                kept = at;
                continue;
            }
            at += c.len_utf8();
        }
        out.copy(line, kept, end);
        out
    }
}

fn is_name(name: &str) -> bool {
    let of_names = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    !name.is_empty() && name.bytes().all(of_names) && !name.as_bytes()[0].is_ascii_digit()
}

/// `NAME=value`; no value where only a run would tell.
fn assignment(line: &str) -> Option<(&str, Option<&str>)> {
    let mut line = line.trim();
    for word in ["export ", "local ", "readonly ", "declare "] {
        line = line.strip_prefix(word).unwrap_or(line).trim_start();
    }
    let (name, value) = line.split_once('=')?;
    let value = value.split(" #").next().unwrap_or_default().trim_end().trim_end_matches(';');
    let quoted = value.strip_prefix(['"', '\'']).and_then(|inner| inner.strip_suffix(['"', '\'']));
    let plain = quoted.unwrap_or(value);
    // Behind a blank stands a command that has the variable.
    let ends = quoted.is_some() || !value.contains(char::is_whitespace);
    let known = !plain.contains(['$', '`', '"', '\'', '\\', '*', '?']);
    (is_name(name) && ends).then_some((name, known.then_some(plain)))
}

/// The name and length of the variable that a text begins with: `$NAME`, `${NAME}`, `${NAME:-default}`.
fn variable(text: &str) -> (&str, usize) {
    if let Some(rest) = text.strip_prefix("${") {
        let end = rest.find('}').unwrap_or(rest.len());
        let name = rest[..end].split([':', '-']).next().unwrap_or_default();
        return (name, (end + 3).min(text.len()));
    }
    let end = text[1..].find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(text.len() - 1);
    (&text[1..=end], end + 1)
}

/// Whether a text begins with `>`, `2>&1`, `&> file`, `< file`.
fn redirects(text: &str) -> bool {
    let bare = text.trim_start_matches(|c: char| c.is_ascii_digit()).trim_start_matches('&');
    bare.starts_with(['>', '<'])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_parted_as_a_shell_does() {
        let parts = |line: &'static str| -> Vec<&str> {
            simple(line).iter().map(|one| line[one.start..one.end].trim()).collect()
        };
        assert_eq!(parts("a 'x;y' && b || c; d # e"), ["a 'x;y'", "b", "c", "d"]);
        assert_eq!(parts("a >/dev/null 2>&1"), ["a >/dev/null 2>&1"]);
        assert_eq!(parts("a \\; b"), ["a \\; b"]);
    }

    #[test]
    fn variables_are_known_or_not() {
        assert_eq!(assignment("export PORT=\"15001\" # envoy"), Some(("PORT", Some("15001"))));
        assert_eq!(assignment("PORT=$(id)"), Some(("PORT", None)));
        assert_eq!(assignment("a b=c"), None);
        assert_eq!(assignment("PORT=1 iptables -A x"), None);
        assert_eq!(variable("${A:-b} c"), ("A", 7));
        assert_eq!(variable("$A_1/x"), ("A_1", 4));
        assert_eq!(variable("$"), ("", 1));
    }
}
