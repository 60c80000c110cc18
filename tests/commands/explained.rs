//! Differences that stay, each with its reason.

use super::Answer;

/// What a difference comes from: a test of the command's line and of both answers, and the reason.
type Explanation = (fn(&str, &Answer, &Answer) -> bool, &'static str);

const EXPLANATIONS: &[Explanation] = &[];

/// Why the two differ, where that is known and stays so.
pub(super) fn why(line: &str, ours: &Answer, theirs: &Answer) -> Option<&'static str> {
    EXPLANATIONS.iter().find(|(is, _)| is(line, ours, theirs)).map(|(_, why)| *why)
}
