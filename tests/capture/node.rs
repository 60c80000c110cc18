//! Every way to find a pod on a machine with several finds the right one, and the capture matches
//! its kernel.

use std::collections::BTreeMap;
use std::net::{SocketAddr, SocketAddrV4};

use chainwalk_core::input::capture::Capture;
use chainwalk_core::input::parse::{self, Parsed};
use chainwalk_core::netfilter::place::Place;
use chainwalk_core::packet::Packet;
use chainwalk_core::walk::trace::{Outcome, Verdict, VerdictKind};
use chainwalk_core::walk::walk;
use serde_json::{Value, json};
use socket2::{Domain, Socket, Type};

use crate::machine::{Node, arrive, connect, machine};
use crate::schema::{differences, schema};

#[test]
fn each_way_finds_the_pod() {
    let (root, pods) = machine("find");
    for pod in &pods {
        let envoy = pod.containers[1].0.pid();
        let id = &pod.containers[1].1;
        let path = pod.pod.namespace.path();
        for (option, value) in [
            ("--pid", envoy.to_string().as_str()),
            ("--pod-ip", pod.addresses[0]),
            ("--pod-ip", pod.addresses[1]),
            ("--pod-uid", pod.uid),
            ("--pod-uid", &pod.uid.to_uppercase()),
            ("--container", id),
            ("--container", &id[..12]),
            ("--container", &format!("containerd://{id}")),
            ("--netns", path.to_str().expect("UTF-8")),
            ("--name", pod.hostname),
            ("--name", &pod.hostname[..7]),
        ] {
            let target = root.capture(&[option, value]).target;
            assert_eq!(target.netns_inode, Some(pod.inode()), "{option} {value}");
            assert_eq!(
                target.hostname.as_deref(),
                Some(pod.hostname),
                "{option} {value}"
            );
            assert_eq!(target.pod_uid.as_deref(), Some(pod.uid), "{option} {value}");
            if ["--pid", "--container"].contains(&option) {
                assert_eq!(
                    (target.pid, target.command.as_deref()),
                    (Some(envoy), Some("envoy")),
                    "{option} {value}"
                );
                assert_eq!(target.container_id.as_ref(), Some(id));
            }
        }
    }
}

#[test]
fn several_are_listed_and_one_asked_for() {
    let (root, pods) = machine("several");
    let output = root.run(&["--name", "envoy"]);
    let stderr = String::from_utf8(output.stderr).expect("text");
    assert_eq!(
        (output.status.code(), output.stdout.len()),
        (Some(1), 0),
        "{stderr}"
    );
    assert!(
        stderr.contains("2 namespaces have") && stderr.contains("--pid"),
        "{stderr}"
    );
    for pod in &pods {
        let line = stderr
            .lines()
            .find(|line| line.contains(pod.hostname))
            .expect("each has a line");
        assert!(
            line.contains(&pod.containers[1].0.pid().to_string())
                && line.contains(pod.addresses[0]),
            "{line}"
        );
    }
    for (arguments, part) in [
        (["--pod-ip", "192.0.2.99"], "is it the pod's node?"),
        (
            ["--pod-uid", "00000000-0000-0000-0000-000000000000"],
            "is it the pod's node?",
        ),
        (["--container", "ffffff"], "--list"),
        (["--name", "no such name"], "--list"),
        (["--netns", "/etc/passwd"], "plain file"),
        (["--netns", "/dev/zero"], "it is a device"),
        (["--netns", "/etc"], "it is a directory"),
        (["--netns", "/proc/self/ns/uts"], "none of networks"),
    ] {
        let output = root.run(&arguments);
        let stderr = String::from_utf8(output.stderr).expect("text");
        assert_eq!(output.status.code(), Some(1), "{arguments:?}: {stderr}");
        assert!(stderr.contains(part), "{arguments:?}: {stderr}");
    }
}

