//! Compares Chainwalk with its peers in one table. `cargo xtask bench` builds the requirements and
//! runs it.
//!
//! Every figure is measured several times in one run, and its peer as often, alternately or right
//! after it. Machines differ and are busy, so the ratios within a run count. A slow result does not
//! fail: the table shows it. [docs/performance.md](../docs/performance.md) explains how to read the
//! table.
//!
//! # Layout
//! - `table`: figures and rows
//! - `reading`: parsing, printing and walking, each in a separate process; `hostile`: texts that
//!   are made to be slow
//! - `kernel`: the cost of a rule for a packet, in this process and in the kernel
//! - `page`, `start`: the page in Chromium, with rules of three sizes and at its start; `capture`:
//!   the helper
//!
//! `bench/parts.rs` is a separate program.

#![allow(clippy::print_stdout, reason = "the table is what it is for")]

use std::env;

use chainwalk_tests::namespace::require;
use table::Table;

#[path = "bench/capture.rs"]
mod capture;
#[path = "bench/hostile.rs"]
mod hostile;
#[path = "bench/kernel.rs"]
mod kernel;
#[path = "bench/page.rs"]
mod page;
#[path = "bench/reading.rs"]
mod reading;
#[path = "bench/start.rs"]
mod start;
#[path = "bench/table.rs"]
mod table;

/// A part of the measurements.
type Part = (&'static str, fn(&mut Table));

fn main() {
    let words: Vec<String> = env::args()
        .skip(1)
        .filter(|word| !word.starts_with("--"))
        .collect();
    if let [own, task, path] = &words[..]
        && own == reading::OWN
    {
        return reading::in_own_process(task, path);
    }
    require(&["ip", "iptables-legacy-restore", "iptables-nft-restore"]);
    let wanted = |part: &str| words.is_empty() || words.iter().any(|word| word == part);
    let mut table = Table::begin();
    let parts: [Part; 6] = [
        ("kernel", kernel::rows),
        ("reading", reading::rows),
        ("hostile", hostile::rows),
        ("page", page::rows),
        ("start", start::rows),
        ("capture", capture::rows),
    ];
    for (part, rows) in parts.into_iter().filter(|(part, _)| wanted(part)) {
        table.part(part);
        rows(&mut table);
    }
    table.end();
}
