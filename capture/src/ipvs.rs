//! The virtual services of IPVS, from `/proc/net/ip_vs` (`ip_vs_info_seq_show` in ip_vs_ctl.c).

use std::fs::File;
use std::io::{self, BufRead as _, BufReader};
use std::net::{IpAddr, Ipv4Addr};
use std::path::Path;

use chainwalk_core::packet::Protocol;
use chainwalk_core::packet::other_processing::IpvsService;

/// A large cluster has some ten thousand.
const MAX_SERVICES: usize = 20_000;
/// Lines that are read: each service lists its servers.
const MAX_LINES: usize = 1_000_000;

/// The services of the network namespace of the calling thread, and whether there are more. A
/// namespace without the file has none: the module is not loaded.
pub(crate) fn services() -> io::Result<(Vec<IpvsService>, bool)> {
    let file = match File::open(Path::new("/proc/thread-self/net/ip_vs")) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok((Vec::new(), false)),
        Err(error) => return Err(error),
    };
    let mut lines = BufReader::new(file).lines();
    let services = parse_services(lines.by_ref().take(MAX_LINES))?;
    let is_cut = services.len() > MAX_SERVICES || lines.next().is_some();
    Ok((services.into_iter().take(MAX_SERVICES).collect(), is_cut))
}

/// At most one service more than are kept.
fn parse_services(lines: impl Iterator<Item = io::Result<String>>) -> io::Result<Vec<IpvsService>> {
    let mut services = Vec::new();
    for line in lines {
        services.extend(read_line(&line?));
        if services.len() > MAX_SERVICES {
            break;
        }
    }
    Ok(services)
}

/// `TCP  0A600001:01BB rr`, `UDP  [fd00:…:000a]:0035 rr`, `FWM  00000005 wlc`; no service in the
/// lines of its servers.
fn read_line(line: &str) -> Option<IpvsService> {
    let mut words = line.split_ascii_whitespace();
    let protocol = match words.next()? {
        "TCP" => Protocol::TCP,
        "UDP" => Protocol::UDP,
        "SCTP" => Protocol::SCTP,
        "FWM" => {
            return Some(IpvsService {
                fwmark: Some(u32::from_str_radix(words.next()?, 16).ok()?),
                ..IpvsService::default()
            });
        }
        _ => return None,
    };
    let (address, port) = words.next()?.rsplit_once(':')?;
    let address = match address.strip_prefix('[') {
        Some(six) => IpAddr::V6(six.strip_suffix(']')?.parse().ok()?),
        None => IpAddr::V4(Ipv4Addr::from_bits(u32::from_str_radix(address, 16).ok()?)),
    };
    Some(IpvsService {
        protocol: Some(protocol),
        address: Some(address),
        port: Some(u16::from_str_radix(port, 16).ok()?),
        fwmark: None,
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// As Linux 6.1 prints it.
    const TABLE: &str = "\
IP Virtual Server version 1.2.1 (size=4096)
Prot LocalAddress:Port Scheduler Flags
  -> RemoteAddress:Port Forward Weight ActiveConn InActConn
TCP  0A600001:01BB rr 
  -> C0A8010A:192B      Masq    1      0          0         
UDP  [fd00:0000:0000:0000:0000:0000:0000:000a]:0035 rr 
SCTP 0A600001:0000 rr persistent 300 FFFFFFFF
FWM  00000005 wlc 
";

    #[test]
    fn services_are_read_without_their_servers() {
        let services =
            parse_services(TABLE.lines().map(|line| Ok(line.to_owned()))).expect("no error");
        let said: Vec<(Option<String>, Option<u16>, Option<u32>)> = services
            .iter()
            .map(|one| (one.address.map(|own| own.to_string()), one.port, one.fwmark))
            .collect();
        let expected = [
            (Some("10.96.0.1".to_owned()), Some(443), None),
            (Some("fd00::a".to_owned()), Some(53), None),
            (Some("10.96.0.1".to_owned()), Some(0), None),
            (None, None, Some(5)),
        ];
        assert_eq!(said, expected);
    }

    proptest! {
        #[test]
        fn no_line_makes_the_reader_panic(line: String, words in "(TCP|FWM) [\\[\\]0-9A-Fa-f:]{0,20}") {
            read_line(&line);
            read_line(&words);
        }
    }
}
