//! Text to rule sets. Reading never fails: what is not understood is kept, marked, and said.

use crate::capture::{Capture, SCHEMA_VERSION};
use crate::diagnostic::{Diagnostic, Diagnostics, Problem, Severity, Span};
use crate::host::Host;
use crate::ruleset::Ruleset;

mod check;
mod command;
mod edit;
mod native;
mod refuse;
mod rule;
mod save;
mod words;

/// What a text was understood to be.
#[derive(Clone, Debug, Default)]
pub struct Parsed {
    /// The texts that rules, lines and spans refer to: the pasted one, or those inside a capture.
    pub sources: Vec<String>,
    /// The rule sets found, in the order of the text.
    pub rulesets: Vec<Ruleset>,
    /// Remarks, in the order of the text.
    pub diagnostics: Vec<Diagnostic>,
    /// The namespace, where the text is a capture that describes it.
    pub host: Option<Host>,
    /// The capture's other contents, where the text is one.
    pub capture: Option<Box<Capture>>,
}

impl Parsed {
    /// Whether any remark is an error.
    pub fn has_errors(&self) -> bool {
        self.diagnostics.iter().any(|diagnostic| diagnostic.severity == Severity::Error)
    }
}

/// Reads any text: what `iptables-save` printed, several of those in a row, or a capture's JSON.
///
/// Never panics and never refuses: remarks are in [`Parsed::diagnostics`].
pub fn parse(text: impl Into<String>) -> Parsed {
    let text = text.into();
    if text.trim_start().starts_with('{') { capture(text) } else { dump(text) }
}

/// Reads what `iptables-save` printed: [`parse`] without what only a capture's JSON takes.
pub fn dump(text: impl Into<String>) -> Parsed {
    let text = text.into();
    let mut diagnostics = Diagnostics::default();
    let mut rulesets = Vec::new();
    if fits(&text, &mut diagnostics) {
        save::read(&text, 0, None, &mut rulesets, &mut diagnostics);
    }
    if rulesets.is_empty() {
        diagnostics = Diagnostics::default();
        if !text.trim().is_empty() {
            let problem = native::problem(&text).unwrap_or_else(nothing_found);
            diagnostics.push(&text, 1, Severity::Error, Span::default(), problem);
        }
    }
    Parsed { rulesets, diagnostics: diagnostics.finish(), sources: vec![text], ..Parsed::default() }
}

fn nothing_found() -> Problem {
    Problem::new("no iptables rules in this text")
        .hint("paste what `iptables-save -c` printed, or a capture's JSON; a dump begins with a line like `*nat`")
}

/// Offsets are 32 bits wide.
fn fits(text: &str, diagnostics: &mut Diagnostics) -> bool {
    let fits = u32::try_from(text.len()).is_ok();
    if !fits {
        let problem = Problem::new("the text is larger than 4 GiB").hint("paste a part of it");
        diagnostics.push(text, 1, Severity::Error, Span::default(), problem);
    }
    fits
}

/// Reads the JSON that `chainwalk-capture` prints.
fn capture(text: String) -> Parsed {
    let mut diagnostics = Diagnostics::default();
    let mut capture: Capture = match serde_json::from_str(&text) {
        Ok(capture) => capture,
        Err(error) => {
            let line = u32::try_from(error.line()).unwrap_or(u32::MAX);
            let at = offset(&text, error.line(), error.column());
            let unlike = || {
                Problem::new(format!("this looks like JSON, but not like a capture: {error}"))
                    .hint("paste the whole output of chainwalk-capture, or the text of a dump")
            };
            let problem = native::problem(&text).unwrap_or_else(unlike);
            diagnostics.push(&text, line.max(1), Severity::Error, Span::new(at, at), problem);
            return Parsed { diagnostics: diagnostics.finish(), sources: vec![text], ..Parsed::default() };
        }
    };
    if capture.schema_version > SCHEMA_VERSION {
        let problem = Problem::new(format!("this capture is of version {}", capture.schema_version))
            .hint(format!("version {SCHEMA_VERSION} is known here: what is new in it is not read"));
        diagnostics.push(&text, 1, Severity::Warning, Span::default(), problem);
    }
    let mut parsed = Parsed::default();
    for captured in &mut capture.rulesets {
        let source = u32::try_from(parsed.sources.len()).unwrap_or(u32::MAX);
        diagnostics.source = source;
        let text = std::mem::take(&mut captured.text);
        if fits(&text, &mut diagnostics) {
            let stated = (captured.family, Some(captured.backend));
            save::read(&text, source, Some(stated), &mut parsed.rulesets, &mut diagnostics);
        }
        parsed.sources.push(text);
    }
    if parsed.rulesets.is_empty() {
        let problem = Problem::new("the capture holds no rules").hint("its warnings say what could not be asked");
        diagnostics.push("", 1, Severity::Warning, Span::default(), problem);
    }
    Parsed {
        diagnostics: diagnostics.finish(),
        host: Some(std::mem::take(&mut capture.host)).filter(|host| !host.interfaces.is_empty()),
        capture: Some(Box::new(capture)),
        ..parsed
    }
}

/// The byte at a line and column (both from 1, columns in bytes), moved to a character's start.
fn offset(text: &str, line: usize, column: usize) -> usize {
    let start: usize = text.split_inclusive('\n').take(line.saturating_sub(1)).map(str::len).sum();
    let mut at = (start + column.saturating_sub(1)).min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}
