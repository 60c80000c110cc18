//! The destinations that chance chooses from, in words.

use crate::netfilter::ruleset::Ruleset;
use crate::walk::trace::{ChanceDistribution, Endpoint};

/// "Chance chooses among 1000 destinations of KUBE-SVC-X, 0.1 % each."
///
/// # Panics
/// If the destinations do not belong to these rule sets.
pub fn says(rulesets: &[Ruleset], spread: &ChanceDistribution) -> String {
    let mut chances = spread
        .endpoints
        .iter()
        .map(|endpoint| percent(endpoint.probability));
    let first = chances.next().unwrap_or_default();
    let each = if chances.all(|chance| chance == first) {
        format!(", {first} each")
    } else {
        String::new()
    };
    let elsewhere = match percent(spread.elsewhere) {
        none if none == "0 %" => String::new(),
        some => format!("; {some} of the time it is none of them, or an undetermined one"),
    };
    let chain = spread
        .endpoints
        .first()
        .map(|endpoint| &*endpoint.place.at.find(rulesets).2.name)
        .unwrap_or_default();
    format!(
        "Chance chooses among {} destinations of {chain}{each}{elsewhere}.",
        spread.endpoints.len()
    )
}

/// A probability with two decimals: "33.33 %", "0.1 %". A probability that is positive but rounds
/// to 0 is "below 0.01 %".
pub fn percent(probability: f64) -> String {
    let text = format!("{:.2}", probability * 100.0);
    match text.trim_end_matches('0').trim_end_matches('.') {
        "0" if probability > 0.0 => "below 0.01 %".into(),
        number => format!("{number} %"),
    }
}

/// "10.244.0.7:8080", or only the address if the protocol has no ports.
pub fn destination(endpoint: &Endpoint) -> String {
    super::endpoint(endpoint.dst, endpoint.dport)
}
