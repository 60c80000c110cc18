//! What is kept as written: extensions that Chainwalk does not evaluate, with the reason where there is one.

use std::borrow::Cow;

use super::{Extension, Options, Role};
use crate::ruleset::Value;
use crate::walk::effect::Action;

/// Matches that no dump can answer, and why.
const UNKNOWABLE: &[(&str, &str)] = &[
    ("bpf", "it runs a program of its own"),
    ("cluster", "it depends on a hash with a secret seed"),
    ("connbytes", "it depends on how much the connection has carried"),
    ("connlimit", "it depends on how many connections there are"),
    ("hashlimit", "it depends on how many packets came before"),
    ("limit", "it depends on how many packets came before"),
    ("quota", "it depends on how much has passed before"),
    ("rateest", "it depends on measured rates"),
    ("recent", "it depends on which addresses were seen before"),
    ("set", "a dump does not hold the contents of sets"),
    ("statistic", "it depends on chance or on a count"),
    ("string", "it depends on the payload"),
    ("time", "it depends on the time"),
    ("u32", "it looks at bytes that the packet does not state"),
];

/// Why a match that is kept as written cannot be answered.
pub fn reason(words: &str) -> Cow<'static, str> {
    let name = words.split_whitespace().next().unwrap_or_default();
    match UNKNOWABLE.iter().find(|(known, _)| *known == name) {
        Some((_, why)) => format!("-m {name}: {why}").into(),
        None => format!("-m {name} is not evaluated").into(),
    }
}

/// Targets of iptables 1.8.9 that are kept as written, and whether the packet goes on to the next rule behind them.
const TARGETS: &[(&str, bool)] = &[
    ("AUDIT", true),
    ("CHECKSUM", true),
    ("CLASSIFY", true),
    ("CLUSTERIP", false),
    ("CONNSECMARK", true),
    ("DNPT", true),
    ("DSCP", true),
    ("ECN", true),
    ("HL", true),
    ("HMARK", true),
    ("IDLETIMER", true),
    ("LED", true),
    ("NFQUEUE", false),
    ("RATEEST", true),
    ("SECMARK", true),
    ("SET", true),
    ("SNPT", true),
    ("SYNPROXY", false),
    ("TCPMSS", true),
    ("TCPOPTSTRIP", true),
    ("TEE", true),
    ("TOS", true),
    ("TRACE", true),
    ("TTL", true),
    ("ULOG", true),
];

/// Whether iptables has a target of that name, though Chainwalk does not simulate it.
pub fn is_target(name: &str) -> bool {
    TARGETS.iter().any(|(known, _)| *known == name)
}

/// Whether a match is known to have no answer, rather than not being known.
pub fn is_unknowable(name: &str) -> bool {
    UNKNOWABLE.iter().any(|(known, _)| *known == name)
}

/// A match that is kept as written.
pub static MATCH: Extension = Extension {
    bare: |part, context| match &part.value {
        Value::Text(text) => Some(reason(context.ruleset.text(*text))),
        _ => None,
    },
    ..Extension::matching("(kept as written)", "not evaluated", &[])
};

/// Words that belong to no match: an option nobody has, or one with a value that it cannot have.
pub static STRAY: Extension = Extension {
    bare: |part, context| match &part.value {
        Value::Text(text) => Some(format!("`{}` is not understood", context.ruleset.text(*text)).into()),
        _ => None,
    },
    ..Extension::matching("(not understood)", "not evaluated", &[])
};

/// A target that is kept as written. One that lets the packet go on is passed, and that is said: what it changes may
/// matter to a later rule.
pub static TARGET: Extension = Extension {
    role: Role::Target,
    apply: Some(|effects, options| {
        let name = name_of(options);
        if TARGETS.contains(&(name, true)) {
            effects.assume(format!("-j {name} changes nothing that a later rule asks for"));
            return Action::Continue;
        }
        Action::Unknown(format!("what -j {name} does is not simulated"))
    }),
    words: Some(|options| format!("do what {} does, which is not simulated", name_of(options))),
    ..Extension::matching("(kept as written)", "not simulated", &[])
};

fn name_of<'a>(options: &Options<'a>) -> &'a str {
    let words = match options.parts.first().map(|part| &part.value) {
        Some(Value::Text(text)) => options.ruleset.text(*text),
        _ => "",
    };
    words.split_whitespace().next().unwrap_or_default()
}
