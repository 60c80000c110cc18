//! Walks as Markdown, for a ticket or a chat.

use std::fmt::Write;

use crate::explain;
use crate::mesh::Mesh;
use crate::print;
use crate::report;
use crate::ruleset::Ruleset;
use crate::walk::trace::{Outcome, Trace};

/// So many steps are told one by one.
const MOST: usize = 200;

/// The walks, each with its name, the most important first. `given` is taken for granted besides what each walk assumes; `link`
/// leads to the page that shows them.
pub fn markdown(
    rulesets: &[Ruleset],
    mesh: Option<&Mesh>,
    given: &[String],
    walks: &[(String, &Trace)],
    link: Option<&str>,
) -> String {
    let mut out = String::new();
    for (name, trace) in walks {
        // Writing to a string cannot fail.
        let _ = write_walk(rulesets, mesh, given, name, trace, &mut out);
    }
    if let Some(link) = link {
        let _ = writeln!(out, "[Step through it in Chainwalk]({link})");
    }
    out
}

fn write_walk(
    rulesets: &[Ruleset],
    mesh: Option<&Mesh>,
    given: &[String],
    name: &str,
    trace: &Trace,
    out: &mut String,
) -> std::fmt::Result {
    let headline = explain::verdict(rulesets, trace, mesh);
    let (lead, reason, end) = (&headline.lead, plain(&headline.reason), plain(&explain::capital(&headline.end)));
    writeln!(out, "### {}: {lead} {reason}\n\n{end}.\n", plain(&explain::capital(name)))?;
    fenced("json", &report::packet(&trace.packet), out)?;
    let path = trace.shown();
    if let Some(place) = path.verdict.as_ref().and_then(|verdict| verdict.decided_by)
        && let Some(rule) = place.rule(rulesets)
    {
        let (ruleset, table, chain) = place.at.find(rulesets);
        writeln!(out, "Decided by line {}, in table {}:\n", rule.line, table.name)?;
        fenced("", &format!("-A {} {}", chain.name, print::rule(ruleset, table, rule)), out)?;
    }
    let all = path.steps.len() <= MOST;
    if !all {
        writeln!(out, "{} steps; these are the first that matched:\n", path.steps.len())?;
    }
    out.push_str("| | hook | table | chain | rule | | why |\n|-:|-|-|-|-:|-|-|\n");
    let told = (1..).zip(path.steps.iter()).filter(|(_, step)| all || step.outcome != Outcome::NoMatch);
    for (number, step) in told.take(MOST) {
        let (_, table, chain) = step.place.at.find(rulesets);
        let rule = step.place.rule.map_or("policy".into(), |rule| (rule + 1).to_string());
        let outcome = match step.outcome {
            Outcome::Match => "✓ matches",
            Outcome::NoMatch => "– no match",
            Outcome::Unknown => "? cannot be told",
            Outcome::Policy => "✓ applies",
        };
        let why = explain::why(rulesets, trace, path, &step);
        let (hook, table, chain) = (step.hook, table.name, plain(&chain.name));
        writeln!(out, "| {number} | {hook} | {table} | {chain} | {rule} | {outcome} | {} |", plain(&why))?;
    }
    out.push('\n');
    let certain = if trace.certain { "Certain" } else { "A dump cannot tell all of it" };
    if given.is_empty() && trace.assumes.is_empty() {
        return writeln!(out, "{certain}.\n");
    }
    writeln!(out, "{certain}, given:\n")?;
    given.iter().chain(&trace.assumes).try_for_each(|says| writeln!(out, "- {}", plain(says)))?;
    out.push('\n');
    Ok(())
}

/// Text in which nothing is markup, on one line. An underscore within a word is none.
fn plain(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '\\' | '`' | '*' | '[' | ']' | '<' | '>' | '|' | '&' | '!' => {
                out.push('\\');
                out.push(character);
            }
            control if control.is_control() => out.push(' '),
            other => out.push(other),
        }
    }
    out
}

/// A block between fences longer than any within.
fn fenced(kind: &str, text: &str, out: &mut String) -> std::fmt::Result {
    let mut fence = String::from("```");
    while text.contains(&fence) {
        fence.push('`');
    }
    writeln!(out, "{fence}{kind}\n{text}\n{fence}\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::Host;
    use crate::{parse, scenario, walk};

    #[test]
    fn a_walk_is_told_and_nothing_in_it_is_markup() {
        let rules = "*filter\n:OUTPUT ACCEPT [0:0]\n:a|b<i> - [0:0]\n-A OUTPUT -j a|b<i>\n\
                     -A a|b<i> -d 10.0.0.0/8 -j ACCEPT\n-A a|b<i> -m comment --comment \"```x\" -j DROP\nCOMMIT\n";
        let rulesets = parse::parse(rules).rulesets;
        let packet = &scenario::list(&Host::pod(), None)[0].packet;
        let trace = walk::walk(&rulesets, None, &Host::pod(), packet);
        let told = markdown(&rulesets, None, &[], &[("uid 1000".into(), &trace)], Some("https://example.org/#1"));
        assert!(told.starts_with("### Uid 1000: Dropped. Rule 2 of a\\|b\\<i\\>"), "{told}");
        let row =
            "| 2 | OUTPUT | filter | a\\|b\\<i\\> | 1 | – no match | destination 93.184.216.34 is not in 10.0.0.0/8 |";
        assert!(told.contains(row), "{told}");
        assert!(told.contains("````\n-A a|b<i> -m comment --comment \"```x\" -j DROP\n````\n"), "{told}");
        assert!(told.contains("\"uid\":1000") && told.contains("\n- ") && told.ends_with("(https://example.org/#1)\n"));
    }
}
