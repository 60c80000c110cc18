//! Extensions that are kept as written because Chainwalk does not evaluate them, with the reason if
//! it is known.

use std::borrow::Cow;

use super::{Extension, Options, Role};
use crate::netfilter::effect::Effect;
use crate::netfilter::ruleset::Value;

/// The reason why a match that is kept as written is undetermined.
pub fn reason(words: &str) -> Cow<'static, str> {
    let name = words.split_whitespace().next().unwrap_or_default();
    format!("-m {name} is not evaluated").into()
}

/// A match that is kept as written.
pub static MATCH: Extension = Extension {
    bare: |part, ruleset| match &part.value {
        Value::Text(text) => Some(reason(ruleset.text(*text))),
        _ => None,
    },
    ..Extension::matching("(kept as written)", "not evaluated", &[])
};

/// Words that belong to no match: an unknown option, or an option with an invalid value.
pub static STRAY: Extension = Extension {
    bare: |part, ruleset| match &part.value {
        Value::Text(text) => Some(format!("`{}` is not understood", ruleset.text(*text)).into()),
        _ => None,
    },
    ..Extension::matching("(not understood)", "not evaluated", &[])
};

/// A target that is kept as written, because iptables does not have it.
pub static TARGET: Extension = Extension {
    role: Role::Target,
    lower: Some(|options| {
        Effect::Unsupported(format!(
            "the effect of -j {} is not simulated",
            name_of(options)
        ))
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
