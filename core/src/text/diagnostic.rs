//! What the reader has to say about a text: where, how bad, and what to do about it.

use std::fmt;

use strum::Display;

mod code;

pub use code::Code;

/// A range of bytes in the text that was read. Always valid in it, on character boundaries.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Span {
    /// First byte.
    pub start: u32,
    /// One past the last byte.
    pub end: u32,
}

impl Span {
    /// The bytes from `start` up to, not including, `end`. Texts above 4 GiB are refused before
    /// this.
    pub fn new(start: usize, end: usize) -> Self {
        let narrow = |offset| u32::try_from(offset).unwrap_or(u32::MAX);
        Self {
            start: narrow(start),
            end: narrow(end),
        }
    }

    /// What stands there.
    pub fn of(self, text: &str) -> &str {
        text.get(self.start as usize..self.end as usize)
            .unwrap_or_default()
    }
}

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Display)]
#[strum(serialize_all = "lowercase")]
pub enum Severity {
    /// For information: nothing is lost.
    Note,
    /// Understood in part, or suspicious; the rest still works.
    Warning,
    /// iptables would refuse it, or it cannot be understood at all.
    Error,
}

/// Takes the problems of one line, each with its place.
pub(crate) type ProblemSink<'a> = dyn FnMut(Span, Problem) + 'a;

/// Takes problems, each with its line and its place.
pub(crate) type DiagnosticSink<'a> = dyn FnMut(u32, Span, Problem) + 'a;

/// One remark about one place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// Its kind. Programs compare this, never the message.
    pub code: Code,
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
    /// Edits of the text that would settle it, each by itself.
    pub fixes: Vec<Fix>,
}

/// An edit of the text that was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fix {
    /// What it does, in a few words, beginning with a verb.
    pub label: String,
    /// The bytes that go, in the text of the diagnostic that offers it.
    pub span: Span,
    /// What comes in their place.
    pub replacement: String,
}

impl Fix {
    /// The text with the edit made.
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

/// What is wrong with a place, before its line and column are known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Its kind.
    pub code: Code,
    /// How bad it is: usually as bad as its kind.
    pub severity: Severity,
    /// What is wrong, in one sentence.
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
    /// Edits of the text that would settle it.
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

    /// The same as an error, whatever its kind.
    #[must_use]
    pub fn error(self) -> Self {
        Self {
            severity: Severity::Error,
            ..self
        }
    }

    /// The same with an edit that would settle it.
    #[must_use]
    pub fn fix(mut self, fix: Fix) -> Self {
        self.fixes.push(fix);
        self
    }

    /// The same with a hint.
    #[must_use]
    pub fn hint(self, hint: impl Into<String>) -> Self {
        Self {
            hint: Some(hint.into()),
            ..self
        }
    }
}

/// Collects diagnostics; a text that is wrong on every line does not fill the memory with remarks.
#[derive(Debug, Default)]
pub(crate) struct Diagnostics {
    list: Vec<Diagnostic>,
    /// Diagnostics in the list by severity.
    counts: [usize; 3],
    left_out: usize,
    /// Whether any was an error, also of those left out.
    pub(crate) errors: bool,
    /// Which text is being read.
    pub(crate) source: u32,
}

impl Diagnostics {
    /// More of one severity than anyone reads. The others are counted.
    const MAX_OF_SEVERITY: usize = 100;

    /// None yet, of one of the texts.
    pub(crate) fn of(source: u32) -> Self {
        Self {
            source,
            ..Self::default()
        }
    }

    /// Whether one of this code was reported and kept.
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

    /// Adds those of another list of the same texts.
    pub(crate) fn append(&mut self, other: Self) {
        self.left_out += other.left_out;
        for diagnostic in other.list {
            if self.has_room(diagnostic.severity) {
                self.list.push(diagnostic);
            }
        }
    }

    /// Counts one more diagnostic and reports whether the list takes it.
    fn has_room(&mut self, severity: Severity) -> bool {
        self.errors |= severity == Severity::Error;
        let count = &mut self.counts[severity as usize];
        let has_room = *count < Self::MAX_OF_SEVERITY;
        *count += usize::from(has_room);
        self.left_out += usize::from(!has_room);
        has_room
    }

    /// Adds those of a text that was made of this one: `back` says where their places are here.
    pub(crate) fn append_from(
        &mut self,
        other: Self,
        text: &str,
        back: impl Fn(u32, Span) -> (u32, Span),
    ) {
        self.left_out += other.left_out;
        for diagnostic in other.list {
            let Diagnostic {
                code,
                severity,
                line,
                span,
                message,
                hint,
                mut fixes,
                ..
            } = diagnostic;
            for fix in &mut fixes {
                fix.span = back(line, fix.span).1;
            }
            let (line, span) = back(line, span);
            self.push(
                text,
                line,
                span,
                Problem {
                    code,
                    severity,
                    message,
                    hint,
                    fixes,
                },
            );
        }
    }

    pub(crate) fn finish(mut self) -> Vec<Diagnostic> {
        self.list
            .sort_by_key(|diagnostic| (diagnostic.source, diagnostic.line, diagnostic.column));
        if let (Some(last), true) = (self.list.last(), self.left_out > 0) {
            let code = Code::MoreDiagnostics;
            let more = Diagnostic {
                code,
                severity: code.severity(),
                message: format!("{} more remarks are left out", self.left_out),
                hint: Some("the first hundred of each severity are listed".into()),
                fixes: Vec::new(),
                ..last.clone()
            };
            self.list.push(more);
        }
        self.list
    }
}
