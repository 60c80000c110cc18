//! The messages of the program if it cannot do everything that the user requested.

use std::fs;
use std::os::unix::process::CommandExt;
use std::process::{Command, Output, Stdio};

use chainwalk_core::input::capture::Capture;
use chainwalk_core::netfilter::backend::Backend;
use chainwalk_core::packet::Family;
use chainwalk_tests::namespace::wait_for;

use crate::{SIDECAR, TPROXY, binary, run, sidecar};

/// Runs the program under test from a shell script that is root in a mount namespace of its own.
/// `$1` is the program, `$2` the process.
pub(crate) fn run_after(script: &str, pid: u32) -> Output {
    Command::new("unshare")
        .args([
            "--mount",
            "sh",
            "-ec",
            &format!("{script}\nexec \"$1\" --pid \"$2\""),
            "sh",
        ])
        .arg(binary())
        .arg(pid.to_string())
        .output()
        .expect("unshare is installed")
}

/// Hides every save command: a file that is not regular is not a command. `/dev/null` is mounted
/// over the targets of the links.
pub(crate) const HIDE: &str =
    "for file in /usr/sbin/*tables*-save /sbin/*tables*-save /usr/bin/*tables*-save; do
    if [ -e \"$file\" ] && [ ! -c \"$file\" ]; then mount --bind /dev/null \"$file\"; fi
done";

/// Checks the exit code and one line on standard error with these parts.
fn check_failure(output: &Output, code: i32, parts: &[&str]) {
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{stderr}");
    assert!(output.stdout.is_empty());
    assert!(
        stderr.starts_with("chainwalk-capture: ") && stderr.lines().count() == 1,
        "{stderr}"
    );
    for part in parts {
        assert!(stderr.contains(part), "`{part}` is not in: {stderr}");
    }
}

#[test]
fn no_such_process() {
    check_failure(
        &run(&["--pid", "4294967295"]),
        1,
        &["no process 4294967295", "--list"],
    );
}

#[test]
fn a_process_that_has_ended() {
    // The process ends, but its status is not collected. What remains has no namespaces.
    let mut child = Command::new("true").spawn().expect("every system has it");
    let stat = format!("/proc/{}/stat", child.id());
    wait_for("the process to end", || {
        fs::read_to_string(&stat).is_ok_and(|stat| stat.contains(") Z "))
    });
    let output = run(&["--pid", &child.id().to_string()]);
    child.wait().expect("it was started");
    check_failure(&output, 1, &["has ended"]);
}

#[test]
fn not_root() {
    let (_pod, resident) = sidecar("user", Backend::Legacy, SIDECAR);
    // The program is copied, because other users may not be able to read the build directory.
    // Another program writes the copy: a file that this process has open for writing may also be
    // open in child processes of other tests, and then the kernel refuses to run it.
    let directory = std::env::temp_dir().join(format!("cw-{}-user", std::process::id()));
    let copy = directory.join("chainwalk-capture");
    let status = Command::new("install")
        .args(["-D", "-m", "755"])
        .args([binary(), &copy])
        .status();
    assert!(
        status.expect("every system has it").success(),
        "the program under test cannot be copied"
    );
    let pid = resident.pid().to_string();
    let output = Command::new(&copy)
        .args(["--pid", &pid])
        .uid(65534)
        .gid(65534)
        .output();
    fs::remove_dir_all(&directory).expect("its owner");
    let next_step = format!("sudo chainwalk-capture --pid {pid}");
    check_failure(
        &output.expect("anyone may run it"),
        1,
        &["only root", &next_step],
    );
}

#[test]
fn no_iptables_on_this_machine() {
    let (_pod, resident) = sidecar("none", Backend::Legacy, SIDECAR);
    check_failure(
        &run_after(HIDE, resident.pid()),
        1,
        &["no iptables-save", "package `iptables`"],
    );
}

#[test]
fn wrong_usage() {
    check_failure(&run(&[]), 2, &["--pid PID"]);
    check_failure(&run(&["--pid", "\u{1b}[31mred"]), 2, &["is not a number"]);
    check_failure(&run(&["--frobnicate"]), 2, &["--frobnicate"]);
    let output = run(&["--pid", "\u{1b}[31mred"]);
    assert!(!output.stderr.contains(&0x1b), "a terminal would obey this");
}

#[test]
fn help_and_version() {
    for (option, part) in [
        ("--help", "sudo chainwalk-capture --pid PID"),
        ("--version", env!("CARGO_PKG_VERSION")),
    ] {
        let output = run(&[option]);
        assert_eq!(output.status.code(), Some(0));
        assert!(
            String::from_utf8(output.stdout)
                .expect("text")
                .contains(part),
            "{option}"
        );
        assert!(output.stderr.is_empty());
    }
}

#[test]
fn a_closed_pipe_is_no_error() {
    let (_pod, resident) = sidecar("pipe", Backend::Legacy, SIDECAR);
    let mut child = Command::new(binary())
        .args(["--pid", &resident.pid().to_string()])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program under test can be run");
    drop(child.stdout.take());
    let output = child.wait_with_output().expect("it was started");
    assert_eq!((output.status.code(), output.stderr.len()), (Some(0), 0));
}

#[test]
fn a_machine_with_the_plain_command_only() {
    let (_pod, resident) = sidecar("plain", Backend::Nft, TPROXY);
    let copy = "mount -t tmpfs none /usr/local/sbin
        cp \"$(readlink -f \"$(command -v iptables-nft-save)\")\" /usr/local/sbin/iptables-save";
    let output = run_after(&format!("{copy}\n{HIDE}"), resident.pid());
    assert_eq!(
        output.status.code(),
        Some(0),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let capture: Capture = serde_json::from_slice(&output.stdout).expect("a capture");
    let [rules] = &capture.rulesets[..] else {
        panic!("one command")
    };
    assert_eq!((rules.family, rules.backend), (Family::Ipv4, Backend::Nft));
    assert_eq!(rules.command, ["iptables-save", "-c"]);
    assert!(rules.text.contains("-A OUTPUT"), "{}", rules.text);
    let warnings = capture.warnings.join("\n");
    assert!(
        warnings.contains("ip6 nat"),
        "rules that no command could print: {warnings}"
    );
}

#[test]
fn legacy_tables_that_no_command_can_print_are_warned_of() {
    let (_pod, resident) = sidecar("unprinted", Backend::Legacy, SIDECAR);
    let hide = HIDE.replace("*tables*-save", "*tables-legacy-save");
    let output = run_after(&hide, resident.pid());
    let capture: Capture = serde_json::from_slice(&output.stdout).expect("a capture");
    assert!(
        capture
            .rulesets
            .iter()
            .all(|rules| rules.backend == Backend::Nft),
        "{:?}",
        capture.rulesets
    );
    let warnings = capture.warnings.join("\n");
    for part in [
        "IPv4 has legacy tables (",
        "IPv6 has legacy tables (nat)",
        "ip6tables-legacy-save is missing",
    ] {
        assert!(warnings.contains(part), "{warnings}");
    }
}
