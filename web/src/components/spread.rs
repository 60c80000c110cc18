//! The possible destinations of chance rules, each with its probability.

use chainwalk_core::analysis::explain::chance;
use chainwalk_core::netfilter::ruleset::Ruleset;
use chainwalk_core::walk::trace::ChanceDistribution;
use yew::prelude::*;

/// The most destinations that are listed. The rest are counted.
const MAX_LISTED: usize = 12;

/// The sentence and the table.
pub(super) fn spread(rulesets: &[Ruleset], spread: &ChanceDistribution) -> Html {
    let Some(last) = spread.endpoints.last() else {
        return Html::default();
    };
    let rows = spread.endpoints.iter().take(MAX_LISTED).map(|endpoint| {
        html! {
            <tr>
                <th scope="row"><code>{chance::destination(endpoint)}</code></th>
                <td>{chance::percent(endpoint.probability)}</td>
                <td>
                    {format!(
                        "rule {}",
                        endpoint.place.rule.map_or(0, |rule| rule + 1)
                    )}
                </td>
            </tr>
        }
    });
    let left_out = spread.endpoints.len().saturating_sub(MAX_LISTED);
    html! {
        <>
            <p>{chance::says(rulesets, spread)}{" The first is shown."}</p>
            <table class="shelf" id="spread" aria-label="Destinations by chance">{for rows}</table>
            if left_out > 0 {
                <p class="quiet">
                    {format!(
                        "{left_out} more, the last of them {}.",
                        chance::destination(last)
                    )}
                </p>
            }
        </>
    }
}
