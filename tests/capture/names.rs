//! Names that attackers choose: they cannot make a row, a line, or a terminal command.

use std::fs;
use std::process::{Command, Output};

use chainwalk_core::input::capture::Capture;
use chainwalk_core::netfilter::backend::Backend;
use chainwalk_core::text::visible::is_invisible;
use chainwalk_tests::namespace::{Pod, Resident};

use crate::machine::Root;
use crate::{SIDECAR, binary, run, sidecar};

/// Waits under such a host name and command, like `cat`.
const HOSTILE: &str = "
import socket, sys
socket.sethostname(b'web\\n4026531840  1  10.0.0.1  (this machine)\\x1b[2J\\xe2\\x80\\xae')
open('/proc/self/comm', 'wb').write(b'env\\noy\\x1b]0;x')
for line in iter(sys.stdin.readline, ''):
    sys.stdout.write(line)
    sys.stdout.flush()
";

fn hostile(pod: &Pod) -> Resident {
    let mut command = pod.namespace.command("unshare");
    command.args(["--uts", "python3", "-c", HOSTILE]);
    Resident::start(command)
}

/// The lines of a text without invisible characters.
fn lines(bytes: &[u8]) -> Vec<String> {
    let text = String::from_utf8(bytes.to_vec()).expect("text");
    let lines: Vec<String> = text.lines().map(str::to_owned).collect();
    for line in &lines {
        assert!(!line.contains(is_invisible), "{line:?}");
    }
    lines
}

#[test]
fn no_host_name_and_no_command_makes_a_row() {
    binary();
    let root = Root::new("rows");
    let pods = [Pod::new("rows-a"), Pod::new("rows-b")];
    let residents = pods.each_ref().map(hostile);
    for resident in &residents {
        root.add(resident.pid(), "0::/\n");
    }
    let list = root.run(&["--list"]);
    assert_eq!(
        (list.status.code(), lines(&list.stdout).len()),
        (Some(0), 3),
        "{list:?}"
    );
    assert!(
        lines(&list.stdout)[1].contains("web<U+000A>4026531840"),
        "{list:?}"
    );
    assert!(
        lines(&list.stdout)[1].contains("env<U+000A>oy<U+001B>]0;x"),
        "{list:?}"
    );
    // The table of candidates, and a message with the typed text.
    let several = root.run(&["--name", "env\noy"]);
    assert_eq!(
        (several.status.code(), lines(&several.stderr).len()),
        (Some(1), 4),
        "{several:?}"
    );
    let none = root.run(&["--name", "x\ny\u{202e}"]);
    assert_eq!(
        (none.status.code(), lines(&none.stderr).len()),
        (Some(1), 1),
        "{none:?}"
    );
    let path = run(&["--netns", "/tmp/x\ny\u{1b}[2J"]);
    assert_eq!(
        (path.status.code(), lines(&path.stderr).len()),
        (Some(1), 1),
        "{path:?}"
    );
    // The JSON contains the exact names.
    let output = root.run(&["--pid", &residents[0].pid().to_string()]);
    lines(&output.stdout);
    let capture: Capture = serde_json::from_slice(&output.stdout).expect("a capture");
    assert_eq!(capture.target.command.as_deref(), Some("env\noy\u{1b}]0;x"));
    assert!(
        capture
            .target
            .hostname
            .is_some_and(|name| name.starts_with("web\n4026531840"))
    );
}

#[test]
fn no_comment_makes_a_rule() {
    for backend in [Backend::Legacy, Backend::Nft] {
        let (pod, resident) = sidecar("comment", backend, SIDECAR);
        let comment = "a\u{1b}[2J\u{202e}\n-A OUTPUT -j ACCEPT";
        let program = if backend == Backend::Legacy {
            "iptables-legacy"
        } else {
            "iptables-nft"
        };
        pod.namespace.run(
            program,
            &[
                "-A",
                "OUTPUT",
                "-m",
                "comment",
                "--comment",
                comment,
                "-j",
                "DROP",
            ],
        );
        let pid = resident.pid().to_string();
        let text = run(&["--pid", &pid, "--text"]);
        let rules = lines(&text.stdout);
        assert!(
            rules
                .iter()
                .all(|rule| !rule.starts_with("-A OUTPUT -j ACCEPT")),
            "{rules:#?}"
        );
        let named = "--comment \"a<U+001B>[2J<U+202E><U+000A>-A OUTPUT -j ACCEPT\" -j DROP";
        assert!(rules.iter().any(|rule| rule.ends_with(named)), "{rules:#?}");
        // The text is not the kernel's rule, and a warning reports it.
        let warnings = lines(&text.stderr).join("\n");
        assert_eq!(text.status.code(), Some(3), "{warnings}");
        assert!(warnings.contains("3 invisible characters"), "{warnings}");
        let whole = run(&["--pid", &pid]);
        let capture: Capture = serde_json::from_slice(&whole.stdout).expect("a capture");
        assert!(
            capture
                .rulesets
                .iter()
                .any(|rules| rules.text.contains(comment)),
            "{backend:?}"
        );
    }
}

#[test]
fn an_interface_whose_name_is_no_text() {
    let (pod, resident) = sidecar("bytes", Backend::Legacy, SIDECAR);
    let add = "import subprocess, sys; subprocess.run([b'ip', b'link', b'add', b'e\\xffh', b'type', b'veth', b'peer', b'name', b'x'], check=True)";
    pod.namespace.run("python3", &["-c", add]);
    let output = run(&["--pid", &resident.pid().to_string()]);
    let capture: Capture = serde_json::from_slice(&output.stdout).expect("a capture");
    assert_eq!(output.status.code(), Some(3), "{:?}", capture.warnings);
    assert!(
        capture
            .warnings
            .iter()
            .any(|warning| warning.contains("its settings are missing")),
        "{:?}",
        capture.warnings
    );
}

/// Ends the program under test if it hangs.
fn run_in_time(arguments: &[&str]) -> Output {
    Command::new("timeout")
        .args(["20"])
        .arg(binary())
        .args(arguments)
        .output()
        .expect("every system has it")
}

#[test]
fn a_path_that_is_no_namespace_is_not_opened() {
    let root = Root::new("fifo");
    let fifo = root.0.join("fifo");
    let made = Command::new("mkfifo").arg(&fifo).status();
    assert!(made.expect("every system has it").success());
    let output = run_in_time(&["--netns", fifo.to_str().expect("UTF-8")]);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert!(
        String::from_utf8_lossy(&output.stderr).contains("it is a FIFO"),
        "{output:?}"
    );
}

#[test]
fn a_file_system_that_does_not_answer_is_given_up() {
    binary();
    let root = Root::new("blocked");
    let resident = Resident::start(Command::new("cat"));
    root.add(resident.pid(), "0::/\n");
    // Reading this file blocks forever.
    let blocked = root.0.join(format!("proc/{}/cgroup", resident.pid()));
    fs::remove_file(&blocked).expect("its owner");
    assert!(
        Command::new("mkfifo")
            .arg(&blocked)
            .status()
            .expect("every system has it")
            .success()
    );
    let machine = root.0.to_str().expect("UTF-8");
    let output = run_in_time(&[
        "--root",
        machine,
        "--timeout",
        "1",
        "--container",
        "0123456789ab",
    ]);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert!(
        String::from_utf8_lossy(&output.stderr).contains("stopped after 1 s"),
        "{output:?}"
    );
}
