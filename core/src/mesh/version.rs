//! Which versions of Istio make such rules: each shows by what it added first, or gave up.

use super::shape;
use super::{Mesh, Mode, join};
use crate::ruleset::Ruleset;

/// The newest version whose rules are known.
const NEWEST: i32 = 30;
/// A mesh's rules are fewer.
const MOST: usize = 2000;
/// 0.8 came before 1.0, and what came before 0.8 is one.
const V0_8: i32 = -2;
const OLDEST: i32 = -3;
/// The last version that left port 22 alone.
const SSH: i32 = 12;

/// A rule, the minor version that made it first, and the rule that a set must hold for its absence to mean an older one.
#[rustfmt::skip]
const FIRST: [(&str, i32, &str); 11] = [
    ("-s *.6/32 -o lo -j RETURN|-s ::6/128 -o lo -j RETURN", 3, "*--uid-owner *"),
    ("*! -d * -o lo *--?id-owner *-j ISTIO_IN_REDIRECT", 5, "*--uid-owner *"),
    ("*--dport 15021 -j RETURN", 6, "*--dport 15090 -j RETURN"),
    ("*--dport 15008 -j RETURN", 7, "*--uid-owner *"),
    ("*-j CT --zone *", 11, "*--to-ports 15053"),
    ("-i * -j RETURN", 12, ""),
    ("*! --gid-owner * -m owner ! --gid-owner *", 14, ""),
    ("*! --dport* *15008 *-j ISTIO_IN_REDIRECT", 18, "*-o lo *--uid-owner *-j ISTIO_IN_REDIRECT"),
    ("*-j ISTIO_DROP", 24, ""),
    ("-j ISTIO_OUTPUT", 25, "-p tcp -j ISTIO_OUTPUT"),
    ("*-j ISTIO_OUTPUT_DNS", 25, "*--to-ports 15053"),
];

/// A rule, the last minor version that made it, and the rule that a set must hold for its absence to mean a newer one.
#[rustfmt::skip]
const LAST: [(&str, i32, &str); 3] = [
    ("*-o lo -j ISTIO_REDIRECT", 4, ""),
    ("-j RETURN", 22, "-d * -j ISTIO_REDIRECT"),
    ("*--dport 22 -j RETURN", SSH, "*--dport 15020 -j RETURN"),
];

/// The versions in words, and whether they all except port 22 by themselves.
pub(super) fn of(ruleset: &Ruleset, mesh: &Mesh) -> Option<(String, bool)> {
    if !mesh.name.starts_with("Istio") {
        return None;
    }
    if mesh.mode == Mode::Ambient {
        return Some(("1.21 or later".into(), false));
    }
    let tables = ruleset.tables.iter().flat_map(|table| table.chains.iter().map(move |chain| (table, chain)));
    let rules = tables.flat_map(|(table, chain)| chain.rules.iter().map(move |rule| (table, rule)));
    let texts: Vec<String> = rules.take(MOST).map(|(table, rule)| shape::text(ruleset, table, rule)).collect();
    let commented = ruleset.strings.contains("istio/");
    let has = |patterns: &str| {
        let mut patterns = patterns.split('|');
        patterns.any(|pattern| texts.iter().any(|text| super::glob::words(pattern, text).is_some()))
    };
    let (mut low, mut high) = if commented { (OLDEST, OLDEST) } else { (V0_8, NEWEST) };
    for (pattern, first, given) in FIRST {
        if has(pattern) {
            low = low.max(first);
        } else if has(given) {
            high = high.min(first - 1);
        }
    }
    for (pattern, last, given) in LAST {
        // Port 22 may also be a user's choice, as newer rules show.
        if has(pattern) && low <= last {
            high = high.min(last);
        } else if has(given) {
            low = low.max(last + 1);
        }
    }
    if mesh.mode == Mode::Redirect && !mesh.inbound.is_empty() && join(&mesh.inbound) == join(&mesh.outbound) {
        (low, high) = (low.max(V0_8), high.min(2));
    }
    Some((say(low, high), high <= SSH))
}

fn say(low: i32, high: i32) -> String {
    let name = |minor| match minor {
        OLDEST => "0.7 or earlier".into(),
        V0_8 => "0.8".into(),
        _ => format!("1.{}", minor.max(0)),
    };
    match (low, high) {
        (low, NEWEST) => format!("{} or later", name(low)),
        (low, high) if low == high => name(low),
        (low, high) if low < high => format!("{} to {}", name(low), name(high)),
        // The set mixes what no version made together.
        (_, _) => "no version makes all of these rules".into(),
    }
}
