//! `-j HMARK` (xt_HMARK.c): computes the packet's mark from a hash of its addresses and ports.

use std::fmt::Write;

use crate::iptables::extension::kind::read::{mask_length, problem};
use crate::iptables::extension::kind::{Names, ValueForm};
use crate::iptables::extension::{Extension, Given, Kind, ListingForm, Opt, Options};
use crate::netfilter::effect::Effect;
use crate::netfilter::ruleset::{Ruleset, Value};
use crate::packet::fields::SearchWord;
use crate::text::diagnostic::{Code, Problem};

/// The parts of the packet that the hash uses, with their bits in [`Value::Bits`].
const PARTS: Names = &[
    ("ct", 1),
    ("src", 2),
    ("dst", 4),
    ("sport", 8),
    ("dport", 16),
    ("proto", 32),
    ("spi", 64),
];

/// Names in any case. A name may be abbreviated; the first match counts.
static TUPLE: ValueForm = ValueForm {
    words: 1,
    read: |words, _| {
        let named = |word: &str| {
            let begins = |name: &str| {
                name.get(..word.len())
                    .is_some_and(|start| start.eq_ignore_ascii_case(word))
            };
            PARTS
                .iter()
                .find(|(name, _)| begins(name))
                .map(|(_, bit)| *bit)
        };
        let bits = words[0]
            .split(',')
            .map(|word| named(word).filter(|_| !word.is_empty()));
        match bits.collect::<Option<Vec<u32>>>() {
            Some(bits) => Ok(Value::Bits(bits.into_iter().fold(0, |all, bit| all | bit))),
            None => Err(problem(
                "list of parts of a packet",
                words[0],
                "src,dst,sport,dport,proto",
            )),
        }
    },
    write: |value, _, out| {
        let Value::Bits(bits) = value else { return };
        let names: Vec<&str> = PARTS
            .iter()
            .filter(|(_, bit)| bits & bit != 0)
            .map(|(name, _)| *name)
            .collect();
        out.push_str(&names.join(","));
    },
    examples: &["src,dst,sport,dport,proto", "ct,src"],
};

/// A prefix length, or a mask whose length iptables prints. A mask with holes counts as all ones
/// (measured).
static LENGTH: ValueForm = ValueForm {
    words: 1,
    read: |words, ruleset| match mask_length(words[0], ruleset.family) {
        Some(length) => Ok(Value::Number(length)),
        None => Err(problem("prefix length", words[0], "24 or 255.255.255.0")),
    },
    write: write_number,
    examples: &["24", "0"],
};

fn write_number(value: &Value, _: &Ruleset, out: &mut String) {
    if let Value::Number(number) = value {
        // Writing to a string cannot fail.
        let _ = write!(out, "{number}");
    }
}

/// The options that iptables requires, and the checks of `hmark_tg_check`.
fn check(given: &Given) -> Result<(), Problem> {
    let bits = tuple(&given.options);
    let has = |flag: &str, bit: u32| given.options.has(flag) || bits & bit != 0;
    let given_any = |flags: [&str; 2]| flags.iter().any(|flag| given.options.has(flag));
    let port_masks = bits & 24 != 0 || given_any(["--hmark-sport-mask", "--hmark-dport-mask"]);
    let ports = given_any(["--hmark-sport", "--hmark-dport"]);
    let (spi_mask, spi) = (
        has("--hmark-spi-mask", 64),
        given.options.has("--hmark-spi"),
    );
    if spi_mask && port_masks || spi && ports {
        return Err(Problem::new(
            Code::ConflictingOptions,
            "an SPI and ports exclude each other",
        ));
    }
    let other = has("--hmark-src-prefix", 2)
        || has("--hmark-dst-prefix", 4)
        || has("--hmark-proto-mask", 32);
    match port_masks || ports || spi_mask || spi || other || bits & 1 != 0 {
        true => Ok(()),
        false => Err(
            Problem::new(Code::MissingOption, "-j HMARK must say what it hashes")
                .hint("such as --hmark-tuple src,dst"),
        ),
    }
}

