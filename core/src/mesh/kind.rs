//! The meshes: what each calls its proxy, its chains and its options. To support another one, add it here.

use super::shape::{AMBIENT, Row, SIDECAR};

/// What a mesh's own tools call things.
#[derive(Debug, PartialEq, Eq)]
pub struct Kind {
    /// The mesh.
    pub name: &'static str,
    /// Its proxy.
    pub proxy: &'static str,
    /// What answers DNS in it.
    pub(super) resolver: &'static str,
    /// Chains that only it makes; all must be there, in any table.
    pub(super) chains: &'static [&'static str],
    /// Its chains for what arrives, the proxy's inbound port, what leaves, the outbound port, and DNS.
    pub(super) slots: [&'static str; 5],
    /// The proxy's own ports, which its rules let in.
    pub(super) own: &'static [u16],
    /// What stands before the name of each option.
    pub(super) prefix: &'static str,
    /// Its options by name.
    pub(super) options: &'static [(Setting, &'static str)],
    /// The rules that it makes, in their order.
    pub(super) rows: &'static [Row],
}

/// An option that shows in the rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Setting {
    /// Ports whose inbound connections pass the proxy by.
    ExcludeIn,
    /// The only ports whose inbound connections go to the proxy.
    IncludeIn,
    /// Destination ports that pass the proxy by.
    ExcludeOut,
    /// Destination ports that go to the proxy whatever their address.
    IncludeOut,
    /// Destination addresses that pass the proxy by.
    ExcludeRanges,
    /// The only destination addresses that go to the proxy.
    IncludeRanges,
    /// Interfaces that pass the proxy by.
    Interfaces,
    /// Interfaces of virtual machines, whose traffic counts as outbound.
    Virtual,
    /// The only groups that are captured.
    Groups,
    /// Groups that are not captured.
    ExcludeGroups,
    /// Packets that belong to no connection are dropped.
    DropInvalid,
    /// The kubelet's probes come from this address.
    Probes,
}

impl Setting {
    /// What it is, for a mesh that has no name for it.
    pub(super) fn words(self) -> &'static str {
        match self {
            Self::ExcludeIn => "excluded inbound ports",
            Self::IncludeIn => "included inbound ports",
            Self::ExcludeOut => "excluded outbound ports",
            Self::IncludeOut => "included outbound ports",
            Self::ExcludeRanges => "excluded outbound addresses",
            Self::IncludeRanges => "included outbound addresses",
            Self::Interfaces => "excluded interfaces",
            Self::Virtual => "interfaces of virtual machines",
            Self::Groups => "captured groups",
            Self::ExcludeGroups => "excluded groups",
            Self::DropInvalid => "INVALID_DROP",
            Self::Probes => "address of the kubelet's probes",
        }
    }
}

use Setting::{
    ExcludeGroups, ExcludeIn, ExcludeOut, ExcludeRanges, Groups, IncludeIn, IncludeOut, IncludeRanges, Interfaces,
    Virtual,
};

const ISTIO: Kind = Kind {
    name: "Istio sidecar",
    proxy: "Envoy",
    resolver: "Istio's agent",
    chains: &["ISTIO_REDIRECT"],
    slots: ["ISTIO_INBOUND", "ISTIO_IN_REDIRECT", "ISTIO_OUTPUT", "ISTIO_REDIRECT", "ISTIO_OUTPUT_DNS"],
    own: &[15_020, 15_021, 15_090],
    prefix: "traffic.sidecar.istio.io/",
    options: &[
        (ExcludeIn, "excludeInboundPorts"),
        (IncludeIn, "includeInboundPorts"),
        (ExcludeOut, "excludeOutboundPorts"),
        (IncludeOut, "includeOutboundPorts"),
        (ExcludeRanges, "excludeOutboundIPRanges"),
        (IncludeRanges, "includeOutboundIPRanges"),
        (Interfaces, "excludeInterfaces"),
        (Virtual, "kubevirtInterfaces"),
        (Groups, "ISTIO_OUTBOUND_OWNER_GROUPS"),
        (ExcludeGroups, "ISTIO_OUTBOUND_OWNER_GROUPS_EXCLUDE"),
    ],
    rows: SIDECAR,
};

/// All; the first whose chains are there is taken.
pub(super) static KINDS: [Kind; ALL.len()] = ALL;

