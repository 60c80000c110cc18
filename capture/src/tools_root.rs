//! Decides whether the tools in `--tools-root` belong to the node itself.
//!
//! This program runs them as root, so only the node's root may have written them. The files of a
//! user have another owner. The root of a container owns the files that it writes, but these are in
//! the mounts and layers of the container and not in those of the node.

use std::collections::HashSet;
use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Component, Path, PathBuf};

use nix::errno::Errno;
use nix::fcntl::{OFlag, openat, readlinkat};
use nix::sys::stat::{Mode, SFlag, fstat};

use crate::capability;
use crate::failure::Failure;
use crate::machine::Machine;
use crate::mount::{Location, Mount, Mounts, mountinfo, open_path};
use crate::node::pids;
use crate::process::Identity;
use crate::tool::DIRECTORIES;

/// The directories in which runtimes store the file systems of containers. Some of these are not
/// overlays.
const CONTAINERS: [&str; 6] = [
    "/run/containerd",
    "/var/lib/containerd",
    "/var/lib/containers/storage",
    "/var/lib/docker",
    "/run/k3s",
    "/var/lib/kubelet/pods",
];

/// The files that the dynamic linker reads for every program, and its library directories.
const LINKER: [&str; 8] = [
    "/etc/ld.so.preload",
    "/etc/ld.so.cache",
    "/etc/ld-musl-x86_64.path",
    "/etc/ld-musl-aarch64.path",
    "/lib",
    "/lib64",
    "/usr/lib",
    "/usr/lib64",
];

/// The kernel's limit for symbolic links (`MAXSYMLINKS` of `linux/namei.h`).
const MAX_SYMLINKS: usize = 40;
/// The kernel's limit for interpreters (`exec_binprm` of `fs/exec.c`).
const MAX_INTERPRETERS: usize = 5;

/// A directory that the tools see as `/`.
pub(crate) struct ToolsRoot {
    /// The given path.
    pub(crate) given: PathBuf,
    directory: OwnedFd,
    mounts: Mounts,
    /// The mounts of process 1.
    init: Mounts,
    /// The places that containers may have written to.
    layers: HashSet<Location>,
}

/// Why a file is not trusted.
type Reason = String;
/// An open file, and its path below the directory.
type Found = (OwnedFd, PathBuf);

impl ToolsRoot {
    pub(crate) fn open(given: &Path, machine: &Machine) -> Result<Self, Failure> {
        let wrong =
            |reason: &str| Failure::Refused(format!("--tools-root {}: {reason}", given.display()));
        let real = given
            .canonicalize()
            .map_err(|error| wrong(&error.to_string()))?;
        // `/proc/PID/root` leads into a container, but its real path is that of the container's own
        // `/`.
        let absolute = std::path::absolute(given).map_err(|error| wrong(&error.to_string()))?;
        let is_proc =
            |path: &Path| path.components().nth(1) == Some(Component::Normal("proc".as_ref()));
        if is_proc(&absolute)
            || is_proc(&real)
            || CONTAINERS
                .iter()
                .any(|directory| real.starts_with(directory))
        {
            return Err(wrong(CONTAINER));
        }
        let directory = open_path(&real).map_err(|error| wrong(&error.to_string()))?;
        if !directory.metadata().is_ok_and(|data| data.is_dir()) {
            return Err(wrong("it is not a directory"));
        }
        let read = |pid: &str| {
            let file = mountinfo(machine, pid);
            Mounts::read(&file).map_err(|error| {
                wrong(&format!(
                    "cannot read {}: {error}{}",
                    file.display(),
                    capability::hint()
                ))
            })
        };
        let init = read("1")?;
        let mounts = Mounts::read(Path::new("/proc/self/mountinfo"))
            .map_err(|error| wrong(&error.to_string()))?;
        let layers = layers(machine, &real, &mounts, &init);
        let root = Self {
            given: given.to_owned(),
            directory: directory.into(),
            mounts,
            init,
            layers,
        };
        root.check(&root.directory, Path::new("/"))
            .map_err(|reason| root.refused(&reason))?;
        for path in LINKER {
            root.resolve(Path::new(path))?;
        }
        Ok(root)
    }

