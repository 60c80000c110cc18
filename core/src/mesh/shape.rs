//! The rules that meshes make: for each a pattern, what it is, and why it is there.
//!
//! In patterns and chain names `@in`, `@inr`, `@out`, `@outr` and `@dns` are the mesh's own chains, `@1` is the loopback
//! address and `@6` the proxy's own source address. In sentences `$` is the first word that the pattern kept and `%` the proxy.

use super::glob;
use super::kind::{Kind, Setting};
use crate::packet::Family;
use crate::print;
use crate::ruleset::{Rule, Ruleset, Table};

/// What a rule is to its mesh.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Is {
    /// A part of its working.
    Part,
    /// The redirect of what arrives, with the port.
    Inbound,
    /// The redirect of what leaves, with the port.
    Outbound,
    /// The redirect of DNS, with the port.
    Dns,
    /// One of those that stand together once for each of the proxy's ids: its pod's own address, others' loopback, its way out.
    Owner(u8),
    /// All that leaves and no rule before concerns goes to the proxy.
    RestOut,
    /// What leaves is looked at, or what arrives.
    JumpOut,
    /// What arrives is looked at.
    JumpIn,
    /// A user's choice.
    Option(Setting),
    /// For a moment, while the rules are being renewed.
    Guard,
}

/// A rule of a mesh.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Row {
    /// The chain it stands in.
    pub(super) chain: &'static str,
    /// Rules of a lower rank come before it.
    pub(super) rank: u8,
    /// How it is written.
    pub(super) pattern: &'static str,
    /// What it is.
    pub(super) is: Is,
    why: &'static str,
}

const fn row(chain: &'static str, rank: u8, pattern: &'static str, is: Is, why: &'static str) -> Row {
    Row { chain, rank, pattern, is, why }
}

use Is::{Dns, Guard, Inbound, JumpIn, JumpOut, Option as Opt, Outbound, Owner, Part, RestOut};
use Setting::{
    DropInvalid, ExcludeIn, ExcludeOut, ExcludeRanges, Groups, IncludeIn, IncludeOut, IncludeRanges, Interfaces,
    Probes, Virtual,
};

const DNS_REDIRECT: &str = "DNS queries go to %, which answers from what it knows of the mesh.";
const OWN_PORT: &str = "Port $ belongs to the proxy itself or was excluded: it is reached directly.";
const ZONE: &str = "Keeps the query to the proxy and the proxy's own query apart in connection tracking: both may have the same addresses.";
const PROBE: &str = "The kubelet's probes come from $: they reach the app without %.";

