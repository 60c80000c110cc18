//! `-j NETMAP` (xt_NETMAP.c): exchanges the network part of an address and keeps the host part; the destination on the
//! way in, the source on the way out.

use std::net::IpAddr;

use crate::extension::kind::Form;
use crate::extension::kind::host::HOST;
use crate::extension::{Behaviour, Extension, Kind, Listed, Opt};
use crate::ruleset::{Apart, Hook, NatRange, TableName, Value};
use crate::walk::effect::Action;

/// A network, of which the host part does not count (`NETMAP_parse` in libipt_NETMAP.c).
static NETWORK: Form = Form {
    words: 1,
    read: |words, ruleset| {
        Ok(match (HOST.read)(words, ruleset)? {
            Value::Net4(address, mask) => Value::Net4((address.to_bits() & mask.to_bits()).into(), mask),
            Value::Net6(net) => Value::Net6(Apart::new(((net.0.to_bits() & net.1.to_bits()).into(), net.1))),
            other => other,
        })
    },
    write: |value, ruleset, out| {
        // Writing to a string cannot fail.
        let _ = Kind::Network.write(value, ruleset, out);
    },
    examples: HOST.examples,
};

/// `-j NETMAP`.
pub static NETMAP: Extension = Extension {
    listed: Listed::new("", &[("to:%", "--to %")]),
    tables: &[TableName::Nat],
    tracks: true,
    ..Extension::acting(
        "NETMAP",
        "exchanges the network part of an address",
        &[Opt::new("--to", Kind::Own(&NETWORK)).required()],
        Behaviour::Redirects,
        |effects, options| {
            let Some(to) = options.value("--to") else { return Action::Accept };
            let inward = matches!(effects.view.hook, Hook::Prerouting | Hook::Output);
            let old = if inward { effects.view.dst } else { effects.view.src };
            let Some(new) = mapped(old, to) else { return Action::Accept };
            let range = NatRange { addresses: Some((new, new)), ports: None, base: None };
            match inward {
                true => effects.translate_destination(&range, options),
                false => effects.translate_source(&range, options),
            }
            Action::Accept
        },
        |options| format!("move its address into {}", options.printed("--to").unwrap_or_default()),
    )
};

/// The host part of `old` in the network `to`; `None` for an address of the other family.
fn mapped(old: IpAddr, to: &Value) -> Option<IpAddr> {
    match (old, to) {
        (IpAddr::V4(old), Value::Net4(network, mask)) => {
            Some(IpAddr::V4((old.to_bits() & !mask.to_bits() | network.to_bits()).into()))
        }
        (IpAddr::V6(old), Value::Net6(net)) => {
            Some(IpAddr::V6((old.to_bits() & !net.1.to_bits() | net.0.to_bits()).into()))
        }
        _ => None,
    }
}
