//! Turns a text into rule sets. Reading never fails: text that is not understood is kept, marked,
//! and reported.

use crate::input::host_commands::HostCommand;
use crate::input::repair;
use crate::netfilter::backend::Backend;
use crate::netfilter::ruleset::Ruleset;
use crate::packet::Family;
use crate::text::diagnostic::{Code, Diagnostics, Problem, Severity, Span};

mod assemble;
mod call;
mod capture;
mod chain_index;
mod clean;
mod command;
mod empty_dump;
mod format;
mod fragment;
mod fragments;
mod gaps;
mod guess;
mod line_kind;
mod open_table;
mod paste;
mod reading;
mod rule;
mod rule_site;
mod rule_templates;
mod source_line;
mod source_map;
mod superseded;
mod unread_parts;
mod unsupported_input;
mod validate_rule;
mod validate_table;
pub(crate) mod words;

pub use crate::input::parsed::Parsed;
pub use crate::input::section::{Format, Inside, ListedChain, Section};

pub(crate) use assemble::disabled_rule;
pub(crate) use command::may_be_global;
pub(crate) use open_table::printed_name_problem;

use format::save;

/// The words of a rule that is switched off, after `-A CHAIN` of its line.
pub fn words_of_off(line: &str) -> &str {
    let rule = disabled_rule(line)
        .and_then(|rule| rule.strip_prefix("-A "))
        .unwrap_or(line);
    rule.split_once(' ').map_or("", |(_, words)| words)
}

/// The words of a printed rule, without their quotes; `None` if a quote is not closed.
pub(crate) fn split_rule_words(text: &str) -> Option<Vec<String>> {
    let mut found = Vec::new();
    words::split(text, 0, &mut found).ok()?;
    Some(
        found
            .into_iter()
            .map(|word| word.text.into_owned())
            .collect(),
    )
}

/// Reads any text: dumps, listings, scripts and logs, several of them and among other text; or the
/// JSON of a capture.
///
/// It never panics and never refuses a text. Problems are in [`Parsed::diagnostics`].
pub fn parse(text: impl Into<String>) -> Parsed {
    let text = text.into();
    match capture::find(&text) {
        Some(found) => capture::read_capture(text, found),
        None => dump(text),
    }
}

/// Reads any text except the JSON of a capture: [`parse`] without the code for captures.
pub fn dump(text: impl Into<String>) -> Parsed {
    let text = text.into();
    let mut read = Read::default();
    read.text(&text, 0, None);
    if read.rulesets.is_empty() && !read.diagnostics.errors {
        empty_dump::add_for_text(&mut read, &text);
    }
    if read.rulesets.is_empty()
        && !text.trim().is_empty()
        && !read.diagnostics.has(Code::ConditionalCommand)
    {
        // A diagnostic may explain why text that looks like rules is not.
        if !read.diagnostics.errors {
            read.diagnostics = Diagnostics::default();
        }
        if let Some((line, span, problem)) = unsupported_input::problem(&text)
            .or_else(|| (!read.diagnostics.errors).then(nothing_found))
        {
            read.diagnostics.push(&text, line, span, problem.error());
        }
    }
    let host_commands = read.find_host_commands(&text);
    let mut parsed = Parsed {
        sources: vec![text],
        host_commands,
        ..read.finish()
    };
    // A plain dump shows no table twice and has lost nothing.
    if parsed.sections.len() > 1 {
        repair::settle(&mut parsed);
    }
    repair::offer(&mut parsed);
    gaps::mark(&mut parsed);
    parsed.rulesets.iter_mut().for_each(Ruleset::index);
    parsed
}

/// Reads a dump as it is, line by line, without repairs.
pub(crate) fn strictly(text: String) -> Parsed {
    line_by_line(text, None)
}

/// Like [`strictly`], for the output of a save command of this family and backend.
pub(crate) fn printed_by(family: Family, backend: Backend, text: String) -> Parsed {
    line_by_line(text, Some((family, Some(backend))))
}

