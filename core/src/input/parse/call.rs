//! Calls of iptables' programs in a line: after a prompt, in another program's call, or in a log.

use crate::netfilter::backend::Backend;
use crate::packet::Family;

use super::command::{self, Global, Verb};

/// The task of a program of iptables.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum CalledProgram {
    /// `iptables` with a change.
    Change,
    /// `iptables -S`
    Rules,
    /// `iptables -L`
    List,
    /// `iptables-save`
    Save,
    /// `iptables-restore`
    Restore,
}

/// A call in a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Call<'a> {
    /// The beginning of the program's name.
    pub(super) at: usize,
    /// The words after it.
    pub(super) rest: &'a str,
    pub(super) family: Family,
    pub(super) backend: Option<Backend>,
    pub(super) program: CalledProgram,
}

/// Programs that run others.
const LAUNCHERS: [&str; 21] = [
    "sudo", "nsenter", "kubectl", "oc", "docker", "podman", "crictl", "nerdctl", "ip", "ssh",
    "exec", "command", "chroot", "doas", "minikube", "k3s", "env", "time", "sh", "bash", "Running",
];

/// The characters that may surround a program's name.
const QUOTES: [char; 5] = ['"', '\'', '`', '(', '{'];

/// The maximum number of lines between a command and its output.
pub(super) const MAX_LINES_BEFORE_OUTPUT: usize = 4;

/// The maximum length of a line with a call.
const LONGEST: usize = 16 * 1024;

/// The call in a line.
pub(super) fn find(line: &str) -> Option<Call<'_>> {
    if line.len() > LONGEST || !line.contains("tables") {
        return None;
    }
    let prompt = prompt(line);
    let mut words = CallWords(&line[prompt.unwrap_or(0)..]);
    let mut first = None;
    while let Some((start, word)) = words.next_in(line) {
        let bare = word.trim_matches(QUOTES);
        if let Some((family, backend, kind)) = named(bare) {
            let rest = &line[start + word.len()..];
            let at = start + (word.len() - word.trim_start_matches(QUOTES).len());
            return Some(Call {
                at,
                rest,
                family,
                backend,
                program: program(kind, rest)?,
            });
        }
        let launcher = *first.get_or_insert(bare);
        if prompt.is_none() && !LAUNCHERS.contains(&launcher) {
            return None;
        }
    }
    None
}

/// The command that root typed after the prompt `# `, if it prints rules. Any other line that
/// begins with `# ` is a comment.
pub(super) fn prompted_call(line: &str) -> Option<Call<'_>> {
    let command = line.trim_start().strip_prefix("# ")?;
    let call = find(command)?;
    let first = command[..call.at].trim();
    let is_typed = first.is_empty() || first == "sudo";
    (is_typed && !matches!(call.program, CalledProgram::Change | CalledProgram::Restore))
        .then_some(call)
}

/// The family, backend and kind (`-save`, `-restore`) in a program's name.
pub(super) fn named(word: &str) -> Option<(Family, Option<Backend>, &str)> {
    let name = word.rsplit('/').next().unwrap_or(word);
    let (family, kind) = match (
        name.strip_prefix("ip6tables"),
        name.strip_prefix("iptables"),
    ) {
        (Some(kind), _) => (Family::Ipv6, kind),
        (_, Some(kind)) => (Family::Ipv4, kind),
        _ => return None,
    };
    let (backend, kind) = match (kind.strip_prefix("-legacy"), kind.strip_prefix("-nft")) {
        (Some(kind), _) => (Some(Backend::Legacy), kind),
        (_, Some(kind)) => (Some(Backend::Nft), kind),
        _ => (None, kind),
    };
    matches!(kind, "" | "-save" | "-restore").then_some((family, backend, kind))
}

fn program(kind: &str, rest: &str) -> Option<CalledProgram> {
    let first = rest.split_whitespace().next();
    let operand = first.is_some_and(|word| {
        !word.starts_with([
            '-', '<', '>', '|', '2', ';', '&', '/', '"', '\'', ')', '*', '#',
        ])
    });
    match kind {
        // "iptables-save prints …" is a sentence.
        "-save" | "-restore" if operand => None,
        "-save" => Some(CalledProgram::Save),
        "-restore" => Some(CalledProgram::Restore),
        _ => rest.split_whitespace().find_map(|word| {
            let word = word.trim_matches(['"', '\'', '`', ')']);
            match command::global(word) {
                Some(Global::Verb(Verb::List)) if word.contains('S') || word.ends_with("rules") => {
                    Some(CalledProgram::Rules)
                }
                Some(Global::Verb(Verb::List)) => Some(CalledProgram::List),
                Some(Global::Verb(_)) => Some(CalledProgram::Change),
                // `-nvL`
                None if is_bundle(word, 'L') => Some(CalledProgram::List),
                None if is_bundle(word, 'S') => Some(CalledProgram::Rules),
                _ => None,
            }
        }),
    }
}

