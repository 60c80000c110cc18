//! `-m connlimit` (xt_connlimit.c): the number of connections of a host or a network.

use std::fmt::Write;

use super::kind::ValueForm;
use super::kind::host::length;
use super::kind::read::problem;
use super::{Extension, Given, Kind, ListingForm, Opt, Options};
use crate::netfilter::ruleset::Value;
use crate::packet::Family;
use crate::text::diagnostic::{Code, Problem};

/// A prefix length, or the equivalent mask.
static MASK: ValueForm = ValueForm {
    words: 1,
    read: |words, ruleset| match length(Some(words[0]), Family::bits(ruleset.family).into()) {
        Some(length) => Ok(Value::Number(length)),
        None => Err(problem("prefix length", words[0], "24 or 255.255.255.0")),
    },
    write: |value, _, out| {
        if let Value::Number(length) = value {
            out.push_str(&length.to_string());
        }
    },
    examples: &["24", "0"],
};

/// The number, and whether the match requires more than it. `!` turns one option into the other.
fn bound(options: &Options) -> (u32, bool) {
    match options.number("--connlimit-upto") {
        Some(most) => (most, options.negates("--connlimit-upto")),
        None => (
            options.number("--connlimit-above").unwrap_or_default(),
            !options.negates("--connlimit-above"),
        ),
    }
}

fn mask(options: &Options) -> u32 {
    options
        .number("--connlimit-mask")
        .unwrap_or(options.ruleset.family.bits().into())
}

fn print(options: &Options, out: &mut String) {
    let (number, above) = bound(options);
    let flag = if above { "above" } else { "upto" };
    let side = if options.has("--connlimit-daddr") {
        "daddr"
    } else {
        "saddr"
    };
    // Writing to a string cannot fail.
    let _ = write!(
        out,
        " --connlimit-{flag} {number} --connlimit-mask {} --connlimit-{side}",
        mask(options)
    );
}

fn describe(options: &Options) -> String {
    let (number, above) = bound(options);
    let most = if above { "more than" } else { "at most" };
    let side = if options.has("--connlimit-daddr") {
        "destination"
    } else {
        "source"
    };
    let whole = mask(options) == u32::from(options.ruleset.family.bits());
    let whose = if whole {
        format!("the {side}")
    } else {
        format!("the /{} network of the {side}", mask(options))
    };
    format!("{whose} has {most} {number} connections")
}

fn check(given: &Given) -> Result<(), Problem> {
    match given.options.has("--connlimit-upto") || given.options.has("--connlimit-above") {
        true => Ok(()),
        false => Err(Problem::new(
            Code::MissingOption,
            "-m connlimit needs --connlimit-upto or --connlimit-above",
        )),
    }
}

/// `-m connlimit`.
pub static CONNLIMIT: Extension = Extension {
    listed: ListingForm::new(
        "",
        &[
            (
                "#conn src/% > %",
                "--connlimit-mask % --connlimit-above % --connlimit-saddr",
            ),
            (
                "#conn src/% <= %",
                "--connlimit-mask % --connlimit-upto % --connlimit-saddr",
            ),
            (
                "#conn dst/% > %",
                "--connlimit-mask % --connlimit-above % --connlimit-daddr",
            ),
            (
                "#conn dst/% <= %",
                "--connlimit-mask % --connlimit-upto % --connlimit-daddr",
            ),
        ],
    ),
    tracks: true,
    unknowable: Some("it depends on the number of connections"),
    check,
    print: Some(print),
    words: Some(describe),
    ..Extension::matching(
        "connlimit",
        "the number of connections of a host or a network",
        &[
            Opt::new("--connlimit-upto", Kind::Number(u32::MAX))
                .negatable()
                .excludes(&["--connlimit-above"]),
            Opt::new("--connlimit-above", Kind::Number(u32::MAX)).negatable(),
            Opt::new("--connlimit-mask", Kind::Own(&MASK)),
            Opt::new("--connlimit-saddr", Kind::Flag).excludes(&["--connlimit-daddr"]),
            Opt::new("--connlimit-daddr", Kind::Flag),
        ],
    )
};
