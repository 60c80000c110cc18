//! `-j TEE` (xt_TEE.c): sends a copy to another host. The packet itself continues.

use std::net::IpAddr;

use crate::iptables::extension::{Extension, Given, Kind, ListingForm, Opt, Options};
use crate::netfilter::effect::Effect;
use crate::netfilter::ruleset::Value;
use crate::packet::Family;
use crate::text::diagnostic::{Code, Problem};

fn gateway(options: &Options) -> Option<IpAddr> {
    match options.value("--gateway")? {
        Value::Net4(address, _) => Some(IpAddr::V4(*address)),
        Value::Net6(net) => Some(IpAddr::V6(net.0)),
        _ => None,
    }
}

/// `tee_tg_check`.
fn check(given: &Given) -> Result<(), Problem> {
    let Some(gateway) = gateway(&given.options) else {
        return Ok(());
    };
    if gateway.is_unspecified() || Family::of_address(gateway) != given.family {
        return Err(Problem::new(
            Code::InvalidValue,
            format!("--gateway must be an {} address of a host", given.family),
        ));
    }
    Ok(())
}

/// `-j TEE`.
pub static TEE: Extension = Extension {
    listed: ListingForm::new("TEE", &[("gw:%", "--gateway %"), ("oif=%", "--oif %")]),
    check,
    ..Extension::acting(
        "TEE",
        "sends a copy to another host",
        &[
            Opt::new("--gateway", Kind::Address).required(),
            Opt::new("--oif", Kind::Interface),
        ],
        |options| Effect::Duplicate {
            gateway: gateway(options),
        },
        |options| {
            format!(
                "send a copy to {} and go on",
                options.printed("--gateway").unwrap_or_default()
            )
        },
    )
};
