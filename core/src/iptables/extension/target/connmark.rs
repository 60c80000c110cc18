//! `-j CONNMARK` (xt_connmark.c, `connmark_tg`): copies marks between the packet and its
//! connection.

use std::fmt::Write;

use crate::iptables::extension::kind::MarkForm;
use crate::iptables::extension::{Extension, Given, Implied, Kind, ListingForm, Opt, Options};
use crate::netfilter::effect::{Effect, MarkTransfer, MaskedBits, Shift};
use crate::packet::fields::SearchWord;
use crate::text::diagnostic::{Code, Problem};

const ALL: &str = "0xffffffff";

/// The masks of the packet and of the connection.
fn masks(options: &Options) -> (u32, u32) {
    let mask = |flag| {
        options
            .number(flag)
            .or(options.number("--mask"))
            .unwrap_or(u32::MAX)
    };
    (mask("--nfmask"), mask("--ctmask"))
}

/// The value and mask to set. A mask for the connection replaces the mask of the mark, because
/// iptables stores both in one place.
fn set(options: &Options) -> Option<(u32, u32)> {
    let (value, mask) = options.masked("--set-xmark")?;
    Some((
        value,
        options
            .number("--ctmask")
            .or(options.number("--mask"))
            .unwrap_or(mask),
    ))
}

/// The shift. iptables stores only one of the two options: the later one, which usually is the
/// right shift.
fn shift(options: &Options) -> Shift {
    match options.number("--right-shift-mark") {
        Some(bits) => Shift::Right(bits),
        None => Shift::Left(options.number("--left-shift-mark").unwrap_or(0)),
    }
}

fn lower(options: &Options) -> Effect {
    let (packet_mask, connection_mask) = masks(options);
    let transfer = MarkTransfer {
        packet_mask,
        connection_mask,
        shift: shift(options),
    };
    match set(options) {
        Some(change) => Effect::SetConnectionMark {
            change: change.into(),
            shift: shift(options),
        },
        None if options.has("--save-mark") => Effect::SaveMark(transfer),
        None if options.has("--restore-mark") => Effect::RestoreMark(transfer),
        None => Effect::SetConnectionMark {
            change: MaskedBits::default(),
            shift: shift(options),
        },
    }
}

fn print(options: &Options, out: &mut String) {
    let (packet, connection) = masks(options);
    // Writing to a string cannot fail.
    let _ = match set(options) {
        Some((value, mask)) => write!(out, " --set-xmark {value:#x}/{mask:#x}"),
        None => {
            let does = if options.has("--save-mark") {
                "--save-mark"
            } else {
                "--restore-mark"
            };
            write!(out, " {does} --nfmask {packet:#x} --ctmask {connection:#x}")
        }
    };
    let _ = match shift(options) {
        Shift::Left(0) | Shift::Right(0) => Ok(()),
        Shift::Right(bits) => write!(out, " --right-shift-mark {bits}"),
        Shift::Left(bits) => write!(out, " --left-shift-mark {bits}"),
    };
}

fn check(given: &Given) -> Result<(), Problem> {
    let does = ["--set-xmark", "--save-mark", "--restore-mark"]
        .iter()
        .any(|flag| given.options.has(flag));
    match does {
        true => Ok(()),
        false => Err(
            Problem::new(Code::MissingOption, "-j CONNMARK must say what to do")
                .hint("such as --set-mark or --save-mark"),
        ),
    }
}

/// `-j CONNMARK`.
pub static CONNMARK: Extension = Extension {
    listed: ListingForm::new(
        "CONNMARK",
        &[
            ("xset %", "--set-xmark %"),
            ("set %", "--set-xmark %"),
            ("and %", "--and-mark %"),
            ("or %", "--or-mark %"),
            ("xor %", "--xor-mark %"),
            ("save mask %", "--save-mark --mask %"),
            (
                "save nfmask % ctmask ~%",
                "--save-mark --nfmask % --ctmask %",
            ),
            ("save", "--save-mark"),
            ("restore mask %", "--restore-mark --mask %"),
            (
                "restore ctmask % nfmask ~%",
                "--restore-mark --ctmask % --nfmask %",
            ),
            ("restore", "--restore-mark"),
        ],
    ),
    tracks: true,
    implied: &[
        Implied::new("--nfmask", ALL)
            .with("--save-mark")
            .without(&["--mask"]),
        Implied::new("--ctmask", ALL)
            .with("--save-mark")
            .without(&["--mask"]),
        Implied::new("--nfmask", ALL)
            .with("--restore-mark")
            .without(&["--mask"]),
        Implied::new("--ctmask", ALL)
            .with("--restore-mark")
            .without(&["--mask"]),
    ],
    check,
    print: Some(print),
    ..Extension::acting(
        "CONNMARK",
        "sets, saves or restores the connection's mark",
        &[
            Opt::new("--set-xmark", Kind::SetMark(MarkForm::Xor))
                .found_by(SearchWord::Mark)
                .excludes(&["--save-mark", "--restore-mark"]),
            Opt::new("--save-mark", Kind::Flag).excludes(&["--restore-mark"]),
            Opt::new("--restore-mark", Kind::Flag),
            Opt::new("--nfmask", Kind::Mask),
            Opt::new("--ctmask", Kind::Mask),
            Opt::new("--mask", Kind::Mask).excludes(&["--nfmask", "--ctmask"]),
            Opt::new("--left-shift-mark", Kind::Number(31)),
            Opt::new("--right-shift-mark", Kind::Number(31)),
            Opt::new("--set-mark", Kind::SetMark(MarkForm::Set)).stored_as("--set-xmark"),
            Opt::new("--and-mark", Kind::SetMark(MarkForm::And)).stored_as("--set-xmark"),
            Opt::new("--or-mark", Kind::SetMark(MarkForm::Or)).stored_as("--set-xmark"),
            Opt::new("--xor-mark", Kind::SetMark(MarkForm::Flip)).stored_as("--set-xmark"),
        ],
        lower,
        |options| {
            if options.has("--save-mark") {
                return "copy the packet's mark to its connection".into();
            }
            if options.has("--restore-mark") {
                return "copy the connection's mark to the packet".into();
            }
            match options.printed("--set-xmark") {
                Some(mark) => format!(
                    "set the connection's mark to {}",
                    mark.trim_end_matches("/0xffffffff")
                ),
                None => "leave the connection's mark as it is".into(),
            }
        },
    )
};
