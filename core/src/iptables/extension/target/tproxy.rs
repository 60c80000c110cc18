//! `-j TPROXY` (xt_TPROXY.c): delivers the packet to a local socket without changing it, and marks
//! it for routing.

use std::net::IpAddr;

use super::nat;
use crate::iptables::extension::kind::MarkForm;
use crate::iptables::extension::{Extension, Kind, ListingForm, Opt, Options};
use crate::iptables::table_name::TableName;
use crate::netfilter::effect::Effect;
use crate::netfilter::ruleset::Value;
use crate::packet::fields::SearchWord;
use crate::packet::hook::Hook;
use crate::packet::{Family, Protocol};

/// All three options are always printed.
fn print(options: &Options, out: &mut String) {
    let any = match options.ruleset.family {
        Family::Ipv4 => "0.0.0.0",
        Family::Ipv6 => "::",
    };
    for (flag, default) in [
        ("--on-port", "0"),
        ("--on-ip", any),
        ("--tproxy-mark", "0x0/0x0"),
    ] {
        let value = options.printed(flag);
        for text in [" ", flag, " ", value.as_deref().unwrap_or(default)] {
            out.push_str(text);
        }
    }
}

fn lower(options: &Options) -> Effect {
    let address = match options.value("--on-ip") {
        Some(Value::Net4(address, _)) if !address.is_unspecified() => Some(IpAddr::V4(*address)),
        Some(Value::Net6(net)) if !net.0.is_unspecified() => Some(IpAddr::V6(net.0)),
        _ => None,
    };
    let port = options
        .number("--on-port")
        .and_then(|port| u16::try_from(port).ok())
        .filter(|port| *port != 0);
    Effect::TransparentProxy {
        address,
        port,
        mark: options.masked("--tproxy-mark").map(Into::into),
    }
}

/// `-j TPROXY`. Without `--on-port`, the socket has the packet's destination port. `--on-ip`
/// 0.0.0.0 means an address of the incoming interface.
pub static TPROXY: Extension = Extension {
    listed: ListingForm::new(
        "TPROXY redirect",
        &[("%:% mark %", "--on-ip % --on-port % --tproxy-mark %")],
    ),
    tables: &[TableName::Mangle],
    protocols: &[Protocol::TCP, Protocol::UDP],
    print: Some(print),
    hooks: &[Hook::Prerouting],
    ..Extension::acting(
        "TPROXY",
        "delivers the packet to a local socket, unchanged",
        &[
            Opt::new("--on-port", Kind::Own(&nat::PORT))
                .found_by(SearchWord::Port)
                .required(),
            Opt::new("--on-ip", Kind::Address),
            Opt::new("--tproxy-mark", Kind::SetMark(MarkForm::Xor)).found_by(SearchWord::Mark),
        ],
        lower,
        |options| {
            let port = options.number("--on-port").unwrap_or(0);
            format!("hand it, unchanged, to the socket that listens on port {port}")
        },
    )
};
