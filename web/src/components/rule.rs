//! One rule as text: its conditions, and what it does.

use chainwalk_core::print;
use chainwalk_core::ruleset::Ruleset;
use chainwalk_core::walk::trace::Place;
use yew::prelude::*;

/// How a condition is set apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Accent {
    /// It is the one that decided.
    Decides,
    /// It failed.
    Fails,
}

/// A rule behind `-A CHAIN`; a policy in words.
pub(super) fn text(rulesets: &[Ruleset], place: Place) -> String {
    let (ruleset, table, chain) = place.at.find(rulesets);
    match place.rule(rulesets) {
        Some(rule) => print::rule(ruleset, table, rule),
        None => format!("policy {}", chain.policy.name()),
    }
}

/// The same in pieces that do not break, some of them set apart.
pub(super) fn pieces(rulesets: &[Ruleset], place: Place, accent: impl Fn(u16) -> Option<Accent>) -> Html {
    let (ruleset, table, chain) = place.at.find(rulesets);
    let Some(rule) = place.rule(rulesets) else {
        let counters = chain.counters.map(|counters| format!(" {counters}")).unwrap_or_default();
        return html! { <span class="rule">{ "policy " }<b>{ chain.policy.name() }</b>{ counters }</span> };
    };
    let conditions = (0..).zip(ruleset.matches(rule)).filter_map(|(at, part)| {
        let text = print::condition(ruleset, part);
        // `-m owner` opens the condition and is none.
        let (lead, text) = match text.strip_prefix("-m ").and_then(|rest| rest.split_once(' ')) {
            Some((name, rest)) => (format!("-m {name} "), rest.to_owned()),
            None => (String::new(), text),
        };
        let class = match accent(at) {
            Some(Accent::Decides) => "decides",
            Some(Accent::Fails) => "fails",
            None => "",
        };
        (!text.is_empty())
            .then(|| html! { <><span class="piece">{ lead }<span {class}>{ text }</span></span>{ " " }</> })
    });
    html! {
        <span class="rule">
            { for conditions }
            <b class="piece">{ print::target(ruleset, table, rule) }</b>
        </span>
    }
}
