//! The words of one rule: the possible rules of a chain, given the family, the table and the hooks
//! that reach it.
//!
//! To compare a new match or target with the kernel, add its words to [`matches()`] or [`targets`].

use chainwalk_core::iptables::table_name::TableName;
use chainwalk_core::netfilter::backend::Backend;
use chainwalk_core::packet::Family;
use chainwalk_core::packet::hook::Hook;
use proptest::prelude::*;
use proptest::sample::select;

use super::{ELSEWHERE, IDS, MARKS, NETWORKS, OWN, PORTS, of};

/// The place of a rule.
#[derive(Clone, Copy, Debug)]
pub(super) struct Site {
    pub(super) backend: Backend,
    pub(super) family: Family,
    pub(super) table: TableName,
    /// The hooks that may reach its chain.
    pub(super) hooks: &'static [Hook],
    /// Whether its chain is a built-in one. iptables then refuses `-i` or `-o` at some hooks.
    pub(super) built_in: bool,
}

impl Site {
    fn only(self, hooks: &[Hook]) -> bool {
        self.hooks.iter().all(|hook| hooks.contains(hook))
    }
}

/// The protocol clause of a rule. It decides which other clauses are possible.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Transport {
    /// Any or another protocol.
    Any,
    /// SCTP: ports that nat can change.
    Sctp,
    /// UDP.
    Ports,
    /// TCP.
    Tcp,
}

type Text = BoxedStrategy<String>;

fn not() -> impl Strategy<Value = &'static str> {
    prop_oneof![3 => Just(""), 1 => Just("! ")]
}

/// One of these values after a flag, sometimes negated.
fn flag(flag: &'static str, values: impl Strategy<Value = String> + 'static) -> Text {
    (not(), values)
        .prop_map(move |(not, value)| format!(" {not}{flag} {value}"))
        .boxed()
}

/// Empty in most cases.
fn sometimes(often: u32, text: Text) -> Text {
    prop_oneof![10 - often => Just(String::new()), often => text].boxed()
}

fn network(family: Family) -> Text {
    let own = select(OWN[of(family)].to_vec());
    let elsewhere = select(ELSEWHERE[of(family)].to_vec());
    let networks = select(NETWORKS[of(family)].to_vec());
    prop_oneof![own, elsewhere, networks]
        .prop_map(str::to_owned)
        .boxed()
}

fn interface() -> Text {
    select(vec!["lo", "eth0", "eth1", "eth+", "l+", "eth9"])
        .prop_map(str::to_owned)
        .boxed()
}

/// `-s`, `-d`, `-i`, `-o`.
pub(super) fn header(site: Site) -> Text {
    let arrives = !site.built_in || site.only(&[Hook::Prerouting, Hook::Input, Hook::Forward]);
    let leaves = !site.built_in || site.only(&[Hook::Forward, Hook::Output, Hook::Postrouting]);
    let family = site.family;
    let parts = (
        sometimes(1, flag("-s", network(family))),
        sometimes(1, flag("-d", network(family))),
        sometimes(if arrives { 1 } else { 0 }, flag("-i", interface())),
        sometimes(if leaves { 1 } else { 0 }, flag("-o", interface())),
    );
    parts.prop_map(|(s, d, i, o)| [s, d, i, o].concat()).boxed()
}

fn ports() -> Text {
    // multiport refuses a range of one port.
    let span = prop::sample::subsequence(PORTS.to_vec(), 2)
        .prop_map(|ends| format!("{}:{}", ends[0], ends[1]));
    prop_oneof![2 => select(PORTS.to_vec()).prop_map(|port| port.to_string()), 1 => span].boxed()
}

fn multiport() -> Text {
    let list = prop::collection::vec(ports(), 1..5).prop_map(|list| list.join(","));
    let which = select(vec!["--sports", "--dports", "--ports"]);
    (not(), which, list)
        .prop_map(|(not, which, list)| format!(" -m multiport {not}{which} {list}"))
        .boxed()
}

fn flags() -> Text {
    let names = || prop::sample::subsequence(vec!["FIN", "SYN", "RST", "PSH", "ACK", "URG"], 1..=6);
    let list = |names: Vec<&str>| names.join(",");
    let set = prop_oneof![1 => Just("NONE".to_owned()), 3 => names().prop_map(list)];
    let flags = flag(
        "--tcp-flags",
        (names().prop_map(list), set).prop_map(|(mask, set)| format!("{mask} {set}")),
    );
    prop_oneof![2 => flags, 1 => not().prop_map(|not| format!(" {not}--syn"))].boxed()
}

