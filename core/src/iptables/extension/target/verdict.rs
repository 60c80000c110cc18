//! The four targets that are only a verdict: `ACCEPT`, `DROP`, `QUEUE`, `RETURN`.

use crate::iptables::extension::Extension;
use crate::iptables::table_name::TableName;
use crate::netfilter::backend::Backend;
use crate::netfilter::effect::Effect;
use crate::text::diagnostic::{Code, Problem};

/// Ends the evaluation in this table. The next table is evaluated.
pub static ACCEPT: Extension = Extension::acting(
    "ACCEPT",
    "accepts the packet in this table",
    &[],
    |_| Effect::Accept,
    |_| "accept it".into(),
);

/// Ends the whole evaluation.
pub static DROP: Extension = Extension {
    tables: &[
        TableName::Raw,
        TableName::Mangle,
        TableName::Filter,
        TableName::Security,
    ],
    ..Extension::acting(
        "DROP",
        "drops the packet",
        &[],
        |_| Effect::Drop,
        |_| "drop it".into(),
    )
};

/// Queues the packet to a user-space program.
pub static QUEUE: Extension = Extension {
    check: |given| match given.options.ruleset.backend {
        Some(Backend::Nft) => Err(Problem::new(
            Code::UnavailableTarget,
            "iptables-nft has no -j QUEUE",
        )
        .hint("use NFQUEUE instead")),
        _ => Ok(()),
    },
    ..Extension::acting(
        "QUEUE",
        "queues the packet to a user-space program",
        &[],
        |_| Effect::Queue {
            queues: (0, 0),
            bypass: false,
        },
        |_| "hand it to a program in user space".into(),
    )
};

/// Returns to the calling chain; in a built-in chain, to its policy.
pub static RETURN: Extension = Extension::acting(
    "RETURN",
    "returns to the calling chain",
    &[],
    |_| Effect::Return,
    |_| "return to the calling chain".into(),
);
