//! A data block of the one-file page, written in characters that every editor, mail and server leaves as they are.
//!
//! Thirteen bits become two digits to the base 91: 1.23 characters a byte, where base64 takes 1.33. `static/boot.js` reads it.

/// An element that holds `content`: no script, so the page's policy has no say in it.
pub(crate) fn block(name: &str, content: &[u8]) -> String {
    format!("<script type=\"application/octet-stream\" id=\"chainwalk-{name}\">{}</script>", digits(content))
}

/// Two digits for each thirteen bits, the lower one first. Up to six bits at the end take one.
fn digits(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() * 16 / 13 + 2);
    let (mut held, mut bits) = (0_u32, 0);
    for byte in bytes {
        held |= u32::from(*byte) << bits;
        bits += 8;
        if bits >= 13 {
            let pair = held & 0x1fff;
            text.extend([digit(pair % 91), digit(pair / 91)]);
            held >>= 13;
            bits -= 13;
        }
    }
    match bits {
        0 => {}
        1..=6 => text.push(digit(held)),
        _ => text.extend([digit(held % 91), digit(held / 91)]),
    }
    text
}

/// `!` to `|` without `<`, with which the element's end begins.
fn digit(value: u32) -> char {
    let code = b'!' + value as u8;
    char::from(if code < b'<' { code } else { code + 1 })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As `static/boot.js` reads it.
    fn bytes(text: &str) -> Vec<u8> {
        let value = |digit: &u8| u32::from(digit - 33 - u8::from(*digit > 60));
        let (mut held, mut bits, mut bytes) = (0_u32, 0, Vec::new());
        for pair in text.as_bytes().chunks(2) {
            held |= pair.iter().rev().fold(0, |sum, digit| sum * 91 + value(digit)) << bits;
            bits += if pair.len() == 2 { 13 } else { 6 };
            while bits >= 8 {
                bytes.push(held as u8);
                held >>= 8;
                bits -= 8;
            }
        }
        bytes
    }

    #[test]
    fn bytes_of_every_length_come_back() {
        for length in 0..300_u32 {
            let content: Vec<u8> = (0..length).map(|at| (at * at + length) as u8).collect();
            assert_eq!(bytes(&digits(&content)), content);
        }
        assert_eq!(bytes(&digits(&[255; 40])), [255; 40]);
    }

    #[test]
    fn no_digit_ends_an_element_or_is_blank() {
        let all: String = (0..91).map(digit).collect();
        assert!(all.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'<'), "{all}");
    }
}
