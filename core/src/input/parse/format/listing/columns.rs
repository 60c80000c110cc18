//! The columns of a listing: reads its head, and the columns of each row.

use crate::netfilter::ruleset::Counters;
use crate::packet::Protocol;
use crate::text::names;

/// The optional columns of a listing; target, protocol, source and destination are always shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Columns {
    /// `num`, by `--line-numbers`.
    pub(super) numbers: bool,
    /// `pkts bytes`, by `-v`.
    pub(super) counters: bool,
    /// `in out`, by `-v`.
    pub(super) interfaces: bool,
}

/// The value of the column `opt`.
const FRAGMENTS: [&str; 4] = ["--", "-f", "!f", "!-f"];

/// The most blanks before a source (`print_rule_details` in xshared.c). Older listings of IPv6
/// leave the column `opt` empty and have four more.
const WIDEST_GAP: usize = 8;

/// The distance from the start of a short source to the start of the destination.
const WIDEST_ADDRESS: usize = 22;

/// A number that may be rounded, such as `12K`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Count {
    pub(super) number: u64,
    pub(super) rounded: bool,
}

/// A word and its place in its line.
pub(super) type At<'a> = (usize, &'a str);

/// The columns of a rule.
#[derive(Debug, Default)]
pub(super) struct ListedRow<'a> {
    /// The number that `--line-numbers` shows, from 1.
    pub(super) number: Option<u32>,
    pub(super) counters: Option<Counters>,
    /// A rounded counter.
    pub(super) rounded: Option<At<'a>>,
    /// The name of the target or chain; `None` for a rule without a target.
    pub(super) target: Option<At<'a>>,
    pub(super) protocol: At<'a>,
    /// `--`, `-f` or `!f`; listings of IPv6 may lack it.
    pub(super) fragment: Option<At<'a>>,
    /// The input and output interfaces.
    pub(super) interfaces: Option<[At<'a>; 2]>,
    /// The source; empty if somebody removed it from the listing.
    pub(super) source: At<'a>,
    /// The destination; empty if somebody removed it from the listing.
    pub(super) destination: At<'a>,
    /// The place of the first word after the columns.
    pub(super) tail: usize,
}

impl Columns {
    /// The columns of a head: `num   pkts bytes target     prot opt in     out     source
    /// destination`.
    pub(super) fn of_head(line: &str) -> Option<Self> {
        let has = |name: &str| line.split_whitespace().any(|word| word == name);
        let is_head = line.len() < 256
            && ["target", "prot", "source", "destination"]
                .into_iter()
                .all(has);
        is_head.then(|| Self {
            numbers: has("num"),
            counters: has("pkts"),
            interfaces: has("in"),
        })
    }

    /// The columns of a row without a head.
    pub(super) fn of_row(line: &str) -> Option<Self> {
        let verbose = [true, false].map(|both| [true, false].map(|numbers| (both, numbers)));
        let mut all = verbose.into_iter().flatten();
        let columns = |(both, numbers)| Self {
            numbers,
            counters: both,
            interfaces: both,
        };
        all.find_map(|of| columns(of).split_row(line).map(|_| columns(of)))
    }

    /// The lines of each table. A new table begins at a repeated built-in chain, or at a built-in
    /// chain after a user-defined one. Built-in chains of a known table may have been moved and
    /// begin no new one.
    pub(super) fn is_sure_row(line: &str) -> bool {
        let has_sign = FRAGMENTS.iter().any(|sign| line.contains(sign));
        let row = if has_sign {
            Self::of_row(line).and_then(|columns| columns.split_row(line))
        } else {
            None
        };
        row.is_some_and(|row| {
            let is_plain =
                |at: At| at.1 == "anywhere" || at.1.contains(|sign: char| sign.is_ascii_digit());
            row.fragment.is_some() && is_plain(row.source) && is_plain(row.destination)
        })
    }

    /// Reads the columns of a line; `None` if the line does not fit.
    pub(super) fn split_row(self, line: &str) -> Option<ListedRow<'_>> {
        let mut words = Words { line, at: 0 };
        let mut row = ListedRow::default();
        if self.numbers {
            let (_, number) = words.next()?;
            row.number = Some(number.parse().ok()?);
        }
        if self.counters {
            let (first, second) = (words.next()?, words.next()?);
            let (packets, bytes) = (count(first.1)?, count(second.1)?);
            row.counters = Some(Counters {
                packets: packets.number,
                bytes: bytes.number,
            });
            let rounded = [(packets, first), (bytes, second)]
                .into_iter()
                .find(|(count, _)| count.rounded);
            row.rounded = rounded.map(|(_, at)| at);
        }
        // A rule without a target leaves that column empty. The first reading that fits wins.
        let without = words.clone();
        let target = words.next()?;
        match self.rest(words, &mut row) {
            Some(()) => row.target = Some(target),
            None => self.rest(without, &mut row)?,
        }
        Some(row)
    }

    /// Reads the columns after the target.
    fn rest<'a>(self, mut words: Words<'a>, row: &mut ListedRow<'a>) -> Option<()> {
        row.protocol = words.next().filter(|(_, word)| is_protocol(word))?;
        let after = words.clone();
        row.fragment = words.next().filter(|(_, word)| FRAGMENTS.contains(word));
        if row.fragment.is_none() {
            words = after;
        }
        row.interfaces = None;
        if self.interfaces {
            let interfaces = [words.next()?, words.next()?];
            // The column `opt` is damaged.
            if interfaces[0].1.starts_with('-') {
                return None;
            }
            row.interfaces = Some(interfaces);
        }
        // A removed address leaves its column blank.
        let gap = if row.fragment.is_some() || self.interfaces {
            WIDEST_GAP
        } else {
            WIDEST_GAP + 4
        };
        let end = words.at;
        let first = words.next().filter(|(_, word)| is_address(word))?;
        if first.0 - end > gap {
            (row.source, row.destination) = ((end, ""), first);
        } else {
            let widest = (first.1.len() + 3).max(WIDEST_ADDRESS);
            let behind = words.clone();
            let second = words.next().filter(|(at, _)| at - first.0 <= widest);
            if second.is_none() {
                words = behind;
            }
            let destination = second.map_or(Some((words.at, "")), |second| {
                is_address(second.1).then_some(second)
            })?;
            (row.source, row.destination) = (first, destination);
        }
        row.tail = words.at;
        Some(())
    }

    /// Whether a line that does not fit is still a rule: it has the value of `opt` between two
    /// columns, or begins with counters.
    pub(super) fn resembles(self, line: &str) -> bool {
        let mut words = line.split_whitespace().skip(usize::from(self.numbers));
        let counted = self.counters
            && words
                .clone()
                .take(2)
                .filter(|word| count(word).is_some())
                .count()
                == 2;
        counted || words.any(|word| FRAGMENTS.contains(&word))
    }
}

