//! The comparison of two walks.

use crate::walk::trace::Path;

/// The first step (from 0) at which two walks differ: another rule, or another result of the same
/// rule. `None` if they do not differ. If one walk ends first, the step after its last one.
pub fn part(a: &Path, b: &Path) -> Option<usize> {
    let same = a
        .steps
        .iter()
        .zip(b.steps.iter())
        .take_while(|(a, b)| (a.hook, a.place, a.outcome) == (b.hook, b.place, b.outcome));
    let same = same.count();
    (same < a.steps.len() || same < b.steps.len()).then_some(same)
}
