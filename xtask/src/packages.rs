//! The programs that the tests of kernel and browser, and the benchmarks, drive: looked for, and
//! installed where that can be done without asking.

use std::{fs, path::Path, process::Command};

use anyhow::{Result, bail};

use crate::{
    cargo::run,
    progress::{problem, timed},
    target::on_path,
};

/// A command, and the Debian package that has it.
type Program = (&'static str, &'static str);

/// What a server would send of the page: its size is measured.
pub(crate) const BROTLI: Program = ("brotli", "brotli");

/// What the tests run.
const NEEDED: [Program; 7] = [
    ("ip", "iproute2"),
    ("iptables-nft-restore", "iptables"),
    ("nft", "nftables"),
    ("strace", "strace"),
    ("python3", "python3"),
    ("chromium", "chromium"),
    ("chromedriver", "chromium-driver"),
];

/// Makes sure that what the tests run is there, and `more`.
pub(crate) fn ensure(more: &[Program]) -> Result<()> {
    let needed = [&NEEDED[..], more].concat();
    let missing = missing(&needed, on_path);
    if missing.is_empty() {
        return Ok(());
    }
    if is_root() && Path::new("/etc/debian_version").exists() && on_path("apt-get") {
        return timed(&format!("installing {}", missing.join(" ")), || {
            apt_get(&["update", "--quiet"])?;
            let install = ["install", "--quiet", "--yes", "--no-install-recommends"];
            apt_get(&[&install[..], &missing].concat())
        });
    }
    for (command, package) in needed
        .iter()
        .filter(|(_, package)| missing.contains(package))
    {
        problem(format_args!(
            "`{command}` is missing (Debian package {package})"
        ));
    }
    bail!(
        "the last stage drives a kernel and a browser with these programs. On Debian this installs them:\n  \
         sudo apt-get update && sudo apt-get install --no-install-recommends {}\n\
         Elsewhere install what provides the commands named above. `cargo xtask test --fast` does without.",
        missing.join(" ")
    )
}

/// The packages whose command is not there.
fn missing(needed: &[Program], is_there: impl Fn(&str) -> bool) -> Vec<&'static str> {
    needed
        .iter()
        .filter(|(command, _)| !is_there(command))
        .map(|(_, package)| *package)
        .collect()
}

fn apt_get(arguments: &[&str]) -> Result<()> {
    // A fresh machine may still be updating itself: its turn first.
    let patience = ["-o", "DPkg::Lock::Timeout=300"];
    run(Command::new("apt-get")
        .args(patience)
        .args(arguments)
        .env("DEBIAN_FRONTEND", "noninteractive"))
}

/// Whether this runs as root, as the kernel tells.
fn is_root() -> bool {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    // Real, effective, saved and file-system uid.
    let uids = status.lines().find_map(|line| line.strip_prefix("Uid:"));
    uids.and_then(|uids| uids.split_whitespace().nth(1)) == Some("0")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_is_named_by_its_package() {
        assert_eq!(missing(&NEEDED, |_| true), [] as [&str; 0]);
        assert_eq!(
            missing(&NEEDED, |command| command == "ip" || command == "nft"),
            [
                "iptables",
                "strace",
                "python3",
                "chromium",
                "chromium-driver"
            ]
        );
    }
}