/// Sidecars. Which of these rules a mesh and a version makes differs; their order does not.
#[rustfmt::skip]
pub(super) const SIDECAR: &[Row] = &[
    row("PREROUTING", 0, "-i # -j @outr", Opt(Virtual), "What the virtual machine behind $ sends is treated as the pod's own."),
    row("PREROUTING", 0, "-i # -j RETURN", Part, "What arrives by $ is left alone."),
    row("PREROUTING", 1, "*--ctstate INVALID -j *DROP", Opt(DropInvalid), "A packet that fits no connection is dropped, rather than reset by the kernel."),
    row("PREROUTING", 2, "*-j @in", JumpIn, "What arrives is looked at before the app gets it."),
    row("PREROUTING", 3, "*-m mark --mark # -j CONNMARK --save-mark*", Part, "Remembers on the connection that % has it, so that the app's answers go back to %."),
    row("OUTPUT", 0, "-o # -j RETURN", Opt(Interfaces), "What leaves by $ is left alone."),
    row("OUTPUT", 0, "-o lo -p tcp -m mark --mark # -j RETURN", Part, "% hands an inbound connection to the app under the caller's address: it must not be marked again."),
    row("OUTPUT", 1, "! -d @1 -o lo -p tcp -m owner --?id-owner # -j MARK *", Part, "% calls its own pod, as client: the mark leads the call to % as server."),
    row("OUTPUT", 2, "*-m connmark --mark # -j CONNMARK --restore-mark*", Part, "The app's answer gets the mark that leads it back to %."),
    row("OUTPUT", 1, "*--dport 53 *-j REDIRECT --to-ports #", Dns, DNS_REDIRECT),
    row("OUTPUT", 1, "*-j @dns", Part, "DNS queries are looked at."),
    row("OUTPUT", 2, "*-j @out", JumpOut, "Everything that a process sends is looked at."),
    row("INPUT", 0, "-p # -j DROP", Guard, "The rules are being renewed: for a moment nothing may arrive."),
    row("FORWARD", 0, "-p # -j DROP", Guard, "The rules are being renewed: for a moment nothing may pass."),
    row("OUTPUT", 0, "-p # -j DROP", Guard, "The rules are being renewed: for a moment nothing may leave."),
    row("ISTIO_DROP", 0, "*-j DROP", Part, "Drops what was sent here."),
    row("@in", 0, "-s # -p udp *--sport 53 -j CT --zone #", Part, ZONE),
    row("@in", 0, "*-m mark --mark # -j RETURN", Part, "% hands a connection to the app under the caller's address: it is on its last way."),
    row("@in", 0, "-s @6 -i lo -p tcp -j RETURN", Part, "% hands an inbound connection to the app: it must not come back."),
    row("@in", 1, "-i lo -p tcp -m mark ! --mark # -j RETURN", Part, "The pod's calls to itself pass, but for those of % as client, which bear the mark $."),
    row("@in", 1, "*--dport 15008 -j RETURN", Part, "The tunnel port of other proxies (HBONE) is reached directly."),
    row("@in", 1, "*--dport # *-j RETURN", Opt(ExcludeIn), OWN_PORT),
    row("@in", 1, "*--dports # *-j RETURN", Opt(ExcludeIn), OWN_PORT),
    row("@in", 2, "*-j ISTIO_DIVERT", Part, "A connection that % has already accepted goes on to the same socket."),
    row("@in", 3, "*--dport # -j @inr", Opt(IncludeIn), "Connections to port $ go to %."),
    row("@in", 3, "*--dport # -j ISTIO_TPROXY", Opt(IncludeIn), "Connections to port $ go to %."),
    row("@in", 3, "*--dports # -j REDIRECT --to-ports #", Inbound, "Connections to the app's ports $ go to %."),
    row("@in", 4, "*-j ISTIO_TPROXY", Part, "Every other connection from outside goes to %."),
    row("@in", 4, "*-j @inr", Part, "Every other connection from outside goes to %."),
    row("@in", 4, "*-p tcp *-j REDIRECT --to-ports #", Inbound, "Every other connection from outside goes to %'s inbound port $."),
    row("@inr", 0, "*-j REDIRECT --to-ports #", Inbound, "%'s inbound port: from here a connection goes through its inbound policies."),
    row("ISTIO_TPROXY", 0, "*-j TPROXY --on-port # *", Inbound, "%'s inbound port gets the connection with both addresses as they are: the app sees the real caller."),
    row("ISTIO_DIVERT", 0, "-j MARK *", Part, "The mark that leads to the proxy's socket."),
    row("ISTIO_DIVERT", 1, "-j ACCEPT", Part, "Nothing else is asked."),
    row("@out", 0, "*--dport # -j RETURN", Opt(ExcludeOut), "Destination port $ is excluded: it leaves without %."),
    row("@out", 1, "-s @6 -o lo -j RETURN", Part, "% hands an inbound connection to the app, from this source of its own: it must not come back."),
    row("@out", 1, "! -d @1 -o lo -j @outr", Part, "What a process sends to the pod's own address goes through %, too."),
    row("@out", 2, "! -d @1 *-o lo *-m owner --?id-owner # *-j @inr", Owner(1), "% as client calls its own pod: the call must enter % as server, where the inbound policies are."),
    row("@out", 2, "*-o lo *-m owner ! --?id-owner # *-j RETURN", Owner(2), "Who is not % and calls the pod itself is not captured."),
    row("@out", 2, "-m owner --?id-owner # -j RETURN", Owner(4), "%'s own traffic must not come back to it, so it goes out; and so does everyone else's who runs as $."),
    row("@out", 2, "-m owner ! --gid-owner # *-j RETURN", Opt(Groups), "Only processes of these groups are captured."),
    row("@out", 3, "*--dport 53 *-j REDIRECT --to-ports #", Dns, DNS_REDIRECT),
    row("@out", 3, "-j @dns", Part, "DNS queries are looked at."),
    row("@out", 3, "-o lo -j RETURN", Part, "The pod's calls to itself are not captured."),
    row("@out", 4, "-d @1 -j RETURN", Part, "Explicit calls to localhost are not captured."),
    row("@out", 5, "*--dports # -j RETURN", Opt(ExcludeOut), "Destination ports $ are excluded: they leave without %."),
    row("@out", 5, "-d # *-j RETURN", Opt(ExcludeRanges), "Destinations in $ are excluded: they are reached without %."),
    row("@out", 6, "*--dport # -j @outr", Opt(IncludeOut), "Destination port $ is captured whatever its address."),
    row("@out", 7, "-d # -j @outr", Opt(IncludeRanges), "Destinations in $ are captured."),
    row("@out", 8, "-j RETURN", Part, "Everything else is left alone."),
    row("@out", 8, "*-j @outr", RestOut, "Everything else goes to %: the capture itself."),
    row("@out", 8, "-p tcp -j REDIRECT --to-ports #", Outbound, "Everything else goes to %'s outbound port $: the capture itself."),
    row("@outr", 0, "*-j REDIRECT --to-ports #", Outbound, "%'s outbound port: from here a connection goes through its routing and outbound policies."),
    row("@outr", 1, "*--dport # -j ACCEPT", Part, "Port $ is the proxy's administration."),
    row("@dns", 0, "*--?id-owner # -j CT --zone #", Part, ZONE),
    row("@dns", 1, "*-j CT --zone #", Part, ZONE),
    row("@dns", 1, "*-j REDIRECT --to-ports #", Dns, DNS_REDIRECT),
    row("@dns", 1, "*-j DNAT --to-destination #", Part, DNS_REDIRECT),
];

