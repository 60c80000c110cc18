//! Diagnostics about a text: position, severity, message, hint, fixes.

use std::fmt;

use strum::Display;

mod code;

pub use code::Code;

/// A range of bytes in a text. It is always valid in the text and on character boundaries.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Span {
    /// First byte.
    pub start: u32,
    /// One past the last byte.
    pub end: u32,
}

impl Span {
    /// The bytes from `start` up to `end`, without `end`. The reader refuses texts above 4 GiB
    /// before it makes spans.
    pub fn new(start: usize, end: usize) -> Self {
        let narrow = |offset| u32::try_from(offset).unwrap_or(u32::MAX);
        Self {
            start: narrow(start),
            end: narrow(end),
        }
    }

    /// The text of the range.
    pub fn slice(self, text: &str) -> &str {
        text.get(self.start as usize..self.end as usize)
            .unwrap_or_default()
    }
}

/// The severity of a diagnostic.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Display)]
#[strum(serialize_all = "lowercase")]
pub enum Severity {
    /// Information: nothing is lost.
    Note,
    /// A part is not understood, or is suspicious. The rest still works.
    Warning,
    /// iptables would refuse it, or the reader does not understand it at all.
    Error,
}

/// Receives the problems of one line, each with its position.
pub(crate) type ProblemSink<'a> = dyn FnMut(Span, Problem) + 'a;

/// Receives problems, each with its line and its position.
pub(crate) type DiagnosticSink<'a> = dyn FnMut(u32, Span, Problem) + 'a;

/// A report about one position of a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// Its kind. Programs compare the code and never the message.
    pub code: Code,
    /// Its severity.
    pub severity: Severity,
    /// The input text, from 0.
    pub source: u32,
    /// Line, from 1.
    pub line: u32,
    /// Column in characters, from 1.
    pub column: u32,
    /// The bytes that it concerns.
    pub span: Span,
    /// The problem, in one sentence.
    pub message: String,
    /// The advice.
    pub hint: Option<String>,
    /// Edits of the text, each of which solves the problem.
    pub fixes: Vec<Fix>,
}

/// An edit of the text that was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fix {
    /// A few words that begin with a verb.
    pub label: String,
    /// The bytes to replace, in the text of the diagnostic that offers the edit.
    pub span: Span,
    /// The new text.
    pub replacement: String,
}

impl Fix {
    /// Makes the edit in the text.
    pub fn apply(&self, text: &str) -> String {
        let (start, end) = (self.span.start as usize, self.span.end as usize);
        let before = text.get(..start).unwrap_or(text);
        [
            before,
            &self.replacement,
            text.get(end..).unwrap_or_default(),
        ]
        .concat()
    }
}

/// `LINE:COLUMN: severity: message (hint) [code]`
impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}:{}: {}: {}",
            self.line, self.column, self.severity, self.message
        )?;
        if let Some(hint) = &self.hint {
            write!(f, " ({hint})")?;
        }
        write!(f, " [{}]", self.code)
    }
}

impl Diagnostic {
    /// A diagnostic about the input as a whole.
    pub fn of_input(code: Code, message: impl Into<String>) -> Self {
        Self {
            code,
            severity: code.severity(),
            source: 0,
            line: 1,
            column: 1,
            span: Span::default(),
            message: message.into(),
            hint: None,
            fixes: Vec::new(),
        }
    }
}

/// A problem whose line and column are not known yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Its kind.
    pub code: Code,
    /// Its severity. The default is the severity of its kind.
    pub severity: Severity,
    /// The problem, in one sentence.
    pub message: String,
    /// The advice.
    pub hint: Option<String>,
    /// Edits of the text, each of which solves the problem.
    pub fixes: Vec<Fix>,
}

impl Problem {
    /// A problem without a hint.
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self {
            code,
            severity: code.severity(),
            message: message.into(),
            hint: None,
            fixes: Vec::new(),
        }
    }

    /// Makes it an error, independent of its kind.
    #[must_use]
    pub fn error(self) -> Self {
        Self {
            severity: Severity::Error,
            ..self
        }
    }

    /// Adds an edit that solves the problem.
    #[must_use]
    pub fn fix(mut self, fix: Fix) -> Self {
        self.fixes.push(fix);
        self
    }

    /// Adds a hint.
    #[must_use]
    pub fn hint(self, hint: impl Into<String>) -> Self {
        Self {
            hint: Some(hint.into()),
            ..self
        }
    }
}

/// A list of diagnostics with a limit. A text with an error on every line must not fill the memory.
#[derive(Debug, Default)]
pub(crate) struct Diagnostics {
    list: Vec<Diagnostic>,
    /// Diagnostics in the list by severity.
    counts: [usize; 3],
    left_out: usize,
    /// Whether there was an error, including diagnostics above the limit.
    pub(crate) errors: bool,
    /// The text that is being read.
    pub(crate) source: u32,
}

impl Diagnostics {
    /// The maximum number of diagnostics of one severity: more than a user reads. Further ones are
    /// only counted.
    const MAX_OF_SEVERITY: usize = 100;

    /// An empty list for one of the texts.
    pub(crate) fn for_source(source: u32) -> Self {
        Self {
            source,
            ..Self::default()
        }
    }

    /// Whether the list contains a diagnostic with this code.
    pub(crate) fn has(&self, code: Code) -> bool {
        self.list.iter().any(|diagnostic| diagnostic.code == code)
    }

    pub(crate) fn push(&mut self, text: &str, line: u32, span: Span, problem: Problem) {
        if !self.has_room(problem.severity) {
            return;
        }
        let before = &text[..span.start as usize];
        let line_start = memchr::memrchr(b'\n', before.as_bytes()).map_or(0, |at| at + 1);
        let column = before[line_start..].chars().count() + 1;
        self.list.push(Diagnostic {
            code: problem.code,
            severity: problem.severity,
            source: self.source,
            line,
            column: u32::try_from(column).unwrap_or(u32::MAX),
            span,
            message: problem.message,
            hint: problem.hint,
            fixes: problem.fixes,
        });
    }

    /// Adds the diagnostics of another list about the same texts.
    pub(crate) fn append(&mut self, other: Self) {
        self.left_out += other.left_out;
        for diagnostic in other.list {
            if self.has_room(diagnostic.severity) {
                self.list.push(diagnostic);
            }
        }
    }

    /// Counts a diagnostic, and reports whether the list has room for it.
    fn has_room(&mut self, severity: Severity) -> bool {
        self.errors |= severity == Severity::Error;
        let count = &mut self.counts[severity as usize];
        let has_room = *count < Self::MAX_OF_SEVERITY;
        *count += usize::from(has_room);
        self.left_out += usize::from(!has_room);
        has_room
    }

    pub(crate) fn finish(mut self) -> Vec<Diagnostic> {
        self.list
            .sort_by_key(|diagnostic| (diagnostic.source, diagnostic.line, diagnostic.column));
        if let (Some(last), true) = (self.list.last(), self.left_out > 0) {
            let code = Code::MoreDiagnostics;
            let more = Diagnostic {
                code,
                severity: code.severity(),
                message: format!("{} more diagnostics are omitted", self.left_out),
                hint: Some("fix the first hundred of each severity first".into()),
                fixes: Vec::new(),
                ..last.clone()
            };
            self.list.push(more);
        }
        self.list
    }
}
