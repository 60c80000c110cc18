//! Walks as Markdown, for a ticket or a chat.

use std::fmt::Write;

use crate::analysis::explain;
use crate::analysis::report;
use crate::iptables::print;
use crate::mesh::Mesh;
use crate::netfilter::ruleset::Ruleset;
use crate::text::visible;
use crate::walk::trace::{Outcome, Trace};

/// The maximum number of steps to list.
const MAX_STEPS: usize = 200;

/// The walks, each with its name, the most important one first. `given` are assumptions besides
/// those of each walk. `link` leads to a page that shows the walks.
pub fn markdown(
    rulesets: &[Ruleset],
    mesh: Option<&Mesh>,
    given: &[String],
    walks: &[(String, &Trace)],
    link: Option<&str>,
) -> String {
    let mut out = String::new();
    for walk in walks {
        // Writing to a string cannot fail.
        let _ = write_walk(rulesets, mesh, given, walk, &mut out);
    }
    if let Some(link) = link {
        // An unescaped parenthesis would end the link.
        let link = link.replace('(', "%28").replace(')', "%29");
        let _ = writeln!(out, "[Step through it in Chainwalk]({link})");
    }
    out
}

fn write_walk(
    rulesets: &[Ruleset],
    mesh: Option<&Mesh>,
    given: &[String],
    (name, trace): &(String, &Trace),
    out: &mut String,
) -> std::fmt::Result {
    let headline = explain::verdict(rulesets, trace, mesh);
    let line = |text: &str| plain(text, TicketContext::Line);
    let (lead, reason, end) = (
        &headline.lead,
        line(&headline.reason),
        line(&explain::capital(&headline.end)),
    );
    writeln!(
        out,
        "### {}: {lead} {reason}\n\n{end}.\n",
        line(&explain::capital(name))
    )?;
    fenced("json", &report::packet(&trace.packet), out)?;
    let path = trace.shown();
    if let Some(place) = path.verdict.as_ref().and_then(|verdict| verdict.decided_by)
        && let Some(rule) = place.rule(rulesets)
    {
        let (ruleset, table, chain) = place.at.find(rulesets);
        writeln!(
            out,
            "Decided by line {}, in table {}:\n",
            rule.line,
            table.label()
        )?;
        fenced(
            "",
            &format!("-A {} {}", chain.name, print::rule(ruleset, table, rule)),
            out,
        )?;
    }
    let all = path.steps.len() <= MAX_STEPS;
    if !all {
        writeln!(
            out,
            "{} steps; these are the first that matched:\n",
            path.steps.len()
        )?;
    }
    out.push_str("| | hook | table | chain | rule | | why |\n|-:|-|-|-|-:|-|-|\n");
    let told = (1..)
        .zip(path.steps.iter())
        .filter(|(_, step)| all || step.outcome != Outcome::NoMatch);
    for (number, step) in told.take(MAX_STEPS) {
        let (_, table, chain) = step.place.at.find(rulesets);
        let rule = step
            .place
            .rule
            .map_or("policy".into(), |rule| (rule + 1).to_string());
        let outcome = match step.outcome {
            Outcome::Match => "✓ matches",
            Outcome::NoMatch => "– no match",
            Outcome::Unknown => "? undetermined",
            Outcome::Policy => "✓ applies",
        };
        let why = explain::why(rulesets, trace, path, &step);
        let (hook, table, chain) = (
            step.hook,
            table.label(),
            plain(&chain.name, TicketContext::Cell),
        );
        writeln!(
            out,
            "| {number} | {hook} | {table} | {chain} | {rule} | {outcome} | {} |",
            plain(&why, TicketContext::Cell)
        )?;
    }
    out.push('\n');
    let certain = if trace.certain {
        "Certain"
    } else {
        "Undetermined in part"
    };
    if given.is_empty() && trace.assumes.is_empty() {
        return writeln!(out, "{certain}.\n");
    }
    writeln!(out, "{certain}, given:\n")?;
    given
        .iter()
        .chain(&trace.assumes)
        .try_for_each(|says| writeln!(out, "- {}", line(says)))?;
    out.push('\n');
    Ok(())
}

