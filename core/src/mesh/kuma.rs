//! Kuma. The rules exempt Envoy by its user.

use super::chain_role::ChainNames;
use super::chain_role::ChainRole::{Inbound, InboundRedirect, Outbound, OutboundRedirect};
use super::definition::{MeshDefinition, Mode};
use super::mesh_option::MeshOption::{ExcludeInboundPorts, ExcludeOutboundPorts};
use super::sidecar_rules::SIDECAR_RULES;
use super::version::Versions;

pub(super) static DEFINITION: MeshDefinition = MeshDefinition {
    name: "Kuma",
    proxy: "Envoy",
    resolver: Some("Kuma's resolver"),
    mode: Mode::Redirect,
    recognized_by: &[&["KUMA_MESH_OUTBOUND"]],
    chains: ChainNames(&[
        (Inbound, "KUMA_MESH_INBOUND"),
        (InboundRedirect, "KUMA_MESH_INBOUND_REDIRECT"),
        (Outbound, "KUMA_MESH_OUTBOUND"),
        (OutboundRedirect, "KUMA_MESH_OUTBOUND_REDIRECT"),
    ]),
    own_ports: &[],
    options: &[
        (ExcludeInboundPorts, "traffic.kuma.io/exclude-inbound-ports"),
        (
            ExcludeOutboundPorts,
            "traffic.kuma.io/exclude-outbound-ports",
        ),
    ],
    versions: Versions::Unknown,
    rules: SIDECAR_RULES,
};
