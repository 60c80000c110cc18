//! The signs of the page: for a packet (a letter in a ring), an outcome (color, glyph and word),
//! and the result of a rule.

use chainwalk_core::analysis::explain::Fate;
use chainwalk_core::walk::trace::Outcome;
use chainwalk_session::side::Side;
use yew::prelude::*;

/// The letter of a packet in its ring.
pub(crate) fn badge(side: Side) -> Html {
    html! { <span class={classes!("badge", side.key())}>{side.letter()}</span> }
}

/// The class that gives an outcome its color.
pub(crate) fn colour(fate: Fate) -> &'static str {
    match fate {
        Fate::Captured => "captured",
        Fate::Direct => "direct",
        Fate::Dropped => "dropped",
        Fate::Unknown => "unknown",
    }
}

/// The glyph of an outcome.
pub(crate) fn glyph(fate: Fate) -> &'static str {
    match fate {
        Fate::Captured => "●",
        Fate::Direct => "○",
        Fate::Dropped => "✕",
        Fate::Unknown => "?",
    }
}

/// The result of a rule as a character.
pub(crate) fn sign(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Match | Outcome::Policy => "✓",
        Outcome::NoMatch => "–",
        Outcome::Unknown => "?",
    }
}

/// The result of a rule, in words.
pub(crate) fn format_outcome(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Match => "matches",
        Outcome::Policy => "applies",
        Outcome::NoMatch => "does not match",
        Outcome::Unknown => "undetermined",
    }
}

/// The result of a rule for this packet as a tile; empty if the packet never reached the rule.
pub(crate) fn tile(side: Side, fate: Fate, outcome: Option<Outcome>) -> Html {
    let Some(outcome) = outcome else {
        return html! { <span class="tile"></span> };
    };
    let kind = match outcome {
        Outcome::Match | Outcome::Policy => "hit",
        Outcome::NoMatch => "miss",
        Outcome::Unknown => "maybe",
    };
    let title = format!("{} {}", side.letter(), format_outcome(outcome));
    html! {
        <span class={classes!("tile", kind, side.key(), colour(fate))} title={title.clone()}>
            <span aria-hidden="true">{sign(outcome)}</span>
            <span class="hidden">{title}{". "}</span>
        </span>
    }
}
