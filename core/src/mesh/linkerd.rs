//! Linkerd. The rules exempt the proxy by its user.

use super::chain_role::ChainNames;
use super::chain_role::ChainRole::{Inbound, Outbound};
use super::definition::{MeshDefinition, Mode};
use super::mesh_option::MeshOption::{ExcludeInboundPorts, ExcludeOutboundPorts, ExcludeRanges};
use super::sidecar_rules::SIDECAR_RULES;
use super::version::Versions;

pub(super) static DEFINITION: MeshDefinition = MeshDefinition {
    name: "Linkerd",
    proxy: "linkerd-proxy",
    resolver: None,
    mode: Mode::Redirect,
    recognized_by: &[&["PROXY_INIT_REDIRECT"]],
    chains: ChainNames(&[
        (Inbound, "PROXY_INIT_REDIRECT"),
        (Outbound, "PROXY_INIT_OUTPUT"),
    ]),
    own_ports: &[4190, 4191],
    options: &[
        (ExcludeInboundPorts, "config.linkerd.io/skip-inbound-ports"),
        (
            ExcludeOutboundPorts,
            "config.linkerd.io/skip-outbound-ports",
        ),
        (ExcludeRanges, "config.linkerd.io/skip-subnets"),
    ],
    versions: Versions::Unknown,
    rules: SIDECAR_RULES,
};
