//! The rules of sidecars. Meshes and versions make different ones of them, but in the same order.

use super::chain_role::ChainRole::{
    Divert, Dns, Drop as DropChain, Forward, Inbound, InboundRedirect, Input, Outbound,
    OutboundRedirect, Output, Prerouting, Tproxy,
};
use super::mesh_option::MeshOption::{
    DropInvalid, ExcludeInboundPorts, ExcludeInterfaces, ExcludeOutboundPorts, ExcludeRanges,
    IncludeInboundPorts, IncludeOutboundPorts, IncludeRanges, OnlyGroups, VirtualInterfaces,
};
use super::rule_pattern::EffectPattern::{
    Accept, Drop, Jump, Redirect, RestoreMark, Return, SaveMark, SetMark, SetZone,
    TranslateDestination, TransparentProxy,
};
use super::rule_pattern::OwnerRule::{LetOut, OthersLoopback, OwnPod};
use super::rule_pattern::Purpose::{
    DnsRedirect, InboundJump, InboundRedirect as RedirectsInbound, Option as Opt, OutboundJump,
    OutboundRedirect as RedirectsOutbound, OutboundRest, Owner, Part, Renewal,
};
use super::rule_pattern::ValuePattern::{Any, Loopback, Port, ProxySource, Subject};
use super::rule_pattern::{
    ANY, CONNECTION_MARK, DESTINATION, DESTINATION_PORT, DESTINATION_PORTS, FROM_DNS, GROUP,
    IN_INTERFACE, IN_LOOPBACK, INVALID, MARK, MeshRule, OUT_INTERFACE, OUT_LOOPBACK, OWNER,
    PROTOCOL, SOURCE, TCP, TO_DNS, UDP, among, beyond_header, exactly, is, not, rule, with_header,
};

pub(super) const DNS_REDIRECT: &str =
    "DNS queries go to %, which answers from what it knows of the mesh.";
pub(super) const ZONE: &str = "Keeps the query to the proxy and the proxy's own query apart in connection tracking: both may have the same addresses.";
const OWN_PORT: &str =
    "Port $ belongs to the proxy itself or was excluded: it is reached directly.";

