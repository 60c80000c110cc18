//! AWS App Mesh. The rules exempt Envoy by its user or group.

use super::chain_role::ChainNames;
use super::chain_role::ChainRole::{Inbound, Outbound};
use super::definition::{MeshDefinition, Mode};
use super::mesh_option::MeshOption::{ExcludeOutboundPorts, ExcludeRanges, IncludeInboundPorts};
use super::sidecar_rules::SIDECAR_RULES;
use super::version::Versions;

pub(super) static DEFINITION: MeshDefinition = MeshDefinition {
    name: "AWS App Mesh",
    proxy: "Envoy",
    resolver: None,
    mode: Mode::Redirect,
    recognized_by: &[&["APPMESH_EGRESS"]],
    chains: ChainNames(&[(Inbound, "APPMESH_INGRESS"), (Outbound, "APPMESH_EGRESS")]),
    own_ports: &[],
    options: &[
        (IncludeInboundPorts, "appmesh.k8s.aws/ports"),
        (ExcludeOutboundPorts, "appmesh.k8s.aws/egressIgnoredPorts"),
        (ExcludeRanges, "appmesh.k8s.aws/egressIgnoredIPs"),
    ],
    versions: Versions::Unknown,
    rules: SIDECAR_RULES,
};
