//! Identifying information in all positions, and the rules that redaction refuses.

use std::collections::HashSet;

use chainwalk_core::input::capture::Capture;
use chainwalk_core::input::parse;
use chainwalk_core::packet::Packet;
use chainwalk_core::packet::host::{Host, Route, RouteKind};
use chainwalk_core::share::link::Shared;
use chainwalk_core::share::redact::{message, redact, shared};
use chainwalk_core::walk;
use serde_json::json;

use crate::{capture, redacted, told};

/// The rules of a table in a redacted copy.
fn rules(table: &str, rules: &str) -> Result<String, String> {
    let chains = match table {
        "nat" => "PREROUTING OUTPUT POSTROUTING",
        _ => "INPUT OUTPUT",
    };
    let chains: String = chains
        .split(' ')
        .map(|chain| format!(":{chain} ACCEPT [0:0]\n"))
        .collect();
    let text = format!("*{table}\n{chains}{rules}COMMIT\n");
    let copy = redact(&capture(&text, &Host::pod()), [9; 16])
        .map_err(|refusal| refusal.to_string())?
        .capture;
    let lines = copy.rulesets[0]
        .text
        .lines()
        .filter(|line| line.starts_with("-A"));
    Ok(lines.map(|line| format!("{line}\n")).collect())
}

fn text_of(rule: &str) -> String {
    rules("filter", &format!("-A OUTPUT {rule} -j DROP\n")).expect("no rule forbids it")
}

/// Whether a redacted copy of this rule with another one contains a real address.
fn keeps(rule: &str, address: &str) -> bool {
    rules(
        "filter",
        &format!("{rule}\n-A OUTPUT -d {address} -j DROP\n"),
    )
    .expect("no rule forbids it")
    .contains(address)
}

#[test]
fn a_comment_with_masks_and_ranges_switches_nothing_off() {
    let comment = "-A OUTPUT -m comment --comment \"see 1.2.3.4/0.0.0.255 and ::1/::ff, 0.0.0.0-9.9.9.9 --to 0.0.0.0/0\" -j DROP";
    assert!(!keeps(comment, "93.184.216.34"));
    for text in [
        "-j LOG --log-prefix \"0.0.0.1/0.0.0.1\"",
        "-m bank --to 0.0.0.0/0 -j DROP",
        "-m recent --name 0.0.0.0-9.9.9.9",
    ] {
        assert!(
            !keeps(&format!("-A OUTPUT {text}"), "93.184.216.34"),
            "{text}"
        );
    }
}

#[test]
fn a_rule_that_would_keep_bits_of_other_addresses_is_refused_and_named() {
    for (table, rule) in [
        ("filter", "-s 0.0.0.1/0.0.0.1 -j DROP"),
        ("filter", "! -d 64.0.0.1/192.0.0.1 -j DROP"),
        (
            "filter",
            "-m iprange --src-range 1.2.3.4-203.0.113.77 -j DROP",
        ),
        ("nat", "-j NETMAP --to 10.0.0.0/8"),
        ("nat", "! -d 10.1.0.0/16 -j NETMAP --to 10.0.0.0/8"),
        ("nat", "-s 10.1.0.0/16 -j NETMAP --to 10.2.0.0/16"),
        ("nat", "-d 127.0.0.0/8 -j NETMAP --to 10.0.0.0/8"),
        ("nat", "-d 0.0.0.0/1 -j NETMAP --to 0.0.0.0/1"),
    ] {
        let refusal =
            rules(table, &format!("-A OUTPUT -j ACCEPT\n-A OUTPUT {rule}\n")).expect_err(rule);
        assert!(
            refusal.contains(&format!(
                "rule 2 of OUTPUT in table {table} of IPv4 (legacy)"
            )),
            "{rule}: {refusal}"
        );
        assert!(
            !refusal.contains("10.") && !refusal.contains("203."),
            "{refusal}"
        );
    }
}

