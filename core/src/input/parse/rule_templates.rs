//! Templates of rules. A node's dump has thousands of rules that differ only in their values, at
//! the same positions. The parser stores how it read the words of one rule, and compares the next
//! rule with that piece by piece. A rule that does not fit is parsed word by word. Debug builds
//! also parse every rule word by word, so every test checks that both results agree.

use crate::iptables::extension::header::is_any;
use crate::iptables::extension::{Given, Id, Kind, Options};
use crate::netfilter::ruleset::{Clause, Rule, Ruleset, Target};
use crate::packet::Protocol;
use crate::text::diagnostic::Span;

use super::open_table::OpenTable;
use super::words;

/// The maximum number of templates of a table: kube-proxy's rules have about twelve.
const MAX_TEMPLATES: usize = 16;
/// Comparisons stop after this many more misses than hits.
const PATIENCE: i32 = 200;

/// The templates of a table.
#[derive(Default)]
pub(super) struct Shapes {
    known: Vec<RuleTemplate>,
    /// The template of the last rule.
    last: usize,
    /// The number of chains of the table. A new chain may change the meaning of a target's name.
    chains: usize,
    /// The number of misses minus the number of hits.
    strange: i32,
}

/// The template of rules that differ only in their values.
pub(super) struct RuleTemplate {
    /// The line of the first rule, without counters, and its start.
    pub(super) line: Box<str>,
    pub(super) start: u32,
    /// Its values, in the order of the line. The first one is the chain.
    pub(super) values: Vec<ValueSlot>,
    /// Its clauses. Those with values of the line lack them.
    pub(super) parts: Vec<Clause>,
    pub(super) rule: Rule,
    pub(super) protocol: Option<Protocol>,
    /// The templates that followed, the last one first.
    pub(super) next: [usize; 2],
}

/// A value that is a separate word.
#[derive(Clone, Copy)]
pub(super) struct ValueSlot {
    pub(super) span: Span,
    pub(super) what: What,
}

/// The meaning of a value.
#[derive(Clone, Copy)]
pub(super) enum What {
    /// The chain that holds the rule.
    Chain,
    /// The chain that the rule jumps to.
    Jump,
    /// The value of an option.
    Value {
        group: u16,
        id: Id,
        /// The written option.
        option: u8,
        /// The position of the clause in the rule, if the value is a whole clause.
        part: Option<u16>,
    },
}

impl RuleTemplate {
    /// The maximum number of values. No usual rule has more.
    pub(super) const MAX_VALUES: usize = 12;

    /// The text before a value, or, after the last value, the rest.
    fn before(&self, place: usize) -> &[u8] {
        let start = place
            .checked_sub(1)
            .map_or(0, |last| self.values[last].span.end - self.start);
        let end = self.values.get(place).map_or(self.line.len(), |value| {
            (value.span.start - self.start) as usize
        });
        self.line
            .as_bytes()
            .get(start as usize..end)
            .unwrap_or_default()
    }

    /// Compares a line with the template and returns its values.
    fn fits<'t>(&self, line: &'t str, values: &mut [&'t str; Self::MAX_VALUES]) -> bool {
        let mut at = 0;
        for (place, value) in values[..self.values.len()].iter_mut().enumerate() {
            let before = self.before(place);
            if !begins(&line.as_bytes()[at..], before) {
                return false;
            }
            let Some((word, end)) = words::plain(line, at + before.len()) else {
                return false;
            };
            (*value, at) = (word, end);
        }
        let behind = self.before(self.values.len());
        line.len() - at == behind.len() && begins(&line.as_bytes()[at..], behind)
    }
}

/// `starts_with`, eight bytes at a time. For such short texts, that of the standard library takes
/// twice as long.
fn begins(text: &[u8], with: &[u8]) -> bool {
    let Some(text) = text.get(..with.len()) else {
        return false;
    };
    let (texts, withs) = (text.as_chunks::<8>(), with.as_chunks::<8>());
    texts.0.iter().zip(withs.0).all(|(one, other)| one == other)
        && texts.1.iter().zip(withs.1).all(|(one, other)| one == other)
}