fn icmp(family: Family) -> Text {
    let (protocol, option, types) = match family {
        Family::Ipv4 => (
            "icmp",
            "--icmp-type",
            vec![
                "8",
                "0",
                "3",
                "3/1",
                "echo-request",
                "redirect",
                "13",
                "any",
            ],
        ),
        Family::Ipv6 => (
            "icmpv6",
            "--icmpv6-type",
            vec!["128", "129", "1", "1/4", "echo-request", "135", "137"],
        ),
    };
    let types = select(types).prop_map(str::to_owned);
    sometimes(8, flag(option, types))
        .prop_map(move |asked| format!(" -p {protocol}{asked}"))
        .boxed()
}

/// `-p`, with the matches that require it.
pub(super) fn protocol(site: Site) -> BoxedStrategy<(Transport, String)> {
    let tcp = (
        sometimes(2, flag("--sport", ports())),
        sometimes(4, flag("--dport", ports())),
        sometimes(3, flags()),
        sometimes(2, multiport()),
        sometimes(2, tcp_only()),
    );
    let tcp = tcp.prop_map(|(sport, dport, flags, multiport, only)| {
        format!(" -p tcp{sport}{dport}{flags}{multiport}{only}")
    });
    let udp = (
        sometimes(2, flag("--sport", ports())),
        sometimes(4, flag("--dport", ports())),
        sometimes(2, multiport()),
    );
    let udp = udp.prop_map(|(sport, dport, multiport)| format!(" -p udp{sport}{dport}{multiport}"));
    let sctp = (sometimes(3, multiport()), sometimes(5, sctp_only()));
    let sctp = sctp.prop_map(|(multiport, only)| format!(" -p sctp{multiport}{only}"));
    let dccp = (select(vec!["--sport", "--dport"]), ports(), not())
        .prop_map(|(option, ports, not)| format!(" -p dccp -m dccp {not}{option} {ports}"));
    let with_ports = (select(vec!["udplite", "dccp"]), multiport())
        .prop_map(|(name, multiport)| format!(" -p {name}{multiport}"));
    let other = select(vec![
        " ! -p esp",
        " ! -p tcp",
        " ! -p udp",
        " -p 253",
        " ! -p 253",
    ])
    .prop_map(str::to_owned);
    prop_oneof![
        6 => Just((Transport::Any, String::new())),
        4 => tcp.prop_map(|text| (Transport::Tcp, text)),
        2 => udp.prop_map(|text| (Transport::Ports, text)),
        2 => sctp.prop_map(|text| (Transport::Sctp, text)),
        1 => with_ports.prop_map(|text| (Transport::Any, text)),
        1 => icmp(site.family).prop_map(|text| (Transport::Any, text)),
        1 => dccp.prop_map(|text| (Transport::Any, text)),
        1 => other.prop_map(|text| (Transport::Any, text)),
        2 => index(site.family).prop_map(|text| (Transport::Any, text)),
    ]
    .boxed()
}

/// Ports and chunks of SCTP. The flags of chunks are unknown.
fn sctp_only() -> Text {
    let ports = (select(vec!["--sport", "--dport"]), ports(), not())
        .prop_map(|(option, ports, not)| format!(" -m sctp {not}{option} {ports}"));
    let chunks = prop::sample::subsequence(
        vec!["INIT", "DATA", "HEARTBEAT", "SHUTDOWN_ACK", "ABORT"],
        1..=4,
    )
    .prop_map(|names| names.join(","));
    let chunks = (not(), select(vec!["any", "all", "only"]), chunks)
        .prop_map(|(not, way, chunks)| format!(" -m sctp {not}--chunk-types {way} {chunks}"));
    prop_oneof![1 => ports, 2 => chunks].boxed()
}

