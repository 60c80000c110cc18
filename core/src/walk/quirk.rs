//! Rules that mean something else in the kernel than they say, because of how a version of iptables loads them.

use crate::capture::Backend;
use crate::condition::Answer;
use crate::ruleset::{Part, Ruleset, Value};

/// What becomes of `! --sport A ! --dport B`, both single ports.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum BothPorts {
    /// Neither port is the one named: what it says.
    Neither,
    /// Not both are: iptables-nft 1.8.8 to 1.8.10 compares the two as one number (`add_nft_tcpudp` in iptables/nft.c;
    /// measured with 1.8.9).
    NotBoth,
    /// One of the two: the dump does not name the version.
    Open,
}

impl BothPorts {
    /// How the rules of a set were loaded, given that the program that printed them is the one that loaded them.
    pub(super) fn of(ruleset: &Ruleset) -> Self {
        if ruleset.backend != Some(Backend::Nft) {
            return Self::Neither;
        }
        let numbers = |text: &str| text.split('.').map(|number| number.parse().ok()).collect::<Option<Vec<u32>>>();
        match ruleset.version.as_deref().and_then(numbers) {
            Some(version) if (&[1, 8, 8][..]..=&[1, 8, 10]).contains(&version.as_slice()) => Self::NotBoth,
            Some(_) => Self::Neither,
            None => Self::Open,
        }
    }

    /// The answer to both options at once, from what each says by itself.
    pub(super) fn join(self, one: &Answer, other: &Answer) -> Answer {
        let unknown = || match (one, other) {
            (Answer::Unknown(reason), _) | (_, Answer::Unknown(reason)) => Answer::Unknown(reason.clone()),
            _ => Answer::Unknown(
                "iptables-nft 1.8.8 to 1.8.10 loads this as “not both”: the version is not known".into(),
            ),
        };
        match (self, one, other) {
            (_, drops @ Answer::Drops { .. }, _) | (_, _, drops @ Answer::Drops { .. }) => drops.clone(),
            (_, Answer::Yes, Answer::Yes) => Answer::Yes,
            (_, Answer::No, Answer::No) => Answer::No,
            (Self::NotBoth, Answer::Yes, _) | (Self::NotBoth, _, Answer::Yes) => Answer::Yes,
            (Self::Neither, Answer::No, _) | (Self::Neither, _, Answer::No) => Answer::No,
            _ => unknown(),
        }
    }
}

/// The places of the two options within a match of TCP or UDP, where both are negated and name one port each.
pub(super) fn both_ports(group: &[Part]) -> Option<[usize; 2]> {
    let negated = |flag: &str| {
        group.iter().position(|part| {
            let single = matches!(part.value, Value::Number(port) if port != 0)
                || matches!(part.value, Value::Range(low, high) if low == high && low != 0);
            part.negated && single && part.opt().is_some_and(|opt| opt.flag == flag)
        })
    };
    Some([negated("--sport")?, negated("--dport")?])
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
            BothPorts::of(&ruleset)
        };
        for (version, want) in [("1.8.7", BothPorts::Neither), ("1.8.8", BothPorts::NotBoth)] {
            assert!(of(Backend::Nft, Some(version)) == want, "{version}");
        }
        assert!(of(Backend::Nft, Some("1.8.10")) == BothPorts::NotBoth);
        assert!(of(Backend::Nft, Some("1.8.11")) == BothPorts::Neither);
        assert!(of(Backend::Nft, None) == BothPorts::Open);
        assert!(of(Backend::Legacy, Some("1.8.9")) == BothPorts::Neither);
    }
}
