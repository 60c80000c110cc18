//! `-m rpfilter` (ipt_rpfilter.c, ip6t_rpfilter.c): whether a reply would leave through the
//! interface that the packet arrived on.

use std::net::{IpAddr, Ipv4Addr};

use super::{Extension, Kind, ListingForm, Opt};
use crate::iptables::table_name::TableName;
use crate::netfilter::condition::{Context, Field, Parameters, Phrase, Subject};
use crate::netfilter::routing::{Query, lookup};
use crate::packet::hook::Hook;
use crate::packet::host::{Interface, RouteKind};
use crate::packet::value::FieldValue;

/// `rpfilter_mt`, without `--invert`.
fn passes(context: &Context, loose: bool, uses_mark: bool, accepts_local: bool) -> bool {
    let view = context.view;
    let interface = view.in_interface.as_deref().unwrap_or("lo");
    // `rpfilter_is_loopback`. The copy of a multicast is marked like a packet of `lo` (measured).
    if interface == "lo" || view.copied {
        return true;
    }
    match view.src {
        IpAddr::V4(src) if src.octets()[0] == 0 => {
            // ipv4_is_local_multicast: 224.0.0.0/24.
            let local =
                matches!(view.dst, IpAddr::V4(dst) if dst.octets().starts_with(&[224, 0, 0]));
            if local || view.dst == Ipv4Addr::BROADCAST {
                return true;
            }
        }
        IpAddr::V6(src) if src.is_unspecified() => return true,
        _ => {}
    }
    let single = match view.dst {
        IpAddr::V4(dst) => !dst.is_multicast() && !dst.is_broadcast() && dst.octets()[0] != 0,
        IpAddr::V6(dst) => !dst.is_multicast() && !dst.is_unspecified(),
    };
    let mark = if uses_mark { view.mark } else { 0 };
    // The lookup of a link-local source is restricted to the interface that the packet arrived on
    // (`flowi6_oif`).
    let local = matches!(view.src, IpAddr::V6(src) if src.is_unicast_link_local());
    let iif = if local { interface } else { "lo" };
    let Some(way) = lookup(
        context.host,
        Query {
            dst: view.src,
            src: single.then_some(view.dst),
            mark,
            iif,
        },
    ) else {
        return false;
    };
    match way.kind {
        // In IPv4, the route to an own address uses the interface that holds it. For IPv6, only the
        // option decides.
        RouteKind::Local if accepts_local => {
            view.src.is_ipv6()
                || loose
                || context
                    .host
                    .interface(interface)
                    .is_some_and(|interface: &Interface| {
                        interface
                            .addresses
                            .iter()
                            .any(|prefix| prefix.address == view.src)
                    })
        }
        RouteKind::Unicast => loose || way.interface == interface,
        _ => false,
    }
}

static WAY_BACK: Field = Field {
    subject: Subject::Other,
    phrase: Phrase::Sentence(
        "an answer would leave by the interface that it came in by",
        "an answer would not leave by the interface that it came in by",
    ),
    read: |context| match context.parameters {
        Parameters::ReversePath {
            loose,
            uses_mark,
            accepts_local,
            inverted,
        } => FieldValue::Number(
            (passes(context, loose, uses_mark, accepts_local) != inverted).into(),
        ),
        _ => FieldValue::Unknown("the options of the match are not known".into()),
    },
};

/// `-m rpfilter`.
pub static RPFILTER: Extension = Extension {
    listed: ListingForm::new("rpfilter", &[]),
    tables: &[TableName::Raw, TableName::Mangle],
    hooks: &[Hook::Prerouting],
    parameters: Some(|options| Parameters::ReversePath {
        loose: options.has("--loose"),
        uses_mark: options.has("--validmark"),
        accepts_local: options.has("--accept-local"),
        inverted: options.has("--invert"),
    }),
    whole: Some(&WAY_BACK),
    words: Some(|options| {
        let not = if options.has("--invert") { " not" } else { "" };
        let by = if options.has("--loose") {
            "some interface"
        } else {
            "the interface that it came in by"
        };
        format!("an answer to it would{not} leave by {by}")
    }),
    ..Extension::matching(
        "rpfilter",
        "whether a reply would leave through the interface that the packet arrived on",
        &[
            Opt::new("--loose", Kind::Flag),
            Opt::new("--validmark", Kind::Flag),
            Opt::new("--accept-local", Kind::Flag),
            Opt::new("--invert", Kind::Flag),
        ],
    )
};
