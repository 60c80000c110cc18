//! Options of meshes, and the values that rules show.

use std::fmt;

use super::rule_view::{ConditionValue, IdRange, Network, PortRange, ViewedCondition};

/// An option of a mesh that its rules show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MeshOption {
    /// Ports whose inbound connections bypass the proxy.
    ExcludeInboundPorts,
    /// The only ports whose inbound connections go to the proxy.
    IncludeInboundPorts,
    /// Destination ports that bypass the proxy.
    ExcludeOutboundPorts,
    /// Destination ports that go to the proxy, for any address.
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
    /// A description of the option, for a mesh that has no name for it.
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

/// An option of a mesh with its values. Without values, the option is empty or is a switch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OptionSetting {
    /// Which option.
    pub option: MeshOption,
    /// Its values, without duplicates.
    pub values: Vec<OptionValue>,
}

/// One value of an option.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OptionValue {
    /// Ports.
    Ports(PortRange),
    /// Addresses.
    Network(Network),
    /// An interface.
    Interface(String),
    /// Users or groups.
    Ids(IdRange),
}

impl fmt::Display for OptionValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ports(ports) => ports.fmt(f),
            Self::Network(network) => network.fmt(f),
            Self::Interface(name) => f.write_str(name),
            Self::Ids(ids) => ids.fmt(f),
        }
    }
}

/// The values of an option that a condition shows.
pub(super) fn option_values(condition: &ViewedCondition) -> Vec<OptionValue> {
    match &condition.value {
        ConditionValue::Network(network) => vec![OptionValue::Network(*network)],
        ConditionValue::Interface(name) => vec![OptionValue::Interface((*name).to_owned())],
        ConditionValue::Port(ports) => vec![OptionValue::Ports(*ports)],
        ConditionValue::Ports(ports) => ports.iter().copied().map(OptionValue::Ports).collect(),
        ConditionValue::Ids(ids) => vec![OptionValue::Ids(*ids)],
        ConditionValue::Protocol(_)
        | ConditionValue::Mark(_)
        | ConditionValue::States(_)
        | ConditionValue::Opaque => Vec::new(),
    }
}
