//! The content of the map, and the actions of clicks on it.

use chainwalk_core::analysis::explain::Fate;
use chainwalk_core::map::{self, ClickTarget, Layout, Track, TrackLeg};

use crate::cursor::Move;
use crate::side::Side;
use crate::state::{Action, Evaluation};
use crate::walked::Walked;

/// Lays the walks and the connection of the lead's packet out. `cursor`: the step shown. `width`:
/// in CSS pixels.
pub fn lay_out(evaluation: &Evaluation, cursor: usize, width: i32) -> Layout<'_> {
    let followed = evaluation.followed(cursor).map(|(side, _)| side);
    let mut sides = evaluation.walks().map(|(side, _)| Some(side));
    let followed = sides.position(|side| side == followed).unwrap_or(0);
    let paste = &evaluation.workspace.paste;
    Layout {
        rulesets: paste.rulesets(),
        meshed: paste.mesh.is_some(),
        followed,
        legs: legs(evaluation),
        cursor,
        width,
        lanes: evaluation
            .walks()
            .map(|(side, walked)| track(evaluation, side, walked))
            .collect(),
    }
}

fn track<'a>(evaluation: &'a Evaluation, side: Side, walked: &'a Walked) -> Track<'a> {
    let paste = &evaluation.workspace.paste;
    Track {
        letter: side.letter(),
        name: evaluation.name(side),
        path: walked.path(),
        fate: walked.headline.fate,
        end: paste.describe_end(walked.trace.verdict()),
        decided: walked.decided_at(),
        doubts: walked.doubts().collect(),
        others: map::others(paste.rulesets(), &walked.trace, |verdict| {
            paste.describe_end(Some(verdict))
        }),
    }
}

/// The legs of the connection after the packet's own.
fn legs(evaluation: &Evaluation) -> Vec<TrackLeg<'_>> {
    let paste = &evaluation.workspace.paste;
    let analysis = evaluation.results.analysis.iter();
    analysis
        .flat_map(|analysis| analysis.journey.legs.iter().skip(1))
        .map(|leg| TrackLeg {
            name: format!("{} → {}", leg.from, leg.to),
            path: leg.trace.shown(),
            fate: Fate::from_verdict(leg.trace.verdict()),
            end: paste.describe_end(leg.trace.verdict()),
        })
        .collect()
}

/// The action of a click on a part of the map.
pub fn click_action(evaluation: &Evaluation, target: ClickTarget) -> Option<Action> {
    match target {
        ClickTarget::Step(step) => Some(Action::Go(Move::To(step))),
        ClickTarget::Leg(leg) => {
            let analysis = evaluation.results.analysis.as_ref()?;
            let leg = analysis.journey.legs.get(leg + 1)?;
            Some(Action::Load(Box::new(leg.trace.packet.clone())))
        }
    }
}
