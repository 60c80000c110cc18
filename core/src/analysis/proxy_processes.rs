//! Which processes of a capture the rules take for the mesh's proxy.

use crate::input::capture::Capture;
use crate::mesh::{self, Mesh};
use crate::packet::host::Process;
use crate::text::words::Words;

/// The proxies of meshes, as `/proc/PID/comm` names them, which is at most 15 bytes long.
pub const PROXIES: [&str; 7] =
    ["envoy", "pilot-agent", "ztunnel", "linkerd2-proxy", "linkerd-proxy", "consul-dataplan", "kuma-dp"];

/// Says of every process whether its uid or primary gid is one that the rules let out as the proxy's. Where no rules of a
/// mesh name one, nothing is said.
///
/// The ids are read from the rules: none is known in advance.
pub fn mark_proxies(capture: &mut Capture) {
    let exempt: Vec<Exempt> = capture.rulesets.iter().map(|rules| Exempt::of(&rules.text)).collect();
    if exempt.iter().all(|one| one.uids.is_empty() && one.gids.is_empty()) {
        return;
    }
    for process in &mut capture.host.processes {
        process.proxy = Some(exempt.iter().any(|one| one.has(process)));
    }
}

/// The ids that the rules of a mesh let out, as ranges: what [`mesh::recognise`] finds, from what `iptables-save` prints
/// and without reading it as rules. So the helper that marks processes need not hold the reader with all its extensions.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Exempt {
    /// Of users.
    pub uids: Vec<(u32, u32)>,
    /// Of groups.
    pub gids: Vec<(u32, u32)>,
}

impl Exempt {
    /// Those in a dump; none where no mesh made it.
    pub fn of(dump: &str) -> Self {
        let declares = |name: &&str| dump.lines().any(|line| line.strip_prefix(':').and_then(first) == Some(name));
        if !mesh::CHAINS.iter().any(|chains| chains.iter().all(declares)) {
            return Self::default();
        }
        let (mut exempt, mut groups, mut sets) = (Self::default(), Vec::new(), Vec::new());
        for line in dump.lines().filter(|line| line.contains("-owner ") && line.ends_with(" -j RETURN")) {
            let words: Vec<&str> = Words(line).skip_while(|word| *word != "-A").collect();
            for (at, pair) in words.windows(2).enumerate() {
                let Some(ids) = range(pair[1]) else { continue };
                let negated = at > 0 && words[at - 1] == "!";
                match (pair[0], negated) {
                    ("--uid-owner", false) => exempt.uids.push(ids),
                    // `-A CHAIN -m owner --gid-owner ID -j RETURN`: nothing else is asked.
                    ("--gid-owner", false) if words.len() == 8 => groups.push(ids),
                    ("--gid-owner", false) => exempt.gids.push(ids),
                    ("--uid-owner" | "--gid-owner", true) if words.contains(&"lo") => sets.push(ids),
                    _ => {}
                }
            }
        }
        // Where the proxy's ids stand in sets of three rules, a group that stands alone is one that is not captured.
        groups.retain(|ids| sets.is_empty() || sets.contains(ids));
        exempt.gids.append(&mut groups);
        exempt
    }

    /// Whether a process is let out.
    fn has(&self, process: &Process) -> bool {
        is_among(&self.uids, &self.gids, process)
    }
}

fn first(text: &str) -> Option<&str> {
    text.split(' ').next()
}

/// `1337` or `1337-1338`.
fn range(text: &str) -> Option<(u32, u32)> {
    let (low, high) = text.split_once('-').unwrap_or((text, text));
    Some((low.parse().ok()?, high.parse().ok()?))
}

/// Whether the rules let a process out as they do the proxy. `--gid-owner` looks at the primary group alone
/// (`net/netfilter/xt_owner.c`).
pub fn is_proxy(mesh: &Mesh, process: &Process) -> bool {
    is_among(&mesh.uids, &mesh.gids, process)
}

fn is_among(uids: &[(u32, u32)], gids: &[(u32, u32)], process: &Process) -> bool {
    let holds = |ranges: &[(u32, u32)], id: u32| ranges.iter().any(|&(low, high)| (low..=high).contains(&id));
    holds(uids, process.uid) || holds(gids, process.gid)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn capture(rules: &str) -> Capture {
        let process = |uid: u32, gid: u32| serde_json::json!({"pid": 1, "command": "x", "uid": uid, "gid": gid});
        serde_json::from_value(serde_json::json!({
            "schema_version": 1, "tool": "x", "captured_at": "x", "target": {},
            "rulesets": [{"family": "ipv4", "backend": "nft", "command": [], "exit_code": 0, "text": rules}],
            "host": {"processes": [process(2102, 1), process(1, 2102), process(1337, 1337)]},
        }))
        .expect("a capture")
    }

    fn marks(rules: &str) -> Vec<Option<bool>> {
        let mut capture = capture(rules);
        mark_proxies(&mut capture);
        capture.host.processes.iter().map(|process| process.proxy).collect()
    }

    #[test]
    fn the_identity_is_the_rules_own() {
        let linkerd = "*nat\n:OUTPUT ACCEPT [0:0]\n:PROXY_INIT_REDIRECT - [0:0]\n:PROXY_INIT_OUTPUT - [0:0]\n\
                       -A OUTPUT -j PROXY_INIT_OUTPUT\n-A PROXY_INIT_OUTPUT -m owner --uid-owner 2102 -j RETURN\nCOMMIT\n";
        assert_eq!(marks(linkerd), [Some(true), Some(false), Some(false)]);
    }

    #[test]
    fn a_comment_names_nobody() {
        let istio = "*nat\n:ISTIO_REDIRECT - [0:0]\n:ISTIO_OUTPUT - [0:0]\n\
                     [0:0] -A ISTIO_OUTPUT -m comment --comment \"not --uid-owner 2102 -j RETURN\" -j RETURN\n\
                     [0:0] -A ISTIO_OUTPUT -m owner ! --uid-owner 2102 -j RETURN\n\
                     [0:0] -A ISTIO_OUTPUT -m owner --gid-owner 1330-1340 -j RETURN\nCOMMIT\n";
        assert_eq!(marks(istio), [Some(false), Some(false), Some(true)]);
    }

    #[test]
    fn without_a_mesh_nothing_is_said() {
        assert_eq!(
            marks("*nat\n:OUTPUT ACCEPT [0:0]\n-A OUTPUT -m owner --uid-owner 1337 -j RETURN\nCOMMIT\n"),
            [None; 3]
        );
    }
}
