//! The conditions on the IP header and the interfaces. They need no `-m` (`ip_packet_match` in
//! ip_tables.c).

use super::{Extension, Given, Id, Kind, Opt, Role};
use crate::netfilter::backend::Backend;
use crate::netfilter::condition::{Context, Field, Phrase, Subject};
use crate::netfilter::ruleset::{Clause, Ruleset, Value};
use crate::packet::Family;
use crate::packet::fields::PacketField;
use crate::packet::value::FieldValue;
use crate::text::diagnostic::{Code, Problem};
use crate::text::names;

static SOURCE: Field = Field {
    subject: Subject::Packet(PacketField::Src),
    phrase: Phrase::Noun("source"),
    read: |context| context.field(PacketField::Src),
};

static DESTINATION: Field = Field {
    subject: Subject::Packet(PacketField::Dst),
    phrase: Phrase::Noun("destination"),
    read: |context| context.field(PacketField::Dst),
};

static IN_INTERFACE: Field = Field {
    subject: Subject::Packet(PacketField::InInterface),
    phrase: Phrase::Verb("arrives by", "does not arrive by"),
    read: |context| context.field(PacketField::InInterface),
};

static OUT_INTERFACE: Field = Field {
    subject: Subject::OutInterface,
    phrase: Phrase::Verb("leaves by", "does not leave by"),
    read: |context| match &context.view.out_interface {
        Some(name) => FieldValue::Name(name),
        None => FieldValue::Absent("no interface: it is not leaving"),
    },
};

static PROTOCOL: Field = Field {
    subject: Subject::Packet(PacketField::Protocol),
    phrase: Phrase::Noun("protocol"),
    read: protocol,
};

/// iptables-legacy skips an authentication header of IPv6 (`ip6_packet_match` in ip6_tables.c).
/// nftables stops at it (`__nft_set_pktinfo_ipv6`, `IP6_FH_F_AUTH`; measured).
fn protocol<'a>(context: &Context<'a>) -> FieldValue<'a> {
    const AH: u8 = 51;
    let own = context.field(PacketField::Protocol);
    if !context
        .packet
        .ipv6_headers
        .iter()
        .flatten()
        .any(|name| names::ipv6_header(name) == Some(AH))
    {
        return own;
    }
    if context.ruleset.backend == Some(Backend::Nft) {
        FieldValue::Number(AH.into())
    } else {
        own
    }
}

/// Holds only for the second and later fragments. These have no transport header.
static FRAGMENT: Field = Field {
    subject: Subject::Packet(PacketField::Fragment),
    phrase: Phrase::Sentence("it is a later fragment", "it is not a later fragment"),
    read: |context| context.field(PacketField::Fragment),
};

/// The checks of iptables for the header's conditions (`do_parse` in xshared.c of iptables 1.8.9).
fn check(given: &Given) -> Result<(), Problem> {
    let options = given.options;
    let never = |flag: &str| {
        options.parts.iter().any(|part| {
            part.negated
                && part.value == Value::Number(0)
                && part.opt().is_some_and(|opt| opt.flag == flag)
        })
    };
    if never("-p") {
        return Err(Problem::new(
            Code::RefusedCombination,
            "`! -p all` is refused: the rule would never match",
        )
        .hint("remove it"));
    }
    let nobody = |part: &&Clause| part.negated && is_everybody(&part.value);
    if options.ruleset.backend == Some(Backend::Nft)
        && options.parts.iter().any(|part| nobody(&part))
    {
        return Err(Problem::new(
            Code::RefusedCombination,
            "the network contains every address, so the rule never matches",
        )
        .hint("remove the option: nf_tables refuses it"));
    }
    if given.family == Family::Ipv6 && options.has("-f") {
        return Err(
            Problem::new(Code::OtherFamily, "-f is not for IPv6").hint("use -m frag instead")
        );
    }
    Ok(())
}

/// Whether a network contains every address.
fn is_everybody(value: &Value) -> bool {
    match value {
        Value::Net4(_, mask) => mask.is_unspecified(),
        Value::Net6(net) => net.1.is_unspecified(),
        _ => false,
    }
}

/// `-s`, `-d`, `-i`, `-o`, `-p`, `-f`, in the order of `iptables-save`.
pub static HEADER: Extension = Extension {
    role: Role::Header,
    check,
    ..Extension::matching(
        "ip",
        "addresses, interfaces and protocol",
        &[
            Opt::tests("-s", Kind::Network, &SOURCE)
                .alone()
                .or(&["--source", "--src"]),
            Opt::tests("-d", Kind::Network, &DESTINATION)
                .alone()
                .or(&["--destination", "--dst"]),
            Opt::tests("-i", Kind::Interface, &IN_INTERFACE)
                .alone()
                .or(&["--in-interface"]),
            Opt::tests("-o", Kind::Interface, &OUT_INTERFACE)
                .alone()
                .or(&["--out-interface"]),
            Opt::tests("-p", Kind::Protocol, &PROTOCOL)
                .alone()
                .or(&["--protocol", "--proto"]),
            Opt::tests("-f", Kind::Flag, &FRAGMENT).or(&["--fragment"]),
        ],
    )
};

/// Whether a condition holds for every packet. iptables does not print such conditions.
#[inline]
pub(crate) fn is_any(id: Id, value: &Value, opt: &Opt, ruleset: &Ruleset) -> bool {
    match value {
        _ if id != Id::HEADER => false,
        Value::Text(text) => ruleset.text(*text) == "+",
        Value::Number(0) => opt.flag == "-p",
        Value::Net4(_, mask) => mask.is_unspecified(),
        Value::Net6(net) => net.1.is_unspecified(),
        _ => false,
    }
}
