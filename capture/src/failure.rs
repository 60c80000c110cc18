//! The reasons why the program ends without a capture.

use std::fmt;

/// A message for the user: the problem and the next step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Failure {
    /// The command line is invalid.
    Usage(String),
    /// The machine or the process does not permit it.
    Refused(String),
    /// Several namespaces fit: a sentence, and their table with all invisible characters escaped.
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
