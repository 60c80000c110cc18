//! Recognizes texts without rules of iptables, and messages of tools next to rules, and names the
//! command to run instead.

use crate::input::section::{Format, Section};
use crate::iptables::table_name::TableName;
use crate::netfilter::ruleset::Ruleset;
use crate::text::diagnostic::{Code, Problem, Severity, Span};

/// A kind of text that people paste.
struct UnsupportedInput {
    code: Code,
    /// A word of its text.
    word: &'static str,
    /// Another word that it also contains. Empty: none.
    and: &'static str,
    /// Whether it is also reported next to rules.
    beside: bool,
    /// The description.
    is: &'static str,
    /// The advice.
    hint: &'static str,
}

/// A kind of text with this word.
const fn sign(
    code: Code,
    word: &'static str,
    is: &'static str,
    hint: &'static str,
) -> UnsupportedInput {
    UnsupportedInput {
        code,
        word,
        and: "",
        beside: false,
        is,
        hint,
    }
}

impl UnsupportedInput {
    /// It also contains this word.
    const fn and(self, word: &'static str) -> Self {
        Self { and: word, ..self }
    }

    /// It is also reported next to rules.
    const fn beside_rules(self) -> Self {
        Self {
            beside: true,
            ..self
        }
    }
}

const NODE: &str = "on the pod's node run `nsenter -t PID -n iptables-save -c`, with the pid of a process in the pod";
const DEBUG: &str = "run it as root in the pod's network namespace: `nsenter -t PID -n iptables-save -c` on the node, or \
                     `kubectl debug -it POD --profile=sysadmin --image=IMAGE -- iptables-save -c`";
const SAVE: &str = "run `iptables-save -c` in the pod's network namespace";

/// The known kinds. The more specific ones come first.
#[rustfmt::skip]
const SIGNS: [UnsupportedInput; 30] = [
    sign(Code::OtherBackend, "iptables-legacy tables present", "this output shows nft only, and the legacy backend has tables, too", "also run `iptables-legacy-save -c`").beside_rules(),
    sign(Code::OtherBackend, "ip6tables-legacy tables present", "this output shows nft only, and the legacy backend has tables, too", "also run `ip6tables-legacy-save -c`").beside_rules(),
    sign(Code::OtherBackend, "iptables-nft tables present", "this output shows the legacy backend only, and nft has tables, too", "also run `iptables-nft-save -c`").beside_rules(),
    sign(Code::OtherBackend, "is incompatible, use 'nft' tool", "nft has rules in this table that iptables cannot show", "run `nft list ruleset`").beside_rules(),
    sign(Code::ToolFailed, "you must be root", "iptables was refused: it needs root and NET_ADMIN in the network namespace", DEBUG).beside_rules(),
    sign(Code::ToolFailed, "xtables.lock", "iptables could not take its lock: the container's file system is read-only, or it is not root", DEBUG).beside_rules(),
    sign(Code::ToolFailed, "Fatal: can't open lock file", "iptables could not take its lock: the container's file system is read-only, or it is not root", DEBUG).beside_rules(),
    sign(Code::ToolFailed, "can't initialize iptables table", "iptables could not open a table: a kernel module or a capability is missing", "try the other backend: `iptables-legacy-save -c` or `iptables-nft-save -c`, as root").beside_rules(),
    sign(Code::ToolFailed, "can't initialize ip6tables table", "ip6tables could not open a table: a kernel module or a capability is missing", "try the other backend, as root").beside_rules(),
    sign(Code::ToolFailed, "Could not fetch rule set generation id", "nft refused: it needs root and NET_ADMIN in the network namespace", DEBUG).beside_rules(),
    sign(Code::ToolFailed, "tables: command not found", "the program is not installed there", NODE),
    sign(Code::ToolFailed, "tables: not found", "the program is not installed there", NODE),
    sign(Code::ToolFailed, "executable file not found", "the container does not have the program", NODE),
    sign(Code::ToolFailed, "OCI runtime exec failed", "the container could not run the program", NODE),
    sign(Code::ToolFailed, "unable to upgrade connection", "kubectl did not reach the container", NODE),
    sign(Code::ToolFailed, "Error from server", "the cluster refused the command, and no rules were printed", NODE),
    sign(Code::ToolFailed, "Operation not permitted", "the program was refused, and no rules were printed", DEBUG),
    sign(Code::ToolFailed, "Permission denied", "the program was refused, and no rules were printed", DEBUG),
    sign(Code::ToolFailed, "no command specified", "iptables was called without a command", SAVE),
    sign(Code::NoRules, "apiVersion:", "this is a Kubernetes object without rules", SAVE).and("kind:"),
    sign(Code::NoRules, "\"apiVersion\":", "this is a Kubernetes object without rules", SAVE).and("\"kind\":"),
    sign(Code::NoRules, "Flags [", "these are packets of tcpdump and not rules", SAVE).and("> "),
    sign(Code::NoRules, "<html", "this is the source of a web page", "copy the text of the page, not its source"),
    sign(Code::NoRules, "READY", "this is a list of pods without rules", NODE).and("RESTARTS"),
    sign(Code::NoRules, "src=", "these are connections of conntrack and not rules", SAVE).and("dport="),
    sign(Code::NoRules, ": <LOOPBACK", "these are network interfaces and not rules", SAVE),
    sign(Code::NoRules, "default via ", "these are routes and not rules", SAVE).and(" dev "),
    sign(Code::NoRules, "ENVOY_PORT=", "this is the beginning of istio-init's log, before its rules", "paste the whole log: `kubectl logs POD -c istio-init`"),
    sign(Code::NoRules, "static_resources", "this is a configuration of Envoy without rules", SAVE),
    sign(Code::NoRules, "-----BEGIN ", "this is a key or a certificate; keep it secret", SAVE),
];

