//! Prints progress messages and durations.

use std::{
    fmt::Display,
    io::{self, Write},
    time::{Duration, Instant},
};

/// Prints a line on standard output. A closed reader (`… | head`) is not an error.
pub(crate) fn print_progress(line: impl Display) {
    let _ = writeln!(io::stdout(), "{line}");
}

/// Prints an error on standard error.
pub(crate) fn problem(what: impl Display) {
    let _ = writeln!(io::stderr(), "xtask: {what}");
}

/// Prints a message, does the work, and prints its duration.
pub(crate) fn timed<T, E>(what: &str, work: impl FnOnce() -> Result<T, E>) -> Result<T, E> {
    print_progress(format_args!("{what} …"));
    let started = Instant::now();
    let done = work()?;
    print_progress(format_args!("{what}: {}", seconds(started.elapsed())));
    Ok(done)
}

/// `0.3 s`, `48.0 s`, `7 min 31 s`.
pub(crate) fn seconds(time: Duration) -> String {
    match time.as_secs() {
        0..60 => format!("{:.1} s", time.as_secs_f64()),
        whole => format!("{} min {} s", whole / 60, whole % 60),
    }
}

/// Prints a number with a comma after each group of three digits: `1,234,567`.
pub(crate) fn thousands(number: usize) -> String {
    let digits = number.to_string();
    let mut grouped = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_and_sizes() {
        assert_eq!(seconds(Duration::from_millis(290)), "0.3 s");
        assert_eq!(seconds(Duration::from_secs(451)), "7 min 31 s");
        assert_eq!(
            [0, 999, 1000, 1234567].map(thousands),
            ["0", "999", "1,000", "1,234,567"]
        );
    }
}
