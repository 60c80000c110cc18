//! The network namespaces of this machine, and the processes in each.

use std::fs::{self, File, FileType};
use std::io;
use std::net::IpAddr;
use std::os::fd::AsRawFd;
use std::os::unix::fs::FileTypeExt;
use std::path::PathBuf;

use chainwalk_core::analysis::proxy_processes::PROXIES;
use chainwalk_core::packet::host::Interface;
use nix::sys::socket::SockProtocol;
use nix::sys::statfs::{NSFS_MAGIC, fstatfs};

use crate::cgroup::{self, CgroupOwner};
use crate::failure::Failure;
use crate::interface::{interfaces, links};
use crate::machine::Machine;
use crate::mount::open_path;
use crate::namespace;
use crate::netlink::Netlink;
use crate::process::{Identity, MAX_FILE, ProcessEntry, read_limited};

/// The directories with named namespaces: of `ip netns` and CNI, and of Docker.
const NAMED: [&str; 3] = ["run/netns", "var/run/netns", "run/docker/netns"];

/// The result of a scan of `/proc`.
#[derive(Debug, Default)]
pub(crate) struct Node {
    /// The namespaces. The one with the oldest process is the first.
    pub(crate) spaces: Vec<NodeNamespace>,
    /// The number of processes that do not show their namespace.
    pub(crate) unreadable: usize,
}

/// One network namespace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct NodeNamespace {
    pub(crate) identity: Identity,
    /// The ids of its processes.
    pub(crate) pids: Vec<u32>,
    /// The file of the namespace, if it has a name.
    pub(crate) path: Option<PathBuf>,
}

/// An open namespace, with the process that represents it.
#[derive(Debug)]
pub(crate) struct Held {
    pub(crate) identity: Identity,
    pub(crate) network: File,
    /// `None` if the namespace has no process.
    pub(crate) process: Option<ProcessEntry>,
    /// The ids of its processes; `None` if they have not been searched for.
    pids: Option<Vec<u32>>,
    /// The file of the namespace, if it has no process.
    pub(crate) path: Option<PathBuf>,
    /// Whether it was found by the name of a control group.
    pub(crate) is_found_by_group: bool,
}

impl Node {
    /// Scans all processes and all named namespaces.
    pub(crate) fn scan(machine: &Machine) -> Self {
        let mut node = Self::default();
        for pid in pids(machine) {
            match Identity::at(&machine.path(format!("proc/{pid}/ns/net"))) {
                Ok(identity) => node.space(identity).pids.push(pid),
                Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
                    node.unreadable += 1
                }
                // The process has ended.
                Err(_) => {}
            }
        }
        let device = Identity::own_network().ok().map(|own| own.device);
        for entry in NAMED
            .iter()
            .filter_map(|directory| fs::read_dir(machine.path(directory)).ok())
            .flatten()
            .flatten()
        {
            // If nothing is mounted on a name any more, it is a plain file of another file system.
            if let Some(identity) = Identity::at(&entry.path())
                .ok()
                .filter(|it| Some(it.device) == device)
            {
                node.space(identity).path.get_or_insert(entry.path());
            }
        }
        node
    }

    fn space(&mut self, identity: Identity) -> &mut NodeNamespace {
        let known = self
            .spaces
            .iter()
            .position(|space| space.identity == identity);
        let place = known.unwrap_or(self.spaces.len());
        if known.is_none() {
            self.spaces.push(NodeNamespace {
                identity,
                pids: Vec::new(),
                path: None,
            });
        }
        &mut self.spaces[place]
    }
}

/// The ids of the processes in a namespace.
fn residents(machine: &Machine, identity: Identity) -> Vec<u32> {
    pids(machine)
        .into_iter()
        .filter(|pid: &u32| {
            Identity::at(&machine.path(format!("proc/{pid}/ns/net"))).is_ok_and(|it| it == identity)
        })
        .collect()
}

/// The ids of all processes, in order.
pub(crate) fn pids(machine: &Machine) -> Vec<u32> {
    let entries = fs::read_dir(machine.path("proc"))
        .into_iter()
        .flatten()
        .flatten();
    let mut pids: Vec<u32> = entries
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .collect();
    pids.sort_unstable();
    pids
}

impl NodeNamespace {
    /// Opens the namespace by `pid`, or by the first of its processes, or by its name.
    pub(crate) fn hold(&self, machine: &Machine, pid: Option<u32>) -> Result<Held, Failure> {
        let Some(pid) = pid.or_else(|| self.pids.first().copied()) else {
            let path = self
                .path
                .clone()
                .expect("a namespace is known by a process or by a name");
            return Held::by_path(path);
        };
        let process = ProcessEntry::open(machine, pid)?;
        let network = process.network_namespace()?;
        // Another process may have got this id in the meantime.
        if Identity::of_namespace(&network).ok() != Some(self.identity) {
            return Err(Failure::Refused(format!(
                "process {pid} has ended while it was looked at; try again"
            )));
        }
        let path = None;
        Ok(Held {
            identity: self.identity,
            network,
            process: Some(process),
            pids: Some(self.pids.clone()),
            path,
            is_found_by_group: false,
        })
    }