/// Short options in one word, such as `-nvL`.
fn is_bundle(word: &str, option: char) -> bool {
    let letters = word.strip_prefix('-').unwrap_or_default();
    (2..6).contains(&letters.len())
        && letters.contains(option)
        && letters.bytes().all(|byte| b"nvxLSw".contains(&byte))
}

/// The beginning of the command after a shell's prompt; `None` without a prompt.
fn prompt(line: &str) -> Option<usize> {
    let head = line
        .char_indices()
        .take(100)
        .map(|(at, c)| at + c.len_utf8())
        .last()?;
    let end = line[..head].char_indices().find(|(at, c)| {
        let ends = matches!(c, '$' | '#' | '%' | '❯' | '➜') || *c == '>' && *at > 0;
        ends && line[at + c.len_utf8()..].starts_with([' ', '\t'])
    });
    let (at, sign) = end?;
    let before = line[..at].trim();
    let fits = match sign {
        // Otherwise it is a comment.
        '#' | '>' | '%' => {
            !before.is_empty()
                && before.split_whitespace().count() <= 2
                && (before.contains(['@', ':', ']', '/', '~'])
                    || before.starts_with("bash")
                    || before.starts_with("sh"))
        }
        _ => true,
    };
    fits.then(|| at + sign.len_utf8())
}

/// The words of a line with their positions.
struct CallWords<'a>(&'a str);

impl<'a> CallWords<'a> {
    fn next_in(&mut self, whole: &str) -> Option<(usize, &'a str)> {
        let rest = self.0.trim_start();
        let end = rest.find(char::is_whitespace).unwrap_or(rest.len());
        self.0 = &rest[end..];
        (end > 0).then(|| (whole.len() - rest.len(), &rest[..end]))
    }
}

/// The value of `-t`.
pub(super) fn table(rest: &str) -> Option<&str> {
    let mut words = rest.split_whitespace();
    while let Some(word) = words.next() {
        match word {
            "-t" | "--table" => return words.next(),
            _ => {
                let attached = word
                    .strip_prefix("--table=")
                    .or_else(|| word.strip_prefix("-t"));
                if let Some(table) =
                    attached.filter(|table| !table.is_empty() && !table.starts_with('-'))
                {
                    return Some(table);
                }
            }
        }
    }
    None
}

/// Whether a command that lists rules names one chain: `-nvL OUTPUT`, `-S X`.
pub(super) fn names_chain(rest: &str) -> bool {
    let mut words = rest
        .split_whitespace()
        .map(|word| word.trim_matches(['"', '\'', '`', ')']))
        .peekable();
    while let Some(word) = words.next() {
        let lists = matches!(command::global(word), Some(Global::Verb(Verb::List)))
            || is_bundle(word, 'L')
            || is_bundle(word, 'S');
        if lists {
            return words
                .peek()
                .is_some_and(|next| next.starts_with(|first: char| first.is_ascii_alphanumeric()));
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(line: &str, want: Option<(CalledProgram, &str)>) {
        assert_eq!(
            find(line).map(|call| (call.program, &line[call.at..])),
            want,
            "{line}"
        );
    }

    #[test]
    fn calls_are_told_from_sentences() {
        use CalledProgram::{Change, List, Restore, Rules, Save};
        check("iptables-save", Some((Save, "iptables-save")));
        check(
            "[ssh node]$ sudo nsenter -t ${PID} -n iptables-save -c",
            Some((Save, "iptables-save -c")),
        );
        check(
            "root@pod:/# iptables -t nat -nvL",
            Some((List, "iptables -t nat -nvL")),
        );
        check("/ # ip6tables-nft -S", Some((Rules, "ip6tables-nft -S")));
        check(
            "kubectl exec p -- iptables -t nat -S",
            Some((Rules, "iptables -t nat -S")),
        );
        check("+ /sbin/iptables -t nat -F", None);
        check(
            "$ iptables -t nat -A OUTPUT -j x",
            Some((Change, "iptables -t nat -A OUTPUT -j x")),
        );
        check(
            "Running command: iptables-restore --noflush /tmp/x",
            Some((Restore, "iptables-restore --noflush /tmp/x")),
        );
        check("iptables-save prints the rules", None);
        check("We use nsenter to get iptables.", None);
        check("# iptables -A INPUT -j DROP", None);
        check("If you observe the iptables rules above", None);
    }
}
