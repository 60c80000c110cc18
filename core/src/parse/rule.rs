//! One rule: its words to conditions and a target, through the tables of the extensions.

use std::collections::{HashMap, HashSet};

use crate::diagnostic::{Problem, Severity, Span};
use crate::extension::{Id, Opt, Role, opaque};
use crate::number;
use crate::packet::Protocol;
use crate::ruleset::{Counters, Part, Rule, Ruleset, Target, Value};

use super::words::Word;

/// Says something about a place.
pub(super) type Say<'a> = dyn FnMut(Severity, Span, Problem) + 'a;

/// The group of the IP header's own conditions, which come first.
const HEADER: u16 = 0;
/// The group of the target's options, which come last.
const TARGET: u16 = u16::MAX;

/// What iptables itself can take (`MAX_ARGC` in xshared.h).
const MOST_WORDS: usize = 255;

/// Reads rules; keeps its memory between them.
#[derive(Default)]
pub(super) struct RuleReader {
    parts: Vec<(u16, Part)>,
    matches: Vec<Id>,
    protocol: Option<Protocol>,
    target: Option<Id>,
    /// The extensions that are not evaluated and have been spoken of: a node's dump has thousands of rules with each.
    said: HashSet<String>,
}

/// The words of a rule that are still to be read.
struct Rest<'w, 'a> {
    text: &'a str,
    words: &'w [Word<'a>],
}

impl<'w, 'a> Rest<'w, 'a> {
    fn next(&mut self) -> Option<&'w Word<'a>> {
        let (first, rest) = self.words.split_first()?;
        self.words = rest;
        Some(first)
    }

    /// Takes the words up to the next one that opens something, and returns all from `start` on as they are written.
    fn verbatim(&mut self, start: u32, ends: impl Fn(&Word) -> bool) -> &'a str {
        let mut end = None;
        while let Some(word) = self.words.first() {
            // A `!` belongs to what follows it.
            let opens = if word.is("!") { self.words.get(1) } else { Some(word) };
            if opens.is_some_and(&ends) {
                break;
            }
            end = Some(word.span.end);
            self.next();
        }
        match end {
            Some(end) => Span { start, end }.of(self.text),
            None => "",
        }
    }
}

/// Whether a word belongs to the rule itself, and so ends the options of a match that is kept as written.
fn opens_group(word: &Word) -> bool {
    let openers = ["-m", "--match", "-j", "--jump", "-g", "--goto", "-c", "--set-counters"];
    word.is_option() && (openers.contains(&&*word.text) || Id::HEADER.get().option(&word.text).is_some())
}

impl RuleReader {
    /// Reads the words behind `-A CHAIN`. Line, span and counters in front are the caller's.
    pub(super) fn read<'a>(
        &mut self,
        text: &'a str,
        words: &[Word<'a>],
        ruleset: &mut Ruleset,
        chains: &HashMap<Box<str>, u32>,
        say: &mut Say,
    ) -> Rule {
        self.parts.clear();
        self.matches.clear();
        self.protocol = None;
        self.target = None;
        if let Some(first) = words.get(MOST_WORDS) {
            let problem = Problem::new(format!("a rule has at most {MOST_WORDS} words; the rest is left out"));
            say(Severity::Error, first.span, problem);
        }
        let mut rest = Rest { text, words: &words[..words.len().min(MOST_WORDS)] };
        let mut target = Target::None;
        let mut counters = None;
        let mut bang: Option<Span> = None;
        while let Some(word) = rest.next() {
            if word.is("!") {
                if let Some(earlier) = bang.replace(word.span) {
                    say(Severity::Error, earlier, Problem::new("`!` stands twice").hint("one `!` negates"));
                }
            } else if word.is("-m") || word.is("--match") {
                self.open_match(word, &mut rest, ruleset, say);
            } else if word.is("-j") || word.is("--jump") {
                target = self.open_target(word, false, &mut rest, ruleset, chains, say);
            } else if word.is("-g") || word.is("--goto") {
                target = self.open_target(word, true, &mut rest, ruleset, chains, say);
            } else if word.is("-c") || word.is("--set-counters") {
                counters = read_counters(word, &mut rest, say);
            } else {
                self.option(word, bang.take(), &mut rest, ruleset, say);
            }
        }
        if let Some(span) = bang {
            say(
                Severity::Error,
                span,
                Problem::new("nothing follows this `!`").hint("it negates the option behind it"),
            );
        }
        self.imply(ruleset);
        self.finish(target, counters, ruleset)
    }

