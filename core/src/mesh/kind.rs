//! The meshes. To support another one, add a file with its [`MeshDefinition`] and name it in [`MeshKind`].

use super::rule_pattern::MeshRule;
use super::version::Versions;
use super::{Mode, app_mesh, consul, istio_ambient, istio_sidecar, kuma, linkerd, open_service_mesh};

/// A mesh that is recognized.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MeshKind {
    /// Istio with ztunnel on the node.
    IstioAmbient,
    /// Istio with Envoy in the pod.
    IstioSidecar,
    /// Linkerd.
    Linkerd,
    /// Consul.
    Consul,
    /// Kuma.
    Kuma,
    /// Open Service Mesh.
    OpenServiceMesh,
    /// AWS App Mesh.
    AppMesh,
}

impl MeshKind {
    /// All, in the order in which they are tried: ambient has one of the sidecar's chains.
    pub const ALL: [Self; 7] = [
        Self::IstioAmbient,
        Self::IstioSidecar,
        Self::Linkerd,
        Self::Consul,
        Self::Kuma,
        Self::OpenServiceMesh,
        Self::AppMesh,
    ];

    pub(super) fn definition(self) -> &'static MeshDefinition {
        match self {
            Self::IstioAmbient => &istio_ambient::DEFINITION,
            Self::IstioSidecar => &istio_sidecar::DEFINITION,
            Self::Linkerd => &linkerd::DEFINITION,
            Self::Consul => &consul::DEFINITION,
            Self::Kuma => &kuma::DEFINITION,
            Self::OpenServiceMesh => &open_service_mesh::DEFINITION,
            Self::AppMesh => &app_mesh::DEFINITION,
        }
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        self.definition().name
    }

    /// The name of its proxy.
    pub fn proxy(self) -> &'static str {
        self.definition().proxy
    }
}

/// The names that a mesh uses, and the rules that it makes.
#[derive(Debug)]
pub(super) struct MeshDefinition {
    /// The mesh.
    pub(super) name: &'static str,
    /// Its proxy.
    pub(super) proxy: &'static str,
    /// The program that answers DNS, where it is not the proxy.
    pub(super) resolver: Option<&'static str>,
    /// How it captures traffic, unless its rules use TPROXY.
    pub(super) mode: Mode,
    /// Sets of chains that only this mesh makes. One set must be there as a whole, in any tables.
    pub(super) recognized_by: &'static [&'static [&'static str]],
    /// The names of its chains.
    pub(super) chains: &'static [(ChainRole, &'static str)],
    /// The proxy's own ports, which are reached without capture.
    pub(super) own_ports: &'static [u16],
    /// The names of its options.
    pub(super) options: &'static [(MeshOption, &'static str)],
    /// How the rules show the version that made them.
    pub(super) versions: Versions,
    /// The rules that it makes. In each chain, the first one that fits a rule counts.
    pub(super) rules: &'static [MeshRule],
}

impl MeshDefinition {
    /// The name of a chain; `None` where the mesh has no such chain.
    pub(super) fn chain(&self, role: ChainRole) -> Option<&'static str> {
        let own = || self.chains.iter().find(|(own, _)| *own == role).map(|(_, name)| *name);
        role.built_in().or_else(own)
    }

    /// The function of a chain in the mesh; `None` where the mesh makes no rules in it.
    pub(super) fn role(&self, chain: &str) -> Option<ChainRole> {
        let built_in = BUILT_IN.iter().find(|(_, name)| *name == chain);
        let (role, _) = built_in.or_else(|| self.chains.iter().find(|(_, name)| *name == chain))?;
        self.rules.iter().any(|rule| rule.chain == *role).then_some(*role)
    }

    /// Whether it has a name for an option.
    pub(super) fn has_option(&self, option: MeshOption) -> bool {
        self.options.iter().any(|(own, _)| *own == option)
    }
}

