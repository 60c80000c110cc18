//! `-j REDIRECT` (xt_REDIRECT.c, nf_nat_redirect.c): redirects the connection to this host.
//!
//! In OUTPUT, the destination becomes 127.0.0.1 or ::1. In PREROUTING, it becomes the first address
//! of the incoming interface (for an IPv6 destination of less than global scope, the first address
//! of that scope). If the interface has no such address, the packet is dropped. The source does not
//! change.

use super::nat;
use crate::iptables::extension::{Extension, Kind, ListingForm, Opt};
use crate::iptables::table_name::TableName;
use crate::netfilter::effect::Effect;
use crate::netfilter::ruleset::Value;
use crate::packet::fields::SearchWord;
use crate::packet::hook::Hook;

/// `-j REDIRECT`.
pub static REDIRECT: Extension = Extension {
    listed: ListingForm::new("", &[("redir ports %", "--to-ports %")]),
    tables: &[TableName::Nat],
    tracks: true,
    hooks: &[Hook::Prerouting, Hook::Output],
    check: nat::check,
    ..Extension::acting(
        "REDIRECT",
        "redirects the packet to this host",
        &[
            Opt::new("--to-ports", Kind::Own(&nat::TO_PORTS))
                .found_by(SearchWord::Port)
                .or(&["--to-port"]),
            Opt::new("--random", Kind::Flag),
        ],
        |options| {
            let ports = match options.value("--to-ports") {
                Some(&Value::Range(low, high)) => {
                    u16::try_from(low).ok().zip(u16::try_from(high).ok())
                }
                _ => None,
            };
            Effect::Redirect {
                ports,
                choice: nat::choice(options),
            }
        },
        |options| match options.printed("--to-ports") {
            Some(port) => format!("redirect it to port {port} of this host"),
            None => "redirect it to the same port of this host".into(),
        },
    )
};
