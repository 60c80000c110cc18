//! Failures of real nodes: each gives a clear message, and the parts that could be read.

use std::fmt::Write as _;
use std::fs;
use std::process::{Command, Output};

use chainwalk_core::input::capture::{Capture, CapturedRules};
use chainwalk_core::netfilter::backend::Backend;
use chainwalk_core::packet::Family;
use chainwalk_tests::namespace::Resident;

use crate::machine::{Node, Root, machine};
use crate::refusal::run_after;
use crate::{SIDECAR, binary, run, sidecar};

/// Replaces every legacy tool with a script, for the program under test only.
pub(crate) fn instead(root: &Root, script: &str) -> String {
    root.write("script", &format!("#!/bin/sh\n{script}\n"));
    let script = root.0.join("script").display().to_string();
    format!(
        "chmod 755 {script}; mount --bind {script} \"$(readlink -f /usr/sbin/iptables-legacy-save)\""
    )
}

pub(crate) fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// A partial capture whose warnings contain these words.
pub(crate) fn check_partial(output: &Output, parts: &[&str]) -> Capture {
    let said = stderr(output);
    assert_eq!(output.status.code(), Some(3), "{said}");
    let capture: Capture = serde_json::from_slice(&output.stdout).expect("a capture");
    let warnings = capture.warnings.join("\n");
    for part in parts {
        assert!(
            warnings.contains(part) && said.contains(part),
            "`{part}` is not in: {warnings}"
        );
    }
    capture
}

#[test]
fn the_pod_dies_in_the_middle() {
    let root = Root::new("dies");
    let (_pod, resident) = sidecar("dies", Backend::Nft, SIDECAR);
    let pid = resident.pid();
    let script = instead(
        &root,
        &format!("kill -9 {pid}; while grep -qs . /proc/{pid}/cmdline; do :; done"),
    );
    let capture = check_partial(&run_after(&script, pid), &["ended meanwhile"]);
    assert_eq!(capture.target.pid, Some(pid));
    // The namespace is held open, so its rules and addresses are still readable.
    assert!(
        capture
            .rulesets
            .iter()
            .any(|rules| rules.text.contains("ISTIO_OUTPUT"))
    );
    assert!(
        capture
            .host
            .interface("eth0")
            .is_some_and(|eth0| !eth0.addresses.is_empty())
    );
}

#[test]
fn the_number_goes_to_another_process() {
    let (root, pods) = machine("reused");
    let [first, second] = pods.each_ref().map(|pod: &Node| pod.containers[1].0.pid());
    let own = root.0.join(format!("proc/{first}/ns"));
    let script = instead(
        &root,
        &format!("ln -sfn /proc/{second}/ns {}", own.display()),
    );
    let script = format!(
        "{script}\nexec \"$1\" --root {} --pid \"$2\"",
        root.0.display()
    );
    let capture = check_partial(
        &run_after(&script, first),
        &["went to another network namespace"],
    );
    assert_eq!(capture.target.netns_inode, Some(pods[0].inode()));
    // The listeners of the other pod are not included.
    assert!(
        capture
            .host
            .interface("eth0")
            .is_some_and(|eth0| eth0.addresses[0].to_string() == "10.244.1.5/24")
    );
}

#[test]
fn a_save_command_that_never_ends() {
    let root = Root::new("hangs");
    let (_pod, resident) = sidecar("hangs", Backend::Nft, SIDECAR);
    let script = instead(&root, "echo '*nat'; printf ':half a line'; exec sleep 1000");
    let script = format!("{script}\nexec \"$1\" --timeout 2 --pid \"$2\"");
    let capture = check_partial(
        &run_after(&script, resident.pid()),
        &["iptables-legacy-save was stopped after 2 s"],
    );
    let stopped = capture
        .rulesets
        .iter()
        .find(|rules| rules.backend == Backend::Legacy)
        .expect("it was asked");
    assert_eq!((stopped.text.as_str(), stopped.exit_code), ("*nat\n", None));
    assert!(
        capture
            .rulesets
            .iter()
            .any(|rules| rules.text.contains("ISTIO_OUTPUT"))
    );
}

#[test]
fn a_hundred_thousand_rules() {
    // nft takes a few seconds for a fifth of that number.
    for (backend, most) in [(Backend::Legacy, 100_000), (Backend::Nft, 20_000)] {
        let mut rules = String::from(
            "*filter\n:INPUT ACCEPT [0:0]\n:FORWARD ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\n",
        );
        for number in 0..most {
            let [_, a, b, c] = u32::to_be_bytes(number);
            writeln!(
                rules,
                "-A INPUT -s 10.{a}.{b}.{c}/32 -p tcp -m tcp --dport {} -j DROP",
                number % 65_536
            )
            .expect("a String takes any text");
        }
        rules.push_str("COMMIT\n");
        let (pod, resident) = sidecar("many", backend, SIDECAR);
        pod.namespace.load(backend, Family::Ipv4, &rules);
        let output = run(&["--pid", &resident.pid().to_string()]);
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
        let capture: Capture = serde_json::from_slice(&output.stdout).expect("a capture");
        assert_eq!(
            capture
                .rulesets
                .iter()
                .map(|rules: &CapturedRules| rules.text.matches("-A INPUT -s 10.").count())
                .sum::<usize>(),
            most as usize,
            "{backend:?}"
        );
    }
}

