//! Moves through one or two walks. The place is a number of steps, the same in both.

use chainwalk_core::walk::trace::{Outcome, Path};

/// A move.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Move {
    /// To the first step.
    First,
    /// One step back.
    Back,
    /// One step forward.
    Forward,
    /// To the last step of the longer walk.
    Last,
    /// To the next rule that matches, in either walk.
    NextMatch,
    /// To the end of the chain's call: the next step of its caller, or of the next table.
    OutOfChain,
    /// To the deciding rule of the first path.
    Decided,
    /// To a step.
    To(usize),
}

/// The target of a move from `at`. The first path determines the chains.
pub(crate) fn go(paths: &[&Path], at: usize, to: Move) -> usize {
    let last = last(paths);
    let next = match to {
        Move::First => 0,
        Move::Back => at.saturating_sub(1),
        Move::Forward => at + 1,
        Move::Last => last,
        Move::NextMatch => (at + 1..=last)
            .find(|at| paths.iter().any(|path| matches(path, *at)))
            .unwrap_or(last),
        Move::OutOfChain => match paths.iter().find(|path| at < path.steps.len()) {
            Some(path) => out_of_chain(path, at).unwrap_or(last),
            None => last,
        },
        Move::Decided => paths.first().and_then(|path| decided(path)).unwrap_or(last),
        Move::To(step) => step,
    };
    next.min(last)
}

/// The last step of the longest path.
pub(crate) fn last(paths: &[&Path]) -> usize {
    paths
        .iter()
        .map(|path| path.steps.len())
        .max()
        .unwrap_or(0)
        .saturating_sub(1)
}

/// The step at which the rule or policy decided.
fn decided(path: &Path) -> Option<usize> {
    let place = path.verdict.as_ref()?.decided_by?;
    let mut steps = path.steps.iter();
    steps.position(|step| step.place == place && step.outcome != Outcome::NoMatch)
}

fn matches(path: &Path, at: usize) -> bool {
    path.steps
        .get(at)
        .is_some_and(|step| step.outcome != Outcome::NoMatch)
}

/// The first later step outside this chain and the chains that it calls. Steps of called chains
/// have a longer list of callers.
fn out_of_chain(path: &Path, at: usize) -> Option<usize> {
    let here = path.steps.at(at);
    let (base, table) = (
        here.caller,
        (here.hook, here.place.at.ruleset, here.place.at.table),
    );
    (at + 1..path.steps.len()).find(|later| {
        let step = path.steps.at(*later);
        let other_table = (step.hook, step.place.at.ruleset, step.place.at.table) != table;
        other_table || base.is_some_and(|base| step.caller.is_none_or(|caller| caller < base))
    })
}

/// The steps that led to this one, outermost first, itself last.
pub fn stack(path: &Path, at: usize) -> Vec<usize> {
    let mut stack = vec![at];
    while let Some(caller) = stack.last().and_then(|at| path.steps.get(*at)?.caller) {
        stack.push(caller as usize);
    }
    stack.reverse();
    stack
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::paste::Paste;
    use crate::walked::Walked;

    fn walked(key: &str) -> Walked {
        let paste = Paste::sample(0);
        Walked::new(
            paste.rulesets(),
            None,
            &paste.host,
            &paste.scenario(key).expect("known").packet,
            &[],
        )
    }

    #[test]
    fn the_app_and_the_proxy_step_side_by_side() {
        let (app, proxy) = (walked("internet"), walked("as-proxy"));
        let paths = [app.path(), proxy.path()];
        assert_eq!(go(&paths, 0, Move::Back), 0);
        assert_eq!(go(&paths, 0, Move::NextMatch), 4, "uid 1337 matches rule 4");
        assert_eq!(go(&paths, 0, Move::Last), 11);
        assert_eq!(go(&paths, 11, Move::Forward), 11);
        assert_eq!(go(&paths, 3, Move::To(99)), 11);
        assert_eq!(
            go(&paths, 0, Move::Decided),
            9,
            "rule 9 sends the app's packet to the proxy"
        );
        assert_eq!(
            go(&paths[1..], 0, Move::Decided),
            4,
            "rule 4 lets uid 1337 out"
        );
        assert_eq!(
            stack(paths[0], 10),
            [0, 9, 10],
            "OUTPUT 1, ISTIO_OUTPUT 9, ISTIO_REDIRECT 1"
        );
    }

    #[test]
    fn out_of_a_chain_leads_to_its_callers_next_step_or_the_next_hook() {
        let (app, proxy) = (walked("internet"), walked("as-proxy"));
        assert_eq!(
            go(&[proxy.path()], 2, Move::OutOfChain),
            5,
            "the policy of OUTPUT"
        );
        assert_eq!(
            go(&[app.path()], 2, Move::OutOfChain),
            11,
            "the policy of POSTROUTING"
        );
        assert_eq!(go(&[app.path()], 0, Move::OutOfChain), 11);
    }
}
