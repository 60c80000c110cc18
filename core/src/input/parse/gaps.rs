//! Marks where tables lack rules, or show them damaged, so that no walk is certain on the strength of them.
//!
//! It looks at what was read and at what was reported: an error on a rule's line, a line such as `...` among the rules, an
//! end without COMMIT, a built-in chain that a listing does not show.

use std::collections::HashMap;

use crate::iptables::extension::Id;
use crate::netfilter::backend::Backend;
use crate::netfilter::base::BaseChain;
use crate::netfilter::gap::{Gap, GapReason};
use crate::netfilter::ruleset::{Chain, Counted, Rule, Ruleset, Table, TableName, Target};
use crate::packet::Family;
use crate::text::diagnostic::{Code, Diagnostic, Severity, Span};

use super::{Format, Parsed, Section, call};

/// A line that stands for rules, or may be one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct LostLine {
    line: u32,
    reason: GapReason,
}

/// Marks the gaps of all rule sets.
pub(super) fn mark(parsed: &mut Parsed) {
    let errors = errors_by_line(parsed);
    let is_capped = parsed.diagnostics.iter().any(|diagnostic| diagnostic.code == Code::MoreDiagnostics);
    for ruleset in &mut parsed.rulesets {
        if !errors.is_empty() {
            mark_damaged_rules(ruleset, &errors);
        }
        if is_capped {
            // An error that is not reported may concern any rule.
            let chains = ruleset.tables.iter_mut().flat_map(|table| &mut table.chains);
            chains.for_each(|chain| chain.add_gap(Gap { before: 0, reason: GapReason::Unreadable, line: chain.line }));
        }
    }
    let unreadable = unreadable_lines(parsed);
    for section in std::mem::take(&mut parsed.sections) {
        mark_section(parsed, &section, &unreadable);
        parsed.sections.push(section);
    }
    mark_cut_tables(parsed);
    mark_conditional_commands(parsed);
    mark_tables_of_notes(parsed);
}

/// Marks the chains that a command may have changed, where it is not known whether the command ran.
fn mark_conditional_commands(parsed: &mut Parsed) {
    let conditional = parsed.diagnostics.iter().filter(|diagnostic| diagnostic.code == Code::ConditionalCommand);
    let commands: Vec<(u32, u32, Span)> =
        conditional.map(|diagnostic| (diagnostic.source, diagnostic.line, diagnostic.span)).collect();
    for (source, line, span) in commands.into_iter().take(MOST_CONDITIONAL) {
        if !parsed.rulesets.iter().any(|set| set.source == source) {
            // No command is sure to run: the table of the first is all that is known.
            let command = parsed.sources.get(source as usize).map_or("", |text| span.of(text));
            let family = if command.contains("ip6tables") { Family::Ipv6 } else { Family::Ipv4 };
            let name = call::table(command).and_then(TableName::from_text).unwrap_or(TableName::Filter);
            let mut table = Table { name, line, chains: Vec::new() };
            mark_hidden_chains(&mut table, None, GapReason::Conditional);
            parsed.rulesets.push(Ruleset { source, tables: vec![table], ..Ruleset::new(family, None) });
        }
        let commands = parsed.rulesets.iter_mut().filter(|set| set.source == source);
        for chain in commands.flat_map(|set| &mut set.tables).flat_map(|table| &mut table.chains) {
            // The command may insert, append, delete, or set the policy.
            chain.add_gap(Gap { before: 0, reason: GapReason::Conditional, line: Some(line) });
        }
    }
}

/// Commands in conditions that are looked at one by one: the first marks every chain already.
const MOST_CONDITIONAL: usize = 1;

/// Marks what iptables says it cannot show: ``# Table `nat' is incompatible, use 'nft' tool.``, and the other backend's
/// tables.
fn mark_tables_of_notes(parsed: &mut Parsed) {
    let Parsed { sources, rulesets, diagnostics, .. } = parsed;
    if !diagnostics.iter().any(|diagnostic| diagnostic.code == Code::OtherBackend) {
        return;
    }
    for (source, text) in (0..).zip(&*sources) {
        for (number, line) in (1..).zip(text.lines()) {
            if let Some(table) = incompatible_table(line) {
                let sets = rulesets.iter_mut().filter(|set| set.source == source);
                for set in sets {
                    mark_incompatible(set, table, number);
                }
            }
            for (note, backend) in [("-legacy tables present", Backend::Legacy), ("-nft tables present", Backend::Nft)]
            {
                if line.contains(note) {
                    let family = if line.contains("ip6tables") { Family::Ipv6 } else { Family::Ipv4 };
                    let sets = rulesets.iter_mut().filter(|set| set.source == source && set.family == family);
                    sets.for_each(|set| set.hidden_backend = Some(backend));
                }
            }
        }
    }
}

