//! Two walks side by side.

use crate::walk::trace::Path;

/// The first step (from 0) at which two walks part: another rule, or another outcome of the same
/// one. `None` if they never do. Where one walk ends first, that is the step behind its last.
pub fn part(a: &Path, b: &Path) -> Option<usize> {
    let same = a
        .steps
        .iter()
        .zip(b.steps.iter())
        .take_while(|(a, b)| (a.hook, a.place, a.outcome) == (b.hook, b.place, b.outcome));
    let same = same.count();
    (same < a.steps.len() || same < b.steps.len()).then_some(same)
}
