//! Texts as people paste them, of which nothing is wrong: nothing but notes is reported.

use chainwalk_core::input::parse::{Parsed, parse};
use chainwalk_core::mesh;
use chainwalk_core::packet::Packet;
use chainwalk_core::packet::host::Host;
use chainwalk_core::text::diagnostic::{Code, Severity};
use chainwalk_core::walk::walk;

const LISTING: &str = "\
Chain PREROUTING (policy ACCEPT 0 packets, 0 bytes)
 pkts bytes target     prot opt in     out     source               destination
    5   300 REDIRECT   tcp  --  *      *       0.0.0.0/0            0.0.0.0/0            tcp dpt:80 redir ports 8080

Chain INPUT (policy ACCEPT 0 packets, 0 bytes)
 pkts bytes target     prot opt in     out     source               destination

Chain OUTPUT (policy ACCEPT 0 packets, 0 bytes)
 pkts bytes target     prot opt in     out     source               destination

Chain POSTROUTING (policy ACCEPT 0 packets, 0 bytes)
 pkts bytes target     prot opt in     out     source               destination
    1    60 MASQUERADE  all  --  *      eth1    0.0.0.0/0            0.0.0.0/0
";

/// The codes of what is worse than a note.
fn alarms(parsed: &Parsed) -> Vec<String> {
    let all = parsed.diagnostics.iter();
    all.filter(|diagnostic| diagnostic.severity > Severity::Note)
        .map(ToString::to_string)
        .collect()
}

#[track_caller]
fn assert_quiet(text: &str) -> Parsed {
    let parsed = parse(text);
    assert_eq!(alarms(&parsed), [""; 0], "{text}");
    parsed
}

#[test]
fn the_end_of_quoted_text_is_no_row() {
    for (begin, end) in [
        ("```", "```"),
        ("```text", "```"),
        ("~~~", "~~~"),
        ("<pre>", "</pre>"),
        ("{code}", "{code}"),
        ("[code]", "[/code]"),
    ] {
        let text = format!("{begin}\n$ iptables -t nat -nvL\n{LISTING}{end}\nAny idea?\n");
        let parsed = assert_quiet(&text);
        assert_eq!(parsed.rulesets[0].rules(), 2, "{begin}");
    }
}

#[test]
fn commands_that_clean_up_first_are_no_errors() {
    let text = "\
iptables -t nat -D PREROUTING -p tcp -j WEB
iptables -t nat -F WEB
iptables -t nat -X WEB
iptables -t nat -N WEB
iptables -t nat -A WEB -p tcp -j REDIRECT --to-ports 8080
iptables -t nat -A PREROUTING -p tcp -j WEB
";
    let parsed = assert_quiet(text);
    assert_eq!(parsed.rulesets[0].rules(), 2);
    let notes: Vec<Code> = parsed.diagnostics.iter().map(|one| one.code).collect();
    assert_eq!(
        notes,
        [Code::NoSuchRule, Code::UnknownChain, Code::UnknownChain]
    );
    // After the rules that the text makes, such a command is a mistake.
    let late = format!(
        "{text}iptables -t nat -D PREROUTING -p udp -j WEB\niptables -t nat -A WEB -j RETURN\n"
    );
    assert_eq!(alarms(&parse(late)).len(), 1);
    // So it is where nothing follows.
    assert_eq!(alarms(&parse("iptables -X WEB\n")).len(), 1);
}

#[test]
fn built_in_chains_need_no_declaration() {
    let parsed = assert_quiet(
        "*nat\n:WEB - [0:0]\n-A PREROUTING -p tcp -j WEB\n-A WEB -p tcp -j REDIRECT --to-ports 8080\nCOMMIT\n",
    );
    assert_eq!(parsed.diagnostics.len(), 1);
    assert_eq!(alarms(&parse("*nat\n-A WEB -j RETURN\nCOMMIT\n")).len(), 1);
}

