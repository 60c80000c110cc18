//! Prints rule sets as `iptables-save` does, from the parsed fields:
//! `save RULES [--counters] [--family ipv4|ipv6] [--language iptables|nftables]`. The tables of
//! native nftables follow, as `nft list ruleset` prints them.
//!
//! Diagnostics go to standard error as `LINE:COLUMN: severity: message [code]`. The exit code is 1
//! if one of them is an error, and 2 on wrong usage.

use std::io::{self, Write};
use std::process::ExitCode;

use chainwalk_core::input::parse::{self, Parsed};
use chainwalk_core::iptables::print;
use chainwalk_core::netfilter::rule_language::RuleLanguage;
use chainwalk_core::packet::Family;

const USAGE: &str =
    "usage: save RULES [--counters] [--family ipv4|ipv6] [--language iptables|nftables]";

struct SaveArguments {
    rules: String,
    counters: bool,
    family: Option<Family>,
    /// Prints only the rules of this language.
    language: Option<RuleLanguage>,
}

fn arguments() -> Option<SaveArguments> {
    let mut rules = None;
    let (mut counters, mut family, mut language) = (false, None, None);
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
            "--language" => {
                language = Some(match &*words.next()? {
                    "iptables" => RuleLanguage::Iptables,
                    "nftables" => RuleLanguage::Nftables,
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
        language,
    })
}

fn print_rules(parsed: &Parsed, arguments: &SaveArguments) -> String {
    let is_wanted = |language| arguments.language.is_none_or(|wanted| wanted == language);
    let mut out = String::new();
    if is_wanted(RuleLanguage::Iptables) {
        let rulesets = parsed.rulesets.iter();
        for set in rulesets.filter(|set| arguments.family.is_none_or(|family| family == set.family))
        {
            out.push_str(&print::save(set, arguments.counters));
        }
    }
    if is_wanted(RuleLanguage::Nftables) {
        for table in &parsed.native_tables {
            table.print(&mut out);
        }
    }
    out
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
    let printed = print_rules(&parsed, &arguments);
    // A reader that closes the pipe is not an error.
    let _ = io::stdout().write_all(printed.as_bytes());
    if parsed.has_errors() {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    }
}
