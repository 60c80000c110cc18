//! The owner of a namespace, and its environment.

use std::fs::{self, File};
use std::net::{TcpListener, UdpSocket};
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::process::Command;
use std::thread;

use chainwalk_core::netfilter::backend::Backend;
use chainwalk_core::packet::host::{RouteKind, RoutingRule};
use chainwalk_core::packet::other_processing::{Mechanism, TrafficDirection};
use chainwalk_core::packet::{Family, Protocol};
use chainwalk_tests::namespace::{Pod, Resident};
use nix::sched::{CloneFlags, setns};
use nix::unistd::setfsuid;

use crate::{SIDECAR, TPROXY, binary, capture, run, sidecar};

#[test]
fn the_target() {
    let (pod, resident) = sidecar("target", Backend::Nft, TPROXY);
    let capture = capture(resident.pid());
    assert_eq!(capture.schema_version, 1);
    assert_eq!(
        capture.tool,
        format!("chainwalk-capture {}", env!("CARGO_PKG_VERSION"))
    );
    assert_eq!(capture.target.pid, Some(resident.pid()));
    assert_eq!(capture.target.netns_path, None);
    let release = fs::read_to_string("/proc/sys/kernel/osrelease").expect("every kernel has it");
    assert_eq!(capture.kernel.as_deref(), Some(release.trim_end()));
    assert!(!capture.redacted);
    assert_eq!(capture.target.command.as_deref(), Some("cat"));
    let inode = fs::metadata(pod.namespace.path()).expect("it exists").ino();
    assert_eq!(capture.target.netns_inode, Some(inode));
    // `ip netns exec` does not change the host name of the process.
    let hostname = fs::read_to_string("/proc/sys/kernel/hostname").expect("every kernel has it");
    assert_eq!(
        capture.target.hostname.as_deref(),
        Some(hostname.trim_end())
    );
}

#[test]
fn the_host_name_is_the_pods() {
    binary();
    let pod = Pod::new("name");
    let mut command = pod.namespace.command("unshare");
    command.args([
        "--uts",
        "sh",
        "-c",
        "echo reviews-v1-7d4f > /proc/sys/kernel/hostname; exec cat",
    ]);
    let resident = Resident::start(command);
    assert_eq!(
        capture(resident.pid()).target.hostname.as_deref(),
        Some("reviews-v1-7d4f")
    );
}

#[test]
fn the_own_namespace_is_warned_of() {
    binary();
    let resident = Resident::start(Command::new("cat"));
    let output = run(&["--pid", &resident.pid().to_string()]);
    let stderr = String::from_utf8(output.stderr).expect("text");
    assert!(
        stderr.contains("warning: process") && stderr.contains("not a pod's"),
        "{stderr}"
    );
    assert_eq!(output.status.code(), Some(0));
}

#[test]
fn filters_of_interfaces_and_policies_of_ipsec() {
    let (pod, resident) = sidecar("other", Backend::Nft, SIDECAR);
    let before = capture(resident.pid()).host.other_processing;
    let before = before.expect("a capture states what acts next to the rules");
    assert_eq!(
        (&before.programs[..], &before.xfrm_policies[..]),
        (&[][..], &[][..])
    );
    // bpf(2) alone lists these.
    assert_eq!(before.unread, [Mechanism::Cgroup, Mechanism::Tcx]);

    let tc = |arguments: &str| {
        let mut command = pod.namespace.command("tc");
        command.args(arguments.split(' ').map(|word| word.replace('_', " ")));
        assert!(command.status().expect("tc runs").success(), "{arguments}");
    };
    tc("qdisc add dev eth0 clsact");
    // A program that lets everything pass: `ret #-1`.
    tc("filter add dev eth0 ingress bpf bytecode 1,6_0_0_4294967295");
    tc("filter add dev eth0 egress u32 match u32 0 0");
    pod.namespace.ip(
        "xfrm policy add src 10.1.0.0/16 dst 10.2.0.0/16 dir out tmpl src 192.0.2.1 dst 192.0.2.2 proto esp mode tunnel",
    );
    pod.namespace
        .ip("xfrm policy add src fd00::/64 dst fd01::/64 proto udp dir in action block");
    let after = capture(resident.pid()).host.other_processing;
    let after = after.expect("a capture states what acts next to the rules");
    let programs: Vec<(&str, TrafficDirection, Option<&str>)> = after
        .programs
        .iter()
        .map(|one| (&*one.interface, one.direction, one.filter.as_deref()))
        .collect();
    assert_eq!(
        programs,
        [
            ("eth0", TrafficDirection::Ingress, Some("bpf")),
            ("eth0", TrafficDirection::Egress, Some("u32")),
        ]
    );
    let policies = serde_json::to_value(&after.xfrm_policies).expect("it is JSON");
    let expected = serde_json::json!([
        {"direction": "in", "src": "fd00::/64", "dst": "fd01::/64", "protocol": "udp", "blocks": true},
        {"direction": "out", "src": "10.1.0.0/16", "dst": "10.2.0.0/16"},
    ]);
    let mut policies = policies.as_array().expect("a list").clone();
    policies.sort_by_key(|policy| policy["direction"].to_string());
    assert_eq!(serde_json::Value::from(policies), expected);
}