#[test]
fn six_bits_are_kept_no_more_than_four() {
    let text = |rule: &str| {
        json!({
            "schema_version": 1, "tool": "x", "captured_at": "x", "target": {}, "host": Host::pod(),
            "rulesets": [{"family": "ipv6", "backend": "nft", "command": [], "exit_code": 0, "stderr": "",
                          "text": format!("*mangle\n:POSTROUTING ACCEPT [0:0]\n-A POSTROUTING {rule}\nCOMMIT\n")}],
        })
    };
    let read = |rule: &str| -> Capture { serde_json::from_value(text(rule)).expect("a capture") };
    for rule in [
        "-s ::1/::ff -j DROP",
        "-m iprange --src-range 2001:db8:1::5-2001:dff::7 -j DROP",
        "-s fd00:1::/64 -j SNPT --src-pfx fd00:1::/64 --dst-pfx 2001:db8:9::/64",
    ] {
        let refusal = redact(&read(rule), [1; 16]).expect_err(rule).to_string();
        assert!(
            refusal.contains("rule 1 of POSTROUTING in table mangle of IPv6 (nft)"),
            "{refusal}"
        );
    }
    assert!(
        redact(
            &read("-s fd00:1:2:3::5/ffff:ffff:ffff:ffff::f -j DROP"),
            [1; 16]
        )
        .is_ok()
    );
}

#[test]
fn a_mask_with_holes_and_a_netmap_keep_bits_within_their_networks_only() {
    assert!(!keeps(
        "-A OUTPUT -s 8.0.0.9/255.0.0.255 -j DROP",
        "93.184.216.34"
    ));
    let netmap = "-A OUTPUT -d 10.20.0.0/16 -j NETMAP --to 10.30.0.0/16\n-A OUTPUT -d 10.77.5.6/32 -j ACCEPT\n";
    let text = rules("nat", netmap).expect("it names its networks");
    assert!(
        !text.contains(".5.6/32") && !text.contains("10.20."),
        "{text}"
    );
}

#[test]
fn the_result_of_a_netmap_is_the_neutral_address_of_the_real_one() {
    let text = "*nat\n:OUTPUT ACCEPT [0:0]\n:MAP - [0:0]\n-A OUTPUT -j MAP\n-A MAP -d 10.20.0.0/16 -j NETMAP --to 172.20.0.0/14\nCOMMIT\n";
    let real = capture(text, &Host::pod());
    for secret in 0..20 {
        let mut copy = redacted(&real, secret);
        let parsed = parse::parse(serde_json::to_string(&copy.capture).expect("JSON"));
        for dst in ["10.20.30.40", "10.20.0.1"] {
            let neutral = copy.addresses.neutral(dst.parse().expect("valid"));
            let packet: Packet = serde_json::from_value(
                json!({"origin": "local", "protocol": "tcp", "dst": neutral, "sport": 1,
                "dport": 80}),
            )
            .expect("a packet");
            let trace = walk::walk(
                &parsed.rulesets,
                None,
                parsed.host.as_ref().expect("it is there"),
                &packet,
            );
            let report: serde_json::Value = serde_json::from_str(
                &chainwalk_core::analysis::report::json(&parsed.rulesets, &trace),
            )
            .expect("JSON");
            let mapped: std::net::IpAddr = dst.replace("10.20.", "172.20.").parse().expect("valid");
            assert_eq!(
                report["result"]["dst"],
                copy.addresses.neutral(mapped).to_string(),
                "secret {secret}, {}",
                copy.capture.rulesets[0].text
            );
        }
    }
}

#[test]
fn names_of_hosts_users_and_groups_are_replaced() {
    for (rule, told) in [
        ("-s bank.example.org", "bank"),
        ("-m owner --uid-owner bank", "bank"),
        ("-m owner --gid-owner bank-staff", "bank"),
        ("-m unlisted --source-name bank.example.org", "bank"),
        ("-m unlisted --words \"source bank\"", "bank"),
        ("-m owner --uid-owner $BANK_UID", "BANK"),
        ("-s $BANK", "BANK"),
        ("--dport $BANK", "BANK"),
        ("-m bank --bank-name x.bank --ip 10.9.8.7", "bank"),
        ("-m realm --realm bank", "bank"),
        ("-m set --match-set bank src,dst", "bank"),
        ("-m helper --helper bank", "bank"),
        ("-m cgroup --path kubepods/bank", "bank"),
        ("-m connlabel --label bank", "bank"),
        ("-m comment --comment \"proxy-init/bank\"", "bank"),
        ("-m comment --comment \"kuma/mesh/bank\"", "bank"),
        ("-m comment --comment istio/bank", "bank"),
        ("--frob=bank", "bank"),
        ("bank", "bank"),
        ("-i \"bank eth0\"", "bank"),
        ("-p tcp --dport 10.9.8.7", "10.9.8.7"),
    ] {
        let text = text_of(rule);
        assert!(
            !text.contains(told) && !text.contains("10.9.8.7"),
            "{rule} is {text}"
        );
    }
    let text = rules(
        "filter",
        "-A OUTPUT -j BANK --with bank\n-A OUTPUT -j BANK2\n-A OUTPUT -g BANK3\n",
    )
    .expect("allowed");
    assert!(!text.contains("BANK") && !text.contains("bank"), "{text}");
}