/// Istio ambient.
#[rustfmt::skip]
pub(super) const AMBIENT: &[Row] = &[
    row("PREROUTING", 0, "*-j @in", JumpIn, "What arrives is looked at before the app gets it."),
    row("OUTPUT", 0, "*-j @out", JumpOut, "Everything that a process sends is looked at."),
    row("@in", 0, "-p udp *--sport 53 -j CT --zone #", Part, ZONE),
    row("@in", 0, "-m mark --mark # -j CONNMARK --set-xmark #", Part, "% handed this connection to the app (mark $): the connection is marked, so that its answers find back to %."),
    row("@in", 0, "-i # *-j REDIRECT --to-ports #", Opt(Virtual), "What the virtual machine behind $ sends is treated as the pod's own."),
    row("@in", 0, "-i # *-j RETURN", Part, "What arrives by $ is left alone."),
    row("@in", 1, "-s # -p tcp *-j ACCEPT", Opt(Probes), PROBE),
    row("@in", 2, "! -d @1 -p tcp *! --mark # -j REDIRECT --to-ports #", Inbound, "Plain connections from outside go to %; those that come in its tunnel reach it by themselves."),
    row("@out", 0, "-p udp *--dport 53 -j CT --zone #", Part, ZONE),
    row("@out", 0, "-m connmark --mark # -j CONNMARK --restore-mark*", Part, "The app's answer gets the mark that leads it back to %."),
    row("@out", 0, "-d # -p tcp *-j ACCEPT", Opt(Probes), PROBE),
    row("@out", 1, "*--dport 53 *-j REDIRECT --to-ports #", Dns, DNS_REDIRECT),
    row("@out", 2, "-p tcp -m mark --mark # -j ACCEPT", Part, "Answers on connections from % (mark $) are left alone."),
    row("@out", 3, "! -d @1 -o lo -j ACCEPT", Part, "The pod's calls to itself are not captured."),
    row("@out", 4, "! -d @1 -p tcp -m mark ! --mark # -j REDIRECT --to-ports #", Outbound, "Everything else goes to %, but for its own connections, which bear the mark $. No uid is exempt."),
];

