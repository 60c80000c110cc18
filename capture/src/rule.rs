//! Policy routing rules, from the kernel's `linux/fib_rules.h`.

use std::io;
use std::net::IpAddr;

use chainwalk_core::packet::Family;
use chainwalk_core::packet::host::{Prefix, RoutingRule};

use crate::netlink::{Netlink, address, attributes, text, u32_at};
use crate::route::{family, unspecified};

const RTM_NEWRULE: u16 = 32;
const RTM_GETRULE: u16 = 34;
/// `struct fib_rule_hdr`: family, length of destination and source, TOS, table, two spare, action;
/// flags.
const HEADER: usize = 12;
const FIB_RULE_INVERT: u32 = 0x2;
const FR_ACT_TO_TBL: u8 = 1;
const FRA_DST: u16 = 1;
const FRA_SRC: u16 = 2;
const FRA_IIFNAME: u16 = 3;
const FRA_PRIORITY: u16 = 6;
const FRA_FWMARK: u16 = 10;
const FRA_SUPPRESS_IFGROUP: u16 = 13;
const FRA_SUPPRESS_PREFIXLEN: u16 = 14;
const FRA_TABLE: u16 = 15;
const FRA_FWMASK: u16 = 16;
const FRA_PAD: u16 = 18;
/// The creator of the rule.
const FRA_PROTOCOL: u16 = 21;
/// The value of the attribute if it is not set.
const NO_SUPPRESSION: u32 = u32::MAX;

const RT_TABLE_DEFAULT: u32 = 253;
const RT_TABLE_MAIN: u32 = 254;
const RT_TABLE_LOCAL: u32 = 255;
/// The rules that every namespace has at the start. The capture's format implies the first two, and
/// the table of the third is empty.
const IMPLIED: [(u32, u32); 3] = [
    (0, RT_TABLE_LOCAL),
    (32766, RT_TABLE_MAIN),
    (32767, RT_TABLE_DEFAULT),
];

/// Lists the rules of a family by priority, without those that are implied.
pub(crate) fn rules(
    netlink: &mut Netlink,
    number: u8,
    warnings: &mut Vec<String>,
) -> io::Result<Vec<RoutingRule>> {
    let mut header = [0; HEADER];
    header[0] = number;
    let mut rules = Vec::new();
    for message in netlink.dump(RTM_GETRULE, &header)? {
        if message.kind != RTM_NEWRULE || message.body.first() != Some(&number) {
            continue;
        }
        match parse_rule(&message.body) {
            Ok(Some(rule)) => rules.push(rule),
            Ok(None) => {}
            Err(reason) => warnings.push(reason),
        }
    }
    if let Some(family) = family(number).filter(|_| !rules.is_empty()) {
        without_implied(family, &mut rules, warnings);
    }
    Ok(rules)
}

/// Removes the implied rules. Warns if an implied rule does not exist.
fn without_implied(family: Family, rules: &mut Vec<RoutingRule>, warnings: &mut Vec<String>) {
    for (priority, table) in IMPLIED {
        let implied = RoutingRule {
            family: Some(family),
            table: Some(table),
            priority: Some(priority),
            ..RoutingRule::default()
        };
        let before = rules.len();
        rules.retain(|rule| *rule != implied);
        // IPv6 has no rule for the default table.
        if rules.len() == before && table != RT_TABLE_DEFAULT {
            warnings.push(format!(
                "the {family} routing rule `{priority}: from all lookup {}` is missing here, but a walk implies it",
                if table == RT_TABLE_LOCAL { "local" } else { "main" }
            ));
        }
    }
}

/// Parses one rule: `None` for a rule of another family, an error for a rule that the format cannot
/// represent.
fn parse_rule(body: &[u8]) -> Result<Option<RoutingRule>, String> {
    let Some(([number, dst_length, src_length, tos, table, _, _, action], flags)) =
        body.first_chunk::<8>().copied().zip(u32_at(body, 8))
    else {
        return Ok(None);
    };
    let Some(family) = family(number) else {
        return Ok(None);
    };
    let mut rule = RoutingRule {
        family: Some(family),
        not: flags & FIB_RULE_INVERT != 0,
        table: Some(u32::from(table)),
        priority: Some(0),
        ..RoutingRule::default()
    };
    // A prefix of length 0 has no address attribute and matches every address.
    let prefix = |address: Option<IpAddr>, length: u8| {
        let address = address.unwrap_or(unspecified(family));
        (length != 0).then_some(Prefix {
            address,
            length: length.min(family.bits()),
        })
    };
    let (mut dst, mut src) = (None, None);
    let mut unsayable = Vec::new();
    for (attribute, value) in attributes(body, HEADER) {
        match attribute {
            FRA_DST => dst = address(value),
            FRA_SRC => src = address(value),
            FRA_IIFNAME => rule.iif = Some(text(value)),
            FRA_PRIORITY => rule.priority = u32_at(value, 0),
            FRA_FWMARK => rule.fwmark = u32_at(value, 0),
            FRA_FWMASK => rule.mask = u32_at(value, 0),
            FRA_TABLE => rule.table = u32_at(value, 0),
            FRA_PAD | FRA_PROTOCOL => {}
            FRA_SUPPRESS_IFGROUP | FRA_SUPPRESS_PREFIXLEN
                if u32_at(value, 0) == Some(NO_SUPPRESSION) => {}
            other => unsayable.push(condition(other)),
        }
    }
    rule.to = prefix(dst, dst_length);
    rule.from = prefix(src, src_length);
    // The kernel omits a mark of 0 next to its mask.
    if rule.mask.is_some() {
        rule.fwmark = rule.fwmark.or(Some(0));
    }
    if tos != 0 {
        unsayable.push("a TOS".into());
    }
    if action != FR_ACT_TO_TBL {
        unsayable.push("an action other than looking in a table".into());
    }
    if unsayable.is_empty() {
        return Ok(Some(rule));
    }
    let priority = rule.priority.unwrap_or_default();
    Err(format!(
        "the {family} routing rule of priority {priority} is left out: it has {}",
        unsayable.join(" and ")
    ))
}

