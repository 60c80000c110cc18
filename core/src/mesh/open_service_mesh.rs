//! Open Service Mesh. The rules exempt Envoy by its user.

use super::chain_role::ChainNames;
use super::chain_role::ChainRole::{Inbound, InboundRedirect, Outbound, OutboundRedirect};
use super::definition::{MeshDefinition, Mode};
use super::mesh_option::MeshOption::{
    ExcludeInboundPorts, ExcludeOutboundPorts, ExcludeRanges, IncludeRanges,
};
use super::sidecar_rules::SIDECAR_RULES;
use super::version::Versions;

pub(super) static DEFINITION: MeshDefinition = MeshDefinition {
    name: "Open Service Mesh",
    proxy: "Envoy",
    resolver: None,
    mode: Mode::Redirect,
    recognized_by: &[&["OSM_PROXY_OUTBOUND"]],
    chains: ChainNames(&[
        (Inbound, "OSM_PROXY_INBOUND"),
        (InboundRedirect, "OSM_PROXY_IN_REDIRECT"),
        (Outbound, "OSM_PROXY_OUTBOUND"),
        (OutboundRedirect, "OSM_PROXY_OUT_REDIRECT"),
    ]),
    own_ports: &[15_010, 15_901, 15_902, 15_903, 15_904],
    options: &[
        (
            ExcludeInboundPorts,
            "openservicemesh.io/inbound-port-exclusion-list",
        ),
        (
            ExcludeOutboundPorts,
            "openservicemesh.io/outbound-port-exclusion-list",
        ),
        (
            ExcludeRanges,
            "openservicemesh.io/outbound-ip-range-exclusion-list",
        ),
        (
            IncludeRanges,
            "openservicemesh.io/outbound-ip-range-inclusion-list",
        ),
    ],
    versions: Versions::Unknown,
    rules: SIDECAR_RULES,
};