/// Escapes a text to one line without markup. Some things cannot be escaped, because forges find
/// them in the finished page: addresses, mentions, issue numbers, mathematics, names of pictures. A
/// word with one of these becomes code.
fn plain(text: &str, surroundings: TicketContext) -> String {
    let text = visible::escape_invisible(text);
    let mut out = String::with_capacity(text.len());
    for (place, word) in text.split(' ').enumerate() {
        if place > 0 {
            out.push(' ');
        }
        if is_found_by_forges(word) {
            push_code(word, surroundings, &mut out);
        } else {
            push_escaped(word, place == 0, &mut out);
        }
    }
    out
}

/// The element around a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum TicketContext {
    Line,
    /// In a table, `|` ends a cell even in code.
    Cell,
}

/// Whether GitHub or GitLab would convert a word: `www.a.b`, `http://a`, `a@b`, `@a`, `#12`,
/// `GH-12`, `a/b#12`, `$a$`, `:100:`, `!12`, `%12`, `&12`, `~a`, `0badc0de`.
fn is_found_by_forges(word: &str) -> bool {
    let lower = word.to_ascii_lowercase();
    let bare = word.trim_matches(|c: char| !c.is_ascii_alphanumeric());
    let is_commit = (7..=64).contains(&bare.len())
        && bare.bytes().all(|byte| byte.is_ascii_hexdigit())
        && bare.bytes().any(|byte| byte.is_ascii_digit())
        && bare.bytes().any(|byte| byte.is_ascii_alphabetic());
    word.contains(['@', '#', '$', '~', '`'])
        || lower.contains("www.")
        || lower.contains("://")
        || lower
            .match_indices("gh-")
            .any(|(at, _)| lower[at + 3..].starts_with(|c: char| c.is_ascii_digit()))
        || word.matches(':').count() > 1
        || ['!', '%', '&'].into_iter().any(|sign: char| {
            word.match_indices(sign).any(|(at, _)| {
                word[at + sign.len_utf8()..].starts_with(|c: char| c.is_ascii_digit())
            })
        })
        || is_commit
}

/// Writes a word between more backticks than it has in a row.
fn push_code(word: &str, surroundings: TicketContext, out: &mut String) {
    let mut ticks = String::from("`");
    while word.contains(&ticks) {
        ticks.push('`');
    }
    // A backtick at an end would join those around the word.
    let pad = if word.starts_with('`') || word.ends_with('`') {
        " "
    } else {
        ""
    };
    let word = if surroundings == TicketContext::Cell {
        word.replace('|', "\\|")
    } else {
        word.to_owned()
    };
    for piece in [&ticks, pad, &word, pad, &ticks] {
        out.push_str(piece);
    }
}

/// Writes a word with a backslash before each character that could be markup. `leads` means that
/// the word may begin a line.
fn push_escaped(word: &str, leads: bool, out: &mut String) {
    let is_number =
        |before: &str| !before.is_empty() && before.bytes().all(|byte| byte.is_ascii_digit());
    for (at, character) in word.char_indices() {
        let (before, after) = (&word[..at], &word[at + character.len_utf8()..]);
        let is_markup = match character {
            '\\' | '*' | '[' | ']' | '<' | '>' | '|' | '&' | '!' => true,
            // Within a word it is not markup.
            '_' => {
                !before.ends_with(char::is_alphanumeric)
                    || !after.starts_with(char::is_alphanumeric)
            }
            // These characters begin a list, a rule or a heading.
            '-' | '+' | '=' => leads && before.is_empty(),
            '.' | ')' => leads && is_number(before) && after.is_empty(),
            _ => false,
        };
        if is_markup {
            out.push('\\');
        }
        out.push(character);
    }
}