    fn open_match(&mut self, word: &Word, rest: &mut Rest, ruleset: &mut Ruleset, say: &mut Say) {
        let Some(name) = rest.next() else {
            return say(Severity::Error, word.span, Problem::new("-m needs the name of a match"));
        };
        match Id::named(&name.text, Role::Match, Some(ruleset.family)) {
            Some(id) => {
                self.matches.push(id);
                self.push_bare(id, Value::None);
            }
            None => {
                let options = rest.verbatim(name.span.start, opens_group);
                let words = if options.is_empty() { name.span.of(rest.text) } else { options };
                let severity = if opaque::is_unknowable(&name.text) { Severity::Note } else { Severity::Warning };
                let hint = "such matches are kept as written; whether they hold is unknown";
                self.say_once(name, severity, Problem::new(opaque::reason(words)).hint(hint), say);
                self.keep_verbatim(Id::OPAQUE_MATCH, words, ruleset);
            }
        }
    }

    fn say_once(&mut self, name: &Word, severity: Severity, problem: Problem, say: &mut Say) {
        if self.said.insert(name.text.clone().into_owned()) {
            say(severity, name.span, problem);
        }
    }

    /// Opens a group with a part that stands for the bare name; it goes when the match turns out to have options.
    fn push_bare(&mut self, id: Id, value: Value) {
        let group = self.last_group();
        self.parts.push((group, Part { extension: id, option: Part::BARE, negated: false, opens: false, value }));
    }

    /// The group of the match that was opened last; the header's is 0.
    fn last_group(&self) -> u16 {
        u16::try_from(self.matches.len()).unwrap_or(TARGET - 1).min(TARGET - 1)
    }

    fn keep_verbatim(&mut self, id: Id, words: &str, ruleset: &mut Ruleset) {
        let text = ruleset.keep(words);
        self.matches.push(id);
        self.push_bare(id, Value::Text(text));
    }

    fn open_target(
        &mut self,
        word: &Word,
        goto: bool,
        rest: &mut Rest,
        ruleset: &mut Ruleset,
        chains: &HashMap<Box<str>, u32>,
        say: &mut Say,
    ) -> Target {
        let Some(name) = rest.next() else {
            let problem = Problem::new(format!("{} needs the name of a chain or target", word.text));
            say(Severity::Error, word.span, problem);
            return Target::None;
        };
        if let Some(&chain) = chains.get(&*name.text) {
            return if goto { Target::Goto(chain) } else { Target::Jump(chain) };
        }
        let known = Id::named(&name.text, Role::Target, Some(ruleset.family)).filter(|_| !goto);
        if let Some(id) = known {
            self.target = Some(id);
            return Target::Extension(id);
        }
        let has_options = rest.words.first().is_some_and(|word| word.is_option() && !opens_group(word));
        if !goto && (has_options || opaque::is_target(&name.text)) {
            let options = rest.verbatim(name.span.start, opens_group);
            let words = if options.is_empty() { name.span.of(rest.text) } else { options };
            let problem = Problem::new(format!("what -j {} does is not simulated", name.text));
            self.say_once(name, Severity::Warning, problem.hint("such targets are kept as written"), say);
            let value = Value::Text(ruleset.keep(words));
            let part = Part { extension: Id::OPAQUE_TARGET, option: Part::BARE, negated: false, opens: false, value };
            self.parts.push((TARGET, part));
            return Target::Extension(Id::OPAQUE_TARGET);
        }
        Target::Missing { name: ruleset.keep(&name.text), goto }
    }