/// Headers of IPsec and of compression by their index, and of IPv6 mobility.
fn index(family: Family) -> Text {
    let mut all = vec![
        "-p esp -m esp ~--espspi",
        "-p ipcomp -m ipcomp ~--ipcompspi",
    ];
    match family {
        Family::Ipv4 => all.push("-p ah -m ah ~--ahspi"),
        Family::Ipv6 => all.push("-m ah ~--ahspi"),
    }
    let indexed = (not(), select(all), select(vec!["1", "2:299", "7"]))
        .prop_map(|(not, words, index)| format!(" {} {index}", words.replace('~', not)));
    match family {
        Family::Ipv4 => indexed.boxed(),
        Family::Ipv6 => prop_oneof![4 => indexed, 1 => Just(" -p mh -m mh".to_owned())].boxed(),
    }
}

fn mark(option: &'static str) -> Text {
    let mask = prop_oneof![2 => Just(None), 1 => select(vec![0xff, 0xf0, 0x1, 0xffff_0000, 0]).prop_map(Some)];
    (not(), select(MARKS.to_vec()), mask)
        .prop_map(move |(not, mark, mask): (_, u32, Option<u32>)| match mask {
            // A value outside its mask never matches. iptables reports it only sometimes.
            Some(mask) => format!(" {option} {not}--mark {:#x}/{mask:#x}", mark & mask),
            None => format!(" {option} {not}--mark {mark:#x}"),
        })
        .boxed()
}

fn names(match_and_option: &'static str, names: &[&'static str]) -> Text {
    let (matching, option) = match_and_option
        .split_once(' ')
        .expect("a match and its option");
    let list = prop::sample::subsequence(names.to_vec(), 1..=2.min(names.len()))
        .prop_map(|list| list.join(","));
    (not(), list)
        .prop_map(move |(not, list)| format!(" -m {matching} {not}{option} {list}"))
        .boxed()
}

fn owner() -> Text {
    let id = prop_oneof![
        3 => select(IDS.to_vec()).prop_map(|id| id.to_string()),
        1 => Just("1000-2000".to_owned()),
    ];
    let ids = (not(), select(vec!["--uid-owner", "--gid-owner"]), id)
        .prop_map(|(not, option, id)| format!(" -m owner {not}{option} {id}"));
    let exists = not().prop_map(|not| format!(" -m owner {not}--socket-exists"));
    prop_oneof![5 => ids, 1 => exists].boxed()
}

fn addrtype(site: Site) -> Text {
    const TYPES: [&str; 5] = ["LOCAL", "UNICAST", "BROADCAST", "MULTICAST", "UNREACHABLE"];
    let types = || prop::sample::subsequence(TYPES.to_vec(), 1..=2).prop_map(|list| list.join(","));
    // xt_addrtype.c, `addrtype_mt_checkentry_v1`: each limit is refused at some hooks, and IPv6 has
    // no broadcast. In IPv6, the effect of a limit depends on routes through that interface only,
    // which the walk does not simulate.
    let limits = match site.family {
        Family::Ipv6 => vec![""],
        Family::Ipv4 if site.only(&[Hook::Prerouting, Hook::Input]) => {
            vec!["", " --limit-iface-in"]
        }
        Family::Ipv4 if site.only(&[Hook::Output, Hook::Postrouting]) => {
            vec!["", " --limit-iface-out"]
        }
        Family::Ipv4 => vec![""],
    };
    let types: Text = match site.family {
        Family::Ipv4 => types().boxed(),
        Family::Ipv6 => {
            prop::sample::subsequence(vec!["LOCAL", "UNICAST", "MULTICAST", "UNREACHABLE"], 1..=2)
                .prop_map(|list| list.join(","))
                .boxed()
        }
    };
    (
        not(),
        select(vec!["--src-type", "--dst-type"]),
        types,
        select(limits),
    )
        .prop_map(|(not, option, types, limit)| {
            format!(" -m addrtype {not}{option} {types}{limit}")
        })
        .boxed()
}

/// A match that requires no protocol.
pub(super) fn matches(site: Site) -> Text {
    const STATES: [&str; 5] = ["INVALID", "NEW", "RELATED", "ESTABLISHED", "UNTRACKED"];
    const NATTED: [&str; 4] = ["NEW", "INVALID", "SNAT", "DNAT"];
    let comment = select(vec!["plain", "two words", "it's \\\"quoted\\\""]);
    let mut all: Vec<(u32, Text)> = vec![
        (3, mark("-m mark")),
        (2, mark("-m connmark")),
        (2, names("conntrack --ctstate", &STATES)),
        (1, names("conntrack --ctstate", &NATTED)),
        (1, names("state --state", &STATES)),
        (2, addrtype(site)),
        (4, connection(site)),
        (1, history()),
        (
            1,
            comment
                .prop_map(|text| format!(" -m comment --comment \"{text}\""))
                .boxed(),
        ),
    ];
    if site.only(&[Hook::Output, Hook::Postrouting]) {
        all.push((6, owner()));
    }
    all.extend(header_matches(site).into_iter().map(|text| (1, text)));
    all.extend(sockets(site).map(|text| (3, text)));
    prop::strategy::Union::new_weighted(all).boxed()
}

