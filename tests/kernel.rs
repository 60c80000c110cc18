//! Compares walks with the Linux kernel: random packets go through random rule sets, in Chainwalk
//! and in the kernel.
//!
//! The kernel's counters must equal the `match` and `policy` steps of the walk, rule by rule and
//! policy by policy, with both backends and both families. The outcome of the packet with its
//! addresses, ports and mark must equal the walk's. With nft, the order must be equal, too. A rule
//! that is reported as dead must never count. Requires root, iproute2, iptables and nftables.
//!
//! `CHAINWALK_PACKETS=20000` sends more packets. `CHAINWALK_SEED=1` repeats a run, and another
//! number makes a new one.

use std::cell::RefCell;
use std::io::Write;
use std::panic::resume_unwind;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread;
use std::time::Instant;

use chainwalk_core::netfilter::backend::Backend;
use chainwalk_core::packet::{Family, Packet};
use chainwalk_core::walk::trace::Trace;
use chainwalk_core::walk::walk;
use chainwalk_tests::lessons;
use chainwalk_tests::namespace::{program, require};
use chainwalk_tests::progress::Progress;
use chainwalk_tests::random::{number, runner};
use proptest::strategy::Strategy;
use proptest::test_runner::{Config, TestCaseError, TestError};

#[path = "kernel/case.rs"]
mod case;
#[path = "kernel/coverage.rs"]
mod coverage;
#[path = "kernel/host.rs"]
mod host;
#[path = "kernel/lab.rs"]
mod lab;
#[path = "kernel/later.rs"]
mod later;
#[path = "kernel/made.rs"]
mod made;
#[path = "kernel/netlink.rs"]
mod netlink;
#[path = "kernel/sender.rs"]
mod sender;
#[path = "kernel/wire.rs"]
mod wire;

use case::Case;
use coverage::Coverage;
use lab::Lab;
use later::Compared;
use made::MadeChain;

/// The default number of packets of a run.
const PACKETS: u64 = 2000;
/// The default seed of a run. It is fixed, so that a green run stays green.
const SEED: u64 = 1;
const BACKENDS: [Backend; 2] = [Backend::Legacy, Backend::Nft];
/// If the backends are loaded in this order, legacy is evaluated first. This works only once.
const NFT_FIRST: [Backend; 2] = [Backend::Nft, Backend::Legacy];
const FAMILIES: [Family; 2] = [Family::Ipv4, Family::Ipv6];

/// Sends `packets` packets through rule sets of one backend and one family. After a difference in
/// any thread, no new rule set begins.
fn judge(
    (backends, family): (&[Backend], Family),
    place: usize,
    (seed, packets): (u64, u64),
    stop: &AtomicBool,
    progress: &Progress,
) -> Result<Coverage, String> {
    Lab::run(backends, family, place, |lab| {
        let max_shrink_iters = if backends == NFT_FIRST { 0 } else { 2000 };
        let config = Config {
            failure_persistence: None,
            max_shrink_iters,
            ..Config::default()
        };
        let mut runner = runner(seed, config);
        let cases = Case::any(backends, family);
        let state = RefCell::new((lab, Coverage::default()));
        while state.borrow().1.packets < packets && !stop.load(Relaxed) {
            let sent = state.borrow().1.packets;
            let tree = cases.new_tree(&mut runner).expect("no case is rejected");
            let result = runner.run_one(tree, |case| {
                let (lab, coverage) = &mut *state.borrow_mut();
                case.judge(lab, coverage).map_err(|difference| {
                    stop.store(true, Relaxed);
                    TestCaseError::fail(difference)
                })
            });
            if let Err(TestError::Fail(reason, _)) = result {
                let programs: Vec<_> = backends
                    .iter()
                    .map(|backend| program(*backend, family, "restore"))
                    .collect();
                return Err(format!(
                    "{}, CHAINWALK_SEED={seed}: {reason}",
                    programs.join(" then ")
                ));
            }
            progress.add(state.borrow().1.packets - sent);
        }
        Ok(state.into_inner().1)
    })
}

