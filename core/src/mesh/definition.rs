//! The definition of a mesh: its names, its options, its rules.

use super::chain_role::{ChainNames, ChainRole};
use super::mesh_option::MeshOption;
use super::rule_pattern::MeshRule;
use super::rule_view::{PortRange, RuleView, ViewedCondition};
use super::version::Versions;
use crate::packet::Family;

/// How a mesh captures a pod's traffic.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// REDIRECT in both directions, to a proxy in the pod. The rules exempt the proxy by its user.
    Redirect,
    /// TPROXY for incoming connections. Both addresses stay unchanged.
    Tproxy,
    /// REDIRECT to a proxy outside the pod. The rules exempt the proxy by its mark.
    Ambient,
}

impl Mode {
    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Redirect => "REDIRECT",
            Self::Tproxy => "TPROXY",
            Self::Ambient => "ambient",
        }
    }
}

/// The names that a mesh uses, and the rules that it makes.
#[derive(Debug)]
pub(super) struct MeshDefinition {
    /// The name of the mesh.
    pub(super) name: &'static str,
    /// The name of its proxy.
    pub(super) proxy: &'static str,
    /// The program that answers DNS, if it is not the proxy.
    pub(super) resolver: Option<&'static str>,
    /// How it captures traffic, unless its rules use TPROXY.
    pub(super) mode: Mode,
    /// Sets of chains that only this mesh makes. The rule set must contain one set completely, in
    /// any tables.
    pub(super) recognized_by: &'static [&'static [&'static str]],
    /// The names of its chains.
    pub(super) chains: ChainNames,
    /// The proxy's own ports. Connections to them are not captured.
    pub(super) own_ports: &'static [u16],
    /// The names of its options.
    pub(super) options: &'static [(MeshOption, &'static str)],
    /// How the rules show the version that made them.
    pub(super) versions: Versions,
    /// The rules that it makes. In each chain, the first pattern that fits a rule applies.
    pub(super) rules: &'static [MeshRule],
}

impl MeshDefinition {
    /// The function of a chain in the mesh; `None` if the mesh makes no rules in it.
    pub(super) fn role(&self, chain: &str) -> Option<ChainRole> {
        let role = self.chains.role(chain)?;
        self.rules
            .iter()
            .any(|rule| rule.chain == role)
            .then_some(role)
    }

    /// Whether it has a name for an option.
    pub(super) fn has_option(&self, option: MeshOption) -> bool {
        self.options.iter().any(|(own, _)| *own == option)
    }

    /// Compares a rule in one of its chains with its patterns.
    pub(super) fn fit<'a>(
        &self,
        family: Family,
        chain: ChainRole,
        view: &RuleView<'a>,
    ) -> Option<Fit<'a>> {
        self.rules
            .iter()
            .filter(|rule| rule.chain == chain)
            .find_map(|rule| {
                let subject = rule.pattern.compare(self.chains, family, view)?.cloned();
                Some(Fit {
                    rule,
                    subject,
                    ports: view.effect.ports(),
                })
            })
    }
}

/// A recognized rule of a mesh.
#[derive(Clone, Debug)]
pub(super) struct Fit<'a> {
    /// The row of the mesh's table.
    pub(super) rule: &'static MeshRule,
    /// The condition that the pattern marks as the subject of the rule, if any.
    pub(super) subject: Option<ViewedCondition<'a>>,
    ports: Option<PortRange>,
}

impl Fit<'_> {
    /// The reason for the rule.
    pub(super) fn reason(&self, proxy: &str) -> String {
        let subject = match (&self.subject, self.ports) {
            (Some(condition), _) => condition.value.to_string(),
            (None, Some(ports)) => ports.to_string().replace(':', "-"),
            (None, None) => String::new(),
        };
        self.rule.reason.replace('$', &subject).replace('%', proxy)
    }
}