/// The condition of an attribute, in the words of `ip rule`.
fn condition(attribute: u16) -> String {
    match attribute {
        4 => "a goto".into(),
        11 => "a realm".into(),
        12 => "a tunnel id".into(),
        FRA_SUPPRESS_IFGROUP => "suppress_ifgroup".into(),
        FRA_SUPPRESS_PREFIXLEN => "suppress_prefixlength".into(),
        17 => "an outgoing interface".into(),
        19 => "l3mdev".into(),
        20 => "a range of user ids".into(),
        22 => "a protocol".into(),
        23 | 28 => "a source port".into(),
        24 | 29 => "a destination port".into(),
        25 | 30 => "a DSCP".into(),
        26 | 27 => "a flow label".into(),
        other => format!("a condition unknown here (attribute {other})"),
    }
}

#[cfg(test)]
#[cfg(target_endian = "little")] // the recorded messages are
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::netlink::recorded;

    const LOCAL: &str = "02000000ff0000010000000008000f00ff00000008000e00ffffffff0500150002000000";
    const MAIN: &str =
        "02000000fe0000010000000008000f00fe00000008000e00ffffffff050015000200000008000600fe7f0000";
    const DEFAULT: &str =
        "02000000fd0000010000000008000f00fd00000008000e00ffffffff050015000200000008000600ff7f0000";
    const MARK: &str = "02000000850000010000000008000f008500000008000e00ffffffff050015000000000008000600fd7f000008000a00\
                        3905000008001000ffffffff";

    fn rule(hex: &str) -> RoutingRule {
        parse_rule(&recorded(hex))
            .expect("the format can state it")
            .expect("it is IPv4 or IPv6")
    }

    fn plain(table: u32, priority: u32) -> RoutingRule {
        RoutingRule {
            family: Some(Family::Ipv4),
            table: Some(table),
            priority: Some(priority),
            ..RoutingRule::default()
        }
    }

    #[test]
    fn a_mark_as_tproxy_wants_it() {
        let expected = RoutingRule {
            fwmark: Some(1337),
            mask: Some(u32::MAX),
            ..plain(133, 32765)
        };
        assert_eq!(rule(MARK), expected);
    }

    #[test]
    fn every_selector_that_the_format_knows() {
        let hex = "02100800fc0000010200000008000f007011010008000e00ffffffff050015000000000009000300657468300000000008000600\
                   6400000008001000ff000000080001000a010000080002000a000000";
        let expected = RoutingRule {
            fwmark: Some(0),
            mask: Some(0xff),
            from: Some("10.0.0.0/8".parse().expect("valid")),
            to: Some("10.1.0.0/16".parse().expect("valid")),
            iif: Some("eth0".into()),
            not: true,
            ..plain(70000, 100)
        };
        assert_eq!(rule(hex), expected);
    }

    #[test]
    fn the_rules_of_every_namespace_are_implied() {
        let mut warnings = Vec::new();
        let mut rules = [LOCAL, MARK, MAIN, DEFAULT].map(rule).to_vec();
        without_implied(Family::Ipv4, &mut rules, &mut warnings);
        assert_eq!(rules, [rule(MARK)]);
        assert_eq!(warnings, [""; 0]);
    }

    #[test]
    fn a_moved_local_rule_is_said() {
        // As Cilium does.
        let (mut warnings, mut rules) = (Vec::new(), vec![plain(RT_TABLE_LOCAL, 100), rule(MAIN)]);
        without_implied(Family::Ipv4, &mut rules, &mut warnings);
        assert_eq!(rules, [plain(RT_TABLE_LOCAL, 100)]);
        let expected = "the IPv4 routing rule `0: from all lookup local` is missing here, but a walk implies it";
        assert_eq!(warnings, [expected]);
    }

    #[test]
    fn what_the_format_cannot_state_is_left_out_and_said() {
        let suppressed = "02000000fe0000010000000008000f00fe00000008000e000000000005001500000000000800060062000000";
        let users = "02000000850000010000000008000f008500000008000e00ffffffff050015000000000008000600630000000c00140005000000\
                     06000000";
        let blackhole = MAIN.replace("fe00000100000000", "fe00000600000000");
        for (hex, priority, reason) in [
            (suppressed, 98, "suppress_prefixlength"),
            (users, 99, "a range of user ids"),
            (&blackhole, 32766, "an action other than looking in a table"),
        ] {
            let expected = format!(
                "the IPv4 routing rule of priority {priority} is left out: it has {reason}"
            );
            assert_eq!(parse_rule(&recorded(hex)), Err(expected));
        }
    }

    proptest! {
        #[test]
        fn no_bytes_make_the_reader_panic(mut bytes: Vec<u8>, six: bool) {
            if let Some(family) = bytes.first_mut() {
                *family = if six { 10 } else { 2 };
            }
            let _ = parse_rule(&bytes);
        }
    }
}
