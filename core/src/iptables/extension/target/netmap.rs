//! `-j NETMAP` (xt_NETMAP.c): replaces the network part of an address and keeps the host part. It
//! changes the destination in PREROUTING and OUTPUT, otherwise the source.

use std::net::Ipv4Addr;

use crate::iptables::extension::kind::ValueForm;
use crate::iptables::extension::kind::host::HOST;
use crate::iptables::extension::{Extension, Kind, ListingForm, Opt};
use crate::iptables::table_name::TableName;
use crate::netfilter::effect::Effect;
use crate::netfilter::ruleset::{CompactBox, Value};

/// A network. Its host part is ignored (`NETMAP_parse` in libipt_NETMAP.c).
static NETWORK: ValueForm = ValueForm {
    words: 1,
    read: |words, ruleset| {
        Ok(match (HOST.read)(words, ruleset)? {
            Value::Net4(address, mask) => {
                Value::Net4((address.to_bits() & mask.to_bits()).into(), mask)
            }
            Value::Net6(net) => Value::Net6(CompactBox::new((
                (net.0.to_bits() & net.1.to_bits()).into(),
                net.1,
            ))),
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
    listed: ListingForm::new("", &[("to:%", "--to %")]),
    tables: &[TableName::Nat],
    tracks: true,
    ..Extension::acting(
        "NETMAP",
        "replaces the network part of an address",
        &[Opt::new("--to", Kind::Own(&NETWORK)).required()],
        |options| match options.value("--to") {
            Some(Value::Net4(network, mask)) => Effect::Netmap {
                network: (*network).into(),
                mask: (*mask).into(),
            },
            Some(Value::Net6(net)) => Effect::Netmap {
                network: net.0.into(),
                mask: net.1.into(),
            },
            _ => Effect::Netmap {
                network: Ipv4Addr::UNSPECIFIED.into(),
                mask: Ipv4Addr::UNSPECIFIED.into(),
            },
        },
        |options| {
            format!(
                "move its address into {}",
                options.printed("--to").unwrap_or_default()
            )
        },
    )
};
