//! Parsing, printing and walking, compared with the commands of iptables. Tasks whose memory is
//! measured, or that are compared with a command, run in a separate process.

use std::env;
use std::fs::{self, File};
use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use chainwalk_core::analysis::{findings, large};
use chainwalk_core::input::parse;
use chainwalk_core::iptables::print;
use chainwalk_core::netfilter::backend::Backend;
use chainwalk_core::packet::host::Host;
use chainwalk_core::packet::{Family, Packet};
use chainwalk_core::walk::walk;
use chainwalk_tests::namespace::Namespace;

use crate::table::{Aim, Figures, Table, timed};

/// The argument that starts a task in a separate process.
pub(crate) const OWN: &str = "in-own-process";

const TIMES: usize = 5;
/// The commands of iptables take seconds, so they run less often.
const PEER_TIMES: usize = 3;

/// The measurements of a separate process.
pub(crate) struct Took {
    /// From its start to its end.
    pub(crate) all: Duration,
    /// Its peak memory in bytes, including the text.
    pub(crate) peak: f64,
}

/// Runs a task on the text of a file, and prints the peak memory in KiB.
pub(crate) fn in_own_process(task: &str, path: &str) {
    let bytes = fs::read(path).expect("the file was just written");
    let text = String::from_utf8(bytes)
        .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned());
    let parsed = parse::parse(text);
    if task == "walk" {
        black_box(walk(&parsed.rulesets, None, &Host::pod(), &to(50)));
    }
    let status = fs::read_to_string("/proc/self/status").expect("the kernel tells");
    let peak = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))
        .expect("the kernel tells");
    println!("{}", peak.trim().trim_end_matches(" kB"));
    // The end of the process frees its memory.
    std::mem::forget(parsed);
}

/// Runs such a process.
pub(crate) fn run(task: &str, path: &Path) -> Took {
    let own = env::current_exe().expect("it runs");
    let start = Instant::now();
    let output = Command::new(own)
        .args([OWN, task])
        .arg(path)
        .stderr(Stdio::inherit())
        .output()
        .expect("it is there");
    let all = start.elapsed();
    assert!(
        output.status.success(),
        "{task} {}: {}",
        path.display(),
        output.status
    );
    let peak: f64 = String::from_utf8_lossy(&output.stdout)
        .trim()
        .parse()
        .expect("a number of KiB");
    Took {
        all,
        peak: peak * 1024.0,
    }
}

/// A temporary file with a text. It is removed when the value is dropped.
pub(crate) struct Scratch {
    /// Its path.
    pub(crate) path: PathBuf,
}

impl Scratch {
    /// Writes the file.
    pub(crate) fn new(name: &str, text: &[u8]) -> Self {
        let path = env::temp_dir().join(format!("chainwalk-bench-{}-{name}", std::process::id()));
        fs::write(&path, text).expect("there is room");
        Self { path }
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // A file that remains does no harm.
        let _ = fs::remove_file(&self.path);
    }
}

/// A packet to a service of [`large::kube_proxy`].
pub(crate) fn to(service: u32) -> Packet {
    Packet::tcp(
        ([10, 244, 1, 5], 40_000),
        (large::address(10, 96, service), 80),
        1000,
        1000,
    )
}

pub(crate) fn rows(table: &mut Table) {
    let [small, big] = [1_000, 10_000].map(|services| against_restore(table, services));
    let per_rule =
        |took: &Figures, rules: f64| Figures::new("ns a rule", vec![took.median() * 1e6 / rules]);
    let (small, big) = (per_rule(&small, 11_000.0), per_rule(&big, 110_000.0));
    table.row(
        "the same at 110,000 by rule",
        &big,
        Some(("at 11,000", &small)),
        Aim::Times(1.3),
    );
    against_save(table);
    walks(table);
}

fn against_restore(table: &mut Table, services: u32) -> Figures {
    let text = large::kube_proxy(services);
    let file = Scratch::new("kube", text.as_bytes());
    let took: Vec<Took> = (0..TIMES).map(|_| run("walk", &file.path)).collect();
    let ours = Figures::ms(took.iter().map(|took| took.all));
    let what = format!(
        "read {} rules ({} MB), walk",
        services * 11,
        text.len() / 1_000_000
    );
    for (backend, aim) in [("legacy", Aim::Times(0.1)), ("nft", Aim::None)] {
        let space = Namespace::new("bench");
        let command = format!("iptables-{backend}-restore");
        let peer = space.inside(|| {
            timed(PEER_TIMES, || {
                let input = File::open(&file.path).expect("it was just written");
                let ended = Command::new(&command).arg("--test").stdin(input).status();
                assert!(
                    ended.expect("it is installed").success(),
                    "{command} takes these rules"
                );
            })
        });
        let aim = if services == 10_000 { aim } else { Aim::None };
        table.row(
            &what,
            &ours,
            Some((&format!("{command} --test"), &Figures::ms(peer))),
            aim,
        );
    }
    let text = Figures::new("MB", vec![text.len() as f64 / 1e6]);
    let peak = Figures::new("MB", took.iter().map(|took| took.peak / 1e6).collect());
    table.row(
        &format!("{what}: peak memory"),
        &peak,
        Some(("the text", &text)),
        Aim::Times(2.5),
    );
    ours
}

fn against_save(table: &mut Table) {
    let text = large::kube_proxy(10_000);
    let parsed = parse::parse(text.clone());
    let ours = Figures::ms(timed(TIMES, || {
        drop(black_box(print::save(&parsed.rulesets[0], false)))
    }));
    let space = Namespace::new("bench");
    space.load(Backend::Legacy, Family::Ipv4, &text);
    let peer = space.inside(|| {
        timed(PEER_TIMES, || {
            let ended = Command::new("iptables-legacy-save")
                .stdout(Stdio::null())
                .status();
            assert!(ended.expect("it is installed").success());
        })
    });
    let peer = Figures::ms(peer);
    table.row(
        "print 110,000 rules",
        &ours,
        Some(("iptables-legacy-save", &peer)),
        Aim::Times(1.0),
    );
    let findings = Figures::ms(timed(TIMES, || {
        drop(black_box(findings::lint(
            &parsed.rulesets,
            &Host::pod(),
            false,
        )))
    }));
    table.row("findings over 110,000 rules", &findings, None, Aim::None);
}

fn walks(table: &mut Table) {
    let parsed = parse::parse(large::kube_proxy(10_000));
    let host = Host::pod();
    for (where_to, service) in [("head", 0), ("middle", 5_000), ("end", 9_999)] {
        let ours = Figures::ms(timed(21, || {
            drop(black_box(walk(&parsed.rulesets, None, &host, &to(service))))
        }));
        table.row(
            &format!("walk to a service at the {where_to} of 10,000, three ways"),
            &ours,
            None,
            Aim::None,
        );
    }
    let parsed = parse::parse(large::flat(110_000, large::blocked));
    let packet = to(0);
    let ours = Figures::ms(timed(51, || {
        drop(black_box(walk(&parsed.rulesets, None, &host, &packet)))
    }));
    table.row(
        "walk a chain of 110,000 rules, every step recorded",
        &ours,
        None,
        Aim::Below(1.0),
    );
    let parsed = parse::parse(large::kube_proxy_of(1, 1_000));
    let ours = Figures::ms(timed(21, || {
        drop(black_box(walk(&parsed.rulesets, None, &host, &packet)))
    }));
    table.row(
        "walk to a service of 1,000 endpoints, 64 ways",
        &ours,
        None,
        Aim::None,
    );
}
