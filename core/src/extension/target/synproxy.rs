//! `-j SYNPROXY` (xt_SYNPROXY.c, nf_synproxy_core.c): answers a connection's first packets in place of the server.

use std::fmt::Write;

use crate::extension::{Behaviour, Extension, Kind, Listed, Opt, Options};
use crate::packet::{Protocol, TcpFlags};
use crate::ruleset::Hook;
use crate::walk::effect::{Action, Effects};

const FIN: u8 = 0x01;
const SYN: u8 = 0x02;
const RST: u8 = 0x04;
const ACK: u8 = 0x10;

/// A SYN is answered, an ACK is compared with that answer: neither goes on, whatever comes of it. All else passes.
fn apply(effects: &mut Effects, _: &Options) -> Action {
    let TcpFlags(flags) = effects.packet.tcp_flags.unwrap_or(TcpFlags::SYN);
    match flags & (FIN | SYN | RST | ACK) {
        SYN => {
            effects.assume("SYNPROXY answers the SYN itself; it connects to the server when the answer is confirmed");
            Action::Drop
        }
        ACK => {
            effects.assume("SYNPROXY takes the ACK: if it confirms its answer, a SYN of its own goes to the server");
            Action::Drop
        }
        _ => Action::Continue,
    }
}

/// The kernel keeps the scale in eight bits and the size in sixteen.
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
    listed: Listed::new("SYNPROXY", &[]),
    protocols: &[Protocol::TCP],
    hooks: &[Hook::Input, Hook::Forward],
    tracks: true,
    print: Some(print),
    ..Extension::acting(
        "SYNPROXY",
        "answers a SYN in place of the server",
        &[
            Opt::new("--sack-perm", Kind::Flag),
            Opt::new("--timestamp", Kind::Flag),
            Opt::new("--wscale", Kind::Number(u32::MAX)),
            Opt::new("--mss", Kind::Number(u32::MAX)),
            Opt::new("--ecn", Kind::Flag),
        ],
        Behaviour::GoesOn,
        apply,
        |_| "answer it in place of the server if it begins a connection".into(),
    )
};
