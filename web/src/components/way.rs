//! The end of a packet in one or two words.

use chainwalk_core::analysis::explain::Fate;
use chainwalk_core::walk::trace::Verdict;
use chainwalk_session::paste;
use chainwalk_session::state::Evaluation;

/// The end, with the name of the listener there.
pub(super) fn describe_end(evaluation: &Evaluation, verdict: Option<&Verdict>) -> String {
    let Some(verdict) = verdict else {
        return "depends".into();
    };
    let mesh = evaluation.workspace.paste.mesh.as_ref();
    match mesh.and_then(|mesh| mesh.listener(verdict.port?)) {
        Some(who) if Fate::from_verdict(Some(verdict)) == Fate::Captured => {
            format!("{who} {}", paste::format_end(verdict))
        }
        _ => paste::format_end(verdict).into_owned(),
    }
}