/// Clauses after `-p tcp`: an option of its header, or a match on it.
fn tcp_only() -> Text {
    let words = select(vec![
        "-m tcp ~--tcp-option 2",
        "-m tcp ~--tcp-option 8",
        "-m tcpmss ~--mss 536",
        "-m tcpmss ~--mss 537:1460",
        "-m ecn ~--ecn-tcp-ece",
        "-m ecn ~--ecn-tcp-cwr",
    ]);
    (not(), words)
        .prop_map(|(not, words)| format!(" {}", words.replace('~', not)))
        .boxed()
}

/// A match with one option, sometimes negated, and one of these values.
fn one_of(words: &'static str, values: &[&'static str]) -> Text {
    let (name, option) = words.split_once(' ').expect("a match and its option");
    (not(), select(values.to_vec()))
        .prop_map(move |(not, value)| format!(" -m {name} {not}{option} {value}"))
        .boxed()
}

/// Addresses from one to another.
fn iprange(family: Family) -> Text {
    let ends = (select(addresses(family)), select(addresses(family)));
    (not(), select(vec!["--src-range", "--dst-range"]), ends)
        .prop_map(|(not, option, (first, last))| {
            format!(" -m iprange {not}{option} {first}-{last}")
        })
        .boxed()
}

/// Matches on headers and the link layer that require no protocol.
fn header_matches(site: Site) -> Vec<Text> {
    let mut all = vec![
        one_of("dscp --dscp", &["0", "0x0a", "46"]),
        one_of("dscp --dscp-class", &["EF", "CS0", "AF11"]),
        one_of("tos --tos", &["0x28/0xfc", "0/0xff", "1/3", "0xb9"]),
        one_of("ecn --ecn-ip-ect", &["0", "1", "3"]),
        one_of("pkttype --pkt-type", &["unicast", "broadcast", "multicast"]),
        iprange(site.family),
    ];
    // Packets do not state the length of IPv6 headers.
    if site.family == Family::Ipv4 {
        all.push(one_of("length --length", &["40", "20:60", "61:", "48:70"]));
    }
    let names = match site.family {
        Family::Ipv4 => ["ttl --ttl-eq", "ttl --ttl-lt", "ttl --ttl-gt"],
        Family::Ipv6 => ["hl --hl-eq", "hl --hl-lt", "hl --hl-gt"],
    };
    all.push(one_of(names[0], &["64", "63", "1"]));
    for words in [names[1], names[2]] {
        all.push(
            select(vec!["2", "64", "63"])
                .prop_map(move |value| format!(" -m {words} {value}"))
                .boxed(),
        );
    }
    if site.family == Family::Ipv6 {
        all.extend([fixed("-m hbh"), fixed("-m dst"), fixed("-m rt")]);
        all.push(one_of(
            "ipv6header --header",
            &[
                "hop,prot",
                "dst,prot",
                "prot",
                "hop,dst,prot",
                "esp",
                "auth,prot",
                "route,prot",
            ],
        ));
        let soft = one_of(
            "ipv6header --header",
            &["hop", "dst", "hop,prot", "hop,dst", "auth", "route"],
        );
        all.push(soft.prop_map(|text| text + " --soft").boxed());
    }
    if site.only(&[Hook::Prerouting, Hook::Input, Hook::Forward]) {
        all.push(one_of(
            "mac --mac-source",
            &["02:00:00:00:00:99", "02:00:00:00:00:98"],
        ));
        all.push(one_of(
            "devgroup --src-group",
            &["0", "1/1", "0x10/0xf", "0x11"],
        ));
        if site.family == Family::Ipv6 {
            all.extend([fixed("-m eui64"), fixed("-m eui64"), fixed("-m eui64")]);
        }
    }
    if site.only(&[Hook::Forward, Hook::Output, Hook::Postrouting]) {
        all.push(one_of("devgroup --dst-group", &["0", "1/1", "0x10/0xf"]));
    }
    if site.only(&[Hook::Output]) {
        all.push(one_of("physdev --physdev-in", &["eth0", "br+"]));
        all.push(
            not()
                .prop_map(|not| format!(" -m physdev {not}--physdev-is-bridged"))
                .boxed(),
        );
    }
    all
}

