//! AWS App Mesh: Envoy is known by its user or group.

use super::Mode;
use super::kind::ChainRole::{Inbound, Outbound};
use super::kind::MeshDefinition;
use super::kind::MeshOption::{ExcludeOutboundPorts, ExcludeRanges, IncludeInboundPorts};
use super::sidecar_rules::SIDECAR_RULES;
use super::version::Versions;

pub(super) static DEFINITION: MeshDefinition = MeshDefinition {
    name: "AWS App Mesh",
    proxy: "Envoy",
    resolver: None,
    mode: Mode::Redirect,
    recognized_by: &[&["APPMESH_EGRESS"]],
    chains: &[(Inbound, "APPMESH_INGRESS"), (Outbound, "APPMESH_EGRESS")],
    own_ports: &[],
    options: &[
        (IncludeInboundPorts, "appmesh.k8s.aws/ports"),
        (ExcludeOutboundPorts, "appmesh.k8s.aws/egressIgnoredPorts"),
        (ExcludeRanges, "appmesh.k8s.aws/egressIgnoredIPs"),
    ],
    versions: Versions::Unknown,
    rules: SIDECAR_RULES,
};
