//! Prints values as `iptables-save` does.

use crate::packet::TcpFlags;

/// The length of a mask of `bits` bits without holes.
pub(super) fn prefix_length(mask: u128, bits: u32) -> Option<u32> {
    let aligned = mask << (128 - bits);
    let length = aligned.leading_ones();
    (aligned.checked_shl(length).unwrap_or(0) == 0).then_some(length)
}

pub(super) fn tcp_flag_names(bits: u32) -> String {
    TcpFlags(u8::try_from(bits & 0x3f).expect("six bits fit")).to_string()
}

/// Quotes a text if iptables would (`xtables_save_string`). A text stays bare if it is not empty
/// and consists of ASCII letters, digits, `_` and `-`.
pub fn quote(text: &str, out: &mut String) {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
    match !text.is_empty() && text.bytes().all(is_plain) {
        true => out.push_str(text),
        false => quote_always(text, out),
    }
}

/// Prints a word that iptables prints without quotes. It is quoted if a restore would split or
/// change it.
pub fn quote_if_needed(text: &str, out: &mut String) {
    match needs_quotes(text) {
        true => quote_always(text, out),
        false => out.push_str(text),
    }
}

/// Whether a restore would change a word without quotes. `iptables-restore` splits at blanks and at
/// quotes (`add_param_to_argv` in xshared.c), and a single `!` negates.
pub fn needs_quotes(text: &str) -> bool {
    text.is_empty()
        || text == "!"
        || text.contains(|c: char| {
            c.is_whitespace() || c.is_control() || matches!(c, '"' | '\'' | '\\')
        })
}

/// Prints a word in quotes, with a backslash before each special character.
pub fn quote_always(text: &str, out: &mut String) {
    out.push('"');
    for c in text.chars() {
        if matches!(c, '"' | '\\' | '\'') {
            out.push('\\');
        }
        out.push(c);
    }
    out.push('"');
}
