//! What a listing does not show of its rules. Each kind is said once for a paste, with the command
//! that shows it.

use crate::text::diagnostic::{Code, Problem};

/// What is lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Loss {
    /// Listed without `-v`.
    Interfaces,
    /// Listed without `-n`: an address.
    Addresses,
    /// The same: a port.
    Services,
    /// An address that is not there any more.
    TakenOut,
    /// Listed without `-x`.
    Rounded,
}

/// The losses that have been reported.
#[derive(Default)]
pub(super) struct Losses {
    reported: Vec<Loss>,
    /// The first words of what was not understood.
    unread: Vec<Box<str>>,
}

/// More kinds of words than any listing has. Other words are kept, too, and not reported.
const MAX_UNREAD: usize = 100;

impl Losses {
    /// What to report of a loss, the first time.
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

    /// What to report of words that belong to no match or target that is known here in this form.
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
