//! Parts of the kernel that act on packets next to the rules of a packet filter. A capture reports
//! them; a walk does not evaluate them and lists them among its assumptions.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};
use strum::{Display, IntoStaticStr};

use super::Protocol;
use super::host::{self, Prefix};
use crate::text::number;

/// What acts on the packets of a namespace next to its rules.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
pub struct OtherProcessing {
    /// Programs and filters of interfaces.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub programs: Vec<InterfaceProgram>,
    /// The virtual services of IPVS.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ipvs_services: Vec<IpvsService>,
    /// The policies of IPsec.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub xfrm_policies: Vec<XfrmPolicy>,
    /// The mechanisms that could not be read, so that nothing is known of them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unread: Vec<Mechanism>,
}

/// A mechanism of the kernel that acts on packets.
#[derive(
    Clone,
    Copy,
    Debug,
    Display,
    IntoStaticStr,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Deserialize,
    Serialize,
)]
#[serde(rename_all = "lowercase")]
#[strum(serialize_all = "lowercase")]
pub enum Mechanism {
    /// BPF programs of control groups, which see the calls of sockets and their packets.
    Cgroup,
    /// XDP programs of interfaces, before all else that sees an arriving packet.
    Xdp,
    /// Filters of the traffic control of interfaces, most of them BPF programs.
    Tc,
    /// BPF programs at the same place that no list of filters shows (from Linux 6.6).
    Tcx,
    /// The load balancer IPVS.
    Ipvs,
    /// The policies of IPsec.
    Xfrm,
}

/// The packets of an interface that a program sees.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum TrafficDirection {
    /// Those that arrive.
    Ingress,
    /// Those that leave.
    Egress,
}

/// A program or filter of an interface.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct InterfaceProgram {
    /// `xdp` or `tc`.
    pub mechanism: Mechanism,
    /// The interface.
    pub interface: String,
    /// The packets that it sees.
    pub direction: TrafficDirection,
    /// The kind of a filter: `bpf`, `flower`, `u32`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub filter: Option<String>,
    /// The name of a BPF program.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The number of a BPF program.
    #[serde(
        default,
        deserialize_with = "number::optional",
        skip_serializing_if = "Option::is_none"
    )]
    pub id: Option<u32>,
}

/// A virtual service of IPVS: for an address, or for packets with a mark.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
pub struct IpvsService {
    /// Absent for a mark.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub protocol: Option<Protocol>,
    /// Absent for a mark.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address: Option<IpAddr>,
    /// 0: all ports. Absent for a mark.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub port: Option<u16>,
    /// The mark of its packets.
    #[serde(
        default,
        deserialize_with = "number::optional",
        skip_serializing_if = "Option::is_none"
    )]
    pub fwmark: Option<u32>,
}

/// The packets that a policy of IPsec is for (`XFRM_POLICY_IN` and so on).
#[derive(Clone, Copy, Debug, Display, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
#[strum(serialize_all = "lowercase")]
pub enum PolicyDirection {
    /// Packets for this host.
    In,
    /// Packets that leave.
    Out,
    /// Packets for other hosts, as they arrive.
    Fwd,
}

/// A policy of IPsec.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct XfrmPolicy {
    /// The packets that it is for.
    pub direction: PolicyDirection,
    /// The sources that it is for; absent: all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub src: Option<Prefix>,
    /// The destinations that it is for; absent: all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dst: Option<Prefix>,
    /// The protocol that it is for; absent: all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub protocol: Option<Protocol>,
    /// Whether it drops its packets.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub blocks: bool,
}

/// The maximum of each list: see [`OtherProcessing::limit`].
const MAX_PROGRAMS: usize = 5_000;
const MAX_SERVICES: usize = 20_000;
const MAX_POLICIES: usize = 5_000;
const MAX_MECHANISMS: usize = 16;

impl OtherProcessing {
    /// Removes what exceeds the limits of the page, as [`host::Host::limit`] does.
    pub(super) fn limit(&mut self, dropped: &mut Vec<String>) {
        host::limit(
            &mut self.programs,
            MAX_PROGRAMS,
            "programs of interfaces",
            dropped,
        );
        host::limit(
            &mut self.ipvs_services,
            MAX_SERVICES,
            "services of IPVS",
            dropped,
        );
        host::limit(
            &mut self.xfrm_policies,
            MAX_POLICIES,
            "policies of IPsec",
            dropped,
        );
        host::limit(
            &mut self.unread,
            MAX_MECHANISMS,
            "unread mechanisms",
            dropped,
        );
    }

    /// The number of all entries.
    pub(super) fn len(&self) -> usize {
        self.programs.len() + self.ipvs_services.len() + self.xfrm_policies.len()
    }
}