#[test]
fn services_of_ipvs() {
    let (pod, resident) = sidecar("ipvs", Backend::Nft, SIDECAR);
    let add = |arguments: &str| {
        let mut command = pod.namespace.command("ipvsadm");
        command.args(arguments.split(' '));
        command.status().is_ok_and(|status| status.success())
    };
    let is_added = add("-A -t 10.96.0.1:443 -s rr") && add("-A -t [fd00::a]:53 -s rr");
    if !is_added {
        // A kernel without IPVS: the reader's own tests have the text of one.
        assert!(!Path::new("/proc/net/ip_vs").exists(), "ipvsadm is missing");
        eprintln!("not tested: this kernel has no IPVS");
    }
    let other = capture(resident.pid()).host.other_processing;
    let services = other.expect("it is read").ipvs_services;
    assert_eq!(services.len(), if is_added { 2 } else { 0 });
}

#[test]
fn interfaces_routes_and_routing_rules() {
    let (pod, resident) = sidecar("host", Backend::Legacy, SIDECAR);
    pod.namespace.ip("address add 10.244.1.6/24 dev eth0");
    pod.namespace.ip("link set eth0 group 7");
    pod.namespace
        .ip("route add blackhole 192.0.2.0/24 table 70000 metric 5");
    pod.namespace
        .ip("route add 198.51.100.0/24 via 10.244.1.1 src 10.244.1.6");
    pod.namespace.ip(
        "rule add not from 10.0.0.0/8 to 192.0.2.0/24 iif eth0 fwmark 1/0xff lookup 70000 pref 100",
    );
    let host = capture(resident.pid()).host;

    let interfaces: Vec<(&str, String, Option<u32>)> = host
        .interfaces
        .iter()
        .map(|interface| {
            let addresses: Vec<String> = interface
                .addresses
                .iter()
                .map(ToString::to_string)
                .collect();
            (
                interface.name.as_str(),
                addresses.join(" "),
                interface.group,
            )
        })
        .collect();
    let eth0 = "10.244.1.5/24 10.244.1.6/24 fd00:1::5/64".to_owned();
    assert_eq!(
        interfaces,
        [
            ("lo", "127.0.0.1/8 ::1/128".to_owned(), None),
            ("eth0", eth0, Some(7))
        ]
    );

    // The configured routes, and those that the kernel added to the local table.
    for expected in [
        (
            RouteKind::Unicast,
            "0.0.0.0/0",
            Some("10.244.1.1"),
            Some("eth0"),
            None,
            None,
            None,
        ),
        (
            RouteKind::Unicast,
            "10.244.1.0/24",
            None,
            Some("eth0"),
            None,
            Some("10.244.1.5"),
            None,
        ),
        (
            RouteKind::Unicast,
            "198.51.100.0/24",
            Some("10.244.1.1"),
            Some("eth0"),
            None,
            Some("10.244.1.6"),
            None,
        ),
        (
            RouteKind::Local,
            "0.0.0.0/0",
            None,
            Some("lo"),
            Some(133),
            None,
            None,
        ),
        (
            RouteKind::Blackhole,
            "192.0.2.0/24",
            None,
            None,
            Some(70000),
            None,
            Some(5),
        ),
        (
            RouteKind::Local,
            "10.244.1.5/32",
            None,
            Some("eth0"),
            Some(255),
            Some("10.244.1.5"),
            None,
        ),
        (
            RouteKind::Broadcast,
            "10.244.1.255/32",
            None,
            Some("eth0"),
            Some(255),
            Some("10.244.1.5"),
            None,
        ),
        (
            RouteKind::Unicast,
            "::/0",
            Some("fd00:1::1"),
            Some("eth0"),
            None,
            None,
            Some(1024),
        ),
        (
            RouteKind::Unicast,
            "fd00:1::/64",
            None,
            Some("eth0"),
            None,
            None,
            Some(256),
        ),
    ] {
        let (kind, dst, via, dev, table, src, metric) = expected;
        let is_expected = host.routes.iter().any(|route| {
            (route.kind, route.dst.to_string().as_str()) == (kind, dst)
                && route.via == via.map(|via| via.parse().expect("valid"))
                && route.dev.as_deref() == dev
                && (route.table, route.metric) == (table, metric)
                && route.src == src.map(|src| src.parse().expect("valid"))
        });
        assert!(is_expected, "{expected:?} is not among {:#?}", host.routes);
    }
    // One route per line, in the kernel's own words.
    let all = ["-4 -o route show table all", "-6 -o route show table all"];
    let lines: usize = all
        .map(|list| pod.namespace.ip(list).lines().count())
        .iter()
        .sum();
    assert_eq!(host.routes.len(), lines);

    let expected = [
        RoutingRule {
            family: Some(Family::Ipv4),
            fwmark: Some(1),
            mask: Some(0xff),
            from: Some("10.0.0.0/8".parse().expect("valid")),
            to: Some("192.0.2.0/24".parse().expect("valid")),
            iif: Some("eth0".into()),
            not: true,
            table: Some(70000),
            priority: Some(100),
        },
        RoutingRule {
            family: Some(Family::Ipv4),
            fwmark: Some(0x539),
            mask: Some(u32::MAX),
            table: Some(133),
            priority: Some(32765),
            ..RoutingRule::default()
        },
    ];
    assert_eq!(host.rules, expected);
}

