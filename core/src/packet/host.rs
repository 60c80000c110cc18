//! The network namespace that contains the rules. A capture describes it; a dump does not.

use std::collections::BTreeMap;
use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::packet::other_processing::OtherProcessing;
use crate::packet::{Family, Protocol};
use crate::text::number;

/// An address with the length of its network's prefix, such as `10.244.1.5/24`.
///
/// This is not `ipnet::IpNet`, which does not parse an address without a length, gives a network of
/// two addresses a broadcast address, and does not count common bits. `IpNet` would replace only
/// `contains` and `Display`. The masks of rules may have holes, so they are not prefixes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Prefix {
    /// The address; in a route, the network's.
    pub address: IpAddr,
    /// Leading bits that belong to the network: 0 to 32, or 0 to 128.
    pub length: u8,
}

impl Prefix {
    /// Whether the network contains `address`.
    pub fn contains(&self, address: IpAddr) -> bool {
        Family::of_address(self.address) == Family::of_address(address)
            && self.common_bits(address) >= self.length
    }

    /// The number of leading bits that it shares with an address of the same family.
    pub fn common_bits(&self, other: IpAddr) -> u8 {
        let zeros = match (self.address, other) {
            (IpAddr::V4(a), IpAddr::V4(b)) => (a.to_bits() ^ b.to_bits()).leading_zeros(),
            (IpAddr::V6(a), IpAddr::V6(b)) => (a.to_bits() ^ b.to_bits()).leading_zeros(),
            _ => 0,
        };
        u8::try_from(zeros).expect("an address has at most 128 bits")
    }

    /// The address whose host bits are all one, for an IPv4 network of more than two addresses.
    pub fn broadcast(&self) -> Option<IpAddr> {
        match self.address {
            IpAddr::V4(v4) if self.length < 31 => Some(IpAddr::V4(
                (v4.to_bits() | (u32::MAX >> self.length)).into(),
            )),
            _ => None,
        }
    }
}

/// The reason why a text is not a [`Prefix`].
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("`{0}` is not an address with a prefix length, such as 10.244.1.5/24")]
pub struct InvalidPrefix(String);

impl FromStr for Prefix {
    type Err = InvalidPrefix;

    fn from_str(text: &str) -> Result<Self, InvalidPrefix> {
        let wrong = || InvalidPrefix(text.to_owned());
        let (address, length) = text.split_once('/').unwrap_or((text, ""));
        let address: IpAddr = address.parse().map_err(|_| wrong())?;
        let bits = Family::of_address(address).bits();
        let length = match length {
            "" if !text.contains('/') => bits,
            _ => length
                .parse()
                .ok()
                .filter(|length| *length <= bits)
                .ok_or_else(wrong)?,
        };
        Ok(Self { address, length })
    }
}

impl fmt::Display for Prefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.length)
    }
}

impl Serialize for Prefix {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Prefix {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(serde::de::Error::custom)
    }
}

/// A network interface.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct Interface {
    /// Its name, as `-i` and `-o` compare it.
    pub name: String,
    /// Its addresses, the primary one first.
    #[serde(default)]
    pub addresses: Vec<Prefix>,
    /// Its group number, if it is not 0.
    #[serde(
        default,
        deserialize_with = "number::optional",
        skip_serializing_if = "Option::is_none"
    )]
    pub group: Option<u32>,
    /// The bridge that it is a port of.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub master: Option<String>,
    /// The multicast groups that sockets joined on it. If absent, they are unknown. The groups that
    /// the kernel joins on every interface are implied.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub multicast_groups: Option<Vec<IpAddr>>,
}

impl Interface {
    /// An interface with literal addresses of both families.
    fn with_addresses(name: &str, addresses: [&str; 2]) -> Self {
        let addresses = addresses
            .map(|text| text.parse().expect("a literal prefix"))
            .into();
        Self {
            name: name.into(),
            addresses,
            group: None,
            master: None,
            multicast_groups: None,
        }
    }
}

