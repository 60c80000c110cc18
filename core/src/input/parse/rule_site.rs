//! The table that a rule is parsed for.

use crate::iptables::table_name::TableName;

use super::chain_index::ChainIndex;

/// The table that a rule is parsed for.
#[derive(Clone, Copy)]
pub(super) struct RuleSite<'r> {
    /// The position of its table.
    pub(super) table: usize,
    /// The name of the table.
    pub(super) name: TableName,
    /// The chains of the table by name.
    pub(super) chains: &'r ChainIndex,
    /// Whether iptables printed the text, so that a number stays a number even if it has a name.
    pub(super) printed: bool,
}
