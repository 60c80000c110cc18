//! The capture helper in namespaces that this suite creates. Requires root, iproute2, iptables and
//! nftables.
//!
//! The variable CHAINWALK_CAPTURE names the program under test. Without it, a new debug build is
//! used.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::OnceLock;

use chainwalk_core::input::capture::Capture;
use chainwalk_core::netfilter::backend::Backend;
use chainwalk_core::packet::Family;
use chainwalk_tests::namespace::{Pod, Resident, require};
use serde_json::Value;

#[path = "capture/fault.rs"]
mod fault;
#[path = "capture/flood.rs"]
mod flood;
#[path = "capture/host.rs"]
mod host;
#[path = "capture/machine.rs"]
mod machine;
#[path = "capture/names.rs"]
mod names;
#[path = "capture/node.rs"]
mod node;
#[path = "capture/output.rs"]
mod output;
#[path = "capture/proof.rs"]
mod proof;
#[path = "capture/quiet.rs"]
mod quiet;
#[path = "capture/refusal.rs"]
mod refusal;
#[path = "capture/rules.rs"]
mod rules;
#[path = "capture/schema.rs"]
mod schema;
#[path = "capture/tools.rs"]
mod tools;

const SIDECAR: &str = include_str!("fixtures/sidecar.rules");
const SIDECAR_IPV6: &str = include_str!("fixtures/sidecar-ipv6.rules");
const TPROXY: &str = include_str!("fixtures/tproxy.rules");

/// The program under test.
fn binary() -> &'static Path {
    static BINARY: OnceLock<PathBuf> = OnceLock::new();
    BINARY.get_or_init(|| {
        let tools = [
            "iptables-legacy",
            "iptables-nft",
            "ip6tables-legacy",
            "ip6tables-nft",
        ];
        let tools: Vec<String> = tools
            .iter()
            .flat_map(|tool| ["save", "restore"].map(|task| format!("{tool}-{task}")))
            .collect();
        let mut needed: Vec<&str> = tools.iter().map(String::as_str).collect();
        needed.extend([
            "ip", "nft", "unshare", "mount", "setpriv", "nsenter", "strace", "python3",
        ]);
        require(&needed);
        std::env::var_os("CHAINWALK_CAPTURE").map_or_else(build, PathBuf::from)
    })
}

fn build() -> PathBuf {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args([
            "build",
            "--package",
            "chainwalk-capture",
            "--message-format",
            "json",
        ])
        .stderr(Stdio::inherit())
        .output()
        .expect("cargo runs this test");
    assert!(output.status.success(), "chainwalk-capture does not build");
    let messages = String::from_utf8(output.stdout).expect("cargo prints JSON");
    messages
        .lines()
        .find_map(|line: &str| {
            Some(
                serde_json::from_str::<Value>(line)
                    .ok()?
                    .get("executable")?
                    .as_str()?
                    .into(),
            )
        })
        .expect("cargo names the program that it built")
}

fn run(arguments: &[&str]) -> Output {
    Command::new(binary())
        .args(arguments)
        .output()
        .expect("the program under test can be run")
}

/// The JSON of a successful capture.
fn capture_json(pid: u32) -> String {
    let output = run(&["--pid", &pid.to_string()]);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{stderr}");
    String::from_utf8(output.stdout).expect("JSON is UTF-8")
}

fn capture(pid: u32) -> Capture {
    serde_json::from_str(&capture_json(pid)).expect("the capture reads back")
}

/// A pod with the rules of a sidecar, the routing table of its mark, and a process.
fn sidecar(label: &str, backend: Backend, ipv4: &str) -> (Pod, Resident) {
    binary();
    let pod = Pod::new(label);
    pod.namespace.load(backend, Family::Ipv4, ipv4);
    pod.namespace.load(backend, Family::Ipv6, SIDECAR_IPV6);
    pod.namespace.ip("rule add fwmark 0x539 lookup 133");
    pod.namespace
        .ip("route add local 0.0.0.0/0 dev lo table 133");
    let resident = pod.namespace.resident();
    (pod, resident)
}
