//! The losses of a listing, each with its reason.

use super::Way;

/// The cause of a difference: a test of the rule as saved and as listed, and the reason.
type Loss = (fn(Way, &str, &str) -> bool, &'static str);

const LOSSES: &[Loss] = &[
    (
        |_, saved, listed| {
            let prose = [
                "-m time",
                "-m hashlimit",
                "-m cluster",
                "-m rateest",
                "-m bpf",
            ];
            uses(saved, &prose) && listed.contains("-m unlisted --words")
        },
        "matches listed as prose, or without an option that they need: kept as words that nobody can answer",
    ),
    (
        |_, saved, listed| saved.contains("-j HMARK") && listed.contains("-j HMARK mod"),
        "HMARK is listed in a form that is not read: kept as written",
    ),
    (
        |_, saved, listed| saved.replace("-j NOTRACK", "-j CT --notrack") == listed,
        "NOTRACK is listed as what it is, CT",
    ),
    (
        |_, saved, listed| saved.contains("--ahspi") && listed.contains("length:"),
        "ip6tables forgets a blank between the index and the length of -m ah",
    ),
    (
        |_, saved, listed| {
            saved.contains("--kerneltz") && saved.replace(" --kerneltz", "") == listed
        },
        "-m time in the kernel's time zone is listed without a word for it; it depends on the clock all the same",
    ),
    (
        |_, saved, _| saved.contains("-m eui64"),
        "-m eui64 leaves no trace in a listing",
    ),
    (
        |_, saved, _| saved.contains("-m quota ! --quota"),
        "the `!` of -m quota is not listed; it depends all the same",
    ),
    (
        |_, saved, _| saved.contains("-m osf"),
        "-m osf is listed without its --ttl and --log; it depends all the same",
    ),
    (
        |_, saved, listed| {
            let bare = ["it\\'s", "it's", "\"a b\"", "a\\b", " b -j ", " b -m "];
            uses(saved, &bare) || saved.ends_with(" b") || listed.contains("-j IDLETIMER timeout:")
        },
        "texts with blanks or quotes, which a listing prints bare",
    ),
    (
        |_, saved, _| uses(saved, &["--physdev-in  ", "--physdev-out  "]),
        "physdev takes an interface without a name, and prints nothing for it",
    ),
    (
        |way, saved, _| !way.numeric && saved.contains("-j TEE"),
        "TEE's gateway by name",
    ),
    (
        |way, _, listed| {
            !way.numeric
                && uses(
                    listed,
                    &[
                        "owner UID match",
                        "owner GID match",
                        "--uid-owner \"",
                        "--gid-owner \"",
                    ],
                )
        },
        "users by name",
    ),
    (
        |_, saved, listed| {
            uses(saved, &["4294967295", " -1"]) && uses(listed, &[":-1", ": -1", "\"-1\""])
        },
        "4294967295 is listed as -1",
    ),
    (
        |_, saved, _| saved.contains("--ipcompspi 0"),
        "iptables-save forgets `! --ipcompspi 0:4294967295`, which a listing shows",
    ),
];

/// The reason of a known difference.
pub(super) fn why(way: Way, saved: &str, listed: &str) -> Option<&'static str> {
    LOSSES
        .iter()
        .find(|(is, _)| is(way, saved, listed))
        .map(|(_, why)| *why)
}

fn uses(rule: &str, words: &[&str]) -> bool {
    words.iter().any(|word| rule.contains(word))
}

/// The part of a rule that a listing of this kind can show.
pub(super) fn shown(way: Way, saved: &str) -> String {
    let mut words: Vec<&str> = saved.split(' ').collect();
    if !way.verbose {
        words.remove(0);
        while let Some(at) = words.iter().position(|word| ["-i", "-o"].contains(word)) {
            let first = if words[at - 1] == "!" { at - 1 } else { at };
            words.drain(first..at + 2);
        }
    }
    let line = words.join(" ");
    if way.exact {
        line
    } else {
        line.replace("6789012]", "6789000]")
    }
}

/// The rule parsed from a listing, without the note that interfaces are not shown.
pub(super) fn read(way: Way, listed: &str) -> String {
    if way.verbose {
        return listed.to_owned();
    }
    let line = listed.split_once(' ').map_or(listed, |(_, line)| line);
    let line = line.replace(" -m unlisted --interfaces --", " -m unlisted --");
    line.replace(" -m unlisted --interfaces ! --", " -m unlisted ! --")
        .replace(" -m unlisted --interfaces", "")
}
