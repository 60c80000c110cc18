//! Repairs rules that lost a part. The rest of the paste, or the form of a mesh's rules, shows the
//! lost part. A repair is offered as an edit of the text and never made automatically.

use std::fmt::Write;

use crate::input::parsed::Parsed;
use crate::input::section::{Format, Inside, Section};
use crate::mesh::MeshKind;
use crate::netfilter::ruleset::{Chain, Rule, Ruleset, Table};
use crate::text::diagnostic::{Code, Diagnostic, Fix, Span};

mod chain_by_chain;
mod duplicate_tables;
mod partial_rule;
mod two_dumps;

pub(crate) use duplicate_tables::settle;
use partial_rule::Pieces;

/// The maximum number of sections that are compared with each other.
const MAX_SECTIONS: usize = 32;

/// The maximum size of a table. Those of a mesh are smaller.
const MAX_RULES: usize = 500;

/// Offers all possible repairs.
pub(crate) fn offer(parsed: &mut Parsed) {
    if parsed.diagnostics.is_empty()
        || parsed.rulesets.iter().map(Ruleset::rules).sum::<usize>() > MAX_RULES * 4
    {
        return;
    }
    let mut offered = rules(parsed);
    let tables: Vec<Diagnostic> = parsed
        .sections
        .iter()
        .take(MAX_SECTIONS)
        .filter_map(|section| table(parsed, section))
        .collect();
    for diagnostic in &mut parsed.diagnostics {
        let of_it = |(source, line, span, ..): &(u32, u32, Span, String, Fix)| {
            (*source, *line) == (diagnostic.source, diagnostic.line)
                && (span.start..=span.end).contains(&diagnostic.span.start)
        };
        if diagnostic.code != Code::LostAddress {
            continue;
        }
        if let Some(place) = offered.iter().position(of_it) {
            let (_, _, _, why, fix) = offered.swap_remove(place);
            diagnostic.hint = Some(why);
            diagnostic.fixes.push(fix);
        }
    }
    if !tables.is_empty() {
        parsed.diagnostics.extend(tables);
        parsed
            .diagnostics
            .sort_by_key(|one| (one.source, one.line, one.column));
    }
}

/// The rules with gaps that the form of a mesh's rules fills: source, line, position, reason, and
/// the edit.
fn rules(parsed: &Parsed) -> Vec<(u32, u32, Span, String, Fix)> {
    let mut found = Vec::new();
    for set in &parsed.rulesets {
        for table in &set.tables {
            for (chain, rule) in table
                .chains
                .iter()
                .flat_map(|chain| chain.rules.iter().map(move |rule| (chain, rule)))
            {
                let pieces = Pieces::of(set, table, rule);
                if !pieces.has_gap() || listed(parsed, set, rule) {
                    continue;
                }
                let Some((text, Some(mesh))) = pieces.filled(set, &chain.name) else {
                    continue;
                };
                let text = format!("-A {} {text}", chain.name);
                let label = format!("Rebuild it: {text}");
                let why = format!(
                    "{}'s rules have one like this, and no other address makes it one",
                    mesh.name()
                );
                found.push((
                    set.source,
                    rule.line,
                    rule.span,
                    why,
                    Fix {
                        label,
                        span: rule.span,
                        replacement: text,
                    },
                ));
            }
        }
    }
    found
}

/// Whether a rule comes from a listing.
fn listed(parsed: &Parsed, set: &Ruleset, rule: &Rule) -> bool {
    parsed.sections.iter().any(|section| {
        section.format == Format::Listing
            && section.source == set.source
            && (section.span.start..section.span.end).contains(&rule.span.start)
    })
}

