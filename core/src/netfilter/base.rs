//! Base chains: where the chains of tables are attached to the packet's path.

use strum::IntoStaticStr;

use crate::packet::hook::Hook;

/// The verdict of a base chain for packets that none of its rules decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq, IntoStaticStr)]
#[strum(serialize_all = "UPPERCASE")]
pub enum Policy {
    /// The packet continues.
    Accept,
    /// The kernel drops the packet.
    Drop,
}

/// The type of a base chain. The kernel evaluates the three types at different times.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChainType {
    /// Evaluated for every packet.
    Filter,
    /// Evaluated for the first packet of a connection, inside the hook's nat station.
    Nat,
    /// Evaluated for every packet. In OUTPUT, a change of addresses or marks leads to a new routing
    /// decision.
    Route,
}

/// The place of a base chain. At a hook, the kernel evaluates the base chains of all tables by
/// ascending priority.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BaseChain {
    /// The type, which limits the effects of the chain.
    pub kind: ChainType,
    /// The hook that it is attached to.
    pub hook: Hook,
    /// Its position among the base chains of the hook: lower is earlier.
    pub priority: i32,
    /// The verdict for a packet that reaches the end of the chain.
    pub policy: Policy,
}

impl BaseChain {
    /// The point of the packet's path at which the chain runs. All nat chains of a hook run at one
    /// point, so their own priorities do not count.
    pub fn station(self) -> (Hook, ChainType, i32) {
        let priority = if self.kind == ChainType::Nat {
            nat_priority(self.hook)
        } else {
            self.priority
        };
        (self.hook, self.kind, priority)
    }
}

/// The priorities of stations that are not chains (`nf_ip_hook_priorities` in netfilter_ipv4.h).
pub mod priority {
    /// Connection tracking in PREROUTING and OUTPUT (`NF_IP_PRI_CONNTRACK`).
    pub const CONNTRACK: i32 = -200;
    /// Translation of destinations, in PREROUTING and OUTPUT (`NF_IP_PRI_NAT_DST`).
    pub const NAT_DST: i32 = -100;
    /// Translation of sources, in INPUT and POSTROUTING (`NF_IP_PRI_NAT_SRC`).
    pub const NAT_SRC: i32 = 100;
    /// Table raw (`NF_IP_PRI_RAW`).
    pub const RAW: i32 = -300;
    /// Table mangle (`NF_IP_PRI_MANGLE`).
    pub const MANGLE: i32 = -150;
    /// Table filter (`NF_IP_PRI_FILTER`).
    pub const FILTER: i32 = 0;
    /// Table security of iptables-legacy (`NF_IP_PRI_SECURITY`).
    pub const SECURITY: i32 = 50;
}

/// The priority of the nat station of a hook. All nat chains of a hook run at this point, so their
/// own priorities do not count (`nf_nat_register_fn` in nf_nat_core.c; measured).
pub fn nat_priority(hook: Hook) -> i32 {
    match hook {
        Hook::Prerouting | Hook::Output => priority::NAT_DST,
        Hook::Input | Hook::Forward | Hook::Postrouting => priority::NAT_SRC,
    }
}