/// The chains of each alone: what a program needs that links none of the rest.
pub(crate) static CHAINS: [&[&str]; ALL.len()] = {
    let mut chains: [&[&str]; ALL.len()] = [&[]; ALL.len()];
    let mut at = 0;
    while at < ALL.len() {
        chains[at] = ALL[at].chains;
        at += 1;
    }
    chains
};

const ALL: [Kind; 8] = [
    Kind {
        name: "Istio ambient",
        proxy: "ztunnel",
        resolver: "ztunnel",
        chains: &["ISTIO_PRERT", "ISTIO_OUTPUT"],
        slots: ["ISTIO_PRERT", "", "ISTIO_OUTPUT", "", ""],
        own: &[],
        options: &[(Virtual, "istio.io/reroute-virtual-interfaces")],
        prefix: "",
        rows: AMBIENT,
    },
    ISTIO,
    Kind { chains: &["ISTIO_OUTPUT"], ..ISTIO },
    Kind {
        name: "Linkerd",
        proxy: "linkerd-proxy",
        resolver: "linkerd-proxy",
        chains: &["PROXY_INIT_REDIRECT"],
        slots: ["PROXY_INIT_REDIRECT", "", "PROXY_INIT_OUTPUT", "", ""],
        own: &[4190, 4191],
        prefix: "config.linkerd.io/",
        options: &[
            (ExcludeIn, "skip-inbound-ports"),
            (ExcludeOut, "skip-outbound-ports"),
            (ExcludeRanges, "skip-subnets"),
        ],
        rows: SIDECAR,
    },
    Kind {
        name: "Consul",
        resolver: "Consul's dataplane",
        chains: &["CONSUL_PROXY_REDIRECT"],
        slots: [
            "CONSUL_PROXY_INBOUND",
            "CONSUL_PROXY_IN_REDIRECT",
            "CONSUL_PROXY_OUTPUT",
            "CONSUL_PROXY_REDIRECT",
            "CONSUL_DNS_REDIRECT",
        ],
        own: &[],
        prefix: "consul.hashicorp.com/transparent-proxy-",
        options: &[
            (ExcludeIn, "exclude-inbound-ports"),
            (ExcludeOut, "exclude-outbound-ports"),
            (ExcludeRanges, "exclude-outbound-cidrs"),
        ],
        ..ISTIO
    },
    Kind {
        name: "Kuma",
        resolver: "Kuma's resolver",
        chains: &["KUMA_MESH_OUTBOUND"],
        slots: [
            "KUMA_MESH_INBOUND",
            "KUMA_MESH_INBOUND_REDIRECT",
            "KUMA_MESH_OUTBOUND",
            "KUMA_MESH_OUTBOUND_REDIRECT",
            "",
        ],
        own: &[],
        prefix: "traffic.kuma.io/",
        options: &[(ExcludeIn, "exclude-inbound-ports"), (ExcludeOut, "exclude-outbound-ports")],
        ..ISTIO
    },
    Kind {
        name: "Open Service Mesh",
        resolver: "Envoy",
        chains: &["OSM_PROXY_OUTBOUND"],
        slots: ["OSM_PROXY_INBOUND", "OSM_PROXY_IN_REDIRECT", "OSM_PROXY_OUTBOUND", "OSM_PROXY_OUT_REDIRECT", ""],
        own: &[15_010, 15_901, 15_902, 15_903, 15_904],
        prefix: "openservicemesh.io/",
        options: &[
            (ExcludeIn, "inbound-port-exclusion-list"),
            (ExcludeOut, "outbound-port-exclusion-list"),
            (ExcludeRanges, "outbound-ip-range-exclusion-list"),
            (IncludeRanges, "outbound-ip-range-inclusion-list"),
        ],
        ..ISTIO
    },
    Kind {
        name: "AWS App Mesh",
        resolver: "Envoy",
        chains: &["APPMESH_EGRESS"],
        slots: ["APPMESH_INGRESS", "", "APPMESH_EGRESS", "", ""],
        own: &[],
        prefix: "appmesh.k8s.aws/",
        options: &[(IncludeIn, "ports"), (ExcludeOut, "egressIgnoredPorts"), (ExcludeRanges, "egressIgnoredIPs")],
        ..ISTIO
    },
];
