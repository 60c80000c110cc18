//! The origin of the tools: those of the node, wherever it is mounted, and never those of a
//! container.

use std::process::{Command, Output};

use chainwalk_core::input::capture::Capture;
use chainwalk_core::netfilter::backend::Backend;
use chainwalk_tests::namespace::{Pod, Resident};

use crate::machine::Root;
use crate::{SIDECAR, binary, sidecar};

/// Shell functions: a small system with one tool, and a container's `/` around the program under
/// test.
const FUNCTIONS: &str = r##"
tree() {
    mkdir -p "$1"/usr/sbin "$1"/usr/bin "$1"/usr/lib "$1"/usr/lib64 "$1"/proc "$1"/etc
    for name in sbin bin lib lib64; do [ -e "$1/$name" ] || ln -s usr/$name "$1/$name"; done
    cp -L /bin/sh "$1/usr/bin/sh"
    for file in $(ldd /bin/sh | grep -o '/[^ ]*'); do
        mkdir -p "$1$(dirname "$file")"
        cp -L "$file" "$1$file"
    done
    printf '#!/bin/sh\necho "*filter"\necho "# by the tools of $(read -r name < /etc/hostname; echo "$name")"\n' \
        > "$1/usr/sbin/iptables-legacy-save"
    chmod 755 "$1/usr/sbin/iptables-legacy-save"
    echo "${2:-tree}" > "$1/etc/hostname"
}
container() {
    mkdir -p "$1"
    mount -t tmpfs -o mode=755 none "$1"
    mkdir "$1/host" "$1/proc" "$1/sys" "$1/tmp"
    mount --rbind /proc "$1/proc"
    for path in /bin /lib /lib64 /usr; do
        [ -e $path ] || continue
        mkdir "$1$path"
        mount --bind "$(readlink -f $path)" "$1$path"
    done
    cp "$program" "$1/program"
}
"##;

/// A directory with a machine. Its process 1 is in the mount namespace that `node` creates.
struct Case {
    root: Root,
    pid: u32,
    _pod: Pod,
    _resident: Resident,
    init: Resident,
}

impl Case {
    /// Starts `node` as root in a mount namespace of its own. `$1` is the directory of the case. It
    /// becomes a `cat`.
    fn new(label: &str, node: &str) -> Self {
        let root = Root::new(label);
        let (pod, resident) = sidecar(label, Backend::Nft, SIDECAR);
        root.add(resident.pid(), "0::/\n");
        let mut command = Command::new("unshare");
        command
            .args([
                "--mount",
                "sh",
                "-ec",
                &format!("{FUNCTIONS}\n{node}"),
                "sh",
            ])
            .arg(&root.0);
        let init = Resident::start(command);
        let first = root.0.join("proc/1");
        std::os::unix::fs::symlink(format!("/proc/{}", init.pid()), first).expect("writable");
        Self {
            pid: resident.pid(),
            root,
            _pod: pod,
            _resident: resident,
            init,
        }
    }

    /// Runs `script` in the mount namespace of the node. `$program` is the program under test with
    /// the machine, `$1` the directory.
    fn run(&self, script: &str) -> Output {
        let script = format!(
            "program={}\n{FUNCTIONS}\nasked=\"--root $1 --pid {}\"\n{script}",
            binary().display(),
            self.pid
        );
        Command::new("nsenter")
            .arg(format!("--mount=/proc/{}/ns/mnt", self.init.pid()))
            .args(["unshare", "--mount", "sh", "-ec", &script, "sh"])
            .arg(&self.root.0)
            .output()
            .expect("nsenter is installed")
    }

    /// Checks that the tools run.
    fn check_runs(&self, script: &str, printed: &str) {
        let output = self.run(script);
        let stderr = String::from_utf8_lossy(&output.stderr);
        let capture: Capture = serde_json::from_slice(&output.stdout)
            .unwrap_or_else(|_| panic!("{script}: no capture: {stderr}"));
        let text: String = capture
            .rulesets
            .iter()
            .map(|rules| rules.text.as_str())
            .collect();
        assert!(text.contains(printed), "{script}: {text} {stderr}");
    }

    /// Checks that no tool runs and no rules are printed.
    fn check_refused(&self, script: &str, reason: &str) {
        let output = self.run(script);
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(
            (output.status.code(), output.stdout.len()),
            (Some(1), 0),
            "{script}: {stderr}"
        );
        assert!(
            stderr.contains(reason) && stderr.contains("--tools-root"),
            "{script}: {stderr}"
        );
    }
}

const PLAIN: &str = "exec cat";