/// The type of a route.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum RouteKind {
    /// The packet leaves through the route's device.
    #[default]
    Unicast,
    /// The packet is delivered to this host.
    Local,
    /// A broadcast is sent, and delivered to this host when it arrives.
    Broadcast,
    /// A multicast is sent, and delivered to the members of its group.
    Multicast,
    /// The packet is silently dropped.
    Blackhole,
    /// The packet is dropped, and the sender gets the error "host unreachable".
    Unreachable,
    /// The packet is dropped, and the sender gets the error "administratively prohibited".
    Prohibit,
    /// The lookup continues with the next routing rule.
    Throw,
}

impl RouteKind {
    fn is_unicast(&self) -> bool {
        *self == Self::Unicast
    }
}

/// A route.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct Route {
    /// Its destinations; `0.0.0.0/0` or `::/0` for all.
    pub dst: Prefix,
    /// The next router, if there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub via: Option<IpAddr>,
    /// The interface.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dev: Option<String>,
    /// Its type.
    #[serde(
        rename = "type",
        skip_serializing_if = "RouteKind::is_unicast",
        default
    )]
    pub kind: RouteKind,
    /// The routing table. If absent: 254, `main`.
    #[serde(
        default,
        deserialize_with = "number::optional",
        skip_serializing_if = "Option::is_none"
    )]
    pub table: Option<u32>,
    /// The source address that it prefers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub src: Option<IpAddr>,
    /// The lowest metric wins among routes with the same prefix.
    #[serde(
        default,
        deserialize_with = "number::optional",
        skip_serializing_if = "Option::is_none"
    )]
    pub metric: Option<u32>,
}

/// A policy routing rule (`ip rule`). The rules for the local and the main table are implied.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
pub struct RoutingRule {
    /// The address family. If absent: both.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub family: Option<Family>,
    /// The packet mark that it matches.
    #[serde(
        default,
        deserialize_with = "number::optional",
        skip_serializing_if = "Option::is_none"
    )]
    pub fwmark: Option<u32>,
    /// The bits of the mark that it compares. If absent: all.
    #[serde(
        default,
        deserialize_with = "number::optional",
        skip_serializing_if = "Option::is_none"
    )]
    pub mask: Option<u32>,
    /// The sources that it matches.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<Prefix>,
    /// The destinations that it matches.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to: Option<Prefix>,
    /// The incoming interface that it matches. `lo` means that this host sent the packet.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub iif: Option<String>,
    /// Whether the whole selector is inverted.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub not: bool,
    /// The routing table to use.
    #[serde(
        default,
        deserialize_with = "number::optional",
        skip_serializing_if = "Option::is_none"
    )]
    pub table: Option<u32>,
    /// The priority: lower applies first. If absent: 32765, just before `main`.
    #[serde(
        default,
        deserialize_with = "number::optional",
        skip_serializing_if = "Option::is_none"
    )]
    pub priority: Option<u32>,
}

/// A listening socket.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct Socket {
    /// `tcp` or `udp`.
    pub protocol: Protocol,
    /// The address it is bound to; `0.0.0.0` or `::` for any.
    pub address: IpAddr,
    /// The port it is bound to.
    #[serde(deserialize_with = "number::any")]
    pub port: u16,
    /// The process that holds it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pid: Option<u32>,
    /// The user that opened it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub uid: Option<u32>,
    /// That process's command name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub command: Option<String>,
}

/// A process in the namespace.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
pub struct Process {
    /// Its process id, as the capturing host sees it.
    pub pid: u32,
    /// Its command name (`/proc/PID/comm`), never its arguments.
    pub command: String,
    /// Its user id in the user namespace that owns the network namespace.
    pub uid: u32,
    /// Its primary group id, likewise.
    pub gid: u32,
    /// Its supplementary groups, likewise.
    #[serde(default)]
    pub groups: Vec<u32>,
    /// Its user id as the host sees it, where it differs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub host_uid: Option<u32>,
    /// Whether the rules let its traffic bypass the proxy as they do for the mesh's proxy itself.
    /// Absent if no rule names the identity of a proxy.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub proxy: Option<bool>,
}