#[test]
fn what_is_no_ones_stays() {
    for rule in [
        "-d 127.0.0.6/32 -p tcp -m tcp --dport 15001 -m owner --uid-owner 1337",
        "-d 0.0.0.0/8 -m comment --comment \"istio/bypass-envoy\"",
        "-m comment --comment \"proxy-init/ignore-port-4190,4191\"",
        "-m conntrack --ctstate RELATED,ESTABLISHED -m mark --mark 0x539/0xfff",
        "-i cali12ab+ -m addrtype --dst-type LOCAL -m recent --rcheck --seconds 60 --name DEFAULT --mask 255.255.255.0 --rsource",
        "-m limit --limit 10/sec --limit-burst 7 -m statistic --mode random --probability 0.50000000000",
        "-m multiport ! --dports 80,443,8000:8080 -m time --timestart 08:00:00 --datestop 2030-12-31T23:59:59",
    ] {
        assert_eq!(text_of(rule), format!("-A OUTPUT {rule} -j DROP\n"));
    }
}

#[test]
fn names_that_would_be_a_chains_are_others() {
    let text = "*filter\n:OUTPUT ACCEPT [0:0]\n:target-1 - [0:0]\n-A OUTPUT -j bank\n-A target-1 -j DROP\nCOMMIT\n";
    let copy = redacted(&capture(text, &Host::pod()), 1).capture.rulesets[0]
        .text
        .clone();
    assert!(copy.contains("-A OUTPUT -j target-2\n"), "{copy}");
}

#[test]
fn a_hardware_address_changes_as_the_address_that_is_made_of_it() {
    let six = "*mangle\n:PREROUTING ACCEPT [0:0]\n-A PREROUTING -s fe80::5054:ff:fe12:3456/128 -m mac --mac-source 52:54:00:12:34:56 -m eui64 -j DROP\nCOMMIT\n";
    let real: Capture = serde_json::from_value(json!({
        "schema_version": 1, "tool": "x", "captured_at": "x", "target": {}, "host": Host::pod(),
        "rulesets": [{"family": "ipv6", "backend": "nft", "command": [], "exit_code": 0, "stderr": "", "text": six}],
    }))
    .expect("a capture");
    let packet: Packet = serde_json::from_value(
        json!({"origin": "inbound", "protocol": "tcp", "src": "fe80::5054:ff:fe12:3456",
        "dst": "fd00:1::5", "src_mac": "52:54:00:12:34:56", "sport": 1, "dport": 80}),
    )
    .expect("a packet");
    let text = serde_json::to_string(&real).expect("JSON");
    let parsed = parse::parse(&*text);
    let before = Shared {
        packets: vec![packet.clone()],
        ..Shared::of_text(text)
    };
    for secret in 0..20 {
        let (copy, _) = shared(&before, &parsed, (&Host::pod(), true), [secret; 16])
            .expect("no rule forbids it");
        let again = parse::parse(&*copy.text);
        for hidden in ["12:34:56", "fe12:3456", "5054:ff"] {
            assert!(!copy.json().contains(hidden), "{}", copy.text);
        }
        let report = |rules: &parse::Parsed, packet: &Packet| {
            let trace = walk::walk(
                &rules.rulesets,
                None,
                rules.host.as_ref().expect("it is there"),
                packet,
            );
            told(&chainwalk_core::analysis::report::json(
                &rules.rulesets,
                &trace,
            ))
        };
        assert_eq!(
            report(&parsed, &packet),
            report(&again, &copy.packets[0]),
            "secret {secret}: {}",
            copy.text
        );
    }
}

