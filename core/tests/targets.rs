//! The targets: parsing, printing, validation, and sentences.

use chainwalk_core::analysis::explain;
use chainwalk_core::input::parse::{Parsed, parse};
use chainwalk_core::iptables::print;
use chainwalk_core::text::diagnostic::Severity;

fn read(command: &str) -> Parsed {
    parse(format!("{command}\n"))
}

fn refused(command: &str) -> bool {
    read(command)
        .diagnostics
        .iter()
        .any(|said| said.severity == Severity::Error)
}

#[test]
fn targets_come_back_as_iptables_prints_them() {
    let cases = [
        (
            "iptables -t mangle -A OUTPUT -j DSCP --set-dscp-class af41",
            "-j DSCP --set-dscp 0x22",
        ),
        (
            "iptables -t mangle -A OUTPUT -j TOS --set-tos 24",
            "-j TOS --set-tos 0x18/0xff",
        ),
        (
            "iptables -t mangle -A OUTPUT -j TOS --and-tos 0x0f",
            "-j TOS --set-tos 0x00/0xf0",
        ),
        (
            "iptables -t mangle -A OUTPUT -j TTL --ttl-inc 0x10",
            "-j TTL --ttl-inc 16",
        ),
        (
            "ip6tables -t mangle -A OUTPUT -j HL --hl-dec 3",
            "-j HL --hl-dec 3",
        ),
        (
            "iptables -t mangle -A OUTPUT -p tcp -j ECN --ecn-tcp-remove --ecn-ip-ect 1",
            "-p tcp -j ECN --ecn-tcp-ece 0 --ecn-tcp-cwr 0 --ecn-ip-ect 1",
        ),
        (
            "iptables -t mangle -A OUTPUT -p tcp -j TCPOPTSTRIP --strip-options timestamp,mss,9",
            "-p tcp -j TCPOPTSTRIP --strip-options 2,8,9",
        ),
        (
            "iptables -A OUTPUT -j NFQUEUE --queue-balance 5:",
            "-j NFQUEUE --queue-balance 5:65535",
        ),
        (
            "iptables -A OUTPUT -j NFQUEUE --queue-bypass",
            "-j NFQUEUE --queue-num 0 --queue-bypass",
        ),
        (
            "iptables -A OUTPUT -j AUDIT --type Drop",
            "-j AUDIT --type drop",
        ),
        (
            "iptables -A OUTPUT -j CLASSIFY --set-class a:1b",
            "-j CLASSIFY --set-class 000a:001b",
        ),
        (
            "iptables -A OUTPUT -j REJECT --reject-with HOST-P",
            "-j REJECT --reject-with icmp-host-prohibited",
        ),
        (
            "ip6tables -t mangle -A PREROUTING -p udp -j TPROXY --on-port domain",
            "-p udp -j TPROXY --on-port 53 --on-ip :: --tproxy-mark 0x0/0x0",
        ),
        (
            "iptables -A OUTPUT -j CONNMARK --restore-mark --mask 0xf0 --left-shift-mark 2",
            "-j CONNMARK --restore-mark --nfmask 0xf0 --ctmask 0xf0 --left-shift-mark 2",
        ),
        (
            "iptables -t raw -A OUTPUT -j CT --zone-orig MARK --ctevents destroy,new",
            "-j CT --ctevents new,destroy --zone-orig mark",
        ),
        (
            "ip6tables -t nat -A PREROUTING -p udp -j DNAT --to-destination [fd00::1-fd00::9]:53-60/53",
            "-p udp -j DNAT --to-destination [fd00::1-fd00::9]:53-60/53",
        ),
        (
            "iptables -t nat -A POSTROUTING -p udp -j SNAT --to-source 10.0.0.1:53-60/55 --persistent",
            "-p udp -j SNAT --to-source 10.0.0.1:53-60/0 --persistent",
        ),
        (
            "iptables -A OUTPUT -j HMARK --hmark-tuple d,sp --hmark-mod 8 --hmark-rnd 7",
            "-j HMARK --hmark-dst-prefix 32 --hmark-sport-mask 0xffff --hmark-rnd 0x00000007 --hmark-mod 8",
        ),
        (
            "iptables -A OUTPUT -j RATEEST --rateest-name r --rateest-interval 300ms --rateest-ewmalog 2s",
            "-j RATEEST --rateest-name r --rateest-interval 500.0ms --rateest-ewmalog 2.0s",
        ),
    ];
    for (command, want) in cases {
        let parsed = read(command);
        let errors: Vec<_> = parsed
            .diagnostics
            .iter()
            .filter(|said| said.severity == Severity::Error)
            .collect();
        assert!(errors.is_empty(), "{command}: {errors:?}");
        let saved: String = parsed
            .rulesets
            .iter()
            .map(|ruleset| print::save(ruleset, false))
            .collect();
        let rule = saved
            .lines()
            .find(|line| line.starts_with("-A "))
            .unwrap_or_default();
        assert!(rule.ends_with(&format!(" {want}")), "{command}\n  {rule}");
    }
}

