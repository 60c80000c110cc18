//! The system calls of the program, recorded by strace.

use std::fs;
use std::process::{Command, Output};

use chainwalk_core::input::capture::Capture;
use chainwalk_core::netfilter::backend::Backend;

use crate::binary;
use crate::machine::machine;

/// The calls that start programs and open sockets, by the program under test and its child
/// processes.
fn calls(root: &crate::machine::Root, pid: u32) -> (String, Capture, Option<i32>) {
    let (calls, output) = traced(root, &["--pid", &pid.to_string()]);
    let capture = serde_json::from_slice(&output.stdout);
    let capture = capture.unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&output.stderr)));
    (calls, capture, output.status.code())
}

fn traced(root: &crate::machine::Root, arguments: &[&str]) -> (String, Output) {
    let log = root.0.join("calls");
    let output = Command::new("strace")
        .args(["-f", "-qq", "-e", "trace=execve,execveat,socket", "-o"])
        .arg(&log)
        .arg(binary())
        .arg("--root")
        .arg(&root.0)
        .args(arguments)
        .output()
        .expect("strace is installed");
    (fs::read_to_string(log).expect("strace wrote it"), output)
}

#[test]
fn nft_is_not_run_where_its_listing_is_not_printed() {
    let (root, pods) = machine("unlisted");
    let pid = pods[1].containers[1].0.pid().to_string();
    for arguments in [
        &["--pid", &pid][..],
        &["--pid", &pid, "--text"],
        &["--pid", &pid, "--redact"],
        &["--pid", &pid, "--link", "https://example.org/"],
    ] {
        let (calls, output) = traced(&root, arguments);
        assert_eq!(
            output.status.code(),
            Some(0),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        assert_eq!(
            calls.contains("/nft\""),
            arguments.len() == 2,
            "{arguments:?}: {calls}"
        );
    }
}

#[test]
fn where_nf_tables_is_absent_nothing_touches_it() {
    let (root, pods) = machine("quiet");
    let pid = pods[0].containers[1].0.pid();
    // First a case in which the call occurs, to check that this test would see it.
    let (seen, capture, code) = calls(&root, pid);
    assert!(
        seen.contains("/usr/sbin/iptables-nft-save\"") && seen.contains("/nft\""),
        "{seen}"
    );
    assert!(seen.contains("NETLINK_NETFILTER"), "{seen}");
    assert_eq!(
        (capture.rulesets.len(), code),
        (4, Some(0)),
        "{:?}",
        capture.warnings
    );

    root.write("proc/modules", "x_tables 65536 2 ip_tables, Live 0x0\n");
    root.write("proc/sys/kernel/osrelease", "6.1.0-18-amd64\n");
    root.write(
        "lib/modules/6.1.0-18-amd64/modules.builtin",
        "kernel/fs/ext4/ext4.ko\n",
    );
    let (calls, capture, code) = calls(&root, pid);
    assert!(
        calls.contains("iptables-legacy-save\"") && calls.contains("NETLINK_ROUTE"),
        "{calls}"
    );
    for line in calls.lines() {
        for forbidden in [
            "nft",
            "NETLINK_NETFILTER",
            "NETLINK_SOCK_DIAG",
            "NETLINK_INET_DIAG",
        ] {
            assert!(!line.contains(forbidden), "{line}");
        }
    }
    assert!(
        capture
            .rulesets
            .iter()
            .all(|rules| rules.backend == Backend::Legacy && !rules.text.is_empty())
    );
    assert_eq!(capture.nftables, None);
    assert_eq!(code, Some(3));
    assert!(
        capture.warnings[0].contains("nf_tables was not asked"),
        "{:?}",
        capture.warnings
    );
}

#[test]
fn every_program_that_is_started_stands_at_a_fixed_place() {
    let (root, pods) = machine("places");
    let (calls, ..) = calls(&root, pods[1].containers[1].0.pid());
    let started = calls
        .lines()
        .filter(|line| line.contains("execve(\""))
        .skip(1); // the program under test itself
    // The program runs itself again to limit its child processes.
    let (again, started): (Vec<&str>, Vec<&str>) =
        started.partition(|line| line.contains("execve(\"/proc/self/exe\""));
    assert!(
        again
            .iter()
            .all(|line| line.contains("[\"/proc/self/exe\", \"--launch\", ")),
        "{calls}"
    );
    let started: Vec<String> = started
        .iter()
        .filter_map(|line: &&str| {
            line.split_once("execve(\"")
                .and_then(|(_, rest)| rest.split('"').next().map(str::to_owned))
        })
        .collect();
    assert!(started.len() >= 5, "{calls}");
    for program in started {
        assert!(
            ["/usr/sbin/", "/sbin/", "/usr/bin/"]
                .iter()
                .any(|place| program.starts_with(place)),
            "{program}"
        );
    }
}
