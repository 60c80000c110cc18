//! Fields that several transport protocols share.

use crate::capture::Backend;
use crate::condition::{Context, Field, Phrase, Reading};

/// Why a match on the transport header fails, if the packet has none at hand. xt_tcpudp.c, `tcp_mt`, drops a fragment that
/// could overwrite TCP's flags; nftables asks the packet by itself for TCP and UDP, and then does not look at the offset
/// (nf_tables_core.c, `nft_payload_fast_eval`; both measured).
pub(super) fn headless(context: &Context) -> Option<Reading<'static>> {
    let asking = context.group.first().map_or("", |part| part.extension().name);
    let by_nft = context.ruleset.backend == Some(Backend::Nft) && matches!(asking, "tcp" | "udp");
    match context.packet.fragment.map_or(0, |fragment| fragment.offset) {
        0 => None,
        _ if by_nft && !context.has("--tcp-option") => {
            Some(Reading::Unknown("iptables-nft takes what a later fragment holds for its transport header".into()))
        }
        1 if asking == "tcp" => {
            Some(Reading::Drops("it begins within the TCP header, and -m tcp drops such a fragment"))
        }
        _ => Some(Reading::Never("a later fragment has no transport header")),
    }
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