impl OpenTable {
    /// Parses a line that fits a template: the position of its chain, and the rule.
    pub(super) fn find_match(
        &mut self,
        ruleset: &mut Ruleset,
        line: &str,
    ) -> Option<(usize, Rule)> {
        let table = &ruleset.tables[self.table];
        if self.shapes.chains != table.chains.len() {
            self.shapes.chains = table.chains.len();
            self.shapes.known.clear();
            self.shapes.last = 0;
        }
        let last = self.shapes.known.get(self.shapes.last)?;
        self.shapes.strange += 1;
        let mut values = [""; RuleTemplate::MAX_VALUES];
        let mut fits = |place: usize| self.shapes.known[place].fits(line, &mut values);
        let place = match last.next {
            [next, _] if fits(next) => next,
            [_, next] if fits(next) => next,
            _ => (0..self.shapes.known.len()).find(|place| fits(*place))?,
        };
        let chain = self.find(table, values[0])?;
        let (parts, strings) = (ruleset.parts.len(), ruleset.strings.len());
        let rule = self.filled(ruleset, &self.shapes.known[place], &values);
        if rule.is_none() {
            ruleset.parts.truncate(parts);
            ruleset.strings.truncate(strings);
        }
        self.shapes.strange -= 2;
        self.shapes.turn_to(place);
        Some((chain as usize, rule?))
    }

    /// The rule of a template with these values; `None` if there is a diagnostic.
    fn filled(&self, ruleset: &mut Ruleset, shape: &RuleTemplate, values: &[&str]) -> Option<Rule> {
        let first = ruleset.parts.len();
        ruleset.parts.extend_from_slice(&shape.parts);
        let mut rule = Rule {
            first: u32::try_from(first).ok()?,
            ..shape.rule.clone()
        };
        for (taken, text) in shape.values.iter().zip(values) {
            match taken.what {
                What::Chain => {}
                What::Jump => {
                    let chains = &ruleset.tables[self.table].chains;
                    let to = self
                        .chains
                        .find(chains, text)
                        .filter(|to| chains[*to as usize].hook().is_none())?;
                    rule.target = if let Target::Goto(_) = rule.target {
                        Target::Goto(to)
                    } else {
                        Target::Jump(to)
                    };
                }
                What::Value {
                    id, option, part, ..
                } => {
                    let part = first + usize::from(part?);
                    let opt = &id.get().options[usize::from(option)];
                    // A list of addresses makes several rules.
                    if matches!(opt.kind, Kind::Network) && text.contains(',') {
                        return None;
                    }
                    let value = opt.kind.parse(&[text], ruleset).ok()?;
                    if opt.kind.objection(&value, ruleset).is_some() {
                        return None;
                    }
                    if !ruleset.parts[part].negated && is_any(id, &value, opt, ruleset) {
                        return None;
                    }
                    ruleset.parts[part].value = value;
                }
            }
        }
        let ruleset = &*ruleset;
        let matches = ruleset.matches(&rule);
        let passes = |id: Id, parts| {
            let options = Options { parts, ruleset };
            let (family, table) = (ruleset.family, self.name);
            (id.get().check)(&Given {
                options,
                family,
                table,
                protocol: shape.protocol,
                matches,
            })
            .is_ok()
        };
        for parts in ruleset.groups(&rule) {
            if !passes(parts[0].extension, parts) {
                return None;
            }
        }
        match rule.target {
            Target::Extension(id) if !passes(id, ruleset.parameters(&rule)) => None,
            _ => Some(rule),
        }
    }
}

impl Shapes {
    /// Whether another template is worth storing.
    pub(super) fn wants(&self) -> bool {
        self.strange < PATIENCE
    }

    /// Stores a template. If there are too many, the others are removed.
    pub(super) fn keep(&mut self, shape: RuleTemplate) {
        if self.known.len() == MAX_TEMPLATES {
            self.known.clear();
            self.last = 0;
        }
        self.strange += 1;
        self.known.push(shape);
        self.turn_to(self.known.len() - 1);
    }

    fn turn_to(&mut self, place: usize) {
        let next = &mut self.known[self.last].next;
        if next[0] != place {
            *next = [place, next[0]];
        }
        self.last = place;
    }
}

#[cfg(test)]
mod tests {
    use crate::input::parse::{self, Parsed};
    use crate::iptables::print;
    use crate::text::diagnostic::Code;

    const HEAD: &str = "*filter\n:INPUT ACCEPT [0:0]\n:FORWARD ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\n:X - [0:0]\n:Y - [0:0]\n";