#[test]
fn what_iptables_or_the_kernel_refuses_is_refused() {
    for command in [
        "iptables -A OUTPUT -j TTL --ttl-set 3",
        "iptables -t mangle -A OUTPUT -j TTL",
        "iptables -t mangle -A OUTPUT -j HL --hl-set 3",
        "iptables -t mangle -A OUTPUT -j TTL --ttl-set 3 --ttl-inc 1",
        "iptables -t mangle -A OUTPUT -j ECN --ecn-tcp-remove",
        "iptables -A OUTPUT -p tcp -j TCPMSS --set-mss 1000",
        "iptables -A INPUT -p tcp --syn -j TCPMSS --clamp-mss-to-pmtu",
        "iptables -A OUTPUT -j NFQUEUE --queue-balance 3",
        "iptables -A OUTPUT -j NFQUEUE --queue-cpu-fanout",
        "iptables -A INPUT -j CLASSIFY --set-class 1:1",
        "iptables -A OUTPUT -p udp -j SYNPROXY",
        "iptables -A OUTPUT -j REJECT --reject-with tcp-reset",
        "iptables -t mangle -A PREROUTING -j TPROXY --on-port 80",
        "iptables -t nat -A PREROUTING -j DNAT --to-destination 10.0.0.1:80",
        "iptables -t nat -A PREROUTING -p tcp -j REDIRECT --to-ports 80-90/80",
        "iptables -t nat -A PREROUTING -p tcp -j DNAT --to-destination fd00::1",
        "iptables -t nat -A OUTPUT -j DROP",
        "iptables -A OUTPUT -j TEE --gateway 0.0.0.0",
        "iptables -A OUTPUT -j MARK",
        "iptables -A OUTPUT -j CONNMARK --set-mark 1 --save-mark",
        "iptables -A OUTPUT -j IDLETIMER --timeout 0 --label x",
        "iptables -A OUTPUT -j LOG --log-level err",
        "iptables -A OUTPUT -j ULOG",
        "iptables -A OUTPUT -j OUTPUT",
        "iptables -A OUTPUT -g ACCEPT",
        "ip6tables -t mangle -A INPUT -j SNPT --src-pfx fd00::/80 --dst-pfx fd01::/64",
    ] {
        assert!(refused(command), "{command}");
    }
}

#[test]
fn targets_say_what_they_do() {
    for (target, want) in [
        ("-j DSCP --set-dscp 10", "Always: set its DSCP to 0x0a."),
        (
            "-j TTL --ttl-dec 1",
            "Always: take 1 from its time to live.",
        ),
        (
            "-j NFQUEUE --queue-num 3",
            "Always: hand it to the program on queue 3.",
        ),
        (
            "-j TEE --gateway 10.0.0.9",
            "Always: send a copy to 10.0.0.9 and go on.",
        ),
        (
            "-j CLASSIFY --set-class 1:10",
            "Always: put it into traffic class 0001:0010.",
        ),
    ] {
        let parsed = parse(format!(
            "*mangle\n:OUTPUT ACCEPT [0:0]\n-A OUTPUT {target}\nCOMMIT\n"
        ));
        let table = &parsed.rulesets[0].tables[0];
        assert_eq!(
            explain::rule(&parsed.rulesets[0], table, &table.chains[0].rules[0]),
            want
        );
    }
}
