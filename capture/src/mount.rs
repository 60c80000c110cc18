//! Mounts, as `/proc/PID/mountinfo` lists them (proc_pid_mountinfo(5)).

use std::ffi::OsString;
use std::fs::{self, File};
use std::io;
use std::os::fd::{AsFd, AsRawFd};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

use crate::process::read_limited;

/// The maximum length of `mountinfo`. A node with a thousand containers has a megabyte.
const MAX_MOUNTINFO: usize = 16 << 20;

/// A mount.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Mount {
    id: u32,
    /// The file system, and the mounted directory in it.
    pub(crate) source: Location,
    /// The mount point.
    pub(crate) point: PathBuf,
    pub(crate) is_read_only: bool,
    /// The type of the file system.
    pub(crate) kind: String,
    /// The options of the file system.
    pub(crate) options: String,
}

/// A place in a file system, independent of mounts.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Location {
    /// Major and minor device number.
    device: String,
    path: PathBuf,
}

impl Location {
    /// Whether this place is a path of its file system, or contains it. A control group above those
    /// that this program sees begins with `/..` and contains all of them.
    pub(crate) fn holds(&self, path: &str) -> bool {
        Path::new(path).starts_with(&self.path) || self.path.starts_with("/..")
    }

    /// Whether it is `other`, or within it.
    pub(crate) fn is_inside(&self, other: &Self) -> bool {
        self.device == other.device && self.path.starts_with(&other.path)
    }
}

/// The mounts of a mount namespace. A mount comes after those that it covers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Mounts(pub(crate) Vec<Mount>);

impl Mounts {
    /// Reads a `mountinfo` file.
    pub(crate) fn read(path: &Path) -> io::Result<Self> {
        Ok(Self(
            read_limited(path, MAX_MOUNTINFO)?
                .split(|&byte| byte == b'\n')
                .filter_map(parse)
                .collect(),
        ))
    }

    /// The place of an open file that these mounts contain.
    pub(crate) fn locate(&self, file: impl AsFd) -> Option<(&Mount, Location)> {
        let descriptor = file.as_fd().as_raw_fd();
        let info = fs::read_to_string(format!("/proc/self/fdinfo/{descriptor}")).ok()?;
        let id: u32 = info
            .lines()
            .find_map(|line| line.strip_prefix("mnt_id:"))?
            .trim()
            .parse()
            .ok()?;
        let mount = self.0.iter().find(|mount| mount.id == id)?;
        let path = fs::read_link(format!("/proc/self/fd/{descriptor}")).ok()?;
        Some((mount, mount.locate(&path)?))
    }

    /// The place of a path, as far as mounts determine it.
    pub(crate) fn locate_path(&self, path: &Path) -> Option<Location> {
        // If several mounts have one mount point, the last one covers the others.
        self.0
            .iter()
            .filter(|mount| path.starts_with(&mount.point))
            .max_by_key(|mount: &&Mount| mount.point.components().count())?
            .locate(path)
    }
}

impl Mount {
    fn locate(&self, path: &Path) -> Option<Location> {
        let path = self.source.path.join(path.strip_prefix(&self.point).ok()?);
        Some(Location {
            device: self.source.device.clone(),
            path,
        })
    }

    /// The directories of an overlay: the read-only ones and the writable ones.
    pub(crate) fn layers(&self) -> (Vec<PathBuf>, Vec<PathBuf>) {
        let (mut lower, mut upper) = (Vec::new(), Vec::new());
        for option in self.options.split(',') {
            let Some((name, value)) = option.split_once('=') else {
                continue;
            };
            let value = unescape(value.as_bytes());
            match name {
                // From Linux 6.5 on, each layer may have an option of its own.
                "lowerdir" | "lowerdir+" | "datadir+" => lower.append(&mut split(value.as_bytes())),
                "upperdir" | "workdir" => upper.push(value.into()),
                _ => {}
            }
        }
        (lower, upper)
    }
}

/// Splits the directories of a `lowerdir` at colons. A backslash escapes a colon in a name.
fn split(value: &[u8]) -> Vec<PathBuf> {
    let mut paths = vec![Vec::new()];
    let mut bytes = value.iter();
    while let Some(&byte) = bytes.next() {
        let last = paths.last_mut().expect("there is one from the start on");
        match byte {
            b':' => paths.push(Vec::new()),
            b'\\' => last.extend(bytes.next()),
            byte => last.push(byte),
        }
    }
    paths
        .into_iter()
        .filter(|path| !path.is_empty())
        .map(|path| OsString::from_vec(path).into())
        .collect()
}

