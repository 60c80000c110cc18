//! The five tables of iptables: their names, their built-in chains, and the points at which the
//! kernel evaluates them.

use serde::{Deserialize, Serialize};
use strum::{Display, EnumString, IntoStaticStr};

use crate::netfilter::backend::Backend;
use crate::netfilter::base::{BaseChain, ChainType, nat_priority, priority};
use crate::netfilter::rule_language::RuleLanguage;
use crate::netfilter::ruleset::{Policy, Ruleset, Table};
use crate::packet::Family;
use crate::packet::hook::Hook;

/// The five tables of iptables.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    Hash,
    PartialOrd,
    Ord,
    Deserialize,
    Serialize,
    Display,
    EnumString,
    IntoStaticStr,
)]
#[serde(rename_all = "lowercase")]
#[strum(serialize_all = "lowercase")]
pub enum TableName {
    /// Runs before connection tracking.
    Raw,
    /// Changes packets.
    Mangle,
    /// Translates addresses for the first packet of a connection.
    Nat,
    /// Accepts or drops packets.
    Filter,
    /// Sets labels for SELinux and similar systems.
    Security,
}

/// The priority of table security of iptables-nft (`xtables_ipv4` in iptables/nft.c; measured).
const SECURITY_NFT: i32 = 150;

impl TableName {
    /// All five, in the order of evaluation at a hook. With nft, `nat` precedes `security` at
    /// INPUT.
    pub const ALL: [Self; 5] = [
        Self::Raw,
        Self::Mangle,
        Self::Nat,
        Self::Filter,
        Self::Security,
    ];

    /// The name after `*` and `-t`.
    pub fn name(self) -> &'static str {
        self.into()
    }

    /// The table with this name.
    pub fn from_text(text: &str) -> Option<Self> {
        text.parse().ok()
    }

    /// The hooks that have a built-in chain in this table (`iptable_*.c`, `valid_hooks`).
    pub fn hooks(self) -> &'static [Hook] {
        match self {
            Self::Raw => &[Hook::Prerouting, Hook::Output],
            Self::Mangle => &Hook::ALL,
            Self::Nat => &[
                Hook::Prerouting,
                Hook::Input,
                Hook::Output,
                Hook::Postrouting,
            ],
            Self::Filter | Self::Security => &[Hook::Input, Hook::Forward, Hook::Output],
        }
    }

    /// A table without chains. `line` is the line of `*name`, from 1.
    pub fn empty_table(self, family: Family, line: u32) -> Table {
        Table {
            family: family.into(),
            name: self.name().into(),
            language: RuleLanguage::Iptables,
            line,
            chains: Vec::new(),
        }
    }
}

impl Table {
    /// The name of the table; `None` for a table of nft.
    pub fn iptables(&self) -> Option<TableName> {
        match self.language {
            RuleLanguage::Iptables => TableName::from_text(&self.name),
            RuleLanguage::Nftables => None,
        }
    }

    /// Whether it is this table of iptables.
    pub fn is(&self, name: TableName) -> bool {
        self.language == RuleLanguage::Iptables && *self.name == *name.name()
    }
}

impl Ruleset {
    /// The table with this name.
    pub fn table(&self, name: TableName) -> Option<&Table> {
        self.tables.iter().find(|table| table.is(name))
    }

    /// The position of the table with this name, from 0.
    pub fn table_place(&self, name: TableName) -> Option<u32> {
        (0..)
            .zip(&self.tables)
            .find(|(_, table)| table.is(name))
            .map(|(place, _)| place)
    }

    /// Sets the backend and the priorities that depend on it.
    pub fn set_backend(&mut self, backend: Option<Backend>) {
        self.backend = backend;
        for table in &mut self.tables {
            let Some(name) = table.iptables() else {
                continue;
            };
            for base in table
                .chains
                .iter_mut()
                .filter_map(|chain| chain.base.as_mut())
            {
                base.priority = BaseChain::built_in(name, base.hook, backend).priority;
            }
        }
    }
}

impl BaseChain {
    /// The built-in chain of a table of iptables at a hook, with policy ACCEPT. If the backend is
    /// unknown, the priorities are those of iptables-legacy.
    pub fn built_in(table: TableName, hook: Hook, backend: Option<Backend>) -> Self {
        let (kind, priority) = match table {
            TableName::Raw => (ChainType::Filter, priority::RAW),
            TableName::Mangle if hook == Hook::Output => (ChainType::Route, priority::MANGLE),
            TableName::Mangle => (ChainType::Filter, priority::MANGLE),
            TableName::Nat => (ChainType::Nat, nat_priority(hook)),
            TableName::Filter => (ChainType::Filter, priority::FILTER),
            TableName::Security if backend == Some(Backend::Nft) => {
                (ChainType::Filter, SECURITY_NFT)
            }
            TableName::Security => (ChainType::Filter, priority::SECURITY),
        };
        Self {
            kind,
            hook,
            priority,
            policy: Policy::Accept,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::netfilter::table_family::TableFamily;

    #[test]
    fn a_table_of_nft_is_none_of_the_five_whatever_its_name_is() {
        let own = TableName::Nat.empty_table(Family::Ipv6, 1);
        assert_eq!(
            (own.family, own.iptables(), &*own.label()),
            (TableFamily::Ip6, Some(TableName::Nat), "nat")
        );
        let native = Table {
            language: RuleLanguage::Nftables,
            ..own
        };
        assert_eq!((native.iptables(), &*native.label()), (None, "ip6 nat"));
        assert!(!native.is(TableName::Nat));
    }
}