/// Runs the program as root without one capability.
fn without(capability: &str, pid: u32) -> Output {
    Command::new("setpriv")
        .arg(format!("--bounding-set=-{capability}"))
        .arg(binary())
        .args(["--pid", &pid.to_string()])
        .output()
        .expect("setpriv is installed")
}

#[test]
fn a_capability_that_is_missing_is_named() {
    let (_pod, resident) = sidecar("capable", Backend::Legacy, SIDECAR);
    let pid = resident.pid();
    let sudo = format!("sudo chainwalk-capture --pid {pid}");
    for (capability, name) in [("sys_admin", "SYS_ADMIN"), ("sys_ptrace", "SYS_PTRACE")] {
        let output = without(capability, pid);
        let said = stderr(&output);
        assert_eq!(
            (output.status.code(), output.stdout.len()),
            (Some(1), 0),
            "{said}"
        );
        assert!(
            said.contains(&format!("the capability {name} is missing")) && said.contains(&sudo),
            "{said}"
        );
    }
    // The capabilities are required for the rules. The other parts are there.
    for (capability, name, tool) in [
        ("net_admin", "NET_ADMIN", "iptables-nft-save failed"),
        ("net_raw", "NET_RAW", "iptables-legacy-save failed"),
    ] {
        let output = without(capability, pid);
        let missing = format!("the capability {name} is missing");
        let capture = check_partial(&output, &[tool, &missing, "sudo chainwalk-capture"]);
        assert!(capture.host.interface("eth0").is_some(), "{capability}");
    }
}

#[test]
fn the_own_namespace_takes_no_right_to_enter() {
    // As in the ephemeral container of a pod, which has only NET_ADMIN and NET_RAW.
    let (pod, _resident) = sidecar("ephemeral", Backend::Legacy, SIDECAR);
    let mut command = pod.namespace.command("setpriv");
    command
        .arg("--bounding-set=-all,+net_admin,+net_raw")
        .arg(binary())
        .args(["--netns", "/proc/self/ns/net"]);
    let capture = check_partial(
        &command.output().expect("`ip` is installed"),
        &["SYS_PTRACE"],
    );
    assert!(
        capture.rulesets[0].text.contains("ISTIO_OUTPUT"),
        "{:?}",
        capture.rulesets[0]
    );
    assert!(capture.host.interface("eth0").is_some());
}

#[test]
fn a_proc_that_hides_processes() {
    let (_pod, resident) = sidecar("hidden", Backend::Legacy, SIDECAR);
    let mut command = Command::new("setpriv");
    command.args([
        "--reuid",
        "1000",
        "--regid",
        "1000",
        "--clear-groups",
        "cat",
    ]);
    let hidden = Resident::start(command);
    for (pid, part) in [(hidden.pid(), "hidepid"), (resident.pid(), "SYS_PTRACE")] {
        let script = "mount -t proc -o hidepid=2,gid=4242 proc /proc
            exec setpriv --bounding-set=-sys_ptrace \"$1\" --pid \"$2\"";
        let output = run_after(script, pid);
        let said = stderr(&output);
        assert_eq!(
            (output.status.code(), output.stdout.len()),
            (Some(1), 0),
            "{said}"
        );
        assert!(
            said.contains(part) && said.contains("SYS_PTRACE is missing") && said.contains("sudo"),
            "{said}"
        );
    }
}

#[test]
fn the_ids_of_a_pod_with_its_own_user_namespace() {
    binary();
    let mut command = Command::new("unshare");
    command.args(["--user", "--net", "cat"]);
    let resident = Resident::start(command);
    let pid = resident.pid();
    fs::write(format!("/proc/{pid}/gid_map"), "0 200000 65536")
        .expect("root may map what it likes");
    fs::write(format!("/proc/{pid}/uid_map"), "0 100000 65536")
        .expect("root may map what it likes");
    let target = format!("--target={pid}");
    let mut command = Command::new("nsenter");
    command.args([
        target.as_str(),
        "--user",
        "--net",
        "--setuid=1337",
        "--setgid=1338",
        "cat",
    ]);
    let proxy = Resident::start(command);
    let output = run(&["--pid", &pid.to_string()]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let capture: Capture = serde_json::from_slice(&output.stdout).expect("a capture");
    let process = capture
        .host
        .processes
        .iter()
        .find(|process| process.pid == proxy.pid())
        .expect("it is inside");
    assert_eq!(
        (process.uid, process.gid, process.host_uid),
        (1337, 1338, Some(101_337))
    );
    // An id without a number in the namespace is shown as the kernel shows it.
    let first = capture
        .host
        .processes
        .iter()
        .find(|process| process.pid == pid)
        .expect("it is inside");
    assert_eq!((first.uid, first.host_uid), (65534, Some(0)));
}
