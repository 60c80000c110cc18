//! `-j CT` and its older form `NOTRACK` (xt_CT.c): how connection tracking treats the packet. Table raw only.

use crate::extension::{Behaviour, Extension, Implied, Kind, Opt};
use crate::packet::ConnectionState;
use crate::ruleset::TableName;
use crate::walk::effect::Action;

/// `-j CT`. A packet that already has a connection is left alone.
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
            if options.has("--notrack") && effects.view.state.is_none() {
                effects.view.state = Some(ConnectionState::Untracked);
            }
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

/// `-j NOTRACK`, which iptables 1.8.9 stores as `-j CT --notrack`.
pub static NOTRACK: Extension = Extension {
    stored_as: Some("CT"),
    implied: &[Implied { with: None, flag: "--notrack", value: "" }],
    ..Extension::acting(
        "NOTRACK",
        "keeps connection tracking away",
        &[],
        Behaviour::GoesOn,
        |_, _| Action::Continue,
        |_| String::new(),
    )
};