/// Writes a block between fences that are longer than any fence within it.
fn fenced(kind: &str, text: &str, out: &mut String) -> std::fmt::Result {
    let text = visible::escape_lines(text);
    let mut fence = String::from("```");
    while text.contains(fence.as_str()) {
        fence.push('`');
    }
    writeln!(out, "{fence}{kind}\n{text}\n{fence}\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::scenario;
    use crate::input::parse;
    use crate::packet::host::Host;
    use crate::walk;

    #[test]
    fn nothing_in_a_text_is_markup() {
        for (text, line) in [
            (
                "see http://a.example/x and HTTPS://b.",
                "see `http://a.example/x` and `HTTPS://b.`",
            ),
            (
                "www.a.example or WWW.b.example",
                "`www.a.example` or `WWW.b.example`",
            ),
            (
                "ask root@a.example, cc @team",
                "ask `root@a.example,` cc `@team`",
            ),
            (
                "fixes #12, GH-12 and user/repo#12",
                "fixes `#12,` `GH-12` and `user/repo#12`",
            ),
            ("is ~~gone~~ and ~a b~", "is `~~gone~~` and `~a` `b~`"),
            ("cost $x$ or $`x`$ or $$", "cost `$x$` or ``$`x`$`` or `$$`"),
            ("`a` b`", "`` `a` `` `` b` ``"),
            (
                "!12 %34 &56 :100: 0badc0de1 4294967295",
                "`!12` `%34` `&56` `:100:` `0badc0de1` 4294967295",
            ),
            (
                "<b>x</b> &amp; | *x* [a](b) _x_ A_B",
                "\\<b\\>x\\</b\\> \\&amp; \\| \\*x\\* \\[a\\](b) \\_x\\_ A_B",
            ),
            ("- a", "\\- a"),
            ("1. a 2.", "1\\. a 2."),
            ("12) a", "12\\) a"),
            ("=== a", "\\=== a"),
            ("# a", "`#` a"),
            ("a\nb\u{202e}c", "a\\<U+000A\\>b\\<U+202E\\>c"),
            (
                "10.0.0.1:80 is not in 10.0.0.0/8",
                "10.0.0.1:80 is not in 10.0.0.0/8",
            ),
            ("fd00:100::1", "`fd00:100::1`"),
        ] {
            assert_eq!(plain(text, TicketContext::Line), line);
        }
        assert_eq!(plain("a|b@c", TicketContext::Cell), "`a\\|b@c`");
        assert_eq!(plain("a|b@c", TicketContext::Line), "`a|b@c`");
    }

    #[test]
    fn a_walk_is_told_and_nothing_in_it_is_markup() {
        let rules = "*filter\n:OUTPUT ACCEPT [0:0]\n:a|b<i> - [0:0]\n-A OUTPUT -j a|b<i>\n\
                     -A a|b<i> -d 10.0.0.0/8 -j ACCEPT\n-A a|b<i> -m comment --comment \"```x\" -j DROP\nCOMMIT\n";
        let rulesets = parse::parse(rules).rulesets;
        let packet = &scenario::list(&Host::pod(), None)[0].packet;
        let trace = walk::walk(&rulesets, None, &Host::pod(), packet);
        let ticket = markdown(
            &rulesets,
            None,
            &[],
            &[("uid 1000".into(), &trace)],
            Some("https://example.org/#1"),
        );
        assert!(
            ticket.starts_with("### Uid 1000: Dropped. Rule 2 of a\\|b\\<i\\>"),
            "{ticket}"
        );
        let row = "| 2 | OUTPUT | filter | a\\|b\\<i\\> | 1 | – no match | destination 93.184.216.34 is not in 10.0.0.0/8 |";
        assert!(ticket.contains(row), "{ticket}");
        assert!(
            ticket.contains("````\n-A a|b<i> -m comment --comment \"```x\" -j DROP\n````\n"),
            "{ticket}"
        );
        assert!(
            ticket.contains("\"uid\":1000")
                && ticket.contains("\n- ")
                && ticket.ends_with("(https://example.org/#1)\n")
        );
    }
}
