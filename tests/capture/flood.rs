//! Tools that print endlessly, that hang, and that outlive their caller; and many namespaces.

use std::fs;
use std::process::{Command, Stdio};
use std::time::Instant;

use chainwalk_core::input::capture::Capture;
use chainwalk_core::netfilter::backend::Backend;
use chainwalk_tests::namespace::{Namespace, wait_for};

use crate::fault::{check_partial, instead};
use crate::machine::Root;
use crate::refusal::run_after;
use crate::rules::state;
use crate::{SIDECAR, binary, sidecar};

/// The memory limit that the program promises.
const MAX_MEMORY: u64 = 200_000_000;

/// Runs the program and writes its peak memory to a file.
const MEASURE: &str = "
import resource, subprocess, sys
code = subprocess.run(sys.argv[2:]).returncode
with open(sys.argv[1], 'w') as file:
    file.write(str(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024))
sys.exit(code)
";

/// Scripts that each print another kind of text endlessly.
const FLOOD: &str = r#"case "$0" in
*/iptables-legacy-save) exec yes "[0:0] -A INPUT -s 10.1.2.3/32 -p tcp -m tcp --dport 80 -j DROP";;
*/ip6tables-legacy-save) exec tr '\000' '\377' < /dev/zero;;
*/iptables-nft-save) exec yes "$(printf '\033\033\033\033\033\033\033\033\033\033\033\033\033\033\033\033\033\033')";;
*/ip6tables-nft-save) exec tr '\000' x < /dev/zero;;
*) yes warning >&2 & exec yes "table inet x { chain y { } }";;
esac"#;

fn peak(file: &std::path::Path) -> u64 {
    fs::read_to_string(file)
        .expect("it was written")
        .parse()
        .expect("a number")
}

#[test]
fn tools_that_never_stop_printing_do_not_fill_the_memory() {
    let root = Root::new("flood");
    let (_pod, resident) = sidecar("flood", Backend::Nft, SIDECAR);
    root.write("script", &format!("#!/bin/sh\n{FLOOD}\n"));
    let script = root.0.join("script").display().to_string();
    let file = root.0.join("peak");
    let start = |arguments: &str| {
        let script = format!(
            "chmod 755 {script}
            for tool in iptables-legacy-save iptables-nft-save nft; do
                mount --bind {script} \"$(readlink -f \"$(command -v $tool)\")\"
            done
            exec python3 -c \"$(cat {measure})\" {file} \"$1\" {arguments} --pid \"$2\"",
            measure = root.0.join("measure").display(),
            file = file.display(),
        );
        let began = Instant::now();
        let output = run_after(&script, resident.pid());
        eprintln!(
            "flood {arguments}: {} MB, {:?}",
            peak(&file) / 1_000_000,
            began.elapsed()
        );
        assert!(
            peak(&file) < MAX_MEMORY,
            "{arguments}: {} bytes",
            peak(&file)
        );
        output
    };
    root.write("measure", MEASURE);
    let output = start("");
    let stopped = [
        "iptables-legacy-save",
        "ip6tables-legacy-save",
        "iptables-nft-save",
        "ip6tables-nft-save",
        "nft",
    ];
    let capture = check_partial(
        &output,
        &stopped
            .map(|tool| format!("{tool} was stopped after "))
            .each_ref()
            .map(|s| &**s),
    );
    assert!(
        capture
            .warnings
            .iter()
            .any(|warning| warning.contains("standard error")),
        "{:?}",
        capture.warnings
    );
    for rules in &capture.rulesets {
        assert!(
            rules.text.is_empty() || rules.text.ends_with('\n'),
            "half a line of {:?}",
            rules.command
        );
        assert_eq!(rules.exit_code, None);
    }
    let legacy = &capture.rulesets[0].text;
    assert!(legacy.len() > 1 << 20 && legacy.lines().all(|line| line.ends_with("-j DROP")));
    let listing = capture.nftables.expect("nft was run");
    assert_eq!(
        listing.command,
        ["nft", "list", "ruleset"],
        "JSON without its end is of no use"
    );
    assert!(listing.text.ends_with("{ } }\n"));
    assert_eq!(start("--text").status.code(), Some(3));
}

