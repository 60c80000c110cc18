//! The options of `iptables` itself, besides those of a rule: the command, its chain, its table.

use crate::iptables::extension::{Id, Opt};
use crate::iptables::table_name::TableName;
use crate::text::diagnostic::{Code, Problem, ProblemSink};
use crate::text::number;

use super::words::{Rest, Word};

/// The action of a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verb {
    Append,
    Check,
    Delete,
    DeleteChain,
    Flush,
    Insert,
    List,
    NewChain,
    Policy,
    RenameChain,
    Replace,
    Zero,
}

/// The meaning of an option of iptables itself.
#[derive(Clone, Copy, Debug)]
pub(super) enum Global {
    Match,
    Jump,
    Goto,
    Counters,
    Table,
    Verb(Verb),
    /// Does not change the rules, and takes at most this many words.
    Ignored(usize),
}

/// Letter and long spelling (`original_opts` in iptables.c of 1.8.9).
const GLOBALS: [(u8, &str, Global); 26] = [
    (b'A', "--append", Global::Verb(Verb::Append)),
    (b'C', "--check", Global::Verb(Verb::Check)),
    (b'D', "--delete", Global::Verb(Verb::Delete)),
    (b'E', "--rename-chain", Global::Verb(Verb::RenameChain)),
    (b'F', "--flush", Global::Verb(Verb::Flush)),
    (b'I', "--insert", Global::Verb(Verb::Insert)),
    (b'L', "--list", Global::Verb(Verb::List)),
    (b'N', "--new-chain", Global::Verb(Verb::NewChain)),
    (b'P', "--policy", Global::Verb(Verb::Policy)),
    (b'R', "--replace", Global::Verb(Verb::Replace)),
    (b'S', "--list-rules", Global::Verb(Verb::List)),
    (b'X', "--delete-chain", Global::Verb(Verb::DeleteChain)),
    (b'Z', "--zero", Global::Verb(Verb::Zero)),
    (b'm', "--match", Global::Match),
    (b'j', "--jump", Global::Jump),
    (b'g', "--goto", Global::Goto),
    (b'c', "--set-counters", Global::Counters),
    (b't', "--table", Global::Table),
    (b'w', "--wait", Global::Ignored(1)),
    (b'W', "--wait-interval", Global::Ignored(1)),
    (b'M', "--modprobe", Global::Ignored(1)),
    (b'v', "--verbose", Global::Ignored(0)),
    (b'n', "--numeric", Global::Ignored(0)),
    (b'x', "--exact", Global::Ignored(0)),
    (b'4', "--ipv4", Global::Ignored(0)),
    (b'6', "--ipv6", Global::Ignored(0)),
];

/// The position of the option for each letter, from 1; 0 for none.
static LETTERS: [u8; 128] = {
    let mut letters = [0; 128];
    let mut place = 0;
    while place < GLOBALS.len() {
        letters[GLOBALS[place].0 as usize] = place as u8 + 1;
        place += 1;
    }
    letters
};

/// The option of a complete flag.
pub(super) fn global(flag: &str) -> Option<Global> {
    let found = match flag.as_bytes() {
        [b'-', b'-', ..] => GLOBALS.iter().find(|(_, long, _)| *long == flag),
        [b'-', letter] => {
            GLOBALS.get(usize::from(*LETTERS.get(usize::from(*letter))?).checked_sub(1)?)
        }
        _ => None,
    };
    found.map(|(.., global)| *global)
}

/// The options that a long flag may abbreviate.
pub(super) fn abbreviated(flag: &str) -> impl Iterator<Item = (&'static str, Global)> {
    GLOBALS
        .iter()
        .filter(move |(_, long, _)| long.starts_with(flag))
        .map(|(_, long, global)| (*long, *global))
}

