//! Whether the name of a control group proves the pod of its processes.

use std::os::unix::fs::chown;

use chainwalk_core::input::capture::Capture;
use chainwalk_tests::namespace::{Namespace, Resident};

use crate::binary;
use crate::machine::Root;

const POD: &str = "1f2d3c4b-5a69-4788-97a6-b5c4d3e2f100";
const OTHER: &str = "77777777-5a69-4788-97a6-b5c4d3e2f1ff";
/// In this order: only `cat`; with writable control groups; with read-only control groups.
const PLAIN: &str = "exec setpriv --bounding-set=-sys_admin cat";
const WRITABLE: &str = "mount -t cgroup2 none /mnt; exec setpriv --bounding-set=-sys_admin cat";
const READABLE: &str =
    "mount -t cgroup2 -o ro none /mnt; exec setpriv --bounding-set=-sys_admin cat";

fn start(namespace: &Namespace, script: &str) -> Resident {
    let mut command = namespace.command("unshare");
    command.args(["--mount", "sh", "-ec", script]);
    Resident::start(command)
}

fn capture(root: &Root, option: &str, value: &str) -> (Capture, String) {
    let capture = root.capture(&[option, value]);
    let warnings = capture.warnings.join("\n");
    (capture, warnings)
}

/// Checks that the UID finds the pod, whose control group is `cgroup`.
fn check(label: &str, script: &str, cgroup: &str, doubt: Option<&str>) {
    binary();
    let root = Root::new(label);
    let namespace = Namespace::new(label);
    let resident = start(&namespace, script);
    root.add(resident.pid(), cgroup);
    if doubt.is_some_and(|doubt| doubt.contains("user 1000")) {
        let (_, path) = cgroup.trim_end().split_once("::/").expect("version 2");
        chown(root.0.join("sys/fs/cgroup").join(path), Some(1000), None)
            .expect("root may give it away");
    }
    let (capture, warnings) = self::capture(&root, "--pod-uid", POD);
    assert_eq!(capture.target.pod_uid.as_deref(), Some(POD), "{label}");
    assert_eq!(
        capture.target.pod_uid_proven,
        Some(doubt.is_none()),
        "{label}: {warnings}"
    );
    match doubt {
        Some(doubt) => {
            let inode = capture.target.netns_inode.expect("it has one").to_string();
            for part in [
                doubt,
                "it is not proven that this is the pod",
                "crictl inspectp",
                &inode,
            ] {
                assert!(
                    warnings.contains(part),
                    "{label}: `{part}` is not in {warnings}"
                );
            }
        }
        None => assert!(!warnings.contains("proven"), "{label}: {warnings}"),
    }
}

#[test]
fn a_pod_is_proven_where_nobody_in_it_could_have_named_it() {
    let group = format!("0::/kubepods/pod{POD}\n");
    let nested = format!("0::/kubepods/pod{OTHER}/{}/pod{POD}\n", "0a".repeat(32));
    check("proven", PLAIN, &group, None);
    check("readable", READABLE, &group, None);
    check(
        "privileged",
        "exec cat",
        &group,
        Some("may get the capability SYS_ADMIN"),
    );
    check(
        "writable",
        WRITABLE,
        &group,
        Some("has control groups mounted writable at /mnt"),
    );
    check(
        "nested",
        PLAIN,
        &nested,
        Some("in that of another pod or container"),
    );
    check(
        "delegated",
        PLAIN,
        &group,
        Some("user 1000 owns the control group"),
    );
}

#[test]
fn one_privileged_container_makes_its_pod_doubtful() {
    binary();
    let root = Root::new("doubtful");
    let namespace = Namespace::new("doubtful");
    let id = "0a".repeat(32);
    let plain = start(&namespace, PLAIN);
    root.add(plain.pid(), &format!("0::/kubepods/pod{POD}/{id}\n"));
    let privileged = start(&namespace, "exec cat");
    root.add(
        privileged.pid(),
        &format!("0::/kubepods/pod{POD}/{}\n", "0b".repeat(32)),
    );
    let who = format!("process {}", privileged.pid());
    let (capture, warnings) = self::capture(&root, "--container", &id);
    assert_eq!(capture.target.pod_uid_proven, Some(false));
    assert!(warnings.contains(&who), "{warnings}");
    // A user who names a process has chosen it explicitly.
    let (capture, warnings) = self::capture(&root, "--pid", &plain.pid().to_string());
    assert_eq!(
        (capture.target.pod_uid_proven, warnings.contains("proven")),
        (Some(false), false),
        "{warnings}"
    );
}
