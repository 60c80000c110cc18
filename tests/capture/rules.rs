//! The rules: the output of the save commands, and no change of the namespace.

use std::collections::BTreeMap;
use std::fs;
use std::net::{TcpListener, UdpSocket};
use std::process::Command;

use chainwalk_core::input::capture::{Capture, CapturedRules};
use chainwalk_core::netfilter::backend::Backend;
use chainwalk_core::packet::Family;
use chainwalk_tests::namespace::{Namespace, Pod, Resident, program};
use serde_json::Value;

use crate::{SIDECAR, TPROXY, binary, capture, capture_json, sidecar};

fn rules(capture: &Capture, family: Family, backend: Backend) -> &CapturedRules {
    let mut found = capture
        .rulesets
        .iter()
        .filter(|rules| (rules.family, rules.backend) == (family, backend));
    let rules = found
        .next()
        .unwrap_or_else(|| panic!("{family} {backend:?} was not asked"));
    assert!(
        found.next().is_none(),
        "{family} {backend:?} was asked twice"
    );
    rules
}

/// A dump without the parts that change over time: comment lines and counters.
fn plain(dump: &str) -> Vec<String> {
    dump.lines()
        .filter(|line| !line.starts_with('#'))
        .map(|line: &str| match line.split_once('[') {
            Some(("", rest)) => rest
                .split_once("] ")
                .expect("the counters end")
                .1
                .to_owned(),
            Some((chain, _)) if chain.starts_with(':') => chain.to_owned(),
            _ => line.to_owned(),
        })
        .collect()
}

/// Checks that the rules of `backend` in a capture are those of its own save command, and that the
/// other backend has none.
fn check_rules(namespace: &Namespace, capture: &Capture, backend: Backend) {
    for family in [Family::Ipv4, Family::Ipv6] {
        for asked in [Backend::Legacy, Backend::Nft] {
            let rules = rules(capture, family, asked);
            let save = program(asked, family, "save");
            assert_eq!(rules.command, [save.as_str(), "-c"]);
            assert_eq!(rules.exit_code, Some(0), "{save}");
            assert!(
                rules.version.as_deref().is_some_and(|version| version
                    .starts_with(save.split('-').next().expect("a word"))
                    && version.contains(" v1.")),
                "{save}: {:?}",
                rules.version
            );
            assert_eq!(
                plain(&rules.text),
                plain(&namespace.save(asked, family)),
                "{save}"
            );
            assert_eq!(rules.text.contains("-A OUTPUT"), asked == backend, "{save}");
            assert_eq!(
                rules.text.contains("] -A OUTPUT"),
                asked == backend,
                "{save}: no counters"
            );
        }
    }
}

#[test]
fn legacy_rules() {
    let (pod, resident) = sidecar("legacy", Backend::Legacy, SIDECAR);
    let capture = capture(resident.pid());
    check_rules(&pod.namespace, &capture, Backend::Legacy);
    let nft = rules(&capture, Family::Ipv4, Backend::Nft);
    assert!(
        nft.stderr.contains("iptables-legacy tables present"),
        "{}",
        nft.stderr
    );
    assert_eq!(capture.warnings, [""; 0]);
}

#[test]
fn nft_rules() {
    let (pod, resident) = sidecar("nft", Backend::Nft, TPROXY);
    let capture = capture(resident.pid());
    check_rules(&pod.namespace, &capture, Backend::Nft);
    assert_eq!(capture.warnings, [""; 0]);
}

#[test]
fn rules_of_both_backends() {
    let (pod, resident) = sidecar("both", Backend::Legacy, SIDECAR);
    pod.namespace.load(Backend::Nft, Family::Ipv4, TPROXY);
    let capture = capture(resident.pid());
    for backend in [Backend::Legacy, Backend::Nft] {
        let rules = rules(&capture, Family::Ipv4, backend);
        assert_eq!(
            plain(&rules.text),
            plain(&pod.namespace.save(backend, Family::Ipv4))
        );
        assert!(!rules.text.is_empty());
    }
}

#[test]
fn native_nftables_are_warned_of() {
    let (pod, resident) = sidecar("native", Backend::Nft, TPROXY);
    pod.namespace
        .run("nft", &["add", "table", "inet", "istio-proxy-nat"]);
    // Nothing is missing, because nft's own listing contains the rules.
    let capture = capture(resident.pid());
    let [warning] = &capture.warnings[..] else {
        panic!("one warning: {:?}", capture.warnings)
    };
    assert!(
        warning.contains("does not print: inet istio-proxy-nat;"),
        "{warning}"
    );
    let nftables = capture.nftables.expect("nft is installed");
    assert_eq!(
        (nftables.exit_code, &nftables.command[1..]),
        (Some(0), &["-j", "list", "ruleset"].map(String::from)[..])
    );
    assert!(
        nftables
            .version
            .is_some_and(|version| version.starts_with(|first: char| first.is_ascii_digit()))
    );
    let listing: Value = serde_json::from_str(&nftables.text).expect("it is JSON");
    let tables = listing["nftables"]
        .as_array()
        .expect("a list")
        .iter()
        .filter_map(|item| item["table"]["name"].as_str());
    assert!(
        tables.into_iter().any(|name| name == "istio-proxy-nat"),
        "{listing}"
    );
}

