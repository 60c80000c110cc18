//! Matches on headers and the link layer: the printed form of iptables 1.8.9, its refusals, and the
//! sentences.

use chainwalk_core::analysis::explain;
use chainwalk_core::input::parse::{Parsed, parse};
use chainwalk_core::iptables::print;
use chainwalk_core::text::diagnostic::{Code, Severity};

/// Parses a command's rule in a chain of table mangle.
fn read(family: u8, chain: &str, rule: &str) -> Parsed {
    let program = if family == 6 { "ip6tables" } else { "iptables" };
    parse(format!("{program} -t mangle -A {chain} {rule}"))
}

fn errors(parsed: &Parsed) -> Vec<Code> {
    let errors = parsed
        .diagnostics
        .iter()
        .filter(|said| said.severity == Severity::Error);
    errors.map(|said| said.code).collect()
}

/// The printed form of a rule, and its sentence.
fn shown(parsed: &Parsed, chain: &str) -> (String, String) {
    let ruleset = &parsed.rulesets[0];
    let table = &ruleset.tables[0];
    let (_, chain) = table.chain(chain).expect("the rule's chain");
    (
        print::rule(ruleset, table, &chain.rules[0]),
        explain::rule(ruleset, table, &chain.rules[0]),
    )
}

/// Checks that each line of `cases` is valid in FORWARD and is printed as the text after `=>`, or
/// unchanged without `=>`.
fn prints(family: u8, cases: &str) {
    for case in cases.lines().map(str::trim).filter(|case| !case.is_empty()) {
        let (rule, want) = case
            .split_once("=>")
            .map_or((case, case), |(rule, want)| (rule.trim(), want.trim()));
        let parsed = read(family, "FORWARD", rule);
        assert_eq!(errors(&parsed), [], "{rule}");
        assert_eq!(shown(&parsed, "FORWARD").0, want, "{rule}");
    }
}

/// Checks that iptables would refuse each line of `cases` in FORWARD.
fn refuses(family: u8, cases: &str) {
    for rule in cases.lines().map(str::trim).filter(|rule| !rule.is_empty()) {
        let parsed = read(family, "FORWARD", rule);
        assert_ne!(errors(&parsed), [], "iptables refuses: {rule}");
    }
}

#[test]
fn values_are_printed_as_iptables_save_prints_them() {
    prints(
        4,
        "-m dscp --dscp 8 => -m dscp --dscp 0x08
         -m dscp ! --dscp-class af21 => -m dscp ! --dscp 0x12
         -m tos --tos minimize-cost => -m tos --tos 0x02/0x3f
         -m tos --tos 7 => -m tos --tos 0x07/0xff
         -m ttl --ttl 9 => -m ttl --ttl-eq 9
         -m ttl --ttl-lt 0
         -m ttl --ttl-gt 255
         -p esp -m esp --espspi 9:3
         -p esp -m esp ! --espspi : => -p esp -m esp
         -p ipcomp -m ipcomp => -p ipcomp -m ipcomp --ipcompspi 0
         -m length --length 40: => -m length --length 40:65535
         -m mac --mac-source 2:0:0:A:b:c => -m mac --mac-source 02:00:00:0a:0b:0c
         -m pkttype ! --pkt-type MCAST => -m pkttype ! --pkt-type multicast
         -m iprange --src-range 10.0.0.9 => -m iprange --src-range 10.0.0.9-10.0.0.9
         -m devgroup --src-group 0 --dst-group 0x11/1 => -m devgroup --src-group default --dst-group 0x11/0x1
         -m realm --realm 0 => -m realm --realm cosmos
         -m addrtype --src-type l,multi => -m addrtype --src-type LOCAL,MULTICAST
         -p icmp --icmp-type echo-req => -p icmp -m icmp --icmp-type 8
         -p icmp -m icmp --icmp-type 255/7 => -p icmp -m icmp --icmp-type any
         -p tcp -m tcp --sport 0:65535 => -p tcp -m tcp
         -p tcp --tcp-flags rst,,urg all => -p tcp -m tcp --tcp-flags RST,URG FIN,SYN,RST,PSH,ACK,URG
         -p udp --dport 90:80 => -p udp -m udp --dport 90:80
         -p dccp --dport : => -p dccp -m dccp --dport 0:65535
         -p dccp --dccp-types reset,ack => -p dccp -m dccp --dccp-types ACK,RESET
         -p sctp --chunk-types ANY pad,data:eB => -p sctp -m sctp --chunk-types any DATA:Be,PAD
         -m physdev --physdev-is-bridged ! --physdev-is-in => -m physdev ! --physdev-is-in --physdev-is-bridged
         ! -i + => ",
    );
    prints(
        6,
        "-m ah --ahlen 0 --ahres => -m ah --ahres
         -m hbh --hbh-opts 5:255,0x3e:2 => -m hbh --hbh-opts 5,62:2
         -m frag --fraglast --fragid 3: => -m frag --fragid 3:4294967295 --fraglast
         -m rt --rt-type 0 --rt-0-addrs FD00::1,::2 --rt-0-not-strict => -m rt --rt-type 0 --rt-0-addrs fd00::1,::2 --rt-0-not-strict
         -m srh --srh-lsid fd00::1/64
         -p mh -m mh --mh-type hot:bu => -p mobility-header -m mh --mh-type 3:5
         -m ipv6header --header prot,60,hop --soft => -m ipv6header --header hop-by-hop,ipv6-opts,protocol --soft
         -m eui64
         -m hl ! --hl 3 => -m hl ! --hl-eq 3",
    );
}