#[test]
fn the_walk_is_the_kernels() {
    require(&[
        "ip",
        "nft",
        "iptables-legacy-restore",
        "iptables-nft-restore",
        "ip6tables-legacy-save",
    ]);
    let (seed, packets) = (
        number("CHAINWALK_SEED", SEED),
        number("CHAINWALK_PACKETS", PACKETS),
    );
    let started = Instant::now();
    let stop = &AtomicBool::new(false);
    let progress = &Progress::new("packets", packets, PACKETS);
    let kinds = BACKENDS
        .into_iter()
        .flat_map(|backend| FAMILIES.map(|family| (backend, family)));
    let results: Vec<Result<Coverage, String>> = thread::scope(|scope| {
        let threads: Vec<_> = (0..)
            .zip(kinds)
            .map(|(place, kind)| {
                scope.spawn(move || {
                    judge(
                        (&[kind.0], kind.1),
                        place,
                        (seed, packets.div_ceil(4)),
                        stop,
                        progress,
                    )
                })
            })
            .collect();
        threads
            .into_iter()
            .map(|thread| thread.join().unwrap_or_else(|panic| resume_unwind(panic)))
            .collect()
    });
    let mut coverage = Coverage::default();
    let mut differences = String::new();
    for result in results {
        match result {
            Ok(part) => coverage.join(part),
            Err(difference) => differences += &format!("\n{difference}"),
        }
    }
    assert!(differences.is_empty(), "{differences}");
    // Written directly to standard error, because the test runner hides the output of successful
    // tests.
    let seconds = started.elapsed().as_secs();
    writeln!(
        std::io::stderr(),
        "kernel: {coverage}\n  seed {seed}, {seconds} s, no difference"
    )
    .expect("it can be said");
    assert!(coverage.packets >= packets);
    if packets < PACKETS {
        return;
    }
    assert_eq!(
        coverage.missing(),
        [""; 0],
        "extensions that no packet met: add them to tests/random/clause.rs"
    );
}

/// Both backends in one namespace. They are evaluated in an order that depends on their
/// registration, which no dump shows. A certain walk must equal the kernel in either order. Of an
/// uncertain walk, the branch with this order must.
#[test]
fn both_backends_are_asked() {
    require(&[
        "ip",
        "nft",
        "iptables-legacy-restore",
        "iptables-nft-restore",
        "ip6tables-legacy-save",
    ]);
    let (seed, packets) = (
        number("CHAINWALK_SEED", SEED),
        number("CHAINWALK_PACKETS", PACKETS),
    );
    let stop = &AtomicBool::new(false);
    let progress = &Progress::new("packets through both backends", packets / 10, PACKETS / 10);
    let mut coverage = Coverage::default();
    let mut run = |loaded, family, place, (seed, packets)| match judge(
        (loaded, family),
        place,
        (seed, packets),
        stop,
        progress,
    ) {
        Ok(part) => coverage.join(part),
        Err(difference) => panic!("{difference}"),
    };
    for (place, family) in (0..).zip(FAMILIES) {
        run(
            &[Backend::Legacy, Backend::Nft],
            family,
            place,
            (seed, packets / 40),
        );
        // Each load registers nft's chains again, so a namespace is used for only one rule set of
        // each backend.
        for number in 0..packets / 400 {
            run(&NFT_FIRST, family, place, (seed + number, 1));
        }
    }
    writeln!(std::io::stderr(), "both backends: {coverage}").expect("it can be said");
}

/// Both backends with base chains of other types and priorities. At a hook, all of them run by
/// priority, and nat chains run in the nat station.
#[test]
fn base_chains_run_by_priority() {
    require(&[
        "ip",
        "nft",
        "iptables-legacy-restore",
        "iptables-nft-restore",
    ]);
    let (seed, packets) = (
        number("CHAINWALK_SEED", SEED),
        number("CHAINWALK_PACKETS", PACKETS) / 20,
    );
    for (place, family) in (0..).zip(FAMILIES) {
        let sent = Lab::run(&[Backend::Legacy, Backend::Nft], family, place, |lab| {
            let config = Config {
                failure_persistence: None,
                max_shrink_iters: 300,
                ..Config::default()
            };
            let mut runner = runner(seed, config);
            let cases = (
                Case::any(&[Backend::Legacy, Backend::Nft], family),
                MadeChain::some(family),
            );
            let state = RefCell::new((lab, 0));
            while state.borrow().1 < packets {
                let tree = cases.new_tree(&mut runner).expect("no case is rejected");
                let result = runner.run_one(tree, |(case, made)| {
                    let (lab, sent) = &mut *state.borrow_mut();
                    case.judge_with(&made, lab).map_err(TestCaseError::fail)?;
                    *sent += case.packets() as u64;
                    Ok(())
                });
                if let Err(TestError::Fail(reason, _)) = result {
                    panic!("{family}, CHAINWALK_SEED={seed}: {reason}");
                }
            }
            state.into_inner().1
        });
        writeln!(std::io::stderr(), "base chains, {family}: {sent} packets")
            .expect("it can be said");
    }
}