fn fixed(text: &'static str) -> Text {
    Just(format!(" {text}")).boxed()
}

fn set_mark(target: &'static str) -> Text {
    let option = select(vec!["--set-mark", "--set-xmark"]);
    let masked = (
        option,
        select(MARKS.to_vec()),
        select(vec!["", "/0xff", "/0xf0", "/0xffffffff"]),
    )
        .prop_map(move |(option, mark, mask)| format!(" -j {target} {option} {mark:#x}{mask}"));
    let other = (
        select(vec!["--and-mark", "--or-mark", "--xor-mark"]),
        select(MARKS.to_vec()),
    )
        .prop_map(move |(option, mark)| format!(" -j {target} {option} {mark:#x}"));
    prop_oneof![3 => masked, 1 => other].boxed()
}

fn connmark() -> Text {
    let masks = select(vec![
        "",
        " --mask 0xff",
        " --nfmask 0xf0 --ctmask 0xffff",
        " --left-shift-mark 3",
        " --right-shift-mark 4",
    ]);
    let copy = (select(vec!["--save-mark", "--restore-mark"]), masks)
        .prop_map(|(option, masks)| format!(" -j CONNMARK {option}{masks}"));
    prop_oneof![1 => set_mark("CONNMARK"), 2 => copy].boxed()
}

fn addresses(family: Family) -> Vec<&'static str> {
    [OWN[of(family)].as_slice(), ELSEWHERE[of(family)].as_slice()].concat()
}

/// An address to translate to.
fn to_address(site: Site, option: &'static str) -> Text {
    select(addresses(site.family))
        .prop_map(move |address| format!(" {option} {address}"))
        .boxed()
}

