//! `-j ECN` (ipt_ECN.c): removes explicit congestion notification from the TCP header and the IP
//! header.

use std::fmt::Write;

use crate::iptables::extension::{Extension, Given, Kind, ListingForm, Opt, Options};
use crate::iptables::table_name::TableName;
use crate::netfilter::effect::Effect;
use crate::packet::{Family, Protocol};
use crate::text::diagnostic::{Code, Problem};

/// The new value of a TCP flag.
fn flag(options: &Options, name: &str) -> Option<u32> {
    if options.has("--ecn-tcp-remove") {
        Some(0)
    } else {
        options.number(name)
    }
}

fn lower(options: &Options) -> Effect {
    Effect::SetEcn {
        ip: options
            .number("--ecn-ip-ect")
            .and_then(|ecn| u8::try_from(ecn).ok()),
        ece: flag(options, "--ecn-tcp-ece").map(|on| on != 0),
        cwr: flag(options, "--ecn-tcp-cwr").map(|on| on != 0),
    }
}

fn describe(options: &Options) -> String {
    let mut does = Vec::new();
    if options.has("--ecn-tcp-remove") {
        does.push("clear TCP's ECE and CWR".to_owned());
    }
    for (option, name) in [("--ecn-tcp-ece", "ECE"), ("--ecn-tcp-cwr", "CWR")] {
        does.extend(
            options
                .number(option)
                .map(|number| format!("set TCP's {name} to {number}")),
        );
    }
    does.extend(
        options
            .number("--ecn-ip-ect")
            .map(|number| format!("set its ECN to {number}")),
    );
    does.join(" and ")
}

/// `ecn_tg_check`.
fn check(given: &Given) -> Result<(), Problem> {
    let asks_tcp = ["--ecn-tcp-remove", "--ecn-tcp-ece", "--ecn-tcp-cwr"]
        .iter()
        .any(|flag| given.options.has(flag));
    if asks_tcp && given.protocol != Some(Protocol::TCP) {
        return Err(Problem::new(
            Code::MissingProtocol,
            "the TCP options of -j ECN need -p tcp",
        )
        .hint("add it: the kernel requires it"));
    }
    Ok(())
}

/// Together with another option, iptables prints `--ecn-tcp-remove` as its two parts.
fn print(options: &Options, out: &mut String) {
    let ect = options.number("--ecn-ip-ect");
    if options.has("--ecn-tcp-remove") && ect.is_none() {
        out.push_str(" --ecn-tcp-remove");
        return;
    }
    let (ece, cwr) = (
        flag(options, "--ecn-tcp-ece"),
        flag(options, "--ecn-tcp-cwr"),
    );
    for (name, number) in [
        ("--ecn-tcp-ece", ece),
        ("--ecn-tcp-cwr", cwr),
        ("--ecn-ip-ect", ect),
    ] {
        if let Some(number) = number {
            // Writing to a string cannot fail.
            let _ = write!(out, " {name} {number}");
        }
    }
}

/// `-j ECN`.
pub static ECN: Extension = Extension {
    listed: ListingForm::new(
        "ECN",
        &[
            ("TCP remove", "--ecn-tcp-remove"),
            ("ECE=%", "--ecn-tcp-ece %"),
            ("CWR=%", "--ecn-tcp-cwr %"),
            ("ECT codepoint=%", "--ecn-ip-ect %"),
        ],
    ),
    family: Some(Family::Ipv4),
    tables: &[TableName::Mangle],
    check,
    print: Some(print),
    ..Extension::acting(
        "ECN",
        "removes explicit congestion notification",
        &[
            Opt::new("--ecn-tcp-remove", Kind::Flag).excludes(&["--ecn-tcp-ece", "--ecn-tcp-cwr"]),
            Opt::new("--ecn-tcp-ece", Kind::Number(1)),
            Opt::new("--ecn-tcp-cwr", Kind::Number(1)),
            Opt::new("--ecn-ip-ect", Kind::Number(3)),
        ],
        lower,
        describe,
    )
    .asking()
};
