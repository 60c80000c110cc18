//! Names of chains and interfaces that iptables and the kernel accept.

use crate::text::diagnostic::{Code, Problem};
use crate::text::visible::escape_invisible;

/// The length limit for names of chains in iptables (`XT_EXTENSION_MAXNAMELEN` in x_tables.h).
/// nf_tables stores longer names.
pub const CHAIN_NAME_LIMIT: usize = 29;

/// The reason why iptables refuses the name of a chain (`assert_valid_chain_name` in xshared.c of
/// 1.8.9; measured with both backends).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChainNameFault {
    /// It is empty.
    Empty,
    /// It begins with `-` or `!`, so a command would read it as an option.
    LeadingSign,
    /// It contains a blank, so a line would split it.
    Blank,
    /// It contains a control character, which a terminal would interpret as a key.
    Control,
    /// It has [`CHAIN_NAME_LIMIT`] bytes or more.
    TooLong,
}

/// Checks the name of a chain.
pub fn chain_name_fault(name: &str) -> Option<ChainNameFault> {
    match name {
        "" => Some(ChainNameFault::Empty),
        _ if name.starts_with(['-', '!']) => Some(ChainNameFault::LeadingSign),
        _ if name.contains(char::is_whitespace) => Some(ChainNameFault::Blank),
        _ if name.contains(char::is_control) => Some(ChainNameFault::Control),
        _ if name.len() >= CHAIN_NAME_LIMIT => Some(ChainNameFault::TooLong),
        _ => None,
    }
}

impl ChainNameFault {
    /// The diagnostic about a name with this fault.
    pub fn problem(self, name: &str) -> Problem {
        let shown = escape_invisible(name);
        let invalid = |why: &str| {
            Problem::new(
                Code::InvalidChainName,
                format!("invalid chain name `{shown}`: it {why}"),
            )
        };
        match self {
            Self::Empty => Problem::new(Code::InvalidChainName, "invalid chain name: it is empty")
                .hint("write a name of 1 to 28 bytes"),
            Self::LeadingSign => invalid("begins with `-` or `!`")
                .hint("rename the chain: a command would read the name as an option"),
            Self::Blank => {
                invalid("contains a blank").hint("rename the chain: a line splits the name there")
            }
            Self::Control => invalid("contains a control character").hint("rename the chain"),
            Self::TooLong => invalid(&format!("has {} bytes", name.len())).hint(format!(
                "iptables accepts at most {} bytes",
                CHAIN_NAME_LIMIT - 1
            )),
        }
    }
}

/// Checks the name of an interface. No interface of a kernel can have an invalid one
/// (`dev_valid_name` in net/core/dev.c). iptables accepts such names, some of them with a warning
/// (measured with 1.8.9). A `+` at the end matches any ending.
pub fn interface_name_problem(name: &str) -> Option<Problem> {
    // The kernel treats the byte 0xa0 as a blank, even within a character: it refuses `à`
    // (measured).
    let is_blank =
        |c: char| c.is_whitespace() || c.encode_utf8(&mut [0; 4]).as_bytes().contains(&0xa0);
    let why = match name {
        // The kernel accepts such names, but texts and terminals cannot carry them.
        _ if name.contains(char::is_control) => "contains a control character",
        _ if name.contains(is_blank) => "contains a blank",
        _ if name.contains('/') => "contains a `/`",
        "." | ".." => "is the name of a directory",
        _ if name.contains(':') => {
            let problem = Problem::new(
                Code::InterfaceLabel,
                format!("no interface has the name `{name}`: it contains a `:`"),
            );
            let (interface, _) = name.split_once(':').unwrap_or((name, ""));
            let hint = format!("`{name}` is the label of an address; write `{interface}`");
            return Some(problem.hint(hint));
        }
        _ => return None,
    };
    let problem = Problem::new(
        Code::InvalidInterface,
        format!(
            "invalid interface name `{}`: it {why}",
            escape_invisible(name)
        ),
    );
    Some(problem.hint("correct it: no interface can have this name"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::diagnostic::Severity;

    #[test]
    fn names_that_iptables_refuses_are_refused() {
        let faults = [
            ("", ChainNameFault::Empty),
            ("-v", ChainNameFault::LeadingSign),
            ("!x", ChainNameFault::LeadingSign),
            ("a b", ChainNameFault::Blank),
            ("a\u{a0}b", ChainNameFault::Blank),
            ("a\u{1b}", ChainNameFault::Control),
            ("abcdefghijklmnopqrstuvwxyz123", ChainNameFault::TooLong),
        ];
        for (name, fault) in faults {
            assert_eq!(chain_name_fault(name), Some(fault), "{name}");
        }
        for name in [
            "abcdefghijklmnopqrstuvwxyz12",
            "a!",
            "x\"y",
            "a/b",
            "é",
            "KUBE-SVC-X",
        ] {
            assert_eq!(chain_name_fault(name), None, "{name}");
        }
    }

    #[test]
    fn names_that_no_interface_has_are_refused() {
        let severity = |name| interface_name_problem(name).map(|problem| problem.severity);
        for name in [
            "a b", "a/b", ".", "..", "a\tb", "a\u{b}b", "a\u{1b}b", "à", " ", "a +", "a\u{a0}b",
        ] {
            assert_eq!(severity(name), Some(Severity::Error), "{name:?}");
        }
        assert_eq!(severity("eth0:1"), Some(Severity::Warning));
        for name in [
            "eth0",
            "+",
            "eth+",
            ".+",
            "..+",
            "a'b",
            "a\"b",
            "a\\b",
            "-x",
            "!",
            "é",
            "a%b",
            "123456789012345",
        ] {
            assert_eq!(severity(name), None, "{name}");
        }
    }
}
