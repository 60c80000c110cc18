//! `-m mac` (xt_mac.c): the hardware address of the sender on the wire.

pub(crate) use super::kind::read::mac;
use super::{Extension, Kind, Listed, Opt};
use crate::condition::{Context, Field, Phrase, Reading};
use crate::ruleset::Hook;

/// Only Ethernet has one. What came in by `lo` is not of Ethernet, and fails also what is negated.
pub(super) fn source(context: &Context) -> Reading<'static> {
    match context.view.in_interface.as_deref() {
        _ if context.view.copied => Reading::Never("the copy of a broadcast or multicast was on no wire"),
        None => Reading::Never("it comes by no wire"),
        Some("lo") => Reading::Never("lo is no Ethernet: it knows no hardware addresses"),
        Some(_) => match context.packet.src_mac.as_deref().map(mac) {
            Some(Some(mac)) => Reading::Mac(mac),
            Some(None) => Reading::Unknown("the packet's src_mac is no hardware address".into()),
            None => Reading::Unknown("the packet states no hardware address of its sender".into()),
        },
    }
}

static SOURCE: Field = Field { name: "src_mac", phrase: Phrase::Is("sender's hardware address"), read: source };

/// `-m mac`.
pub static MAC: Extension = Extension {
    listed: Listed::new("", &[("MAC !%", "--mac-source %")]),
    hooks: &[Hook::Prerouting, Hook::Input, Hook::Forward],
    ..Extension::matching(
        "mac",
        "the sender's hardware address",
        &[Opt::tests("--mac-source", Kind::Mac, &SOURCE).required()],
    )
};
