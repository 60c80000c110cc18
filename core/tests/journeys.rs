//! Journeys in sentences. The workspace's tests compare them with the kernel.

use chainwalk_core::analysis::bypass_explanation::{
    BYPASS_EXPLANATION, bypassing_processes, explain_bypass,
};
use chainwalk_core::analysis::journey::{Choices, Journey, journey};
use chainwalk_core::input::parse::{Parsed, parse};
use chainwalk_core::mesh;
use chainwalk_core::packet::host::Host;
use chainwalk_core::packet::{Packet, Protocol};

fn travel(rules: &str, packet: &Packet, choices: &Choices) -> (Parsed, Journey) {
    let parsed = parse(rules);
    let mesh = mesh::recognise(&parsed.rulesets[0]);
    let journey = journey(
        &parsed.rulesets,
        &Host::pod(),
        mesh.as_ref(),
        packet,
        choices,
    );
    (parsed, journey)
}

fn app(dst: [u8; 4], port: u16) -> Packet {
    Packet::tcp(([10, 244, 1, 5], 40_000), (dst, port), 1000, 1000)
}

fn say((parsed, journey): &(Parsed, Journey)) -> String {
    journey
        .legs
        .iter()
        .map(|leg| leg.steps(&parsed.rulesets).join("\n") + "\n\n")
        .collect()
}

#[test]
fn every_rewrite_and_the_original_destination_are_steps() {
    let own = Choices {
        endpoint: Some(([10, 244, 1, 5].into(), 8080)),
    };
    let said = say(&travel(
        include_str!("../../static/samples/istio-sidecar.txt"),
        &app([10, 96, 7, 7], 8080),
        &own,
    ));
    let want = "the app connects as uid 1000: 10.244.1.5:40000 → 10.96.7.7:8080
Rule 1 of ISTIO_REDIRECT: the destination becomes 127.0.0.1:15001
delivered to Envoy on port 15001
Envoy learns from SO_ORIGINAL_DST that it was for 10.96.7.7:8080
the answer, from 127.0.0.1:15001, comes back, translated back: from 10.96.7.7:8080, to 10.244.1.5:40000

Envoy connects as uid 1337: 10.244.1.5:50000 → 10.244.1.5:8080
Rule 1 of ISTIO_IN_REDIRECT: the destination becomes 127.0.0.1:15006
delivered to Envoy on port 15006
Envoy learns from SO_ORIGINAL_DST that it was for 10.244.1.5:8080
the answer, from 127.0.0.1:15006, comes back, translated back: from 10.244.1.5:8080, to 10.244.1.5:50000

Envoy connects as uid 1337: 127.0.0.6:50000 → 10.244.1.5:8080
delivered to the app on port 8080
the answer, from 10.244.1.5:8080, comes back to 127.0.0.6:50000

";
    assert_eq!(said, want);
}

#[test]
fn what_the_proxy_does_is_an_assumption_with_a_switch() {
    let rules = include_str!("../../static/samples/istio-sidecar.txt");
    let (_, journey) = travel(rules, &app([93, 184, 216, 34], 443), &Choices::default());
    let assumed = &journey.assumes[0];
    assert_eq!(assumed.says, "Envoy connects to the original destination.");
    let ends: Vec<usize> = assumed
        .others
        .iter()
        .map(|(_, choices)| {
            travel(rules, &app([93, 184, 216, 34], 443), choices)
                .1
                .legs
                .len()
        })
        .collect();
    assert_eq!(
        (journey.legs.len(), &ends[..]),
        (2, &[3, 2][..]),
        "its own pod, another pod"
    );
}

#[test]
fn dns_goes_to_the_proxy_and_from_there_to_the_resolver() {
    let query = Packet {
        protocol: Protocol::UDP,
        ..app([10, 96, 0, 10], 53)
    };
    let said = say(&travel(
        include_str!("../../static/samples/istio-sidecar-dns.txt"),
        &query,
        &Choices::default(),
    ));
    assert!(
        said.contains("delivered to Istio's agent on port 15053"),
        "{said}"
    );
    assert!(
        said.contains(
            "Istio's agent sends as uid 1337: 10.244.1.5:50000 → 10.96.0.10:53\nleaves by eth0"
        ),
        "{said}"
    );
}

#[test]
fn a_proxy_that_captures_itself_goes_round_and_is_told_so() {
    let rules = "*nat\n:OUTPUT ACCEPT [0:0]\n:ISTIO_OUTPUT - [0:0]\n:ISTIO_REDIRECT - [0:0]\n-A OUTPUT -j ISTIO_OUTPUT\n\
        -A ISTIO_OUTPUT -j ISTIO_REDIRECT\n-A ISTIO_REDIRECT -p tcp -j REDIRECT --to-ports 15001\nCOMMIT\n";
    let (_, journey) = travel(rules, &app([93, 184, 216, 34], 443), &Choices::default());
    assert_eq!(journey.legs.len(), 6);
    assert!(
        journey
            .assumes
            .iter()
            .any(|assumed| assumed.says.contains("round in circles"))
    );
}

#[test]
fn the_explanation_names_the_uid_of_the_rules_and_who_runs_as_it() {
    let parsed =
        parse(include_str!("../../static/samples/istio-sidecar.txt").replace("1337", "4711"));
    let mesh = mesh::recognise(&parsed.rulesets[0]).expect("a mesh");
    let told: Vec<String> = BYPASS_EXPLANATION
        .iter()
        .map(|text| explain_bypass(text, &mesh))
        .collect();
    assert!(
        told.iter()
            .any(|text| text.starts_with("runAsUser: 4711 in the pod's"))
    );
    assert!(
        told.iter()
            .all(|text| !text.contains("1337") && !text.contains(['$', '%']))
    );
    let host = r#"{"processes": [{"pid": 7, "command": "envoy", "uid": 4711, "gid": 4711}, {"pid": 8, "command": "cron", "uid": 0, "gid": 0},
        {"pid": 9, "command": "backup", "uid": 4711, "gid": 0}]}"#;
    let host = Host::from_json(host).expect("a host");
    let names = bypassing_processes(&host, &mesh);
    assert_eq!(
        names,
        [
            "envoy (pid 7, uid 4711, gid 4711)",
            "backup (pid 9, uid 4711, gid 0)"
        ]
    );
}
