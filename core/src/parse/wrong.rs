//! Texts that hold no rules of iptables, or others beside them: what they are, and which command to run instead.

use super::blocks::{Block, Lines};
use super::sections::Section;
use crate::diagnostic::{Problem, Span};

/// Meshes that write native nftables, by a word of their tables' names: Istio from 1.27 on, newer Consul.
const MESHES: [(&str, &str); 2] = [("istio-proxy-", "Istio"), ("consul_tproxy", "Consul")];

/// What to say of a text without rules: line, place, and what it is.
pub(super) fn problem(text: &str) -> Option<(u32, Span, Problem)> {
    native(text).map(|problem| (1, Span::default(), problem))
}

/// What to say of what stands beside the rules of a text.
pub(super) fn beside(
    text: &str,
    blocks: &[Block],
    sections: &[Section],
    lines: &Lines,
) -> Option<(u32, Span, Problem)> {
    if blocks.is_empty() {
        return None;
    }
    let _ = (sections, lines);
    let mut start = 0;
    for (number, line) in (1..).zip(text.split_inclusive('\n')) {
        if is_table(line) {
            let span = Span::new(start, start + line.trim_end().len());
            return Some((number, span, native(&text[start..])?));
        }
        start += line.len();
    }
    None
}

fn is_table(line: &str) -> bool {
    let mut words = line.split_whitespace();
    words.next() == Some("table") && matches!(words.next(), Some("ip" | "ip6" | "inet" | "arp" | "bridge" | "netdev"))
}

/// What to say of a text of native nftables; `None` for any other text.
fn native(text: &str) -> Option<Problem> {
    let is_json = text.trim_start().starts_with('{') && text.contains("\"nftables\"");
    if !is_json && !text.lines().any(is_table) {
        return None;
    }
    let mesh = MESHES.iter().find(|(word, _)| text.contains(word)).map(|(_, mesh)| *mesh);
    let whose = mesh.map(|mesh| format!(", {mesh}'s")).unwrap_or_default();
    let problem = Problem::new(format!("these are rules of native nftables{whose}, which are not walked yet"));
    Some(problem.hint("rules of iptables are printed by `iptables-save -c`; `iptables-nft-save -c` if nft holds them"))
}
