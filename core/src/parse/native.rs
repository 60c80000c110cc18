//! Rules of nftables itself, as `nft list ruleset` prints them: recognised, and said not to be read yet.

use crate::diagnostic::Problem;

/// Meshes that write such rules, by a word of their tables' names: Istio from 1.27 on, newer Consul.
const MESHES: [(&str, &str); 2] = [("istio-proxy-", "Istio"), ("consul_tproxy", "Consul")];

/// What to say of a text of native nftables; `None` for any other text.
pub(super) fn problem(text: &str) -> Option<Problem> {
    let is_table = |line: &str| {
        let mut words = line.split_whitespace();
        words.next() == Some("table")
            && matches!(words.next(), Some("ip" | "ip6" | "inet" | "arp" | "bridge" | "netdev"))
    };
    let is_json = text.trim_start().starts_with('{') && text.contains("\"nftables\"");
    if !is_json && !text.lines().any(is_table) {
        return None;
    }
    let mesh = MESHES.iter().find(|(word, _)| text.contains(word)).map(|(_, mesh)| *mesh);
    let whose = mesh.map(|mesh| format!(", {mesh}'s")).unwrap_or_default();
    let problem = Problem::new(format!("these are rules of native nftables{whose}, which are not walked yet"));
    Some(problem.hint("rules of iptables are printed by `iptables-save -c`; `iptables-nft-save -c` if nft holds them"))
}