/// Offers the complete table in place of a section that lost a part of it.
fn table(parsed: &Parsed, section: &Section) -> Option<Diagnostic> {
    let [name] = section.tables[..] else {
        return None;
    };
    let prints = matches!(
        section.format,
        Format::Save | Format::Rules | Format::Listing
    );
    if !prints || section.inside != Inside::Text {
        return None;
    }
    let set = &parsed.rulesets[section.ruleset? as usize];
    let own = set.table(name)?;
    // Another part of the paste with the same table.
    let other = parsed
        .sections
        .iter()
        .take(MAX_SECTIONS)
        .filter(|other| *other != section && other.format != Format::Commands)
        .find_map(|other| {
            let held = &parsed.rulesets[other.ruleset? as usize];
            let table = held
                .table(name)
                .filter(|_| held.family == set.family && other.ruleset != section.ruleset)?;
            let shares = own
                .chains
                .iter()
                .any(|chain| chain.hook().is_none() && table.chain(&chain.name).is_some());
            shares.then_some((other, held, table))
        });
    let other = other.filter(|(_, _, table)| table.rules() >= own.rules());
    // A listing is replaced only if there is no better part.
    let better = |parsed: &Parsed| {
        parsed.sections.iter().any(|one| {
            one != section && one.format != Format::Listing && one.tables.contains(&name)
        })
    };
    if section.format == Format::Listing && (other.is_some() || better(parsed)) {
        return None;
    }
    let gaps = holding_gaps(set, own);
    let lacking = other.map_or(0, |(_, _, table)| table.rules() - own.rules());
    // One gap has an edit of its own, except in the rows of a listing.
    let few = if section.format == Format::Listing {
        0
    } else {
        1
    };
    if lacking == 0 && gaps <= few {
        return None;
    }
    let mut meshes = Vec::new();
    let text = whole(
        (set, own),
        other.map(|(_, set, table)| (set, table)),
        &mut meshes,
    )?;
    let source = &parsed.sources[section.source as usize];
    if !references_agree(
        &text,
        other
            .map_or(section, |(other, ..)| other)
            .span
            .slice(source),
    ) {
        return None;
    }
    let mut from = Vec::new();
    from.extend(other.map(|(other, ..)| format!("{} at line {}", other.command(), other.line)));
    from.extend(
        meshes
            .first()
            .map(|mesh| format!("the shape of {}'s rules", mesh.name())),
    );
    let mut message = Vec::new();
    if gaps > 0 {
        let rules = if gaps == 1 {
            "a rule has".into()
        } else {
            format!("{gaps} rules have")
        };
        message.push(match section.format {
            Format::Listing => format!("{rules} an address that is not shown"),
            _ => format!("{rules} lost an address"),
        });
    }
    if lacking > 0 {
        let rules = if lacking == 1 {
            "a rule is".into()
        } else {
            format!("{lacking} rules are")
        };
        message.push(format!("{rules} missing"));
    }
    let from = from.join(" and ");
    // The last line end and the comments at the beginning stay.
    let shown = section.span.slice(source);
    let comments: usize = shown
        .split_inclusive('\n')
        .take_while(|line| line.starts_with('#'))
        .map(str::len)
        .sum();
    let end = section.span.start as usize + shown.trim_end().len();
    let message = match section.format {
        Format::Listing => format!("in table {name} {}", message.join(", ")),
        _ => format!("table {name} is damaged here: {}", message.join(", ")),
    };
    Some(Diagnostic {
        code: Code::DamagedTable,
        severity: Code::DamagedTable.severity(),
        source: section.source,
        line: section.line,
        column: 1,
        span: Span {
            start: section.span.start,
            end: section.span.start,
        },
        message,
        hint: Some(format!("it can be rebuilt from {from}")),
        fixes: vec![Fix {
            label: match lacking {
                0 => format!("Fill the gaps from {from}"),
                _ => format!("Put in the whole table, rebuilt from {from}"),
            },
            span: Span::new(section.span.start as usize + comments, end),
            replacement: text,
        }],
    })
}

fn holding_gaps(set: &Ruleset, table: &Table) -> usize {
    let rules = table.chains.iter().flat_map(|chain| &chain.rules);
    rules
        .filter(|rule| Pieces::of(set, table, rule).has_gap())
        .count()
}

/// The complete table as `iptables-save` prints it: the rules of both parts, each once, in order,
/// without gaps. `None` if a gap remains or the parts do not fit together.
fn whole(
    (set, own): (&Ruleset, &Table),
    other: Option<(&Ruleset, &Table)>,
    meshes: &mut Vec<MeshKind>,
) -> Option<String> {
    let mut chains: Vec<(&Chain, Option<&Chain>)> = Vec::new();
    for chain in &own.chains {
        chains.push((
            chain,
            other.and_then(|(_, table)| Some(table.chain(&chain.name)?.1)),
        ));
    }
    for chain in other.iter().flat_map(|(_, table)| &table.chains) {
        if own.chain(&chain.name).is_none() {
            chains.push((chain, Some(chain)));
        }
    }
    chains.sort_by_key(|(chain, _)| (chain.hook().is_none(), chain.hook(), chain.name.clone()));
    let mut out = format!("*{}\n", own.name);
    for (chain, _) in &chains {
        let policy = if chain.hook().is_some() {
            chain.policy().name()
        } else {
            "-"
        };
        let _ = writeln!(
            out,
            ":{} {policy} {}",
            chain.name,
            chain.counters.counters(set).unwrap_or_default()
        );
    }
    for (chain, listed) in &chains {
        let mine = own
            .chain(&chain.name)
            .map_or(Vec::new(), |(_, chain)| pieces_of(set, own, chain));
        let theirs = match (listed, other) {
            (Some(listed), Some((set, table))) => pieces_of(set, table, listed),
            _ => mine.clone(),
        };
        let mut next = mine.iter().peekable();
        for rule in &theirs {
            let same = next.next_if(|own| own.may_be(rule));
            // A fact that either part shows is known.
            let (text, mesh) = same.into_iter().chain([rule]).find_map(|pieces| {
                pieces
                    .filled(set, &chain.name)
                    .or_else(|| pieces.filled(other?.0, &chain.name))
            })?;
            meshes.extend(mesh);
            let _ = writeln!(out, "-A {} {text}", chain.name);
        }
        if next.next().is_some() {
            return None;
        }
    }
    out.push_str("COMMIT");
    Some(out)
}

fn pieces_of<'a>(set: &'a Ruleset, table: &'a Table, chain: &Chain) -> Vec<Pieces<'a>> {
    chain
        .rules
        .iter()
        .map(|rule| Pieces::of(set, table, rule))
        .collect()
}

/// Whether the `(3 references)` of a listing equal those of a rebuilt table.
fn references_agree(rebuilt: &str, listing: &str) -> bool {
    let stated = listing.lines().filter_map(|line| {
        let (name, rest) = line.trim().strip_prefix("Chain ")?.split_once(" (")?;
        Some((
            name,
            rest.strip_suffix(" references)")?.parse::<usize>().ok()?,
        ))
    });
    let jumps = |name: &str| {
        rebuilt
            .lines()
            .filter(|line: &&str| {
                line.ends_with(&format!("-j {name}")) || line.ends_with(&format!("-g {name}"))
            })
            .count()
    };
    stated.into_iter().all(|(name, count)| jumps(name) == count)
}