/// The table that a note of iptables names as one that it cannot show.
fn incompatible_table(line: &str) -> Option<TableName> {
    let (_, rest) = line.split_once("Table `")?;
    let (name, rest) = rest.split_once('\'')?;
    rest.trim_start().starts_with("is incompatible").then(|| TableName::from_text(name))?
}

fn mark_incompatible(set: &mut Ruleset, name: TableName, line: u32) {
    let backend = set.backend;
    if set.table(name).is_none() {
        set.tables.push(Table { name, line, chains: Vec::new() });
    }
    for table in set.tables.iter_mut().filter(|table| table.name == name) {
        mark_hidden_chains(table, backend, GapReason::Incompatible);
        for chain in &mut table.chains {
            chain.gaps.clear();
            chain.add_gap(Gap { before: 0, reason: GapReason::Incompatible, line: Some(line) });
        }
    }
}

/// The errors of each line, by source and line.
type ErrorCounts = HashMap<(u32, u32), LineErrors>;

/// The errors of one line.
#[derive(Clone, Copy, Debug, Default)]
struct LineErrors {
    /// How many concern one option or the target alone, so that the rest of the rule is as it was.
    confined: usize,
    /// Whether another may have changed what the whole rule means: a lost `!`, say.
    is_open: bool,
}

impl LineErrors {
    /// Whether more may be wrong with a rule than what it keeps as undetermined.
    fn may_concern_more(self, ruleset: &Ruleset, rule: &Rule) -> bool {
        // A word that is not understood may have been the rule's `-j`.
        let may_lack_target = matches!(rule.target, Target::None);
        self.is_open || may_lack_target || self.confined > errors_kept_in(ruleset, rule)
    }
}

fn errors_by_line(parsed: &Parsed) -> ErrorCounts {
    let mut counts = ErrorCounts::new();
    // A walk that comes to a loop stops there by itself.
    let matters = |code: Code| code != Code::ChainLoop;
    // What iptables itself could not print is no error of the text: `[unsupported revision]`.
    let is_error =
        |diagnostic: &&Diagnostic| diagnostic.severity == Severity::Error || diagnostic.code == Code::UnexpectedWord;
    let errors = parsed.diagnostics.iter().filter(is_error);
    for diagnostic in errors.filter(|diagnostic| matters(diagnostic.code)) {
        let errors = counts.entry((diagnostic.source, diagnostic.line)).or_default();
        match diagnostic.code {
            Code::InvalidValue | Code::MissingValue | Code::LostAddress | Code::UnknownOption | Code::UnknownTarget => {
                errors.confined += 1;
            }
            _ => errors.is_open = true,
        }
    }
    counts
}

/// Marks rules with errors that no condition and no target stands for: iptables refuses such a rule as a whole.
fn mark_damaged_rules(ruleset: &mut Ruleset, errors: &ErrorCounts) {
    let source = ruleset.source;
    let mut damaged: Vec<(usize, usize, Gap)> = Vec::new();
    for (table_at, table) in ruleset.tables.iter().enumerate() {
        for (chain_at, chain) in table.chains.iter().enumerate() {
            let gap = |before: usize, line| Gap { before: to_u32(before), reason: GapReason::Damaged, line };
            let rules = chain.rules.iter().enumerate();
            let wrong = rules.filter(|(_, rule)| {
                errors.get(&(source, rule.line)).is_some_and(|errors| errors.may_concern_more(ruleset, rule))
            });
            damaged.extend(wrong.map(|(at, rule)| (table_at, chain_at, gap(at, Some(rule.line)))));
            if chain.base.is_some() && chain.line.is_some_and(|line| errors.contains_key(&(source, line))) {
                damaged.push((table_at, chain_at, gap(chain.rules.len(), chain.line)));
            }
        }
    }
    for (table, chain, gap) in damaged {
        ruleset.tables[table].chains[chain].add_gap(gap);
    }
}

/// How many errors of a rule the rule itself holds, as a condition that nobody can answer or a target that nobody knows.
fn errors_kept_in(ruleset: &Ruleset, rule: &Rule) -> usize {
    let conditions = ruleset.matches(rule).iter().filter(|part| part.extension == Id::STRAY).count();
    let is_unknown = matches!(rule.target, Target::Missing { .. } | Target::Extension(Id::OPAQUE_TARGET));
    conditions + usize::from(is_unknown)
}

