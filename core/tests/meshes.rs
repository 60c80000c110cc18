//! Meshes: the cases of `meshes/meshes.txt` and the page's samples are recognized, with all facts.
//!
//! In `meshes.txt`, a case is a `##` heading, rules without chain declarations, and `=` lines:
//! family, name, versions, facts. Then come the deviations, each as `! chain rule: text`.

use std::collections::BTreeSet;
use std::fmt::Write;

use chainwalk_core::analysis::counter_analysis::analyze_counters;
use chainwalk_core::input::parse::{Parsed, parse};
use chainwalk_core::mesh::{self, deviations};
use chainwalk_core::netfilter::place::{ChainPlace, Place};
use expect_test::expect_file;

/// Makes a dump from rules with table names between them. A chain is declared where it is named.
fn dump(rules: &str) -> String {
    let mut out = String::new();
    for table in rules.trim().split("*").filter(|table| !table.is_empty()) {
        let (name, lines) = table.split_once('\n').unwrap_or((table, ""));
        let _ = writeln!(out, "*{name}");
        let words: Vec<&str> = lines.split_whitespace().collect();
        let named = words
            .windows(2)
            .filter(|pair| ["-A", "-j"].contains(&pair[0]))
            .map(|pair| pair[1]);
        let targets = [
            "ACCEPT", "DROP", "RETURN", "REDIRECT", "DNAT", "MARK", "CONNMARK", "CT", "TPROXY",
        ];
        for chain in named
            .filter(|name| !targets.contains(name))
            .collect::<BTreeSet<_>>()
        {
            let built_in =
                ["PREROUTING", "INPUT", "FORWARD", "OUTPUT", "POSTROUTING"].contains(&chain);
            let _ = writeln!(
                out,
                ":{chain} {} [0:0]",
                if built_in { "ACCEPT" } else { "-" }
            );
        }
        let _ = writeln!(out, "{}\nCOMMIT", lines.trim());
    }
    out
}

/// The facts about every rule set of a text.
fn recognised(parsed: &Parsed) -> String {
    let mut out = String::new();
    for ruleset in &parsed.rulesets {
        let Some(mesh) = mesh::recognise(ruleset) else {
            let _ = writeln!(
                out,
                "= {} none, node: {:?}",
                ruleset.family,
                mesh::node(ruleset)
            );
            continue;
        };
        let versions = mesh
            .versions
            .map_or("any version".into(), |versions| versions.to_string());
        let _ = writeln!(
            out,
            "= {} {}, {versions}: {}",
            ruleset.family,
            mesh.name(),
            mesh.facts().join("; ")
        );
        for deviation in deviations(&mesh, ruleset) {
            let chain =
                &ruleset.tables[deviation.table as usize].chains[deviation.chain as usize].name;
            let rule = deviation
                .rule
                .map_or(String::new(), |rule| format!(" {}", rule + 1));
            let _ = writeln!(out, "! {chain}{rule}: {}", deviation.says);
        }
    }
    out
}

#[test]
fn every_mesh_is_recognised_with_all_there_is_to_know() {
    let cases = include_str!("meshes/meshes.txt");
    let mut got = cases
        .split("\n## ")
        .next()
        .expect("a heading")
        .trim_end()
        .to_owned()
        + "\n";
    for case in cases.split("\n## ").skip(1) {
        let (title, body) = case.split_once('\n').expect("a body");
        let rules: String = body
            .lines()
            .filter(|line| !line.starts_with(['=', '!']))
            .flat_map(|line| [line, "\n"])
            .collect();
        let parsed = parse(dump(&rules));
        assert_eq!(parsed.diagnostics, [], "{title}");
        let _ = write!(
            got,
            "\n## {title}\n{}\n{}",
            rules.trim_end(),
            recognised(&parsed)
        );
    }
    expect_file!["meshes/meshes.txt"].assert_eq(&got);
}