/// A port to translate to, with or without an address.
fn to_port(site: Site, option: &'static str, ports: &'static [&'static str]) -> Text {
    let ipv6 = site.family == Family::Ipv6;
    (
        prop::option::of(select(addresses(site.family))),
        select(ports),
    )
        .prop_map(move |(address, port)| match address {
            Some(address) if ipv6 => format!(" {option} [{address}]:{port}"),
            address => format!(" {option} {}:{port}", address.unwrap_or_default()),
        })
        .boxed()
}

/// A target: the minimum protocol clause of the rule, and the words.
pub(super) fn targets(site: Site) -> BoxedStrategy<(Transport, String)> {
    use Transport::{Any, Ports, Tcp};
    let mut all: Vec<(u32, Transport, Text)> = vec![
        (8, Any, Just(String::new()).boxed()),
        (6, Any, fixed("-j ACCEPT")),
        (8, Any, fixed("-j RETURN")),
        (6, Any, set_mark("MARK")),
        (2, Any, fixed("-j LOG --log-prefix \"a b\" --log-level 7")),
        (2, Any, fixed("-j NFLOG --nflog-group 5")),
    ];
    // After CT in table raw, it would mark the template that all packets of that rule share.
    if site.table != TableName::Raw {
        all.push((4, Any, connmark()));
    }
    match site.table {
        TableName::Nat => nat_targets(site, &mut all),
        // iptables-nft has no QUEUE (measured, 1.8.9 on Linux 6.18).
        _ if site.backend == Backend::Legacy => {
            all.extend([(2, Any, fixed("-j DROP")), (1, Any, fixed("-j QUEUE"))])
        }
        _ => all.push((3, Any, fixed("-j DROP"))),
    }
    if site.table == TableName::Raw {
        let zone = select(vec![
            "--zone 1",
            "--zone-orig 2",
            "--notrack",
            "--zone-reply mark",
            "--ctevents new,destroy",
        ]);
        all.push((
            1,
            Any,
            zone.prop_map(|zone| format!(" -j CT {zone}")).boxed(),
        ));
        all.push((1, Any, fixed("-j NOTRACK")));
    }
    if site.table == TableName::Mangle && site.only(&[Hook::Prerouting]) {
        let mark = select(vec!["", " --tproxy-mark 0x539", " --tproxy-mark 0x1/0xff"]);
        let on = select(vec!["15006", "15001", "0"]);
        let tproxy =
            (on, mark).prop_map(|(port, mark)| format!(" -j TPROXY --on-port {port}{mark}"));
        all.push((16, Ports, tproxy.boxed()));
    }
    all.extend(other_targets(site));
    if site.table == TableName::Filter {
        let with = match site.family {
            Family::Ipv4 => vec![
                "",
                " --reject-with icmp-host-unreachable",
                " --reject-with icmp-admin-prohibited",
            ],
            Family::Ipv6 => vec![
                "",
                " --reject-with icmp6-addr-unreachable",
                " --reject-with icmp6-adm-prohibited",
            ],
        };
        all.push((
            2,
            Any,
            select(with)
                .prop_map(|with| format!(" -j REJECT{with}"))
                .boxed(),
        ));
        all.push((4, Tcp, fixed("-j REJECT --reject-with tcp-reset")));
    }
    let all = all
        .into_iter()
        .map(|(weight, least, text)| (weight, text.prop_map(move |text| (least, text)).boxed()));
    prop::strategy::Union::new_weighted(all.collect()).boxed()
}

fn nat_targets(site: Site, all: &mut Vec<(u32, Transport, Text)>) {
    use Transport::{Any, Sctp};
    let networks = match site.family {
        Family::Ipv4 => vec![
            "10.9.9.0/24",
            "127.0.0.0/8",
            "10.244.1.5/32",
            "192.0.2.0/25",
        ],
        Family::Ipv6 => vec![
            "2001:db8:99::/64",
            "fd00:1::/64",
            "::1/128",
            "2001:db8:7::/49",
        ],
    };
    all.push((
        4,
        Any,
        select(networks)
            .prop_map(|network| format!(" -j NETMAP --to {network}"))
            .boxed(),
    ));
    let span = (to_span(site), select(vec!["", "", " --persistent"]));
    if site.only(&[Hook::Prerouting, Hook::Output]) {
        let to = select(vec![
            "15001",
            "15006",
            "80",
            "8080-8090",
            "8080-8090 --random",
            "22-443 --random",
        ]);
        all.push((
            12,
            Sctp,
            to.prop_map(|port| format!(" -j REDIRECT --to-ports {port}"))
                .boxed(),
        ));
        all.push((4, Any, fixed("-j REDIRECT")));
        let ports = &[
            "80",
            "15006",
            "8080-8090",
            "8080-8090/80",
            "400-500 --random",
            "15001-15006 --random",
        ];
        all.push((12, Sctp, to_port(site, "-j DNAT --to-destination", ports)));
        all.push((12, Any, to_address(site, "-j DNAT --to-destination")));
        all.push((
            6,
            Any,
            span.clone()
                .prop_map(|(to, how)| format!(" -j DNAT --to-destination {to}{how}"))
                .boxed(),
        ));
    }
    if site.only(&[Hook::Input, Hook::Postrouting]) {
        let ports = &[
            "1024",
            "40000",
            "1024-2000",
            "22-53",
            "1024-2000 --random-fully",
        ];
        all.push((12, Sctp, to_port(site, "-j SNAT --to-source", ports)));
        all.push((12, Any, to_address(site, "-j SNAT --to-source")));
        all.push((
            6,
            Any,
            span.prop_map(|(to, how)| format!(" -j SNAT --to-source {to}{how}"))
                .boxed(),
        ));
    }
    if site.only(&[Hook::Postrouting]) {
        all.push((8, Any, fixed("-j MASQUERADE")));
        all.push((1, Any, fixed("-j MASQUERADE --random")));
        let ports = select(vec!["1024", "1024-2000", "15001-15006"]);
        all.push((
            4,
            Sctp,
            ports
                .prop_map(|ports| format!(" -j MASQUERADE --to-ports {ports}"))
                .boxed(),
        ));
    }
}

/// Several addresses to translate to.
fn to_span(site: Site) -> impl Strategy<Value = &'static str> + Clone {
    select(match site.family {
        Family::Ipv4 => {
            vec![
                "10.244.1.5-10.244.1.9",
                "10.9.9.0-10.10.1.255",
                "127.0.0.1-127.0.0.6",
                "172.16.0.5-172.16.0.6",
            ]
        }
        Family::Ipv6 => vec![
            "fd00:1::5-fd00:1::9",
            "2001:db8:99::-2001:db8:99:1:2::",
            "::1-::3",
            "fd00:2::5-fd00:3::",
        ],
    })
}

