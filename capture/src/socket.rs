//! Reads the listening sockets from the tables in `/proc/PID/net`. Unlike sock_diag, reading them
//! loads no kernel module.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{BufRead as _, BufReader};
use std::net::IpAddr;
use std::path::Path;

use chainwalk_core::packet::Protocol;
use chainwalk_core::packet::host::{self, Socket};

use crate::machine::Machine;
use crate::process::ProcessEntry;
use crate::user::Ids;

/// A file, the file and line with its number of sockets, its protocol, and the state of sockets
/// that wait for any peer (`net/tcp_states.h`): listening for TCP, and not connected for UDP, which
/// uses TCP's numbers.
const TABLES: [(&str, &str, &str, Protocol, &str); 4] = [
    ("tcp", "sockstat", "TCP:", Protocol::TCP, "0A"),
    ("tcp6", "sockstat6", "TCP6:", Protocol::TCP, "0A"),
    ("udp", "sockstat", "UDP:", Protocol::UDP, "07"),
    ("udp6", "sockstat6", "UDP6:", Protocol::UDP, "07"),
];

/// The maximum number of sockets. A process may listen on every port of many addresses.
const MAX_SOCKETS: usize = 50_000;
/// The size of the kernel's chunks.
const BUFFER: usize = 64 << 10;

/// A line of such a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct SocketEntry {
    address: IpAddr,
    port: u16,
    uid: u32,
    inode: u64,
}

/// Every listening TCP socket, and every bound UDP socket that is not connected, in the network
/// namespace of the calling thread. A socket that no process of `processes` holds has no holder.
pub(crate) fn sockets(
    machine: &Machine,
    processes: &[host::Process],
    ids: Option<&Ids>,
    warnings: &mut Vec<String>,
) -> Vec<Socket> {
    let mut found = Vec::new();
    let directory = Path::new("/proc/thread-self/net");
    for (file, counts, count, protocol, state) in TABLES {
        if are_none(
            &fs::read_to_string(directory.join(counts)).unwrap_or_default(),
            count,
        ) {
            continue;
        }
        // The file is read line by line, because it also contains connections, and there may be a
        // million of them.
        let Ok(table) = File::open(directory.join(file)) else {
            continue;
        };
        let lines = BufReader::with_capacity(BUFFER, table)
            .lines()
            .map_while(Result::ok);
        let entries = lines.filter_map(|line| parse_line(&line, state));
        found.extend(
            entries
                .map(|entry| (protocol, entry))
                .take(MAX_SOCKETS + 1 - found.len()),
        );
    }
    if found.len() > MAX_SOCKETS {
        found.truncate(MAX_SOCKETS);
        warnings.push(format!(
            "only the first {MAX_SOCKETS} listening sockets are in this capture"
        ));
    }
    let holders = if found.is_empty() {
        BTreeMap::new()
    } else {
        holders(machine, processes)
    };
    found
        .into_iter()
        .map(|(protocol, entry): (Protocol, SocketEntry)| {
            let holder = holders.get(&entry.inode);
            Socket {
                protocol,
                address: entry.address,
                port: entry.port,
                pid: holder.map(|process| process.pid),
                uid: ids.and_then(|ids| ids.user(entry.uid)),
                command: holder.map(|process| process.command.clone()),
            }
        })
        .collect()
}

/// Whether a namespace has no socket of a kind, according to its counts (`TCP: inuse 0 …`). To list
/// TCP sockets, the kernel scans the connections of the whole machine twice. This takes
/// milliseconds, and more on a machine with more memory.
fn are_none(counts: &str, kind: &str) -> bool {
    let of_kind = counts.lines().find_map(|line| line.strip_prefix(kind));
    of_kind.is_some_and(|counts| counts.split_whitespace().take(2).eq(["inuse", "0"]))
}

/// The process that holds each socket. Of several processes, the first one counts, because the
/// children of a server inherit its sockets.
fn holders<'a>(
    machine: &Machine,
    processes: &'a [host::Process],
) -> BTreeMap<u64, &'a host::Process> {
    let mut holders = BTreeMap::new();
    for process in processes {
        for inode in ProcessEntry::hold(machine, process.pid)
            .map(|held| held.sockets())
            .unwrap_or_default()
        {
            holders.entry(inode).or_insert(process);
        }
    }
    holders
}

/// Parses a line, if its socket is in `state`.
fn parse_line(line: &str, state: &str) -> Option<SocketEntry> {
    let mut fields = line.split_whitespace();
    let (address, port) = fields.nth(1)?.split_once(':')?;
    if fields.nth(1)? != state {
        return None;
    }
    let uid = fields.nth(3)?.parse().ok()?;
    let inode = fields.nth(1)?.parse().ok()?;
    let port = u16::from_str_radix(port, 16)
        .ok()
        .filter(|&port| port != 0)?;
    Some(SocketEntry {
        address: read_address(address)?,
        port,
        uid,
        inode,
    })
}

/// One or four words of 32 bits. The kernel prints each word of the address as a number in the byte
/// order of this machine.
fn read_address(hex: &str) -> Option<IpAddr> {
    let word = |text: &str| u32::from_str_radix(text, 16).ok().map(u32::to_ne_bytes);
    match hex.len() {
        8 => word(hex).map(IpAddr::from),
        32 => {
            let mut bytes = [0; 16];
            for (at, place) in bytes.chunks_exact_mut(4).enumerate() {
                place.copy_from_slice(&word(hex.get(at * 8..at * 8 + 8)?)?);
            }
            Some(IpAddr::from(bytes))
        }
        _ => None,
    }
}

#[cfg(test)]
#[cfg(target_endian = "little")] // the recorded lines are
mod tests {
    use super::*;

    const LISTENING: &str = "   1: 0100007F:3A98 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1337        0 2093 1 0000 100 0 0 10 0";
    const CONNECTED: &str = "   2: 0500F40A:9C40 2222D85D:01BB 01 00000000:00000000 00:00000000 00000000  1000        0 2094 1 0000 100 0 0 10 0";
    const SIX: &str = "   0: 000000000000000000000000010000FF:3AA1 00000000000000000000000000000000:0000 07 \
                       00000000:00000000 00:00000000 00000000     0        0 21 2 0000 0";

    #[test]
    fn a_listening_socket_is_read() {
        let entry = |address: &str, port, uid, inode| {
            Some(SocketEntry {
                address: address.parse().expect("valid"),
                port,
                uid,
                inode,
            })
        };
        assert_eq!(
            parse_line(LISTENING, "0A"),
            entry("127.0.0.1", 15000, 1337, 2093)
        );
        assert_eq!(parse_line(SIX, "07"), entry("::ff00:1", 15009, 0, 21));
    }

    #[test]
    fn a_count_of_none_is_seen() {
        let counts =
            "sockets: used 5\nTCP: inuse 0 orphan 0 tw 3 alloc 1 mem 0\nUDP: inuse 10 mem 0\n";
        assert!(are_none(counts, "TCP:") && !are_none(counts, "UDP:"));
        // Without a count, the list is read.
        assert!(!are_none(counts, "TCP6:") && !are_none("", "TCP:"));
    }

    #[test]
    fn others_are_passed_over() {
        assert_eq!(parse_line(CONNECTED, "0A"), None);
        let header = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode";
        for line in [
            header,
            "",
            "1: x:y z 0A",
            "1: 0100007F:0000 0:0 0A a b c 0 0",
        ] {
            assert_eq!(parse_line(line, "0A"), None, "{line}");
        }
    }
}
