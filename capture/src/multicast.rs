//! Reads the multicast groups of each interface from `/proc/PID/net/igmp` and `igmp6`. They include
//! those that the kernel joins itself. Older kernels do not list the groups of IPv4 over netlink.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::Path;

use chainwalk_core::packet::host::Interface;

use crate::interface::InterfaceLink;
use crate::process::read_limited;

/// The maximum length of a list. A line has about 60 bytes.
const MAX_LIST: usize = 4 << 20;

/// Adds the groups of each interface, from the namespace of the calling thread. It adds nothing if
/// the kernel does not list them.
pub(crate) fn tell(links: &[InterfaceLink], interfaces: &mut [Interface]) {
    let read = |file: &str| {
        let bytes = read_limited(&Path::new("/proc/thread-self/net").join(file), MAX_LIST)?;
        String::from_utf8(bytes).map_err(io::Error::other)
    };
    let Ok(four) = read("igmp") else { return };
    // A kernel without IPv6 has neither the file nor the groups.
    let six = read("igmp6").unwrap_or_default();
    let mut all = igmp(&four);
    all.append(&mut igmp6(&six));
    for interface in interfaces {
        let index = links
            .iter()
            .find(|link| link.name == interface.name)
            .map(|link| link.index);
        let own = all.iter().filter(|(of, _)| Some(*of) == index);
        interface.multicast_groups = Some(own.map(|(_, group)| *group).collect());
    }
}

/// Parses `igmp`. An interface has a line that begins with its index, then a line for each group,
/// with tabs and the address as a number in the byte order of this machine. The first line is a
/// heading.
fn igmp(text: &str) -> Vec<(u32, IpAddr)> {
    let (mut interface, mut groups) = (None, Vec::new());
    for line in text.lines() {
        let first = line.split_whitespace().next().unwrap_or_default();
        if !line.starts_with('\t') {
            interface = first.parse().ok();
        } else if let (Some(interface), Ok(address)) = (interface, u32::from_str_radix(first, 16)) {
            groups.push((interface, Ipv4Addr::from(address.to_ne_bytes()).into()));
        }
    }
    groups
}

/// Parses `igmp6`. Each group has a line: the index of the interface, its name, the address in 32
/// digits.
fn igmp6(text: &str) -> Vec<(u32, IpAddr)> {
    text.lines()
        .filter_map(|line: &str| {
            let mut words = line.split_whitespace();
            let interface = words.next()?.parse().ok()?;
            let digits = words.nth(1).filter(|digits| digits.len() == 32)?;
            Some((
                interface,
                Ipv6Addr::from(u128::from_str_radix(digits, 16).ok()?).into(),
            ))
        })
        .collect()
}

#[cfg(test)]
#[cfg(target_endian = "little")] // the recorded lines are
mod tests {
    use super::*;

    fn check(read: Vec<(u32, IpAddr)>, expected: &[(u32, &str)]) {
        let read: Vec<(u32, String)> = read
            .into_iter()
            .map(|(index, group)| (index, group.to_string()))
            .collect();
        let read: Vec<(u32, &str)> = read
            .iter()
            .map(|(index, group)| (*index, group.as_str()))
            .collect();
        assert_eq!(read, expected);
    }

    #[test]
    fn groups_stand_below_their_interface() {
        let text = "Idx\tDevice    : Count Querier\tGroup    Users Timer\tReporter\n\
                    1\tlo        :     1      V3\n\t\t\t\t010000E0     1 0:00000000\t\t0\n\
                    7\teth0      :     2      V3\n\t\t\t\t030201EF     1 0:00000000\t\t0\n\t\t\t\t010000E0     1 0:00000000\t\t0\n";
        check(
            igmp(text),
            &[(1, "224.0.0.1"), (7, "239.1.2.3"), (7, "224.0.0.1")],
        );
        check(igmp("\t\t\t\t010000E0 1\nx\n\t\t\tnone\n"), &[]);
    }

    #[test]
    fn a_line_for_each_group() {
        let text = "1    lo              ff020000000000000000000000000001     1 0000000C 0\n\
                    7    eth0            ff150000000000000000000000000007     1 00000004 0\n\nx\n1 lo ff02 1\n";
        check(igmp6(text), &[(1, "ff02::1"), (7, "ff15::7")]);
    }
}