#[test]
fn the_nodes_directory_in_a_container() {
    let case = Case::new("plain-node", PLAIN);
    let container = "container $1/c; mount --rbind / $1/c/host; ";
    let asked = "mkdir -p $1/c$1; mount --rbind $1 $1/c$1; exec chroot $1/c /program --tools-root /host $asked";
    case.check_runs(&format!("{container}{asked}"), "ISTIO_OUTPUT");
    // A part that the container has mounted over.
    let over = "tree $1/c/tmp/evil; mount --bind $1/c/tmp/evil/usr/sbin $1/c/host/usr/sbin; ";
    case.check_refused(
        &format!("{container}{over}{asked}"),
        "process 1 of this machine does not have",
    );
    // A directory of the container itself.
    let own = asked.replace("--tools-root /host", "--tools-root /tmp/tools");
    case.check_refused(
        &format!("{container}tree $1/c/tmp/tools; {own}"),
        "process 1 of this machine does not have",
    );
}

#[test]
fn a_node_whose_root_is_an_overlay() {
    let node = "
        mkdir -p $1/layers; mount -t tmpfs -o mode=755 none $1/layers
        mkdir $1/layers/lower $1/layers/upper $1/layers/work $1/layers/node
        tree $1/layers/lower 'the overlay'
        mount -t overlay none -o lowerdir=$1/layers/lower,upperdir=$1/layers/upper,workdir=$1/layers/work $1/layers/node
        mkdir -p $1/layers/node/lib $1/layers/node$1
        mount --rbind /proc $1/layers/node/proc
        cp -L /bin/cat $1/layers/node/usr/bin/cat
        for file in $(ldd /bin/cat | grep -o '/[^ ]*'); do cp -L $file $1/layers/node$file; done
        exec chroot $1/layers/node /bin/cat";
    let case = Case::new("overlay-node", node);
    let container = "container $1/c; mount --rbind $1/layers/node $1/c/host; mkdir -p $1/c$1; mount --rbind $1 $1/c$1
        exec chroot $1/c /program --tools-root /host $asked";
    case.check_runs(container, "by the tools of the overlay");
}

#[test]
fn a_node_with_a_separate_usr() {
    let node = "
        mkdir -p $1/node; mount -t tmpfs -o mode=755 none $1/node
        tree $1/usr-disk 'the separate usr'
        mkdir -p $1/node/usr $1/node/etc $1/node/proc
        for name in sbin bin lib lib64; do ln -s usr/$name $1/node/$name; done
        cp $1/usr-disk/etc/hostname $1/node/etc/
        cp -L /bin/cat $1/usr-disk/usr/bin/cat
        mount --bind $1/usr-disk/usr $1/node/usr
        mount --rbind /proc $1/node/proc
        for file in $(ldd /bin/cat | grep -o '/[^ ]*'); do cp -L $file $1/node$file; done
        exec chroot $1/node /bin/cat";
    let case = Case::new("separate-usr", node);
    let container =
        "container $1/c; mount --rbind $1/node $1/c/host; mkdir -p $1/c$1; mount --rbind $1 $1/c$1
        exec chroot $1/c /program --tools-root /host $asked";
    case.check_runs(container, "by the tools of the separate usr");
}

#[test]
fn the_toolbox_of_container_optimized_os() {
    // The node fills it, in a file system that is mounted again so that programs can run from it.
    let node = "
        mkdir -p $1/stateful/toolbox $1/toolbox
        tree $1/stateful/toolbox/root-debian 'the toolbox'
        mount --bind $1/stateful/toolbox $1/toolbox; mount -o remount,bind,exec $1/toolbox
        exec cat";
    let case = Case::new("toolbox", node);
    case.check_runs(
        "exec $program --tools-root $1/toolbox/root-debian/ $asked",
        "by the tools of the toolbox",
    );
}