    /// The pods or containers of its processes.
    pub(crate) fn owners(&self, machine: &Machine) -> Vec<(u32, CgroupOwner)> {
        self.pids
            .iter()
            .filter_map(|&pid: &u32| {
                let text =
                    read_limited(&machine.path(format!("proc/{pid}/cgroup")), MAX_FILE).ok()?;
                Some((pid, cgroup::owner(&String::from_utf8_lossy(&text))))
            })
            .collect()
    }

    /// The command names of its processes.
    pub(crate) fn commands(&self, machine: &Machine) -> Vec<(u32, String)> {
        self.pids
            .iter()
            .filter_map(|&pid: &u32| {
                let name = fs::read(machine.path(format!("proc/{pid}/comm"))).ok()?;
                Some((pid, String::from_utf8_lossy(&name).trim_end().to_owned()))
            })
            .collect()
    }
}

impl Held {
    /// Opens the namespace of a process. The other processes in it are searched for only when they
    /// are needed.
    pub(crate) fn by_pid(machine: &Machine, pid: u32) -> Result<Self, Failure> {
        let process = ProcessEntry::open(machine, pid)?;
        let network = process.network_namespace()?;
        let identity = Identity::of_namespace(&network)
            .map_err(|error| Failure::Refused(format!("process {pid}: {error}")))?;
        Ok(Self {
            identity,
            network,
            process: Some(process),
            pids: None,
            path: None,
            is_found_by_group: false,
        })
    }

    /// Opens a namespace by its file.
    pub(crate) fn by_path(path: PathBuf) -> Result<Self, Failure> {
        let wrong = |reason: String| {
            Failure::Refused(format!(
                "cannot use {} as a namespace: {reason}",
                path.display()
            ))
        };
        let file = open_path(&path).map_err(|error| wrong(error.to_string()))?;
        // Opening a FIFO waits for its writer, and opening a device may have side effects, so the
        // type is checked first.
        if !fstatfs(&file).is_ok_and(|data| data.filesystem_type() == NSFS_MAGIC) {
            let kind = file
                .metadata()
                .map_err(|error| wrong(error.to_string()))?
                .file_type();
            let kind = described(kind);
            return Err(wrong(format!(
                "it is {kind}; `ip netns` and CNI keep namespaces in /run/netns"
            )));
        }
        let network = File::open(format!("/proc/self/fd/{}", file.as_raw_fd()))
            .map_err(|error| wrong(error.to_string()))?;
        let identity =
            Identity::of_namespace(&network).map_err(|error| wrong(error.to_string()))?;
        Ok(Self {
            identity,
            network,
            process: None,
            pids: None,
            path: Some(path),
            is_found_by_group: false,
        })
    }

    /// Also stores the first of its processes, which identifies the pod.
    pub(crate) fn with_a_process(mut self, machine: &Machine) -> Self {
        let pids = residents(machine, self.identity);
        let first = pids
            .first()
            .and_then(|&pid| ProcessEntry::hold(machine, pid).ok());
        self.process = first.filter(|process| {
            process
                .identity()
                .is_ok_and(|identity| identity == self.identity)
        });
        self.pids = Some(pids);
        self
    }

    /// The ids of its processes.
    pub(crate) fn pids(&self, machine: &Machine) -> Vec<u32> {
        self.pids
            .clone()
            .unwrap_or_else(|| residents(machine, self.identity))
    }

    /// Its interfaces with their addresses.
    pub(crate) fn interfaces(&self) -> io::Result<Vec<Interface>> {
        namespace::inside(&self.network, || {
            let mut netlink = Netlink::open(SockProtocol::NetlinkRoute)?;
            let links = links(&mut netlink)?;
            interfaces(&mut netlink, &links, &mut Vec::new())
        })?
    }

    /// Its addresses, without those that every namespace has.
    pub(crate) fn addresses(&self) -> io::Result<Vec<IpAddr>> {
        let interfaces = self.interfaces()?;
        let all = interfaces
            .iter()
            .flat_map(|interface| &interface.addresses)
            .map(|prefix| prefix.address);
        Ok(all.filter(|address| !address.is_loopback()).collect())
    }

    /// Its host name: the name of the pod.
    pub(crate) fn hostname(&self) -> Option<String> {
        self.process
            .as_ref()?
            .uts_namespace()
            .and_then(|uts| namespace::hostname(&uts))
    }
}

fn described(kind: FileType) -> &'static str {
    if kind.is_dir() {
        "a directory"
    } else if kind.is_fifo() {
        "a FIFO"
    } else if kind.is_socket() {
        "a socket"
    } else if kind.is_char_device() || kind.is_block_device() {
        "a device"
    } else {
        "a plain file"
    }
}

/// Whether a command is a mesh's proxy.
pub(crate) fn is_proxy(command: &str) -> bool {
    PROXIES.contains(&command)
}
