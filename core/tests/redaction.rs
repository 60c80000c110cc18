//! A redacted capture has the same walks as the real one.

use std::fs;
use std::path::Path;

use chainwalk_core::analysis::{report, scenario};
use chainwalk_core::input::capture::Capture;
use chainwalk_core::input::parse;
use chainwalk_core::mesh;
use chainwalk_core::packet::Packet;
use chainwalk_core::packet::host::Host;
use chainwalk_core::share::link::{self, Shared};
use chainwalk_core::share::redact::{Redacted, redact, shared};
use chainwalk_core::walk;
use chainwalk_core::walk::trace::Trace;
use serde_json::{Value, json};

#[path = "redaction/hidden.rs"]
mod hidden;
#[path = "redaction/random.rs"]
mod random;

fn redacted(capture: &Capture, secret: u8) -> Redacted {
    redact(capture, [secret; 16]).expect("no rule forbids it")
}

/// The samples of the page, each as a capture.
fn samples() -> Vec<(String, Capture)> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../static/samples");
    let mut samples = Vec::new();
    for entry in fs::read_dir(&directory).expect("the samples are there") {
        let path = entry.expect("readable").path();
        if path.extension().is_some_and(|extension| extension == "txt") {
            let host = fs::read_to_string(path.with_extension("host.json"));
            let host = host.map_or_else(
                |_| Host::pod(),
                |host| Host::from_json(&host).expect("a host"),
            );
            let text = fs::read_to_string(&path).expect("readable");
            samples.push((
                path.file_name().expect("a file").display().to_string(),
                capture(&text, &host),
            ));
        }
    }
    assert!(samples.len() >= 5);
    samples
}

fn capture(text: &str, host: &Host) -> Capture {
    serde_json::from_value(json!({
        "schema_version": 1, "tool": "test", "captured_at": "2026-11-22T20:21:08Z",
        "target": {"pid": 7, "command": "bank-api", "hostname": "bank-api-7d4f", "pod_uid": "secret"},
        "rulesets": [{"family": "ipv4", "backend": "legacy", "command": [], "exit_code": 0, "text": text}],
        "host": host,
    }))
    .expect("a capture")
}

fn traces(capture: &Capture, packets: &[Packet]) -> Vec<Value> {
    let parsed = parse::parse(serde_json::to_string(capture).expect("JSON"));
    let host = parsed.host.expect("it is there");
    let walk = |packet: &Packet| -> Trace { walk::walk(&parsed.rulesets, None, &host, packet) };
    packets
        .iter()
        .map(|packet| told(&report::json(&parsed.rulesets, &walk(packet))))
        .collect()
}

/// The rules of a report, their results, and the outcome.
fn told(report: &str) -> Value {
    let report: Value = serde_json::from_str(report).expect("JSON");
    let verdict = &report["verdict"];
    json!({
        "certain": report["certain"],
        "steps": report["steps"].as_array().expect("steps").iter().map(|step: &Value| {
        json!([
            step["hook"],
            step["table"],
            step["chain"],
            step["rule"],
            step["outcome"]
        ])
    }).collect::<Vec<_>>(),
        "kind": verdict["kind"], "port": verdict["port"], "interface": verdict["interface"],
        "decided_by": verdict["decided_by"], "branches": report["branches"].as_array().map(Vec::len),
    })
}