#[test]
fn a_tool_is_limited() {
    let root = Root::new("limited");
    let (_pod, resident) = sidecar("limited", Backend::Nft, SIDECAR);
    let script = instead(&root, "ulimit -v; ulimit -c");
    let output = run_after(&script, resident.pid());
    let capture: Capture = serde_json::from_slice(&output.stdout).expect("a capture");
    let legacy = capture
        .rulesets
        .iter()
        .find(|rules| rules.backend == Backend::Legacy)
        .expect("it was asked");
    assert_eq!(legacy.text, format!("{}\n0\n", 1 << 20));
}

#[test]
fn a_tool_ends_with_its_caller() {
    let root = Root::new("orphan");
    let (_pod, resident) = sidecar("orphan", Backend::Nft, SIDECAR);
    let file = root.0.join("pid");
    let script = instead(
        &root,
        &format!("echo $$ > {}; exec sleep 1000", file.display()),
    );
    let mut child = Command::new("unshare")
        .args([
            "--mount",
            "sh",
            "-ec",
            &format!("{script}\nexec \"$1\" --pid \"$2\""),
            "sh",
        ])
        .arg(binary())
        .arg(resident.pid().to_string())
        .stdout(Stdio::null())
        .spawn()
        .expect("unshare is installed");
    let pid = || fs::read_to_string(&file).ok()?.trim().parse::<u32>().ok();
    wait_for("the tool to run", || pid().is_some());
    child.kill().expect("it waits for the tool");
    child.wait().expect("it was started");
    let stat = format!("/proc/{}/stat", pid().expect("it ran"));
    wait_for("the tool to end", || {
        fs::read_to_string(&stat).map_or(true, |stat| stat.contains(") Z "))
    });
}

#[test]
fn many_namespaces() {
    binary();
    // For a manual run: 300.
    let count =
        std::env::var("CHAINWALK_NAMESPACES").map_or(4, |count| count.parse().expect("a number"));
    let root = Root::new("many");
    let mut namespaces = Vec::new();
    for number in 0..count {
        let namespace = Namespace::new("many");
        namespace.load(
            Backend::Legacy,
            chainwalk_core::packet::Family::Ipv4,
            SIDECAR,
        );
        let resident = namespace.resident();
        let id = format!("{number:08}").repeat(8);
        root.add(resident.pid(), &format!("0::/kubepods/pod{id:.32}/{id}\n"));
        namespaces.push((namespace, resident));
    }
    root.write("measure", MEASURE);
    let (measure, file) = (root.0.join("measure"), root.0.join("peak"));
    let before = [0, count - 1].map(|at: usize| state(&namespaces[at].0));
    for (arguments, lines) in [
        (&["--list"][..], count + 1),
        (&["--all"], count),
        (&["--pod-uid", &"0".repeat(32)], 1),
    ] {
        let began = Instant::now();
        let output = Command::new("python3")
            .args([measure.as_path(), &file, binary()])
            .arg("--root")
            .arg(&root.0)
            .args(arguments)
            .output()
            .expect("python3 is installed");
        eprintln!(
            "{count} namespaces, {arguments:?}: {} kB, {:?}",
            peak(&file) / 1000,
            began.elapsed()
        );
        assert_eq!(
            output.status.code(),
            Some(0),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        assert_eq!(
            String::from_utf8_lossy(&output.stdout).lines().count(),
            lines,
            "{arguments:?}"
        );
        assert!(peak(&file) < MAX_MEMORY);
    }
    assert_eq!(
        [0, count - 1].map(|at: usize| state(&namespaces[at].0)),
        before
    );
}
