//! Figures and rows.

use std::fmt;
use std::fs;
use std::time::{Duration, Instant};

/// Several measurements of one quantity, in one unit.
#[derive(Clone, Debug)]
pub(crate) struct Figures {
    sorted: Vec<f64>,
    unit: &'static str,
}

impl Figures {
    /// Makes figures from at least one number.
    pub(crate) fn new(unit: &'static str, mut measured: Vec<f64>) -> Self {
        measured.sort_by(f64::total_cmp);
        assert!(!measured.is_empty(), "measured at least once");
        Self {
            sorted: measured,
            unit,
        }
    }

    /// Makes figures from durations, in milliseconds.
    pub(crate) fn ms(measured: impl IntoIterator<Item = Duration>) -> Self {
        Self::new(
            "ms",
            measured
                .into_iter()
                .map(|took| took.as_secs_f64() * 1e3)
                .collect(),
        )
    }

    /// The median.
    pub(crate) fn median(&self) -> f64 {
        self.sorted[self.sorted.len() / 2]
    }
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (min, max) = (self.sorted[0], self.sorted[self.sorted.len() - 1]);
        write!(
            f,
            "{} ({}–{}) {}",
            Short(self.median()),
            Short(min),
            Short(max),
            self.unit
        )
    }
}

/// A number with three significant digits.
struct Short(f64);

impl fmt::Display for Short {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = match self.0.abs() {
            large if large >= 100.0 => 0,
            middle if middle >= 10.0 => 1,
            _ => 2,
        };
        write!(f, "{:.digits$}", self.0)
    }
}

/// The goal of a row.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Aim {
    /// No goal.
    None,
    /// The median is below this number, in its unit.
    Below(f64),
    /// Our median is at most this multiple of the peer's.
    Times(f64),
}

/// The table. Rows are printed at once.
#[derive(Debug)]
pub(crate) struct Table {
    began: Instant,
    missed: usize,
}

impl Table {
    /// Prints the head of the table.
    pub(crate) fn begin() -> Self {
        println!("load before: {}\n", load());
        println!("Each figure: median (min–max). Ratio: ours by the peer's, of the medians.\n");
        println!("| what | ours | peer | ratio | aim | |\n|---|---|---|---|---|---|");
        Self {
            began: Instant::now(),
            missed: 0,
        }
    }

    /// Begins a part.
    pub(crate) fn part(&mut self, name: &str) {
        println!("| **{name}**, load {} | | | | | |", load());
    }

    /// Prints a row.
    pub(crate) fn row(
        &mut self,
        what: &str,
        ours: &Figures,
        peer: Option<(&str, &Figures)>,
        aim: Aim,
    ) {
        let ratio = peer.map(|(_, peer)| ours.median() / peer.median());
        let (says, met) = match aim {
            Aim::None => (String::new(), None),
            Aim::Below(most) => (
                format!("< {} {}", Short(most), ours.unit),
                Some(ours.median() < most),
            ),
            Aim::Times(most) => (
                format!("≤ {} times", Short(most)),
                ratio.map(|ratio| ratio <= most),
            ),
        };
        let met = match met {
            None => "",
            Some(true) => "yes",
            Some(false) => {
                self.missed += 1;
                "**no**"
            }
        };
        let (name, ratio) = (
            peer.map(|(name, peer)| format!("{name}: {peer}"))
                .unwrap_or_default(),
            ratio
                .map(|ratio| Short(ratio).to_string())
                .unwrap_or_default(),
        );
        println!("| {what} | {ours} | {name} | {ratio} | {says} | {met} |");
    }

    /// Prints the number of missed goals.
    pub(crate) fn end(self) {
        println!(
            "\n{} aims missed; {} s; load after: {}",
            self.missed,
            self.began.elapsed().as_secs(),
            load()
        );
    }
}

/// The load of the machine: the number of processes that want to run, averaged over one, five and
/// fifteen minutes.
fn load() -> String {
    let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    load.split_whitespace()
        .take(3)
        .collect::<Vec<_>>()
        .join(" ")
}

/// Runs a job several times and returns the durations.
pub(crate) fn timed(times: usize, mut job: impl FnMut()) -> Vec<Duration> {
    (0..times)
        .map(|_| {
            let start = Instant::now();
            job();
            start.elapsed()
        })
        .collect()
}
