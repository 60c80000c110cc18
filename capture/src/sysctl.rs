//! Reads the kernel settings that decide where a packet goes.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// Settings of the whole namespace.
const GLOBAL: [&str; 6] = [
    "net.ipv4.ip_forward",
    "net.ipv6.conf.all.forwarding",
    "net.ipv6.conf.all.disable_ipv6",
    "net.bridge.bridge-nf-call-iptables",
    "net.bridge.bridge-nf-call-ip6tables",
    TCP_LOOSE,
];
/// Whether connection tracking accepts a TCP connection from its middle: whether a first packet
/// with ACK is NEW or INVALID.
const TCP_LOOSE: &str = "net.netfilter.nf_conntrack_tcp_loose";
/// IPv4 settings of one interface. `src_valid_mark` includes the mark in the check of `rp_filter`.
const PER_INTERFACE: [&str; 5] = [
    "accept_local",
    "forwarding",
    "route_localnet",
    "rp_filter",
    "src_valid_mark",
];

/// Reads the settings under `root` (`/proc/sys`) in the namespace of the calling thread. Settings
/// that the kernel does not have are omitted.
pub(crate) fn read_settings<'a>(
    root: &Path,
    interfaces: impl IntoIterator<Item = &'a str>,
) -> BTreeMap<String, String> {
    let global = GLOBAL.iter().map(|name| name.to_string());
    // sysctl(8) writes a dot in the name of an interface as a slash.
    let per_interface = ["all"].into_iter().chain(interfaces).flat_map(|interface| {
        let interface = interface.replace('.', "/");
        PER_INTERFACE.map(|setting| format!("net.ipv4.conf.{interface}.{setting}"))
    });
    let mut settings = BTreeMap::new();
    for name in global.chain(per_interface) {
        if let Ok(value) = fs::read_to_string(root.join(path(&name))) {
            settings.insert(name, value.trim_end().to_owned());
        }
    }
    settings
}

/// The file of a setting: dots become slashes, and slashes become dots.
fn path(name: &str) -> String {
    name.chars()
        .map(|character| match character {
            '.' => '/',
            '/' => '.',
            other => other,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dot_in_an_interface_name_is_no_separator() {
        assert_eq!(
            path("net.ipv4.conf.eth0/100.rp_filter"),
            "net/ipv4/conf/eth0.100/rp_filter"
        );
    }

    #[test]
    fn reads_what_this_kernel_has() {
        let settings = read_settings(Path::new("/proc/sys"), ["lo", "no such interface"]);
        assert!(
            ["0", "1"].contains(&settings["net.ipv4.ip_forward"].as_str()),
            "{settings:?}"
        );
        assert!(
            settings.contains_key("net.ipv4.conf.all.route_localnet"),
            "{settings:?}"
        );
        assert!(
            settings.contains_key("net.ipv4.conf.lo.rp_filter"),
            "{settings:?}"
        );
        assert!(
            !settings.keys().any(|name| name.contains("such")),
            "{settings:?}"
        );
    }
}
