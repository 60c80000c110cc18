//! Prefixes of a dump's lines: time, sender and level of a log; borders, quote marks, line numbers.

use super::super::call;
use super::super::line_kind::LineKind;
use super::split;

/// One piece of a prefix.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PrefixToken {
    Blank,
    /// The border of a table or a box.
    Border,
    /// `>`, `+`, bullets, dots, and quotes that are closed at the end of the line.
    Sign,
    Time,
    Level,
    /// `[pod/x/istio-init]`
    Bracket,
    /// `istio-init[12]:`, `level=info`
    Name,
    Number,
    /// `#` before the lines of a listing.
    Comment,
    /// A host after a time, or a container before a border.
    Word,
}

/// The maximum number of pieces of a prefix.
const MAX_TOKENS: usize = 16;

const BORDERS: [char; 9] = ['│', '┃', '║', '|', '¦', '▏', '▕', '┆', '┊'];
const LEVELS: [&str; 16] = [
    "trace",
    "debug",
    "dbug",
    "info",
    "information",
    "notice",
    "warn",
    "warning",
    "error",
    "err",
    "fatal",
    "stdout",
    "stderr",
    "f",
    "p",
    "inf",
];
const MONTHS: [&str; 12] = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
];

/// The beginning of a dump's line or a command after a prefix of known pieces, and the pieces;
/// `None` if there is none.
pub(super) fn skip(line: &str) -> Option<(usize, Vec<PrefixToken>)> {
    let (mut at, mut tokens) = (0, Vec::new());
    loop {
        let rest = &line[at..];
        let inner = &line[at..unwrapped(line, at, &tokens)];
        let is_listing = || {
            matches!(
                LineKind::from_line(inner),
                LineKind::Listed(_) | LineKind::Columns
            )
        };
        // Rules and commands after a `#` are switched off.
        if !opens_quote(inner)
            && begins(inner)
            && (!tokens.contains(&PrefixToken::Comment) || is_listing())
        {
            return Some((at, tokens));
        }
        let has_field = || {
            ["time=", "level=", "ts="]
                .iter()
                .any(|field| line[..at].contains(field))
        };
        let is_logged = tokens
            .iter()
            .any(|token| matches!(token, PrefixToken::Time | PrefixToken::Level))
            || has_field();
        if let Some(call) = announced_call(rest).filter(|_| is_logged) {
            tokens.push(PrefixToken::Name);
            return Some((at + call, tokens));
        }
        let (token, length) = token(
            rest,
            tokens
                .iter()
                .rev()
                .find(|token| **token != PrefixToken::Blank)
                .copied(),
        )?;
        if tokens.len() == MAX_TOKENS {
            return None;
        }
        tokens.push(token);
        at += length;
    }
}

/// The beginning of a line after the same pieces as in another line.
pub(super) fn skip_same(line: &str, tokens: &[PrefixToken]) -> usize {
    let mut at = 0;
    let mut last = None;
    for wanted in tokens {
        match token(&line[at..], last) {
            Some((token, length)) if token == *wanted => {
                at += length;
                last = Some(token)
                    .filter(|token| *token != PrefixToken::Blank)
                    .or(last);
            }
            // A blank may be missing if a row begins with fewer blanks.
            _ if *wanted == PrefixToken::Blank => {}
            _ => return 0,
        }
    }
    at
}

/// Whether a text begins with a quote that it does not close: `msg="iptables …"` without its end.
fn opens_quote(text: &str) -> bool {
    let quote = text.chars().next();
    quote.is_some_and(|quote| {
        matches!(quote, '"' | '\'' | '`') && text.matches(quote).count() % 2 == 1
    })
}

fn begins(rest: &str) -> bool {
    let first = rest.as_bytes().first();
    if first.is_none_or(u8::is_ascii_whitespace) {
        return false;
    }
    let piece = match first {
        Some(b'*' | b':' | b'#' | b'C' | b'[' | b'-') => {
            split::next(rest).map_or(rest, |at| &rest[..at])
        }
        _ => rest,
    };
    // A note after the line: `:INPUT ACCEPT [0:0]  # the default`.
    let piece = match first {
        Some(b'*' | b':' | b'C') => piece.split(" #").next().unwrap_or_default().trim_end(),
        _ => piece,
    };
    LineKind::from_line(piece).is_sure() || call::find(rest).is_some()
}

