//! Chainwalk against its peers, in one table: `cargo xtask bench` builds what it needs and runs it.
//!
//! Every figure is measured several times in this run, its peer as often, by turns or right behind
//! it: machines differ, and are busy; ratios within a run are what counts. It fails nothing: what
//! is slower than it should be is said in the table. [docs/performance.md](../docs/performance.md)
//! tells how to read it.
//!
//! # Layout
//! - `table`: figures and rows
//! - `reading`: reading, printing and walking, each in a process of its own; `hostile`: texts made
//!   to be slow
//! - `kernel`: rules a packet meets, in this process and in the kernel
//! - `page`, `start`: the page in Chromium, with rules of three sizes and as it starts; `capture`:
//!   the helper
//!
//! `bench/parts.rs` is a program of its own.

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

/// Measures what belongs together.
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
