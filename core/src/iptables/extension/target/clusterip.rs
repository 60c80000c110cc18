//! `-j CLUSTERIP` (ipt_CLUSTERIP.c, until Linux 6.2): each node of a cluster handles a share of the
//! incoming packets.

use std::fmt::Write;

use crate::iptables::extension::kind::ValueForm;
use crate::iptables::extension::{Extension, Given, Kind, Opt};
use crate::netfilter::effect::Effect;
use crate::netfilter::ruleset::Value;
use crate::packet::Family;
use crate::packet::hook::Hook;
use crate::text::diagnostic::{Code, Problem};

static MAC: ValueForm = ValueForm {
    words: 1,
    read: |words, ruleset| match Kind::Mac.parse(words, ruleset)? {
        Value::Mac(mac) if mac[0] & 1 == 0 => Err(Problem::new(
            Code::InvalidValue,
            "the hardware address of the cluster must be a group address",
        )
        .hint("use an odd first byte")),
        value => Ok(value),
    },
    write: |value, _, out| {
        if let Value::Mac([a, b, c, d, e, f]) = value {
            // Writing to a string cannot fail.
            let _ = write!(out, "{a:02X}:{b:02X}:{c:02X}:{d:02X}:{e:02X}:{f:02X}");
        }
    },
    examples: &["01:02:03:04:05:06"],
};

const ALL: [&str; 5] = [
    "--hashmode",
    "--clustermac",
    "--total-nodes",
    "--local-node",
    "--hash-init",
];

fn check(given: &Given) -> Result<(), Problem> {
    let missing = ALL.iter().find(|flag| !given.options.has(flag));
    match missing {
        Some(flag) if given.options.has("--new") => Err(Problem::new(
            Code::MissingOption,
            format!("--new needs {flag} beside it"),
        )),
        _ => Ok(()),
    }
}

/// `-j CLUSTERIP`.
pub static CLUSTERIP: Extension = Extension {
    family: Some(Family::Ipv4),
    hooks: &[Hook::Input],
    tracks: true,
    check,
    ..Extension::acting(
        "CLUSTERIP",
        "accepts this node's share of a cluster's packets",
        &[
            Opt::new("--new", Kind::Flag),
            Opt::new(
                "--hashmode",
                Kind::OneOf(&[
                    ("sourceip", 0),
                    ("sourceip-sourceport", 1),
                    ("sourceip-sourceport-destport", 2),
                ]),
            )
            .needs(&["--new"]),
            Opt::new("--clustermac", Kind::Own(&MAC)).needs(&["--new"]),
            Opt::new("--total-nodes", Kind::Number(16)).needs(&["--new"]),
            Opt::new("--local-node", Kind::Number(16)).needs(&["--new"]),
            Opt::new("--hash-init", Kind::Number(u32::MAX)).needs(&["--new"]),
        ],
        |_| Effect::ClusterShare,
        |_| "go on with it if it is this node's share, else drop it".into(),
    )
};
