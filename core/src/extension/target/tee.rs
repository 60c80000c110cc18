//! `-j TEE` (xt_TEE.c): sends a copy to another host; the packet itself goes on.

use std::net::IpAddr;

use crate::diagnostic::Problem;
use crate::extension::{Behaviour, Extension, Given, Kind, Listed, Opt};
use crate::packet::Family;
use crate::ruleset::Value;
use crate::walk::effect::Action;

/// `tee_tg_check`.
fn check(given: &Given) -> Result<(), Problem> {
    let gateway = match given.options.value("--gateway") {
        Some(Value::Net4(address, _)) => IpAddr::V4(*address),
        Some(Value::Net6(net)) => IpAddr::V6(net.0),
        _ => return Ok(()),
    };
    if gateway.is_unspecified() || Family::of(gateway) != given.family {
        return Err(Problem::new(format!("--gateway must be an {} address of a host", given.family)));
    }
    Ok(())
}

/// `-j TEE`.
pub static TEE: Extension = Extension {
    listed: Listed::new("TEE", &[("gw:%", "--gateway %"), ("oif=%", "--oif %")]),
    check,
    ..Extension::acting(
        "TEE",
        "sends a copy to another host",
        &[Opt::new("--gateway", Kind::Address).required(), Opt::new("--oif", Kind::Interface)],
        Behaviour::Observes,
        |effects, options| {
            let gateway = options.printed("--gateway").unwrap_or_default();
            effects.doubt(format!("the copy that TEE sends to {gateway} is not walked"));
            Action::Continue
        },
        |options| format!("send a copy to {} and go on", options.printed("--gateway").unwrap_or_default()),
    )
};