/// Targets that change a header, end a packet, or only observe it.
fn other_targets(site: Site) -> Vec<(u32, Transport, Text)> {
    use Transport::{Any, Tcp};
    let words = |list: Vec<&'static str>| {
        select(list)
            .prop_map(|words| format!(" -j {words}"))
            .boxed()
    };
    let mut all: Vec<(u32, Transport, Text)> = vec![
        (1, Any, fixed("-j AUDIT --type accept")),
        (
            1,
            Any,
            fixed("-j IDLETIMER --timeout 600 --label chainwalk"),
        ),
    ];
    if site.table != TableName::Nat {
        all.push((
            1,
            Any,
            words(vec!["NFQUEUE --queue-num 7", "NFQUEUE --queue-balance 2:3"]),
        ));
    }
    if site.table == TableName::Raw {
        all.push((1, Any, fixed("-j TRACE")));
    }
    if site.only(&[Hook::Forward, Hook::Output, Hook::Postrouting]) {
        all.push((1, Any, fixed("-j CLASSIFY --set-class 1:10")));
    }
    if site.only(&[Hook::Input, Hook::Forward]) && site.table != TableName::Nat {
        all.push((8, Tcp, fixed("-j SYNPROXY --sack-perm --mss 1460")));
    }
    if matches!(site.table, TableName::Mangle | TableName::Security) {
        all.push((
            1,
            Any,
            words(vec!["CONNSECMARK --save", "CONNSECMARK --restore"]),
        ));
    }
    if site.table == TableName::Mangle {
        all.extend(header_targets(site));
    }
    all
}

/// Targets that change the IP or the TCP header.
fn header_targets(site: Site) -> Vec<(u32, Transport, Text)> {
    use Transport::{Any, Tcp};
    let words = |list: Vec<&'static str>| {
        select(list)
            .prop_map(|words| format!(" -j {words}"))
            .boxed()
    };
    let hops = match site.family {
        Family::Ipv4 => vec![
            "TTL --ttl-set 7",
            "TTL --ttl-dec 1",
            "TTL --ttl-dec 64",
            "TTL --ttl-inc 200",
        ],
        Family::Ipv6 => vec![
            "HL --hl-set 7",
            "HL --hl-dec 1",
            "HL --hl-dec 64",
            "HL --hl-inc 200",
        ],
    };
    let tos = vec![
        "TOS --set-tos 0x10/0x3f",
        "TOS --and-tos 0xf1",
        "TOS --or-tos 0x02",
        "TOS --xor-tos 0x41",
        "TOS --set-tos 0",
    ];
    // Legacy requires a condition on SYN. Of two conditions on flags, iptables-nft-save prints only
    // one.
    let tcpmss = match site.backend {
        Backend::Legacy => "-m tcp --tcp-flags SYN SYN -j TCPMSS --set-mss 1000",
        Backend::Nft => "-j TCPMSS --set-mss 1000",
    };
    let mut all: Vec<(u32, Transport, Text)> = vec![
        (3, Any, words(hops)),
        (2, Any, words(tos)),
        (
            2,
            Any,
            words(vec![
                "DSCP --set-dscp 10",
                "DSCP --set-dscp-class EF",
                "DSCP --set-dscp 0",
            ]),
        ),
        (1, Any, fixed("-j CHECKSUM --checksum-fill")),
        (
            2,
            Tcp,
            words(vec![
                "TCPOPTSTRIP --strip-options mss",
                "TCPOPTSTRIP --strip-options 3,8",
            ]),
        ),
        (6, Tcp, fixed(tcpmss)),
    ];
    match site.family {
        Family::Ipv4 => {
            all.push((
                1,
                Any,
                words(vec!["ECN --ecn-ip-ect 0", "ECN --ecn-ip-ect 2"]),
            ));
            all.push((
                1,
                Tcp,
                words(vec!["ECN --ecn-tcp-remove", "ECN --ecn-tcp-ece 1"]),
            ));
        }
        Family::Ipv6 => {
            let prefixes = vec![
                "--src-pfx fd00:1::/64 --dst-pfx fd00:2::/64",
                "--src-pfx 2001:db8::/48 --dst-pfx 2001:db8:9::/48",
                "--src-pfx fd00::/16 --dst-pfx 2001::/16",
            ];
            let name = match () {
                () if site.only(&[Hook::Input, Hook::Postrouting]) => "SNPT",
                () if site.only(&[Hook::Prerouting, Hook::Output]) => "DNPT",
                () => return all,
            };
            all.push((
                3,
                Any,
                select(prefixes)
                    .prop_map(move |of| format!(" -j {name} {of}"))
                    .boxed(),
            ));
        }
    }
    all
}

