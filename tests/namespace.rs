//! Network namespaces that look like those of pods, for the suites that test with a real kernel.
//!
//! They require root and the Debian packages `iproute2`, `iptables` and `nftables`; [`require`]
//! reports missing ones. Names begin with `cw-` and the id of the test process, so that runs do not
//! collide. A namespace is removed when its value is dropped, even if the test fails. The next run
//! removes the namespaces of a killed run.

use std::fs::{self, File};
use std::io::{BufRead, BufReader, Write};
use std::panic;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, Once, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use chainwalk_core::netfilter::backend::Backend;
use chainwalk_core::packet::Family;
use nix::sched::{CloneFlags, setns};
use nix::unistd::geteuid;

/// The directory of `ip netns`.
const DIRECTORY: &str = "/run/netns";
/// The maximum wait for a condition.
const PATIENCE: Duration = Duration::from_secs(10);

/// Fails the test, with advice, if it does not run as root or if a command is missing. A suite that
/// cannot use the kernel must not pass.
pub fn require(commands: &[&str]) {
    assert!(
        geteuid().is_root(),
        "this suite makes network namespaces: run it as root"
    );
    let path = std::env::var_os("PATH").unwrap_or_default();
    let is_there = |command: &&&str| {
        std::env::split_paths(&path).any(|directory| directory.join(command).is_file())
    };
    let missing: Vec<&&str> = commands
        .iter()
        .filter(|command| !is_there(command))
        .collect();
    assert!(
        missing.is_empty(),
        "missing {missing:?}: install the packages iproute2, iptables, nftables, strace"
    );
}

/// A network namespace that contains only `lo`, which is down.
#[derive(Debug)]
pub struct Namespace {
    name: String,
}

impl Namespace {
    /// Creates a namespace. The label distinguishes it from others of this test.
    pub fn new(label: &str) -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        // The first `ip netns add` sets up its directory, and two at the same time would disturb
        // each other.
        static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
        static SWEEP: Once = Once::new();
        SWEEP.call_once(sweep);
        let name = format!(
            "cw-{}-{}-{label}",
            std::process::id(),
            NEXT.fetch_add(1, Ordering::Relaxed)
        );
        // A test that failed while it held the lock left nothing incomplete.
        let _guard = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
        ip(&["netns", "add", &name]);
        Self { name }
    }

    /// The name for `ip netns`.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The file of the namespace.
    pub fn path(&self) -> PathBuf {
        Path::new(DIRECTORY).join(&self.name)
    }

    /// A command that runs in the namespace, with a `/sys` of its own.
    pub fn command(&self, program: &str) -> Command {
        let mut command = Command::new("ip");
        command.args(["netns", "exec", &self.name, program]);
        command
    }

    /// Runs a program in the namespace and returns its standard output.
    ///
    /// # Panics
    /// If the program fails.
    pub fn run(&self, program: &str, arguments: &[&str]) -> String {
        run(self.command(program).args(arguments))
    }

    /// Runs `ip` on the namespace: interfaces, addresses, routes.
    ///
    /// # Panics
    /// If the command fails.
    pub fn ip(&self, arguments: &str) -> String {
        let mut words = vec!["-n", self.name.as_str()];
        words.extend(arguments.split_whitespace());
        ip(&words)
    }

    /// Runs `job` on a separate thread in the namespace. Sockets that it opens stay in the
    /// namespace wherever they are used later. The thread's files are in `/proc/thread-self`.
    /// `/proc/sys/net` shows the namespace's settings.
    pub fn inside<T: Send>(&self, job: impl FnOnce() -> T + Send) -> T {
        let namespace = File::open(self.path()).expect("it exists as long as this value does");
        thread::scope(|scope| {
            scope
                .spawn(|| {
                    setns(namespace, CloneFlags::CLONE_NEWNET).expect("root may enter");
                    job()
                })
                .join()
        })
        .unwrap_or_else(|panic| panic::resume_unwind(panic))
    }

    /// Sets a kernel setting by its path under `/proc/sys`, such as `net/ipv4/ip_forward`.
    pub fn set(&self, setting: &str, value: &str) {
        self.inside(|| fs::write(Path::new("/proc/sys").join(setting), value))
            .unwrap_or_else(|error| panic!("cannot set {setting} to {value}: {error}"));
    }

    /// Loads rules in the format of iptables-save. Other tables of the backend do not change.
    ///
    /// # Panics
    /// If iptables refuses the rules.
    pub fn load(&self, backend: Backend, family: Family, rules: &str) {
        let program = program(backend, family, "restore");
        let mut command = self.command(&program);
        // All namespaces share one lock, so the command waits for it.
        command.arg("--wait").stdin(Stdio::piped());
        let mut child = command.spawn().expect("`ip` is installed");
        let mut stdin = child.stdin.take().expect("it is piped");
        stdin
            .write_all(rules.as_bytes())
            .expect("the command reads all of its input");
        drop(stdin);
        assert!(
            child.wait().expect("it was started").success(),
            "{program} refused the rules"
        );
    }

    /// The rules of a backend as its save command prints them, without counters.
    pub fn save(&self, backend: Backend, family: Family) -> String {
        self.run(&program(backend, family, "save"), &[])
    }

    /// Starts a process in the namespace that does nothing and ends when its value is dropped.
    pub fn resident(&self) -> Resident {
        Resident::start(self.command("cat"))
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        // A second failure during a failing test would end the program, so this one is only
        // printed.
        if let Err(error) = try_run(Command::new("ip").args(["netns", "delete", &self.name])) {
            eprintln!("{error}");
        }
    }
}