#[test]
fn an_address_inside_another_changes_as_it_does_alone() {
    let mut copy = redacted(&capture("*nat\nCOMMIT\n", &Host::pod()), 5);
    let mut neutral = |text: &str| {
        copy.addresses
            .neutral(text.parse().expect("valid"))
            .to_string()
    };
    let v4: std::net::Ipv4Addr = neutral("203.0.113.77").parse().expect("valid");
    let [a, b] = [v4.to_bits() >> 16, v4.to_bits() & 0xffff];
    assert_ne!(v4.to_string(), "203.0.113.77");
    for (real, expected) in [
        ("::203.0.113.77", format!("::{a:x}:{b:x}")),
        ("::ffff:203.0.113.77", format!("::ffff:{v4}")),
        ("64:ff9b::203.0.113.77", format!("64:ff9b::{a:x}:{b:x}")),
        ("fe80::5efe:203.0.113.77", format!("fe80::5efe:{a:x}:{b:x}")),
        (
            "2001:0:cb00:714d:0:0:34ff:8eb2",
            format!("2001:0:{a:x}:{b:x}:0:0:{:x}:{:x}", !a & 0xffff, !b & 0xffff),
        ),
    ] {
        let expected: std::net::IpAddr = expected.parse().expect("valid");
        assert_eq!(neutral(real).parse(), Ok(expected), "{real}");
    }
    assert!(neutral("2002:cb00:714d:7::1").starts_with(&format!("2002:{a:x}:{b:x}:")));
    assert_eq!(
        neutral("234.203.0.113"),
        format!(
            "234.{}",
            v4.to_string().rsplit_once('.').expect("it has points").0
        )
    );
    // A multicast group of a network (RFC 3306), and the solicited-node group of an address.
    let network: std::net::Ipv6Addr = neutral("2001:db8:12:34::").parse().expect("valid");
    let [a, b, c, d, ..] = network.segments();
    assert_eq!(
        neutral("ff3e:40:2001:db8:12:34:0:9"),
        format!("ff3e:40:{a:x}:{b:x}:{c:x}:{d:x}:0:9")
    );
    let end = |text: &str| text.parse::<std::net::Ipv6Addr>().expect("valid").to_bits() & 0xff_ffff;
    assert_eq!(
        end(&neutral("ff02::1:ff12:3456")),
        end(&neutral("fd00::5054:ff:fe12:3456"))
    );
    assert_eq!(
        neutral("::1") + &neutral("::6") + &neutral("ff02::1"),
        "::1::6ff02::1"
    );
}

