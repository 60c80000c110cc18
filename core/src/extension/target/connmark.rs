//! `-j CONNMARK` (xt_connmark.c, `connmark_tg`): moves marks between the packet and its connection.

use crate::extension::kind::MarkForm;
use crate::extension::{Behaviour, Extension, Implied, Kind, Opt};
use crate::walk::conntrack;
use crate::walk::effect::Action;

const ALL: &str = "0xffffffff";

/// `-j CONNMARK`.
pub static CONNMARK: Extension = Extension {
    tracks: true,
    implied: &[
        Implied::new("--nfmask", ALL).with("--save-mark"),
        Implied::new("--ctmask", ALL).with("--save-mark"),
        Implied::new("--nfmask", ALL).with("--restore-mark"),
        Implied::new("--ctmask", ALL).with("--restore-mark"),
    ],
    ..Extension::acting(
        "CONNMARK",
        "sets, saves or restores the connection's mark",
        &[
            Opt::new("--set-xmark", Kind::SetMark(MarkForm::Xor)),
            Opt::new("--save-mark", Kind::Flag),
            Opt::new("--restore-mark", Kind::Flag),
            Opt::new("--nfmask", Kind::Mask),
            Opt::new("--ctmask", Kind::Mask),
            Opt::new("--set-mark", Kind::SetMark(MarkForm::Set)).stored_as("--set-xmark"),
            Opt::new("--and-mark", Kind::SetMark(MarkForm::And)).stored_as("--set-xmark"),
            Opt::new("--or-mark", Kind::SetMark(MarkForm::Or)).stored_as("--set-xmark"),
            Opt::new("--xor-mark", Kind::SetMark(MarkForm::Flip)).stored_as("--set-xmark"),
        ],
        Behaviour::GoesOn,
        |effects, options| {
            let view = &mut *effects.view;
            if !conntrack::has_connection(view.state) {
                return Action::Continue;
            }
            let packet_mask = options.number("--nfmask").unwrap_or(u32::MAX);
            let connection_mask = options.number("--ctmask").unwrap_or(u32::MAX);
            if let Some((value, mask)) = options.masked("--set-xmark") {
                view.connmark = view.connmark & !mask ^ value;
            } else if options.has("--save-mark") {
                view.connmark = view.connmark & !connection_mask ^ view.mark & packet_mask;
            } else if options.has("--restore-mark") {
                view.mark = view.mark & !packet_mask ^ view.connmark & connection_mask;
            }
            Action::Continue
        },
        |options| {
            if options.has("--save-mark") {
                return "copy the packet's mark to its connection".into();
            }
            if options.has("--restore-mark") {
                return "copy the connection's mark to the packet".into();
            }
            match options.printed("--set-xmark") {
                Some(mark) => format!("set the connection's mark to {}", mark.trim_end_matches("/0xffffffff")),
                None => "leave the connection's mark as it is".into(),
            }
        },
    )
};
