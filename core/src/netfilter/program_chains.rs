//! Chains whose names imply that a program of the kernel acts on packets next to the rules.

/// One chain of each such program. A rule set may have forty thousand chains, so they are found
/// once, and not in every walk.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ProgramChains {
    /// A chain of Cilium, whose BPF programs act before and after the rules.
    pub cilium: Option<Box<str>>,
    /// A chain of kube-proxy in its mode IPVS.
    pub ipvs: Option<Box<str>>,
}

impl ProgramChains {
    /// Finds the first chain of each program among the names of a rule set's chains.
    pub fn find<'n>(names: impl Iterator<Item = &'n str> + Clone) -> Self {
        let first = |prefix: &str| {
            let mut names = names.clone();
            names.find(|name| name.starts_with(prefix)).map(Into::into)
        };
        Self {
            cilium: first("CILIUM_"),
            ipvs: first("KUBE-IPVS"),
        }
    }
}
