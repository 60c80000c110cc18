//! Patterns of rules: `#` stands for one word and keeps it, `*` for any text, `?` for any character.

/// Longer rules are no mesh's: trying every place for every `*` would take too long.
const LONGEST: usize = 400;

/// The words that each `#` stands for, where the whole text is as the pattern says.
pub(super) fn words<'a>(pattern: &str, text: &'a str) -> Option<Vec<&'a str>> {
    let mut found = Vec::new();
    (text.len() <= LONGEST && fits(pattern, text, &mut found)).then_some(found)
}

fn fits<'a>(pattern: &str, text: &'a str, found: &mut Vec<&'a str>) -> bool {
    let mut rest = pattern.chars();
    let Some(first) = rest.next() else { return text.is_empty() };
    let rest = rest.as_str();
    match first {
        '#' => {
            let end = text.find(' ').unwrap_or(text.len());
            found.push(&text[..end]);
            if end > 0 && fits(rest, &text[end..], found) {
                return true;
            }
            found.pop();
            false
        }
        '*' => text.char_indices().map(|(at, _)| at).chain([text.len()]).any(|at| fits(rest, &text[at..], found)),
        _ => {
            let mut chars = text.chars();
            chars.next().is_some_and(|c| first == '?' || first == c) && fits(rest, chars.as_str(), found)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_kept_and_anything_else_is_passed_over() {
        assert_eq!(words("-d # -j RETURN", "-d 10.0.0.0/8 -j RETURN"), Some(vec!["10.0.0.0/8"]));
        assert_eq!(words("*--?id-owner # *RETURN", "-m owner --gid-owner 7 -j RETURN"), Some(vec!["7"]));
        assert_eq!(words("*-j a", "-p tcp -j ab"), None);
        assert_eq!(words("-d # -j a", "-d  -j a"), None);
        assert_eq!(words("*", "é"), Some(vec![]));
    }
}