/// Name, versions and all facts of the page's samples.
#[test]
fn the_samples_are_recognised() {
    macro_rules! sample {
        ($name:literal) => {
            (
                parse(include_str!(concat!(
                    "../../static/samples/",
                    $name,
                    ".txt"
                ))),
                $name,
            )
        };
    }
    let samples = [
        (
            sample!("istio-sidecar"),
            "Istio sidecar, 1.25 or later: REDIRECT mode; proxy Envoy; uid and gid 1337; out 15001; in 15006; exempt 15008, 15090, 15021, 15020",
        ),
        (
            sample!("istio-sidecar-dns"),
            "Istio sidecar, 1.25 or later: REDIRECT mode; proxy Envoy; uid and gid 1337; out 15001; in 15006; DNS 15053; exempt 15008, 15090, 15021, 15020",
        ),
        (
            sample!("istio-sidecar-tproxy"),
            "Istio sidecar, 1.25 or later: TPROXY mode; proxy Envoy; uid and gid 1337; out 15001; in 15006; exempt 15008, 15090, 15021, 15020",
        ),
        (
            sample!("istio-sidecar-1.5"),
            "Istio sidecar, 1.5: REDIRECT mode; proxy Envoy; uid and gid 1337; out 15001; in 15006; exempt 15090, 15020, 22",
        ),
        (
            sample!("istio-ambient"),
            "Istio ambient, 1.21 or later: ambient mode; proxy ztunnel; mark 0x539/0xfff; out 15001; in 15006; DNS 15053; exempt 15008; address of the kubelet's probes: \"169.254.7.127/32\"",
        ),
        (
            sample!("linkerd"),
            "Linkerd, any version: REDIRECT mode; proxy linkerd-proxy; uid 2102; out 4140; in 4143; exempt 4190, 4191; config.linkerd.io/skip-outbound-ports: \"4567,4568\"; config.linkerd.io/skip-inbound-ports: \"4567,4568\"",
        ),
    ];
    for ((parsed, name), want) in samples {
        assert_eq!(recognised(&parsed), format!("= IPv4 {want}\n"), "{name}");
        let ruleset = &parsed.rulesets[0];
        let mesh = mesh::recognise(ruleset).expect("recognised above");
        for (table, place) in ruleset.tables.iter().zip(0..) {
            for (chain, at) in table.chains.iter().zip(0..) {
                for (_, rule) in chain.rules.iter().zip(0..) {
                    let at = ChainPlace {
                        ruleset: 0,
                        table: place,
                        chain: at,
                    };
                    let why = mesh.purpose(
                        &parsed.rulesets,
                        Place {
                            at,
                            rule: Some(rule),
                        },
                    );
                    let why = why.unwrap_or_else(|| {
                        panic!("{name}: no purpose of {} {}", chain.name, rule + 1)
                    });
                    assert!(
                        why.ends_with('.') && !why.contains(['$', '%', '@']),
                        "{why}"
                    );
                }
            }
        }
    }
}

#[test]
fn a_rule_says_why_it_is_there() {
    let parsed = parse(include_str!("../../static/samples/istio-sidecar.txt"));
    let mesh = mesh::recognise(&parsed.rulesets[0]).expect("a mesh");
    let table = &parsed.rulesets[0].tables[0];
    let (chain, _) = table.chain("ISTIO_OUTPUT").expect("it is there");
    let why = |rule| {
        let at = ChainPlace {
            ruleset: 0,
            table: 0,
            chain,
        };
        mesh.purpose(
            &parsed.rulesets,
            Place {
                at,
                rule: Some(rule),
            },
        )
        .expect("known")
    };
    assert_eq!(
        why(3),
        "Envoy's own traffic must not come back to it, so it goes out; and so does everyone else's who runs as 1337."
    );
    assert_eq!(why(8), "Everything else goes to Envoy: the capture itself.");
}

