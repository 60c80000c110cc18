//! `-m tcp` (xt_tcpudp.c, `tcp_mt`).

use super::transport::{DESTINATION_PORT, SOURCE_PORT, TRANSPORT, header_field, headless};
use super::{Extension, Kind, ListingForm, Opt};
use crate::netfilter::backend::Backend;
use crate::netfilter::condition::{Context, Field, LaterFragment, Parameters, Phrase, Subject};
use crate::netfilter::ruleset::Value;
use crate::packet::fields::PacketField;
use crate::packet::value::FieldValue;
use crate::packet::{Protocol, TcpFlags};

static FLAGS: Field = Field {
    subject: Subject::Packet(PacketField::TcpFlags),
    phrase: Phrase::Noun("set of TCP flags"),
    read: |context| header_field(context, PacketField::TcpFlags),
};

static OPTION: Field = Field {
    subject: Subject::Packet(PacketField::TcpOptions),
    phrase: Phrase::Noun("list of TCP options"),
    read: |context| headless(context).unwrap_or_else(|| option(context)),
};

/// Whether the header contains the option of the rule (`tcp_find_option`).
fn option(context: &Context) -> FieldValue<'static> {
    let wanted = match context.wanted {
        Value::Number(wanted) => *wanted,
        _ => 0,
    };
    match (&context.view.tcp_options, context.view.mss) {
        (_, Some(_)) if wanted == MSS => FieldValue::Holds(true, MSS.to_string()),
        (Some(options), _) => {
            let holds = options.iter().any(|option| u32::from(*option) == wanted);
            let shown: Vec<String> = options.iter().map(u8::to_string).collect();
            FieldValue::Holds(
                holds,
                if shown.is_empty() {
                    "without any".into()
                } else {
                    shown.join(",")
                },
            )
        }
        (None, _) => FieldValue::Unknown("the packet does not state its TCP options".into()),
    }
}

const MSS: u32 = TcpFlags::MSS_OPTION as u32;

/// FIN, SYN, RST and ACK, which `--syn` tests.
const SYN_MASK: u32 = 0x17;

/// `iptables -L -n` prints sets of flags as numbers.
fn flag_names(flag: &str, value: &str) -> Option<String> {
    let bits = value.strip_prefix("0x").filter(|_| flag == "--tcp-flags");
    let Some(bits) = bits.and_then(|bits| u8::from_str_radix(bits, 16).ok()) else {
        return Some(value.to_owned());
    };
    Some(TcpFlags(bits).to_string())
}

/// `-m tcp`.
pub static TCP: Extension = Extension {
    listed: ListingForm::new(
        "tcp",
        &[
            ("spt:!%", "--sport %"),
            ("spts:!%", "--sport %"),
            ("dpt:!%", "--dport %"),
            ("dpts:!%", "--dport %"),
            ("option=!%", "--tcp-option %"),
            ("flags:!%/%", "--tcp-flags % %"),
        ],
    )
    .values(flag_names),
    implied_by: Some(Protocol::TCP),
    protocols: &[Protocol::TCP],
    asks_first: Some(&TRANSPORT),
    parameters: Some(|options| {
        Parameters::LaterFragment(match options.ruleset.backend {
            Some(Backend::Nft) if !options.has("--tcp-option") => LaterFragment::ReadsPayload,
            _ => LaterFragment::DropsOverlap,
        })
    }),
    ..Extension::matching(
        "tcp",
        "ports and flags of TCP",
        &[
            Opt::tests("--sport", Kind::Port, &SOURCE_PORT)
                .alone()
                .or(&["--source-port"])
                .unprinted(65535),
            Opt::tests("--dport", Kind::Port, &DESTINATION_PORT)
                .alone()
                .or(&["--destination-port"])
                .unprinted(65535),
            Opt::tests("--tcp-option", Kind::Between(1, 255), &OPTION),
            Opt::tests("--tcp-flags", Kind::TcpFlags, &FLAGS).unprinted(0),
            Opt::tests("--syn", Kind::Always(0x02, SYN_MASK), &FLAGS).stored_as("--tcp-flags"),
        ],
    )
};
