//! The parts of a capture that are empty or could not be read: a save command that printed nothing or
//! failed, and a missing listing of nft.

use crate::input::capture::{Capture, CapturedRules};
use crate::input::section::Inside;
use crate::iptables::table_name::TableName;
use crate::netfilter::backend::Backend;
use crate::netfilter::gap::GapReason;
use crate::netfilter::ruleset::Ruleset;
use crate::packet::Family;
use crate::text::diagnostic::{Code, Problem, Severity, Span};

use super::Read;
use super::empty_dump::{add, as_severe};
use super::gaps::mark_hidden_chains;

/// The assumption of walks through a capture without `nft list ruleset`.
const NO_NFT_LISTING: &str =
    "the capture has no listing of nft: native tables of nftables are evaluated as empty";

/// A save command of a capture, with the place of its text.
type CapturedDump<'c> = (u32, &'c CapturedRules);

/// The dumps of one family.
fn dumps_of(capture: &Capture, family: Family) -> Vec<CapturedDump<'_>> {
    let dumps = (0..).zip(&capture.rulesets);
    dumps.filter(|(_, rules)| rules.family == family).collect()
}

fn has_failed((_, rules): &&CapturedDump) -> bool {
    rules.exit_code != Some(0)
}

/// The rule set of a save command that printed no table. If the command failed, the rule set hides
/// every chain.
fn ruleset_without_tables((source, rules): CapturedDump) -> Ruleset {
    let mut set = Ruleset::new(rules.family, Some(rules.backend));
    set.version.clone_from(&rules.version);
    set.source = source;
    if rules.exit_code != Some(0) {
        for name in TableName::ALL {
            let mut table = name.empty_table(set.family, 1);
            mark_hidden_chains(&mut table, set.backend, GapReason::NotShown);
            set.tables.push(table);
        }
    }
    set
}

/// Adds a rule set for each family of a capture whose dumps have no table.
pub(super) fn add_for_empty_capture(read: &mut Read, capture: &Capture, sources: &[String]) {
    let is_blank = |text: &String| {
        let mut lines = text.lines().map(str::trim);
        lines.all(|line| line.is_empty() || line.starts_with('#'))
    };
    let mut dumps = capture.rulesets.iter().zip(sources);
    let mut unread = Vec::new();
    if dumps.all(|(_, text)| is_blank(text)) {
        for family in [Family::Ipv4, Family::Ipv6] {
            let dumps = dumps_of(capture, family);
            let failed = dumps.iter().find(has_failed);
            unread.extend(failed.map(|(_, rules)| command(rules)));
            let Some(dump) = failed.or(dumps.first()) else {
                continue;
            };
            let mut set = ruleset_without_tables(*dump);
            for backend in [Backend::Legacy, Backend::Nft] {
                if dumps.iter().all(|(_, rules)| rules.backend != backend) {
                    let name = backend.name();
                    set.unread.push(format!(
                        "the capture has no dump of the {name} backend: it is evaluated as empty"
                    ));
                }
            }
            note_missing_listing(&mut set, capture);
            add(read, set, "", 1, Inside::Capture);
        }
    }
    let is_added = !read.rulesets.is_empty();
    let (severity, message) = match &unread[..] {
        [] if is_added => (Severity::Note, "the capture has no rules".to_owned()),
        [] => (Severity::Warning, "the capture has no rules".to_owned()),
        failed => (
            Severity::Warning,
            format!("the capture has no rules, and {} failed", failed.join(", ")),
        ),
    };
    let hint = match severity {
        Severity::Note => "no rule of iptables filters or redirects a packet there",
        _ => "its warnings state what could not be read",
    };
    let problem = Problem::new(Code::EmptyCapture, message).hint(hint);
    read.diagnostics.source = 0;
    read.diagnostics
        .push("", 1, Span::default(), as_severe(problem, severity));
}

/// Notes the parts that a capture with rules lacks.
pub(super) fn note_unread_parts(read: &mut Read, capture: &Capture) {
    for family in [Family::Ipv4, Family::Ipv6] {
        let dumps = dumps_of(capture, family);
        let mut failed = dumps.iter().filter(has_failed).peekable();
        if let Some(set) = read.rulesets.iter_mut().find(|set| set.family == family) {
            set.unread.extend(failed.map(|(_, rules)| {
                let backend = rules.backend.name();
                let command = command(rules);
                format!(
                    "{command} failed: the {backend} backend has no other rules than it printed"
                )
            }));
            let left_out = capture.left_out.iter();
            set.unread
                .extend(left_out.map(|part| format!("the capture contains {part}")));
            note_missing_listing(set, capture);
        } else if let Some(dump) = failed.peek() {
            add(read, ruleset_without_tables(**dump), "", 1, Inside::Capture);
        }
    }
}

fn note_missing_listing(set: &mut Ruleset, capture: &Capture) {
    let listing = capture.nftables.as_ref();
    if listing.is_none_or(|listing| listing.exit_code != Some(0)) {
        set.unread.push(NO_NFT_LISTING.into());
    }
}

fn command(rules: &CapturedRules) -> String {
    format!("`{}`", rules.command.join(" "))
}
