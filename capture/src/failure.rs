//! Why the program ends without a capture.

use std::fmt;

/// A sentence for whoever typed the command: what went wrong and what to do next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Failure {
    /// The command line is wrong.
    Usage(String),
    /// The machine or the process does not allow it.
    Refused(String),
    /// Several namespaces fit: a sentence, and their table, in which nothing invisible is left.
    Ambiguous(String, String),
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Usage(message) | Self::Refused(message) | Self::Ambiguous(message, _) => {
                f.write_str(message)
            }
        }
    }
}

impl From<lexopt::Error> for Failure {
    fn from(error: lexopt::Error) -> Self {
        Self::Usage(format!("{error}; see `chainwalk-capture --help`"))
    }
}
