//! The functions of a mesh's chains, and their names.

/// The function of a chain in a mesh.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ChainRole {
    Prerouting,
    Input,
    Forward,
    Output,
    /// Handles incoming connections.
    Inbound,
    /// Redirects to the proxy's inbound port.
    InboundRedirect,
    /// Handles outgoing connections.
    Outbound,
    /// Redirects to the proxy's outbound port.
    OutboundRedirect,
    /// Handles DNS queries.
    Dns,
    /// Drops packets.
    Drop,
    /// Marks packets that a socket of the proxy already handles.
    Divert,
    /// Delivers connections to the proxy without changing addresses.
    Tproxy,
}

const BUILT_IN: [(ChainRole, &str); 4] = [
    (ChainRole::Prerouting, "PREROUTING"),
    (ChainRole::Input, "INPUT"),
    (ChainRole::Forward, "FORWARD"),
    (ChainRole::Output, "OUTPUT"),
];

impl ChainRole {
    /// The name of a built-in chain.
    fn built_in(self) -> Option<&'static str> {
        BUILT_IN
            .iter()
            .find(|(role, _)| *role == self)
            .map(|(_, name)| *name)
    }
}

/// The names of a mesh's chains.
#[derive(Clone, Copy, Debug)]
pub(super) struct ChainNames(pub(super) &'static [(ChainRole, &'static str)]);

impl ChainNames {
    /// The name of a chain; `None` if the mesh has no such chain.
    pub(super) fn name(self, role: ChainRole) -> Option<&'static str> {
        role.built_in().or_else(|| {
            self.0
                .iter()
                .find(|(own, _)| *own == role)
                .map(|(_, name)| *name)
        })
    }

    /// The function of a chain, even if the mesh makes no rules in it.
    pub(super) fn role(self, chain: &str) -> Option<ChainRole> {
        BUILT_IN
            .iter()
            .chain(self.0)
            .find(|(_, name)| *name == chain)
            .map(|(role, _)| *role)
    }
}
