//! The cost of a rule for a packet, here and in the kernel, for several shapes of rules. The packet
//! fails every rule of a chain. The time without rules is subtracted.

use std::hint::black_box;
use std::net::UdpSocket;
use std::time::Instant;

use chainwalk_core::analysis::large;
use chainwalk_core::input::parse;
use chainwalk_core::netfilter::backend::Backend;
use chainwalk_core::packet::host::Host;
use chainwalk_core::packet::{Family, Origin, Packet, Protocol};
use chainwalk_core::walk::walk;
use chainwalk_tests::namespace::Pod;

use crate::table::{Aim, Figures, Table};

const RULES: u32 = 5_000;
const TIMES: usize = 9;

/// A shape of rules, with the function that makes a rule from its number.
type Shape = (&'static str, fn(u32) -> String);

/// Rules that do not match a UDP packet of root to port 53 of 93.184.216.34.
const SHAPES: [Shape; 4] = [
    ("-d", large::blocked),
    ("-p tcp --dport", |number| {
        format!("-p tcp -m tcp --dport {}", 1 + number)
    }),
    ("-p udp --dport", |number| {
        format!("-p udp -m udp --dport {}", 1_000 + number)
    }),
    ("--uid-owner", |number| {
        format!("-m owner --uid-owner {}", 100_000 + number)
    }),
];

pub(crate) fn rows(table: &mut Table) {
    for (name, shape) in SHAPES {
        let text = large::flat(RULES, shape);
        let peers = [Backend::Legacy, Backend::Nft].map(|backend| in_kernel(backend, &text));
        let ours = here(&text);
        for (backend, peer) in ["legacy", "nft"].into_iter().zip(&peers) {
            table.row(
                &format!("a rule of `{name}`"),
                &ours,
                Some((backend, peer)),
                Aim::Times(1.0),
            );
        }
    }
}

/// The cost of one rule. Runs with and without the rules alternate.
fn per_rule(mut with: impl FnMut() -> f64, mut without: impl FnMut() -> f64) -> Figures {
    Figures::new(
        "ns",
        (0..TIMES)
            .map(|_| (with() - without()) / f64::from(RULES))
            .collect(),
    )
}

fn here(text: &str) -> Figures {
    let packet = Packet {
        src: Some([10, 244, 1, 5].into()),
        sport: Some(40_000),
        dport: Some(53),
        uid: Some(0),
        gid: Some(0),
        ..Packet::to(Origin::Local, Protocol::UDP, [93, 184, 216, 34].into())
    };
    let host = Host::pod();
    let walks = |text: &str| {
        let parsed = parse::parse(text);
        let (packet, host) = (packet.clone(), host.clone());
        move || {
            quickest(20, || {
                drop(black_box(walk(&parsed.rulesets, None, &host, &packet)))
            })
        }
    };
    per_rule(walks(text), walks(&large::flat(0, large::blocked)))
}

fn in_kernel(backend: Backend, text: &str) -> Figures {
    let [with, without] = ["with", "without"].map(|label| {
        let pod = Pod::new(label);
        let socket = pod
            .namespace
            .inside(|| UdpSocket::bind("0.0.0.0:0"))
            .expect("the pod has an address");
        socket.connect("93.184.216.34:53").expect("it has a route");
        (pod, socket)
    });
    with.0.namespace.load(backend, Family::Ipv4, text);
    without
        .0
        .namespace
        .load(backend, Family::Ipv4, &large::flat(0, large::blocked));
    let send = |socket: &UdpSocket, times| quickest(times, || drop(black_box(socket.send(b"x"))));
    per_rule(|| send(&with.1, 20), || send(&without.1, 200))
}

/// The time of one call in nanoseconds: the fastest of ten batches. In the others, another process
/// used the processor.
fn quickest(times: u32, mut job: impl FnMut()) -> f64 {
    (0..10)
        .map(|_| {
            let start = Instant::now();
            (0..times).for_each(|_| job());
            start.elapsed().as_secs_f64() * 1e9 / f64::from(times)
        })
        .fold(f64::INFINITY, f64::min)
}
