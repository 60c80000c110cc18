//! `-m tcp` (xt_tcpudp.c, `tcp_mt`).

use super::transport::{DESTINATION_PORT, SOURCE_PORT, headless};
use super::{Extension, Kind, Opt};
use crate::condition::{Field, Phrase, Reading};
use crate::packet::{Protocol, TcpFlags};

static FLAGS: Field = Field {
    name: "tcp_flags",
    phrase: Phrase::Is("set of TCP flags"),
    read: |context| {
        let flags = context.packet.tcp_flags.unwrap_or(TcpFlags::SYN);
        headless(context).unwrap_or(Reading::Number(flags.0.into()))
    },
};

static OPTION: Field = Field {
    name: "tcp_options",
    phrase: Phrase::Is("list of TCP options"),
    read: |_| Reading::Unknown("the TCP options of a packet are not simulated".into()),
};

/// FIN, SYN, RST and ACK: what `--syn` looks at.
const SYN_MASK: u32 = 0x17;

/// `-m tcp`.
pub static TCP: Extension = Extension {
    implied_by: Some(Protocol::TCP),
    ..Extension::matching(
        "tcp",
        "ports and flags of TCP",
        &[
            Opt::tests("--sport", Kind::Port, &SOURCE_PORT).or(&["--source-port"]),
            Opt::tests("--dport", Kind::Port, &DESTINATION_PORT).or(&["--destination-port"]),
            Opt::tests("--tcp-option", Kind::Number(255), &OPTION),
            Opt::tests("--tcp-flags", Kind::TcpFlags, &FLAGS),
            Opt::tests("--syn", Kind::Always(0x02, SYN_MASK), &FLAGS).stored_as("--tcp-flags"),
        ],
    )
};
