//! `-j TCPMSS` (xt_TCPMSS.c): lowers the maximum segment size that a TCP header announces.

use crate::iptables::extension::{Extension, Given, Kind, ListingForm, Opt, Options};
use crate::netfilter::backend::Backend;
use crate::netfilter::condition::Subject;
use crate::netfilter::effect::Effect;
use crate::netfilter::ruleset::Value;
use crate::packet::fields::PacketField;
use crate::packet::hook::Hook;
use crate::packet::{Family, Protocol};
use crate::text::diagnostic::{Code, Problem};

fn lower(options: &Options) -> Effect {
    Effect::LowerMss(
        options
            .number("--set-mss")
            .and_then(|mss| u16::try_from(mss).ok()),
    )
}

/// `find_syn_match`: the legacy backend requires a condition on SYN.
fn asks_for_syn(given: &Given) -> bool {
    given.matches.iter().any(|part| {
        let flags = !part.negated && part.subject() == Some(Subject::Packet(PacketField::TcpFlags));
        flags && matches!(part.value, Value::Masked { value, .. } if value & 0x02 != 0)
    })
}

/// `tcpmss_tg4_check`, `tcpmss_tg6_check`.
fn check(given: &Given) -> Result<(), Problem> {
    const HEADERS: u32 = 40;
    if given.family == Family::Ipv6
        && given
            .options
            .number("--set-mss")
            .is_some_and(|mss| mss > 65535 - HEADERS)
    {
        return Err(Problem::new(
            Code::InvalidValue,
            "--set-mss goes up to 65495 for IPv6",
        ));
    }
    if given.options.ruleset.backend == Some(Backend::Nft) || given.protocol != Some(Protocol::TCP)
    {
        return Ok(());
    }
    match asks_for_syn(given) {
        true => Ok(()),
        false => Err(
            Problem::new(Code::MissingOption, "-j TCPMSS needs a condition on SYN")
                .hint("such as --tcp-flags SYN,RST SYN, or --syn"),
        ),
    }
}

/// `-j TCPMSS`.
pub static TCPMSS: Extension = Extension {
    listed: ListingForm::new(
        "TCPMSS",
        &[
            ("clamp to PMTU", "--clamp-mss-to-pmtu"),
            ("set %", "--set-mss %"),
        ],
    ),
    protocols: &[Protocol::TCP],
    hooks_for: Some(|options| match options.has("--clamp-mss-to-pmtu") {
        true => &[Hook::Forward, Hook::Output, Hook::Postrouting],
        false => &[],
    }),
    check,
    ..Extension::acting(
        "TCPMSS",
        "lowers TCP's maximum segment size",
        &[
            Opt::new("--set-mss", Kind::Number(65515)),
            Opt::new("--clamp-mss-to-pmtu", Kind::Flag),
        ],
        lower,
        |options| match options.number("--set-mss") {
            Some(mss) => format!("lower its maximum segment size to {mss}"),
            None => "lower its maximum segment size to what the path's MTU takes".into(),
        },
    )
    .asking()
};
