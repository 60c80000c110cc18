//! `-j REJECT` (ipt_REJECT.c, ip6t_REJECT.c): drops the packet and sends an error to its sender.

use crate::iptables::extension::kind::{Names, ValueForm};
use crate::iptables::extension::{Extension, Given, Implied, Kind, Opt, Options};
use crate::iptables::table_name::TableName;
use crate::netfilter::effect::Effect;
use crate::netfilter::ruleset::Value;
use crate::packet::hook::Hook;
use crate::packet::{Family, Protocol};
use crate::text::diagnostic::{Code, Problem};

fn lower(options: &Options) -> Effect {
    let names = if options.ruleset.family == Family::Ipv4 {
        WITH4
    } else {
        WITH6
    };
    Effect::Reject {
        with: options
            .number("--reject-with")
            .and_then(|number| name(names, number))
            .unwrap_or(""),
    }
}

/// The first name of a kind of answer, which iptables prints.
fn name(names: Names, number: u32) -> Option<&'static str> {
    names
        .iter()
        .find(|(_, own)| *own == number)
        .map(|(name, _)| *name)
}

fn describe(options: &Options) -> String {
    format!(
        "reject it with {}",
        options.printed("--reject-with").unwrap_or_default()
    )
}

/// `reject_tg_check`, `reject_tg6_check`.
fn check(given: &Given) -> Result<(), Problem> {
    let reset = given
        .options
        .printed("--reject-with")
        .is_some_and(|with| with == "tcp-reset");
    match reset && given.protocol != Some(Protocol::TCP) {
        true => Err(Problem::new(
            Code::MissingProtocol,
            "--reject-with tcp-reset needs -p tcp",
        )
        .hint("add it: the kernel requires it")),
        false => Ok(()),
    }
}

/// Parses a name in any case. A name may be abbreviated; the first match counts.
fn parse_answer(names: Names, word: &str) -> Result<Value, Problem> {
    let begins = |name: &str| {
        name.get(..word.len())
            .is_some_and(|start| start.eq_ignore_ascii_case(word))
    };
    match names.iter().find(|(name, _)| begins(name)) {
        Some((_, number)) => Ok(Value::Number(*number)),
        None => {
            let known: Vec<&str> = names.iter().map(|(name, _)| *name).collect();
            Err(
                Problem::new(Code::InvalidValue, format!("unknown value `{word}`"))
                    .hint(format!("use one of {}", known.join(", "))),
            )
        }
    }
}

fn write(names: Names, value: &Value, out: &mut String) {
    let named = names
        .iter()
        .find(|(_, number)| *value == Value::Number(*number));
    out.push_str(named.map_or("", |(name, _)| name));
}

static FORM4: ValueForm = ValueForm {
    words: 1,
    read: |words, _| parse_answer(WITH4, words[0]),
    write: |value, _, out| write(WITH4, value, out),
    examples: &["icmp-host-unreachable", "host-prohib", "ICMP-ADMIN"],
};

static FORM6: ValueForm = ValueForm {
    words: 1,
    read: |words, _| parse_answer(WITH6, words[0]),
    write: |value, _, out| write(WITH6, value, out),
    examples: &["icmp6-addr-unreachable", "no-route", "ICMP6-ADM"],
};

const fn reject(family: Family, options: &'static [Opt], implied: &'static [Implied]) -> Extension {
    Extension {
        family: Some(family),
        tables: &[TableName::Filter],
        hooks: &[Hook::Input, Hook::Forward, Hook::Output],
        implied,
        check,
        ..Extension::acting(
            "REJECT",
            "drops the packet and sends an error to its sender",
            options,
            lower,
            describe,
        )
    }
}

const WITH4: Names = &[
    ("icmp-net-unreachable", 0),
    ("net-unreach", 0),
    ("icmp-host-unreachable", 1),
    ("host-unreach", 1),
    ("icmp-proto-unreachable", 2),
    ("proto-unreach", 2),
    ("icmp-port-unreachable", 3),
    ("port-unreach", 3),
    ("icmp-net-prohibited", 5),
    ("net-prohib", 5),
    ("icmp-host-prohibited", 6),
    ("host-prohib", 6),
    ("tcp-reset", 7),
    ("tcp-rst", 7),
    ("icmp-admin-prohibited", 8),
    ("admin-prohib", 8),
];

const WITH6: Names = &[
    ("icmp6-no-route", 0),
    ("no-route", 0),
    ("icmp6-adm-prohibited", 1),
    ("adm-prohibited", 1),
    ("icmp6-addr-unreachable", 3),
    ("addr-unreach", 3),
    ("icmp6-port-unreachable", 4),
    ("port-unreach", 4),
    ("tcp-reset", 5),
    ("icmp6-policy-fail", 6),
    ("policy-fail", 6),
    ("icmp6-reject-route", 7),
    ("reject-route", 7),
];

/// `-j REJECT` of iptables.
pub static REJECT4: Extension = reject(
    Family::Ipv4,
    &[Opt::new("--reject-with", Kind::Own(&FORM4))],
    &[Implied::new("--reject-with", "icmp-port-unreachable")],
);

/// `-j REJECT` of ip6tables.
pub static REJECT6: Extension = reject(
    Family::Ipv6,
    &[Opt::new("--reject-with", Kind::Own(&FORM6))],
    &[Implied::new("--reject-with", "icmp6-port-unreachable")],
);
