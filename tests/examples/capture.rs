//! How long the helper takes for one pod, as a ratio to the five commands that it replaces, typed by hand through nsenter.
//!
//! `CHAINWALK_CAPTURE=dist/chainwalk-capture cargo run --release -p chainwalk-tests --example capture [RUNS]` prints one
//! line of JSON: medians of RUNS (50) in microseconds, and their ratios. Both sides run in turn, so that whatever else the
//! machine does meets both. Needs root, iproute2, iptables and nftables.

use std::io::{self, Write};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use chainwalk_core::capture::Backend;
use chainwalk_core::packet::Family;
use chainwalk_tests::namespace::{Pod, require};
use nix::sys::resource::{UsageWho, getrusage};

const SIDECAR: &str = include_str!("../fixtures/sidecar.rules");
const SIDECAR_IPV6: &str = include_str!("../fixtures/sidecar-ipv6.rules");

/// What somebody on the node would type.
const BY_HAND: [&[&str]; 5] = [
    &["iptables-legacy-save", "-c"],
    &["iptables-nft-save", "-c"],
    &["ip6tables-legacy-save", "-c"],
    &["ip6tables-nft-save", "-c"],
    &["nft", "-j", "list", "ruleset"],
];

/// What one run took.
struct Took {
    wall: Duration,
    /// Of all processors together.
    processor: Duration,
}

fn main() {
    require(&["ip", "nsenter", "iptables-legacy-save", "iptables-nft-save", "nft"]);
    let program = std::env::var_os("CHAINWALK_CAPTURE").expect("CHAINWALK_CAPTURE names the helper");
    let runs = std::env::args().nth(1).map_or(50, |runs| runs.parse().expect("the number of runs"));
    let pod = Pod::new("bench");
    pod.namespace.load(Backend::Nft, Family::Ipv4, SIDECAR);
    pod.namespace.load(Backend::Nft, Family::Ipv6, SIDECAR_IPV6);
    // Envoy's, and an app's of both families.
    let _listening = pod.namespace.inside(|| {
        ["0.0.0.0:15001", "0.0.0.0:15006", "127.0.0.1:15000", "[::]:8080"]
            .map(|address| TcpListener::bind(address).expect("nobody has it"))
    });
    let resident = pod.namespace.resident();
    let pid = resident.pid().to_string();

    let (mut helper, mut by_hand) = (Vec::new(), Vec::new());
    // The first of each finds nothing in memory and does not count.
    for run in 0..=runs {
        let one = took(|| quietly(Command::new(Path::new(&program)).args(["--pid", &pid])));
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
    let figures = [median(&helper, |it| it.wall), median(&by_hand, |it| it.wall)];
    let processor = [median(&helper, |it| it.processor), median(&by_hand, |it| it.processor)];
    let ratio = |[one, other]: [u128; 2]| one as f64 / other as f64;
    let report = serde_json::json!({
        "runs": runs,
        "wall_us": figures.map(|it| it as u64),
        "wall_ratio": (ratio(figures) * 100.0).round() / 100.0,
        "processor_us": processor.map(|it| it as u64),
        "processor_ratio": (ratio(processor) * 100.0).round() / 100.0,
    });
    writeln!(io::stdout(), "{report}").expect("standard output is open");
}

/// Runs a command whose output nobody reads.
fn quietly(command: &mut Command) {
    let status = command.stdout(Stdio::null()).stderr(Stdio::null()).status().expect("it can be run");
    assert!(status.success(), "{command:?}: {status}");
}

/// What a job and the processes that it waits for take.
fn took(job: impl FnOnce()) -> Took {
    let (start, before) = (Instant::now(), children());
    job();
    Took { wall: start.elapsed(), processor: children() - before }
}

/// What all processes that have been waited for have taken so far.
fn children() -> Duration {
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN).expect("the kernel counts it");
    let micros = [usage.user_time(), usage.system_time()].map(|time| time.tv_sec() * 1_000_000 + time.tv_usec());
    Duration::from_micros(micros.iter().sum::<i64>().unsigned_abs())
}

fn median(all: &[Took], of: impl Fn(&Took) -> Duration) -> u128 {
    let mut sorted: Vec<Duration> = all.iter().map(of).collect();
    sorted.sort_unstable();
    sorted[sorted.len() / 2].as_micros()
}
