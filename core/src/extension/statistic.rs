//! `-m statistic` (xt_statistic.c): by chance, or every so many packets.

use super::kind::Form;
use super::kind::read::problem;
use super::{Extension, Given, Kind, Opt, Options};
use crate::condition::{Field, Phrase, Reading};
use crate::diagnostic::Problem;
use crate::ruleset::{Part, Value};

/// What stands for a probability of 1.
const CERTAIN: u32 = 1 << 31;

/// A probability, kept as the kernel does: a whole number of parts of [`CERTAIN`].
static PROBABILITY: Form = Form {
    words: 1,
    read: |words, _| match words[0].parse::<f64>() {
        Ok(probability) if (0.0..=1.0).contains(&probability) => {
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it lies between 0 and 2^31")]
            let parts = (probability * f64::from(CERTAIN)).round() as u32;
            Ok(Value::Number(parts))
        }
        _ => Err(problem("probability", words[0], "0.5, a number from 0 to 1")),
    },
    write: |value, _, out| {
        if let Value::Number(parts) = value {
            out.push_str(&format!("{:.11}", f64::from(*parts) / f64::from(CERTAIN)));
        }
    },
    examples: &["0.5", "0.33", "0", "1"],
};

static CHANCE: Field = Field {
    name: "chance",
    phrase: Phrase::Says("chance always decides for it", "chance always decides against it"),
    read: |context| match context.value("--probability") {
        Some(&Value::Number(0)) => Reading::Absent("no chance at all"),
        Some(&Value::Number(CERTAIN)) => Reading::Number(CERTAIN),
        _ => Reading::Unknown("-m statistic: it depends on chance".into()),
    },
};

static TURN: Field = Field {
    name: "turn",
    phrase: Phrase::Says("it is every packet's turn", "it is not its turn"),
    read: |context| match context.value("--every") {
        Some(&Value::Number(1)) => Reading::Number(1),
        _ => Reading::Unknown("-m statistic: it depends on how many packets came before".into()),
    },
};

/// How likely a part holds that asks chance alone.
fn chance(part: &Part) -> Option<f64> {
    let (Value::Number(parts), "--probability") = (&part.value, part.opt()?.flag) else { return None };
    let probability = f64::from(*parts) / f64::from(CERTAIN);
    Some(if part.negated { 1.0 - probability } else { probability })
}

fn check(given: &Given) -> Result<(), Problem> {
    let options = given.options;
    match (options.printed("--mode").as_deref(), options.number("--every"), options.number("--packet")) {
        (Some("random"), ..) if !options.has("--probability") => Err(Problem::new("--mode random needs --probability")),
        (Some("nth"), None, _) => Err(Problem::new("--mode nth needs --every and --packet")),
        (_, Some(every), Some(packet)) if packet >= every => {
            Err(Problem::new(format!("--packet {packet} is not below --every {every}")))
        }
        _ => Ok(()),
    }
}

fn words(options: &Options) -> String {
    if let Some(every) = options.number("--every") {
        let not = if options.negates("--every") { " not" } else { "" };
        return format!("it is{not} the one of every {every} packets whose turn it is");
    }
    let parts = options.number("--probability").unwrap_or_default();
    let percent = f64::from(parts) / f64::from(CERTAIN) * 100.0;
    let percent = if options.negates("--probability") { 100.0 - percent } else { percent };
    let text = format!("{percent:.4}");
    format!("chance lets it through, {} % of the time", text.trim_end_matches('0').trim_end_matches('.'))
}

/// `-m statistic`.
pub static STATISTIC: Extension = Extension {
    check,
    chance: Some(chance),
    words: Some(words),
    ..Extension::matching(
        "statistic",
        "by chance, or every so many packets",
        &[
            Opt::new("--mode", Kind::OneOf(&[("random", 0), ("nth", 1)])).required(),
            Opt::tests("--probability", Kind::Own(&PROBABILITY), &CHANCE).excludes(&["--every", "--packet"]),
            Opt::tests("--every", Kind::Between(1, u32::MAX), &TURN).needs(&["--packet"]),
            Opt::new("--packet", Kind::Number(u32::MAX)).needs(&["--every"]),
        ],
    )
};
