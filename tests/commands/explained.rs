//! Differences that stay, each with its reason.

use super::Answer;

/// What a difference comes from: a test of the command's line and of both answers, and the reason.
type Explanation = (fn(&str, &Answer, &Answer) -> bool, &'static str);

const EXPLANATIONS: &[Explanation] = &[
    (|_, _, theirs| says(theirs, "missing kernel module"), "modules that this kernel lacks: CLUSTERIP, LED, ipvs"),
    (
        |line, ours, theirs| uses(line, &["SECMARK", "nfacct", "rateest", "CT --timeout"]) && only_ours(ours, theirs),
        "what must be there outside the rules: SELinux, accounting objects, rate estimators, timeout policies",
    ),
    (
        |line, ours, theirs| uses(line, &["--object-pinned", "--path"]) && only_ours(ours, theirs),
        "files that must be there: pinned programs, control groups",
    ),
    (
        |_, _, theirs| says(theirs, "doesn't exist") || says(theirs, "ipset protocol"),
        "sets that must be there: a dump does not hold them",
    ),
    (
        |line, ours, theirs| uses(line, &["ssh", "http", "0x50"]) && only_ours(ours, theirs),
        "ports by name or in hexadecimal, which iptables reads for some protocols only",
    ),
    (
        |line, _, _| is_nft(line) && uses(line, &["--nflog-range"]),
        "iptables-nft forgets --nflog-range, which never worked",
    ),
    (
        |line, ours, theirs| {
            let loaded = ours.as_ref().map(|rules| rules.iter().map(|rule| loaded_by_nft(rule)).collect::<Vec<_>>());
            is_nft(line) && loaded.ok().as_ref() == theirs.as_ref().ok()
        },
        "iptables-nft loads `! 0:1023` as `1024:65535`, which is the same",
    ),
    (
        |line, _, _| uses(line, &["--set-mss"]) && uses(line, &["--clamp-mss-to-pmtu"]),
        "of TCPMSS's two options iptables keeps the last",
    ),
    (
        |line, _, _| uses(line, &["--srh-hdr-len-", "--srh-segs-left-", "--srh-last-entry-"]),
        "iptables keeps one number for equal, greater and less of srh",
    ),
    (
        |line, ours, theirs| uses(line, &["--hmark-tuple"]) && only_ours(ours, theirs),
        "HMARK's --hmark-tuple counts as the options that it stands for",
    ),
    (|line, _, _| line.matches(" --zone").count() > 1, "of CT's zones the last one counts, and the order is not kept"),
    (
        |line, ours, _| line.contains("--hashlimit-name") && says(ours, "256 bytes"),
        "hashlimit cuts a name of 256 bytes",
    ),
    (|line, _, _| uses(line, &["sixteencharacter"]), "TEE cuts a name that is too long"),
    (|line, _, _| uses(line, &["--physdev-in ''", "--physdev-out ''"]), "physdev takes an interface without a name"),
];

/// Why the two differ, where that is known and stays so.
pub(super) fn why(line: &str, ours: &Answer, theirs: &Answer) -> Option<&'static str> {
    EXPLANATIONS.iter().find(|(is, _)| is(line, ours, theirs)).map(|(_, why)| *why)
}

fn uses(line: &str, words: &[&str]) -> bool {
    words.iter().any(|word| line.contains(word))
}

fn is_nft(line: &str) -> bool {
    line.split(' ').next().is_some_and(|program| program.ends_with("-nft"))
}

fn says(answer: &Answer, what: &str) -> bool {
    answer.as_ref().is_err_and(|said| said.contains(what))
}

/// Only Chainwalk takes it.
fn only_ours(ours: &Answer, theirs: &Answer) -> bool {
    ours.is_ok() && theirs.is_err()
}

/// `! --dport 0:1023` as iptables-nft loads it: `--dport 1024:65535`.
fn loaded_by_nft(rule: &str) -> String {
    let words: Vec<&str> = rule.split(' ').collect();
    let mut out: Vec<String> = Vec::new();
    for (at, word) in words.iter().enumerate() {
        let is_port = |at: usize| words.get(at).is_some_and(|word| ["--sport", "--dport"].contains(word));
        let last = word.strip_prefix("0:").and_then(|last| last.parse::<u16>().ok()).filter(|last| *last < u16::MAX);
        let negated = |at: usize| at > 0 && words[at - 1] == "!";
        match last {
            Some(last) if at > 0 && is_port(at - 1) && negated(at - 1) => out.push(format!("{}:65535", last + 1)),
            _ if *word == "!" && is_port(at + 1) && words.get(at + 2).is_some_and(|range| range.starts_with("0:")) => {}
            _ => out.push((*word).to_owned()),
        }
    }
    out.join(" ")
}