/// Parses `1234` or `12K`. K, M, G and T are powers of 1000 (`xtables_print_num` in xtables.c).
pub(super) fn count(text: &str) -> Option<Count> {
    let digits = text.trim_end_matches(['K', 'M', 'G', 'T', 'P']);
    let factor = match &text[digits.len()..] {
        "" => 1,
        "K" => 1_000,
        "M" => 1_000_000,
        "G" => 1_000_000_000,
        "T" => 1_000_000_000_000,
        _ => return None,
    };
    let number: u64 = digits
        .bytes()
        .all(|byte| byte.is_ascii_digit())
        .then(|| digits.parse().ok())??;
    Some(Count {
        number: number.checked_mul(factor)?,
        rounded: factor > 1,
    })
}

fn is_protocol(word: &str) -> bool {
    let name = word.strip_prefix('!').unwrap_or(word);
    name == "all" || Protocol::from_text(name).is_some() || names::protocol(name).is_some()
}

/// Whether a word can be in a column of addresses: an address, a network, or a name.
fn is_address(word: &str) -> bool {
    let name = word.strip_prefix('!').unwrap_or(word);
    name.starts_with(|c: char| c.is_ascii_alphanumeric() || c == ':')
        && name.bytes().all(|byte: u8| {
            byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b':' | b'/' | b'-' | b'_')
        })
}

/// The words of a line.
#[derive(Clone)]
struct Words<'a> {
    line: &'a str,
    at: usize,
}

impl<'a> Iterator for Words<'a> {
    type Item = At<'a>;

    fn next(&mut self) -> Option<At<'a>> {
        let rest = &self.line[self.at..];
        let start = self.at + (rest.len() - rest.trim_start().len());
        let word = self.line[start..]
            .split(char::is_whitespace)
            .next()
            .unwrap_or_default();
        self.at = start + word.len();
        (!word.is_empty()).then_some((start, word))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(columns: Columns, line: &str, want: Option<[&str; 5]>) {
        let row = columns.split_row(line);
        let have = row.as_ref().map(|row| {
            let target = row.target.map_or("", |(_, name)| name);
            [
                target,
                row.protocol.1,
                row.source.1,
                row.destination.1,
                line[row.tail..].trim(),
            ]
        });
        assert_eq!(have, want, "{line}");
    }

    #[test]
    fn lines_are_read_by_their_columns() {
        let bare = Columns::default();
        let full = Columns {
            numbers: true,
            counters: true,
            interfaces: true,
        };
        check(
            bare,
            "RETURN  tcp  --  anywhere  !localhost  tcp dpt:!ssh",
            Some(["RETURN", "tcp", "anywhere", "!localhost", "tcp dpt:!ssh"]),
        );
        check(
            bare,
            "   all  --  0.0.0.0/0  0.0.0.0/0 ",
            Some(["", "all", "0.0.0.0/0", "0.0.0.0/0", ""]),
        );
        check(
            bare,
            "tcp  tcp  ::/0  ::/0",
            Some(["tcp", "tcp", "::/0", "::/0", ""]),
        );
        check(
            full,
            "3  1  60  X  6  --  *  !eth0  ::/0  fd00::1 tcp",
            Some(["X", "6", "::/0", "fd00::1", "tcp"]),
        );
        check(
            full,
            "3  12K  60M   !6  -f  lo  *  1.2.3.4 !10.0.0.0/8",
            Some(["", "!6", "1.2.3.4", "!10.0.0.0/8", ""]),
        );
        check(full, "RETURN  tcp  --  anywhere  localhost", None);
        check(
            full,
            "3 1 2 X  all  --  any    lo            anywhere",
            Some(["X", "all", "", "anywhere", ""]),
        );
        check(
            bare,
            "X  tcp  --  anywhere                         tcp dpt:22",
            Some(["X", "tcp", "anywhere", "", "tcp dpt:22"]),
        );
        check(
            bare,
            "X  tcp      ::/0                 ::/0                tcp dpt:22",
            Some(["X", "tcp", "::/0", "::/0", "tcp dpt:22"]),
        );
        check(bare, "some words of a text", None);
        assert_eq!(
            Columns::of_row("1 2 X all -- any any anywhere anywhere"),
            Some(Columns {
                numbers: false,
                ..full
            })
        );
        assert_eq!(
            count("804K"),
            Some(Count {
                number: 804_000,
                rounded: true
            })
        );
        assert_eq!(
            (count("K"), count("1X"), count("99999999999T")),
            (None, None, None)
        );
    }
}
