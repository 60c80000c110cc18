//! `-j REJECT` (ipt_REJECT.c, ip6t_REJECT.c): drops the packet and tells its sender.

use crate::extension::kind::Names;
use crate::extension::{Behaviour, Extension, Implied, Kind, Opt, Options};
use crate::packet::Family;
use crate::ruleset::{Hook, TableName};
use crate::walk::effect::{Action, Effects};

fn apply(_: &mut Effects, options: &Options) -> Action {
    Action::Reject(options.printed("--reject-with").unwrap_or_default())
}

fn words(options: &Options) -> String {
    format!("reject it with {}", options.printed("--reject-with").unwrap_or_default())
}

const fn reject(family: Family, options: &'static [Opt], implied: &'static [Implied]) -> Extension {
    Extension {
        family: Some(family),
        tables: &[TableName::Filter],
        hooks: &[Hook::Input, Hook::Forward, Hook::Output],
        implied,
        ..Extension::acting("REJECT", "drops the packet and tells its sender", options, Behaviour::Ends, apply, words)
    }
}

const WITH4: Names = &[
    ("icmp-net-unreachable", 0),
    ("net-unreach", 0),
    ("icmp-host-unreachable", 1),
    ("host-unreach", 1),
    ("icmp-proto-unreachable", 2),
    ("proto-unreach", 2),
    ("icmp-port-unreachable", 3),
    ("port-unreach", 3),
    ("icmp-net-prohibited", 5),
    ("net-prohib", 5),
    ("icmp-host-prohibited", 6),
    ("host-prohib", 6),
    ("tcp-reset", 7),
    ("tcp-rst", 7),
    ("icmp-admin-prohibited", 8),
    ("admin-prohib", 8),
];

const WITH6: Names = &[
    ("icmp6-no-route", 0),
    ("no-route", 0),
    ("icmp6-adm-prohibited", 1),
    ("adm-prohibited", 1),
    ("icmp6-addr-unreachable", 3),
    ("addr-unreach", 3),
    ("icmp6-port-unreachable", 4),
    ("port-unreach", 4),
    ("tcp-reset", 5),
    ("icmp6-policy-fail", 6),
    ("policy-fail", 6),
    ("icmp6-reject-route", 7),
    ("reject-route", 7),
];

/// `-j REJECT` of iptables.
pub static REJECT4: Extension = reject(
    Family::Ipv4,
    &[Opt::new("--reject-with", Kind::OneOf(WITH4))],
    &[Implied::new("--reject-with", "icmp-port-unreachable")],
);

/// `-j REJECT` of ip6tables.
pub static REJECT6: Extension = reject(
    Family::Ipv6,
    &[Opt::new("--reject-with", Kind::OneOf(WITH6))],
    &[Implied::new("--reject-with", "icmp6-port-unreachable")],
);