    fn option<'a>(
        &mut self,
        word: &Word<'a>,
        bang: Option<Span>,
        rest: &mut Rest<'_, 'a>,
        ruleset: &mut Ruleset,
        say: &mut Say,
    ) {
        let (flag, attached) = match word.text.split_once('=') {
            Some((flag, value)) if flag.starts_with("--") => (flag, Some(value)),
            _ => (&*word.text, None),
        };
        let start = bang.unwrap_or(word.span).start;
        let found = if word.quoted { None } else { self.find(flag) };
        let Some((group, id, (place, opt))) = found else {
            let kept = Span { start, end: word.span.end }.of(rest.text);
            let more = rest.verbatim(start, |word| word.is_option());
            let problem = if word.is_option() {
                Problem::new(format!("`{flag}` is not an option of any match or target of this rule"))
                    .hint("a match's options come behind its -m")
            } else {
                Problem::new(format!("`{}` is not expected here", word.text)).hint("is a `-` missing?")
            };
            say(Severity::Error, word.span, problem);
            return self.keep_verbatim(Id::STRAY, if more.is_empty() { kept } else { more }, ruleset);
        };
        let mut negated = bang.is_some();
        // Before 1.4.3 the `!` stood behind the option.
        if !negated && opt.negatable && rest.words.first().is_some_and(|word| word.is("!")) {
            negated = true;
            rest.next();
        }
        match self.value(opt, word, attached, negated, rest, ruleset) {
            Ok(value) => {
                if self.parts.iter().any(|(g, part)| (*g, part.option) == (group, place)) {
                    let problem = Problem::new(format!("{flag} stands twice in this rule")).hint("iptables allows one");
                    say(Severity::Error, word.span, problem);
                }
                self.add((group, id, place), negated, value, ruleset);
            }
            Err((end, span, problem)) => {
                say(Severity::Error, span, problem);
                self.keep_verbatim(Id::STRAY, Span { start, end }.of(rest.text), ruleset);
            }
        }
    }

    /// Reads an option's value. An error carries the end of what was read and the place that is wrong.
    fn value<'a>(
        &self,
        opt: &Opt,
        word: &Word<'a>,
        attached: Option<&str>,
        negated: bool,
        rest: &mut Rest<'_, 'a>,
        ruleset: &mut Ruleset,
    ) -> Result<Value, (u32, Span, Problem)> {
        let mut values: Vec<&str> = Vec::new();
        let mut place = word.span;
        values.extend(attached);
        while values.len() < opt.kind.words() {
            let Some(next) = rest.words.first().filter(|next| opt.kind.is_free() || !next.is_option()) else {
                let problem = Problem::new(format!("{} needs a value", opt.flag));
                return Err((place.end, word.span, problem));
            };
            place = next.span;
            values.push(&rest.next().expect("just seen").text);
        }
        if negated && !opt.negatable {
            let problem = Problem::new(format!("{} cannot be negated", opt.flag)).hint("leave out the `!`");
            return Err((place.end, word.span, problem));
        }
        opt.kind.parse(&values, ruleset).map_err(|problem| (place.end, place, problem))
    }

    /// The option that a flag names: the header's, the target's, one of the latest match that has it, or one of the match
    /// that `-p` implies.
    fn find(&mut self, flag: &str) -> Option<(u16, Id, (u8, &'static Opt))> {
        if let Some(option) = Id::HEADER.get().option(flag) {
            return Some((HEADER, Id::HEADER, option));
        }
        if let Some((id, option)) = self.target.and_then(|id| Some((id, id.get().option(flag)?))) {
            return Some((TARGET, id, option));
        }
        let in_match = |(group, id): (u16, &Id)| Some((group, *id, id.get().option(flag)?));
        let latest = (1..).zip(&self.matches).filter_map(in_match).last();
        if latest.is_some() {
            return latest;
        }
        let implied = Id::implied_by(self.protocol?)?;
        let option = implied.get().option(flag)?;
        self.matches.push(implied);
        Some((self.last_group(), implied, option))
    }

    /// Adds an option under its canonical name; leaves out what says nothing.
    fn add(&mut self, (group, id, place): (u16, Id, u8), negated: bool, value: Value, ruleset: &Ruleset) {
        let extension = id.get();
        let opt = &extension.options[usize::from(place)];
        let option = match opt.stored_as.and_then(|flag| extension.option(flag)) {
            Some((canonical, _)) => canonical,
            None => place,
        };
        if let (Id::HEADER, "-p", Value::Number(number), false) = (id, opt.flag, &value, negated) {
            self.protocol = u8::try_from(*number).ok().map(Protocol);
        }
        if id == Id::HEADER && !negated && is_any(&value, opt, ruleset) {
            return;
        }
        self.parts.retain(|(g, part)| *g != group || part.option != Part::BARE || part.extension != id);
        self.parts.push((group, Part { extension: id, option, negated, opens: false, value }));
    }

    fn add_implied(&mut self, id: Id, flag: &str, value: &str, ruleset: &mut Ruleset) {
        let Some((place, opt)) = id.get().option(flag) else { return };
        if let Ok(value) = opt.kind.parse(&[value], ruleset) {
            self.add((TARGET, id, place), false, value, ruleset);
        }
    }

    /// Adds the target's options that stand by themselves.
    fn imply(&mut self, ruleset: &mut Ruleset) {
        let Some(id) = self.target else { return };
        let has = |parts: &[(u16, Part)], flag: &str| {
            parts.iter().any(|(group, part)| *group == TARGET && part.opt().is_some_and(|opt| opt.flag == flag))
        };
        for implied in id.get().implied {
            let wanted = implied.with.is_none_or(|with| has(&self.parts, with));
            if wanted && !has(&self.parts, implied.flag) {
                self.add_implied(id, implied.flag, implied.value, ruleset);
            }
        }
    }

    /// Moves the parts into the rule set: matches in their order, each one's options in its table's.
    fn finish(&mut self, target: Target, counters: Option<Counters>, ruleset: &mut Ruleset) -> Rule {
        self.parts.sort_by_key(|(group, part)| (*group, part.option));
        let narrow = |n: usize| u32::try_from(n).expect("parts are fewer than bytes of a text below 4 GiB");
        let first = narrow(ruleset.parts.len());
        let matches = self.parts.iter().filter(|(group, _)| *group != TARGET).count();
        let parameters = self.parts.len() - matches;
        let mut last = None;
        ruleset.parts.extend(self.parts.drain(..).map(|(group, part)| {
            let opens = last.replace(group) != Some(group);
            Part { opens, ..part }
        }));
        let count = |n: usize| u16::try_from(n).unwrap_or(u16::MAX);
        Rule {
            line: 0,
            span: Span::default(),
            counters,
            first,
            matches: count(matches),
            parameters: count(parameters),
            target,
        }
    }
}

/// Whether a condition of the header lets everything through; iptables does not print those.
fn is_any(value: &Value, opt: &Opt, ruleset: &Ruleset) -> bool {
    match value {
        Value::Text(text) => ruleset.text(*text) == "+",
        Value::Number(0) => opt.flag == "-p",
        Value::Net4(_, mask) => mask.is_unspecified(),
        Value::Net6(net) => net.1.is_unspecified(),
        _ => false,
    }
}

fn read_counters(word: &Word, rest: &mut Rest, say: &mut Say) -> Option<Counters> {
    let number = |word: Option<&Word>| word.and_then(|word| number::parse_u64(&word.text));
    let (packets, bytes) = (number(rest.next()), number(rest.next()));
    if packets.is_none() || bytes.is_none() {
        let problem = Problem::new("-c needs two numbers").hint("packets and bytes, such as -c 12 720");
        say(Severity::Error, word.span, problem);
    }
    Some(Counters { packets: packets?, bytes: bytes? })
}
