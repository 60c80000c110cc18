//! The table of bypass scenarios: for every mesh it equals the results of a real kernel in
//! `past.txt`.

use chainwalk_core::analysis::explain;
use chainwalk_core::analysis::scenario;
use chainwalk_core::input::parse::parse;
use chainwalk_core::mesh;
use chainwalk_core::packet::host::Host;
use chainwalk_core::walk::trace::VerdictKind;
use chainwalk_core::walk::walk;

const OLD: &str = "*nat\n:PREROUTING ACCEPT [0:0]\n:INPUT ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\n:POSTROUTING ACCEPT [0:0]\n\
    :ISTIO_INBOUND - [0:0]\n:ISTIO_IN_REDIRECT - [0:0]\n:ISTIO_OUTPUT - [0:0]\n:ISTIO_REDIRECT - [0:0]\n\
    -A PREROUTING -p tcp -j ISTIO_INBOUND\n-A OUTPUT -p tcp -j ISTIO_OUTPUT\n\
    -A ISTIO_INBOUND -p tcp -m tcp --dport 9080 -j ISTIO_IN_REDIRECT\n\
    -A ISTIO_IN_REDIRECT -p tcp -j REDIRECT --to-ports 15001\n-A ISTIO_OUTPUT ! -d 127.0.0.1/32 -o lo -j ISTIO_REDIRECT\n\
    -A ISTIO_OUTPUT -m owner --uid-owner 1337 -j RETURN\n-A ISTIO_OUTPUT -m owner --gid-owner 1337 -j RETURN\n\
    -A ISTIO_OUTPUT -d 127.0.0.1/32 -j RETURN\n-A ISTIO_OUTPUT -j ISTIO_REDIRECT\n\
    -A ISTIO_REDIRECT -p tcp -j REDIRECT --to-ports 15001\nCOMMIT\n";

/// Rules and host, in the order of the columns.
fn sets() -> [(&'static str, Host); 6] {
    macro_rules! sample {
        ($name:literal) => {
            include_str!(concat!("../../static/samples/", $name, ".txt"))
        };
    }
    let mut tproxy = Host::from_json(include_str!(
        "../../static/samples/istio-sidecar-tproxy.host.json"
    ))
    .expect("a host");
    tproxy
        .sysctls
        .insert("net.ipv4.conf.all.route_localnet".into(), "1".into());
    [
        (sample!("istio-sidecar"), Host::pod()),
        (sample!("istio-sidecar-dns"), Host::pod()),
        (sample!("istio-sidecar-tproxy"), tproxy),
        (sample!("istio-sidecar-1.5"), Host::pod()),
        (sample!("istio-ambient"), Host::pod()),
        (OLD, Host::pod()),
    ]
}

#[test]
fn the_table_says_what_the_kernel_did() {
    let rows: Vec<Vec<&str>> = include_str!("past.txt")
        .lines()
        .filter(|line| !line.starts_with('#'))
        .map(|line| line.split_whitespace().collect())
        .collect();
    assert_eq!(rows.len(), 43);
    let mut asked = 0;
    let mut wrong = Vec::new();
    for (column, (rules, host)) in (1..).zip(sets()) {
        let parsed = parse(rules);
        let mesh = mesh::recognise(&parsed.rulesets[0]);
        let scenarios = scenario::list(&host, mesh.as_ref());
        for row in rows.iter().filter(|row| row[column] != "-") {
            // In Istio 1.0, both directions use one port.
            let scenario = scenarios
                .iter()
                .find(|scenario| scenario.key == row[0])
                .expect("every kind is a scenario");
            if row[0] == "inbound-in" && scenario.packet.dport != Some(15006) {
                continue;
            }
            asked += 1;
            let trace = walk(&parsed.rulesets, None, &host, &scenario.packet);
            let got = match trace.verdict().map(|verdict| (verdict.kind, verdict.port)) {
                Some((VerdictKind::Delivered, Some(port))) => port.to_string(),
                Some((VerdictKind::Delivered, None)) => "kernel".into(),
                Some((VerdictKind::Sent, _)) => "network".into(),
                other => format!("{other:?}"),
            };
            if got != row[column] {
                wrong.push(format!(
                    "{} in set {column}: {got}, the kernel {}",
                    row[0], row[column]
                ));
            }
        }
    }
    assert_eq!(wrong, [""; 0]);
    assert_eq!(asked, 255);
}

#[test]
fn without_a_mesh_the_dump_suggests_what_to_try() {
    let rules = "*filter\n:OUTPUT ACCEPT [0:0]\n:INPUT ACCEPT [0:0]\n-A OUTPUT -d 172.20.0.0/14 -p tcp -m tcp --dport 5432 -j DROP\n\
        -A OUTPUT -m owner --uid-owner 99 -j DROP\n-A OUTPUT -m mark --mark 0x7 -j ACCEPT\n-A INPUT -s 192.0.2.7/32 -j DROP\nCOMMIT\n";
    let parsed = parse(rules);
    let labels: Vec<String> = scenario::of_rules(&parsed.rulesets, &Host::pod(), None)
        .into_iter()
        .map(|scenario| scenario.label)
        .collect();
    for want in [
        "app → internet, port 5432",
        "from outside to 5432",
        "uid 99 → internet",
        "app, mark 0x7",
        "app → 172.20.0.0",
        "from 192.0.2.7 to 8080",
    ] {
        assert!(
            labels.iter().any(|label| label == want),
            "{want}: {labels:#?}"
        );
    }
    // A client connects to the port of the service.
    let service = "*nat\n:OUTPUT ACCEPT [0:0]\n-A OUTPUT -d 10.96.0.1/32 -p udp -m udp --dport 53 -j DNAT --to-destination 10.0.0.9:53\nCOMMIT\n";
    let parsed = parse(service);
    let list = scenario::of_rules(&parsed.rulesets, &Host::pod(), None);
    let service = list
        .iter()
        .find(|one| one.label == "app → 10.96.0.1:53, udp")
        .expect("it is suggested");
    let trace = walk(&parsed.rulesets, None, &Host::pod(), &service.packet);
    assert_eq!(
        trace.verdict().and_then(|verdict| verdict.decided_by?.rule),
        Some(0)
    );
    let said = explain::verdict(&parsed.rulesets, &trace, None);
    assert_eq!(
        (&*said.lead, &*said.reason, &*said.end),
        (
            "Redirected.",
            "Rule 1 of OUTPUT sends destination port 53 to 10.0.0.9:53.",
            "leaves by eth0 for 10.0.0.9:53"
        )
    );
}