/// Random first packets with their replies and with later packets of their own direction.
#[test]
fn later_packets_are_the_kernels() {
    require(&[
        "ip",
        "nft",
        "iptables-legacy-restore",
        "iptables-nft-restore",
    ]);
    let (seed, packets) = (
        number("CHAINWALK_SEED", SEED),
        number("CHAINWALK_PACKETS", PACKETS) / 50,
    );
    let judge = |(backend, family): (Backend, Family), place| {
        Lab::run(&[backend], family, place, |lab| {
            let config = Config {
                failure_persistence: None,
                max_shrink_iters: 300,
                ..Config::default()
            };
            let mut runner = runner(seed, config);
            let backends = [backend];
            let cases = Case::any(&backends, family);
            let state = RefCell::new((lab, Compared::default()));
            while state.borrow().1.packets < packets {
                let tree = cases.new_tree(&mut runner).expect("no case is rejected");
                let result = runner.run_one(tree, |case| {
                    let (lab, compared) = &mut *state.borrow_mut();
                    case.judge_later(lab, compared).map_err(TestCaseError::fail)
                });
                if let Err(TestError::Fail(reason, _)) = result {
                    panic!(
                        "{}, CHAINWALK_SEED={seed}: {reason}",
                        program(backend, family, "restore")
                    );
                }
            }
            state.into_inner().1
        })
    };
    let kinds = BACKENDS
        .into_iter()
        .flat_map(|backend| FAMILIES.map(|family| (backend, family)));
    thread::scope(|scope| {
        let judge = &judge;
        let threads: Vec<_> = (0..)
            .zip(kinds)
            .map(|(place, kind)| (kind, scope.spawn(move || judge(kind, place))))
            .collect();
        for ((backend, family), thread) in threads {
            let Compared { packets, certain } =
                thread.join().unwrap_or_else(|panic| resume_unwind(panic));
            writeln!(
                std::io::stderr(),
                "later packets, {backend:?} {family}: {packets}, {certain} of them certain"
            )
            .expect("it can be said");
            assert!(certain * 4 > packets, "{certain} of {packets} are certain");
        }
    });
}

/// Every rule set of every lesson, with every packet of the lesson that can be sent as the first of
/// its connection. In a lesson without a namespace, the outcome must be the lesson's.
#[test]
fn lessons_are_the_kernels() {
    require(&[
        "ip",
        "nft",
        "iptables-legacy-restore",
        "iptables-nft-restore",
    ]);
    let lessons = lessons::all();
    for backend in BACKENDS {
        let coverage = Lab::run(&[backend], Family::Ipv4, 0, |mut lab| {
            let mut coverage = Coverage::default();
            for (name, lesson) in &lessons {
                for world in &lesson.worlds {
                    let packets: Vec<Packet> = lesson
                        .packets
                        .iter()
                        .map(|(_, packet)| packet)
                        .filter(|packet: &&Packet| {
                            packet.family() == Family::Ipv4 && packet.state.is_none()
                        })
                        .cloned()
                        .collect();
                    let judged =
                        Case::of(&world.text, packets.clone()).judge(&mut lab, &mut coverage);
                    judged.unwrap_or_else(|difference| {
                        panic!("{name}, rules {}: {difference}", world.name)
                    });
                    for packet in packets.iter().filter(|_| !world.host_known) {
                        let here = walk(&lab.rulesets, None, &lab.host, packet);
                        let end = |trace: &Trace| {
                            trace
                                .verdict()
                                .map(|end| (end.kind, end.port, end.interface.clone()))
                        };
                        assert_eq!(
                            end(&world.walk(packet)),
                            end(&here),
                            "{name}, rules {}: {packet:?}",
                            world.name
                        );
                    }
                }
            }
            coverage
        });
        writeln!(
            std::io::stderr(),
            "lessons, {backend:?}: {} packets",
            coverage.packets
        )
        .expect("it can be said");
        assert!(coverage.packets >= 100, "{} packets", coverage.packets);
    }
}
