//! The languages that rules are written in.

/// The language of the rules of a table. It determines the meaning of the clauses and the name of
/// the table in sentences.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RuleLanguage {
    /// iptables and ip6tables, of both backends.
    Iptables,
    /// nft.
    Nftables,
}
