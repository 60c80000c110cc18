//! The form of an assignment: `NAME=value`, `NAME+=value`, `NAME[1]=value`.

/// The name and operator of a word that assigns a variable.
pub(super) fn assignment(word: &str) -> Option<(&str, &str)> {
    let at = word.find('=')?;
    let (name, operator) = match word[..at].strip_suffix('+') {
        Some(name) => (name, "+="),
        None => (&word[..at], "="),
    };
    let base = name.split('[').next().unwrap_or_default();
    (is_name(base) && (base.len() == name.len() || name.ends_with(']'))).then_some((name, operator))
}

/// Whether a text can be the name of a variable.
pub(super) fn is_name(name: &str) -> bool {
    !name.is_empty()
        && name
            .bytes()
            .all(|byte: u8| byte.is_ascii_alphanumeric() || byte == b'_')
        && !name.as_bytes()[0].is_ascii_digit()
}
