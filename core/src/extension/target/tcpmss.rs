//! `-j TCPMSS` (xt_TCPMSS.c): lowers the maximum segment size that a TCP header announces.

use crate::capture::Backend;
use crate::diagnostic::Problem;
use crate::extension::{Behaviour, Extension, Given, Kind, Listed, Opt, Options};
use crate::packet::{Family, Protocol};
use crate::ruleset::{Hook, Value};
use crate::walk::effect::{Action, Effects};

/// The number of the option in a TCP header.
const MSS: u8 = 2;

fn apply(effects: &mut Effects, options: &Options) -> Action {
    let packet = effects.packet;
    if packet.protocol != Protocol::TCP || packet.is_later_fragment() {
        return Action::Continue;
    }
    let Some(wanted) = options.number("--set-mss").and_then(|mss| u16::try_from(mss).ok()) else {
        // The path's MTU is not in a dump.
        effects.view.mss = None;
        effects.doubt("how far TCPMSS lowers the segment size depends on the path's MTU");
        return Action::Continue;
    };
    let absent = effects.view.tcp_options.as_ref().map(|options| !options.contains(&MSS));
    match (effects.view.mss, absent) {
        // Never raised.
        (Some(old), _) => effects.view.mss = Some(old.min(wanted)),
        // Behind a header with data no option can be added.
        (None, Some(true)) if packet.payload_length > 0 => {}
        (None, Some(true)) => {
            let most = if packet.family() == Family::Ipv4 { 536 } else { 1220 };
            effects.view.mss = Some(wanted.min(most));
            effects.view.tcp_options.get_or_insert_default().push(MSS);
        }
        (None, _) => {}
    }
    Action::Continue
}

/// `find_syn_match`: the legacy backend wants a condition on SYN.
fn asks_for_syn(given: &Given) -> bool {
    given.matches.iter().any(|part| {
        let flags = !part.negated && part.opt().is_some_and(|opt| opt.flag == "--tcp-flags");
        flags && matches!(part.value, Value::Masked { value, .. } if value & 0x02 != 0)
    })
}

/// `tcpmss_tg4_check`, `tcpmss_tg6_check`.
fn check(given: &Given) -> Result<(), Problem> {
    const HEADERS: u32 = 40;
    if given.family == Family::Ipv6 && given.options.number("--set-mss").is_some_and(|mss| mss > 65535 - HEADERS) {
        return Err(Problem::new("--set-mss goes up to 65495 for IPv6"));
    }
    if given.options.ruleset.backend == Some(Backend::Nft) || given.protocol != Some(Protocol::TCP) {
        return Ok(());
    }
    match asks_for_syn(given) {
        true => Ok(()),
        false => {
            Err(Problem::new("-j TCPMSS needs a condition on SYN").hint("such as --tcp-flags SYN,RST SYN, or --syn"))
        }
    }
}

/// `-j TCPMSS`.
pub static TCPMSS: Extension = Extension {
    listed: Listed::new("TCPMSS", &[("clamp to PMTU", "--clamp-mss-to-pmtu"), ("set %", "--set-mss %")]),
    protocols: &[Protocol::TCP],
    hooks_for: Some(|options| match options.has("--clamp-mss-to-pmtu") {
        true => &[Hook::Forward, Hook::Output, Hook::Postrouting],
        false => &[],
    }),
    check,
    ..Extension::acting(
        "TCPMSS",
        "lowers TCP's maximum segment size",
        &[Opt::new("--set-mss", Kind::Number(65515)), Opt::new("--clamp-mss-to-pmtu", Kind::Flag)],
        Behaviour::GoesOn,
        apply,
        |options| match options.number("--set-mss") {
            Some(mss) => format!("lower its maximum segment size to {mss}"),
            None => "lower its maximum segment size to what the path's MTU takes".into(),
        },
    )
    .asking()
};