#[test]
fn the_filter_table_of_a_router_says_nothing_of_a_mesh() {
    let text = "$ sudo iptables -S\n-P INPUT DROP\n-P FORWARD DROP\n-P OUTPUT ACCEPT\n-A INPUT -i br-lan -j ACCEPT\n";
    let parsed = assert_quiet(text);
    assert!(!parsed.diagnostics[0].message.contains("mesh"));
    let empty = "$ sudo iptables -S\n-P INPUT ACCEPT\n-P FORWARD ACCEPT\n-P OUTPUT ACCEPT\n";
    assert_eq!(alarms(&parse(empty)).len(), 1);
}

/// The differences of the rules that commands make from those of the mesh.
fn deviations(commands: &str) -> Vec<String> {
    let parsed = assert_quiet(commands);
    let set = &parsed.rulesets[0];
    let mesh = mesh::recognise(set).expect("a mesh");
    let all = mesh::deviations(&mesh, set).into_iter();
    all.map(|deviation| deviation.says).collect()
}

/// The rules of istio-iptables.sh, with an excluded port.
const ISTIO_1_3: &str = "\
+ iptables -t nat -D PREROUTING -p tcp -j ISTIO_INBOUND
+ iptables -t mangle -D PREROUTING -p tcp -j ISTIO_INBOUND
+ iptables -t nat -D OUTPUT -p tcp -j ISTIO_OUTPUT
+ iptables -t nat -F ISTIO_OUTPUT
+ iptables -t nat -X ISTIO_OUTPUT
+ iptables -t nat -N ISTIO_REDIRECT
+ iptables -t nat -A ISTIO_REDIRECT -p tcp -j REDIRECT --to-port 15001
+ iptables -t nat -N ISTIO_IN_REDIRECT
+ iptables -t nat -A ISTIO_IN_REDIRECT -p tcp -j REDIRECT --to-port 15006
+ iptables -t nat -N ISTIO_INBOUND
+ iptables -t nat -A PREROUTING -p tcp -j ISTIO_INBOUND
+ iptables -t nat -A ISTIO_INBOUND -p tcp --dport 22 -j RETURN
+ iptables -t nat -A ISTIO_INBOUND -p tcp --dport 15020 -j RETURN
+ iptables -t nat -A ISTIO_INBOUND -p tcp -j ISTIO_IN_REDIRECT
+ iptables -t nat -N ISTIO_OUTPUT
+ iptables -t nat -A OUTPUT -p tcp -j ISTIO_OUTPUT
+ iptables -t nat -A ISTIO_OUTPUT -o lo -s 127.0.0.6/32 -j RETURN
+ iptables -t nat -A ISTIO_OUTPUT -p tcp --dport 3306 -j RETURN
+ iptables -t nat -A ISTIO_OUTPUT -o lo '!' -d 127.0.0.1/32 -j ISTIO_REDIRECT
+ iptables -t nat -A ISTIO_OUTPUT -m owner --uid-owner 1337 -j RETURN
+ iptables -t nat -A ISTIO_OUTPUT -m owner --gid-owner 1337 -j RETURN
+ iptables -t nat -A ISTIO_OUTPUT -d 127.0.0.1/32 -j RETURN
+ iptables -t nat -A ISTIO_OUTPUT -d 10.0.0.0/8 -j RETURN
+ iptables -t nat -A ISTIO_OUTPUT -j ISTIO_REDIRECT
";

#[test]
fn the_rules_of_old_versions_of_istio_are_its_own() {
    assert_eq!(deviations(ISTIO_1_3), [""; 0]);
    // 1.4 sends the pod's own calls to the inbound port.
    let later = ISTIO_1_3.replace(
        "127.0.0.1/32 -j ISTIO_REDIRECT",
        "127.0.0.1/32 -j ISTIO_IN_REDIRECT",
    );
    assert_eq!(deviations(&later), [""; 0]);
}

