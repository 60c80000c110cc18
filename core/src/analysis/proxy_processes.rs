//! Finds the processes of a capture that the rules treat as the mesh's proxy.

use crate::input::capture::{Capture, CapturedRules};
use crate::input::parse;
use crate::mesh::{self, Mesh};
use crate::packet::host::Process;

/// The proxies of meshes by their names in `/proc/PID/comm`, which have at most 15 bytes.
pub const PROXIES: [&str; 7] = [
    "envoy",
    "pilot-agent",
    "ztunnel",
    "linkerd2-proxy",
    "linkerd-proxy",
    "consul-dataplan",
    "kuma-dp",
];

/// The length limit in bytes of a dump in which [`mark_proxies`] looks for a mesh. A pod's dump has
/// a few kilobytes. The rules of a hostile dump of this length take at most 70 MB of the helper's
/// memory (measured).
const MAX_DUMP: usize = 256 << 10;

/// Records for every process whether the rules exempt its uid or primary gid as the proxy's. If no
/// rules of a mesh name such an id, nothing is recorded.
///
/// The ids come from the rules. No id is built in.
pub fn mark_proxies(capture: &mut Capture) {
    let meshes: Vec<Mesh> = capture
        .rulesets
        .iter()
        .flat_map(recognized_meshes)
        .collect();
    if meshes
        .iter()
        .all(|mesh| mesh.uids.is_empty() && mesh.gids.is_empty())
    {
        return;
    }
    for process in &mut capture.host.processes {
        process.proxy = Some(meshes.iter().any(|mesh| is_proxy(mesh, process)));
    }
}

/// The meshes that made the rules of a dump.
fn recognized_meshes(rules: &CapturedRules) -> Vec<Mesh> {
    if rules.text.len() > MAX_DUMP {
        return Vec::new();
    }
    let parsed = parse::printed_by(rules.family, rules.backend, rules.text.clone());
    parsed.rulesets.iter().filter_map(mesh::recognise).collect()
}

/// Whether the rules exempt a process as they exempt the proxy. `--gid-owner` compares only the
/// primary group (`net/netfilter/xt_owner.c`).
pub fn is_proxy(mesh: &Mesh, process: &Process) -> bool {
    let holds = |ranges: &[(u32, u32)], id: u32| {
        ranges.iter().any(|&(low, high)| (low..=high).contains(&id))
    };
    holds(&mesh.uids, process.uid) || holds(&mesh.gids, process.gid)
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
        capture
            .host
            .processes
            .iter()
            .map(|process| process.proxy)
            .collect()
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
            marks(
                "*nat\n:OUTPUT ACCEPT [0:0]\n-A OUTPUT -m owner --uid-owner 1337 -j RETURN\nCOMMIT\n"
            ),
            [None; 3]
        );
    }

    #[test]
    fn a_dump_of_unusual_length_is_not_read() {
        let rules = |count: usize| {
            "*nat\n:PROXY_INIT_REDIRECT - [0:0]\n:PROXY_INIT_OUTPUT - [0:0]\n".to_owned()
                + &"-A PROXY_INIT_OUTPUT -m owner --uid-owner 2102 -j RETURN\n".repeat(count)
                + "COMMIT\n"
        };
        assert_eq!(marks(&rules(1000)), [Some(true), Some(false), Some(false)]);
        assert_eq!(marks(&rules(MAX_DUMP / 50)), [None; 3]);
    }
}
