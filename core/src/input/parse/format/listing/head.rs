//! Reads the heads of chains in a listing, and the properties of the listing as a whole.

use std::net::Ipv6Addr;

use crate::netfilter::ruleset::{Counters, Policy};
use crate::packet::Family;
use crate::packet::hook::Hook;

use super::columns::{self, Columns};
use super::table::{self, Evidence};

/// Further targets add nothing to the choice of the table.
const MAX_TARGETS: usize = 64;

/// The first lines determine the family; a listing may have a hundred thousand lines.
const MAX_LINES: usize = 5_000;

/// `Chain OUTPUT (policy ACCEPT 12 packets, 720 bytes)` or `Chain ISTIO_OUTPUT (1 references)`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Head<'a> {
    pub(super) name: &'a str,
    /// The policy of a built-in chain.
    pub(super) policy: Option<Policy>,
    pub(super) counters: Option<Counters>,
    pub(super) rounded: bool,
    /// The number of rules that jump to a user-defined chain.
    pub(super) references: Option<u32>,
}

impl<'a> Head<'a> {
    pub(super) fn from_line(line: &'a str) -> Option<Self> {
        let (name, stated) = line
            .trim()
            .strip_prefix("Chain ")?
            .trim_start()
            .split_once(' ')?;
        let stated = stated.trim().strip_prefix('(')?.strip_suffix(')')?;
        let mut head = Self {
            name,
            policy: None,
            counters: None,
            rounded: false,
            references: None,
        };
        let mut words = stated.split_whitespace();
        match (words.next()?, words.next()?) {
            ("policy", policy) => {
                head.policy = Some(if policy == "DROP" {
                    Policy::Drop
                } else {
                    Policy::Accept
                });
                let mut counts = words.filter_map(columns::count);
                if let (Some(packets), Some(bytes)) = (counts.next(), counts.next()) {
                    head.counters = Some(Counters {
                        packets: packets.number,
                        bytes: bytes.number,
                    });
                    head.rounded = packets.rounded || bytes.rounded;
                }
            }
            (count, what) if what.starts_with("reference") => {
                head.references = Some(count.parse().ok()?);
            }
            _ => return None,
        }
        Some(head)
    }
}

impl Head<'_> {
    /// Whether the chain is built-in.
    pub(super) fn is_built_in(&self) -> bool {
        self.policy.is_some() && Hook::ALL.iter().any(|hook| hook.name() == self.name)
    }
}

/// The properties of a listing of one table.
pub(super) struct ShownEvidence<'a> {
    pub(super) evidence: Evidence<'a>,
    /// IPv6 if the listing has an IPv6 address.
    pub(super) family: Family,
    columns: Option<Columns>,
    /// Whether addresses are numeric.
    numeric: bool,
}

impl<'a> ShownEvidence<'a> {
    pub(super) fn from_lines(lines: impl Iterator<Item = &'a str>) -> Self {
        let mut shown = Self {
            evidence: Evidence::default(),
            family: Family::Ipv4,
            columns: None,
            numeric: false,
        };
        let mut family = None;
        // IPv4 rules can match that protocol, too, so an address is better evidence.
        let mut v6_only = false;
        for line in lines.take(MAX_LINES) {
            if let Some(head) = Head::from_line(line) {
                if head.is_built_in() {
                    shown.evidence.built_in.push(head.name);
                }
                continue;
            }
            if let Some(columns) = Columns::of_head(line) {
                shown.columns = Some(columns);
                continue;
            }
            let columns = shown.columns.or_else(|| Columns::of_row(line));
            let Some(row) = columns.and_then(|columns| columns.split_row(line)) else {
                continue;
            };
            shown.columns = columns;
            shown.numeric |= [row.source.1, row.destination.1]
                .iter()
                .any(|word| ["0.0.0.0/0", "::/0"].contains(word));
            family = family.or_else(|| {
                [row.source.1, row.destination.1]
                    .into_iter()
                    .find_map(family_of)
            });
            v6_only |= ["58", "ipv6-icmp", "icmpv6"].contains(&row.protocol.1);
            let Some((_, target)) = row.target else {
                continue;
            };
            let targets = &mut shown.evidence.targets;
            if targets.len() < MAX_TARGETS
                && !targets.contains(&target)
                && !table::only_in(target).is_empty()
            {
                targets.push(target);
            }
        }
        shown.family = family.unwrap_or(if v6_only { Family::Ipv6 } else { Family::Ipv4 });
        shown
    }

    /// The options that print this listing.
    pub(super) fn options(&self) -> String {
        let columns = self.columns.unwrap_or_default();
        let given = [
            (columns.counters, " -v"),
            (self.numeric, " -n"),
            (columns.numbers, " --line-numbers"),
        ];
        given
            .iter()
            .filter(|(given, _)| *given)
            .map(|(_, option)| *option)
            .collect()
    }
}

/// The family of a text, if it is an address.
fn family_of(word: &str) -> Option<Family> {
    let address = word
        .trim_start_matches('!')
        .split('/')
        .next()
        .unwrap_or_default();
    match address.parse::<Ipv6Addr>() {
        Ok(_) => Some(Family::Ipv6),
        Err(_) => address
            .parse::<std::net::Ipv4Addr>()
            .is_ok()
            .then_some(Family::Ipv4),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heads_of_chains_are_read() {
        let head =
            Head::from_line("Chain OUTPUT (policy DROP 12K packets, 720 bytes)").expect("a head");
        let counters = Counters {
            packets: 12_000,
            bytes: 720,
        };
        assert_eq!(
            (head.name, head.policy, head.counters),
            ("OUTPUT", Some(Policy::Drop), Some(counters))
        );
        assert!(head.rounded);
        let head = Head::from_line("Chain a-b (3 references)").expect("a head");
        assert_eq!(
            (head.name, head.policy, head.references),
            ("a-b", None, Some(3))
        );
        let head = Head::from_line(" Chain INPUT (policy ACCEPT)\t").expect("a head");
        assert_eq!((head.policy, head.counters), (Some(Policy::Accept), None));
        for line in [
            "Chain of command",
            "Chain x (many references)",
            "Chain x ()",
            "Chain",
        ] {
            assert_eq!(Head::from_line(line), None, "{line}");
        }
    }
}
