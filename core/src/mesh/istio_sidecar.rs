//! Istio with a sidecar: Envoy runs in the pod. The rules exempt it by its user and group.

use super::chain_role::ChainNames;
use super::chain_role::ChainRole::{
    Divert, Dns, Drop, Inbound, InboundRedirect, Outbound, OutboundRedirect, Tproxy,
};
use super::definition::{MeshDefinition, Mode};
use super::mesh_option::MeshOption::{
    ExcludeGroups, ExcludeInboundPorts, ExcludeInterfaces, ExcludeOutboundPorts, ExcludeRanges,
    IncludeInboundPorts, IncludeOutboundPorts, IncludeRanges, OnlyGroups, VirtualInterfaces,
};
use super::rule_pattern::EffectPattern::{self, Jump, RedirectTo, Return, SetZone};
use super::rule_pattern::ValuePattern::{Any, Port, ProxySource};
use super::rule_pattern::{
    ANY, DESTINATION, DESTINATION_PORT, DESTINATION_PORTS, GROUP, IN_INTERFACE, OUT_LOOPBACK,
    OWNER, RulePattern, SOURCE, TCP, USER, among, compares, exactly, is, not, pattern, with_header,
};
use super::sidecar_rules::{SIDECAR_RULES, TUNNEL_PORT};
use super::version::{Marker, Markers, Versions};

pub(super) static DEFINITION: MeshDefinition = MeshDefinition {
    name: "Istio sidecar",
    proxy: "Envoy",
    resolver: Some("Istio's agent"),
    mode: Mode::Redirect,
    recognized_by: &[&["ISTIO_REDIRECT"], &["ISTIO_OUTPUT"]],
    chains: ChainNames(&[
        (Inbound, "ISTIO_INBOUND"),
        (InboundRedirect, "ISTIO_IN_REDIRECT"),
        (Outbound, "ISTIO_OUTPUT"),
        (OutboundRedirect, "ISTIO_REDIRECT"),
        (Dns, "ISTIO_OUTPUT_DNS"),
        (Drop, "ISTIO_DROP"),
        (Divert, "ISTIO_DIVERT"),
        (Tproxy, "ISTIO_TPROXY"),
    ]),
    own_ports: &[15_020, 15_021, 15_090],
    options: &[
        (
            ExcludeInboundPorts,
            "traffic.sidecar.istio.io/excludeInboundPorts",
        ),
        (
            IncludeInboundPorts,
            "traffic.sidecar.istio.io/includeInboundPorts",
        ),
        (
            ExcludeOutboundPorts,
            "traffic.sidecar.istio.io/excludeOutboundPorts",
        ),
        (
            IncludeOutboundPorts,
            "traffic.sidecar.istio.io/includeOutboundPorts",
        ),
        (
            ExcludeRanges,
            "traffic.sidecar.istio.io/excludeOutboundIPRanges",
        ),
        (
            IncludeRanges,
            "traffic.sidecar.istio.io/includeOutboundIPRanges",
        ),
        (
            ExcludeInterfaces,
            "traffic.sidecar.istio.io/excludeInterfaces",
        ),
        (
            VirtualInterfaces,
            "traffic.sidecar.istio.io/kubevirtInterfaces",
        ),
        // Environment variables of istio-init.
        (OnlyGroups, "ISTIO_OUTBOUND_OWNER_GROUPS"),
        (ExcludeGroups, "ISTIO_OUTBOUND_OWNER_GROUPS_EXCLUDE"),
    ],
    versions: Versions::Marked(&MARKERS),
    rules: SIDECAR_RULES,
};

const NAMES_A_USER: RulePattern = pattern(among(&[compares(USER, Any)]), EffectPattern::Any);
const CAPTURES_DNS: RulePattern = pattern(ANY, RedirectTo(15_053));

const fn spares_port(port: &'static [super::rule_pattern::ConditionPattern; 1]) -> RulePattern {
    pattern(with_header(port), Return)
}

/// The rules that a minor version of Istio 1 was the first or the last to make.
static MARKERS: Markers = Markers {
    first: &[
        Marker {
            rule: pattern(exactly(&[is(SOURCE, ProxySource), OUT_LOOPBACK]), Return),
            minor: 3,
            unless: Some(NAMES_A_USER),
        },
        Marker {
            rule: pattern(
                among(&[not(DESTINATION, Any), OUT_LOOPBACK, compares(OWNER, Any)]),
                Jump(InboundRedirect),
            ),
            minor: 5,
            unless: Some(NAMES_A_USER),
        },
        Marker {
            rule: spares_port(&[is(DESTINATION_PORT, Port(15_021))]),
            minor: 6,
            unless: Some(spares_port(&[is(DESTINATION_PORT, Port(15_090))])),
        },
        Marker {
            rule: spares_port(&[is(DESTINATION_PORT, Port(TUNNEL_PORT))]),
            minor: 7,
            unless: Some(NAMES_A_USER),
        },
        Marker {
            rule: pattern(ANY, SetZone),
            minor: 11,
            unless: Some(CAPTURES_DNS),
        },
        Marker {
            rule: pattern(among(&[is(IN_INTERFACE, Any)]), Return),
            minor: 12,
            unless: None,
        },
        Marker {
            rule: pattern(
                among(&[not(GROUP, Any), not(GROUP, Any)]),
                EffectPattern::Any,
            ),
            minor: 14,
            unless: None,
        },
        Marker {
            rule: pattern(
                among(&[not(
                    DESTINATION_PORT.or(DESTINATION_PORTS),
                    Port(TUNNEL_PORT),
                )]),
                Jump(InboundRedirect),
            ),
            minor: 18,
            unless: Some(pattern(
                among(&[OUT_LOOPBACK, is(USER, Any)]),
                Jump(InboundRedirect),
            )),
        },
        Marker {
            rule: pattern(ANY, Jump(Drop)),
            minor: 24,
            unless: None,
        },
        Marker {
            rule: pattern(exactly(&[]), Jump(Outbound)),
            minor: 25,
            unless: Some(pattern(exactly(&[TCP]), Jump(Outbound))),
        },
        Marker {
            rule: pattern(ANY, Jump(Dns)),
            minor: 25,
            unless: Some(CAPTURES_DNS),
        },
    ],
    last: &[
        Marker {
            rule: pattern(with_header(&[OUT_LOOPBACK]), Jump(OutboundRedirect)),
            minor: 4,
            unless: None,
        },
        Marker {
            rule: pattern(exactly(&[]), Return),
            minor: 22,
            unless: Some(pattern(
                among(&[is(DESTINATION, Any)]).except(SOURCE),
                Jump(OutboundRedirect),
            )),
        },
        Marker {
            rule: spares_port(&[is(DESTINATION_PORT, Port(22))]),
            minor: 12,
            unless: Some(spares_port(&[is(DESTINATION_PORT, Port(15_020))])),
        },
    ],
    comment_prefix: "istio/",
    last_shared_port: 2,
    last_ssh: 12,
};
