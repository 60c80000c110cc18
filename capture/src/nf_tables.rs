//! Checks whether reading nf_tables is safe, and finds tables that no `iptables-save` prints.

use std::fs;
use std::io;
use std::path::Path;

use chainwalk_core::packet::Family;
use nix::sys::socket::SockProtocol;

use crate::netlink::{Netlink, attributes, text};

/// The possible directories of the kernel's modules. The last one is the machine's own, as seen by
/// a container with the host's processes.
const MODULES: [&str; 3] = ["lib/modules", "usr/lib/modules", "proc/1/root/lib/modules"];

/// `NFNL_SUBSYS_NFTABLES`, then `NFT_MSG_NEWTABLE` and `NFT_MSG_GETTABLE`
/// (`linux/netfilter/nf_tables.h`).
const NEW_TABLE: u16 = 10 << 8;
const GET_TABLE: u16 = (10 << 8) + 1;
/// `struct nfgenmsg`: family, version, resource.
const HEADER: usize = 4;
const NFTA_TABLE_NAME: u16 = 1;

/// Checks that opening nf_tables' interface loads no kernel module. The error is the reason not to
/// open it. `root` is `/`.
pub(crate) fn check(root: &Path) -> Result<(), &'static str> {
    let read = |path: &str| fs::read_to_string(root.join(path));
    // A kernel without modules has no such list and cannot load any.
    let Ok(loaded) = read("proc/modules") else {
        return Ok(());
    };
    let is_loaded = loaded.lines().any(|line| line.starts_with("nf_tables "))
        || root.join("sys/module/nf_tables").exists();
    if is_loaded || read("proc/sys/kernel/modules_disabled").is_ok_and(|value| value.trim() == "1")
    {
        return Ok(());
    }
    let release = read("proc/sys/kernel/osrelease").unwrap_or_default();
    let built_in = MODULES.iter().find_map(|directory| {
        read(&format!("{directory}/{}/modules.builtin", release.trim())).ok()
    });
    match built_in {
        Some(list) if list.lines().any(|line| line.ends_with("/nf_tables.ko")) => Ok(()),
        Some(_) => {
            Err("the kernel has not loaded it, so it holds no rules, and asking would load it")
        }
        None => Err(
            "the kernel has not loaded it as a module, and whether it is built in is not to be found out here \
                     (no modules.builtin of this kernel below /lib/modules); asking might load it",
        ),
    }
}

/// A table of nf_tables.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct NftTable {
    /// `ip`, `ip6`, `inet`, …
    family: String,
    name: String,
}

impl NftTable {
    /// Whether iptables' own tools store their rules in this table.
    fn is_iptables(&self) -> bool {
        ["raw", "mangle", "nat", "filter", "security"].contains(&self.name.as_str())
    }

    /// Whether the family's `iptables-nft-save` prints it.
    fn is_printed_for(&self, family: Family) -> bool {
        let own = match family {
            Family::Ipv4 => "ip",
            Family::Ipv6 => "ip6",
        };
        self.family == own && self.is_iptables()
    }
}

/// The tables of the calling thread's network namespace. Call it only if [`check`] allows it.
pub(crate) fn tables() -> io::Result<Vec<NftTable>> {
    let messages = Netlink::open(SockProtocol::NetlinkNetFilter)?.dump(GET_TABLE, &[0; HEADER])?;
    Ok(messages
        .iter()
        .filter(|message| message.kind == NEW_TABLE)
        .filter_map(|message| parse_table(&message.body))
        .collect())
}

/// The tables that belong to none of the captured families, such as `inet istio-proxy-nat`.
pub(crate) fn unprinted(tables: &[NftTable], asked: &[Family]) -> Vec<String> {
    let is_printed = |table: &&NftTable| asked.iter().any(|&family| table.is_printed_for(family));
    tables
        .iter()
        .filter(|table| !is_printed(table))
        .map(|table| format!("{} {}", table.family, table.name))
        .collect()
}