/// The table: chain, rank, conditions, effect, purpose, reason.
#[rustfmt::skip]
pub(super) static SIDECAR_RULES: &[MeshRule] = &[
    rule((Prerouting, 0), exactly(&[is(IN_INTERFACE, Subject)]), Jump(OutboundRedirect), Opt(VirtualInterfaces), "Packets of the virtual machine at $ are treated as the pod's own."),
    rule((Prerouting, 0), exactly(&[is(IN_INTERFACE, Subject)]), Return, Part, "What arrives by $ is left alone."),
    rule((Prerouting, 1), with_header(&[INVALID]), Drop, Opt(DropInvalid), DROP_INVALID),
    rule((Prerouting, 1), with_header(&[INVALID]), Jump(DropChain), Opt(DropInvalid), DROP_INVALID),
    rule((Prerouting, 2), ANY, Jump(Inbound), InboundJump, "What arrives is looked at before the app gets it."),
    rule((Prerouting, 3), with_header(&[is(MARK, Any)]), SaveMark, Part, "Remembers on the connection that % has it, so that the app's answers go back to %."),
    rule((Output, 0), exactly(&[is(OUT_INTERFACE, Subject)]), Return, Opt(ExcludeInterfaces), "What leaves by $ is left alone."),
    rule((Output, 0), exactly(&[OUT_LOOPBACK, TCP, is(MARK, Any)]), Return, Part, "% hands an inbound connection to the app under the caller's address: it must not be marked again."),
    rule((Output, 1), exactly(&[not(DESTINATION, Loopback), OUT_LOOPBACK, TCP, is(OWNER, Any)]), SetMark, Part, "% calls its own pod, as client: the mark leads the call to % as server."),
    rule((Output, 2), with_header(&[is(CONNECTION_MARK, Any)]), RestoreMark, Part, "The app's answer gets the mark that leads it back to %."),
    rule((Output, 1), among(&[TO_DNS]), Redirect, DnsRedirect, DNS_REDIRECT),
    rule((Output, 1), ANY, Jump(Dns), Part, "DNS queries are looked at."),
    rule((Output, 2), ANY, Jump(Outbound), OutboundJump, "Everything that a process sends is looked at."),
    rule((Input, 0), exactly(&[is(PROTOCOL, Any)]), Drop, Renewal, "The rules are being renewed: for a moment nothing may arrive."),
    rule((Forward, 0), exactly(&[is(PROTOCOL, Any)]), Drop, Renewal, "The rules are being renewed: for a moment nothing may pass."),
    rule((Output, 0), exactly(&[is(PROTOCOL, Any)]), Drop, Renewal, "The rules are being renewed: for a moment nothing may leave."),
    rule((DropChain, 0), ANY, Drop, Part, "Drops what was sent here."),
    rule((Inbound, 0), beyond_header(&[is(SOURCE, Any), UDP, FROM_DNS]), SetZone, Part, ZONE),
    rule((Inbound, 0), with_header(&[is(MARK, Any)]), Return, Part, "% hands a connection to the app under the caller's address: it is on its last way."),
    rule((Inbound, 0), exactly(&[is(SOURCE, ProxySource), IN_LOOPBACK, TCP]), Return, Part, "% hands an inbound connection to the app: it must not come back."),
    rule((Inbound, 1), exactly(&[IN_LOOPBACK, TCP, not(MARK, Subject)]), Return, Part, "The pod's calls to itself pass, but for those of % as client, which bear the mark $."),
    rule((Inbound, 1), with_header(&[is(DESTINATION_PORT, Port(TUNNEL_PORT))]), Return, Part, "The tunnel port of other proxies (HBONE) is reached directly."),
    rule((Inbound, 1), among(&[is(DESTINATION_PORT, Subject)]), Return, Opt(ExcludeInboundPorts), OWN_PORT),
    rule((Inbound, 1), among(&[is(DESTINATION_PORTS, Subject)]), Return, Opt(ExcludeInboundPorts), OWN_PORT),
    rule((Inbound, 2), ANY, Jump(Divert), Part, "A connection that % has already accepted goes on to the same socket."),
    rule((Inbound, 3), with_header(&[is(DESTINATION_PORT, Subject)]), Jump(InboundRedirect), Opt(IncludeInboundPorts), "Connections to port $ go to %."),
    rule((Inbound, 3), with_header(&[is(DESTINATION_PORT, Subject)]), Jump(Tproxy), Opt(IncludeInboundPorts), "Connections to port $ go to %."),
    rule((Inbound, 3), with_header(&[is(DESTINATION_PORTS, Subject)]), Redirect, RedirectsInbound, "Connections to the app's ports $ go to %."),
    rule((Inbound, 4), ANY, Jump(Tproxy), Part, "Every other connection from outside goes to %."),
    rule((Inbound, 4), ANY, Jump(InboundRedirect), Part, "Every other connection from outside goes to %."),
    rule((Inbound, 4), among(&[TCP]), Redirect, RedirectsInbound, "Every other connection from outside goes to %'s inbound port $."),
    rule((InboundRedirect, 0), ANY, Redirect, RedirectsInbound, "%'s inbound port: from here a connection goes through its inbound policies."),
    rule((Tproxy, 0), ANY, TransparentProxy, RedirectsInbound, "%'s inbound port gets the connection with both addresses as they are: the app sees the real caller."),
    rule((Divert, 0), exactly(&[]), SetMark, Part, "The mark that leads to the proxy's socket."),
    rule((Divert, 1), exactly(&[]), Accept, Part, "Nothing else is asked."),
    rule((Outbound, 0), with_header(&[is(DESTINATION_PORT, Subject)]), Return, Opt(ExcludeOutboundPorts), "Destination port $ is excluded: it leaves without %."),
    rule((Outbound, 1), exactly(&[is(SOURCE, ProxySource), OUT_LOOPBACK]), Return, Part, "% hands an inbound connection to the app, from this source of its own: it must not come back."),
    rule((Outbound, 1), exactly(&[not(DESTINATION, Loopback), OUT_LOOPBACK]), Jump(OutboundRedirect), Part, "Packets of a process to the pod's own address go through %, too."),
    rule((Outbound, 2), among(&[not(DESTINATION, Loopback), OUT_LOOPBACK, is(OWNER, Subject)]), Jump(InboundRedirect), Owner(OwnPod), "% as client calls its own pod: the call must enter % as server, where the inbound policies are."),
    rule((Outbound, 1), exactly(&[not(DESTINATION, Loopback), OUT_LOOPBACK]), Jump(InboundRedirect), Part, "Packets of a process to the pod's own address go through %, too."),
    rule((Outbound, 2), among(&[not(DESTINATION, Loopback), OUT_LOOPBACK, is(OWNER, Subject)]), Jump(Inbound), Owner(OwnPod), "% as client calls its own pod: the call must enter % as server, where the inbound policies are."),
    rule((Outbound, 2), among(&[OUT_LOOPBACK, not(OWNER, Subject)]), Return, Owner(OthersLoopback), "Who is not % and calls the pod itself is not captured."),
    rule((Outbound, 2), exactly(&[is(OWNER, Subject)]), Return, Owner(LetOut), "%'s own traffic must not come back to it, so it goes out; and so does everyone else's who runs as $."),
    rule((Outbound, 2), beyond_header(&[not(GROUP, Subject)]), Return, Opt(OnlyGroups), "Only processes of these groups are captured."),
    rule((Outbound, 3), among(&[TO_DNS]), Redirect, DnsRedirect, DNS_REDIRECT),
    rule((Outbound, 3), exactly(&[]), Jump(Dns), Part, "DNS queries are looked at."),
    rule((Outbound, 3), exactly(&[OUT_LOOPBACK]), Return, Part, "The pod's calls to itself are not captured."),
    rule((Outbound, 4), exactly(&[is(DESTINATION, Loopback)]), Return, Part, "Explicit calls to localhost are not captured."),
    rule((Outbound, 5), with_header(&[is(DESTINATION_PORTS, Subject)]), Return, Opt(ExcludeOutboundPorts), "Destination ports $ are excluded: they leave without %."),
    rule((Outbound, 5), among(&[is(DESTINATION, Subject)]).except(SOURCE), Return, Opt(ExcludeRanges), "Destinations in $ are excluded: they are reached without %."),
    rule((Outbound, 6), with_header(&[is(DESTINATION_PORT, Subject)]), Jump(OutboundRedirect), Opt(IncludeOutboundPorts), "Destination port $ is captured whatever its address."),
    rule((Outbound, 7), exactly(&[is(DESTINATION, Subject)]), Jump(OutboundRedirect), Opt(IncludeRanges), "Destinations in $ are captured."),
    rule((Outbound, 8), exactly(&[]), Return, Part, "Everything else is left alone."),
    rule((Outbound, 8), ANY, Jump(OutboundRedirect), OutboundRest, "Everything else goes to %: the capture itself."),
    rule((Outbound, 8), exactly(&[TCP]), Redirect, RedirectsOutbound, "Everything else goes to %'s outbound port $: the capture itself."),
    rule((OutboundRedirect, 0), ANY, Redirect, RedirectsOutbound, "%'s outbound port: from here a connection goes through its routing and outbound policies."),
    rule((OutboundRedirect, 1), with_header(&[is(DESTINATION_PORT, Subject)]), Accept, Part, "Port $ is the proxy's administration."),
    rule((Dns, 0), among(&[is(OWNER, Any)]), SetZone, Part, ZONE),
    rule((Dns, 1), ANY, SetZone, Part, ZONE),
    rule((Dns, 1), ANY, Redirect, DnsRedirect, DNS_REDIRECT),
    rule((Dns, 1), ANY, TranslateDestination, Part, DNS_REDIRECT),
];

const DROP_INVALID: &str =
    "A packet that fits no connection is dropped, rather than reset by the kernel.";
/// The port on which proxies accept HBONE tunnels.
pub(super) const TUNNEL_PORT: u16 = 15_008;
