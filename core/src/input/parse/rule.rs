//! Parses one line after `iptables` with the tables of the extensions: a command, conditions and a
//! target.

use std::collections::HashSet;

use crate::iptables::extension::{Id, Kind, Opt, Role, opaque};
use crate::iptables::kernel_names::chain_name_fault;
use crate::iptables::table_name::TableName;
use crate::netfilter::ruleset::{Clause, Counters, Rule, Ruleset, Target, Value};
use crate::packet::Protocol;
use crate::text::diagnostic::{Code, Problem, ProblemSink, Severity, Span};
use crate::text::number;

use super::command::{self, Global, RuleCommand};
use super::rule_site::RuleSite;
use super::rule_templates::{ValueSlot, What};
use super::words::{Rest, Word, as_written};

mod build;
mod find;
mod shape;

use build::canonical;
use find::FoundOption;

/// The group of the IP header's own conditions. It comes first.
const HEADER: u16 = 0;
/// The group of the target's options. It comes last.
const TARGET: u16 = u16::MAX;

/// The limit of iptables itself (`MAX_ARGC` in xshared.h).
const MAX_WORDS: usize = 255;

/// The maximum number of rules that the lists of addresses in one line make.
const MAX_RULES_PER_LINE: usize = 4096;

/// Parses rules, and reuses its memory for the next one.
#[derive(Default)]
pub(super) struct RuleReader {
    parts: Vec<(u16, Clause)>,
    /// The matches so far, with their spans. Their groups count from 1.
    matches: Vec<(Id, Span)>,
    target: Option<(Id, Span)>,
    /// The number of matches before the target.
    before_target: usize,
    /// Whether an earlier `-j` or `-g` has set the rule's target.
    jumps: bool,
    protocol: Option<Protocol>,
    /// The protocol of `-p`, also after a `!`. Its match is loaded.
    named: Option<Protocol>,
    /// Whether iptables printed the text, so that a number stays a number even if it has a name.
    printed: bool,
    /// The group of each `-m` and `-j` with clauses, in print order.
    groups: Vec<u16>,
    /// The options so far, including those without effect that are not stored.
    given: Vec<(u16, u8)>,
    /// Further addresses of a list after `-s` or `-d`. Each makes a rule.
    lists: Vec<(u8, Vec<Value>)>,
    /// The values that are separate words, in the order of the text.
    taken: Vec<ValueSlot>,
    /// The unsupported extensions that have been reported. A node's dump has thousands of rules
    /// with each.
    said: HashSet<String>,
}

/// The input of a rule that is being parsed, and where its problems and values go.
struct RuleInput<'x, 'w, 'a> {
    /// The words that are left.
    rest: Rest<'w, 'a>,
    ruleset: &'x mut Ruleset,
    site: RuleSite<'x>,
    say: &'x mut ProblemSink<'x>,
}

impl RuleInput<'_, '_, '_> {
    fn report(&mut self, span: Span, problem: Problem) {
        (self.say)(span, problem);
    }
}

/// A word that is an option, with its parts.
#[derive(Clone, Copy)]
struct OptionWord<'w, 'a> {
    word: &'w Word<'a>,
    /// The option: `--dport` of `--dport=80`.
    flag: &'w str,
    /// Its value: `80` of `--dport=80`.
    attached: Option<&'w str>,
    /// The position of the `!` before it.
    bang: Option<Span>,
}

/// The content of a line.
pub(super) struct RuleLine<'w, 'a> {
    pub(super) command: Option<RuleCommand<'w, 'a>>,
    /// The table after `-t`.
    pub(super) table: Option<TableName>,
    pub(super) rule: Rule,
    /// The rules from further addresses of its lists, in order.
    pub(super) more: Vec<Rule>,
}

/// The group of a match by the number of matches up to it. The header's is 0.
fn group(opened: usize) -> u16 {
    u16::try_from(opened).unwrap_or(TARGET - 1).min(TARGET - 1)
}

/// Whether a word belongs to the rule itself, and so ends the options of a match that is kept as
/// written.
fn opens_group(word: &Word) -> bool {
    word.is_option()
        && (command::global(&word.text).is_some() || Id::HEADER.get().option(&word.text).is_some())
}