#[test]
fn everything_around_the_rules_is_replaced_or_gone() {
    let real: Capture = serde_json::from_value(json!({
        "schema_version": 1, "tool": "chainwalk-capture 0.1.0", "captured_at": "2026-11-22T20:21:08Z", "kernel": "6.1.0-bank-amd64",
        "target": {"pid": 7, "command": "bank-api", "hostname": "bank-api-7d4f", "pod_uid": "1f2d3c4b-5a69-4788-97a6-b5c4d3e2f100",
                   "container_id": "3f6e0b7a9c1d", "netns_path": "/run/netns/bank"},
        "rulesets": [{"family": "ipv4", "backend": "nft", "command": ["/opt/bank/iptables-nft-save", "-c"],
                      "version": "iptables-save v1.8.9 (nf_tables)", "exit_code": 0,
                      "text": "# Generated by iptables-save v1.8.9 (nf_tables) on Sun Nov 22 20:21:08 2026\n# Table `bank' is incompatible, use 'nft' tool.\n*nat\n:OUTPUT ACCEPT [0:0]\nbank\n#-A OUTPUT -j BANK\nCOMMIT\n# Completed on Sun Nov 22 20:21:08 2026\n",
                      "stderr": "iptables-nft-save v1.8.9 (nf_tables): table `bank' is incompatible, use 'nft' tool.\nmodprobe: /lib/modules/6.1.0-bank"}],
        "nftables": {"command": ["nft"], "exit_code": 0, "text": "table inet bank { }", "stderr": ""},
        "host": {"interfaces": [{"name": "eth0", "addresses": ["10.244.1.5/24"]}],
                 "sysctls": {"net.ipv4.conf.eth0.rp_filter": "1", "kernel.hostname": "bank", "net.ipv4.ip_forward": "bank"},
                 "sockets": [{"protocol": "tcp", "address": "10.244.1.5", "port": 80, "pid": 7, "command": "bank"}],
                 "processes": [{"pid": 7, "command": "bank", "uid": 0, "gid": 0}, {"pid": 8, "command": "envoy", "uid": 0, "gid": 0}]},
        "warnings": ["nf_tables holds tables that iptables-nft-save does not print, so they are not in this capture: inet bank",
                     "process 4711 (bank) ended meanwhile", "eth0 is down: its addresses are left out (10.244.1.5/24, fd00::bank)"],
    }))
    .expect("a capture");
    let copy = redacted(&real, 3).capture;
    let text = serde_json::to_string(&copy).expect("JSON");
    for hidden in [
        "bank",
        "BANK",
        "10.244.1.5",
        "20:21:08",
        "6.1.0",
        "7d4f",
        "1f2d3c4b",
        "3f6e0b",
        "/opt",
        "/run",
    ] {
        assert!(!text.contains(hidden), "{hidden} is in {text}");
    }
    assert_eq!(
        (&*copy.captured_at, &*copy.tool, copy.kernel),
        ("2026-11-22T00:00:00Z", "chainwalk-capture 0.1.0", None)
    );
    assert_eq!(copy.rulesets[0].command, ["iptables-nft-save", "-c"]);
    assert_eq!(
        copy.rulesets[0].version.as_deref(),
        Some("iptables-save v1.8.9 (nf_tables)")
    );
    assert!(
        copy.rulesets[0]
            .text
            .starts_with("# Generated by iptables-save v1.8.9 (nf_tables)\n"),
        "{text}"
    );
    assert!(
        copy.rulesets[0]
            .stderr
            .ends_with("use 'nft' tool.\nmodprobe: word-3"),
        "{}",
        copy.rulesets[0].stderr
    );
    assert!(
        copy.warnings[0].ends_with("so they are not in this capture: inet word-1"),
        "{:?}",
        copy.warnings
    );
    assert_eq!(copy.warnings[1], "process 4711 (word-1) ended meanwhile");
    assert!(copy.host.processes[1].command == "envoy" && copy.host.sysctls.len() == 1);
}

#[test]
fn a_message_keeps_what_any_message_says() {
    for stays in [
        "iptables-legacy-save was stopped after 30 s: its rules are not complete",
        "nf_tables was not asked: the kernel has not loaded it, so it holds no rules, and asking would load it",
        "process 4711 went to another network namespace meanwhile: this is the one that it was in at first",
        "addresses, routes and routing rules are not complete: Permission denied (os error 13)",
        "processes and who holds which socket may be missing (the capability SYS_PTRACE is missing here; on the node itself: sudo chainwalk-capture …)",
    ] {
        assert_eq!(message(stays, [1; 16]), stays);
    }
    assert_eq!(
        message("cannot enter /run/netns/bank: bank", [1; 16]),
        "cannot enter word-1: word-2"
    );
}

#[test]
fn twenty_thousand_routes_keep_their_order_and_none_is_another() {
    let mut host = Host::pod();
    host.routes = (0..20_000_u32)
        .map(|number| Route {
            dst: format!(
                "10.{}.{}.{}/28",
                number >> 12,
                number >> 4 & 0xff,
                (number & 0xf) << 4
            )
            .parse()
            .expect("valid"),
            via: Some(
                std::net::Ipv4Addr::from_bits(
                    0x0a00_0000 | number.wrapping_mul(2_654_435_761) >> 8,
                )
                .into(),
            ),
            dev: Some("eth0".into()),
            kind: RouteKind::Unicast,
            table: None,
            src: None,
            metric: None,
        })
        .collect();
    let copy = redacted(&capture("*nat\nCOMMIT\n", &host), 1)
        .capture
        .host
        .routes;
    assert_eq!(
        copy.iter()
            .map(|route| route.dst)
            .collect::<HashSet<_>>()
            .len(),
        20_000
    );
}
