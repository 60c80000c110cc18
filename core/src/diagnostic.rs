//! What the reader has to say about a text: where, how bad, and what to do about it.

use std::fmt;

use crate::order;

/// A range of bytes in the text that was read. Always valid in it, on character boundaries.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Span {
    /// First byte.
    pub start: u32,
    /// One past the last byte.
    pub end: u32,
}

impl Span {
    /// The bytes from `start` up to, not including, `end`. Texts above 4 GiB are refused before this.
    pub fn new(start: usize, end: usize) -> Self {
        let narrow = |offset| u32::try_from(offset).unwrap_or(u32::MAX);
        Self { start: narrow(start), end: narrow(end) }
    }

    /// What stands there.
    pub fn of(self, text: &str) -> &str {
        text.get(self.start as usize..self.end as usize).unwrap_or_default()
    }
}

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// For information: nothing is lost.
    Note,
    /// Understood in part, or suspicious; the rest still works.
    Warning,
    /// iptables would refuse it, or it cannot be understood at all.
    Error,
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Note => "note",
            Self::Warning => "warning",
            Self::Error => "error",
        })
    }
}

/// One remark about one place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// How bad it is.
    pub severity: Severity,
    /// Which of the texts that were read, from 0.
    pub source: u32,
    /// Line, from 1.
    pub line: u32,
    /// Column in characters, from 1.
    pub column: u32,
    /// The bytes it is about.
    pub span: Span,
    /// What is wrong, in one sentence.
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}: {}", self.line, self.column, self.severity, self.message)?;
        match &self.hint {
            Some(hint) => write!(f, " ({hint})"),
            None => Ok(()),
        }
    }
}

/// What is wrong with a place, before its line and column are known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// What is wrong, in one sentence.
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
}

impl Problem {
    /// A problem without a hint.
    pub fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), hint: None }
    }

    /// The same with a hint.
    #[must_use]
    pub fn hint(self, hint: impl Into<String>) -> Self {
        Self { hint: Some(hint.into()), ..self }
    }
}

/// Collects diagnostics; a text that is wrong on every line does not fill the memory with remarks.
#[derive(Debug, Default)]
pub(crate) struct Diagnostics {
    list: Vec<Diagnostic>,
    left_out: usize,
    /// Which text is being read.
    pub(crate) source: u32,
}

impl Diagnostics {
    /// More than anyone reads; the rest is counted.
    const MOST: usize = 1_000;

    pub(crate) fn push(&mut self, text: &str, line: u32, severity: Severity, span: Span, problem: Problem) {
        if self.list.len() >= Self::MOST {
            self.left_out += 1;
            return;
        }
        let before = &text[..span.start as usize];
        let line_start = memchr::memrchr(b'\n', before.as_bytes()).map_or(0, |at| at + 1);
        let column = before[line_start..].chars().count() + 1;
        self.list.push(Diagnostic {
            severity,
            source: self.source,
            line,
            column: u32::try_from(column).unwrap_or(u32::MAX),
            span,
            message: problem.message,
            hint: problem.hint,
        });
    }

    pub(crate) fn finish(mut self) -> Vec<Diagnostic> {
        order::sort_by_key(&mut self.list, |diagnostic| (diagnostic.source, diagnostic.line, diagnostic.column));
        if let (Some(last), true) = (self.list.last(), self.left_out > 0) {
            let more = Diagnostic {
                message: format!("{} more remarks of this kind are left out", self.left_out),
                hint: None,
                ..last.clone()
            };
            self.list.push(more);
        }
        self.list
    }
}