fn check(name: &str, capture: &Capture) {
    let texts: Vec<_> = capture
        .rulesets
        .iter()
        .flat_map(|rules| parse::parse(&*rules.text).rulesets)
        .collect();
    let mesh = texts.iter().find_map(mesh::recognise);
    let mut packets: Vec<Packet> = scenario::list(&capture.host, mesh.as_ref())
        .into_iter()
        .map(|scenario| scenario.packet)
        .collect();
    for dst in [
        "10.244.1.255",
        "10.244.1.0",
        "10.244.1.77",
        "10.244.2.1",
        "8.8.8.8",
        "127.0.0.1",
    ] {
        packets.push(Packet {
            dst: dst.parse().expect("valid"),
            src: None,
            ..packets[0].clone()
        });
    }
    let before = traces(capture, &packets);
    for secret in 0..20 {
        let Redacted {
            capture: redacted,
            mut addresses,
        } = redact(capture, [secret; 16]).expect("no rule forbids it");
        let json = serde_json::to_string(&redacted).expect("JSON");
        for leak in ["bank", "secret", "10.244.1.5\"", "93.184.216.34"] {
            assert!(!json.contains(leak), "{name}: {leak} is in {json}");
        }
        let neutral: Vec<Packet> = packets
            .iter()
            .map(|packet| Packet {
                src: packet.src.map(|src| addresses.neutral(src)),
                dst: addresses.neutral(packet.dst),
                ..packet.clone()
            })
            .collect();
        for ((before, after), packet) in
            before.iter().zip(traces(&redacted, &neutral)).zip(&packets)
        {
            assert_eq!(
                *before, after,
                "{name}, secret {secret}: {packet:?}\n{json}"
            );
        }
    }
    // The shared state contains its packets. A dump is printed again, and a capture stays a
    // capture.
    let texts = [
        capture.rulesets[0].text.clone(),
        serde_json::to_string(capture).expect("JSON"),
    ];
    for (text, secret) in texts
        .into_iter()
        .flat_map(|text| (0..4).map(move |secret| (text.clone(), secret)))
    {
        let parsed = parse::parse(&*text);
        let real = Shared {
            packets: packets.clone(),
            ..Shared::of_text(text)
        };
        let copy = shared(&real, &parsed, (&capture.host, true), [secret; 16]);
        let (neutral, changed) = copy.expect("no rule forbids it");
        let link = neutral.fragment();
        let neutral = link::read_link(&link)
            .expect("it is whole")
            .expect("it holds something");
        let again = parse::parse(&*neutral.text);
        let host = neutral
            .host
            .clone()
            .or(again.host)
            .expect("the host is known");
        for (packet, other) in packets.iter().zip(&neutral.packets) {
            let before = told(&report::json(
                &parsed.rulesets,
                &walk::walk(&parsed.rulesets, None, &capture.host, packet),
            ));
            let after = told(&report::json(
                &again.rulesets,
                &walk::walk(&again.rulesets, None, &host, other),
            ));
            assert_eq!(
                before, after,
                "{name}, secret {secret}: {packet:?}\n{}",
                neutral.text
            );
        }
        for leak in ["bank", "secret", "93.184.216.34"] {
            assert!(
                !neutral.json().contains(leak),
                "{name}: {leak} is in {}",
                neutral.json()
            );
        }
        assert!(changed.addresses > 3, "{changed:?}");
    }
}

#[test]
fn what_stands_around_the_rules_is_not_in_the_copy() {
    let text = "root@bank-node:~# iptables-save\n# Generated by iptables-save v1.8.9 (nf_tables) on bank day\n*filter\n\
                :OUTPUT ACCEPT [0:0]\n-A OUTPUT -m mac --mac-source 52:54:00:aa:bb:cc -m comment --comment bank -j DROP\nCOMMIT\n";
    let parsed = parse::parse(text);
    let copy = shared(
        &Shared::of_text(text.into()),
        &parsed,
        (&Host::pod(), false),
        [1; 16],
    );
    let (neutral, changed) = copy.expect("no rule forbids it");
    assert!(neutral.usual, "nobody knows the namespace");
    let expected = "# Generated by iptables-save v1.8.9 (nf_tables)\n*filter\n:OUTPUT ACCEPT [0:0]\n\
                    -A OUTPUT -m mac --mac-source MAC -m comment --comment comment-1 -j DROP\nCOMMIT\n";
    let mac = neutral
        .text
        .split(' ')
        .skip_while(|word| *word != "--mac-source")
        .nth(1)
        .expect("it has a value");
    assert_eq!(neutral.text, expected.replace("MAC", mac));
    assert!(mac != "52:54:00:aa:bb:cc" && mac.len() == 17, "{mac}");
    assert_eq!((changed.names, changed.comments), (0, 1));
}

#[test]
fn every_packet_of_every_sample_ends_where_it_did() {
    for (name, capture) in samples() {
        check(&name, &capture);
    }
}

#[test]
fn ranges_masks_and_mapped_networks_too() {
    let rules = "*nat\n:PREROUTING ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\n:POSTROUTING ACCEPT [0:0]\n\
                 -A OUTPUT -d 10.244.2.0/24 -j NETMAP --to 10.7.0.0/24\n\
                 -A OUTPUT -d 8.0.0.8/255.0.0.255 -j RETURN\n\
                 -A OUTPUT -m iprange --dst-range 10.244.1.60-10.244.1.90 -j DNAT --to-destination 10.9.8.7:80\n\
                 -A POSTROUTING -d 10.7.0.1/32 -m comment --comment \"to the bank\" -j RETURN\nCOMMIT\n";
    check("ranges", &capture(rules, &Host::pod()));
}

#[test]
fn a_group_tells_no_address() {
    let mut host = Host::pod();
    let groups =
        ["239.1.2.3", "ff02::1:ff00:5", "ff15::7"].map(|group| group.parse().expect("valid"));
    host.interfaces[1].multicast_groups = Some(groups.into());
    let Redacted { capture, .. } = redacted(&capture("*nat\nCOMMIT\n", &host), 7);
    assert_eq!(
        capture.host.interfaces[1].multicast_groups,
        Some(vec![groups[0], groups[2]])
    );
}