/// Lines that were reported as unreadable, by source.
fn unreadable_lines(parsed: &Parsed) -> Vec<(u32, LostLine)> {
    let reported = parsed.diagnostics.iter().filter(|diagnostic| match diagnostic.code {
        Code::NotARule | Code::UndeclaredChain | Code::OutsideChain | Code::UnclosedQuote => true,
        Code::UnknownLine => {
            let source = parsed.sources.get(diagnostic.source as usize);
            source.is_some_and(|text| resembles_rule(diagnostic.span.of(text)))
        }
        _ => false,
    });
    reported
        .map(|diagnostic| (diagnostic.source, LostLine { line: diagnostic.line, reason: GapReason::Unreadable }))
        .collect()
}

/// Whether a line that cannot be read is likely a rule: one that has lost a sign, say.
fn resembles_rule(line: &str) -> bool {
    let line = line.trim_start();
    line.contains(" -j ")
        || line.contains(" -g ")
        || ["-A", "A ", "—A", "–A", "["].iter().any(|start| line.starts_with(start))
}

/// Marks what one part of the input does not show of its tables.
fn mark_section(parsed: &mut Parsed, section: &Section, unreadable: &[(u32, LostLine)]) {
    let Some(ruleset) = section.ruleset.and_then(|place| parsed.rulesets.get_mut(place as usize)) else { return };
    let Some(text) = parsed.sources.get(section.source as usize) else { return };
    if !matches!(section.format, Format::Save | Format::Rules | Format::Listing) {
        return;
    }
    let mut lost = elided_lines(text, section);
    let last_line = section.line + to_u32(memchr::memchr_iter(b'\n', section.span.of(text).as_bytes()).count());
    let is_inside = |line: u32| (section.line..=last_line).contains(&line);
    lost.extend(
        unreadable
            .iter()
            .filter(|(source, lost)| *source == section.source && is_inside(lost.line))
            .map(|(_, lost)| *lost),
    );
    let backend = ruleset.backend;
    for table in ruleset.tables.iter_mut().filter(|table| section.tables.contains(&table.name)) {
        if !lost.is_empty() {
            mark_lost_lines(table, section.format, &lost);
        }
        if section.format != Format::Save {
            // People leave out chains without rules. Where a chain of table nat is left out, a redirect may be.
            let is_likely_empty = section.whole_tables || table.name != TableName::Nat;
            let reason = if is_likely_empty { GapReason::Omitted } else { GapReason::NotShown };
            mark_hidden_chains(table, backend, reason);
        }
    }
}

/// The lines of a part, and those right behind it, that say that rules were left out.
fn elided_lines(text: &str, section: &Section) -> Vec<LostLine> {
    let start = section.span.start as usize;
    let inside = section.span.of(text).lines().count();
    let lines = text.get(start..).unwrap_or_default().lines();
    let numbered = (section.line..).zip(lines);
    let near =
        numbered.enumerate().take_while(|(at, (_, line))| *at < inside || !line.trim().is_empty() && *at < inside + 2);
    let elided = near.filter(|(_, (_, line))| is_elision(line));
    elided.map(|(_, (line, _))| LostLine { line, reason: GapReason::Elided }).collect()
}

/// Words that people write where they leave out rules.
const ELISION_WORDS: [&str; 12] =
    ["snip", "snipped", "more", "omitted", "elided", "truncated", "skipped", "removed", "cut", "left", "others", "etc"];

/// Whether a line stands for other lines: `...`, `[snip]`, `(more ACCEPT lines, cut for length)`.
fn is_elision(line: &str) -> bool {
    let line = line.trim().trim_start_matches(['#', '>', '|', '│']).trim();
    // `2    ... (some more here)`: the number of a rule.
    let line = line.trim_start_matches(|character: char| character.is_ascii_digit()).trim_start();
    if line.len() > 120 || line.contains(" -j ") {
        return false;
    }
    let has_dots = |text: &str| text.contains("...") || text.contains('…');
    if line.starts_with("...") || line.starts_with('…') || has_dots(line) && !line.contains(char::is_alphanumeric) {
        return true;
    }
    let in_brackets = [('(', ')'), ('[', ']'), ('<', '>'), ('{', '}')]
        .iter()
        .any(|(open, close)| line.starts_with(*open) && line.ends_with(*close));
    let mut words = line.split(|character: char| !character.is_alphabetic());
    let names_elision = words.any(|word| ELISION_WORDS.contains(&&*word.to_lowercase()));
    let only_words = line.trim_matches(|character: char| !character.is_alphabetic());
    in_brackets && (has_dots(line) || names_elision)
        || ["snip", "snipped", "omitted", "truncated", "cut"].contains(&&*only_words.to_lowercase())
}

