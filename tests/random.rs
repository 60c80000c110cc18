//! Random rule sets and random packets: proptest strategies for the suites.
//!
//! Addresses, ports, ids and marks come from small pools, so that rules and packets meet often
//! enough. The pools fit the namespace of the kernel suite (`kernel/lab.rs`).

use chainwalk_core::packet::Family;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

#[path = "random/clause.rs"]
mod clause;
#[path = "random/command.rs"]
pub mod command;
#[path = "random/packet.rs"]
pub mod packet;
#[path = "random/rules.rs"]
pub mod rules;

/// Addresses of this host: of `eth0`, of `eth1`, and of `lo`.
pub const OWN: [[&str; 4]; 2] = [
    ["10.244.1.5", "172.16.0.5", "127.0.0.1", "127.0.0.6"],
    ["fd00:1::5", "fd00:2::5", "::1", "fd00:1::5"],
];
/// Addresses elsewhere: a neighbor on each link, hosts after the routers, and destinations without
/// a route.
pub const ELSEWHERE: [[&str; 8]; 2] = [
    [
        "10.244.1.77",
        "172.16.0.9",
        "93.184.216.34",
        "10.9.0.1",
        "10.9.9.2",
        "10.66.0.1",
        "10.67.0.1",
        "10.68.0.1",
    ],
    [
        "fd00:1::77",
        "fd00:2::9",
        "2001:db8::34",
        "2001:db8:9::1",
        "2001:db8:99::2",
        "2001:db8:66::1",
        "2001:db8:67::1",
        "2001:db8:68::1",
    ],
];
/// Multicast groups that the namespace has joined on `eth0`.
pub const JOINED: [&str; 2] = ["239.1.2.3", "ff05::123"];
/// Networks of rules. Some have masks with holes.
const NETWORKS: [[&str; 8]; 2] = [
    [
        "10.0.0.0/8",
        "10.244.1.0/24",
        "127.0.0.0/8",
        "172.16.0.0/12",
        "10.0.0.1/255.0.0.255",
        "0.0.0.1/0.0.0.1",
        "128.0.0.0/1",
        "10.9.0.0/16",
    ],
    [
        "fd00::/8",
        "fd00:1::/64",
        "::1/128",
        "2001:db8::/32",
        "fd00::5/ff00::ffff",
        "::1/::1",
        "8000::/1",
        "2001:db8:9::/48",
    ],
];
/// Ports that both packets and rules use, in ascending order.
pub const PORTS: [u16; 10] = [22, 53, 80, 443, 1024, 8080, 15001, 15006, 40_000, 65_535];
/// User and group ids that both packets and rules use.
pub const IDS: [u32; 5] = [0, 1000, 1337, 2102, 65_534];
/// Marks that both packets and rules use. The suite's routing rules use 0x1, 0x2 and 0x539.
pub const MARKS: [u32; 8] = [0, 0x1, 0x2, 0x10, 0x111, 0x539, 0xff00, 0x8000_0000];

/// The position of a family in the pools.
pub fn of(family: Family) -> usize {
    match family {
        Family::Ipv4 => 0,
        Family::Ipv6 => 1,
    }
}

/// A source of random values that are equal for equal seeds.
pub fn runner(seed: u64, config: Config) -> TestRunner {
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::ChaCha, &bytes))
}

/// A number that the environment may set.
///
/// # Panics
/// If the variable is not a number.
pub fn number(variable: &str, default: u64) -> u64 {
    match std::env::var(variable) {
        Ok(text) => text
            .parse()
            .unwrap_or_else(|_| panic!("{variable} must be a number, not {text:?}")),
        Err(_) => default,
    }
}