/// The number of bytes of a text that are examined.
const MAX_BYTES: usize = 256 * 1024;

/// Meshes that write native nftables, by a word in the names of their tables: Istio from 1.27 on,
/// newer Consul.
const MESHES: [(&str, &str); 2] = [("istio-proxy-", "Istio"), ("consul_tproxy", "Consul")];

/// The problem of a text without rules: line, span and description.
pub(super) fn problem(text: &str) -> Option<(u32, Span, Problem)> {
    native(text)
        .map(|problem| (1, Span::default(), problem))
        .or_else(|| known(text, false))
        .or_else(|| binary(text))
}

/// The problems next to the rules of a text, from `sections` on.
pub(super) fn beside(
    text: &str,
    sections: &[Section],
    rulesets: &[Ruleset],
) -> Vec<(u32, Span, Problem)> {
    if sections.is_empty() {
        return Vec::new();
    }
    let tables = first_line(text, is_table)
        .and_then(|(line, span)| Some((line, span, native(text.get(span.start as usize..)?)?)));
    [tables, known(text, true), other_table(sections, rulesets)]
        .into_iter()
        .flatten()
        .collect()
}

/// Whether a part of the text has a rule, or a policy that drops.
fn has_rules(section: &Section, rulesets: &[Ruleset]) -> bool {
    let set = section
        .ruleset
        .and_then(|place| rulesets.get(place as usize));
    set.is_some_and(Ruleset::is_populated)
}

/// By default, iptables shows table filter, where no mesh has its rules.
fn other_table(sections: &[Section], rulesets: &[Ruleset]) -> Option<(u32, Span, Problem)> {
    let first = sections.first()?;
    sections.iter().all(|section: &Section| {
        matches!(section.format, Format::Listing | Format::Rules)
            && section.tables == [TableName::Filter]
    }).then(|| {
        // The table has rules on a router, a NAS or a firewall, and none in a pod of a mesh.
        let (severity, message) = match sections.iter().any(|own| has_rules(own, rulesets)) {
            true => (
                Severity::Note,
                "only table filter is shown here; redirects are in table nat",
            ),
            false => (
                Severity::Warning,
                "only table filter is shown here, and it is empty; redirects, such as a mesh's, are in table nat",
            ),
        };
        let problem = Problem {
            severity,
            ..Problem::new(Code::FilterTableOnly, message)
        };
        let problem =
            problem.hint("run `iptables -t nat -S`, or `iptables-save -c` for all tables");
        (
            first.line,
            Span {
                end: first.span.start,
                ..first.span
            },
            problem,
        )
    })
}

/// Whether a comment of a dump is a message of iptables: `# Warning: iptables-legacy tables
/// present, use …`
pub(super) fn is_message(comment: &str) -> bool {
    comment.starts_with("# Warning:") || comment.starts_with("# Table `")
}

/// The message of a tool in a text.
pub(super) fn message(text: &str) -> Option<(u32, Span, Problem)> {
    known(text, true)
}

