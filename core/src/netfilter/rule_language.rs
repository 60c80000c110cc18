//! The languages that rules are written in.

/// The language that the rules of a table are written in. It determines what the clauses of the
/// rules mean, and how the table is named.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RuleLanguage {
    /// iptables and ip6tables, of both backends.
    Iptables,
    /// nft.
    Nftables,
}