/// The beginning of a call of iptables that a program announces:
/// `Setting up the network: iptables -t nat -N X`.
pub(super) fn announced_call(line: &str) -> Option<usize> {
    let (before, _) = line.split_once("tables -")?;
    let colon = before.rfind(": ")?;
    let at = colon + 2;
    let is_program = |word: &str| {
        ["iptables", "ip6tables"]
            .iter()
            .any(|name| word.ends_with(name))
    };
    let first = line[at..].split_whitespace().next().unwrap_or_default();
    (is_program(first)
        && line[..colon].chars().any(char::is_alphabetic)
        && call::find(&line[at..]).is_some())
    .then_some(at)
}

/// The piece at the beginning of a text, and its length.
fn token(rest: &str, before: Option<PrefixToken>) -> Option<(PrefixToken, usize)> {
    let first = rest.chars().next()?;
    if first.is_whitespace() {
        return Some((PrefixToken::Blank, rest.len() - rest.trim_start().len()));
    }
    // `true || iptables …` is a command.
    if rest.starts_with("||") {
        return None;
    }
    if BORDERS.contains(&first) {
        return Some((PrefixToken::Border, first.len_utf8()));
    }
    if matches!(first, '>' | '…' | '•' | '·' | '`' | '"' | '\'' | '▶' | '●') {
        return Some((PrefixToken::Sign, first.len_utf8()));
    }
    // `< ` before the output of a command.
    if first == '<' && rest[1..].starts_with(' ') {
        return Some((PrefixToken::Sign, 1));
    }
    if first == '#' {
        return Some((
            PrefixToken::Comment,
            rest.len() - rest.trim_start_matches('#').len(),
        ));
    }
    let word = rest.split(char::is_whitespace).next().unwrap_or_default();
    let behind = &rest[word.len()..];
    let dots = rest.len() - rest.trim_start_matches('.').len();
    if dots > 1 {
        return Some((PrefixToken::Sign, dots));
    }
    if !word.is_empty() && word.len() < 4 && word.bytes().all(|byte| byte == b'+')
        || word == "-"
        || word == "*"
    {
        return Some((PrefixToken::Sign, word.len()));
    }
    if rest.starts_with('+') {
        return Some((PrefixToken::Sign, 1));
    }
    let bare = word.trim_matches(['[', ']', '(', ')', ':', ',']);
    if LEVELS.contains(&&*bare.to_ascii_lowercase()) {
        return Some((PrefixToken::Level, word.len()));
    }
    if is_time(bare) || MONTHS.contains(&bare) || is_klog(bare) {
        return Some((PrefixToken::Time, word.len()));
    }
    if word.starts_with('[')
        && let Some(end) = word.find(']')
    {
        return Some((PrefixToken::Bracket, end + 1));
    }
    if bare.bytes().all(|byte| byte.is_ascii_digit()) && bare.len() < 8 && !bare.is_empty() {
        return Some((PrefixToken::Number, word.len()));
    }
    // `file.txt:12:-A …` has no blank after it.
    let colon = rest
        .find(':')
        .filter(|at| *at > 0 && rest[..*at].bytes().all(is_of_names));
    if let Some(colon) = colon
        && colon < word.len()
    {
        return Some((PrefixToken::Name, colon + 1));
    }
    if let Some((key, _)) = word.split_once('=')
        && key
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte == b'_')
        && !key.is_empty()
    {
        let value = &rest[key.len() + 1..];
        let quoted = value
            .strip_prefix('"')
            .and_then(|value| value.find('"'))
            .map(|end| end + 2);
        let length = match key {
            "msg" | "message" | "log" => 0,
            _ => quoted.unwrap_or(word.len() - key.len() - 1),
        };
        return Some((PrefixToken::Name, key.len() + 1 + length));
    }
    let host = before == Some(PrefixToken::Time) && word.bytes().all(is_of_names);
    let container = behind.trim_start().starts_with(BORDERS) && word.bytes().all(is_of_names);
    let file = word.ends_with(']') && word.contains(".go:");
    (host || container || file).then_some((PrefixToken::Word, word.len()))
}

