//! Turns the words after the columns of a listing back into the options that printed them.

use std::borrow::Cow;

use crate::iptables::extension::{Extension, Id, ListingForm, Opt, Role};
use crate::netfilter::ruleset::Ruleset;
use crate::packet::Family;
use crate::text::diagnostic::Span;

use super::super::super::words::Word;
use super::pattern::{self, Caught};

/// One printed form of one extension's option, or the words that lead such forms.
struct Form {
    id: Id,
    /// The first character of the form; `None` if it may begin with any character.
    first: Option<u8>,
    pattern: Cow<'static, str>,
    /// The option and its values; empty for leading words.
    words: Cow<'static, str>,
    /// Whether the form is used only for a value that the option accepts.
    tried: bool,
}

/// The options read from the words of a line.
#[derive(Default)]
pub(super) struct ReadPhrases<'a> {
    /// The matches, as after `iptables -A CHAIN`.
    pub(super) matches: Vec<Word<'a>>,
    /// The target's options.
    pub(super) options: Vec<Word<'a>>,
    /// The words that belong to no known match, in pieces.
    pub(super) unread: Vec<Span>,
    /// All words of the target, if some of them are unknown.
    pub(super) unread_target: Option<Span>,
}

/// All forms for one family, built once for each text.
pub(super) struct Phrases {
    family: Family,
    /// The forms that may open a match.
    opening: Vec<Form>,
    /// The forms that only follow leading words, and the forms of targets.
    following: Vec<Form>,
}

impl Phrases {
    pub(super) fn new(family: Family) -> Self {
        let mut phrases = Self {
            family,
            opening: Vec::new(),
            following: Vec::new(),
        };
        let kept = [
            Id::HEADER,
            Id::OPAQUE_MATCH,
            Id::OPAQUE_TARGET,
            Id::STRAY,
            Id::UNLISTED,
        ];
        for id in Id::all()
            .filter(|id| !kept.contains(id))
            .filter(|id: &Id| id.get().family.is_none_or(|own| own == family))
        {
            let extension = id.get();
            let ListingForm { lead, rows, .. } = extension.listed;
            let is_match = extension.role == Role::Match;
            if is_match && !lead.is_empty() {
                phrases.opening.push(Form::new(id, lead.into(), "".into()));
            }
            let to = if is_match && lead.is_empty() {
                &mut phrases.opening
            } else {
                &mut phrases.following
            };
            to.extend(
                rows.iter()
                    .map(|(pattern, words)| Form::new(id, (*pattern).into(), (*words).into())),
            );
            let unnamed = |opt: &&Opt| {
                !rows
                    .iter()
                    .any(|(_, words)| words.split(' ').any(|word| word == opt.flag))
            };
            for opt in extension
                .options
                .iter()
                .filter(unnamed)
                .filter(|opt| opt.stored_as.is_none())
            {
                // Some extensions print their options unchanged.
                for flag in [opt.flag.trim_start_matches('-'), opt.flag] {
                    let values = " %".repeat(opt.kind.word_count());
                    to.push(Form::new(
                        id,
                        format!("!{flag}{values}").into(),
                        format!("{}{values}", opt.flag).into(),
                    ));
                }
            }
        }
        phrases
    }

    pub(super) fn family(&self) -> Family {
        self.family
    }

    /// Reads the words of `line` from `start`; `offset` is the place of the line in the text.
    pub(super) fn read_phrases<'a>(
        &self,
        (line, start, offset): (&'a str, usize, usize),
        target: Option<Id>,
        ruleset: &mut Ruleset,
    ) -> ReadPhrases<'a> {
        let mut read = ReadPhrases::default();
        // The last opened match, and the place of its first word.
        let mut open: Option<(Id, usize)> = None;
        // The place of the target's first word.
        let mut acting: Option<usize> = None;
        let mut at = start;
        loop {
            at += line[at..].len() - line[at..].trim_start().len();
            let text = &line[at..];
            if text.is_empty() {
                return read;
            }
            let span = |end| Span::new(offset + at, offset + end);
            let lead = target
                .map(|id| id.get().listed.lead)
                .filter(|lead| !lead.is_empty() && acting.is_none());
            if let Some(caught) = lead.and_then(|lead| pattern::catch(lead, text)) {
                (acting, at) = (Some(at), at + caught.end);
                continue;
            }
            let of_open = open.filter(|_| acting.is_none()).and_then(|(id, begin)| {
                let words = &read.matches[begin..];
                let wanted =
                    |form: &Form| form.id == id && !form.words.is_empty() && !form.is_given(words);
                find(&self.following, text, ruleset, wanted)
                    .or_else(|| find(&self.opening, text, ruleset, wanted))
            });
            let of_match =
                |ruleset: &mut Ruleset| find(&self.opening, text, ruleset, |_| acting.is_none());
            // A form that begins with a value only follows its leading words.
            let of_target = |ruleset: &mut Ruleset| {
                let stands = |form: &Form| acting.is_some() || form.first.is_some();
                find(&self.following, text, ruleset, |form| {
                    Some(form.id) == target && stands(form)
                })
            };
            let end = if let Some((form, caught)) = of_open {
                form.emit(&caught, text, span(at + caught.end), &mut read.matches);
                caught.end
            } else if let Some((form, caught)) = of_match(ruleset) {
                open = Some((form.id, read.matches.len()));
                let place = span(at + caught.end);
                read.matches.push(Word {
                    text: "-m".into(),
                    span: place,
                    quoted: false,
                });
                read.matches.push(Word {
                    text: form.id.get().name.into(),
                    span: place,
                    quoted: false,
                });
                form.emit(&caught, text, place, &mut read.matches);
                caught.end
            } else if let Some((form, caught)) = of_target(ruleset) {
                acting = acting.or(Some(at));
                form.emit(&caught, text, span(at + caught.end), &mut read.options);
                caught.end
            } else if let Some(begin) = acting {
                read.unread_target =
                    Some(Span::new(offset + begin, offset + line.trim_end().len()));
                return read;
            } else {
                let end = text.find(pattern::BLANKS).unwrap_or(text.len());
                match read.unread.last_mut() {
                    // Adjacent words are one piece.
                    Some(last) if line[last.end as usize - offset..at].trim().is_empty() => {
                        last.end = span(at + end).end
                    }
                    _ => read.unread.push(span(at + end)),
                }
                open = None;
                end
            };
            at += end;
        }
    }
}