/// The function of a chain in a mesh.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ChainRole {
    Prerouting,
    Input,
    Forward,
    Output,
    /// Decides about connections that arrive.
    Inbound,
    /// Redirects to the proxy's inbound port.
    InboundRedirect,
    /// Decides about connections that leave.
    Outbound,
    /// Redirects to the proxy's outbound port.
    OutboundRedirect,
    /// Looks at DNS queries.
    Dns,
    /// Drops.
    Drop,
    /// Marks what a socket of the proxy already has.
    Divert,
    /// Hands connections to the proxy without a change of addresses.
    Tproxy,
}

const BUILT_IN: [(ChainRole, &str); 4] = [
    (ChainRole::Prerouting, "PREROUTING"),
    (ChainRole::Input, "INPUT"),
    (ChainRole::Forward, "FORWARD"),
    (ChainRole::Output, "OUTPUT"),
];

impl ChainRole {
    fn built_in(self) -> Option<&'static str> {
        BUILT_IN.iter().find(|(role, _)| *role == self).map(|(_, name)| *name)
    }
}

/// An option of a mesh that its rules show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MeshOption {
    /// Ports whose inbound connections bypass the proxy.
    ExcludeInboundPorts,
    /// The only ports whose inbound connections go to the proxy.
    IncludeInboundPorts,
    /// Destination ports that bypass the proxy.
    ExcludeOutboundPorts,
    /// Destination ports that go to the proxy whatever their address.
    IncludeOutboundPorts,
    /// Destination addresses that bypass the proxy.
    ExcludeRanges,
    /// The only destination addresses that go to the proxy.
    IncludeRanges,
    /// Interfaces that bypass the proxy.
    ExcludeInterfaces,
    /// Interfaces of virtual machines, whose traffic counts as outbound.
    VirtualInterfaces,
    /// The only groups that are captured.
    OnlyGroups,
    /// Groups that are not captured.
    ExcludeGroups,
    /// Packets that belong to no connection are dropped.
    DropInvalid,
    /// The source of the kubelet's probes.
    Probes,
}

impl MeshOption {
    /// A description, for a mesh that has no name for it.
    pub(super) fn description(self) -> &'static str {
        match self {
            Self::ExcludeInboundPorts => "excluded inbound ports",
            Self::IncludeInboundPorts => "included inbound ports",
            Self::ExcludeOutboundPorts => "excluded outbound ports",
            Self::IncludeOutboundPorts => "included outbound ports",
            Self::ExcludeRanges => "excluded outbound addresses",
            Self::IncludeRanges => "included outbound addresses",
            Self::ExcludeInterfaces => "excluded interfaces",
            Self::VirtualInterfaces => "interfaces of virtual machines",
            Self::OnlyGroups => "captured groups",
            Self::ExcludeGroups => "excluded groups",
            Self::DropInvalid => "INVALID_DROP",
            Self::Probes => "address of the kubelet's probes",
        }
    }
}

/// The sets of chains by which meshes are recognized: for a program that links none of the rest.
pub(crate) static CHAINS: [&[&str]; 8] = {
    let definitions = [
        &istio_ambient::DEFINITION,
        &istio_sidecar::DEFINITION,
        &linkerd::DEFINITION,
        &consul::DEFINITION,
        &kuma::DEFINITION,
        &open_service_mesh::DEFINITION,
        &app_mesh::DEFINITION,
    ];
    let mut chains: [&[&str]; 8] = [&[]; 8];
    let (mut count, mut mesh) = (0, 0);
    while mesh < definitions.len() {
        let sets = definitions[mesh].recognized_by;
        let mut set = 0;
        while set < sets.len() {
            chains[count] = sets[set];
            (count, set) = (count + 1, set + 1);
        }
        mesh += 1;
    }
    chains
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_chain_has_one_role_and_every_mesh_the_chains_that_recognize_it() {
        for kind in MeshKind::ALL {
            let definition = kind.definition();
            for (role, name) in definition.chains {
                assert_eq!(definition.role(name), Some(*role), "{name}");
            }
            let chains = definition.recognized_by.concat();
            assert!(!chains.is_empty() && chains.iter().all(|name| definition.role(name).is_some()), "{kind:?}");
        }
    }
}
