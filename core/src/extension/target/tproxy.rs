//! `-j TPROXY` (xt_TPROXY.c): hands the packet to a local socket without changing it, and marks it for routing.

use std::net::IpAddr;

use crate::extension::kind::MarkForm;
use crate::extension::{Behaviour, Extension, Kind, Opt};
use crate::ruleset::{Hook, TableName, Value};
use crate::walk::effect::Action;

/// `-j TPROXY`. Without `--on-port` the packet's own port is taken; `--on-ip` 0.0.0.0 means the incoming interface's.
pub static TPROXY: Extension = Extension {
    tables: &[TableName::Mangle],
    hooks: &[Hook::Prerouting],
    ..Extension::acting(
        "TPROXY",
        "hands the packet to a local socket, unchanged",
        &[
            Opt::new("--on-port", Kind::Number(65535)),
            Opt::new("--on-ip", Kind::Address),
            Opt::new("--tproxy-mark", Kind::SetMark(MarkForm::Xor)),
        ],
        Behaviour::Redirects,
        |effects, options| {
            let address = match options.value("--on-ip") {
                Some(Value::Net4(address, _)) if !address.is_unspecified() => IpAddr::V4(*address),
                Some(Value::Net6(net)) if !net.0.is_unspecified() => IpAddr::V6(net.0),
                _ => effects.view.dst,
            };
            let port = match options.number("--on-port").and_then(|port| u16::try_from(port).ok()) {
                Some(port) if port != 0 => Some(port),
                _ => effects.view.dport,
            };
            if !effects.listens(port) {
                return Action::Drop;
            }
            if let Some((value, mask)) = options.masked("--tproxy-mark") {
                effects.view.mark = effects.view.mark & !mask ^ value;
            }
            effects.view.steered = Some((address, port));
            Action::Accept
        },
        |options| {
            let port = options.number("--on-port").unwrap_or(0);
            format!("hand it, unchanged, to the socket that listens on port {port}")
        },
    )
};
