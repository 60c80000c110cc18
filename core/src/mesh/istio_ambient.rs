//! Istio ambient: ztunnel runs outside the pod. The rules exempt it by its mark.

use super::chain_role::ChainNames;
use super::chain_role::ChainRole::{Inbound, Outbound, Output, Prerouting};
use super::definition::{MeshDefinition, Mode};
use super::mesh_option::MeshOption::{Probes, VirtualInterfaces};
use super::rule_pattern::EffectPattern::{
    Accept, Jump, Redirect, RestoreMark, Return, SetConnectionMark, SetZone,
};
use super::rule_pattern::Purpose::{
    DnsRedirect, InboundJump, InboundRedirect, Option as Opt, OutboundJump, OutboundRedirect, Part,
};
use super::rule_pattern::ValuePattern::{Any, Loopback, Subject};
use super::rule_pattern::{
    ANY, CONNECTION_MARK, DESTINATION, FROM_DNS, IN_INTERFACE, MARK, MeshRule, OUT_LOOPBACK,
    SOURCE, TCP, TO_DNS, UDP, among, beyond_header, exactly, is, not, rule,
};
use super::sidecar_rules::{DNS_REDIRECT, ZONE};
use super::version::{Versions, since};

pub(super) static DEFINITION: MeshDefinition = MeshDefinition {
    name: "Istio ambient",
    proxy: "ztunnel",
    resolver: None,
    mode: Mode::Ambient,
    recognized_by: &[&["ISTIO_PRERT", "ISTIO_OUTPUT"]],
    chains: ChainNames(&[(Inbound, "ISTIO_PRERT"), (Outbound, "ISTIO_OUTPUT")]),
    own_ports: &[],
    options: &[(VirtualInterfaces, "istio.io/reroute-virtual-interfaces")],
    versions: Versions::Known(since(21)),
    rules: RULES,
};

const PROBE: &str = "The kubelet's probes come from $: they reach the app without %.";

/// The table: chain, rank, conditions, effect, purpose, reason.
#[rustfmt::skip]
static RULES: &[MeshRule] = &[
    rule((Prerouting, 0), ANY, Jump(Inbound), InboundJump, "What arrives is looked at before the app gets it."),
    rule((Output, 0), ANY, Jump(Outbound), OutboundJump, "Everything that a process sends is looked at."),
    rule((Inbound, 0), beyond_header(&[UDP, FROM_DNS]), SetZone, Part, ZONE),
    rule((Inbound, 0), exactly(&[is(MARK, Subject)]), SetConnectionMark, Part, "% handed this connection to the app (mark $): the connection is marked, so that its answers find back to %."),
    rule((Inbound, 0), among(&[is(IN_INTERFACE, Subject)]).except(SOURCE.or(DESTINATION)), Redirect, Opt(VirtualInterfaces), "Packets of the virtual machine at $ are treated as the pod's own."),
    rule((Inbound, 0), among(&[is(IN_INTERFACE, Subject)]).except(SOURCE.or(DESTINATION)), Return, Part, "What arrives by $ is left alone."),
    rule((Inbound, 1), beyond_header(&[is(SOURCE, Subject), TCP]), Accept, Opt(Probes), PROBE),
    rule((Inbound, 2), beyond_header(&[not(DESTINATION, Loopback), TCP, not(MARK.or(CONNECTION_MARK), Any)]), Redirect, InboundRedirect, "Plain connections from outside go to %; those that come in its tunnel reach it by themselves."),
    rule((Outbound, 0), beyond_header(&[UDP, TO_DNS]), SetZone, Part, ZONE),
    rule((Outbound, 0), exactly(&[is(CONNECTION_MARK, Any)]), RestoreMark, Part, "The app's answer gets the mark that leads it back to %."),
    rule((Outbound, 0), beyond_header(&[is(DESTINATION, Subject), TCP]), Accept, Opt(Probes), PROBE),
    rule((Outbound, 1), among(&[TO_DNS]), Redirect, DnsRedirect, DNS_REDIRECT),
    rule((Outbound, 2), exactly(&[TCP, is(MARK, Subject)]), Accept, Part, "Answers on connections from % (mark $) are left alone."),
    rule((Outbound, 3), exactly(&[not(DESTINATION, Loopback), OUT_LOOPBACK]), Accept, Part, "The pod's calls to itself are not captured."),
    rule((Outbound, 4), exactly(&[not(DESTINATION, Loopback), TCP, not(MARK, Subject)]), Redirect, OutboundRedirect, "Everything else goes to %, but for its own connections, which bear the mark $. No uid is exempt."),
];