/// Marks where lines are lost among the rules of a table.
fn mark_lost_lines(table: &mut Table, format: Format, lost: &[LostLine]) {
    // Every rule by its line: (line, chain, rule).
    let mut rules: Vec<(u32, usize, usize)> = Vec::new();
    for (chain_at, chain) in table.chains.iter().enumerate() {
        rules.extend(chain.rules.iter().enumerate().map(|(at, rule)| (rule.line, chain_at, at)));
    }
    rules.sort_unstable();
    let mut heads: Vec<(u32, usize)> =
        table.chains.iter().enumerate().filter_map(|(at, chain)| Some((chain.line?, at))).collect();
    heads.sort_unstable();
    let mut hides_whole_chains = false;
    for lost in lost {
        let gap = |before: usize| Gap { before: to_u32(before), reason: lost.reason, line: Some(lost.line) };
        let behind = rules.partition_point(|(line, ..)| *line < lost.line);
        let next = rules.partition_point(|(line, ..)| *line <= lost.line);
        let head = heads.partition_point(|(line, _)| *line <= lost.line).checked_sub(1).map(|at| heads[at]);
        if format == Format::Listing {
            // A listing shows the rules of a chain below its head.
            let Some((head_line, chain)) = head else { continue };
            let before = rules[..behind].iter().rev().take_while(|(line, ..)| *line > head_line);
            let before = before.max().map_or(0, |(_, _, at)| at + 1);
            table.chains[chain].add_gap(gap(before));
            continue;
        }
        if lost.line < table.line {
            continue;
        }
        let previous = behind.checked_sub(1).map(|at| rules[at]);
        if let Some((_, chain, rule)) = previous {
            table.chains[chain].add_gap(gap(rule + 1));
        }
        if let Some((_, chain, rule)) =
            rules.get(next).copied().filter(|next| previous.is_none_or(|(_, chain, _)| chain != next.1))
        {
            table.chains[chain].add_gap(gap(rule));
        }
        hides_whole_chains = true;
    }
    if hides_whole_chains {
        let line = lost.first().map(|lost| lost.line);
        let reason = lost.first().map_or(GapReason::Elided, |lost| lost.reason);
        for chain in table.chains.iter_mut().filter(|chain| chain.rules.is_empty()) {
            chain.add_gap(Gap { before: 0, reason, line });
        }
    }
}

/// Marks the chains that a listing or `-S` does not show, or of which it shows single rules only. The built-in ones exist in
/// the kernel whether they are shown or not.
fn mark_hidden_chains(table: &mut Table, backend: Option<Backend>, reason: GapReason) {
    for chain in table.chains.iter_mut().filter(|chain| chain.line.is_none()) {
        chain.add_gap(Gap { before: 0, reason: GapReason::NotShown, line: None });
    }
    let hidden = Gap { before: 0, reason, line: None };
    for hook in table.name.hooks() {
        if table.at(*hook).is_none() {
            table.chains.push(Chain {
                name: hook.name().into(),
                base: Some(BaseChain::built_in(table.name, *hook, backend)),
                counters: Counted::default(),
                line: None,
                rules: Vec::new(),
                gaps: vec![hidden.clone()],
            });
        }
    }
}

/// Marks tables without COMMIT: the text may end before their last rule. iptables-save prints the rules chain by chain, so
/// that only the last chain with a rule and those behind it may go on.
fn mark_cut_tables(parsed: &mut Parsed) {
    let cut: Vec<(u32, u32)> = parsed.cut_off().map(|diagnostic| (diagnostic.source, diagnostic.line)).collect();
    for ruleset in &mut parsed.rulesets {
        let source = ruleset.source;
        let end = parsed.sources.get(source as usize).map_or(0, String::len);
        for table in ruleset.tables.iter_mut().filter(|table| cut.contains(&(source, table.line))) {
            let last = (0..table.chains.len()).max_by_key(|at| table.chains[*at].rules.last().map(|rule| rule.line));
            let Some(last) = last else { continue };
            let has_rules = !table.chains[last].rules.is_empty();
            for (at, chain) in table.chains.iter_mut().enumerate() {
                let goes_on = at == last || !has_rules || at > last && chain.rules.is_empty();
                if goes_on {
                    let before = to_u32(chain.rules.len());
                    chain.add_gap(Gap { before, reason: GapReason::CutOff, line: None });
                }
            }
            let chain = &mut table.chains[last];
            if let Some(rule) = chain.rules.last().filter(|rule| rule.span.end as usize == end) {
                // No line end follows: the rule itself may go on.
                let line = Some(rule.line);
                let before = to_u32(chain.rules.len() - 1);
                chain.add_gap(Gap { before, reason: GapReason::CutOff, line });
            }
        }
    }
}

fn to_u32(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}
