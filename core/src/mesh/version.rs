//! The versions of a mesh that make such rules. The rules that a version added or removed identify
//! it.

use std::fmt;

use super::chain_role::ChainNames;
use super::rule_pattern::RulePattern;
use super::rule_view::RuleView;
use super::{Mesh, Mode};
use crate::iptables::extension::comment;
use crate::netfilter::ruleset::{Ruleset, Value};

/// The newest version whose rules are known.
const NEWEST: Version = Version::Minor(30);
/// The maximum number of rules to compare. A mesh makes fewer.
const MAX_RULES: usize = 2000;

/// A version of Istio, as precise as rules show it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Version {
    /// 0.7 or earlier.
    UpTo0_7,
    /// 0.8, the last version before 1.0.
    V0_8,
    /// Version 1 with this minor version.
    Minor(u8),
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UpTo0_7 => f.write_str("0.7 or earlier"),
            Self::V0_8 => f.write_str("0.8"),
            Self::Minor(minor) => write!(f, "1.{minor}"),
        }
    }
}

/// The first and the last version that make such rules. If the first is later than the last, no
/// version makes all of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VersionRange {
    /// The first.
    pub first: Version,
    /// The last.
    pub last: Version,
}

/// All versions from a minor version of 1.
pub(super) const fn since(minor: u8) -> VersionRange {
    VersionRange {
        first: Version::Minor(minor),
        last: NEWEST,
    }
}

/// `1.13 to 1.17`, `1.25 or later`.
impl fmt::Display for VersionRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.first, self.last) {
            (first, NEWEST) => write!(f, "{first} or later"),
            (first, last) if first == last => write!(f, "{first}"),
            (first, last) if first < last => write!(f, "{first} to {last}"),
            (_, _) => f.write_str("no version makes all of these rules"),
        }
    }
}

/// How a mesh's rules show its version.
#[derive(Debug)]
pub(super) enum Versions {
    /// They do not show it.
    Unknown,
    /// All rule sets belong to these versions.
    Known(VersionRange),
    /// Each version has rules of its own.
    Marked(&'static Markers),
}

/// Rules that show Istio's version.
#[derive(Debug)]
pub(super) struct Markers {
    /// Rules, each with the first version that made it.
    pub(super) first: &'static [Marker],
    /// Rules, each with the last version that made it.
    pub(super) last: &'static [Marker],
    /// The prefix of the comments that versions up to 0.7 wrote.
    pub(super) comment_prefix: &'static str,
    /// The last version that sent both directions to one port.
    pub(super) last_shared_port: u8,
    /// The last version that exempted port 22 by default.
    pub(super) last_ssh: u8,
}

/// A rule that shows a version.
#[derive(Debug)]
pub(super) struct Marker {
    pub(super) rule: RulePattern,
    /// The minor version of 1.
    pub(super) minor: u8,
    /// The rule that the set must contain before the absence of the marker means another version.
    pub(super) unless: Option<RulePattern>,
}

/// The versions of a recognized mesh, and whether all of them exempt port 22 by default.
pub(super) fn find(
    versions: &Versions,
    ruleset: &Ruleset,
    chains: ChainNames,
    mesh: &Mesh,
) -> Option<(VersionRange, bool)> {
    let markers = match *versions {
        Versions::Unknown => return None,
        Versions::Known(range) => return Some((range, false)),
        Versions::Marked(markers) => markers,
    };
    let all = ruleset
        .tables
        .iter()
        .flat_map(|table| table.chains.iter().map(move |chain| (table, chain)));
    let rules = all.flat_map(|(table, chain)| chain.rules.iter().map(move |rule| (table, rule)));
    let views: Vec<RuleView> = rules
        .take(MAX_RULES)
        .map(|(table, rule)| RuleView::from_iptables(ruleset, table, rule))
        .collect();
    let has = |pattern: &RulePattern| {
        views
            .iter()
            .any(|view| pattern.matches(chains, ruleset.family, view))
    };
    let has_if = |pattern: &Option<RulePattern>| pattern.as_ref().is_some_and(has);
    let (mut low, mut high) = match is_commented(ruleset, markers.comment_prefix) {
        true => (Version::UpTo0_7, Version::UpTo0_7),
        false => (Version::V0_8, NEWEST),
    };
    for marker in markers.first {
        if has(&marker.rule) {
            low = low.max(Version::Minor(marker.minor));
        } else if has_if(&marker.unless) {
            high = high.min(Version::Minor(marker.minor - 1));
        }
    }
    for marker in markers.last {
        let last = Version::Minor(marker.minor);
        // A user may configure the same rule. Rules of newer versions in the same set show this:
        // port 22.
        if has(&marker.rule) && low <= last {
            high = high.min(last);
        } else if has_if(&marker.unless) {
            low = low.max(Version::Minor(marker.minor + 1));
        }
    }
    if mesh.mode == Mode::Redirect && !mesh.inbound.is_empty() && mesh.inbound == mesh.outbound {
        low = low.max(Version::V0_8);
        high = high.min(Version::Minor(markers.last_shared_port));
    }
    Some((
        VersionRange {
            first: low,
            last: high,
        },
        high <= Version::Minor(markers.last_ssh),
    ))
}

/// Whether a rule has a comment with this prefix.
fn is_commented(ruleset: &Ruleset, prefix: &str) -> bool {
    ruleset.parts.iter().any(|part| match part.value {
        Value::Text(text) if std::ptr::eq(part.extension(), &comment::COMMENT) => {
            ruleset.text(text).starts_with(prefix)
        }
        _ => false,
    })
}
