//! Chainwalk against its peers, in one table: `cargo xtask bench` builds what it needs and runs it.
//!
//! Every figure is measured several times in this run, its peer as often, by turns or right behind it: machines differ, and
//! are busy; ratios within a run are what counts. It fails nothing: what is slower than it should be is said in the table.
//! [docs/performance.md](../docs/performance.md) tells how to read it.
//!
//! # Layout
//! - `table`: figures and rows
//! - `reading`: reading, printing and walking, each in a process of its own; `hostile`: texts made to be slow
//! - `kernel`: rules a packet meets, in this process and in the kernel

#![allow(clippy::print_stdout, reason = "the table is what it is for")]

use std::env;

use chainwalk_tests::namespace::require;
use table::Table;

#[path = "bench/hostile.rs"]
mod hostile;
#[path = "bench/kernel.rs"]
mod kernel;
#[path = "bench/reading.rs"]
mod reading;
#[path = "bench/table.rs"]
mod table;

/// Measures what belongs together.
type Part = (&'static str, fn(&mut Table));

fn main() {
    let words: Vec<String> = env::args().skip(1).filter(|word| !word.starts_with("--")).collect();
    if let [own, task, path] = &words[..]
        && own == reading::OWN
    {
        return reading::in_own_process(task, path);
    }
    require(&["ip", "iptables-legacy-restore", "iptables-nft-restore"]);
    let wanted = |part: &str| words.is_empty() || words.iter().any(|word| word == part);
    let mut table = Table::begin();
    let parts: [Part; 3] = [("kernel", kernel::rows), ("reading", reading::rows), ("hostile", hostile::rows)];
    for (part, rows) in parts.into_iter().filter(|(part, _)| wanted(part)) {
        table.part(part);
        rows(&mut table);
    }
    table.end();
}
