//! The meshes. To support another one, add a file with its [`MeshDefinition`] and a variant of
//! [`MeshKind`].

use super::definition::MeshDefinition;
use super::{app_mesh, consul, istio_ambient, istio_sidecar, kuma, linkerd, open_service_mesh};

/// A recognized mesh.
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
    /// All meshes, in the order in which they are tried. Ambient comes first, because it has one of
    /// the sidecar's chains.
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

/// The sets of chains that identify meshes, for a program that links no other part of this module.
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
            for (role, name) in definition.chains.0 {
                assert_eq!(definition.role(name), Some(*role), "{name}");
            }
            let chains = definition.recognized_by.concat();
            assert!(
                !chains.is_empty() && chains.iter().all(|name| definition.role(name).is_some()),
                "{kind:?}"
            );
        }
    }
}