fn known(text: &str, beside: bool) -> Option<(u32, Span, Problem)> {
    let mut end = text.len().min(MAX_BYTES);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    let text = &text[..end];
    let sign = SIGNS.iter().find(|sign| {
        (sign.beside || !beside) && text.contains(sign.word) && text.contains(sign.and)
    })?;
    let (line, span) = first_line(text, |line| line.contains(sign.word))?;
    Some((line, span, Problem::new(sign.code, sign.is).hint(sign.hint)))
}

/// The first line of a kind, and its span.
fn first_line(text: &str, is: impl Fn(&str) -> bool) -> Option<(u32, Span)> {
    let mut start = 0;
    for (number, line) in (1..).zip(text.split_inclusive('\n')) {
        if is(line) {
            return Some((number, Span::new(start, start + line.trim_end().len())));
        }
        start += line.len();
    }
    None
}

/// Binary data: a packet capture, an archive.
fn binary(text: &str) -> Option<(u32, Span, Problem)> {
    let strange = |c: &char| {
        *c == char::REPLACEMENT_CHARACTER
            || c.is_control() && !matches!(c, '\n' | '\r' | '\t' | '\u{1b}')
    };
    let (all, odd) = text.chars().take(4096).fold((0, 0), |(all, odd), c| {
        (all + 1, odd + u32::from(strange(&c)))
    });
    (odd * 8 > all).then(|| {
        let problem = Problem::new(
            Code::NoRules,
            "this is not text but a packet capture, an archive or another binary file",
        );
        (1, Span::default(), problem.hint(SAVE))
    })
}

fn is_table(line: &str) -> bool {
    let mut words = line.split_whitespace();
    words.next() == Some("table")
        && matches!(
            words.next(),
            Some("ip" | "ip6" | "inet" | "arp" | "bridge" | "netdev")
        )
}

/// The problem of a text of native nftables; `None` for any other text.
fn native(text: &str) -> Option<Problem> {
    let is_json = text.trim_start().starts_with('{') && text.contains("\"nftables\"");
    if !is_json && !text.lines().any(is_table) {
        return None;
    }
    let mesh = MESHES
        .iter()
        .find(|(word, _)| text.contains(word))
        .map(|(_, mesh)| *mesh);
    let whose = mesh.map(|mesh| format!(", {mesh}'s")).unwrap_or_default();
    let problem = Problem::new(
        Code::NativeNftables,
        format!("these are rules of native nftables{whose}, which are not evaluated"),
    );
    Some(problem.hint("run `iptables-save -c`, or `iptables-nft-save -c` if nft holds the rules"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wrong_thing_is_named_with_what_to_run() {
        for (text, is, hint) in [
            (
                "# Warning: iptables-legacy tables present, use iptables-legacy-save to see them\n",
                "legacy",
                "iptables-legacy-save",
            ),
            (
                "# Table `nat' is incompatible, use 'nft' tool.\n",
                "nft",
                "nft list ruleset",
            ),
            (
                "iptables v1.8.9 (nf_tables): Could not fetch rule set generation id: Permission denied (you must be root)",
                "root",
                "nsenter",
            ),
            (
                "Fatal: can't open lock file /run/xtables.lock: Read-only file system\n",
                "lock",
                "kubectl debug",
            ),
            (
                "error: exec failed: executable file not found in $PATH",
                "does not have",
                "nsenter",
            ),
            ("apiVersion: v1\nkind: Pod\n", "Kubernetes", "iptables-save"),
            (
                "10:00 IP 10.0.0.1.80 > 10.0.0.2.90: Flags [S], seq 1\n",
                "tcpdump",
                "iptables-save",
            ),
            (
                "\u{fffd}\u{fffd}\u{fffd}\u{fffd}\u{2}\0\u{4}\0\0\0\0\0",
                "not text",
                "iptables-save",
            ),
            (
                "table inet istio-proxy-nat {\n}\n",
                "Istio's",
                "iptables-save",
            ),
        ] {
            let (_, _, problem) = problem(text).unwrap_or_else(|| panic!("{text}"));
            assert!(problem.message.contains(is), "{text}: {}", problem.message);
            assert!(
                problem.hint.as_ref().is_some_and(|own| own.contains(hint)),
                "{text}: {:?}",
                problem.hint
            );
        }
        assert_eq!(problem("good morning\n"), None);
    }
}
