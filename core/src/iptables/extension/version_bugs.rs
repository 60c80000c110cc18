//! Rules that have another meaning in the kernel than in their text, because some versions of
//! iptables load them incorrectly.

use crate::netfilter::backend::Backend;
use crate::netfilter::condition::Subject;
use crate::netfilter::ruleset::{Clause, Ruleset, Value};
use crate::packet::fields::PacketField;

/// How the kernel compares `! --sport A ! --dport B`, both single ports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NegatedPorts {
    /// Each by itself: neither port equals its number.
    Separate,
    /// As one number: the two ports do not both equal their numbers. iptables-nft 1.8.8 to 1.8.10
    /// loads rules in this way (`add_nft_tcpudp` in iptables/nft.c; measured with 1.8.9).
    Joined {
        /// The reason why the result is undetermined if only one of the ports differs; `None` if
        /// the result is certain.
        reason: Option<&'static str>,
    },
}

impl NegatedPorts {
    /// How the rules of a set were loaded, under the assumption that the program that printed them
    /// also loaded them.
    pub(super) fn from_ruleset(ruleset: &Ruleset) -> Self {
        if ruleset.backend != Some(Backend::Nft) {
            return Self::Separate;
        }
        let numbers = |text: &str| {
            text.split('.')
                .map(|number| number.parse().ok())
                .collect::<Option<Vec<u32>>>()
        };
        match ruleset.version.as_deref().and_then(numbers) {
            Some(version) if (&[1, 8, 8][..]..=&[1, 8, 10]).contains(&version.as_slice()) => {
                Self::Joined { reason: None }
            }
            Some(_) => Self::Separate,
            None => Self::Joined {
                reason: Some(
                    "iptables-nft 1.8.8 to 1.8.10 loads this as “not both”: the version is not known",
                ),
            },
        }
    }
}

/// The positions of the two options within a match of TCP or UDP, if both are negated and have one
/// port each.
pub(super) fn negated_ports(group: &[Clause]) -> Option<[usize; 2]> {
    let negated = |field: PacketField| {
        group.iter().position(|part| {
            let single = matches!(part.value, Value::Number(port) if port != 0)
                || matches!(part.value, Value::Range(low, high) if low == high && low != 0);
            part.negated && single && part.subject() == Some(Subject::Packet(field))
        })
    };
    Some([negated(PacketField::Sport)?, negated(PacketField::Dport)?])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::packet::Family;

    #[test]
    fn the_version_decides() {
        let of = |backend, version: Option<&str>| {
            let mut ruleset = Ruleset::new(Family::Ipv4, Some(backend));
            ruleset.version = version.map(str::to_owned);
            NegatedPorts::from_ruleset(&ruleset)
        };
        let joined = NegatedPorts::Joined { reason: None };
        for (version, want) in [
            ("1.8.7", NegatedPorts::Separate),
            ("1.8.8", joined),
            ("1.8.10", joined),
        ] {
            assert_eq!(of(Backend::Nft, Some(version)), want, "{version}");
        }
        assert_eq!(of(Backend::Nft, Some("1.8.11")), NegatedPorts::Separate);
        assert!(matches!(
            of(Backend::Nft, None),
            NegatedPorts::Joined { reason: Some(_) }
        ));
        assert_eq!(of(Backend::Legacy, Some("1.8.9")), NegatedPorts::Separate);
    }
}
