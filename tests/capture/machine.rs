//! A machine with two pods: each is a namespace with rules, addresses and processes that look like
//! those of containers.
//!
//! Control groups cannot be created everywhere. The files of `/proc` about them are therefore
//! written to a directory, which otherwise links to the real `/proc`. The option `--root` makes the
//! program under test use this directory as the machine.

use std::fs;
use std::io::Write as _;
use std::net::{SocketAddr, SocketAddrV4, TcpListener};
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};

use chainwalk_core::input::capture::Capture;
use chainwalk_core::netfilter::backend::Backend;
use chainwalk_core::packet::Family;
use chainwalk_tests::namespace::{Pod, wait_for};
use etherparse::PacketBuilder;
use nix::ifaddrs::getifaddrs;
use nix::sys::socket::bind;
use nix::unistd::{Gid, Uid, setfsgid, setfsuid};
use socket2::{Domain, Socket};

use crate::{SIDECAR, SIDECAR_IPV6, TPROXY, binary};

/// A directory that represents a machine's `/`.
pub(crate) struct Root(pub(crate) PathBuf);

impl Root {
    pub(crate) fn new(label: &str) -> Self {
        let root = std::env::temp_dir().join(format!("cw-{}-{label}", std::process::id()));
        fs::create_dir_all(root.join("proc/self")).expect("the temporary directory is writable");
        // Users other than root run programs from it.
        fs::set_permissions(&root, fs::Permissions::from_mode(0o755)).expect("its owner");
        Self(root)
    }

    /// Writes a file.
    pub(crate) fn write(&self, path: &str, content: &str) {
        let path = self.0.join(path);
        fs::create_dir_all(path.parent().expect("it is below the root")).expect("writable");
        fs::write(path, content).expect("writable");
    }

    /// Adds a process with the files of the real `/proc`, but in this control group.
    pub(crate) fn add(&self, pid: u32, cgroup: &str) {
        let own = format!("proc/{pid}");
        self.write(&format!("{own}/cgroup"), cgroup);
        for line in cgroup.lines() {
            let mut fields = line.splitn(3, ':').skip(1);
            let (controllers, path) = (
                fields.next().expect("a hierarchy"),
                fields.next().expect("a path"),
            );
            let directory = self
                .0
                .join("sys/fs/cgroup")
                .join(controllers)
                .join(path.trim_start_matches('/'));
            fs::create_dir_all(directory).expect("writable");
        }
        for file in [
            "ns",
            "comm",
            "status",
            "fd",
            "uid_map",
            "gid_map",
            "cmdline",
            "net",
            "mountinfo",
        ] {
            symlink(format!("/proc/{pid}/{file}"), self.0.join(&own).join(file)).expect("writable");
        }
    }

    /// Runs the program under test on this machine.
    pub(crate) fn run(&self, arguments: &[&str]) -> Output {
        Command::new(binary())
            .arg("--root")
            .arg(&self.0)
            .args(arguments)
            .output()
            .expect("the program can be run")
    }