    /// The printed last rule of OUTPUT with its counters, and the diagnostics.
    fn last(parsed: &Parsed) -> (Option<String>, Vec<Code>) {
        let printed = print::save(&parsed.rulesets[0], true);
        let rule = printed
            .lines()
            .rfind(|line| line.contains("-A OUTPUT"))
            .map(str::to_owned);
        let mut said: Vec<Code> = parsed.diagnostics.iter().map(|said| said.code).collect();
        said.sort();
        (rule, said)
    }

    #[test]
    fn a_rule_is_read_the_same_behind_others_that_look_like_it() {
        let own = [
            "OUTPUT",
            "! -s 10.0.0.0/8",
            "-d 10.0.0.1/32",
            "-o eth0",
            "-p tcp",
            "-m comment --comment \"a b\"",
            "-m tcp --dport 80",
            "-m mark --mark 0x1/0x1",
            "-m limit --limit 5/sec --limit-burst 5",
            "-j X",
        ];
        let others: [&[&str]; 10] = [
            &["INPUT", "NEW", "\"OUTPUT\"", "-x", "!"],
            &[
                "! -s 0.0.0.0/0",
                "! -s 10.0.0.1,10.0.0.2",
                "-s 10.0.0.0/8",
                "! -s ! 10.0.0.0/8",
            ],
            &[
                "-d 10.0.0.2",
                "-d 0.0.0.0/0",
                "-d 1.2.3.4,5.6.7.8",
                "-d ::1",
                "-d x",
                "-d -x",
                "-d !",
                "-d",
                "-d \"1.2.3.4\"",
            ],
            &[
                "-o +",
                "-o lo",
                "-o interface-names-are-short",
                "-o -o",
                "-i eth0",
            ],
            &["-p udp", "-p all", "-p 99", "-p 6"],
            &[
                "-m comment --comment a",
                "-m comment --comment \"\"",
                "-m comment --comment \"\\\"\"",
                "-m comment --comment -a",
            ],
            &[
                "-m tcp --dport 0",
                "-m tcp --dport :9",
                "-m tcp --dport 9:8",
                "-m tcp --dport http",
                "-m tcp --dport 99999",
            ],
            &[
                "-m mark --mark 7",
                "-m mark --mark x",
                "-m mark ! --mark 0x1/0x1",
            ],
            &[
                "-m limit --limit 1/day --limit-burst 10000",
                "-m limit --limit 0/sec --limit-burst 5",
            ],
            &[
                "-j Y", "-g X", "-j Z", "-j INPUT", "-j DROP", "-j \"Y\"", "-j",
            ],
        ];
        let line = |words: &[&str]| format!("[1:2] -A {}\n", words.join(" "));
        for (place, other) in others
            .iter()
            .enumerate()
            .flat_map(|(place, others)| others.iter().map(move |o| (place, o)))
        {
            let mut words = own;
            words[place] = other;
            let text = |before: usize| {
                [HEAD, &line(&own).repeat(before), &line(&words), "COMMIT\n"].concat()
            };
            let (alone, behind) = (parse::strictly(text(0)), parse::strictly(text(4)));
            assert_eq!(last(&alone).1, last(&behind).1, "{other}");
            if !["INPUT", "NEW", "-x", "!"].contains(other) {
                assert_eq!(last(&alone).0, last(&behind).0, "{other}");
            }
            let again =
                parse::strictly([HEAD, &line(&own), &line(&words).repeat(3), "COMMIT\n"].concat());
            assert_eq!(
                alone.rulesets[0].rules() * 3 + 1,
                again.rulesets[0].rules(),
                "{other}"
            );
        }
    }

    #[test]
    fn chains_that_are_not_there_are_missed_by_their_names() {
        let rules = ["-A OUTPUT -j A\n", "-A OUTPUT -j B\n"].concat().repeat(3);
        let parsed = parse::strictly([HEAD, &rules, "COMMIT\n"].concat());
        assert!(print::save(&parsed.rulesets[0], false).contains(&rules));
    }

    #[test]
    fn a_new_chain_may_be_what_a_targets_name_means() {
        let rule = "-A OUTPUT -d 10.0.0.1/32 -j LOG\n".repeat(3);
        let parsed = parse::strictly([HEAD, &rule, ":LOG - [0:0]\n", &rule, "COMMIT\n"].concat());
        let rules = &parsed.rulesets[0].tables[0].chains[2].rules;
        assert_eq!(rules[0].target, rules[2].target);
        assert_ne!(rules[2].target, rules[3].target);
        assert_eq!(rules[3].target, rules[5].target);
    }
}