/// A rule of a mesh, recognised.
#[derive(Debug)]
pub(super) struct Fit {
    pub(super) row: &'static Row,
    pub(super) words: Vec<String>,
}

/// The loopback address, and the proxy's own source address.
pub(super) fn own_addresses(family: Family) -> [&'static str; 2] {
    match family {
        Family::Ipv4 => ["127.0.0.1/32", "127.0.0.6/32"],
        Family::Ipv6 => ["::1/128", "::6/128"],
    }
}

/// Puts the mesh's own names into a pattern.
fn fill(kind: &Kind, family: Family, pattern: &str) -> String {
    let [incoming, incoming_port, outgoing, outgoing_port, dns] = kind.slots;
    let [one, six] = own_addresses(family);
    let names = [("@inr", incoming_port), ("@in", incoming), ("@outr", outgoing_port), ("@out", outgoing)];
    let names = names.into_iter().chain([("@dns", dns), ("@1", one), ("@6", six)]);
    // A chain that the mesh does not have fits nothing.
    names.fold(pattern.to_owned(), |text, (mark, name)| text.replace(mark, if name.is_empty() { "\n" } else { name }))
}

/// The patterns of one mesh and family, filled in once.
#[derive(Debug)]
pub(super) struct Shape(Vec<(&'static Row, String, String)>);

impl Shape {
    pub(super) fn new(kind: &Kind, family: Family) -> Self {
        let fill = |text| fill(kind, family, text);
        Self(kind.rows.iter().map(|row| (row, fill(row.chain), fill(row.pattern))).collect())
    }

    /// Which of the mesh's rules this is.
    pub(super) fn fit(&self, ruleset: &Ruleset, table: &Table, chain: &str, rule: &Rule) -> Option<Fit> {
        if !self.knows(chain) {
            return None;
        }
        self.fit_text(chain, &text(ruleset, table, rule))
    }

    /// Which of the mesh's rules a rule is that is printed so, without `-A` and its chain.
    pub(super) fn fit_text(&self, chain: &str, text: &str) -> Option<Fit> {
        self.0.iter().filter(|(_, own, _)| own == chain).find_map(|(row, _, pattern)| {
            let words = glob::words(pattern, text)?.into_iter().map(str::to_owned).collect();
            Some(Fit { row, words })
        })
    }

    /// Whether the mesh has rules in that chain.
    pub(super) fn knows(&self, chain: &str) -> bool {
        self.0.iter().any(|(_, own, _)| own == chain)
    }
}

/// A rule as printed, without comments.
pub(super) fn text(ruleset: &Ruleset, table: &Table, rule: &Rule) -> String {
    let matches = ruleset.groups(rule).filter(|group| group.iter().all(|part| part.extension().name != "comment"));
    let mut words: Vec<String> = matches.flat_map(|group| print::conditions(ruleset, group)).collect();
    words.push(print::target(ruleset, table, rule));
    words.retain(|word| !word.is_empty());
    words.join(" ")
}

impl Fit {
    /// Why the rule is there.
    pub(super) fn why(&self, proxy: &str) -> String {
        let word = self.words.first().map_or("", |word| word);
        self.row.why.replace('$', word).replace('%', proxy)
    }
}
