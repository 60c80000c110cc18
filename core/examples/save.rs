//! Prints rule sets as `iptables-save` does, from the parsed fields:
//! `save RULES [--counters] [--family ipv4|ipv6]`.
//!
//! Diagnostics go to standard error as `LINE:COLUMN: severity: message [code]`. The exit code is 1
//! if one of them is an error, and 2 on wrong usage.

use std::io::{self, Write};
use std::process::ExitCode;

use chainwalk_core::input::parse;
use chainwalk_core::iptables::print;
use chainwalk_core::packet::Family;

const USAGE: &str = "usage: save RULES [--counters] [--family ipv4|ipv6]";

struct SaveArguments {
    rules: String,
    counters: bool,
    family: Option<Family>,
}

fn arguments() -> Option<SaveArguments> {
    let mut rules = None;
    let (mut counters, mut family) = (false, None);
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        match &*word {
            "--counters" => counters = true,
            "--family" => {
                family = Some(match &*words.next()? {
                    "ipv4" => Family::Ipv4,
                    "ipv6" => Family::Ipv6,
                    _ => return None,
                });
            }
            _ if word.starts_with("--") || rules.is_some() => return None,
            _ => rules = Some(word),
        }
    }
    Some(SaveArguments {
        rules: rules?,
        counters,
        family,
    })
}

fn main() -> ExitCode {
    let Some(arguments) = arguments() else {
        eprintln!("{USAGE}");
        return ExitCode::from(2);
    };
    let text = match std::fs::read(&arguments.rules) {
        Ok(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
        Err(error) => {
            eprintln!("{}: {error}\n{USAGE}", arguments.rules);
            return ExitCode::from(2);
        }
    };
    let parsed = parse::parse(text);
    for diagnostic in &parsed.diagnostics {
        eprintln!("{diagnostic}");
    }
    let wanted = |family| arguments.family.is_none_or(|wanted| wanted == family);
    for ruleset in parsed
        .rulesets
        .iter()
        .filter(|ruleset| wanted(ruleset.family))
    {
        let printed = print::save(ruleset, arguments.counters);
        // A reader that closes the pipe is not an error.
        if io::stdout().write_all(printed.as_bytes()).is_err() {
            break;
        }
    }
    if parsed.has_errors() {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    }
}
