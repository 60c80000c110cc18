//! `-j TTL` and `-j HL` (xt_HL.c): change the time to live of IPv4 and the hop limit of IPv6. A
//! packet whose number becomes 0 continues. Only a host that forwards it drops it.

use crate::iptables::extension::{Extension, Kind, Opt, Options};
use crate::iptables::table_name::TableName;
use crate::netfilter::effect::{Effect, TtlChange};
use crate::netfilter::ruleset::Value;
use crate::packet::Family;

/// The change, from the position of the option in both tables.
fn change(options: &Options) -> Option<TtlChange> {
    let part = options.parts.first()?;
    let Value::Number(number) = part.value else {
        return None;
    };
    let number = u8::try_from(number).ok()?;
    Some(match part.option {
        0 => TtlChange::Set(number),
        1 => TtlChange::Decrease(number),
        _ => TtlChange::Increase(number),
    })
}

fn lower(options: &Options) -> Effect {
    Effect::SetTtl(change(options).unwrap_or(TtlChange::Decrease(0)))
}

fn describe(options: &Options) -> String {
    let field = match options.ruleset.family {
        Family::Ipv4 => "time to live",
        Family::Ipv6 => "hop limit",
    };
    match change(options) {
        Some(TtlChange::Set(number)) => format!("set its {field} to {number}"),
        Some(TtlChange::Decrease(number)) => format!("take {number} from its {field}"),
        Some(TtlChange::Increase(number)) => format!("add {number} to its {field}"),
        None => format!("leave its {field} as it is"),
    }
}

const fn target(
    family: Family,
    name: &'static str,
    summary: &'static str,
    options: &'static [Opt],
) -> Extension {
    Extension {
        family: Some(family),
        tables: &[TableName::Mangle],
        ..Extension::acting(name, summary, options, lower, describe).asking()
    }
}

/// `-j TTL`.
pub static TTL: Extension = target(
    Family::Ipv4,
    "TTL",
    "changes the time to live",
    &[
        Opt::new("--ttl-set", Kind::Number(255)).excludes(&["--ttl-dec", "--ttl-inc"]),
        Opt::new("--ttl-dec", Kind::Between(1, 255)).excludes(&["--ttl-inc"]),
        Opt::new("--ttl-inc", Kind::Between(1, 255)),
    ],
)
.listed(
    "TTL",
    &[
        ("set to %", "--ttl-set %"),
        ("decrement by %", "--ttl-dec %"),
        ("increment by %", "--ttl-inc %"),
    ],
);

/// `-j HL`.
pub static HL: Extension = target(
    Family::Ipv6,
    "HL",
    "changes the hop limit",
    &[
        Opt::new("--hl-set", Kind::Number(255)).excludes(&["--hl-dec", "--hl-inc"]),
        Opt::new("--hl-dec", Kind::Between(1, 255)).excludes(&["--hl-inc"]),
        Opt::new("--hl-inc", Kind::Between(1, 255)),
    ],
)
.listed(
    "HL",
    &[
        ("set to %", "--hl-set %"),
        ("decrement by %", "--hl-dec %"),
        ("increment by %", "--hl-inc %"),
    ],
);
