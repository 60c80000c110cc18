//! Where chance sends a connection: the destinations, each with its probability.

use chainwalk_core::analysis::explain::chance;
use chainwalk_core::netfilter::ruleset::Ruleset;
use chainwalk_core::walk::trace::Spread;

use crate::element::{Markup, group, nothing, tag};

/// So many are listed; the others are counted.
const MOST: usize = 12;

/// The sentence and the table.
pub(super) fn spread(rulesets: &[Ruleset], spread: &Spread) -> Markup {
    let Some(last) = spread.endpoints.last() else {
        return nothing();
    };
    let rows = spread.endpoints.iter().take(MOST).map(|endpoint| {
        tag("tr")
            .child(
                tag("th")
                    .attr("scope", "row")
                    .child(tag("code").child(chance::destination(endpoint))),
            )
            .child(tag("td").child(chance::percent(endpoint.probability)))
            .child(tag("td").child(format!(
                "rule {}",
                endpoint.place.rule.map_or(0, |rule| rule + 1)
            )))
    });
    let left_out = spread.endpoints.len().saturating_sub(MOST);
    group()
        .child(
            tag("p")
                .child(chance::says(rulesets, spread))
                .text(" The first is shown."),
        )
        .child(
            tag("table")
                .class("shelf")
                .id("spread")
                .attr("aria-label", "Destinations by chance")
                .children(rows),
        )
        .child((left_out > 0).then(|| {
            tag("p").class("quiet").child(format!(
                "{left_out} more, the last of them {}.",
                chance::destination(last)
            ))
        }))
}