fn line_by_line(text: String, stated: Option<(Family, Option<Backend>)>) -> Parsed {
    let mut read = Read::default();
    save::read_as_is(&text, stated, &mut read.rulesets, &mut read.diagnostics);
    read.rulesets.iter_mut().for_each(Ruleset::index);
    Parsed {
        sources: vec![text],
        ..read.finish()
    }
}

/// Reads the texts again, with another text for one of the sources.
pub(crate) fn again(parsed: &Parsed, source: u32, text: String) -> Parsed {
    let Some(capture) = &parsed.capture else {
        return dump(text);
    };
    let mut sources = parsed.sources.clone();
    if let Some(old) = sources.get_mut(source as usize) {
        *old = text;
    }
    capture::all(Read::default(), capture.clone(), sources)
}

fn nothing_found() -> (u32, Span, Problem) {
    let problem = Problem::new(Code::NoRules, "this text contains no iptables rules").hint(
        "paste the output of `iptables-save -c`, or the JSON of a capture; a dump begins \
        with a line like `*nat`",
    );
    (1, Span::default(), problem)
}

/// The results so far.
#[derive(Debug, Default)]
struct Read {
    rulesets: Vec<Ruleset>,
    sections: Vec<Section>,
    diagnostics: Diagnostics,
    other_lines: usize,
}

impl Read {
    /// Reads one text. `stated` is the origin that its surroundings state.
    fn text(&mut self, text: &str, source: u32, stated: Option<(Family, Option<Backend>)>) {
        self.diagnostics.source = source;
        // Offsets are 32 bits wide.
        if u32::try_from(text.len()).is_err() {
            let problem = Problem::new(Code::LimitExceeded, "the text is larger than 4 GiB")
                .hint("paste a part of it");
            return self.diagnostics.push(text, 1, Span::default(), problem);
        }
        let first = self.rulesets.len();
        let mut diagnostics = Diagnostics::for_source(source);
        if let Some(plain) =
            save::read_plain(text, source, stated, &mut self.rulesets, &mut diagnostics)
        {
            self.sections
                .extend(plain.sections(text, source, &self.rulesets[first..], first));
            return self.diagnostics.append(diagnostics);
        }
        self.rulesets.truncate(first);
        // A text that is not a plain dump is cleaned and cut into fragments.
        paste::read_paste(text, source, stated, self);
    }

    /// The commands of a text that change the host, with their diagnostics. A dump has none.
    fn find_host_commands(&mut self, text: &str) -> Vec<HostCommand> {
        let may_hold_any = self.other_lines > 0
            || self
                .sections
                .iter()
                .any(|section| section.format != Format::Save);
        if !may_hold_any || self.rulesets.is_empty() {
            return Vec::new();
        }
        let found = HostCommand::find(text);
        if let Some((line, _)) = found.iter().find(|(_, command)| command.is_some()) {
            let message = "commands of this text change the host, which packets are walked in: ip rule, ip route, sysctl";
            let problem =
                Problem::new(Code::HostCommand, message).hint("see the host for the result");
            self.diagnostics.push(text, *line, Span::default(), problem);
        }
        if let Some((line, _)) = found.iter().find(|(_, command)| command.is_none()) {
            let message = "this command changes the host's routing in an unknown way; it is \
            skipped";
            let problem = Problem {
                severity: Severity::Warning,
                ..Problem::new(Code::HostCommand, message)
            };
            self.diagnostics.push(
                text,
                *line,
                Span::default(),
                problem.hint("edit the host to add its effect"),
            );
        }
        found
            .into_iter()
            .filter_map(|(_, command)| command)
            .collect()
    }

    fn finish(self) -> Parsed {
        Parsed {
            rulesets: self.rulesets,
            sections: self.sections,
            other_lines: self.other_lines,
            diagnostics: self.diagnostics.finish(),
            ..Parsed::default()
        }
    }
}
