//! The cost of each part of core for the rules of a pod: `cargo xtask bench parts`. Divan runs each
//! part a hundred times and prints the fastest, the slowest, the median and the mean.

use std::sync::LazyLock;

use chainwalk_core::analysis::constants::Constants;
use chainwalk_core::analysis::{counterfactual, explain, findings, report};
use chainwalk_core::input::parse::{self, Parsed};
use chainwalk_core::iptables::print;
use chainwalk_core::mesh;
use chainwalk_core::packet::Packet;
use chainwalk_core::packet::host::Host;
use chainwalk_core::packet::line;
use chainwalk_core::share::link::{self, Shared};
use chainwalk_core::walk::trace::Trace;
use divan::{Bencher, black_box};

const SIDECAR: &str = include_str!("../../static/samples/istio-sidecar.txt");
/// Similar rules as an old web page shows them: damaged, and twice.
const DAMAGED: &str = include_str!("../../core/tests/pastes/page.txt");
const RULE: &str = "*nat\n:OUTPUT ACCEPT [0:0]\n-A OUTPUT ! -d 127.0.0.1/32 -o lo -p tcp -m tcp ! --dport 15008 \
                    -m owner --uid-owner 1337 -j ACCEPT\nCOMMIT\n";

/// The rules of a pod, and a packet of the proxy's user, which takes 7 steps in them.
struct Pod {
    parsed: Parsed,
    host: Host,
    packet: Packet,
    trace: Trace,
}

static POD: LazyLock<Pod> = LazyLock::new(|| {
    let (parsed, host) = (parse::parse(SIDECAR), Host::pod());
    let packet = Packet::tcp(
        ([10, 244, 1, 5], 40_000),
        ([93, 184, 216, 34], 443),
        1337,
        1337,
    );
    let trace = chainwalk_core::walk::walk(&parsed.rulesets, None, &host, &packet);
    Pod {
        parsed,
        host,
        packet,
        trace,
    }
});

fn main() {
    divan::main();
}

#[divan::bench]
fn read_one_rule() -> Parsed {
    parse::parse(black_box(RULE))
}

#[divan::bench]
fn read_a_sidecar() -> Parsed {
    parse::parse(black_box(SIDECAR))
}

#[divan::bench]
fn read_a_damaged_page() -> Parsed {
    parse::parse(black_box(DAMAGED))
}

#[divan::bench]
fn print_it(bencher: Bencher) {
    let pod = &*POD;
    bencher.bench(|| print::save(black_box(&pod.parsed.rulesets[0]), false));
}

#[divan::bench]
fn recognise_the_mesh(bencher: Bencher) {
    let pod = &*POD;
    bencher.bench(|| mesh::recognise(black_box(&pod.parsed.rulesets[0])));
}

#[divan::bench]
fn look_for_findings(bencher: Bencher) {
    let pod = &*POD;
    bencher.bench(|| findings::lint(black_box(&pod.parsed.rulesets), &pod.host, false));
}

#[divan::bench]
fn read_a_packet() -> Result<Packet, line::LineError> {
    line::parse_packet_line(black_box(line::EXAMPLE))
}

#[divan::bench]
fn walk(bencher: Bencher) {
    let pod = &*POD;
    bencher.bench(|| {
        chainwalk_core::walk::walk(
            black_box(&pod.parsed.rulesets),
            None,
            &pod.host,
            &pod.packet,
        )
    });
}

#[divan::bench]
fn explain_the_steps(bencher: Bencher) {
    let Pod { parsed, trace, .. } = &*POD;
    bencher.bench(|| {
        for step in trace.path.steps.iter() {
            black_box(explain::step(&parsed.rulesets, trace, &trace.path, &step));
        }
    });
}

#[divan::bench]
fn say_the_answer(bencher: Bencher) {
    let Pod { parsed, trace, .. } = &*POD;
    bencher.bench(|| explain::verdict(black_box(&parsed.rulesets), trace, None));
}

#[divan::bench]
fn find_what_would_alter_it(bencher: Bencher) {
    let Pod {
        parsed,
        host,
        trace,
        ..
    } = &*POD;
    let constants = Constants::collect(&parsed.rulesets, trace.packet.family());
    bencher.bench(|| counterfactual::find(black_box(&parsed.rulesets), &constants, host, trace));
}

#[divan::bench]
fn write_the_trace(bencher: Bencher) {
    let Pod { parsed, trace, .. } = &*POD;
    bencher.bench(|| report::json(black_box(&parsed.rulesets), trace));
}

#[divan::bench]
fn make_a_link() -> String {
    link::fragment(black_box(SIDECAR))
}

#[divan::bench]
fn read_a_link(bencher: Bencher) {
    let fragment = link::fragment(SIDECAR);
    bencher.bench(|| -> Option<Shared> {
        link::read_link(black_box(&fragment)).expect("it was just made")
    });
}
