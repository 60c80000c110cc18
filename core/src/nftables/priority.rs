//! The names of priorities (nft(8), "CHAINS").

use crate::netfilter::table_family::TableFamily;

/// The names and numbers for packets of IPv4 and IPv6 (`std_prios` in nftables' `src/rule.c`).
const PRIORITIES: [(&str, i32); 6] = [
    ("raw", -300),
    ("mangle", -150),
    ("dstnat", -100),
    ("filter", 0),
    ("security", 50),
    ("srcnat", 100),
];

/// The names and numbers in family bridge (`bridge_std_prios`).
const BRIDGE_PRIORITIES: [(&str, i32); 4] = [
    ("dstnat", -300),
    ("filter", -200),
    ("out", 100),
    ("srcnat", 300),
];

/// The greatest offset for which nft prints a name: `filter - 10`.
const MAX_OFFSET: i32 = 10;

/// The names that a family knows.
fn names(family: TableFamily) -> &'static [(&'static str, i32)] {
    match family {
        TableFamily::Bridge => &BRIDGE_PRIORITIES,
        TableFamily::Ip | TableFamily::Ip6 | TableFamily::Inet => &PRIORITIES,
        TableFamily::Arp | TableFamily::Netdev => &PRIORITIES[3..4],
    }
}

/// The number of a name.
pub(super) fn number(family: TableFamily, name: &str) -> Option<i32> {
    let found = names(family).iter().find(|(known, _)| *known == name)?;
    Some(found.1)
}

/// Prints a priority as nft 1.1 does: by the name of a number nearby.
pub(super) fn print(priority: i32, family: TableFamily, hook: &str) -> String {
    let is_near = |number: i32| i64::from(priority).abs_diff(number.into()) <= 10;
    let near = names(family).iter().find(|(_, number)| is_near(*number));
    let Some((name, number)) = near.filter(|(name, _)| is_named_at(name, family, hook)) else {
        return priority.to_string();
    };
    match priority - number {
        0 => (*name).to_owned(),
        offset @ 1..=MAX_OFFSET => format!("{name} + {offset}"),
        offset => format!("{name} - {}", -offset),
    }
}

/// Whether a name exists at a hook (`std_prio_family_hook_compat`).
fn is_named_at(name: &str, family: TableFamily, hook: &str) -> bool {
    match (name, family) {
        ("dstnat", TableFamily::Bridge) => hook == "prerouting",
        ("out", _) => hook == "output",
        ("dstnat", _) => matches!(hook, "prerouting" | "output"),
        ("srcnat", _) => hook == "postrouting",
        _ => true,
    }
}
