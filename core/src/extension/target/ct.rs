//! `-j CT` and `-j NOTRACK` (xt_CT.c): how connection tracking treats the packet. Table raw only.

use crate::extension::{Behaviour, Extension, Kind, Opt};
use crate::packet::ConnectionState;
use crate::ruleset::TableName;
use crate::walk::effect::Action;

/// `-j CT`. What already has a connection, a template or is not tracked stays so.
pub static CT: Extension = Extension {
    tables: &[TableName::Raw],
    ..Extension::acting(
        "CT",
        "tells connection tracking how to treat the packet",
        &[
            Opt::new("--notrack", Kind::Flag),
            Opt::new("--helper", Kind::Text(15)),
            Opt::new("--timeout", Kind::Text(31)),
            Opt::new("--zone", Kind::Number(65535)),
            Opt::new("--zone-orig", Kind::Number(65535)),
            Opt::new("--zone-reply", Kind::Number(65535)),
        ],
        Behaviour::GoesOn,
        |effects, options| {
            // A template for the connection counts as new in the rest of table raw.
            let state = if options.has("--notrack") { ConnectionState::Untracked } else { ConnectionState::New };
            if effects.view.state.is_none() {
                let zone = options.number("--zone").or_else(|| options.number("--zone-orig"));
                let zone = zone.or_else(|| options.number("--zone-reply")).unwrap_or(0);
                effects.view.zone = u16::try_from(zone).unwrap_or(0);
            }
            effects.view.state.get_or_insert(state);
            Action::Continue
        },
        |options| match (options.has("--notrack"), options.number("--zone"), options.text("--helper")) {
            (true, ..) => "keep connection tracking away from it".into(),
            (_, Some(zone), _) => format!("track its connection in zone {zone}"),
            (_, _, Some(helper)) => format!("track its connection with the helper {helper}"),
            _ => "tell connection tracking how to treat it".into(),
        },
    )
};

/// `-j NOTRACK`. The kernel treats it as `-j CT --notrack`, and iptables remembers which of the two was written.
pub static NOTRACK: Extension = Extension {
    tables: &[TableName::Raw],
    ..Extension::acting(
        "NOTRACK",
        "keeps connection tracking away",
        &[],
        Behaviour::GoesOn,
        |effects, _| {
            effects.view.state.get_or_insert(ConnectionState::Untracked);
            Action::Continue
        },
        |_| "keep connection tracking away from it".into(),
    )
};
