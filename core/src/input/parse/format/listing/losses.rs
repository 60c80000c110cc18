//! The details of rules that a listing does not show. Each kind is reported once, with the command
//! that shows it.

use crate::text::diagnostic::{Code, Problem};

/// A kind of missing detail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Loss {
    /// The listing was made without `-v`.
    Interfaces,
    /// The listing was made without `-n` and has names instead of addresses.
    Addresses,
    /// The listing was made without `-n` and has names instead of ports.
    Services,
    /// Somebody removed an address.
    TakenOut,
    /// The listing was made without `-x`.
    Rounded,
}

/// The reported losses.
#[derive(Default)]
pub(super) struct Losses {
    reported: Vec<Loss>,
    /// The first word of each reported unknown text.
    unread: Vec<Box<str>>,
}

/// The most kinds of unknown words that are reported. Rules keep further ones without a report.
const MAX_UNREAD: usize = 100;

impl Losses {
    /// Returns the report of a loss the first time.
    pub(super) fn problem(&mut self, loss: Loss) -> Option<Problem> {
        if self.reported.contains(&loss) {
            return None;
        }
        self.reported.push(loss);
        let (code, message, hint) = match loss {
            Loss::Interfaces => (
                Code::UnlistedInterfaces,
                "a listing without -v shows no interfaces; it is unknown which rules have a \
                condition on one",
                "paste `iptables-save -c`, or the listing with -v -n",
            ),
            Loss::Addresses => (
                Code::NamedAddresses,
                "a listing without -n shows names instead of addresses, and `localhost` is any \
                loopback address; the address of the rule is unknown",
                "paste `iptables-save -c`, or the listing with -v -n",
            ),
            Loss::TakenOut => (
                Code::RemovedAddress,
                "an address is missing in this listing; it is unknown whether the rule matches",
                "restore it in its column, or paste `iptables-save -c`",
            ),
            Loss::Services => (
                Code::NamedPorts,
                "a listing without -n shows names instead of ports; the usual numbers of these \
                services are assumed",
                "paste `iptables-save -c`, or the listing with -v -n",
            ),
            Loss::Rounded => (
                Code::RoundedCounters,
                "a listing without -x rounds counters: 12K means about 12,000",
                "paste `iptables-save -c`, or the listing with -v -n -x",
            ),
        };
        Some(Problem::new(code, message).hint(hint))
    }

    /// Reports words that belong to no known match or target.
    pub(super) fn unread_problem(&mut self, words: &str) -> Option<Problem> {
        let first = words.split_whitespace().next().unwrap_or_default();
        let is_reported = self.unread.iter().any(|reported| **reported == *first);
        if self.unread.len() >= MAX_UNREAD || is_reported {
            return None;
        }
        self.unread.push(first.into());
        let problem = Problem::new(
            Code::UnknownWords,
            format!("unknown condition `{words}` in a listing; it is unknown whether it holds"),
        );
        Some(problem.hint("paste `iptables-save -c`, which prints it as an option"))
    }
}