impl RuleReader {
    /// Parses the words of a line. The caller sets line, span and counters.
    pub(super) fn read_rule<'w, 'a>(
        &mut self,
        Rest { text, words }: Rest<'w, 'a>,
        ruleset: &mut Ruleset,
        site: RuleSite,
        say: &mut ProblemSink,
    ) -> RuleLine<'w, 'a> {
        self.parts.clear();
        self.matches.clear();
        self.lists.clear();
        self.given.clear();
        self.taken.clear();
        (self.protocol, self.named, self.target) = (None, None, None);
        (self.jumps, self.printed) = (false, site.printed);
        if let Some(first) = words.get(MAX_WORDS) {
            let problem = Problem::new(
                Code::LimitExceeded,
                format!("a rule has at most {MAX_WORDS} words; the rest is skipped"),
            );
            say(first.span, problem);
        }
        let mut input = RuleInput {
            rest: Rest {
                text,
                words: &words[..words.len().min(MAX_WORDS)],
            },
            ruleset,
            site,
            say,
        };
        let mut line = RuleLine {
            command: None,
            table: None,
            rule: Rule::default(),
            more: Vec::new(),
        };
        let mut bang: Option<Span> = None;
        while let Some(word) = input.rest.next() {
            if word.is("!") {
                if let Some(earlier) = bang.replace(word.span) {
                    input.report(
                        earlier,
                        Problem::new(Code::MisplacedNegation, "`!` occurs twice")
                            .hint("use one `!`"),
                    );
                }
            } else {
                self.word(word, bang.take(), &mut input, &mut line);
            }
        }
        if let Some(span) = bang {
            input.report(
                span,
                Problem::new(Code::MisplacedNegation, "no option follows this `!`")
                    .hint("write the option after it"),
            );
        }
        self.imply(input.ruleset);
        self.finish(&mut line, &mut input);
        line
    }

    /// Parses one word that is not `!`, with the words that belong to it.
    fn word<'w, 'a>(
        &mut self,
        word: &'w Word<'a>,
        bang: Option<Span>,
        input: &mut RuleInput<'_, 'w, 'a>,
        line: &mut RuleLine<'w, 'a>,
    ) {
        let parted = if word.text.starts_with("--") {
            word.text.split_once('=')
        } else {
            None
        };
        let (flag, attached) =
            parted.map_or((&*word.text, None), |(flag, value)| (flag, Some(value)));
        let found = if word.is_option() {
            self.find(flag, word.span, input.ruleset.family)
        } else {
            None
        };
        match found {
            Some(FoundOption::Global(global)) => {
                if bang.is_some() {
                    let problem =
                        Problem::new(Code::NotNegatable, format!("{flag} cannot be negated"))
                            .hint("remove the `!`");
                    input.report(word.span, problem);
                }
                match global {
                    Global::Match => self.open_match(word, input),
                    Global::Jump | Global::Goto => {
                        let goto = matches!(global, Global::Goto);
                        line.rule.target = self.open_target(word, goto, input);
                    }
                    Global::Counters => {
                        line.rule.counters =
                            input
                                .ruleset
                                .count(read_counters(word, &mut input.rest, input.say))
                    }
                    Global::Table => {
                        line.table = command::table(word, attached, &mut input.rest, input.say)
                            .or(line.table)
                    }
                    Global::Verb(verb) => {
                        command::read_command(
                            verb,
                            word,
                            &mut input.rest,
                            &mut line.command,
                            input.say,
                        );
                        let chain = line.command.and_then(|command| command.chain);
                        self.taken.extend(chain.map(|chain| ValueSlot {
                            span: chain.span,
                            what: What::Chain,
                        }));
                    }
                    Global::Ignored(words) => (0..words)
                        .map_while(|_| input.rest.argument())
                        .for_each(drop),
                }
            }
            Some(FoundOption::Option(group, id, option)) => {
                let given = OptionWord {
                    word,
                    flag,
                    attached,
                    bang,
                };
                self.option(given, (group, id, option), input);
            }
            Some(FoundOption::Several(flags)) => {
                let problem =
                    Problem::new(Code::AmbiguousName, format!("ambiguous option `{flag}`"))
                        .hint(format!("write {}", flags.join(" or ")));
                self.stray(word, bang, problem, input);
            }
            None if word.is("[unsupported")
                && input
                    .rest
                    .words
                    .first()
                    .is_some_and(|next| next.is("revision]")) =>
            {
                self.unsupported_revision(word, input, &mut line.rule.target);
            }
            None => {
                let problem = match word.is_option() {
                    true => Problem::new(
                        Code::UnknownOption,
                        format!("unknown option `{flag}`: no match or target of this rule has it"),
                    )
                    .hint("write the options of a match after its -m"),
                    false => Problem::new(
                        Code::UnexpectedWord,
                        format!("unexpected word `{}`", word.text),
                    )
                    .hint("check whether a `-` is missing"),
                };
                self.stray(word, bang, problem, input);
            }
        }
    }