    /// Runs a capture and checks that it is complete.
    pub(crate) fn capture(&self, arguments: &[&str]) -> Capture {
        let output = self.run(arguments);
        assert_eq!(
            output.status.code(),
            Some(0),
            "{arguments:?}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        serde_json::from_slice(&output.stdout).expect("a capture")
    }
}

impl Drop for Root {
    fn drop(&mut self) {
        // It may already be removed.
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// A process that waits under a name and as a user.
pub(crate) struct Container(Child);

impl Container {
    pub(crate) fn pid(&self) -> u32 {
        self.0.id()
    }
}

impl Drop for Container {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The name that a runtime gives to a container's control group.
type Layout = fn(&str, &str) -> String;

/// A pod with its containers.
pub(crate) struct Node {
    pub(crate) pod: Pod,
    pub(crate) uid: &'static str,
    pub(crate) hostname: &'static str,
    pub(crate) addresses: [&'static str; 2],
    /// The pause container, Envoy as 1337, an app as 1000, an app as 1337.
    pub(crate) containers: Vec<(Container, String)>,
}

impl Node {
    /// The inode number of its namespace.
    pub(crate) fn inode(&self) -> u64 {
        fs::metadata(self.pod.namespace.path())
            .expect("it exists")
            .ino()
    }

    fn start(&self, root: &Root, name: &str, uid: u32, listener: Option<OwnedFd>) -> Container {
        let program = root.0.join("bin").join(name);
        if !program.exists() {
            fs::create_dir_all(root.0.join("bin")).expect("writable");
            // Another program copies the file: see `not_root`.
            let copied = Command::new("install")
                .args(["-m", "755", "/bin/sleep"])
                .arg(&program)
                .status();
            assert!(copied.expect("every system has it").success());
        }
        let script = format!(
            "echo {} > /proc/sys/kernel/hostname; exec setpriv --reuid {uid} --regid {uid} --groups {uid},4242 \"$1\" infinity",
            self.hostname
        );
        let mut command = self.pod.namespace.command("unshare");
        command
            .args(["--uts", "sh", "-c", &script, "sh"])
            .arg(&program);
        command.stdin(listener.map_or_else(Stdio::null, Stdio::from));
        let child = command.spawn().expect("`ip` is installed");
        let comm = format!("/proc/{}/comm", child.id());
        let container = Container(child);
        wait_for("the container's command", || {
            fs::read_to_string(&comm).is_ok_and(|comm| comm.trim_end() == name)
        });
        container
    }

    /// Starts the containers, the second with a listening socket.
    fn fill(&mut self, root: &Root, layout: Layout, digit: char) {
        let listener: OwnedFd = self.pod.namespace.inside(|| {
            setfsgid(Gid::from_raw(1337));
            setfsuid(Uid::from_raw(1337));
            TcpListener::bind("127.0.0.1:15001")
                .expect("nobody has it")
                .into()
        });
        let mut listener = Some(listener);
        for (number, (name, uid)) in [
            ("pause", 65535),
            ("envoy", 1337),
            ("reviews", 1000),
            ("tcpdump", 1337),
        ]
        .into_iter()
        .enumerate()
        {
            let listener = if name == "envoy" {
                listener.take()
            } else {
                None
            };
            let name = if name == "reviews" {
                self.hostname.split('-').next().expect("a name")
            } else {
                name
            };
            let container = self.start(root, name, uid, listener);
            let id = format!("{digit}{number}").repeat(32);
            root.add(container.pid(), &layout(self.uid, &id));
            self.containers.push((container, id));
        }
    }
}

/// One pod with legacy rules, and one with nft's rules and TPROXY. Both have both families.
pub(crate) fn machine(label: &str) -> (Root, [Node; 2]) {
    binary();
    let root = Root::new(label);
    let legacy = Pod::new(&format!("{label}-a"));
    legacy
        .namespace
        .load(Backend::Legacy, Family::Ipv4, SIDECAR);
    legacy
        .namespace
        .load(Backend::Legacy, Family::Ipv6, SIDECAR_IPV6);
    let nft = Pod::new(&format!("{label}-b"));
    nft.namespace.load(Backend::Nft, Family::Ipv4, TPROXY);
    nft.namespace.load(Backend::Nft, Family::Ipv6, SIDECAR_IPV6);
    nft.namespace.ip("rule add fwmark 0x539 lookup 133");
    nft.namespace
        .ip("route add local 0.0.0.0/0 dev lo table 133");
    nft.namespace.ip("address flush dev eth0 scope global");
    for (address, next) in [
        ("10.244.2.6/24", "10.244.2.1"),
        ("fd00:2::6/64", "fd00:2::1"),
    ] {
        let nodad = if address.contains(':') { "nodad" } else { "" };
        nft.namespace
            .ip(&format!("address add {address} dev eth0 {nodad}"));
        nft.namespace.ip(&format!(
            "neighbour replace {next} lladdr {} dev eth0 nud permanent",
            Pod::ROUTER_MAC
        ));
        nft.namespace
            .ip(&format!("route replace default via {next} dev eth0"));
    }
    let mut reviews = Node {
        pod: legacy,
        uid: "1f2d3c4b-5a69-4788-97a6-b5c4d3e2f100",
        hostname: "reviews-v1-7d4f",
        addresses: ["10.244.1.5", "fd00:1::5"],
        containers: Vec::new(),
    };
    // Control groups of version 1, the kubelet's cgroupfs driver, containerd.
    reviews.fill(
        &root,
        |pod, id| format!("4:memory:/kubepods/burstable/pod{pod}/{id}\n0::/\n"),
        'a',
    );
    let mut ratings = Node {
        pod: nft,
        uid: "77777777-5a69-4788-97a6-b5c4d3e2f1ff",
        hostname: "ratings-v1-5c9b",
        addresses: ["10.244.2.6", "fd00:2::6"],
        containers: Vec::new(),
    };
    // Version 2, systemd, CRI-O.
    let layout: Layout = |pod, id| {
        let pod = pod.replace('-', "_");
        format!(
            "0::/kubepods.slice/kubepods-besteffort.slice/kubepods-besteffort-pod{pod}.slice/crio-{id}.scope\n"
        )
    };
    ratings.fill(&root, layout, 'b');
    (root, [reviews, ratings])
}

/// Sends the first packet of a connection as a user, and closes the socket, so that it is sent only
/// once.
pub(crate) fn connect(pod: &Pod, uid: u32, from: SocketAddr, to: SocketAddr) {
    pod.namespace.inside(|| {
        setfsgid(Gid::from_raw(uid));
        setfsuid(Uid::from_raw(uid));
        let kind = socket2::Type::STREAM.nonblocking();
        let socket =
            Socket::new(Domain::for_address(to), kind, None).expect("root may open sockets");
        socket.bind(&from.into()).expect("the pod's own address");
        // The connection is pending, or refused at once.
        let _ = socket.connect(&to.into());
    });
}

/// Sends the first packet of a connection to the pod from the other end of its link, once. Nothing
/// there would answer a reply.
pub(crate) fn arrive(pod: &Pod, from: SocketAddrV4, to: SocketAddrV4) {
    let mac = |text: &str| {
        let mut bytes = text
            .split(':')
            .map(|byte| u8::from_str_radix(byte, 16).expect("hexadecimal"));
        [0; 6].map(|_: u8| bytes.next().expect("six of them"))
    };
    let builder = PacketBuilder::ethernet2(mac(Pod::ROUTER_MAC), mac(Pod::MAC))
        .ipv4(from.ip().octets(), to.ip().octets(), 64)
        .tcp(from.port(), to.port(), 1, 64_240)
        .syn();
    let mut frame = Vec::new();
    builder
        .write(&mut frame, &[])
        .expect("a Vec takes any bytes");
    pod.router.inside(|| {
        let mut socket = Socket::new(Domain::PACKET, socket2::Type::RAW, None)
            .expect("root may open packet sockets");
        let eth0 = getifaddrs()
            .expect("interfaces can be listed")
            .find_map(|entry| {
                let link = entry
                    .address
                    .and_then(|address| address.as_link_addr().copied());
                link.filter(|_| entry.interface_name == "eth0")
            });
        bind(socket.as_raw_fd(), &eth0.expect("the other end has it")).expect("it can be bound to");
        socket.write_all(&frame).expect("the wire is up");
    });
}