/// The counters that Istio's page about these rules shows.
#[test]
fn counters_show_the_way_of_connections() {
    let counted = "*nat\n:PREROUTING ACCEPT [13403:804000]\n:OUTPUT ACCEPT [10483:752000]\n:ISTIO_INBOUND - [0:0]\n\
        :ISTIO_IN_REDIRECT - [0:0]\n:ISTIO_OUTPUT - [0:0]\n:ISTIO_REDIRECT - [0:0]\n\
        [13406:804360] -A PREROUTING -p tcp -j ISTIO_INBOUND\n[6817:409000] -A OUTPUT -p tcp -j ISTIO_OUTPUT\n\
        [0:0] -A ISTIO_INBOUND -p tcp -m tcp --dport 22 -j RETURN\n[0:0] -A ISTIO_INBOUND -p tcp -m tcp --dport 15090 -j RETURN\n\
        [13403:804180] -A ISTIO_INBOUND -p tcp -m tcp --dport 15020 -j RETURN\n[3:180] -A ISTIO_INBOUND -p tcp -j ISTIO_IN_REDIRECT\n\
        [3:180] -A ISTIO_IN_REDIRECT -p tcp -j REDIRECT --to-ports 15006\n[0:0] -A ISTIO_OUTPUT -s 127.0.0.6/32 -o lo -j RETURN\n\
        [0:0] -A ISTIO_OUTPUT ! -d 127.0.0.1/32 -o lo -m owner --uid-owner 1337 -j ISTIO_IN_REDIRECT\n\
        [3572:214320] -A ISTIO_OUTPUT -o lo -m owner ! --uid-owner 1337 -j RETURN\n\
        [3212:192720] -A ISTIO_OUTPUT -m owner --uid-owner 1337 -j RETURN\n\
        [0:0] -A ISTIO_OUTPUT ! -d 127.0.0.1/32 -o lo -m owner --gid-owner 1337 -j ISTIO_IN_REDIRECT\n\
        [0:0] -A ISTIO_OUTPUT -o lo -m owner ! --gid-owner 1337 -j RETURN\n[0:0] -A ISTIO_OUTPUT -m owner --gid-owner 1337 -j RETURN\n\
        [0:0] -A ISTIO_OUTPUT -d 127.0.0.1/32 -j RETURN\n[33:1980] -A ISTIO_OUTPUT -j ISTIO_REDIRECT\n\
        [33:1980] -A ISTIO_REDIRECT -p tcp -j REDIRECT --to-ports 15001\nCOMMIT\n";
    let said = |text: &str| {
        let parsed = parse(text);
        let mesh = mesh::recognise(&parsed.rulesets[0]).expect("a mesh");
        analyze_counters(&mesh, &parsed.rulesets[0])
    };
    let analysis = said(counted).expect("there are counts");
    let shares: Vec<String> = analysis.shares.iter().map(ToString::to_string).collect();
    assert_eq!(
        shares,
        [
            "3572 of 6817 (52 %) were the pod's own calls over lo, not by 1337: rule 3 of ISTIO_OUTPUT",
            "3212 of 6817 (47 %) were let out by owner 1337: rule 4 of ISTIO_OUTPUT",
            "33 of 6817 (0 %) were captured: rule 9 of ISTIO_OUTPUT",
            "13403 of 13406 (99 %) passed by port 15020: rule 3 of ISTIO_INBOUND",
            "3 of 13406 (0 %) were captured: rule 4 of ISTIO_INBOUND",
        ]
    );
    assert!(
        analysis
            .notes
            .iter()
            .any(|note| note.contains("connections, not packets"))
    );
    assert!(
        analysis
            .notes
            .iter()
            .any(|note| note.contains("Envoy's own connections"))
    );
    // Counters that were partly reset give no shares.
    let odd = said(&counted.replace("[6817:409000]", "[0:0]")).expect("there are counts");
    assert_eq!(
        odd.shares[0].to_string(),
        "3572 were the pod's own calls over lo, not by 1337: rule 3 of ISTIO_OUTPUT"
    );
    let odd = odd
        .notes
        .iter()
        .find(|note| note.contains("do not fit"))
        .expect("it is said");
    assert!(
        odd.starts_with(
            "The counters of ISTIO_OUTPUT do not fit: 0 were led into it, and its rules took 6817."
        ),
        "{odd}"
    );
    // Connections to the tunnel port of other proxies are not captured.
    let tunnel = counted.replace(
        "[0:0] -A ISTIO_INBOUND -p tcp -m tcp --dport 22 -j RETURN",
        "[10:600] -A ISTIO_INBOUND -p tcp -m tcp --dport 15008 -j RETURN",
    );
    let tunnel = said(&tunnel).expect("there are counts");
    let tunnel = tunnel
        .shares
        .iter()
        .find(|share| share.rule == Some(("ISTIO_INBOUND".into(), 1)))
        .expect("a share");
    assert_eq!(
        tunnel.to_string(),
        "10 of 13406 (0 %) were left alone: rule 1 of ISTIO_INBOUND"
    );
    let old = mesh::recognise(&parse(counted).rulesets[0]).expect("a mesh");
    assert!(
        old.facts().contains(&"exempt 15090, 15020, 22".to_owned()),
        "{:?}",
        old.facts()
    );
    let quiet = said(&counted.replace("[33:1980]", "[0:0]")).expect("there are counts");
    assert!(
        quiet.notes[0].starts_with("Of all that left, nothing went to Envoy"),
        "{:?}",
        quiet.notes
    );
    assert!(
        quiet
            .shares
            .iter()
            .any(|share| share.to_string() == "33 of 6817 (0 %) left and were matched by no rule")
    );
    assert_eq!(
        said(include_str!("../../static/samples/istio-sidecar.txt")),
        None
    );
}
