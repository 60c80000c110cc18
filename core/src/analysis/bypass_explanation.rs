//! The explanation why traffic of the proxy's user bypasses the proxy.
//!
//! `$` is replaced by the proxy's user id and `%` by the name of the proxy.

use crate::mesh::Mesh;
use crate::packet::host::Host;

/// The explanation: headings, each a line that ends in a colon, and the lines below each.
pub const BYPASS_EXPLANATION: [&str; 14] = [
    "Why the exemption exists:",
    "% and the app share one network namespace. A rule that sent %'s own connections to % would send them round for ever, so user $ is let out. The kernel sees the user, not the program: everyone who runs as $ is let out with it.",
    "How one ends up in it:",
    "runAsUser: $ in the pod's or the container's securityContext, or an image whose USER is $.",
    "A process that opened its socket as $ and changed its user later: the owner is who opened the socket.",
    "The same with the primary group, where the rules name one. Not by fsGroup: that adds a supplementary group, and the rules ask for the primary one.",
    "Init containers that the mesh itself runs as $, so that they have a network before % does.",
    "What follows:",
    "With strict mTLS its connections are refused: no proxy wraps them.",
    "Without, they arrive, and every outbound policy, route and metric of the mesh is skipped in silence.",
    "Calls to the pod's own address still enter % as server, and the inbound policies of other pods still hold.",
    "What to do:",
    "Give the app another user.",
    "Outbound capture is not a security boundary. To restrict egress, use a NetworkPolicy and an egress gateway.",
];

/// One line of the explanation for a mesh.
pub fn explain_bypass(text: &str, mesh: &Mesh) -> String {
    let uid = mesh
        .uid()
        .or(mesh.gid())
        .map_or_else(|| "the proxy's".into(), |uid| uid.to_string());
    text.replace('$', &uid).replace('%', mesh.proxy())
}

/// The processes that run as the proxy's user or group, each with its name. The proxy is one of
/// them.
pub fn bypassing_processes(host: &Host, mesh: &Mesh) -> Vec<String> {
    let within =
        |ids: &[(u32, u32)], id: u32| ids.iter().any(|(low, high)| (low..=high).contains(&&id));
    let exempt = host
        .processes
        .iter()
        .filter(|one| within(&mesh.uids, one.uid) || within(&mesh.gids, one.gid));
    exempt
        .map(|one| {
            format!(
                "{} (pid {}, uid {}, gid {})",
                one.command, one.pid, one.uid, one.gid
            )
        })
        .collect()
}
