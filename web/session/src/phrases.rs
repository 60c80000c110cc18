//! Phrases that several parts of the page share: numbers, places and texts of rules, ends of
//! packets.

use std::borrow::Cow;

use chainwalk_core::analysis::explain::capital;
use chainwalk_core::iptables::print;
use chainwalk_core::netfilter::place::Place;
use chainwalk_core::netfilter::ruleset::Ruleset;
use chainwalk_core::text::diagnostic::Diagnostic;
use chainwalk_core::walk::trace::{Verdict, VerdictKind};

/// "no rules", "1 rule", "2 rules".
pub fn format_count(count: usize, noun: &str) -> String {
    match count {
        0 => format!("no {noun}s"),
        1 => format!("1 {noun}"),
        _ => format!("{count} {noun}s"),
    }
}

/// A number in at most five characters: `950`, `12k`, `3.4M`.
pub fn format_short(number: u64) -> String {
    let mut unit = 1;
    let mut signs = ["", "k", "M", "G", "T", "P", "E"].into_iter();
    let mut sign = signs.next().unwrap_or_default();
    while number / unit >= 1000 {
        unit *= 1000;
        sign = signs.next().unwrap_or(sign);
    }
    match (number / unit, number / (unit / 10).max(1) % 10) {
        (whole @ 0..10, tenth) if unit > 1 && tenth > 0 => format!("{whole}.{tenth}{sign}"),
        (whole, _) => format!("{whole}{sign}"),
    }
}

/// "ISTIO_OUTPUT 4", "OUTPUT policy".
pub fn format_place(rulesets: &[Ruleset], place: Place) -> String {
    let chain = &place.at.find(rulesets).2.name;
    match place.rule {
        Some(rule) => format!("{chain} {}", rule + 1),
        None => format!("{chain} policy"),
    }
}

/// The deciding rule: "ISTIO_OUTPUT 4", or "no rule".
pub fn format_decider(rulesets: &[Ruleset], decided_by: Option<Place>) -> String {
    decided_by.map_or("no rule".into(), |place| format_place(rulesets, place))
}

/// The words of a rule after `-A CHAIN`, or a policy in words.
pub fn format_rule(rulesets: &[Ruleset], place: Place) -> String {
    let (ruleset, table, chain) = place.at.find(rulesets);
    match place.rule(rulesets) {
        Some(rule) => print::rule(ruleset, table, rule),
        None => format!("policy {}", chain.policy().name()),
    }
}

/// Where a packet ends, in a word.
pub fn format_end(verdict: &Verdict) -> Cow<'static, str> {
    match (verdict.kind, verdict.port, &verdict.interface) {
        (VerdictKind::Delivered, Some(port), _) => format!(":{port}").into(),
        (VerdictKind::Delivered, None, _) => "kernel".into(),
        (VerdictKind::Sent | VerdictKind::Forwarded, _, Some(interface)) => {
            interface.clone().into()
        }
        (VerdictKind::Sent | VerdictKind::Forwarded, _, None) => "network".into(),
        (VerdictKind::Dropped, ..) => "dropped".into(),
        (VerdictKind::Rejected, ..) => "rejected".into(),
        (VerdictKind::Queued, ..) => "queued".into(),
        (VerdictKind::Unroutable, ..) => "no route".into(),
    }
}

/// The message and the hint of a diagnostic.
pub fn format_diagnostic(diagnostic: &Diagnostic) -> String {
    match &diagnostic.hint {
        Some(hint) => format!("{}. {}.", capital(&diagnostic.message), capital(hint)),
        None => format!("{}.", capital(&diagnostic.message)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short() {
        assert_eq!(
            [0, 999, 1000, 1234, 12_345, 3_400_000].map(format_short),
            ["0", "999", "1k", "1.2k", "12k", "3.4M"]
        );
        assert!(format_short(u64::MAX).len() <= 5);
    }

    #[test]
    fn counts_have_a_plural() {
        assert_eq!(
            [0, 1, 2].map(|count| format_count(count, "rule")),
            ["no rules", "1 rule", "2 rules"]
        );
    }
}
