//! The helper on a node, for one pod, compared with the five commands that it replaces, run by hand
//! through nsenter; and the sizes of its programs.

use std::env;
use std::fs;
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use chainwalk_core::netfilter::backend::Backend;
use chainwalk_core::packet::Family;
use chainwalk_tests::namespace::{Pod, require};
use nix::sys::resource::{UsageWho, getrusage};

use crate::table::{Aim, Figures, Table};

const TIMES: usize = 50;

const SIDECAR: &str = include_str!("../fixtures/sidecar.rules");
const SIDECAR_IPV6: &str = include_str!("../fixtures/sidecar-ipv6.rules");

/// The commands that a user on the node would run.
const BY_HAND: [&[&str]; 5] = [
    &["iptables-legacy-save", "-c"],
    &["iptables-nft-save", "-c"],
    &["ip6tables-legacy-save", "-c"],
    &["ip6tables-nft-save", "-c"],
    &["nft", "-j", "list", "ruleset"],
];

/// The time of one run.
struct Took {
    wall: Duration,
    /// The time of all processors together.
    processor: Duration,
}

pub(crate) fn rows(table: &mut Table) {
    require(&[
        "nsenter",
        "iptables-legacy-save",
        "iptables-nft-save",
        "nft",
    ]);
    let program: PathBuf = env::var_os("CHAINWALK_CAPTURE")
        .expect("CHAINWALK_CAPTURE names the helper")
        .into();
    let pod = Pod::new("bench");
    pod.namespace.load(Backend::Nft, Family::Ipv4, SIDECAR);
    pod.namespace.load(Backend::Nft, Family::Ipv6, SIDECAR_IPV6);
    // The listeners of Envoy, and of an app in both families.
    let _listening = pod.namespace.inside(|| {
        [
            "0.0.0.0:15001",
            "0.0.0.0:15006",
            "127.0.0.1:15000",
            "[::]:8080",
        ]
        .map(|address| TcpListener::bind(address).expect("nobody has it"))
    });
    let resident = pod.namespace.resident();
    let pid = resident.pid().to_string();

    let (mut helper, mut by_hand) = (Vec::new(), Vec::new());
    // The runs alternate, so that other load of the machine affects both. The first runs start with
    // cold caches and do not count.
    for run in 0..=TIMES {
        let one = took(|| quietly(Command::new(&program).args(["--pid", &pid])));
        let other = took(|| {
            for words in BY_HAND {
                quietly(Command::new("nsenter").args(["-t", &pid, "-n"]).args(words));
            }
        });
        if run > 0 {
            helper.push(one);
            by_hand.push(other);
        }
    }
    for (what, of, aim) in [
        (
            "capture a pod",
            (|took| took.wall) as fn(&Took) -> Duration,
            Aim::Times(1.1),
        ),
        (
            "capture a pod: processor time",
            |took| took.processor,
            Aim::None,
        ),
    ] {
        let [ours, peer] = [&helper, &by_hand].map(|all| Figures::ms(all.iter().map(of)));
        table.row(
            what,
            &ours,
            Some(("five commands through nsenter", &peer)),
            aim,
        );
    }
    for name in ["chainwalk-capture", "chainwalk-capture-aarch64"] {
        let size = fs::metadata(program.with_file_name(name))
            .expect("both are built")
            .len();
        table.row(
            &format!("size of `{name}`"),
            &Figures::new("kB", vec![size as f64 / 1e3]),
            None,
            Aim::None,
        );
    }
}

/// Runs a command and discards its output.
fn quietly(command: &mut Command) {
    let status = command
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .expect("it can be run");
    assert!(status.success(), "{command:?}: {status}");
}

/// Measures a job and the processes that it waits for.
fn took(job: impl FnOnce()) -> Took {
    let (start, before) = (Instant::now(), children());
    job();
    Took {
        wall: start.elapsed(),
        processor: children() - before,
    }
}

/// The total time of all finished child processes so far.
fn children() -> Duration {
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN).expect("the kernel counts it");
    let micros = [usage.user_time(), usage.system_time()]
        .map(|time| time.tv_sec() * 1_000_000 + time.tv_usec());
    Duration::from_micros(micros.iter().sum::<i64>().unsigned_abs())
}