#[test]
fn what_iptables_refuses_is_refused() {
    refuses(
        4,
        "-m dscp --dscp 64
         -m dscp --dscp 1 --dscp-class EF
         -m dscp
         -m tos --tos 256
         -m ttl --ttl-lt 3 --ttl-gt 1
         -m ttl ! --ttl-lt 3
         -m ecn --ecn-tcp-ece
         -m ecn --ecn-ip-ect 4
         -m esp --espspi 3
         -p ah -m ah --ahres
         -p tcp -m tcpmss --mss 9:3
         -m tcp
         -p tcp -m tcp --dport 9:3
         -p tcp --tcp-option 0
         -p icmp -m icmp
         -p icmp --icmp-type time
         -p tcp -m multiport --dports 1:1
         -p tcp -m multiport --dports 1 --sports 2
         -m multiport --dports 1
         -m addrtype --limit-iface-in
         -m addrtype --src-type LOCAL --limit-iface-in --limit-iface-out
         -m physdev
         -m pkttype --pkt-type uni
         -m iprange --src-range fd00::1
         -p sctp --chunk-types all SACK:U
         -s fd00::1
         ! -p all",
    );
    refuses(
        6,
        "-f
         -m frag --fragmore --fraglast
         -m hbh ! --hbh-opts 5
         -m hbh --hbh-opts 0:1
         -m rt --rt-0-res --rt-type 0
         -m rt --rt-type 1 --rt-0-res
         -m addrtype --src-type BROADCAST
         -p mh -m mh --mh-type 5:3
         -m ipv6header --header tcp
         -m realm --realm 1
         -d 10.0.0.1",
    );
}

#[test]
fn a_match_is_refused_where_its_options_cannot_be_asked() {
    let check = |chain: &str, rule: &str, refused: bool| {
        assert_eq!(
            !errors(&read(4, chain, rule)).is_empty(),
            refused,
            "{chain} {rule}"
        );
    };
    check("POSTROUTING", "-m devgroup --dst-group 1", false);
    check("PREROUTING", "-m devgroup --dst-group 1", true);
    check("OUTPUT", "-m mac --mac-source 02:00:00:00:00:05", true);
    check("OUTPUT", "-m physdev --physdev-out br0", true);
    check(
        "OUTPUT",
        "-m physdev --physdev-out br0 --physdev-is-bridged",
        false,
    );
    check(
        "OUTPUT",
        "-m addrtype --src-type LOCAL --limit-iface-in",
        true,
    );
    check("PREROUTING", "-m realm --realm 1", true);
    check("OUTPUT", "-m owner --suppl-groups --gid-owner 7", true);
    check("OUTPUT", "-m owner --uid-owner nobody", true);
}

#[test]
fn every_match_has_its_sentence() {
    let check = |family: u8, rule: &str, want: &str| {
        assert_eq!(
            shown(&read(family, "FORWARD", rule), "FORWARD").1,
            want,
            "{rule}"
        );
    };
    check(
        4,
        "-m ttl --ttl-lt 5 -j ACCEPT",
        "If the TTL is below 5: accept it.",
    );
    check(
        4,
        "-m dscp ! --dscp-class EF",
        "If the DSCP is not 0x2e: only count it.",
    );
    check(
        4,
        "-m length --length 40:80",
        "If the length is in 40 to 80: only count it.",
    );
    check(
        4,
        "-m pkttype --pkt-type bcast",
        "If the packet type is broadcast: only count it.",
    );
    check(
        6,
        "-m hbh -j DROP",
        "If it has a hop-by-hop header: drop it.",
    );
    check(
        6,
        "-m frag --fragfirst",
        "If it is the first fragment: only count it.",
    );
    check(
        6,
        "-m eui64",
        "If its source is made of its hardware address: only count it.",
    );
    check(
        4,
        "-m iprange --dst-range 10.0.0.1-10.0.0.9",
        "If the destination is 10.0.0.1 to 10.0.0.9: only count it.",
    );
}