/// `36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw,errors=continue`.
fn parse(line: &[u8]) -> Option<Mount> {
    let mut words = line.split(|&byte| byte == b' ');
    let text = |word: &[u8]| std::str::from_utf8(word).ok().map(str::to_owned);
    let id = text(words.next()?)?.parse().ok()?;
    let device = text(words.nth(1)?)?;
    let path = unescape(words.next()?).into();
    let point = unescape(words.next()?).into();
    let own_options = text(words.next()?)?;
    let kind = text(words.by_ref().skip_while(|word| *word != b"-").nth(1)?)?;
    let options = String::from_utf8_lossy(words.nth(1)?).into_owned();
    let is_read_only = [&own_options, &options]
        .iter()
        .any(|list| list.split(',').any(|option| option == "ro"));
    Some(Mount {
        id,
        source: Location { device, path },
        point,
        is_read_only,
        kind,
        options,
    })
}

/// Decodes the octal escapes of blanks, line ends and backslashes: `\040`.
fn unescape(text: &[u8]) -> OsString {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text;
    while let [first, tail @ ..] = rest {
        let octal = (*first == b'\\').then(|| tail.first_chunk::<3>()).flatten();
        let number =
            octal.and_then(|digits| u8::from_str_radix(std::str::from_utf8(digits).ok()?, 8).ok());
        bytes.push(number.unwrap_or(*first));
        rest = if number.is_some() { &tail[3..] } else { tail };
    }
    OsString::from_vec(bytes)
}

/// The path of a process's `mountinfo`.
pub(crate) fn mountinfo(machine: &crate::machine::Machine, pid: &str) -> PathBuf {
    machine.path(format!("proc/{pid}/mountinfo"))
}

/// Opens a file without opening its content: reading a FIFO blocks, and opening a device may have
/// side effects.
pub(crate) fn open_path(path: &Path) -> io::Result<File> {
    use nix::fcntl::{OFlag, open};
    use nix::sys::stat::Mode;
    Ok(open(path, OFlag::O_PATH | OFlag::O_CLOEXEC, Mode::empty())?.into())
}

#[cfg(test)]
mod tests {
    use std::ffi::OsStr;

    use super::*;

    const LINES: &str = "\
27 1 254:0 / / rw,relatime - ext4 /dev/vda rw,discard
30 27 254:0 /srv/my\\040data /mnt/my\\040data ro,relatime shared:1 master:2 - ext4 /dev/vda rw
31 27 0:39 / /run/m rw - overlay overlay rw,lowerdir=/l\\134:1:/l2::/d,upperdir=/u,workdir=/w,uuid=on
32 27 0:40 / /run/n rw - overlay overlay rw,lowerdir+=/a,lowerdir+=/b
x
";

    fn mounts() -> Mounts {
        let file = tempfile::NamedTempFile::new().expect("the temporary directory is writable");
        fs::write(file.path(), LINES).expect("writable");
        Mounts::read(file.path()).expect("readable")
    }

    #[test]
    fn mounts_are_read() {
        let Mounts(all) = mounts();
        assert_eq!(all.len(), 4);
        assert_eq!(all[1].point, Path::new("/mnt/my data"));
        assert_eq!(
            [0, 1, 2].map(|at: usize| all[at].is_read_only),
            [false, true, false]
        );
        assert_eq!(
            (all[0].kind.as_str(), all[2].kind.as_str()),
            ("ext4", "overlay")
        );
        let paths = |paths: &[&str]| paths.iter().map(PathBuf::from).collect::<Vec<_>>();
        assert_eq!(
            all[2].layers(),
            (paths(&["/l:1", "/l2", "/d"]), paths(&["/u", "/w"]))
        );
        assert_eq!(all[3].layers(), (paths(&["/a", "/b"]), Vec::new()));
    }

    #[test]
    fn a_path_is_located_by_the_deepest_mount() {
        let mounts = mounts();
        let location = mounts
            .locate_path(Path::new("/mnt/my data/x"))
            .expect("there is a /");
        assert_eq!(
            (location.device.as_str(), location.path.as_path()),
            ("254:0", Path::new("/srv/my data/x"))
        );
        let outer = mounts
            .locate_path(Path::new("/srv/my data"))
            .expect("there is a /");
        assert!(location.is_inside(&outer) && !outer.is_inside(&location));
        let other = mounts
            .locate_path(Path::new("/run/m/srv/my data"))
            .expect("there is a /");
        assert!(!location.is_inside(&other));
    }

    #[test]
    fn this_program_is_located() {
        let mounts = Mounts::read(Path::new("/proc/self/mountinfo")).expect("every kernel has it");
        let directory = open_path(Path::new("/proc")).expect("it is mounted");
        let (mount, location) = mounts.locate(&directory).expect("it is mounted");
        assert_eq!(
            (mount.kind.as_str(), location.path.as_os_str()),
            ("proc", OsStr::new("/"))
        );
    }
}