fn is_of_names(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || matches!(byte, b'-' | b'_' | b'.' | b'/' | b'[' | b']' | b'@' | b'~')
}

/// `2022-03-24T15:16:48.606265Z`, `10:00:00`, `2022/03/24`, `2022-03-24`
fn is_time(word: &str) -> bool {
    let parts = word
        .bytes()
        .filter(|byte| matches!(byte, b':' | b'-' | b'/'))
        .count();
    parts >= 2
        && word.len() >= 5
        && word.as_bytes()[0].is_ascii_digit()
        && word.bytes().all(|byte: u8| {
            byte.is_ascii_digit()
                || matches!(byte, b':' | b'-' | b'/' | b'.' | b',' | b'T' | b'Z' | b'+')
        })
}

/// `I0324`: the beginning of a line of klog.
fn is_klog(word: &str) -> bool {
    word.len() == 5
        && word.starts_with(['I', 'W', 'E', 'F'])
        && word[1..].bytes().all(|byte| byte.is_ascii_digit())
}

/// The end of a line without its suffix, if the suffix closes a piece of the prefix.
pub(super) fn unwrapped(line: &str, begin: usize, tokens: &[PrefixToken]) -> usize {
    let mut end = line.trim_end().len().max(begin);
    let closes = |c: char| match c {
        '`' => line[..begin].contains('`'),
        '"' => line[..begin].contains('"'),
        '\'' => line[..begin].contains('\''),
        ',' => line[..begin].contains(['"', '\'']),
        _ => BORDERS.contains(&c) && tokens.contains(&PrefixToken::Border),
    };
    while let Some(last) = line[begin..end]
        .chars()
        .next_back()
        .filter(|last| closes(*last))
    {
        end -= last.len_utf8();
        end = begin + line[begin..end].trim_end().len();
    }
    end
}

/// Whether a line is a drawing only: a line of a table, a fence of a code block.
pub(super) fn is_ruling(line: &str) -> bool {
    let line = line.trim();
    !line.is_empty()
        && line
            .chars()
            .all(|c| ('\u{2500}'..='\u{257f}').contains(&c) || "+-=|~`_".contains(c))
        && line != "--"
}

/// Whether a line is the begin or the end of quoted text in Markdown, HTML, BBCode or Jira.
pub(super) fn is_fence(line: &str) -> bool {
    const MARKS: [&str; 8] = [
        "</pre>",
        "</code>",
        "</code></pre>",
        "<pre>",
        "[/code]",
        "[code]",
        "{code}",
        "{noformat}",
    ];
    let line = line.trim();
    let is_drawn = |sign| line.len() >= 3 && line.bytes().all(|own| own == sign);
    is_drawn(b'`') || is_drawn(b'~') || MARKS.contains(&line)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(line: &str, want: Option<&str>) {
        assert_eq!(skip(line).map(|(at, _)| &line[at..]), want, "{line}");
    }

    #[test]
    fn prefixes_of_known_pieces_are_skipped() {
        let rule = "-A OUTPUT -j x";
        for prefix in [
            "",
            "> > ",
            "│ ",
            "2022-03-24T15:16:48.606265Z\tinfo\t",
            "Mar 24 10:00:00 node-1 istio-init[12]: ",
            "[pod/a-b/istio-init] ",
            "istio-init  | ",
            "I0324 10:00:00.000000       1 run.go:12] ",
            "time=\"2022-03-24\" level=info msg=",
            "+ ",
            "...",
            "  12  ",
            "dump.txt:7:",
            "2022-03-24T15:16:48.606265Z stdout F ",
            "- ",
        ] {
            check(&format!("{prefix}{rule}"), Some(rule));
        }
        check("we then add -A OUTPUT -j x to it", None);
        check(
            "root@pod:/# iptables-save",
            Some("root@pod:/# iptables-save"),
        );
    }
}
