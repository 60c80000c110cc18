//! Consul with transparent proxies. The rules exempt Envoy by its user.

use super::chain_role::ChainNames;
use super::chain_role::ChainRole::{Dns, Inbound, InboundRedirect, Outbound, OutboundRedirect};
use super::definition::{MeshDefinition, Mode};
use super::mesh_option::MeshOption::{ExcludeInboundPorts, ExcludeOutboundPorts, ExcludeRanges};
use super::sidecar_rules::SIDECAR_RULES;
use super::version::Versions;

pub(super) static DEFINITION: MeshDefinition = MeshDefinition {
    name: "Consul",
    proxy: "Envoy",
    resolver: Some("Consul's dataplane"),
    mode: Mode::Redirect,
    recognized_by: &[&["CONSUL_PROXY_REDIRECT"]],
    chains: ChainNames(&[
        (Inbound, "CONSUL_PROXY_INBOUND"),
        (InboundRedirect, "CONSUL_PROXY_IN_REDIRECT"),
        (Outbound, "CONSUL_PROXY_OUTPUT"),
        (OutboundRedirect, "CONSUL_PROXY_REDIRECT"),
        (Dns, "CONSUL_DNS_REDIRECT"),
    ]),
    own_ports: &[],
    options: &[
        (
            ExcludeInboundPorts,
            "consul.hashicorp.com/transparent-proxy-exclude-inbound-ports",
        ),
        (
            ExcludeOutboundPorts,
            "consul.hashicorp.com/transparent-proxy-exclude-outbound-ports",
        ),
        (
            ExcludeRanges,
            "consul.hashicorp.com/transparent-proxy-exclude-outbound-cidrs",
        ),
    ],
    versions: Versions::Unknown,
    rules: SIDECAR_RULES,
};
