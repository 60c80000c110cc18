//! `-m socket` (xt_socket.c): whether a socket of this host would receive the packet. A socket that
//! is bound to no address counts only with `--nowildcard`: despite its name, the option includes
//! such sockets.

use super::{Extension, Kind, ListingForm, Opt};
use crate::netfilter::condition::{Context, Field, Parameters, Phrase, Subject};
use crate::packet::hook::Hook;
use crate::packet::host::Socket;
use crate::packet::value::FieldValue;
use crate::packet::{ConnectionState, Protocol};

/// `socket_match` and `nf_sk_lookup_slow_v4`, for the first packet of a connection.
fn finds(context: &Context) -> FieldValue<'static> {
    let (packet, view, host) = (context.packet, context.view, context.host);
    let unknown = |why: &'static str| FieldValue::Unknown(why.into());
    // An ICMP error belongs to the socket of the packet that it reports (nf_socket_ipv4.c,
    // `extract_icmp4_fields`, and nf_socket_ipv6.c).
    let error = match packet.protocol {
        Protocol::ICMP => matches!(packet.icmp_type.unwrap_or(8), 3 | 4 | 5 | 11 | 12),
        Protocol::ICMPV6 => packet.icmp_type.unwrap_or(128) < 128,
        _ => false,
    };
    if error {
        return unknown("which socket an ICMP error is about is not stated");
    }
    if packet.protocol != Protocol::TCP && packet.protocol != Protocol::UDP {
        return FieldValue::Number(0);
    }
    if matches!(
        view.state,
        Some(ConnectionState::Established | ConnectionState::Related)
    ) {
        return unknown("which sockets are connected is not known");
    }
    if host.sockets.is_empty() {
        return unknown("the sockets of this host are not known");
    }
    let (address, port) = view.steered.unwrap_or((view.dst, view.dport));
    let Some(port) = port else {
        return unknown("the packet states no destination port");
    };
    let waiting = host
        .sockets
        .iter()
        .filter(|socket: &&Socket| socket.protocol == packet.protocol && socket.port == port);
    let own = waiting.clone().any(|socket| socket.address == address);
    let same_family = |socket: &Socket| socket.address.is_ipv4() == address.is_ipv4();
    let Parameters::Socket {
        transparent,
        unbound,
        restores_mark,
    } = context.parameters
    else {
        return unknown("the options of the match are not known");
    };
    if !own {
        let any: Vec<&Socket> = waiting
            .filter(|socket| socket.address.is_unspecified())
            .collect();
        if any.is_empty() || !unbound {
            return FieldValue::Number(0);
        }
        if !any.iter().any(|socket| same_family(socket)) {
            return match address.is_ipv4() {
                true => unknown("whether a socket of IPv6 takes IPv4, too, is not stated"),
                false => FieldValue::Number(0),
            };
        }
    }
    if transparent && view.steered.is_none() {
        return unknown("whether a socket is transparent is not stated");
    }
    if restores_mark {
        return unknown("the mark of its socket is not stated");
    }
    FieldValue::Number(1)
}

static WAITING: Field = Field {
    subject: Subject::Other,
    phrase: Phrase::Sentence(
        "a socket waits for it",
        "no socket waits for it that would count",
    ),
    read: finds,
};

/// `-m socket`.
pub static SOCKET: Extension = Extension {
    listed: ListingForm::new("socket", &[]),
    hooks: &[Hook::Prerouting, Hook::Input],
    parameters: Some(|options| Parameters::Socket {
        transparent: options.has("--transparent"),
        unbound: options.has("--nowildcard"),
        restores_mark: options.has("--restore-skmark"),
    }),
    whole: Some(&WAITING),
    words: Some(|options| {
        let which = if options.has("--transparent") {
            "a transparent socket"
        } else {
            "a socket"
        };
        let bound = if options.has("--nowildcard") {
            ""
        } else {
            ", one of its own address,"
        };
        let then = if options.has("--restore-skmark") {
            ", whose mark it then gets"
        } else {
            ""
        };
        format!("{which}{bound} waits for it{then}")
    }),
    ..Extension::matching(
        "socket",
        "whether a local socket would receive the packet",
        &[
            Opt::new("--transparent", Kind::Flag),
            Opt::new("--nowildcard", Kind::Flag),
            Opt::new("--restore-skmark", Kind::Flag),
        ],
    )
};
