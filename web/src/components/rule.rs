//! A rule as text: its conditions and its effect.

use chainwalk_core::iptables::print;
use chainwalk_core::netfilter::place::Place;
use chainwalk_core::netfilter::ruleset::Ruleset;
use chainwalk_session::rule_row::{Accent, RuleRow};
use yew::prelude::*;

/// The words in pieces that do not break, some of them highlighted.
pub(super) fn pieces(rulesets: &[Ruleset], place: Place, row: &RuleRow) -> Html {
    let (ruleset, table, chain) = place.at.find(rulesets);
    let Some(rule) = place.rule(rulesets) else {
        let counters = chain
            .counters
            .counters(ruleset)
            .map(|counters| format!(" {counters}"))
            .unwrap_or_default();
        return html! {
            <span class="rule">{"policy "}<b>{chain.policy().name()}</b>{counters}</span>
        };
    };
    let mut at = 0;
    let mut conditions = Vec::new();
    for group in ruleset.groups(rule) {
        let printed = print::conditions(ruleset, group);
        let alone = printed.len() == group.len();
        for (place, text) in (at..).zip(printed) {
            let accent = if alone {
                row.accent(place)
            } else {
                (at..).take(group.len()).find_map(|place| row.accent(place))
            };
            conditions.push(condition(&text, accent));
        }
        at += u16::try_from(group.len()).unwrap_or(u16::MAX);
    }
    html! {
        <span class="rule">
            {for conditions}
            <b class="piece">{print::target(ruleset, table, rule)}</b>
        </span>
    }
}

/// A condition. Its `-m owner` is not a condition and is not highlighted.
fn condition(text: &str, accent: Option<Accent>) -> Html {
    let (lead, rest) = match text
        .strip_prefix("-m ")
        .and_then(|rest| rest.split_once(' '))
    {
        Some((name, rest)) => (format!("-m {name} "), rest),
        None => (String::new(), text),
    };
    let class = match accent {
        Some(Accent::Decides) => "decides",
        Some(Accent::Fails) => "fails",
        None => "",
    };
    if rest.is_empty() {
        return Html::default();
    }
    html! { <><span class="piece">{lead}<span {class}>{rest.to_owned()}</span></span>{" "}</> }
}