#[test]
fn no_layer_of_a_container_lends_its_tools() {
    let node = "
        mkdir -p $1/moved/1 $1/moved/2 $1/moved/work $1/moved/merged
        tree $1/moved/1; tree $1/moved/2; exec cat";
    let case = Case::new("layers", node);
    // The overlay of the container is only in its own mount namespace, and its layers are not where
    // runtimes store them.
    let layers = "lowerdir=$1/moved/1,upperdir=$1/moved/2,workdir=$1/moved/work";
    let relative = "lowerdir=1:merged,upperdir=2,workdir=work";
    let start = |options: &str| {
        let script =
            format!("cd $1/moved; mount -t overlay none -o {options} $1/moved/merged; exec cat");
        let mut command = Command::new("nsenter");
        command.arg(format!("--mount=/proc/{}/ns/mnt", case.init.pid()));
        command
            .args(["unshare", "--mount", "sh", "-ec", &script, "sh"])
            .arg(&case.root.0);
        Resident::start(command)
    };
    let refused = |tools: &str| {
        case.check_refused(
            &format!("exec $program --tools-root {tools} $asked"),
            "a container's file system",
        );
    };
    case.check_runs(
        "exec $program --tools-root $1/moved/1 $asked",
        "by the tools of tree",
    );
    for options in [layers, relative] {
        let container = start(options);
        case.root.add(container.pid(), "0::/\n");
        for tools in ["$1/moved/1", "$1/moved/2"] {
            refused(tools);
        }
        // Another path to the same place is also refused.
        let other = "mkdir -p $1/other; mount --bind $1/moved $1/other; exec $program --tools-root $1/other/2 $asked";
        case.check_refused(other, "a container's file system");
    }
    // An overlay that process 1 has mounted, too, but not for its own programs.
    let node = "
        mkdir -p $1/moved/1 $1/moved/2 $1/moved/work $1/moved/merged; tree $1/moved/1
        mount -t overlay none -o lowerdir=$1/moved/1,upperdir=$1/moved/2,workdir=$1/moved/work $1/moved/merged
        exec cat";
    let case = Case::new("merged", node);
    let refused = "exec $program --tools-root $1/moved/merged $asked";
    case.check_refused(refused, "in a file system of type overlay");
}

#[test]
fn nobody_but_root_may_have_written_the_tools() {
    let case = Case::new("written", PLAIN);
    let check = |change: &str, reason: Option<&str>| {
        let script = format!(
            "rm -rf $1/tools; tree $1/tools\ncd $1/tools\n{change}\nexec $program --tools-root $1/tools $asked"
        );
        match reason {
            Some(reason) => case.check_refused(&script, reason),
            None => case.check_runs(&script, "by the tools of tree"),
        }
    };
    let tool = "usr/sbin/iptables-legacy-save";
    check("", None);
    check("chown 1000 .", Some("/ belongs to user 1000"));
    check("chown 1000 usr", Some("/usr belongs to user 1000"));
    check(
        "chmod o+w usr/sbin",
        Some("/usr/sbin is writable by everyone"),
    );
    check(
        &format!("chown 1000 {tool}"),
        Some("iptables-legacy-save belongs to user 1000"),
    );
    check(
        &format!("chgrp 1000 {tool}; chmod g+w {tool}"),
        Some("iptables-legacy-save is writable by group 1000"),
    );
    check(&format!("chmod g+w {tool}"), None);
    // The interpreter of the script, and the interpreter of that.
    check(
        "chown 1000 usr/bin/sh",
        Some("/usr/bin/sh belongs to user 1000"),
    );
    check(
        "chmod o+w $(readlink -f lib64/ld-linux-*.so.* lib/ld-linux-*.so.* | head -1)",
        Some("is writable by everyone"),
    );
    check(
        ": > etc/ld.so.preload; chown 1000 etc/ld.so.preload",
        Some("/etc/ld.so.preload belongs to user 1000"),
    );
    // Links are followed as the tools see them.
    check(
        &format!("mkdir opt; chmod 755 opt; mv {tool} opt/save; ln -s /opt/save {tool}"),
        None,
    );
    check(
        &format!("mkdir opt; chown 1000 opt; mv {tool} opt/save; ln -s /opt/save {tool}"),
        Some("/opt belongs to user"),
    );
    check(
        &format!("mkdir opt; mv {tool} opt/save; ln -s ../../../../../opt/save {tool}"),
        None,
    );
    check(
        &format!("ln -sf save {tool}; ln -sf iptables-legacy-save usr/sbin/save"),
        Some("cannot follow"),
    );
    // A directory without a tool may belong to anyone.
    check("mkdir -p usr/local/sbin; chown 1000 usr/local", None);
    // In a directory with the sticky bit, such as /nix/store, other users cannot replace root's files.
    check(
        &format!(
            "mkdir nix; chgrp 1000 nix; chmod 1775 nix; mv {tool} nix/save; ln -s /nix/save {tool}"
        ),
        None,
    );
}

#[test]
fn what_is_no_system_is_refused() {
    let case = Case::new("no-system", PLAIN);
    for (tools, reason) in [
        ("/nonexistent", "No such file"),
        ("/etc/passwd", "not a directory"),
        ("/tmp", "others than root may write"),
        ("/proc/self/root", "a container's file system"),
        ("/proc/$$/root", "a container's file system"),
    ] {
        case.check_refused(
            &format!("exec $program --tools-root {tools} $asked"),
            reason,
        );
    }
}
