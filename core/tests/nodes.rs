//! The rules of a node: the assumed host, and the suggested packets.

use chainwalk_core::analysis::explain;
use chainwalk_core::analysis::scenario::{self, Destination};
use chainwalk_core::input::parse::parse;
use chainwalk_core::mesh;
use chainwalk_core::packet::Packet;
use chainwalk_core::packet::host::Host;
use chainwalk_core::walk::trace::VerdictKind;
use chainwalk_core::walk::walk;

/// The rules of a node with kube-proxy and Calico, abridged.
const NODE: &str = "\
*filter
:FORWARD DROP [0:0]
:KUBE-FORWARD - [0:0]
:cali-FORWARD - [0:0]
-A FORWARD -j cali-FORWARD
-A FORWARD -j KUBE-FORWARD
-A KUBE-FORWARD -m mark --mark 0x4000/0x4000 -j ACCEPT
-A cali-FORWARD -s 10.1.0.0/16 -d 10.2.0.0/16 -j DROP
-A cali-FORWARD -s 10.244.0.0/16 -j ACCEPT
COMMIT
*nat
:PREROUTING ACCEPT [0:0]
:OUTPUT ACCEPT [0:0]
:POSTROUTING ACCEPT [0:0]
:KUBE-SERVICES - [0:0]
-A PREROUTING -j KUBE-SERVICES
-A OUTPUT -j KUBE-SERVICES
-A POSTROUTING -s 10.244.0.0/16 ! -d 10.244.0.0/16 -j SNAT --to-source 192.168.1.10
-A KUBE-SERVICES -d 10.96.7.7/32 -p tcp -m tcp --dport 5432 -j DNAT --to-destination 10.244.2.9:5432
COMMIT
";

#[test]
fn a_nodes_rules_are_taken_for_a_nodes() {
    let usual = |text: &str| {
        let parsed = parse(text);
        mesh::usual_host(
            &parsed.rulesets,
            parsed.rulesets.iter().find_map(mesh::recognise).as_ref(),
        )
    };
    assert_eq!(usual(NODE), Host::node());
    assert_eq!(
        usual(include_str!("../../static/samples/istio-sidecar.txt")),
        Host::pod()
    );
    assert_eq!(usual(""), Host::pod());
}

#[test]
fn packets_of_a_nodes_pods_are_passed_on() {
    let parsed = parse(NODE);
    let host = Host::node();
    let list = scenario::of_rules(&parsed.rulesets, &host, None);
    let through: Vec<String> = list
        .iter()
        .filter(|one| one.group == Destination::Through)
        .map(|one| {
            let trace = walk(&parsed.rulesets, None, &host, &one.packet);
            let said = explain::verdict(&parsed.rulesets, &trace, None);
            format!("{}: {} {}", one.label, said.lead, said.end)
        })
        .collect();
    assert_eq!(
        through,
        [
            "a pod → internet: Forwarded. passed on by eth0 with the source 192.168.1.10:40000",
            "a pod → DNS over UDP: Forwarded. passed on by eth0 with the source 192.168.1.10:40000",
            "from outside to a pod, 8080: Dropped. the sender receives no answer",
            "a pod → 10.96.7.7:5432, tcp: Redirected. passed on by eth0 for 10.244.2.9:5432",
        ]
    );
    assert!(
        list.iter().all(|one| !one.label.contains("1337")),
        "no proxy on a node"
    );
    assert!(
        scenario::list(&Host::pod(), None)
            .iter()
            .all(|one| one.group != Destination::Through),
        "no network after a pod"
    );
}

#[test]
fn a_forwarded_packet_meets_the_rules_of_forward() {
    let parsed = parse(NODE);
    let packet = r#"{"origin": "inbound", "protocol": "tcp", "src": "10.1.2.3", "dst": "10.2.2.2", "sport": 40000, "dport": 80, "in_interface": "eth0"}"#;
    let packet = Packet::from_json(packet).expect("a packet");
    let trace = walk(&parsed.rulesets, None, &Host::node(), &packet);
    let verdict = trace.verdict().expect("it is certain");
    assert_eq!(verdict.kind, VerdictKind::Dropped);
    assert_eq!(
        explain::verdict(&parsed.rulesets, &trace, None).reason,
        "Rule 1 of cali-FORWARD drops destination 10.2.2.2."
    );
}
