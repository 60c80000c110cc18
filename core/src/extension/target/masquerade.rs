//! `-j MASQUERADE` (nf_nat_masquerade.c): the source becomes the outgoing interface's own address.

use crate::extension::{Behaviour, Extension, Kind, Opt};
use crate::packet::Family;
use crate::ruleset::{Hook, NatRange, TableName, Value};
use crate::walk::effect::Action;

/// `-j MASQUERADE`.
pub static MASQUERADE: Extension = Extension {
    tables: &[TableName::Nat],
    tracks: true,
    hooks: &[Hook::Postrouting],
    ..Extension::acting(
        "MASQUERADE",
        "changes the source to the interface's own address",
        &[
            Opt::new("--to-ports", Kind::PortSpan),
            Opt::new("--random", Kind::Flag),
            Opt::new("--random-fully", Kind::Flag),
        ],
        Behaviour::Ends,
        |effects, options| {
            let family = Family::of(effects.view.src);
            let interface = effects.view.out_interface.as_deref().and_then(|name| effects.host.interface(name));
            let mut addresses = interface.into_iter().flat_map(|interface| &interface.addresses);
            // Without an address the kernel drops the packet.
            let Some(own) = addresses.find(|prefix| Family::of(prefix.address) == family) else { return Action::Drop };
            let ports = match options.value("--to-ports") {
                Some(&Value::Range(low, high)) => u16::try_from(low).ok().zip(u16::try_from(high).ok()),
                _ => None,
            };
            effects.translate_source(&NatRange { addresses: Some((own.address, own.address)), ports });
            Action::Accept
        },
        |_| "change its source to the address of the interface it leaves by".into(),
    )
};
