//! Known differences, each with its reason.

use super::Answer;

/// The cause of a difference: a test of the command's line and of both results, and the reason.
type Explanation = (fn(&str, &Answer, &Answer) -> bool, &'static str);

const EXPLANATIONS: &[Explanation] = &[
    (
        |_, _, theirs| says(theirs, "missing kernel module"),
        "modules that this kernel lacks: CLUSTERIP, LED, ipvs",
    ),
    (
        |line, ours, theirs| {
            let outside = [
                "SECMARK",
                "nfacct",
                "rateest",
                "CT --timeout",
                "CT --helper",
                "--label",
                "--object-pinned",
                "--path",
            ];
            uses(line, &outside) && only_ours(ours, theirs)
        },
        "what must be there outside the rules: estimators, counters, helpers, timeout policies, labels' names, files",
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
        |line, ours, theirs| uses(line, &["65536", "''"]) && only_theirs(ours, theirs),
        "a port of 65536 or of no digits, which iptables reads as 0 for some protocols",
    ),
    (
        |_, ours, theirs| says(ours, "bytes (use at most") && only_theirs(ours, theirs),
        "some matches and targets cut a text that is too long; here it is an error",
    ),
    (
        |_, ours, theirs| says(ours, "invalid interface name") && only_theirs(ours, theirs),
        "physdev and TEE take an interface without a name, or cut it",
    ),
    (
        |line, ours, theirs| {
            is_nft(line)
                && ours
                    .as_ref()
                    .ok()
                    .map(|rules: &Vec<String>| {
                        rules
                            .iter()
                            .map(|rule| loaded_by_nft(rule))
                            .collect::<Vec<_>>()
                    })
                    .as_ref()
                    == theirs.as_ref().ok()
        },
        "iptables-nft loads `! 0:1023` as `1024:65535`, which is the same",
    ),
    (
        |line, _, _| is_nft(line) && uses(line, &["--nflog-range"]),
        "iptables-nft forgets --nflog-range, which never worked",
    ),
    (
        |line, _, _| is_nft(line) && uses(line, &["--nflog-prefix"]),
        "iptables-nft keeps one byte more of a prefix",
    ),
    (
        |line, _, _| is_nft(line) && uses(line, &["NONE NONE"]),
        "iptables-nft forgets `! --tcp-flags NONE NONE`",
    ),
    (
        |line, _, _| is_nft(line) && uses(line, &["--limit-burst 0"]),
        "iptables-nft takes a burst of 0 for the usual one",
    ),
    (
        |line, _, _| all(line, &["--set-mss", "--clamp-mss-to-pmtu"]),
        "of TCPMSS's two options iptables keeps the last",
    ),
    (
        |line, _, _| all(line, &["--rsource", "--rdest"]),
        "of --rsource and --rdest iptables keeps the last",
    ),
    (
        |line, _, _| line.matches(" --zone").count() > 1,
        "of CT's zones iptables keeps the last",
    ),
    (
        |line, _, _| {
            uses(
                line,
                &["--srh-hdr-len-", "--srh-segs-left-", "--srh-last-entry-"],
            )
        },
        "iptables keeps one number for equal, greater and less of srh",
    ),
    (
        |line, ours, theirs| uses(line, &["--hmark-tuple"]) && only_ours(ours, theirs),
        "HMARK's --hmark-tuple counts as the options that it replaces",
    ),
    (
        |line, _, _| all(line, &["CONNMARK", "mask"]),
        "CONNMARK's masks beside --and-mark, --or-mark and --xor-mark are forgotten",
    ),
    (
        |line, _, _| all(line, &["CT --notrack", "--timeout"]),
        "beside --notrack iptables prints a timeout's first bytes only",
    ),
    (
        |line, _, _| all(line, &["'!' -p", "--to-"]) || all(line, &["'!' --proto", "--to-"]),
        "after `! -p` iptables accepts ports to translate to",
    ),
    (
        |line, ours, theirs| {
            let bare = |rules: &Vec<String>| {
                rules
                    .iter()
                    .map(|rule| rule.replace(['"', '\\'], ""))
                    .collect::<Vec<_>>()
            };
            let named = uses(
                line,
                &[
                    "--label",
                    "--name",
                    "--rateest",
                    "--map-set",
                    "--hashlimit-name",
                    "--genre",
                ],
            );
            named && ours.as_ref().ok().map(bare) == theirs.as_ref().ok().map(bare)
        },
        "iptables prints some names without quotes, and cannot read them back; here they are quoted",
    ),
    (
        |line, ours, theirs| uses(line, &[" -1"]) && only_theirs(ours, theirs),
        "iptables takes -1 for some unsigned numbers and keeps a part of its bits",
    ),
    (
        |line, _, _| uses(line, &["--seconds 4294967295"]),
        "iptables prints 4294967295 seconds as -1",
    ),
    (
        |line, _, _| uses(line, &["--hashlimit-htable-"]),
        "the kernel cuts the sizes of hashlimit's table to 1048576",
    ),
];

/// The reason of a known difference.
pub(super) fn why(line: &str, ours: &Answer, theirs: &Answer) -> Option<&'static str> {
    EXPLANATIONS
        .iter()
        .find(|(is, _)| is(line, ours, theirs))
        .map(|(_, why)| *why)
}

fn uses(line: &str, words: &[&str]) -> bool {
    words.iter().any(|word| line.contains(word))
}

fn all(line: &str, words: &[&str]) -> bool {
    words.iter().all(|word| line.contains(word))
}

fn is_nft(line: &str) -> bool {
    line.split(' ')
        .next()
        .is_some_and(|program| program.ends_with("-nft"))
}

fn says(answer: &Answer, what: &str) -> bool {
    answer.as_ref().is_err_and(|said| said.contains(what))
}

/// Only Chainwalk accepts it.
fn only_ours(ours: &Answer, theirs: &Answer) -> bool {
    ours.is_ok() && theirs.is_err()
}

/// Only iptables accepts it.
fn only_theirs(ours: &Answer, theirs: &Answer) -> bool {
    ours.is_err() && theirs.is_ok()
}

/// `! --dport 0:1023` as iptables-nft loads it: `--dport 1024:65535`.
fn loaded_by_nft(rule: &str) -> String {
    let words: Vec<&str> = rule.split(' ').collect();
    let is_port = |at: usize| {
        words
            .get(at)
            .is_some_and(|word| ["--sport", "--dport"].contains(word))
    };
    let from_zero = |at: usize| {
        let last = words.get(at)?.strip_prefix("0:")?.parse::<u16>().ok()?;
        last.checked_add(1)
    };
    let mut out: Vec<String> = Vec::new();
    for (at, word) in words.iter().enumerate() {
        let negated = at >= 2 && is_port(at - 1) && words[at - 2] == "!";
        match from_zero(at) {
            Some(first) if negated => out.push(format!("{first}:65535")),
            _ if *word == "!" && is_port(at + 1) && from_zero(at + 2).is_some() => {}
            _ => out.push((*word).to_owned()),
        }
    }
    out.join(" ")
}