#[test]
fn ports_of_bridges() {
    let (pod, resident) = sidecar("bridges", Backend::Legacy, SIDECAR);
    pod.namespace.ip("link add br0 type bridge");
    pod.namespace.ip("link add port1 type veth peer name port2");
    pod.namespace.ip("link set port1 master br0");
    let host = capture(resident.pid()).host;
    let master = |name: &str| {
        host.interface(name)
            .and_then(|interface| interface.master.clone())
    };
    assert_eq!(
        [master("port1"), master("port2"), master("br0")],
        [Some("br0".into()), None, None]
    );
    assert!(
        host.sysctls
            .contains_key("net.bridge.bridge-nf-call-iptables"),
        "{:?}",
        host.sysctls
    );
}

#[test]
fn multicast_groups() {
    let (pod, resident) = sidecar("groups", Backend::Legacy, SIDECAR);
    let index = pod.namespace.ip("-o link show eth0");
    let index: u32 = index
        .split(':')
        .next()
        .and_then(|index| index.parse().ok())
        .expect("it begins with its number");
    let _sockets = pod.namespace.inside(|| {
        let [four, six] = ["0.0.0.0:5353", "[::]:5354"]
            .map(|address| UdpSocket::bind(address).expect("nobody has it"));
        let own = "10.244.1.5".parse().expect("valid");
        four.join_multicast_v4(&"239.1.2.3".parse().expect("valid"), &own)
            .expect("eth0 is up");
        six.join_multicast_v6(&"ff15::7".parse().expect("valid"), index)
            .expect("eth0 is up");
        [four, six]
    });
    let pid = resident.pid().to_string();
    let host = capture(resident.pid()).host;
    let groups = |name: &str| {
        host.interface(name)
            .and_then(|interface| interface.multicast_groups.clone())
    };
    let has = |name, group: &str| {
        groups(name)
            .expect("known")
            .contains(&group.parse().expect("valid"))
    };
    for group in ["239.1.2.3", "ff15::7"] {
        assert!(
            has("eth0", group) && !has("lo", group),
            "{group}: {:?}",
            groups("eth0")
        );
    }
    // The groups of every interface, and those of eth0's own address.
    assert!(
        ["224.0.0.1", "ff02::1", "ff02::1:ff00:5"]
            .iter()
            .all(|group| has("eth0", group)),
        "{:?}",
        groups("eth0")
    );
    let redacted =
        String::from_utf8(run(&["--pid", &pid, "--redact"]).stdout).expect("JSON is UTF-8");
    assert!(
        redacted.contains("ff15::7") && !redacted.contains("ff02::1:ff00:5"),
        "{redacted}"
    );
}