#[test]
fn the_rules_of_linkerds_log_are_its_own() {
    let old = "\
2019/08/27 12:00:00 > iptables -t nat -F PROXY_INIT_REDIRECT
2019/08/27 12:00:00 < iptables: No chain/target/match by that name.
2019/08/27 12:00:00 > iptables -t nat -N PROXY_INIT_REDIRECT
2019/08/27 12:00:00 > iptables -t nat -A PROXY_INIT_REDIRECT -p tcp --destination-port 4190 -j RETURN -m comment --comment proxy-init/ignore-port-4190/1566907200
2019/08/27 12:00:00 > iptables -t nat -A PROXY_INIT_REDIRECT -p tcp -j REDIRECT --to-port 4143 -m comment --comment proxy-init/redirect-all-incoming-to-proxy-port/1566907200
2019/08/27 12:00:00 > iptables -t nat -A PREROUTING -j PROXY_INIT_REDIRECT -m comment --comment proxy-init/install-proxy-init-prerouting/1566907200
2019/08/27 12:00:00 > iptables -t nat -N PROXY_INIT_OUTPUT
2019/08/27 12:00:00 > iptables -t nat -A PROXY_INIT_OUTPUT -m owner --uid-owner 2102 -o lo ! -d 127.0.0.1/32 -j PROXY_INIT_REDIRECT -m comment --comment proxy-init/redirect-non-loopback-local-traffic/1566907200
2019/08/27 12:00:00 > iptables -t nat -A PROXY_INIT_OUTPUT -m owner --uid-owner 2102 -j RETURN -m comment --comment proxy-init/ignore-proxy-user-id/1566907200
2019/08/27 12:00:00 > iptables -t nat -A PROXY_INIT_OUTPUT -o lo -j RETURN -m comment --comment proxy-init/ignore-loopback/1566907200
2019/08/27 12:00:00 > iptables -t nat -A PROXY_INIT_OUTPUT -p tcp --destination-port 25 -j RETURN -m comment --comment proxy-init/ignore-port-25/1566907200
2019/08/27 12:00:00 > iptables -t nat -A PROXY_INIT_OUTPUT -p tcp -j REDIRECT --to-port 4140 -m comment --comment proxy-init/redirect-all-outgoing-to-proxy-port/1566907200
2019/08/27 12:00:00 > iptables -t nat -A OUTPUT -j PROXY_INIT_OUTPUT -m comment --comment proxy-init/install-proxy-init-output/1566907200
";
    assert_eq!(deviations(old), [""; 0]);
}

#[test]
fn commands_in_the_strings_of_a_log_are_whole() {
    let line = |text: &str| format!("time=\"2022-10-11T09:51:52Z\" level=info msg=\"{text}\"\n");
    // The log prints the empty table before its commands; its end is cut.
    let before = line("iptables-save -t nat")
        + &line(
            r"# Generated by iptables-save v1.8.8 on Tue Oct 11 09:51:52 2022\n*nat\n:PREROUTING ACCEPT [0:0]\n:INPUT ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\n:POSTROUTING ACCEPT [0:0]\nCOMMIT\n# Completed on Tue Oct 11 09:51:52 2022\n",
        );
    let commands = [
        "iptables -t nat -N PROXY_INIT_REDIRECT",
        "iptables -t nat -A PROXY_INIT_REDIRECT -p tcp --match multiport --dports 4190,4191 -j RETURN -m comment --comment proxy-init/ignore-port-4190,4191",
        "iptables -t nat -A PROXY_INIT_REDIRECT -p tcp -j REDIRECT --to-port 4143 -m comment --comment proxy-init/redirect-all-incoming-to-proxy-port",
        "iptables -t nat -A PREROUTING -j PROXY_INIT_REDIRECT -m comment --comment proxy-init/install-proxy-init-prerouting",
        "iptables -t nat -N PROXY_INIT_OUTPUT",
        "iptables -t nat -A PROXY_INIT_OUTPUT -m owner --uid-owner 2102 -j RETURN -m comment --comment proxy-init/ignore-proxy-user-id",
        "iptables -t nat -A PROXY_INIT_OUTPUT -o lo -j RETURN -m comment --comment proxy-init/ignore-loopback",
        "iptables -t nat -A PROXY_INIT_OUTPUT -p tcp -j REDIRECT --to-port 4140 -m comment --comment proxy-init/redirect-all-outgoing-to-proxy-port",
        "iptables -t nat -A OUTPUT -j PROXY_INIT_OUTPUT -m comment --comment proxy-init/install-proxy-init-output",
    ];
    let commands: String = commands.map(line).concat();
    for text in [commands.clone(), before + &commands] {
        let parsed = assert_quiet(&text);
        let set = parsed.rulesets.iter().find(|set| set.rules() == 7);
        let set = set.expect("a rule for each command that appends one");
        let mesh = mesh::recognise(set).expect("Linkerd");
        assert_eq!(mesh::deviations(&mesh, set), []);
        let packet = r#"{"origin": "local", "protocol": "tcp", "src": "10.244.1.5", "dst": "198.51.100.7", "sport": 40000, "dport": 443, "uid": 1000, "gid": 1000}"#;
        let packet = Packet::from_json(packet).expect("it is a packet");
        let trace = walk(&parsed.rulesets, None, &Host::pod(), &packet);
        assert_eq!(trace.verdict().and_then(|verdict| verdict.port), Some(4140));
    }
}