/// Removes the namespaces of killed runs: those with the id of a process that does not exist.
fn sweep() {
    for entry in fs::read_dir(DIRECTORY).into_iter().flatten().flatten() {
        let Ok(name) = entry.file_name().into_string() else {
            continue;
        };
        let pid = name
            .strip_prefix("cw-")
            .and_then(|rest| rest.split_once('-'))
            .map(|(pid, _)| pid);
        if pid.is_some_and(|pid| !Path::new("/proc").join(pid).exists()) {
            // Another suite may remove it at the same time.
            let _ = try_run(Command::new("ip").args(["netns", "delete", &name]));
        }
    }
}

/// A process that waits. It ends when this value is dropped.
#[derive(Debug)]
pub struct Resident {
    child: Child,
}

impl Resident {
    /// Starts `command`, which must copy its input to its output, as `cat` does.
    ///
    /// # Panics
    /// If it does not.
    pub fn start(mut command: Command) -> Self {
        let child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("`ip` is installed");
        let mut resident = Self { child };
        // `ip` becomes the program only after it has entered the namespace. An echo proves that it
        // has.
        let stdin = resident.child.stdin.as_mut().expect("it is piped");
        stdin.write_all(b"here\n").expect("it reads");
        let stdout = resident.child.stdout.as_mut().expect("it is piped");
        let mut line = String::new();
        BufReader::new(stdout)
            .read_line(&mut line)
            .expect("it answers with text");
        assert_eq!(line, "here\n", "the process in the namespace did not start");
        resident
    }

    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Resident {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A namespace like that of a pod, and the one at the other end of its `eth0`, which never answers.
#[derive(Debug)]
pub struct Pod {
    /// The namespace of the pod.
    pub namespace: Namespace,
    /// The other end: it has an interface `eth0` without an address.
    pub router: Namespace,
}

impl Pod {
    /// The pod's addresses on `eth0`.
    pub const ADDRESSES: [&str; 2] = ["10.244.1.5/24", "fd00:1::5/64"];
    /// The default routes' next hops.
    pub const ROUTERS: [&str; 2] = ["10.244.1.1", "fd00:1::1"];
    /// The hardware address of `eth0`.
    pub const MAC: &str = "02:00:00:00:00:05";
    /// The hardware address of the other end.
    pub const ROUTER_MAC: &str = "02:00:00:00:00:01";

    /// Creates a pod: `lo` and `eth0` are up with [`Self::ADDRESSES`], with default routes, without
    /// forwarding, without checks of source addresses. Neighbor entries are permanent, so that
    /// nothing waits for an answer. There is no link-local address, because the kernel sets one
    /// only after some time.
    pub fn new(label: &str) -> Self {
        let pod = Self {
            namespace: Namespace::new(label),
            router: Namespace::new(&format!("{label}-router")),
        };
        let (namespace, router) = (&pod.namespace, &pod.router);
        // The kernel uses the greater of the two values of rp_filter for a new interface.
        for setting in [
            "net/ipv4/conf/all/rp_filter",
            "net/ipv4/conf/default/rp_filter",
            "net/ipv4/ip_forward",
        ] {
            namespace.set(setting, "0");
        }
        namespace.ip("link set lo up");
        let (mac, router_mac) = (Self::MAC, Self::ROUTER_MAC);
        let router_name = router.name();
        namespace.ip(&format!(
            "link add eth0 address {mac} type veth peer name eth0 address {router_mac} netns {router_name}"
        ));
        for end in [router, namespace] {
            end.ip("link set eth0 addrgenmode none");
            end.ip("link set eth0 up");
        }
        wait_for("eth0 to be up", || {
            namespace.ip("-o link show eth0").contains("state UP")
        });
        for (address, next) in Self::ADDRESSES.iter().zip(Self::ROUTERS) {
            let nodad = if address.contains(':') { "nodad" } else { "" };
            namespace.ip(&format!("address add {address} dev eth0 {nodad}"));
            namespace.ip(&format!(
                "neighbour add {next} lladdr {router_mac} dev eth0 nud permanent"
            ));
            namespace.ip(&format!("route add default via {next} dev eth0"));
        }
        pod
    }
}

/// Waits until `condition` holds.
///
/// # Panics
/// If it does not hold within ten seconds.
pub fn wait_for(what: &str, condition: impl FnMut() -> bool) {
    assert!(try_wait_for(condition), "waited in vain for {what}");
}

/// Waits until `condition` holds, and returns whether it did within ten seconds.
pub fn try_wait_for(mut condition: impl FnMut() -> bool) -> bool {
    let start = Instant::now();
    while !condition() {
        if start.elapsed() >= PATIENCE {
            return false;
        }
        thread::yield_now();
    }
    true
}

/// The name of a program: `iptables-legacy-save`, `ip6tables-nft-restore` and so on.
pub fn program(backend: Backend, family: Family, task: &str) -> String {
    let tables = match family {
        Family::Ipv4 => "iptables",
        Family::Ipv6 => "ip6tables",
    };
    let backend = match backend {
        Backend::Legacy => "legacy",
        Backend::Nft => "nft",
    };
    format!("{tables}-{backend}-{task}")
}

fn ip(arguments: &[&str]) -> String {
    run(Command::new("ip").args(arguments))
}

fn run(command: &mut Command) -> String {
    try_run(command).unwrap_or_else(|error| panic!("{error}"))
}

fn try_run(command: &mut Command) -> Result<String, String> {
    let output = command
        .output()
        .map_err(|error| format!("{command:?}: {error}"))?;
    if output.status.success() {
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    } else {
        Err(format!(
            "{command:?}: {}: {}",
            output.status,
            String::from_utf8_lossy(&output.stderr)
        ))
    }
}