    /// Keeps a match or target whose options iptables could not print, because a newer program made
    /// it: `-j DNAT [unsupported revision]`.
    fn unsupported_revision<'a>(
        &mut self,
        word: &Word<'a>,
        input: &mut RuleInput<'_, '_, 'a>,
        target: &mut Target,
    ) {
        let problem = Problem::new(
            Code::UnexpectedWord,
            "iptables could not print a part of this rule",
        );
        let problem = Problem {
            severity: Severity::Warning,
            ..problem.hint("use a newer iptables to print it")
        };
        let of_target = self
            .target
            .filter(|_| self.before_target == self.matches.len());
        let (Some((id, _)), Target::Extension(_)) = (of_target, &*target) else {
            return self.stray(word, None, problem, input);
        };
        input.report(word.span, problem);
        input.rest.next();
        let value = Value::Text(
            input
                .ruleset
                .keep(&format!("{} [unsupported revision]", id.get().name)),
        );
        let part = Clause {
            extension: Id::OPAQUE_TARGET,
            option: Clause::BARE,
            negated: false,
            opens: false,
            value,
        };
        self.parts.retain(|(group, _)| *group != TARGET);
        self.parts.push((TARGET, part));
        self.target = None;
        *target = Target::Extension(Id::OPAQUE_TARGET);
    }

    /// Keeps words that belong to nothing as written.
    fn stray<'a>(
        &mut self,
        word: &Word<'a>,
        bang: Option<Span>,
        problem: Problem,
        input: &mut RuleInput<'_, '_, 'a>,
    ) {
        let words = input.rest.verbatim(word, bang, |word| word.is_option());
        input.report(word.span, problem);
        self.keep_verbatim(Id::STRAY, &words, word.span, input.ruleset);
    }

    fn open_match(&mut self, word: &Word, input: &mut RuleInput) {
        let Some(name) = input.rest.next() else {
            return input.report(
                word.span,
                Problem::new(Code::MissingArgument, "-m needs the name of a match"),
            );
        };
        match Id::named(&name.text, Role::Match, Some(input.ruleset.family)) {
            Some(id) => {
                if let Some(reason) = id.get().unknowable {
                    self.say_once(
                        name,
                        Problem::new(
                            Code::UndeterminedMatch,
                            format!("-m {}: {reason}", name.text),
                        ),
                        input.say,
                    );
                }
                self.matches.push((id, name.span));
                self.push_bare(id, Value::None);
            }
            None => {
                let words = &input.rest.verbatim(name, None, opens_group);
                let code = match Id::named(&name.text, Role::Match, None) {
                    // Only the other family has it.
                    Some(_) => Code::OtherFamily,
                    None => Code::UnsupportedMatch,
                };
                let hint = "treat its answer as unknown; the match is kept as written";
                self.say_once(
                    name,
                    Problem::new(code, opaque::reason(words)).hint(hint),
                    input.say,
                );
                self.keep_verbatim(Id::OPAQUE_MATCH, words, name.span, input.ruleset);
            }
        }
    }

    fn say_once(&mut self, name: &Word, problem: Problem, say: &mut ProblemSink) {
        if self.said.insert(name.text.clone().into_owned()) {
            say(name.span, problem);
        }
    }

    /// Opens a group with a clause for the name alone. The clause is removed if the match has
    /// options.
    fn push_bare(&mut self, id: Id, value: Value) {
        let group = group(self.matches.len());
        self.parts.push((
            group,
            Clause {
                extension: id,
                option: Clause::BARE,
                negated: false,
                opens: false,
                value,
            },
        ));
    }

    fn keep_verbatim(&mut self, id: Id, words: &str, span: Span, ruleset: &mut Ruleset) {
        let text = ruleset.keep(words);
        self.matches.push((id, span));
        self.push_bare(id, Value::Text(text));
    }

    fn open_target(&mut self, word: &Word, goto: bool, input: &mut RuleInput) -> Target {
        if std::mem::replace(&mut self.jumps, true) {
            let problem = Problem::new(
                Code::DuplicateOption,
                format!("{} occurs twice in this rule", word.text),
            )
            .hint("use one target");
            input.report(word.span, problem);
        }
        let Some(name) = input.rest.next() else {
            let problem = Problem::new(
                Code::MissingArgument,
                format!("{} needs the name of a chain or target", word.text),
            );
            input.report(word.span, problem);
            return Target::None;
        };
        let table = &input.ruleset.tables[input.site.table];
        if let Some(chain) = input.site.chains.find(&table.chains, &name.text) {
            self.taken.push(ValueSlot {
                span: name.span,
                what: What::Jump,
            });
            if input
                .site
                .name
                .hooks()
                .iter()
                .any(|hook| hook.name() == name.text)
            {
                let problem = Problem::new(
                    Code::BuiltInChain,
                    format!("{} is a built-in chain", name.text),
                );
                input.report(
                    name.span,
                    problem.hint("jump to a user-defined chain instead"),
                );
            }
            return if goto {
                Target::Goto(chain)
            } else {
                Target::Jump(chain)
            };
        }
        let known =
            Id::named(&name.text, Role::Target, Some(input.ruleset.family)).filter(|_| !goto);
        if let Some(id) = known {
            self.target = Some((id, name.span));
            self.before_target = self.matches.len();
            return Target::Extension(id);
        }
        let has_options = input
            .rest
            .words
            .first()
            .is_some_and(|word| word.is_option() && !opens_group(word));
        if !goto && has_options {
            let words = &input.rest.verbatim(name, None, opens_group);
            if let Some(fault) = chain_name_fault(&name.text) {
                input.report(name.span, fault.problem(&name.text));
            }
            // A target of the other family, or one that iptables does not have.
            let code = if Id::is_target(&name.text) {
                Code::OtherFamily
            } else {
                Code::UnsupportedTarget
            };
            let problem = Problem::new(
                code,
                format!("the effect of -j {} is not simulated", name.text),
            );
            self.say_once(
                name,
                problem.hint(
                    "treat its effect as unknown; the target is kept as \
            written",
                ),
                input.say,
            );
            let value = Value::Text(input.ruleset.keep(words));
            let part = Clause {
                extension: Id::OPAQUE_TARGET,
                option: Clause::BARE,
                negated: false,
                opens: false,
                value,
            };
            self.parts.push((TARGET, part));
            return Target::Extension(Id::OPAQUE_TARGET);
        }
        Target::Missing {
            name: input.ruleset.miss(&name.text),
            goto,
        }
    }

    fn option<'a>(
        &mut self,
        given: OptionWord<'_, 'a>,
        (group, id, (place, opt)): (u16, Id, (u8, &'static Opt)),
        input: &mut RuleInput<'_, '_, 'a>,
    ) {
        let OptionWord {
            word, flag, bang, ..
        } = given;
        let behind = input.rest.words;
        let mut negated = bang.is_some();
        // Before 1.4.3, the `!` was after the option, and iptables-save printed it there.
        let valued = opt.kind.word_count() > 0;
        if !negated
            && opt.negatable
            && valued
            && input.rest.words.first().is_some_and(|word| word.is("!"))
        {
            negated = true;
            input.rest.next();
        }
        let ahead = input.rest.words;
        let value = self.value((id, opt), given, negated, input);
        let taken = &ahead[..ahead.len() - input.rest.words.len()];
        match value {
            Ok(value) => {
                if let Some(problem) = opt.kind.objection(&value, input.ruleset) {
                    input.report(taken.last().unwrap_or(word).span, problem);
                }
                // The protocol decides how other words are read.
                if let ([value], false) = (taken, matches!(opt.kind, Kind::Protocol)) {
                    let what = What::Value {
                        group,
                        id,
                        option: place,
                        part: None,
                    };
                    self.taken.push(ValueSlot {
                        span: value.span,
                        what,
                    });
                }
                let canonical = canonical(id, place);
                let twice = self.given.contains(&(group, canonical));
                self.given.push((group, canonical));
                if twice && !opt.repeatable {
                    let problem = Problem::new(
                        Code::DuplicateOption,
                        format!("{flag} occurs twice in this rule"),
                    )
                    .hint("use it once");
                    input.report(word.span, problem);
                }
                if let Some(first) = opt.behind.filter(|first| !self.gives(group, first)) {
                    input.report(
                        word.span,
                        Problem::new(
                            Code::MissingOption,
                            format!("{flag} needs {first} before it"),
                        ),
                    );
                }
                self.add((group, id, place), negated, value, input.ruleset);
            }
            Err((span, problem)) => {
                input.report(span, problem);
                let more = &behind[..behind.len() - input.rest.words.len()];
                self.keep_verbatim(
                    Id::STRAY,
                    &as_written(input.rest.text, word, bang, more),
                    span,
                    input.ruleset,
                );
            }
        }
    }

    /// Parses an option's value. An error has the position of the invalid part.
    fn value<'a>(
        &mut self,
        (id, opt): (Id, &'static Opt),
        OptionWord { word, attached, .. }: OptionWord<'_, 'a>,
        negated: bool,
        input: &mut RuleInput<'_, '_, 'a>,
    ) -> Result<Value, (Span, Problem)> {
        let mut values = [attached.unwrap_or_default(); Kind::MAX_WORDS];
        let mut count = usize::from(attached.is_some());
        let mut place = word.span;
        while count < opt.kind.word_count() {
            // getopt accepts any word. A word that is an option here is more likely meant as one.
            let Some(next) = input.rest.words.first().filter(|next: &&Word| {
                opt.kind.is_free() || !next.is_option() || self.find_exact(&next.text).is_none()
            }) else {
                if opt.kind.is_optional() {
                    break;
                }
                let problem = match opt.kind {
                    Kind::Network => Problem::new(
                        Code::LostAddress,
                        format!(
                            "{} lacks its value; it is unknown whether the rule matches",
                            opt.flag
                        ),
                    )
                    .hint("restore the address: somebody may have removed it"),
                    _ => Problem::new(Code::MissingValue, format!("{} needs a value", opt.flag)),
                };
                return Err((word.span, problem));
            };
            place = next.span;
            values[count] = &next.text;
            count += 1;
            input.rest.next();
        }
        let values = &values[..count];
        let wrong = |problem| Err((place, problem));
        // Only a run of the script determines the value. This is not an error.
        let is_variable = !self.printed && values.iter().any(|value| value.contains(['$', '`']));
        let unknown = || {
            Problem::new(
                Code::UnknownVariable,
                "this text does not contain the value; it is unknown whether the rule matches",
            )
            .hint("replace it with its value")
        };
        if is_variable && (!opt.kind.is_free() || matches!(opt.kind, Kind::Interface)) {
            return wrong(unknown());
        }
        if attached.is_some() && opt.kind.word_count() == 0 {
            return wrong(Problem::new(
                Code::UnexpectedValue,
                format!("{} takes no value", opt.flag),
            ));
        }
        if negated && !opt.negatable {
            let problem = Problem::new(
                Code::NotNegatable,
                format!("{} cannot be negated", opt.flag),
            )
            .hint("remove the `!`");
            return Err((word.span, problem));
        }
        let list = id == Id::HEADER
            && matches!(opt.kind, Kind::Network)
            && values.first().is_some_and(|value| value.contains(','));
        if !list {
            let value = opt.kind.parse(values, input.ruleset);
            let value =
                value.map_err(|problem| (place, if is_variable { unknown() } else { problem }))?;
            let number = self.printed
                && matches!(opt.kind, Kind::Protocol)
                && values[0].parse::<u8>().is_ok();
            return Ok(if number { unnamed(value) } else { value });
        }
        if negated {
            let hint = "write a rule for each address";
            return wrong(
                Problem::new(Code::NotNegatable, "a list of addresses cannot be negated")
                    .hint(hint),
            );
        }
        let list: Result<Vec<Value>, Problem> = values[0]
            .split(',')
            .map(|address| opt.kind.parse(&[address], input.ruleset))
            .collect();
        let mut list = list.map_err(|problem| (place, problem))?;
        let first = list.remove(0);
        let (option, _) = Id::HEADER
            .get()
            .option(opt.flag)
            .expect("only the header has lists of addresses");
        self.lists.push((option, list));
        Ok(first)
    }
}

/// The number of a protocol that iptables printed as a number, because it did not find a name on
/// its machine.
fn unnamed(value: Value) -> Value {
    match value {
        Value::Number(number)
            if u8::try_from(number).is_ok_and(|n| n > 0 && Protocol(n).name().is_none()) =>
        {
            Value::Range(number, number)
        }
        value => value,
    }
}

fn read_counters(word: &Word, rest: &mut Rest, say: &mut ProblemSink) -> Option<Counters> {
    let mut numbers = Vec::new();
    if let Some(word) = rest.next() {
        numbers.extend(word.text.split(',').map(number::parse_u64));
    }
    if numbers.len() == 1 {
        numbers.extend(rest.argument().map(|word| number::parse_u64(&word.text)));
    }
    let [Some(packets), Some(bytes)] = numbers[..] else {
        let problem = Problem::new(Code::InvalidCounters, "-c needs two numbers")
            .hint("write packets and bytes, as in `-c 12 720`");
        say(word.span, problem);
        return None;
    };
    Some(Counters { packets, bytes })
}
