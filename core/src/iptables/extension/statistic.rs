//! `-m statistic` (xt_statistic.c): matches by chance, or every nth packet.

use super::kind::ValueForm;
use super::kind::read::problem;
use super::{Extension, Given, Kind, ListingForm, Opt, Options};
use crate::netfilter::condition::{Field, Phrase, Subject};
use crate::netfilter::ruleset::{Clause, Value};
use crate::packet::value::FieldValue;
use crate::text::diagnostic::{Code, Problem};
use crate::text::number;

/// The number for a probability of 1.
const CERTAIN: u32 = 1 << 31;
const ONE: f64 = CERTAIN as f64;

/// A probability, stored as the kernel does: a multiple of 1/[`CERTAIN`].
static PROBABILITY: ValueForm = ValueForm {
    words: 1,
    read: |words, _| {
        let probability = number::parse_decimal(words[0]).filter(|probability| *probability <= 1.0);
        // `lround(0x80000000 * probability)` (libxt_statistic.c).
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "it is from 0 to 1"
        )]
        let parts = probability.map(|probability| (probability * ONE).round() as u32);
        parts
            .map(Value::Number)
            .ok_or_else(|| problem("probability", words[0], "0.5, a number from 0 to 1"))
    },
    write: |value, _, out| {
        if let Value::Number(parts) = value {
            out.push_str(&format!("{:.11}", f64::from(*parts) / ONE));
        }
    },
    examples: &["0.5", "0.33", "0", "1"],
};

static CHANCE: Field = Field {
    subject: Subject::Other,
    phrase: Phrase::Sentence(
        "chance always decides for it",
        "chance always decides against it",
    ),
    read: |context| match context.wanted {
        Value::Number(0) => FieldValue::Absent("no chance at all"),
        &Value::Number(CERTAIN) => FieldValue::Number(CERTAIN),
        _ => FieldValue::Unknown("-m statistic: it depends on chance".into()),
    },
};

static TURN: Field = Field {
    subject: Subject::Other,
    phrase: Phrase::Sentence("it is every packet's turn", "it is not its turn"),
    read: |context| match context.wanted {
        &Value::Number(1) => FieldValue::Number(1),
        _ => FieldValue::Unknown(
            "-m statistic: it depends on the number of earlier \
        packets"
                .into(),
        ),
    },
};

/// The probability of a clause that depends on chance alone.
fn chance(part: &Clause) -> Option<f64> {
    let asks_chance = std::ptr::eq(part.opt()?.field?, &CHANCE);
    let Value::Number(parts) = &part.value else {
        return None;
    };
    let probability = f64::from(*parts) / f64::from(CERTAIN);
    asks_chance.then_some(if part.negated {
        1.0 - probability
    } else {
        probability
    })
}

fn check(given: &Given) -> Result<(), Problem> {
    let options = given.options;
    match (
        options.printed("--mode").as_deref(),
        options.number("--every"),
        options.number("--packet"),
    ) {
        (Some("random"), ..) if !options.has("--probability") => Err(Problem::new(
            Code::MissingOption,
            "--mode random needs --probability",
        )),
        (Some("nth"), None, _) => Err(Problem::new(
            Code::MissingOption,
            "--mode nth needs --every and --packet",
        )),
        (_, Some(every), Some(packet)) if packet >= every => Err(Problem::new(
            Code::RefusedCombination,
            format!("--packet {packet} is not below --every {every}"),
        )),
        _ => Ok(()),
    }
}

fn describe(options: &Options) -> String {
    if let Some(every) = options.number("--every") {
        let not = if options.negates("--every") {
            " not"
        } else {
            ""
        };
        return format!("it is{not} the one of every {every} packets whose turn it is");
    }
    let parts = options.number("--probability").unwrap_or_default();
    let parts = if options.negates("--probability") {
        CERTAIN - parts
    } else {
        parts
    };
    let text = format!("{:.4}", f64::from(parts) * 100.0 / ONE);
    format!(
        "chance lets it through, {} % of the time",
        text.trim_end_matches('0').trim_end_matches('.')
    )
}

/// `-m statistic`.
pub static STATISTIC: Extension = Extension {
    listed: ListingForm::new(
        "statistic",
        &[
            ("!every % packet %", "--every % --packet %"),
            ("!every %", "--every % --packet 0"),
        ],
    ),
    check,
    chance: Some(chance),
    words: Some(describe),
    ..Extension::matching(
        "statistic",
        "matches by chance, or every nth packet",
        &[
            Opt::new("--mode", Kind::OneOf(&[("random", 0), ("nth", 1)])).required(),
            Opt::tests("--probability", Kind::Own(&PROBABILITY), &CHANCE)
                .excludes(&["--every", "--packet"]),
            Opt::tests("--every", Kind::Between(1, u32::MAX), &TURN).needs(&["--packet"]),
            Opt::new("--packet", Kind::Number(u32::MAX)).needs(&["--every"]),
        ],
    )
};