    /// A path to the directory that stays valid, also for other processes, if the directory is
    /// renamed.
    pub(crate) fn path(&self) -> PathBuf {
        format!(
            "/proc/{}/fd/{}",
            std::process::id(),
            self.directory.as_raw_fd()
        )
        .into()
    }

    /// The executable file of a path in this root. Its interpreters are checked, too.
    pub(crate) fn executable(&self, path: &Path) -> Result<Option<PathBuf>, Failure> {
        let Some((file, real)) = self.resolve(path)? else {
            return Ok(None);
        };
        let unreadable =
            |error: io::Error| self.refused(&format!("cannot read {}: {error}", path.display()));
        let is_executable = |file: &OwnedFd| {
            fstat(file).is_ok_and(|data| {
                data.st_mode & SFlag::S_IFMT.bits() == SFlag::S_IFREG.bits()
                    && data.st_mode & 0o111 != 0
            })
        };
        if !is_executable(&file) {
            return Ok(None);
        }
        let mut program = file;
        for _ in 0..MAX_INTERPRETERS {
            let readable =
                File::open(format!("/proc/self/fd/{}", program.as_raw_fd())).map_err(unreadable)?;
            let Some(next) = interpreter(readable).map_err(unreadable)? else {
                return Ok(Some(real));
            };
            if !next.is_absolute() {
                return Err(self.refused(&format!(
                    "{} has the interpreter {}, which is a relative path",
                    path.display(),
                    next.display()
                )));
            }
            let Some((file, _)) = self.resolve(&next)? else {
                return Err(self.refused(&format!(
                    "{} needs {}, which is missing there",
                    path.display(),
                    next.display()
                )));
            };
            program = file;
        }
        Err(self.refused(&format!("{} has too many interpreters", path.display())))
    }

    fn refused(&self, reason: &str) -> Failure {
        Failure::Refused(format!("--tools-root {}: {reason}", self.given.display()))
    }

    /// Follows a path as a process with this directory as `/` would, and checks every step. `None`
    /// for a missing file.
    fn resolve(&self, path: &Path) -> Result<Option<Found>, Failure> {
        let (found, reason) = self
            .follow(path)
            .map_err(|error| self.refused(&format!("cannot follow {}: {error}", path.display())))?;
        // If no file is found, none is run.
        match (found, reason) {
            (Some(_), Some(reason)) => Err(self.refused(&reason)),
            (found, _) => Ok(found),
        }
    }

    fn follow(&self, path: &Path) -> io::Result<(Option<Found>, Option<Reason>)> {
        let mut names = split_path(path);
        // The directories from `/` to the current one.
        let mut way: Vec<Found> = vec![(self.directory.try_clone()?, "/".into())];
        let (mut reason, mut links) = (None, 0);
        while let Some(name) = names.pop() {
            let (directory, place) = way
                .last()
                .expect("it begins with `/`, which is never taken away");
            if name == ".." {
                if way.len() > 1 {
                    way.pop();
                }
                continue;
            }
            let flags = OFlag::O_PATH | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
            let file = match openat(directory, name.as_os_str(), flags, Mode::empty()) {
                Ok(file) => file,
                Err(Errno::ENOENT | Errno::ENOTDIR) => return Ok((None, reason)),
                Err(error) => return Err(error.into()),
            };
            let place = place.join(&name);
            reason = reason.or_else(|| self.check(&file, &place).err());
            if fstat(&file)?.st_mode & SFlag::S_IFMT.bits() != SFlag::S_IFLNK.bits() {
                way.push((file, place));
                continue;
            }
            links += 1;
            if links > MAX_SYMLINKS {
                return Err(Errno::ELOOP.into());
            }
            let target: PathBuf = readlinkat(&file, "")?.into();
            if target.is_absolute() {
                way.truncate(1);
            }
            names.append(&mut split_path(&target));
        }
        Ok((way.pop(), reason))
    }