/// The maximum of each list: see [`Host::limit`].
const MAX_INTERFACES: usize = 5_000;
const MAX_ADDRESSES: usize = 20_000;
const MAX_ROUTES: usize = 50_000;
const MAX_ROUTING_RULES: usize = 1_000;
const MAX_SOCKETS: usize = 10_000;
const MAX_PROCESSES: usize = 20_000;
const MAX_SYSCTLS: usize = 50_000;
/// The maximum for all processes and interfaces together.
const MAX_GROUPS: usize = 200_000;
/// The limit of most systems for one process.
const MAX_PROCESS_GROUPS: usize = 32;
/// The maximum of routes times routing rules.
const MAX_COMPARISONS: usize = 2_000_000;

fn exceeds(have: usize, most: usize, what: &str) -> String {
    format!("{have} {what}: the first {most} are used")
}

/// Truncates a list to its first `most` entries, and reports it in `dropped` if entries were
/// removed.
pub(crate) fn limit<T>(list: &mut Vec<T>, most: usize, what: &str, dropped: &mut Vec<String>) {
    if list.len() > most {
        dropped.push(exceeds(list.len(), most, what));
        list.truncate(most);
    }
}

/// The kernel settings that turn forwarding on, for IPv4 and for IPv6.
const FORWARDING: (&str, &str) = ("net.ipv4.ip_forward", "net.ipv6.conf.all.forwarding");

/// The network namespace that contains the rules.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
pub struct Host {
    /// Interfaces with their addresses.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub interfaces: Vec<Interface>,
    /// Routes of every table. The networks of the interfaces' own addresses are implied.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub routes: Vec<Route>,
    /// Policy routing rules.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rules: Vec<RoutingRule>,
    /// Kernel settings by dotted name (`net.ipv4.ip_forward`).
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub sysctls: BTreeMap<String, String>,
    /// Listening sockets.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sockets: Vec<Socket>,
    /// Processes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub processes: Vec<Process>,
    /// What acts on packets next to the rules. Absent: not known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub other_processing: Option<OtherProcessing>,
}

impl Host {
    /// A pod as most clusters set it up: `lo`, one `eth0`, a default route for each family, no
    /// forwarding. It is used if the input describes no host, and the output then names it as an
    /// assumption.
    pub fn pod() -> Self {
        Self::usual(
            ["10.244.1.5/24", "fd00:1::5/64"],
            ["10.244.1.1", "fd00:1::1"],
        )
    }

    /// A node as many clusters set it up: `lo`, `eth0` to the other nodes, a bridge `cni0` to its
    /// pods, a default route for each family, and forwarding. It is used for the rules of a node if
    /// the input describes no host, and the output then names it as an assumption.
    pub fn node() -> Self {
        let mut node = Self::usual(
            ["192.168.1.10/24", "fd00:ff::10/64"],
            ["192.168.1.1", "fd00:ff::1"],
        );
        node.interfaces.push(Interface::with_addresses(
            "cni0",
            ["10.244.1.1/24", "fd00:1::1/64"],
        ));
        node.sysctls = [FORWARDING.0, FORWARDING.1]
            .map(|name| (name.to_owned(), "1".to_owned()))
            .into();
        node
    }

    fn usual(addresses: [&str; 2], routers: [&str; 2]) -> Self {
        Self {
            interfaces: vec![
                Interface::with_addresses("lo", ["127.0.0.1/8", "::1/128"]),
                Interface::with_addresses("eth0", addresses),
            ],
            routes: [("0.0.0.0/0", routers[0]), ("::/0", routers[1])]
                .map(|(dst, via): (&str, &str)| Route {
                    dst: dst.parse().expect("a literal prefix"),
                    via: Some(via.parse().expect("a literal address")),
                    dev: Some("eth0".into()),
                    kind: RouteKind::Unicast,
                    table: None,
                    src: None,
                    metric: None,
                })
                .into(),
            ..Self::default()
        }
    }

    /// Whether it forwards packets of a family.
    pub fn forwards(&self, family: Family) -> bool {
        self.is_on(if family == Family::Ipv4 {
            FORWARDING.0
        } else {
            FORWARDING.1
        })
    }

