//! Fields that several transport protocols share.

use crate::condition::{Context, Field, Phrase, Reading};

/// Why a match on the transport header fails, if the packet has none at hand.
pub(super) fn headless(context: &Context) -> Option<Reading<'static>> {
    let later = context.packet.fragment.is_some_and(|fragment| fragment.offset > 0);
    later.then_some(Reading::Never("a later fragment has no transport header"))
}

/// Whether the transport header is at hand: what each match on it asks first.
pub(super) static TRANSPORT: Field = Field {
    name: "transport",
    phrase: Phrase::Is("transport header"),
    read: |context| headless(context).unwrap_or(Reading::Number(1)),
};

fn port(context: &Context, port: Option<u16>, span: Option<(u16, u16)>, missing: &'static str) -> Reading<'static> {
    if let Some(never) = headless(context) {
        return never;
    }
    match (port, span) {
        (Some(port), _) => Reading::Number(port.into()),
        (None, Some((low, high))) => Reading::Span(low.into(), high.into()),
        (None, None) => Reading::Unknown(missing.into()),
    }
}

/// The port it comes from.
pub static SOURCE_PORT: Field = Field {
    name: "sport",
    phrase: Phrase::Is("source port"),
    read: |context| port(context, context.view.sport, context.view.sport_span, "the packet states no source port"),
};

/// The port it goes to.
pub static DESTINATION_PORT: Field = Field {
    name: "dport",
    phrase: Phrase::Is("destination port"),
    read: |context| port(context, context.view.dport, context.view.dport_span, "the packet states no destination port"),
};