pub(crate) fn parse_table(body: &[u8]) -> Option<NftTable> {
    let family = match *body.first()? {
        1 => "inet".into(),
        2 => "ip".into(),
        3 => "arp".into(),
        5 => "netdev".into(),
        7 => "bridge".into(),
        10 => "ip6".into(),
        other => format!("family {other}"),
    };
    let name = attributes(body, HEADER)
        .find(|(kind, _)| *kind == NFTA_TABLE_NAME)?
        .1;
    Some(NftTable {
        family,
        name: text(name),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `refusal` is a part of the reason not to read nf_tables.
    fn check_root(test: &str, files: &[(&str, &str)], refusal: Option<&str>) {
        let root = tempfile::tempdir().expect("the temporary directory is writable");
        for (path, content) in files {
            let path = root.path().join(path);
            fs::create_dir_all(path.parent().expect("it is below the root")).expect("writable");
            fs::write(path, content).expect("writable");
        }
        match (check(root.path()), refusal) {
            (Ok(()), None) => {}
            (Err(reason), Some(part)) => assert!(reason.contains(part), "{test}: {reason}"),
            (other, _) => panic!("{test}: {other:?}"),
        }
    }

    #[test]
    fn asking_is_safe_where_nothing_would_be_loaded() {
        let release = ("proc/sys/kernel/osrelease", "6.1.0\n");
        let none = (
            "proc/modules",
            "x_tables 65536 2 nf_tables_x,nft_compat, Live 0x0\n",
        );
        let built_in = "kernel/net/netfilter/nf_tables.ko\n";
        check_root("monolithic", &[release], None);
        check_root(
            "loaded",
            &[("proc/modules", "nf_tables 376832 5 - Live 0x0\n")],
            None,
        );
        check_root("sys", &[none, ("sys/module/nf_tables/x", "")], None);
        check_root(
            "locked",
            &[none, ("proc/sys/kernel/modules_disabled", "1\n")],
            None,
        );
        check_root(
            "built-in",
            &[
                none,
                release,
                ("lib/modules/6.1.0/modules.builtin", built_in),
            ],
            None,
        );
        check_root(
            "hosts",
            &[
                none,
                release,
                ("proc/1/root/lib/modules/6.1.0/modules.builtin", built_in),
            ],
            None,
        );
        let absent = (
            "lib/modules/6.1.0/modules.builtin",
            "kernel/nf_tables_set.ko\n",
        );
        check_root("absent", &[none, release, absent], Some("holds no rules"));
        let other = ("lib/modules/6.0.0/modules.builtin", built_in);
        check_root(
            "other-kernel",
            &[none, release, other],
            Some("not to be found out"),
        );
    }

    #[test]
    fn native_tables_are_told_from_those_of_iptables() {
        let table = |family: &str, name: &str| NftTable {
            family: family.into(),
            name: name.into(),
        };
        let tables = [
            table("ip", "nat"),
            table("ip6", "nat"),
            table("inet", "istio-proxy-nat"),
            table("ip", "kube-proxy"),
            table("inet", "nat"),
        ];
        assert_eq!(
            unprinted(&tables, &[Family::Ipv4]),
            [
                "ip6 nat",
                "inet istio-proxy-nat",
                "ip kube-proxy",
                "inet nat"
            ]
        );
        assert_eq!(
            unprinted(&tables[..2], &[Family::Ipv4, Family::Ipv6]),
            [""; 0]
        );
    }

    #[test]
    fn a_table_is_read_from_its_message() {
        let mut body = vec![1, 0, 0, 0];
        body.extend(9_u16.to_ne_bytes());
        body.extend(NFTA_TABLE_NAME.to_ne_bytes());
        body.extend(b"mesh\0\0\0\0");
        let expected = NftTable {
            family: "inet".into(),
            name: "mesh".into(),
        };
        assert_eq!(parse_table(&body), Some(expected));
        assert_eq!(parse_table(&body[..4]), None);
    }
}
