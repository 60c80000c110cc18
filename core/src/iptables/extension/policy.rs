//! `-m policy` (xt_policy.c): the IPsec processing of the packet, in the past or in the future.

use super::kind::ValueForm;
use super::kind::host::HOST;
use super::kind::read::problem;
use super::{Extension, Given, Kind, ListingForm, Opt, Options};
use crate::netfilter::ruleset::{Clause, Value};
use crate::packet::Protocol;
use crate::packet::hook::Hook;
use crate::text::diagnostic::{Code, Problem};

/// The maximum number of elements (`XT_POLICY_MAX_ELEM`).
const MAX_ELEMENTS: usize = 4;

static PROTOCOL: ValueForm = ValueForm {
    words: 1,
    read: |words, _| match Protocol::from_text(words[0]) {
        Some(Protocol(number @ (50 | 51 | 108))) => Ok(Value::Number(number.into())),
        _ => Err(problem("protocol of IPsec", words[0], "ah, esp or ipcomp")),
    },
    write: |value, _, out| {
        if let Value::Number(number) = value {
            out.push_str(match number {
                50 => "esp",
                51 => "ah",
                _ => "ipcomp",
            });
        }
    },
    examples: &["esp", "51"],
};

static SPI: ValueForm = ValueForm {
    words: 1,
    read: |words, _| {
        crate::text::number::parse_u32(words[0])
            .map(Value::Number)
            .ok_or_else(|| problem("index", words[0], "0x1000"))
    },
    write: |value, _, out| {
        if let Value::Number(number) = value {
            out.push_str(&format!("{number:#x}"));
        }
    },
    examples: &["0x1000", "7"],
};

/// The options of one element, in print order.
const OF_ELEMENT: [&str; 6] = [
    "--reqid",
    "--spi",
    "--proto",
    "--mode",
    "--tunnel-dst",
    "--tunnel-src",
];

fn flag(part: &Clause) -> &'static str {
    part.opt().map_or("", |opt| opt.flag)
}

/// The options of each element, in the written order.
fn elements<'a>(options: &Options<'a>) -> impl Iterator<Item = &'a [Clause]> {
    options.parts.split(|part| flag(part) == "--next")
}

fn check(given: &Given) -> Result<(), Problem> {
    let options = &given.options;
    if options.value("--pol") == Some(&Value::Number(NONE)) {
        let other = ["--strict", "--next"]
            .into_iter()
            .find(|flag| options.has(flag));
        return other.map_or(Ok(()), |other| {
            Err(Problem::new(
                Code::ConflictingOptions,
                format!("--pol none and {other} exclude each other"),
            ))
        });
    }
    let strict = options.has("--strict");
    if elements(options).count() > MAX_ELEMENTS {
        return Err(Problem::new(
            Code::InvalidValue,
            format!("a policy has at most {MAX_ELEMENTS} elements"),
        ));
    }
    for element in elements(options) {
        let given = |wanted: &str| element.iter().filter(|part| flag(part) == wanted).count();
        if let Some(twice) = OF_ELEMENT.iter().find(|flag| given(flag) > 1) {
            return Err(Problem::new(
                Code::DuplicateOption,
                format!("{twice} occurs twice in one element"),
            ));
        }
        if strict && OF_ELEMENT.iter().all(|flag| given(flag) == 0) {
            return Err(Problem::new(
                Code::MissingOption,
                "--strict needs something in every element",
            )
            .hint("such as --reqid or --spi"));
        }
        let tunnel = element.iter().any(|part| {
            flag(part) == "--mode" && (part.value == Value::Number(TUNNEL)) != part.negated
        });
        if !tunnel && given("--tunnel-src") + given("--tunnel-dst") > 0 {
            return Err(Problem::new(
                Code::MissingOption,
                "--tunnel-src and --tunnel-dst need --mode tunnel",
            ));
        }
    }
    Ok(())
}

fn print(options: &Options, out: &mut String) {
    for flag in ["--dir", "--pol"] {
        out.extend([" ", flag, " ", &options.printed(flag).unwrap_or_default()]);
    }
    out.push_str(if options.has("--strict") {
        " --strict"
    } else {
        ""
    });
    if options.value("--pol") == Some(&Value::Number(NONE)) {
        return;
    }
    for (place, element) in elements(options).enumerate() {
        out.push_str(if place > 0 { " --next" } else { "" });
        for wanted in OF_ELEMENT {
            let parts = element.iter().filter(|part| flag(part) == wanted);
            for (part, opt) in parts.filter_map(|part| Some((part, part.opt()?))) {
                out.push_str(if part.negated { " ! " } else { " " });
                out.push_str(wanted);
                opt.kind.print(&part.value, options.ruleset, out);
            }
        }
    }
}

const NONE: u32 = 0;
const TUNNEL: u32 = 1;

fn describe(options: &Options) -> String {
    let came = options.printed("--dir").as_deref() == Some("in");
    let not = if options.value("--pol") == Some(&Value::Number(NONE)) {
        "not "
    } else {
        ""
    };
    let with = if options
        .parts
        .iter()
        .any(|part| OF_ELEMENT.contains(&flag(part)))
    {
        " as it says"
    } else {
        ""
    };
    match came {
        true => format!("it did {not}come through IPsec{with}"),
        false => format!("it will {not}leave through IPsec{with}"),
    }
}

/// `-m policy`.
pub static POLICY: Extension = Extension {
    listed: ListingForm::new("policy match", &[]),
    unknowable: Some("it depends on the host's policies of IPsec"),
    ordered: true,
    hooks_for: Some(|options| match options.printed("--dir").as_deref() {
        Some("in") => &[Hook::Prerouting, Hook::Input, Hook::Forward],
        _ => &[Hook::Forward, Hook::Output, Hook::Postrouting],
    }),
    check,
    print: Some(print),
    implied: &[super::Implied::new("--pol", "ipsec")],
    words: Some(describe),
    ..Extension::matching(
        "policy",
        "the IPsec processing of the packet",
        &[
            Opt::new("--dir", Kind::OneOf(&[("in", 0), ("out", 1)])).required(),
            Opt::new("--pol", Kind::OneOf(&[("none", NONE), ("ipsec", 1)])),
            Opt::new("--strict", Kind::Flag),
            Opt::new("--reqid", Kind::Number(u32::MAX))
                .negatable()
                .repeatable(),
            Opt::new("--spi", Kind::Own(&SPI)).negatable().repeatable(),
            Opt::new("--proto", Kind::Own(&PROTOCOL))
                .negatable()
                .repeatable(),
            Opt::new(
                "--mode",
                Kind::OneOf(&[("transport", 0), ("tunnel", TUNNEL)]),
            )
            .negatable()
            .repeatable(),
            Opt::new("--tunnel-dst", Kind::Own(&HOST))
                .negatable()
                .repeatable(),
            Opt::new("--tunnel-src", Kind::Own(&HOST))
                .negatable()
                .repeatable(),
            Opt::new("--next", Kind::Flag)
                .repeatable()
                .needs(&["--strict"]),
        ],
    )
};
