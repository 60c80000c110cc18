//! Finds the save commands of this machine, and nft.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use chainwalk_core::netfilter::backend::Backend;
use chainwalk_core::packet::Family;

use crate::failure::Failure;

/// The directories to search, in this order. They are fixed, so that the environment of the caller
/// cannot choose what root runs.
pub(crate) const DIRECTORIES: [&str; 7] = [
    "/usr/sbin",
    "/sbin",
    "/usr/bin",
    "/bin",
    "/usr/local/sbin",
    "/usr/local/bin",
    // NixOS.
    "/run/current-system/sw/bin",
];

/// A save command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Tool {
    /// The path to run.
    pub(crate) path: PathBuf,
    /// The file that the path leads to. One file has many names.
    pub(crate) file: PathBuf,
    /// The file name of the path.
    pub(crate) name: String,
    /// The family that it prints.
    pub(crate) family: Family,
    /// The backend that it reads.
    pub(crate) backend: Backend,
}

/// Resolves a path to an executable file, or to none.
pub(crate) type LookUp<'a> = dyn Fn(&Path) -> Result<Option<PathBuf>, Failure> + 'a;

/// Finds the save commands, at most one for each family and backend. `version` returns the output
/// of a command for `--version`.
pub(crate) fn find(
    look_up: &LookUp,
    version: &dyn Fn(&Path) -> String,
) -> Result<Vec<Tool>, Failure> {
    let mut tools = Vec::new();
    for family in [Family::Ipv4, Family::Ipv6] {
        for backend in [Backend::Legacy, Backend::Nft] {
            let name = name(family, Some(backend));
            if let Some((path, file)) = find_one(look_up, &name)? {
                tools.push(Tool {
                    path,
                    file,
                    name,
                    family,
                    backend,
                });
            }
        }
        // Some distributions have only one backend, under the plain name. If both are there, the
        // plain name is one of them.
        if tools.iter().filter(|tool| tool.family == family).count() == 2 {
            continue;
        }
        let name = name(family, None);
        if let Some((path, file)) = find_one(look_up, &name)? {
            let backend = backend(&version(&path));
            if !tools
                .iter()
                .any(|tool| (tool.family, tool.backend) == (family, backend))
            {
                tools.push(Tool {
                    path,
                    file,
                    name,
                    family,
                    backend,
                });
            }
        }
    }
    Ok(tools)
}

/// The command that lists all of nf_tables.
pub(crate) fn find_nft(look_up: &LookUp) -> Result<Option<PathBuf>, Failure> {
    Ok(find_one(look_up, "nft")?.map(|(path, _)| path))
}

/// The first of [`DIRECTORIES`] that has the command, and the file that it leads to.
fn find_one(look_up: &LookUp, name: &str) -> Result<Option<(PathBuf, PathBuf)>, Failure> {
    for directory in DIRECTORIES {
        let path = Path::new(directory).join(name);
        if let Some(file) = look_up(&path)? {
            return Ok(Some((path, file)));
        }
    }
    Ok(None)
}

/// Resolves a path of the own system.
pub(crate) fn own_executable(path: &Path) -> Result<Option<PathBuf>, Failure> {
    let is_executable = path
        .metadata()
        .is_ok_and(|data| data.is_file() && data.permissions().mode() & 0o111 != 0);
    Ok(is_executable.then(|| path.canonicalize().unwrap_or_else(|_| path.to_owned())))
}

/// The name of a family's save command, for one backend or without one.
pub(crate) fn name(family: Family, backend: Option<Backend>) -> String {
    let program = program(family);
    match backend {
        Some(Backend::Legacy) => format!("{program}-legacy-save"),
        Some(Backend::Nft) => format!("{program}-nft-save"),
        None => format!("{program}-save"),
    }
}

/// The prefix of a family's commands.
pub(crate) fn program(family: Family) -> &'static str {
    match family {
        Family::Ipv4 => "iptables",
        Family::Ipv6 => "ip6tables",
    }
}

/// Parses `iptables-save v1.8.9 (nf_tables)`. Before 1.8 there was one backend, and not every
/// version had the option.
fn backend(version: &str) -> Backend {
    if version.trim_end().ends_with("(nf_tables)") {
        Backend::Nft
    } else {
        Backend::Legacy
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn check(names: &[&str], version: &str, expected: &[(&str, Backend)]) {
        let look_up = |path: &Path| {
            let is_there = names
                .iter()
                .any(|name| path == Path::new("/usr/bin").join(name));
            Ok(is_there.then(|| path.to_owned()))
        };
        let found = find(&look_up, &|_| version.to_owned()).expect("nothing is refused");
        let found: Vec<(&str, Backend)> = found
            .iter()
            .map(|tool| (tool.name.as_str(), tool.backend))
            .collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn both_backends() {
        let all = [
            "iptables-legacy-save",
            "iptables-nft-save",
            "iptables-save",
            "ip6tables-nft-save",
        ];
        let expected = [
            ("iptables-legacy-save", Backend::Legacy),
            ("iptables-nft-save", Backend::Nft),
            ("ip6tables-nft-save", Backend::Nft),
        ];
        check(&all, "iptables-save v1.8.9 (nf_tables)", &expected);
    }

    #[test]
    fn the_plain_name_stands_for_the_backend_it_tells() {
        let plain = ["iptables-save"];
        check(
            &plain,
            "iptables-save v1.8.9 (nf_tables)",
            &[("iptables-save", Backend::Nft)],
        );
        check(
            &plain,
            "iptables-save v1.8.9 (legacy)",
            &[("iptables-save", Backend::Legacy)],
        );
        check(&plain, "", &[("iptables-save", Backend::Legacy)]);
        let expected = [
            ("iptables-nft-save", Backend::Nft),
            ("iptables-save", Backend::Legacy),
        ];
        check(
            &["iptables-nft-save", "iptables-save"],
            "v1.8.7 (legacy)",
            &expected,
        );
    }

    #[test]
    fn what_cannot_be_run_is_no_command() {
        let directory = tempfile::tempdir().expect("the temporary directory is writable");
        let file = directory.path().join("iptables-save");
        fs::write(&file, "").expect("writable");
        assert_eq!(own_executable(&file), Ok(None));
        fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).expect("its owner");
        let real = file.canonicalize().expect("it exists");
        assert_eq!(own_executable(&file), Ok(Some(real)));
        assert_eq!(own_executable(directory.path()), Ok(None));
    }
}
