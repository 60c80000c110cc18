//! `-m tcpmss` (xt_tcpmss.c): the maximum segment size that a TCP header announces.

use super::{Extension, Given, Kind, Listed, Opt};
use crate::condition::{Context, Field, Phrase, Reading};
use crate::diagnostic::{Code, Problem};
use crate::packet::Protocol;
use crate::ruleset::Value;

/// The number of the option in a TCP header.
const MSS: u8 = 2;

fn announced(context: &Context) -> Reading<'static> {
    if context.packet.is_later_fragment() {
        return Reading::Unknown("it is a later fragment: its payload is taken for a TCP header".into());
    }
    match (context.view.mss, context.view.tcp_options.as_deref()) {
        (Some(mss), _) => Reading::Number(mss.into()),
        (None, Some(options)) if !options.contains(&MSS) => Reading::Absent("no maximum segment size"),
        (None, _) => Reading::Unknown("the packet states no maximum segment size".into()),
    }
}

static SIZE: Field = Field { name: "mss", phrase: Phrase::Is("maximum segment size"), read: announced };

fn check(given: &Given) -> Result<(), Problem> {
    match given.options.value("--mss") {
        Some(Value::Range(low, high)) if low > high => {
            Err(Problem::new(Code::ReversedRange, format!("the range {low}:{high} runs backwards"))
                .hint("write the lower number first"))
        }
        _ => Ok(()),
    }
}

/// `-m tcpmss`.
pub static TCPMSS: Extension = Extension {
    listed: Listed::new("", &[("tcpmss match !%", "--mss %")]),
    protocols: &[Protocol::TCP],
    check,
    ..Extension::matching(
        "tcpmss",
        "TCP's maximum segment size",
        &[Opt::tests("--mss", Kind::NumberRange(65535), &SIZE).required()],
    )
};