/// Whether `iptables` itself may read a word as one of its options, also an abbreviated one or one
/// with an attached value, such as `--modprobe=/bin/sh`.
pub(crate) fn may_be_global(word: &str) -> bool {
    let Some(long) = word.strip_prefix("--") else {
        return word.len() > 1 && word.starts_with('-');
    };
    let name = long.split('=').next().unwrap_or_default();
    let header = Id::HEADER.get().options.iter().flat_map(Opt::flags);
    let more = ["--help", "--version", "--line-numbers", "--random"];
    let known = GLOBALS
        .iter()
        .map(|(_, long, _)| *long)
        .chain(header)
        .chain(more);
    known.into_iter().any(|known| {
        known
            .strip_prefix("--")
            .is_some_and(|known| known.starts_with(name))
    })
}

/// A command with its own words.
#[derive(Clone, Copy, Debug)]
pub(super) struct RuleCommand<'w, 'a> {
    pub(super) verb: Verb,
    /// The word of the command.
    pub(super) word: &'w Word<'a>,
    pub(super) chain: Option<&'w Word<'a>>,
    /// The rule's number, from 1.
    pub(super) number: Option<u32>,
    /// A policy, or the new name of a chain.
    pub(super) other: Option<&'w Word<'a>>,
}

/// Parses the words of a command. A line has one command.
pub(super) fn read_command<'w, 'a>(
    verb: Verb,
    word: &'w Word<'a>,
    rest: &mut Rest<'w, 'a>,
    command: &mut Option<RuleCommand<'w, 'a>>,
    say: &mut ProblemSink,
) {
    let optional = matches!(
        verb,
        Verb::DeleteChain | Verb::Flush | Verb::List | Verb::Zero
    );
    let chain = if optional {
        rest.argument()
    } else {
        rest.next()
    };
    if chain.is_none() && !optional {
        say(
            word.span,
            Problem::new(
                Code::MissingArgument,
                format!("{} needs the name of a chain", word.text),
            ),
        );
    }
    let mut read = RuleCommand {
        verb,
        word,
        chain,
        number: None,
        other: None,
    };
    match verb {
        Verb::Insert | Verb::Replace | Verb::Delete | Verb::List | Verb::Zero => {
            read.number = rule_number(rest, say)
        }
        Verb::Policy | Verb::RenameChain => read.other = rest.argument(),
        Verb::Append | Verb::Check | Verb::DeleteChain | Verb::Flush | Verb::NewChain => {}
    }
    let lacking = match verb {
        Verb::Replace if read.number.is_none() => Some("the number of a rule"),
        Verb::Policy if read.other.is_none() => Some("a policy: ACCEPT or DROP"),
        Verb::RenameChain if read.other.is_none() => Some("the chain's new name"),
        _ => None,
    };
    if let Some(what) = lacking {
        say(
            word.span,
            Problem::new(Code::MissingArgument, format!("{} needs {what}", word.text)),
        );
    }
    if let Some(earlier) = command.replace(read) {
        let problem = Problem::new(
            Code::SeveralCommands,
            format!("{} and {} are in one command", word.text, earlier.word.text),
        );
        say(word.span, problem.hint("use one command per line"));
    }
}

fn rule_number(rest: &mut Rest, say: &mut ProblemSink) -> Option<u32> {
    let word = rest.argument()?;
    let number = number::parse_u32(&word.text).filter(|number| *number > 0);
    if number.is_none() {
        let problem = Problem::new(
            Code::InvalidRuleNumber,
            format!("invalid rule number `{}`", word.text),
        )
        .hint("use a number from 1");
        say(word.span, problem);
    }
    number
}

/// Parses the value of `-t`.
pub(super) fn table(
    word: &Word,
    attached: Option<&str>,
    rest: &mut Rest,
    say: &mut ProblemSink,
) -> Option<TableName> {
    let (name, span) = match attached {
        Some(name) => (name, word.span),
        None => match rest.next() {
            Some(next) => (&*next.text, next.span),
            None => {
                say(
                    word.span,
                    Problem::new(Code::MissingArgument, "-t needs the name of a table"),
                );
                return None;
            }
        },
    };
    let table = TableName::from_text(name);
    if table.is_none() {
        let problem = Problem::new(Code::UnknownTable, format!("unknown table `{name}`"));
        say(
            span,
            problem.hint("the tables are raw, mangle, nat, filter and security"),
        );
    }
    table
}