    /// Checks that only the node's root can have written this file or directory.
    fn check(&self, file: impl AsFd, place: &Path) -> Result<(), Reason> {
        let place = place.display();
        let data = fstat(&file).map_err(|error| format!("cannot look at {place}: {error}"))?;
        let kind = data.st_mode & SFlag::S_IFMT.bits();
        if data.st_uid != 0 {
            return Err(format!(
                "others than root may write there: {place} belongs to user {}",
                data.st_uid
            ));
        }
        // In a directory with the sticky bit, such as /nix/store, only root can replace root's
        // files.
        let is_sticky = kind == SFlag::S_IFDIR.bits() && data.st_mode & 0o1000 != 0;
        let is_link = kind == SFlag::S_IFLNK.bits();
        if !is_link && data.st_mode & 0o002 != 0 {
            return Err(format!(
                "others than root may write there: {place} is writable by everyone"
            ));
        }
        if !is_link && data.st_mode & 0o020 != 0 && data.st_gid != 0 && !is_sticky {
            return Err(format!(
                "others than root may write there: {place} is writable by group {}",
                data.st_gid
            ));
        }
        let Some((mount, location)) = self.mounts.locate(&file) else {
            return Err(format!("cannot determine the mount of {place}"));
        };
        if !self.init.0.iter().any(|own| own.source == mount.source) {
            return Err(format!(
                "{place} is in a mount that process 1 of this machine does not have: {CONTAINER}"
            ));
        }
        if is_layered(mount) && !is_of_the_system(&self.init, mount) {
            return Err(format!(
                "{place} is in a file system of type {}: {CONTAINER}",
                mount.kind
            ));
        }
        if self.layers.iter().any(|layer| location.is_inside(layer)) {
            return Err(format!("{place} is in a layer of an overlay: {CONTAINER}"));
        }
        Ok(())
    }
}

const CONTAINER: &str =
    "this is a container's file system, where the container may have written any program";

/// The components of a path. The first one is last in the list.
fn split_path(path: &Path) -> Vec<OsString> {
    path.components()
        .rev()
        .filter_map(|component: Component| match component {
            Component::Normal(name) => Some(name.to_owned()),
            Component::ParentDir => Some("..".into()),
            _ => None,
        })
        .collect()
}

/// Whether a file system consists of others, or is served by a program.
fn is_layered(mount: &Mount) -> bool {
    mount.kind == "overlay" || mount.kind == "fuse" || mount.kind.starts_with("fuse.")
}

/// Whether process 1 has it mounted where its own programs are: at `/`, or at `/usr` as with
/// systemd-sysext.
fn is_of_the_system(init: &Mounts, mount: &Mount) -> bool {
    init.0.iter().any(|own| {
        own.source == mount.source && system_places().any(|place| place.starts_with(&own.point))
    })
}

fn system_places() -> impl Iterator<Item = &'static Path> {
    DIRECTORIES.iter().chain(&LINKER).map(Path::new)
}

/// The directories of all overlays except the system's own, as far as processes show their mounts.
/// `real` is the directory of the tools.
fn layers(machine: &Machine, real: &Path, own: &Mounts, init: &Mounts) -> HashSet<Location> {
    let system: Vec<Location> = system_places()
        .filter_map(|place| init.locate_path(place))
        .collect();
    // A container may read the node's own `/`, but an overlay does not let it write there.
    let is_own = |location: &Location| system.iter().any(|place| place.is_inside(location));
    let (mut layers, mut seen, mut overlays) = (HashSet::new(), HashSet::new(), HashSet::new());
    let mut add = |mounts: &Mounts| {
        let others = mounts
            .0
            .iter()
            .filter(|mount| mount.kind == "overlay" && !is_of_the_system(init, mount));
        for mount in others.filter(|mount| overlays.insert(mount.options.clone())) {
            let locate = |path: &PathBuf| locate_layer(machine, path, real, [own, init, mounts]);
            let (lower, upper) = mount.layers();
            layers.extend(
                lower
                    .iter()
                    .flat_map(locate)
                    .filter(|location| !is_own(location)),
            );
            layers.extend(upper.iter().flat_map(locate));
        }
    };
    add(own);
    add(init);
    for pid in pids(machine) {
        let namespace = Identity::at(&machine.path(format!("proc/{pid}/ns/mnt")));
        if namespace.is_ok_and(|namespace| seen.insert(namespace))
            && let Ok(mounts) = Mounts::read(&mountinfo(machine, &pid.to_string()))
        {
            add(&mounts);
        }
    }
    layers
}

