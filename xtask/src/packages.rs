//! The programs that the tests of kernel and browser and the benchmarks use: finds them, and
//! installs them if no question is necessary.

use std::{fs, path::Path, process::Command};

use anyhow::{Result, bail};

use crate::{
    cargo::run,
    progress::{problem, timed},
    target::on_path,
};

/// A command, and the Debian package that contains it.
type Program = (&'static str, &'static str);

/// Measures the size of the page after compression by a server.
pub(crate) const BROTLI: Program = ("brotli", "brotli");

/// The programs of the tests.
const NEEDED: [Program; 7] = [
    ("ip", "iproute2"),
    ("iptables-nft-restore", "iptables"),
    ("nft", "nftables"),
    ("strace", "strace"),
    ("python3", "python3"),
    ("chromium", "chromium"),
    ("chromedriver", "chromium-driver"),
];

/// Ensures that the programs of the tests and `more` are installed.
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

/// The packages whose command is missing.
fn missing(needed: &[Program], is_there: impl Fn(&str) -> bool) -> Vec<&'static str> {
    needed
        .iter()
        .filter(|(command, _)| !is_there(command))
        .map(|(_, package)| *package)
        .collect()
}

fn apt_get(arguments: &[&str]) -> Result<()> {
    // A new machine may still be installing updates, so this waits for them.
    let patience = ["-o", "DPkg::Lock::Timeout=300"];
    run(Command::new("apt-get")
        .args(patience)
        .args(arguments)
        .env("DEBIAN_FRONTEND", "noninteractive"))
}

/// Whether the process is root.
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