/// Data of conntrack about a connection, except its state.
fn connection(site: Site) -> Text {
    let side = select(vec![
        "--ctorigsrc",
        "--ctorigdst",
        "--ctreplsrc",
        "--ctrepldst",
    ]);
    let address = (not(), side, network(site.family))
        .prop_map(|(not, side, address)| format!("{not}{side} {address}"));
    let side = select(vec![
        "--ctorigsrcport",
        "--ctorigdstport",
        "--ctreplsrcport",
        "--ctrepldstport",
    ]);
    // The identifier that replaces a port in ICMP is unknown.
    let port = (not(), side, ports())
        .prop_map(|(not, side, ports)| format!("--ctproto 6 {not}{side} {ports}"));
    let message = (
        not(),
        select(vec!["--ctorigdstport", "--ctrepldstport"]),
        select(vec!["2048", "0", "0:40000"]),
    )
        .prop_map(|(not, side, ports)| format!("{not}{side} {ports}"));
    let protocol = (not(), select(vec!["tcp", "17", "1", "58", "0"]))
        .prop_map(|(not, name)| format!("{not}--ctproto {name}"));
    let status = (
        not(),
        select(vec![
            "NONE",
            "CONFIRMED",
            "SEEN_REPLY",
            "ASSURED,CONFIRMED",
            "EXPECTED",
        ]),
    )
        .prop_map(|(not, status)| format!("{not}--ctstatus {status}"));
    let direction =
        select(vec!["ORIGINAL", "REPLY"]).prop_map(|direction| format!("--ctdir {direction}"));
    let state = sometimes(
        3,
        select(vec![
            " --ctstate NEW",
            " --ctstate INVALID",
            " ! --ctstate NEW",
        ])
        .prop_map(str::to_owned)
        .boxed(),
    );
    let one = prop_oneof![4 => address, 3 => port, 1 => message, 1 => protocol, 2 => status, 1 => direction];
    (one, state)
        .prop_map(|(one, state)| format!(" -m conntrack {one}{state}"))
        .boxed()
}

/// Conditions that the history of a first packet decides, and chance with probability 0 or 1.
fn history() -> Text {
    select(vec![
        "-m recent --set --name a",
        "-m recent ! --set --rdest",
        "-m connlabel --label 7 --set",
        "-m helper --helper ftp",
        "-m helper ! --helper ftp",
        "-m statistic --mode random --probability 0",
        "-m statistic --mode random --probability 1",
        "-m statistic --mode nth --every 1 --packet 0",
    ])
    .prop_map(|text| format!(" {text}"))
    .boxed()
}

/// Socket matches, where they are allowed, and reverse paths.
fn sockets(site: Site) -> Option<Text> {
    let mut all = Vec::new();
    if site.only(&[Hook::Prerouting, Hook::Input]) {
        // A packet does not state the socket that an ICMP error reports. As a first packet, the
        // error is INVALID.
        all.extend([
            " -m conntrack --ctstate NEW -m socket",
            " -m conntrack --ctstate NEW -m socket --nowildcard",
        ]);
    }
    if site.only(&[Hook::Prerouting]) && [TableName::Raw, TableName::Mangle].contains(&site.table) {
        all.extend([
            " -m rpfilter",
            " -m rpfilter --loose",
            " -m rpfilter --invert",
            " -m rpfilter --validmark",
            " -m rpfilter --loose --accept-local",
            " -m rpfilter --validmark --accept-local --invert",
        ]);
    }
    (!all.is_empty()).then(|| select(all).prop_map(str::to_owned).boxed())
}
