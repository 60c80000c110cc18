//! `-m limit` (xt_limit.c): a limit of packets in a time, with a burst at the beginning.

use super::kind::ValueForm;
use super::{Extension, Given, Implied, Kind, ListingForm, Opt, rate};
use crate::netfilter::backend::Backend;
use crate::netfilter::ruleset::Value;
use crate::text::diagnostic::{Code, Problem};

/// Parts of a second (`XT_LIMIT_SCALE`).
const SCALE: u64 = 10_000;

static RATE: ValueForm = ValueForm {
    words: 1,
    read: |words, _| {
        rate::parse_rate(words[0], SCALE).map(|(period, _)| Value::Wide(period.into()))
    },
    write: |value, _, out| {
        if let Value::Wide(period) = value {
            out.push_str(&rate::print(period.get(), SCALE));
        }
    },
    examples: &["3/hour", "10/m", "100/sec", "1/day"],
};

/// The cost of a time in 32 bits (`user2credits`, for 250 or 1000 ticks a second).
fn credits(time: u32) -> u32 {
    const A_SECOND: u32 = 32_000;
    const SCALE: u32 = 10_000;
    match time.checked_mul(A_SECOND) {
        Some(product) => product / SCALE,
        None => (time / SCALE).wrapping_mul(A_SECOND),
    }
}

/// Limits that the kernel cannot count in 32 bits (`limit_mt_check`). nft counts differently.
fn check(given: &Given) -> Result<(), Problem> {
    let Some(Value::Wide(period)) = given.options.value("--limit") else {
        return Ok(());
    };
    let burst = given.options.number("--limit-burst").unwrap_or(BURST);
    let wraps = |period: u32| credits(period.wrapping_mul(burst)) < credits(period);
    match u32::try_from(period.get()).is_ok_and(wraps)
        && given.options.ruleset.backend != Some(Backend::Nft)
    {
        true => Err(Problem::new(
            Code::RefusedCombination,
            "this rate with this burst exceeds the kernel's counter",
        )
        .hint("use a smaller --limit-burst")),
        false => Ok(()),
    }
}

/// The default burst, which is not printed.
const BURST: u32 = 5;

/// `-m limit`.
pub static LIMIT: Extension = Extension {
    listed: ListingForm::new("", &[("limit: avg % burst %", "--limit % --limit-burst %")]),
    unknowable: Some("it depends on the number of earlier packets"),
    check,
    implied: &[Implied::new("--limit", "3/hour")],
    words: Some(|options| {
        let rate = match options.value("--limit") {
            Some(Value::Wide(period)) => rate::describe(period.get(), SCALE),
            _ => String::new(),
        };
        format!(
            "no more than {rate} come, after {} at first",
            options.number("--limit-burst").unwrap_or(BURST)
        )
    }),
    ..Extension::matching(
        "limit",
        "a limit of packets in a time",
        &[
            Opt::new("--limit", Kind::Own(&RATE)),
            // The kernel refuses a burst of 0 (`limit_mt_check`).
            Opt::new("--limit-burst", Kind::Between(1, 10_000)).unprinted(BURST),
        ],
    )
};