/// The possible places of a layer. Its path was valid in an unknown mount namespace.
fn locate_layer(
    machine: &Machine,
    path: &Path,
    real: &Path,
    mounts: [&Mounts; 3],
) -> Vec<Location> {
    let [_, init, _] = mounts;
    // A runtime with many layers uses paths relative to a directory, which is also unknown.
    let paths: Vec<PathBuf> = if path.is_absolute() {
        vec![path.to_owned()]
    } else {
        real.ancestors().map(|above| above.join(path)).collect()
    };
    let locations = paths.iter().flat_map(|path| {
        // Docker's names of layers are symbolic links, so the path is opened.
        let below = path.strip_prefix("/").unwrap_or(path);
        let opened = open_path(&machine.path("proc/1/root").join(below)).ok();
        let opened = opened.and_then(|file| Some(init.locate(&file)?.1));
        mounts
            .map(|mounts| mounts.locate_path(path))
            .into_iter()
            .chain([opened])
            .flatten()
    });
    locations.collect()
}

/// The program that the kernel starts to run this one: the dynamic linker of an ELF file (elf(5),
/// `PT_INTERP`), or the interpreter in the first line of a script.
fn interpreter(mut file: File) -> io::Result<Option<PathBuf>> {
    let mut head = Vec::new();
    file.by_ref().take(4096).read_to_end(&mut head)?;
    if let Some(line) = head.strip_prefix(b"#!") {
        let line = line.split(|&byte| byte == b'\n').next().unwrap_or_default();
        let word = line
            .split(|byte| b" \t\r\0".contains(byte))
            .find(|word| !word.is_empty());
        return Ok(word.map(|word| OsStr::from_bytes(word).into()));
    }
    Elf::parse_header(&head).map_or(Ok(None), |elf| elf.interpreter(&mut file))
}

/// The position of the program headers in an ELF file.
struct Elf {
    is_64: bool,
    is_little: bool,
    table: u64,
    entry: u64,
    count: u64,
}

impl Elf {
    fn parse_header(head: &[u8]) -> Option<Self> {
        let (is_64, is_little) = match head {
            [0x7f, b'E', b'L', b'F', class @ (1 | 2), order @ (1 | 2), ..] => {
                (*class == 2, *order == 1)
            }
            _ => return None,
        };
        let number = |at, length| number(head, at, length, is_little);
        let (table, entry, count) = if is_64 {
            (number(32, 8)?, number(54, 2)?, number(56, 2)?)
        } else {
            (number(28, 4)?, number(42, 2)?, number(44, 2)?)
        };
        Some(Self {
            is_64,
            is_little,
            table,
            entry,
            count,
        })
    }

    fn interpreter(&self, file: &mut File) -> io::Result<Option<PathBuf>> {
        const PT_INTERP: u64 = 3;
        for place in 0..self.count {
            let segment = read_at(
                file,
                self.table.saturating_add(place * self.entry),
                self.entry,
            )?;
            let number = |at, length| number(&segment, at, length, self.is_little);
            if number(0, 4) != Some(PT_INTERP) {
                continue;
            }
            let (offset, length) = if self.is_64 {
                (number(8, 8), number(32, 8))
            } else {
                (number(4, 4), number(16, 4))
            };
            let (Some(offset), Some(length @ 1..=4096)) = (offset, length) else {
                continue;
            };
            let path = read_at(file, offset, length)?;
            let path = path.split(|&byte| byte == 0).next().unwrap_or_default();
            return Ok(Some(OsStr::from_bytes(path).into()));
        }
        Ok(None)
    }
}

fn read_at(file: &mut File, offset: u64, length: u64) -> io::Result<Vec<u8>> {
    file.seek(SeekFrom::Start(offset))?;
    let mut bytes = Vec::new();
    file.by_ref().take(length).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn number(bytes: &[u8], at: usize, length: usize, is_little: bool) -> Option<u64> {
    let bytes = bytes.get(at..at + length)?;
    let add = |number: u64, byte: &u8| number << 8 | u64::from(*byte);
    Some(if is_little {
        bytes.iter().rev().fold(0, add)
    } else {
        bytes.iter().fold(0, add)
    })
}
