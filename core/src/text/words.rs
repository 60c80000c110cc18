//! The words of a dump's line, for those who look at a dump without reading it: no table, no extension.

/// Words as iptables-save writes them: in quotes where they hold spaces, a quote within one after a backslash.
pub(crate) struct Words<'a>(pub(crate) &'a str);

impl<'a> Iterator for Words<'a> {
    type Item = &'a str;

    fn next(&mut self) -> Option<&'a str> {
        let text = self.0.trim_start_matches([' ', '\t', '\r']);
        let (mut quoted, mut escaped) = (false, false);
        let end = text
            .char_indices()
            .find(|&(_, c)| {
                let ends = !quoted && matches!(c, ' ' | '\t' | '\r');
                match c {
                    _ if escaped => escaped = false,
                    '\\' => escaped = true,
                    '"' => quoted = !quoted,
                    _ => {}
                }
                ends
            })
            .map_or(text.len(), |(end, _)| end);
        let (word, rest) = text.split_at(end);
        self.0 = rest;
        (!word.is_empty()).then_some(word)
    }
}