/// The first form that the text begins with.
fn find<'f>(
    forms: &'f [Form],
    text: &str,
    ruleset: &mut Ruleset,
    wanted: impl Fn(&Form) -> bool,
) -> Option<(&'f Form, Caught)> {
    let likely = forms
        .iter()
        .filter(|form| form.first.is_none_or(|first| text_begins(text, first)) && wanted(form));
    likely
        .into_iter()
        .find_map(|form| Some((form, form.catch(text, ruleset)?)))
}

/// Whether the text begins with the character, or with `!` and the character.
fn text_begins(text: &str, first: u8) -> bool {
    let bare = text.as_bytes()[0] == b'!' && first != b'!';
    let text = if bare { text[1..].trim_start() } else { text };
    text.as_bytes().first() == Some(&first)
}

impl Form {
    fn new(id: Id, pattern: Cow<'static, str>, words: Cow<'static, str>) -> Self {
        Self {
            id,
            first: pattern::first(&pattern),
            tried: pattern.starts_with('?'),
            pattern,
            words,
        }
    }

    /// The option that the pattern prints.
    fn flag(&self) -> &str {
        self.words
            .split(' ')
            .find(|word| word.starts_with("--"))
            .unwrap_or_default()
    }

    /// Whether the words can belong to the open match: its option may occur once, and not with an
    /// option that excludes it. Otherwise they begin another match of the same name.
    fn is_given(&self, words: &[Word]) -> bool {
        let own = self.id.get().option(self.flag()).map(|(_, opt)| opt);
        own.is_some_and(|own| {
            let mut given = words
                .iter()
                .filter(|word| word.is_option())
                .filter_map(|word| self.id.get().option(&word.text));
            given.any(|(_, other)| match other.flag == own.flag {
                true => !own.repeatable,
                false => own.excludes.contains(&other.flag) || other.excludes.contains(&own.flag),
            })
        })
    }

    fn catch(&self, text: &str, ruleset: &mut Ruleset) -> Option<Caught> {
        let caught = pattern::catch(self.pattern.trim_start_matches('?'), text)?;
        if self.tried {
            let value = &text[caught.values.first()?.0.clone()];
            let value = converted(self.id.get(), self.flag(), value)?;
            let (_, opt) = self.id.get().option(self.flag())?;
            opt.kind.parse(&[&*value], ruleset).ok()?;
        }
        Some(caught)
    }

    /// Writes the option with the captured values.
    fn emit<'a>(&self, caught: &Caught, text: &str, span: Span, out: &mut Vec<Word<'a>>) {
        let word = |text: &str, quoted| Word {
            text: Cow::Owned(text.to_owned()),
            span,
            quoted,
        };
        let mut values = caught
            .values
            .iter()
            .map(|(range, quoted)| match &text[range.clone()] {
                value if *quoted => Cow::Owned(pattern::unescaped(value)),
                value => Cow::Borrowed(value),
            });
        if caught.negated && !self.words.is_empty() {
            out.push(word("!", false));
        }
        let mut flag = "";
        for piece in self.words.split(' ').filter(|piece| !piece.is_empty()) {
            if piece.starts_with("--") {
                flag = piece;
            }
            if !piece.contains('%') {
                out.push(word(piece, false));
                continue;
            }
            let mut whole = String::new();
            for (place, part) in piece.split('%').enumerate() {
                if place > 0 {
                    let value = values.next().unwrap_or_default();
                    whole +=
                        &converted(self.id.get(), flag, &value).unwrap_or(Cow::Borrowed(&value));
                }
                whole += part;
            }
            match flag {
                "" => out.extend(whole.split_whitespace().map(|option| word(option, false))),
                _ => out.push(word(&whole, true)),
            }
        }
    }
}

/// A value in the syntax of its option.
fn converted<'a>(extension: &Extension, flag: &str, value: &'a str) -> Option<Cow<'a, str>> {
    match extension.listed.value {
        Some(convert) => convert(flag, value).map(Cow::Owned),
        None => Some(Cow::Borrowed(value)),
    }
}