fn tuple(options: &Options) -> u32 {
    match options.value("--hmark-tuple") {
        Some(Value::Bits(bits)) => *bits,
        _ => 0,
    }
}

/// The parts of a tuple are printed as prefixes and masks that include everything.
fn print(options: &Options, out: &mut String) {
    use crate::packet::Family::{Ipv4, Ipv6};
    let bits = tuple(options);
    let whole = |bit: u32, all: u32| (bits & bit != 0).then_some(all);
    let length = match options.ruleset.family {
        Ipv4 => 32,
        Ipv6 => 128,
    };
    for (flag, bit) in [("--hmark-src-prefix", 2), ("--hmark-dst-prefix", 4)] {
        if let Some(length) = whole(bit, length).or(options.number(flag)) {
            // Writing to a string cannot fail.
            let _ = write!(out, " {flag} {length}");
        }
    }
    let hexadecimal = [
        ("--hmark-sport-mask", 4, whole(8, 0xffff)),
        ("--hmark-dport-mask", 4, whole(16, 0xffff)),
        ("--hmark-spi-mask", 8, whole(64, u32::MAX)),
        ("--hmark-sport", 4, None),
        ("--hmark-dport", 4, None),
        ("--hmark-spi", 8, None),
        ("--hmark-proto-mask", 2, whole(32, 0xffff)),
        ("--hmark-rnd", 8, None),
    ];
    for (flag, digits, whole) in hexadecimal {
        if let Some(number) = whole.or(options.number(flag)) {
            let _ = write!(out, " {flag} 0x{number:0digits$x}");
        }
    }
    for flag in ["--hmark-mod", "--hmark-offset"] {
        if let Some(number) = options.number(flag) {
            let _ = write!(out, " {flag} {number}");
        }
    }
    if bits & 1 != 0 {
        out.push_str(" --hmark-tuple ct");
    }
}

/// `-j HMARK`. The hash is not computed.
pub static HMARK: Extension = Extension {
    listed: ListingForm::new("HMARK", &[]),
    check,
    print: Some(print),
    ..Extension::acting(
        "HMARK",
        "sets the mark to a hash",
        &[
            Opt::new("--hmark-tuple", Kind::Own(&TUPLE)),
            Opt::new("--hmark-src-prefix", Kind::Own(&LENGTH)),
            Opt::new("--hmark-dst-prefix", Kind::Own(&LENGTH)),
            Opt::new("--hmark-sport-mask", Kind::Number(0xffff)),
            Opt::new("--hmark-dport-mask", Kind::Number(0xffff)),
            Opt::new("--hmark-spi-mask", Kind::Number(u32::MAX)),
            Opt::new("--hmark-sport", Kind::Number(0xffff)).found_by(SearchWord::Port),
            Opt::new("--hmark-dport", Kind::Number(0xffff)).found_by(SearchWord::Port),
            Opt::new("--hmark-spi", Kind::Number(u32::MAX)),
            Opt::new("--hmark-proto-mask", Kind::Number(0xffff)),
            Opt::new("--hmark-rnd", Kind::Number(u32::MAX)).required(),
            Opt::new("--hmark-mod", Kind::Between(1, u32::MAX)).required(),
            Opt::new("--hmark-offset", Kind::Number(u32::MAX)),
        ],
        |_| Effect::SetUnknownMark {
            source: "the mark that HMARK computes",
        },
        |options| {
            let (offset, size) = (
                options.number("--hmark-offset").unwrap_or(0),
                options.number("--hmark-mod"),
            );
            let last = offset.wrapping_add(size.unwrap_or(1).wrapping_sub(1));
            format!("set the packet's mark to one of {offset} to {last}, by a hash")
        },
    )
};
