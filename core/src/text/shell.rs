//! Words of a command as a POSIX shell reads them.

/// Joins the words of one command, each quoted where a shell changes it.
pub fn join<T: AsRef<str>>(words: &[T]) -> String {
    words
        .iter()
        .map(|word| quote(word.as_ref()))
        .collect::<Vec<_>>()
        .join(" ")
}

/// Quotes a word so that a shell reads it back unchanged.
pub fn quote(word: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_./:,+@=".contains(c);
    match word {
        // The negation of iptables. A shell does not change it where it is a word of its own.
        "!" => word.into(),
        // zsh replaces `=ls` with the path of `ls`.
        _ if !word.is_empty() && !word.starts_with('=') && word.chars().all(is_plain) => {
            word.into()
        }
        _ => format!("'{}'", word.replace('\'', "'\\''")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shell_reads_the_words_back() {
        let quoted = [
            ("INPUT", "INPUT"),
            ("10.0.0.0/8", "10.0.0.0/8"),
            ("!", "!"),
            ("", "''"),
            ("a -M /tmp/e", "'a -M /tmp/e'"),
            ("it's", "'it'\\''s'"),
            ("=ls", "'=ls'"),
            ("$(id)", "'$(id)'"),
            ("a\\b", "'a\\b'"),
            ("~root", "'~root'"),
            ("*", "'*'"),
        ];
        for (word, want) in quoted {
            assert_eq!(quote(word), want);
        }
        assert_eq!(join(&["iptables", "-i", "a b"]), "iptables -i 'a b'");
    }
}