    /// Removes what exceeds the limits of the page, and reports each shortened list: "60000 routes:
    /// the first 50000 are used".
    ///
    /// Real nodes have fewer entries in each list. A link of 16 kB can contain a hundred thousand.
    pub fn limit(&mut self) -> Vec<String> {
        let mut dropped = Vec::new();
        limit(
            &mut self.interfaces,
            MAX_INTERFACES,
            "interfaces",
            &mut dropped,
        );
        let addresses = self
            .interfaces
            .iter()
            .map(|interface| interface.addresses.len())
            .sum();
        if addresses > MAX_ADDRESSES {
            let mut left = MAX_ADDRESSES;
            for interface in &mut self.interfaces {
                interface.addresses.truncate(left);
                left -= interface.addresses.len();
            }
            dropped.push(exceeds(addresses, MAX_ADDRESSES, "addresses of interfaces"));
        }
        limit(&mut self.routes, MAX_ROUTES, "routes", &mut dropped);
        // Each rule may compare every route.
        let most_rules = (MAX_COMPARISONS / self.routes.len().max(1)).min(MAX_ROUTING_RULES);
        limit(&mut self.rules, most_rules, "routing rules", &mut dropped);
        limit(&mut self.sockets, MAX_SOCKETS, "sockets", &mut dropped);
        limit(
            &mut self.processes,
            MAX_PROCESSES,
            "processes",
            &mut dropped,
        );
        let groups = self
            .interfaces
            .iter()
            .filter_map(|interface| interface.multicast_groups.as_ref())
            .map(Vec::len);
        let groups = groups.chain(self.processes.iter().map(|process| process.groups.len()));
        if groups.sum::<usize>() > MAX_GROUPS {
            for interface in &mut self.interfaces {
                interface.multicast_groups = None;
            }
            for process in &mut self.processes {
                process.groups.truncate(MAX_PROCESS_GROUPS);
            }
            dropped.push(format!(
                "more than {MAX_GROUPS} groups of processes and interfaces: {MAX_PROCESS_GROUPS} of each process are used"
            ));
        }
        if let Some(other) = &mut self.other_processing {
            other.limit(&mut dropped);
        }
        if self.sysctls.len() > MAX_SYSCTLS {
            dropped.push(exceeds(self.sysctls.len(), MAX_SYSCTLS, "kernel settings"));
            self.sysctls = std::mem::take(&mut self.sysctls)
                .into_iter()
                .take(MAX_SYSCTLS)
                .collect();
        }
        dropped
    }

    /// The cost of the host in walks and in memory, in units of one rule.
    pub(crate) fn weight(&self) -> usize {
        let addresses: usize = self
            .interfaces
            .iter()
            .map(|interface| 1 + interface.addresses.len())
            .sum();
        let other = self
            .other_processing
            .as_ref()
            .map_or(0, OtherProcessing::len);
        let lookup = self.routes.len() * (1 + self.rules.len());
        (addresses
            + lookup
            + other
            + self.sockets.len()
            + self.processes.len()
            + self.sysctls.len())
            / 4
    }

    /// Parses the public JSON.
    ///
    /// # Errors
    /// If the text is not the JSON of a host. The error contains line and column.
    pub fn from_json(text: &str) -> Result<Self, serde_json::Error> {
        serde_json::from_str(text)
    }

    /// The interface of that name.
    pub fn interface(&self, name: &str) -> Option<&Interface> {
        self.interfaces
            .iter()
            .find(|interface| interface.name == name)
    }

    /// Whether a kernel setting is on: it is present and is not `0`.
    pub fn is_on(&self, sysctl: &str) -> bool {
        self.sysctls
            .get(sysctl)
            .is_some_and(|value| value.trim() != "0")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prefix_contains_its_network_only() {
        let net: Prefix = "10.244.1.0/24".parse().expect("valid");
        assert!(net.contains("10.244.1.255".parse().expect("valid")));
        assert!(!net.contains("10.244.2.0".parse().expect("valid")));
        assert!(!net.contains("::1".parse().expect("valid")));
        assert_eq!(
            net.broadcast(),
            Some("10.244.1.255".parse().expect("valid"))
        );
        for wrong in ["10.0.0.0/33", "10.0.0.0/", "x/8", "::/129", "10.0.0.0/-1"] {
            assert!(wrong.parse::<Prefix>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn numbers_may_be_written_as_hexadecimal_strings() {
        let host =
            Host::from_json(r#"{"rules": [{"fwmark": "0x539", "table": 133}]}"#).expect("valid");
        assert_eq!(host.rules[0].fwmark, Some(1337));
        assert_eq!(host.rules[0].family, None);
    }
}
