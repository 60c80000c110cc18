//! `-m cluster` (xt_cluster.c): the node of a cluster that handles a connection, from a hash of the
//! source address.

use std::fmt::Write;

use super::{Extension, Given, Kind, Opt, Options};
use crate::text::diagnostic::{Code, Problem};

/// The maximum number of nodes (`XT_CLUSTER_NODES_MAX`). iptables limits the mask to it as well
/// (measured).
const MAX_NODES: u32 = 32;

/// The nodes of the rule, one bit each.
fn nodes(options: &Options) -> Option<u32> {
    match options.number("--cluster-local-node") {
        Some(node) => 1u32.checked_shl(node - 1),
        None => options.number("--cluster-local-nodemask"),
    }
}

fn check(given: &Given) -> Result<(), Problem> {
    let Some(nodes) = nodes(&given.options) else {
        return Err(Problem::new(
            Code::MissingOption,
            "-m cluster needs --cluster-local-node or --cluster-local-nodemask",
        ));
    };
    match given.options.number("--cluster-total-nodes") {
        Some(total) if u64::from(nodes) >= 1 << total => Err(Problem::new(
            Code::RefusedCombination,
            format!("the local node exceeds the {total} of --cluster-total-nodes"),
        )),
        _ => Ok(()),
    }
}

fn negated(options: &Options) -> bool {
    options.negates("--cluster-local-node") || options.negates("--cluster-local-nodemask")
}

fn print(options: &Options, out: &mut String) {
    let number = |flag| options.number(flag).unwrap_or_default();
    let not = if negated(options) { " !" } else { "" };
    // Writing to a string cannot fail.
    let _ = write!(
        out,
        "{not} --cluster-local-nodemask 0x{:08x} --cluster-total-nodes {} --cluster-hash-seed 0x{:08x}",
        nodes(options).unwrap_or_default(),
        number("--cluster-total-nodes"),
        number("--cluster-hash-seed"),
    );
}

/// `-m cluster`.
pub static CLUSTER: Extension = Extension {
    tracks: true,
    unknowable: Some("it depends on a hash of the source address, which is not computed"),
    check,
    print: Some(print),
    words: Some(|options| {
        let not = if negated(options) { "not " } else { "" };
        let total = options.number("--cluster-total-nodes").unwrap_or_default();
        let nodes = nodes(options).unwrap_or_default();
        let named: Vec<String> = (0..MAX_NODES)
            .filter(|bit| nodes & 1 << bit != 0)
            .map(|bit| (bit + 1).to_string())
            .collect();
        format!(
            "the connection does {not}fall to node {} of {total}",
            named.join(" or ")
        )
    }),
    ..Extension::matching(
        "cluster",
        "the share of connections that falls to a node of a cluster",
        &[
            Opt::new("--cluster-local-node", Kind::Between(1, MAX_NODES))
                .negatable()
                .excludes(&["--cluster-local-nodemask"]),
            Opt::new("--cluster-local-nodemask", Kind::Between(1, MAX_NODES)).negatable(),
            Opt::new("--cluster-total-nodes", Kind::Between(1, MAX_NODES)).required(),
            Opt::new("--cluster-hash-seed", Kind::Number(u32::MAX)).required(),
        ],
    )
};