#[test]
fn the_rules_of_consul_connect_redirect_traffic_are_its_own() {
    // Exclusions are inserted, each before those that came earlier.
    let commands = "\
iptables -t nat -N CONSUL_PROXY_INBOUND
iptables -t nat -N CONSUL_PROXY_IN_REDIRECT
iptables -t nat -N CONSUL_PROXY_OUTPUT
iptables -t nat -N CONSUL_PROXY_REDIRECT
iptables -t nat -N CONSUL_DNS_REDIRECT
iptables -t nat -A CONSUL_PROXY_REDIRECT -p tcp -j REDIRECT --to-port 15001
iptables -t nat -A CONSUL_DNS_REDIRECT -p udp -j REDIRECT --to-port 8600
iptables -t nat -A CONSUL_DNS_REDIRECT -p tcp -j REDIRECT --to-port 8600
iptables -t nat -A OUTPUT -p udp --dport 53 -j CONSUL_DNS_REDIRECT
iptables -t nat -A OUTPUT -p tcp --dport 53 -j CONSUL_DNS_REDIRECT
iptables -t nat -A CONSUL_PROXY_OUTPUT -m owner --uid-owner 5995 -j RETURN
iptables -t nat -A CONSUL_PROXY_OUTPUT -d 127.0.0.1/32 -j RETURN
iptables -t nat -A CONSUL_PROXY_OUTPUT -j CONSUL_PROXY_REDIRECT
iptables -t nat -A OUTPUT -p tcp -j CONSUL_PROXY_OUTPUT
iptables -t nat -I CONSUL_PROXY_OUTPUT -p tcp --dport 22 -j RETURN
iptables -t nat -I CONSUL_PROXY_OUTPUT -d 10.0.0.0/8 -j RETURN
iptables -t nat -I CONSUL_PROXY_OUTPUT -m owner --uid-owner 5996 -j RETURN
iptables -t nat -A CONSUL_PROXY_IN_REDIRECT -p tcp -j REDIRECT --to-port 20000
iptables -t nat -A PREROUTING -p tcp -j CONSUL_PROXY_INBOUND
iptables -t nat -A CONSUL_PROXY_INBOUND -p tcp -j CONSUL_PROXY_IN_REDIRECT
iptables -t nat -I CONSUL_PROXY_INBOUND -p tcp --dport 8080 -j RETURN
";
    assert_eq!(deviations(commands), [""; 0]);
}

#[test]
fn a_rule_of_others_is_reported_as_one_that_the_mesh_is_not_known_to_make() {
    let changed =
        format!("{ISTIO_1_3}+ iptables -t nat -I ISTIO_OUTPUT -s 10.0.0.0/8 -p tcp -j ACCEPT\n");
    let says = deviations(&changed);
    assert_eq!(says.len(), 1, "{says:?}");
    assert!(
        says[0].contains("is not known to make this rule"),
        "{says:?}"
    );
    let counts = format!("{ISTIO_1_3}+ iptables -t nat -I ISTIO_OUTPUT -p tcp -j LOG\n");
    assert_eq!(deviations(&counts), [""; 0]);
}