#[test]
fn settings() {
    let (pod, resident) = sidecar("settings", Backend::Legacy, SIDECAR);
    pod.namespace.set("net/ipv4/conf/eth0/route_localnet", "1");
    pod.namespace.set("net/ipv6/conf/all/forwarding", "1");
    let host = capture(resident.pid()).host;
    for (setting, value) in [
        ("net.ipv4.ip_forward", "0"),
        ("net.ipv6.conf.all.forwarding", "1"),
        ("net.ipv4.conf.all.route_localnet", "0"),
        ("net.ipv4.conf.eth0.route_localnet", "1"),
        ("net.ipv4.conf.lo.route_localnet", "0"),
        ("net.ipv4.conf.all.rp_filter", "0"),
        ("net.ipv4.conf.eth0.rp_filter", "0"),
        ("net.ipv4.conf.eth0.accept_local", "0"),
    ] {
        assert_eq!(
            host.sysctls.get(setting).map(String::as_str),
            Some(value),
            "{setting}"
        );
    }
}

#[test]
fn listening_sockets() {
    let (pod, resident) = sidecar("sockets", Backend::Legacy, SIDECAR);
    let (_tcp, _tcp6, _udp) = pod.namespace.inside(|| {
        let tcp = TcpListener::bind("127.0.0.1:15000").expect("nobody has it");
        let tcp6 = TcpListener::bind("[::]:15006").expect("nobody has it");
        (
            tcp,
            tcp6,
            UdpSocket::bind("10.244.1.5:15053").expect("nobody has it"),
        )
    });
    let sockets = capture(resident.pid()).host.sockets;
    let sockets: Vec<(Protocol, String, u16, Option<u32>)> = sockets
        .iter()
        .map(|socket| {
            (
                socket.protocol,
                socket.address.to_string(),
                socket.port,
                socket.uid,
            )
        })
        .collect();
    let expected = [
        (Protocol::TCP, "127.0.0.1".to_owned(), 15000, Some(0)),
        (Protocol::TCP, "::".to_owned(), 15006, Some(0)),
        (Protocol::UDP, "10.244.1.5".to_owned(), 15053, Some(0)),
    ];
    assert_eq!(sockets, expected);
}

#[test]
fn the_owners_of_sockets_are_counted_as_the_pod_counts_them() {
    binary();
    let mut command = Command::new("unshare");
    command.args(["--user", "--net", "cat"]);
    let resident = Resident::start(command);
    let process = format!("/proc/{}", resident.pid());
    fs::write(format!("{process}/uid_map"), "0 100000 65536").expect("root may map what it likes");
    let network = File::open(format!("{process}/ns/net")).expect("it runs");
    // The file-system uid of a thread is the owner of its sockets.
    let open = |uid: u32, port: u16| {
        setfsuid(uid.into());
        TcpListener::bind(("0.0.0.0", port)).expect("nobody has it")
    };
    let sockets = thread::scope(|scope| {
        scope
            .spawn(|| {
                setns(network, CloneFlags::CLONE_NEWNET).expect("root may enter");
                [open(101_337, 15001), open(1000, 8080)]
            })
            .join()
            .expect("it does not panic")
    });
    let mut owners: Vec<(u16, Option<u32>)> = capture(resident.pid())
        .host
        .sockets
        .iter()
        .map(|socket| (socket.port, socket.uid))
        .collect();
    owners.sort_unstable();
    // The second owner has no number in the namespace.
    assert_eq!(owners, [(8080, None), (15001, Some(1337))]);
    drop(sockets);
}
