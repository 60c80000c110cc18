//! `-j MARK` (xt_mark.c, `mark_tg`): clears the bits of the mask in the old mark, then flips the
//! bits of the value.

use crate::iptables::extension::kind::MarkForm;
use crate::iptables::extension::{Extension, Kind, Opt};
use crate::netfilter::effect::Effect;
use crate::packet::fields::SearchWord;

/// `-j MARK`.
pub static MARK: Extension = Extension::acting(
    "MARK",
    "sets the packet's mark",
    &[
        Opt::new("--set-xmark", Kind::SetMark(MarkForm::Xor)).found_by(SearchWord::Mark),
        Opt::new("--set-mark", Kind::SetMark(MarkForm::Set)).stored_as("--set-xmark"),
        Opt::new("--and-mark", Kind::SetMark(MarkForm::And)).stored_as("--set-xmark"),
        Opt::new("--or-mark", Kind::SetMark(MarkForm::Or)).stored_as("--set-xmark"),
        Opt::new("--xor-mark", Kind::SetMark(MarkForm::Flip)).stored_as("--set-xmark"),
    ],
    |options| Effect::SetMark(options.masked("--set-xmark").unwrap_or_default().into()),
    |options| match options.masked("--set-xmark") {
        Some((value, u32::MAX)) => format!("set the packet's mark to {value:#x}"),
        Some((value, mask)) if value == mask => {
            format!("set the bits {value:#x} of the packet's mark")
        }
        Some((value, 0)) => format!("flip the bits {value:#x} of the packet's mark"),
        Some((value, mask)) => {
            format!("clear the bits {mask:#x} of the packet's mark and flip the bits {value:#x}")
        }
        None => "leave the packet's mark as it is".into(),
    },
)
.asking()
.listed(
    "MARK",
    &[
        ("xset %", "--set-xmark %"),
        ("set %", "--set-xmark %"),
        ("and %", "--and-mark %"),
        ("or %", "--or-mark %"),
        ("xor %", "--xor-mark %"),
    ],
);