#[test]
fn the_table_and_all() {
    let (root, pods) = machine("all");
    let output = root.run(&["--list"]);
    let table = String::from_utf8(output.stdout).expect("text");
    assert_eq!(
        (output.status.code(), table.lines().count()),
        (Some(0), 1 + pods.len()),
        "{table}"
    );
    for pod in &pods {
        let line = table
            .lines()
            .find(|line| line.starts_with(&pod.inode().to_string()))
            .expect("each has a line");
        for part in [
            pod.addresses[0],
            pod.addresses[1],
            pod.uid,
            pod.hostname,
            " envoy ",
            "pause",
            "tcpdump",
        ] {
            assert!(line.contains(part), "`{part}` is not in {line}");
        }
    }

    let output = root.run(&["--all"]);
    assert_eq!(
        output.status.code(),
        Some(0),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let text = String::from_utf8(output.stdout).expect("JSON is UTF-8");
    let inodes: Vec<u64> = text
        .lines()
        .map(|line| {
            let value: Value = serde_json::from_str(line).expect("JSON");
            assert_eq!(differences(&schema(), &value), [""; 0]);
            value["target"]["netns_inode"].as_u64().expect("a number")
        })
        .collect();
    assert_eq!(inodes, pods.each_ref().map(Node::inode));
}

#[test]
fn processes_sockets_and_who_is_the_proxy() {
    let (root, pods) = machine("who");
    for pod in &pods {
        let json = root.run(&["--pod-uid", pod.uid]).stdout;
        let value: Value = serde_json::from_slice(&json).expect("JSON");
        assert_eq!(differences(&schema(), &value), [""; 0]);
        let capture: Capture = serde_json::from_value(value).expect("a capture");
        let app = pod.hostname.split('-').next().expect("a name");
        let processes: Vec<_> = capture
            .host
            .processes
            .iter()
            .map(|process| {
                (
                    process.command.as_str(),
                    process.uid,
                    process.gid,
                    &process.groups[..],
                    process.proxy,
                )
            })
            .collect();
        assert_eq!(
            processes,
            [
                ("pause", 65535, 65535, &[4242, 65535][..], Some(false)),
                ("envoy", 1337, 1337, &[1337, 4242][..], Some(true)),
                (app, 1000, 1000, &[1000, 4242][..], Some(false)),
                ("tcpdump", 1337, 1337, &[1337, 4242][..], Some(true)),
            ]
        );
        let [socket] = &capture.host.sockets[..] else {
            panic!("one socket: {:?}", capture.host.sockets)
        };
        assert_eq!(
            (socket.address.to_string().as_str(), socket.port, socket.uid),
            ("127.0.0.1", 15001, Some(1337))
        );
        let envoy = Some(pod.containers[1].0.pid());
        assert_eq!(
            (socket.pid, socket.command.as_deref()),
            (envoy, Some("envoy"))
        );
        // The capture contains only the name of a command.
        assert!(!String::from_utf8_lossy(&json).contains("infinity"));
    }
}

type Counts = BTreeMap<(u32, Box<str>, Box<str>, Option<u32>), u64>;

/// Packets by rule set, table, chain and rule. The policy has no rule.
fn counts(parsed: &Parsed) -> Counts {
    let mut counts = Counts::new();
    for (number, ruleset) in (0..).zip(&parsed.rulesets) {
        for table in &ruleset.tables {
            for chain in &table.chains {
                let mut add = |rule, packets| {
                    counts.insert(
                        (number, table.name.clone(), chain.name.clone(), rule),
                        packets,
                    )
                };
                add(
                    None,
                    chain
                        .counters
                        .counters(ruleset)
                        .map_or(0, |counters| counters.packets),
                );
                for (rule, counted) in (1..).zip(&chain.rules) {
                    add(
                        Some(rule),
                        counted
                            .counters
                            .counters(ruleset)
                            .map_or(0, |counters| counters.packets),
                    );
                }
            }
        }
    }
    counts
}

/// Checks that the kernel's counters of a packet that `send` sends equal the walk of the capture,
/// in the chains that `asked` selects. Other chains may also count the kernel's own answers.
fn check(
    read: impl Fn() -> Parsed,
    packet: &Value,
    asked: impl Fn(&str, &str) -> bool,
    send: impl FnOnce(),
) -> Verdict {
    let before = read();
    send();
    let after = counts(&read());
    let counted: Counts = counts(&before)
        .into_iter()
        .map(|(place, packets)| (place.clone(), after[&place] - packets))
        .filter(|((_, table, chain, _), packets)| *packets > 0 && asked(table, chain))
        .collect();
    assert!(!counted.is_empty(), "{packet}: the kernel saw nothing");

    let host = before.host.as_ref().expect("the capture holds it");
    let trace = walk(
        &before.rulesets,
        None,
        host,
        &Packet::from_json(&packet.to_string()).expect("a packet"),
    );
    assert!(trace.certain, "{packet}");
    let mut met = Counts::new();
    for step in trace.path.steps.iter() {
        let Place { at, rule } = step.place;
        let (_, table, chain) = at.find(&before.rulesets);
        if asked(&table.name, &chain.name)
            && [Outcome::Match, Outcome::Policy].contains(&step.outcome)
        {
            *met.entry((
                at.ruleset,
                table.name.clone(),
                chain.name.clone(),
                rule.map(|rule| rule + 1),
            ))
            .or_default() += 1;
        }
    }
    assert_eq!(
        counted, met,
        "{packet}: where the kernel counted it, and where the walk met it"
    );
    trace.path.verdict.expect("a certain walk has an end")
}

/// Only nat chains, which see first packets only, so that the kernel's answers do not count.
fn check_local(read: impl Fn() -> Parsed, pod: &Node, uid: u32, from: &str, to: &str) {
    let (from, to): (SocketAddr, SocketAddr) =
        (from.parse().expect("valid"), to.parse().expect("valid"));
    let packet = json!({"origin": "local", "protocol": "tcp", "src": from.ip(), "dst": to.ip(), "sport": from.port(),
        "dport": to.port(), "uid": uid, "gid": uid});
    check(
        read,
        &packet,
        |table, _| table == "nat",
        || connect(&pod.pod, uid, from, to),
    );
}

#[test]
fn the_walk_of_a_capture_meets_what_the_kernel_counts() {
    let (root, pods) = machine("walk");
    let mut port = 40_000;
    for pod in &pods {
        let read = || {
            let output = root.run(&["--pod-ip", pod.addresses[0]]);
            parse::parse(String::from_utf8(output.stdout).expect("JSON is UTF-8"))
        };
        for uid in [1000, 1337] {
            for (own, to) in [
                (pod.addresses[0], "93.184.216.34:443"),
                (pod.addresses[0], &format!("{}:8080", pod.addresses[0])),
                (pod.addresses[1], "[2001:db8::7]:443"),
                (pod.addresses[1], &format!("[{}]:8080", pod.addresses[1])),
            ] {
                port += 1;
                let from = if own.contains(':') {
                    format!("[{own}]:{port}")
                } else {
                    format!("{own}:{port}")
                };
                check_local(read, pod, uid, &from, to);
            }
        }
    }
}

#[test]
fn what_arrives_is_handed_to_the_proxy_by_tproxy() {
    let (root, pods) = machine("tproxy");
    let pod = &pods[1];
    let (from, to) = ("10.244.2.1:40000", "10.244.2.6:9080");
    let (from, to): (SocketAddrV4, SocketAddrV4) =
        (from.parse().expect("valid"), to.parse().expect("valid"));
    // Envoy's listener: without a transparent socket, TPROXY drops the packet.
    let _listener = pod.pod.namespace.inside(|| {
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None).expect("root may open sockets");
        socket
            .set_ip_transparent_v4(true)
            .expect("root may be transparent");
        socket
            .bind(&"0.0.0.0:15006".parse::<SocketAddr>().expect("valid").into())
            .expect("nobody has it");
        socket.listen(8).expect("it is bound");
        socket
    });
    let packet = json!({"origin": "inbound", "in_interface": "eth0", "protocol": "tcp", "src": from.ip(), "dst": to.ip(),
        "sport": from.port(), "dport": to.port()});
    // The answer leaves through the other chains.
    let verdict = check(
        || {
            let output = root.run(&["--pod-uid", pod.uid]);
            parse::parse(String::from_utf8(output.stdout).expect("JSON is UTF-8"))
        },
        &packet,
        |_: &str, chain: &str| !["OUTPUT", "POSTROUTING"].contains(&chain),
        || arrive(&pod.pod, from, to),
    );
    assert_eq!(
        (verdict.kind, verdict.port),
        (VerdictKind::Delivered, Some(15006))
    );
}
