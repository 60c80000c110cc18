//! `-m ecn` (xt_ecn.c): explicit congestion notification, in the IP header and in the TCP header.

use super::{Extension, Given, Kind, ListingForm, Opt};
use crate::netfilter::condition::{Context, Field, Phrase, Subject};
use crate::packet::fields::PacketField;
use crate::packet::value::FieldValue;
use crate::packet::{Protocol, TcpFlags};
use crate::text::diagnostic::{Code, Problem};

/// Either ECN bit of TCP, which `-j ECN` may have changed (measured). By default both are clear, as
/// in a SYN without ECN. The kernel reads a later fragment as if it had a TCP header.
fn flag(context: &Context, bit: u8) -> FieldValue<'static> {
    if context.packet.is_later_fragment() {
        return FieldValue::Unknown(
            "it is a later fragment: its payload is taken for a TCP header".into(),
        );
    }
    FieldValue::Number(
        context
            .view
            .tcp_flags
            .unwrap_or(TcpFlags::SYN)
            .has(bit)
            .into(),
    )
}

static ECE: Field = Field {
    subject: Subject::Other,
    phrase: Phrase::Sentence("TCP's ECE is set", "TCP's ECE is not set"),
    read: |context| flag(context, 0x40),
};

static CWR: Field = Field {
    subject: Subject::Other,
    phrase: Phrase::Sentence("TCP's CWR is set", "TCP's CWR is not set"),
    read: |context| flag(context, 0x80),
};

static ECT: Field = Field {
    subject: Subject::Packet(PacketField::Ecn),
    phrase: Phrase::Noun("ECN"),
    read: |context| context.field(PacketField::Ecn),
};

/// `ecn_mt_check4`, `ecn_mt_check6`.
fn check(given: &Given) -> Result<(), Problem> {
    let asks_tcp = given.options.has("--ecn-tcp-ece") || given.options.has("--ecn-tcp-cwr");
    if asks_tcp && given.protocol != Some(Protocol::TCP) {
        return Err(Problem::new(
            Code::MissingProtocol,
            "the TCP options of -m ecn need -p tcp",
        )
        .hint("add it: the kernel requires it"));
    }
    Ok(())
}

/// `-m ecn`.
pub static ECN: Extension = Extension {
    listed: ListingForm::new(
        "ECN match",
        &[
            ("!ECE", "--ecn-tcp-ece"),
            ("!CWR", "--ecn-tcp-cwr"),
            ("!ECT=%", "--ecn-ip-ect %"),
        ],
    ),
    check,
    ..Extension::matching(
        "ecn",
        "explicit congestion notification",
        &[
            Opt::tests("--ecn-tcp-ece", Kind::Flag, &ECE),
            Opt::tests("--ecn-tcp-cwr", Kind::Flag, &CWR),
            Opt::tests("--ecn-ip-ect", Kind::Number(3), &ECT),
        ],
    )
    .asking()
};
