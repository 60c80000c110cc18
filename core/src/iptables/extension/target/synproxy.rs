//! `-j SYNPROXY` (xt_SYNPROXY.c, nf_synproxy_core.c): answers the first packets of a connection for
//! the server.

use std::fmt::Write;

use crate::iptables::extension::{Extension, Kind, ListingForm, Opt, Options};
use crate::netfilter::effect::Effect;
use crate::packet::Protocol;
use crate::packet::hook::Hook;

/// The kernel stores the scale in eight bits and the size in sixteen.
fn print(options: &Options, out: &mut String) {
    for flag in ["--sack-perm", "--timestamp"] {
        if options.has(flag) {
            let _ = write!(out, " {flag}");
        }
    }
    for (flag, mask) in [("--wscale", 0xff), ("--mss", 0xffff)] {
        if let Some(number) = options.number(flag) {
            // Writing to a string cannot fail.
            let _ = write!(out, " {flag} {}", number & mask);
        }
    }
    if options.has("--ecn") {
        out.push_str(" --ecn");
    }
}

/// `-j SYNPROXY`.
pub static SYNPROXY: Extension = Extension {
    listed: ListingForm::new("SYNPROXY", &[]),
    protocols: &[Protocol::TCP],
    hooks: &[Hook::Input, Hook::Forward],
    tracks: true,
    print: Some(print),
    ..Extension::acting(
        "SYNPROXY",
        "answers a SYN for the server",
        &[
            Opt::new("--sack-perm", Kind::Flag),
            Opt::new("--timestamp", Kind::Flag),
            Opt::new("--wscale", Kind::Number(u32::MAX)),
            Opt::new("--mss", Kind::Number(u32::MAX)),
            Opt::new("--ecn", Kind::Flag),
        ],
        |_| Effect::Synproxy,
        |_| "answer it in place of the server if it begins a connection".into(),
    )
};