/// Everything in a namespace that a capture might change.
pub(crate) fn state(namespace: &Namespace) -> BTreeMap<String, String> {
    let mut state = BTreeMap::new();
    for file in ["ip_tables_names", "ip6_tables_names", "arp_tables_names"] {
        let names =
            namespace.inside(|| fs::read_to_string(format!("/proc/thread-self/net/{file}")));
        state.insert(
            file.to_owned(),
            names.unwrap_or_else(|error| error.to_string()),
        );
    }
    // The netlink sockets of these commands appear and disappear with them.
    for file in [
        "tcp",
        "tcp6",
        "udp",
        "udp6",
        "raw",
        "raw6",
        "packet",
        "unix",
        "nf_conntrack",
    ] {
        let table =
            namespace.inside(|| fs::read_to_string(format!("/proc/thread-self/net/{file}")));
        let table = table.unwrap_or_else(|error| error.to_string());
        // Without the remaining seconds of a connection.
        state.insert(
            file.to_owned(),
            table
                .lines()
                .map(|line: &str| {
                    line.split_whitespace()
                        .filter(|word| word.parse::<u64>().is_err())
                        .collect::<Vec<_>>()
                        .join(" ")
                })
                .collect::<Vec<_>>()
                .join("\n"),
        );
    }
    for list in [
        "-o link",
        "-o address",
        "-4 route show table all",
        "-6 route show table all",
        "-4 rule",
        "-6 rule",
    ] {
        state.insert(list.to_owned(), namespace.ip(list));
    }
    state.insert(
        "nft".into(),
        namespace.run("nft", &["--stateless", "list", "ruleset"]),
    );
    state.insert(
        "processes".into(),
        run_ip(&["netns", "pids", namespace.name()]),
    );
    // The modules of the whole machine. The file is absent if the kernel has no modules. Other
    // programs may load some, but not these.
    let modules = fs::read_to_string("/proc/modules").unwrap_or_default();
    let mut names: Vec<&str> = modules
        .lines()
        .filter_map(|line| line.split(' ').next())
        .collect();
    names.retain(|name| {
        ["nf", "ip", "xt", "x_", "nft"]
            .iter()
            .any(|start| name.starts_with(start))
    });
    names.sort_unstable();
    state.insert("modules".into(), names.join(" "));
    state
}

fn run_ip(arguments: &[&str]) -> String {
    let output = Command::new("ip")
        .args(arguments)
        .output()
        .expect("`ip` is installed");
    String::from_utf8(output.stdout).expect("`ip` prints text")
}

#[test]
fn asking_changes_nothing() {
    binary();
    let untouched = Namespace::new("untouched");
    let resident = untouched.resident();
    let before = state(&untouched);
    assert_eq!(
        (before["ip_tables_names"].as_str(), before["nft"].as_str()),
        ("", "")
    );
    let empty = capture(resident.pid());
    assert_eq!(state(&untouched), before);
    assert!(
        empty.rulesets.iter().all(|rules| rules.text.is_empty()),
        "{:?}",
        empty.rulesets
    );
    assert_eq!(empty.rulesets.len(), 4);

    for (label, backend, ipv4) in [
        ("legacy", Backend::Legacy, SIDECAR),
        ("nft", Backend::Nft, TPROXY),
    ] {
        let (pod, resident) = sidecar(label, backend, ipv4);
        let _listening = pod
            .namespace
            .inside(|| TcpListener::bind("127.0.0.1:15001").expect("nobody has it"));
        let _sending = pod.namespace.inside(|| {
            let socket = UdpSocket::bind("10.244.1.5:40000").expect("nobody has it");
            socket
                .send_to(b"a connection is tracked", "93.184.216.34:9")
                .expect("there is a route");
            socket
        });
        let before = state(&pod.namespace);
        assert!(
            before["nf_conntrack"].contains("sport=40000") && before["tcp"].contains(":3A99"),
            "{before:?}"
        );
        capture(resident.pid());
        for (what, after) in state(&pod.namespace) {
            assert_eq!(after, before[&what], "{label}: {what}");
        }
    }
}

#[test]
fn nothing_from_a_containers_file_system_is_run() {
    binary();
    let pod = Pod::new("hostile");
    pod.namespace.load(Backend::Legacy, Family::Ipv4, SIDECAR);
    let mut command = pod.namespace.command("unshare");
    let script = "dir=$(dirname \"$(readlink -f \"$(command -v iptables-legacy-save)\")\")
        cat=$(readlink -f \"$(command -v cat)\")
        cp \"$cat\" /tmp/cat
        mount -t tmpfs none \"$dir\"
        for name in iptables ip6tables; do for kind in -legacy-save -nft-save -save; do
            printf '#!/bin/sh\\necho hostile\\n' > \"$dir/$name$kind\"
            chmod 755 \"$dir/$name$kind\"
        done; done
        exec /tmp/cat";
    command.args([
        "--mount",
        "sh",
        "-ec",
        &format!("mount -t tmpfs none /tmp\n{script}"),
    ]);
    let resident = Resident::start(command);
    let seen = format!(
        "/proc/{}/root/usr/sbin/iptables-legacy-save",
        resident.pid()
    );
    let hostile = fs::read_to_string(seen).is_ok_and(|text| text.contains("hostile"));
    assert!(hostile, "the container's own command is not in place");
    let text = capture_json(resident.pid());
    assert!(
        !text.contains("hostile") && text.contains("ISTIO_OUTPUT"),
        "{text}"
    );
}
