//! The conditions of a shell: `[ "$X" = y ]`, `test -n "$X"`, `[[ $X == y* ]]`.

use super::variables::ShellField;

/// The most words of a condition that is evaluated.
const MAX_WORDS: usize = 48;

/// Whether a condition holds, from the words between its brackets; `None` where only a run
/// determines it.
pub(super) fn evaluate(words: &[ShellField], has_patterns: bool) -> Option<bool> {
    if words.len() > MAX_WORDS {
        return None;
    }
    for (operator, decides) in [("||", true), ("-o", true), ("&&", false), ("-a", false)] {
        if let Some(at) = words.iter().position(|word| word.text == operator) {
            let sides = [
                evaluate(&words[..at], has_patterns),
                evaluate(&words[at + 1..], has_patterns),
            ];
            return match sides {
                [Some(one), Some(other)] => Some(if decides { one || other } else { one && other }),
                [Some(side), None] | [None, Some(side)] if side == decides => Some(decides),
                _ => None,
            };
        }
    }
    match words {
        [not, rest @ ..] if not.text == "!" && !rest.is_empty() => {
            evaluate(rest, has_patterns).map(|holds| !holds)
        }
        [word] => known(word).map(|text| !text.is_empty()),
        [operator, word] => match &*operator.text {
            "-n" => known(word).map(|text| !text.is_empty()),
            "-z" => known(word).map(str::is_empty),
            _ => None,
        },
        [left, operator, right] => {
            let (left, right) = (known(left)?, known(right)?);
            let order = || {
                Some(
                    left.trim()
                        .parse::<i64>()
                        .ok()?
                        .cmp(&right.trim().parse::<i64>().ok()?),
                )
            };
            match &*operator.text {
                "=" | "==" if has_patterns => matches(right, left),
                "!=" if has_patterns => matches(right, left).map(|matches| !matches),
                "=" | "==" => Some(left == right),
                "!=" => Some(left != right),
                "-eq" => order().map(std::cmp::Ordering::is_eq),
                "-ne" => order().map(std::cmp::Ordering::is_ne),
                "-lt" => order().map(std::cmp::Ordering::is_lt),
                "-le" => order().map(std::cmp::Ordering::is_le),
                "-gt" => order().map(std::cmp::Ordering::is_gt),
                "-ge" => order().map(std::cmp::Ordering::is_ge),
                _ => None,
            }
        }
        _ => None,
    }
}

fn known(word: &ShellField) -> Option<&str> {
    word.is_known.then_some(&*word.text)
}

/// Whether a text matches a shell pattern; `None` for unsupported patterns.
pub(super) fn matches(pattern: &str, text: &str) -> Option<bool> {
    if pattern.contains(['[', '\\', '(']) {
        return None;
    }
    let (pattern, text): (Vec<char>, Vec<char>) =
        (pattern.chars().collect(), text.chars().collect());
    if pattern.len() > 256 || text.len() > 4096 {
        return None;
    }
    let (mut at, mut place) = (0, 0);
    // The place of the last `*`, and the end of the text that it matches.
    let mut star: Option<(usize, usize)> = None;
    while place < text.len() {
        match pattern.get(at) {
            Some('*') => {
                star = Some((at, place));
                at += 1;
            }
            Some(c) if *c == '?' || *c == text[place] => (at, place) = (at + 1, place + 1),
            _ => {
                let Some((before, reached)) = star else {
                    return Some(false);
                };
                star = Some((before, reached + 1));
                (at, place) = (before + 1, reached + 1);
            }
        }
    }
    Some(pattern[at..].iter().all(|c| *c == '*'))
}

#[cfg(test)]
mod tests {
    use super::super::variables::{VariableValue, Variables};
    use super::*;

    #[test]
    fn conditions_are_determined_or_not() {
        let mut variables = Variables::default();
        variables.set("A", VariableValue::Text("12".into()));
        variables.set("E", VariableValue::Text(String::new()));
        let check = |text: &str, want| {
            let words = variables.expand(text, (0, text.len()));
            assert_eq!(evaluate(&words, false), want, "{text}");
        };
        check("\"$A\" = 12", Some(true));
        check("\"$A\" != 12", Some(false));
        check("$A -gt 3", Some(true));
        check("-n \"$A\" -a -z \"$E\"", Some(true));
        check("! -n \"$A\"", Some(false));
        check("\"$X\" = 1", None);
        check("-n \"$X\" -a -n \"$E\"", Some(false));
        check("-f /etc/x", None);
        check("$E = x", None);
    }

    #[test]
    fn patterns_match_as_in_a_shell() {
        for (pattern, text, want) in [
            ("*", "", Some(true)),
            ("eth*", "eth0", Some(true)),
            ("*a*b", "xaxxb", Some(true)),
            ("*a*b", "xaxx", Some(false)),
            ("?", "ab", Some(false)),
            ("[ab]", "a", None),
        ] {
            assert_eq!(matches(pattern, text), want, "{pattern} {text}");
        }
    }
}
