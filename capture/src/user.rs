//! Translates user ids to another user namespace.
//!
//! Rules contain the ids of the user namespace that owns the network namespace. `/proc` shows the
//! ids of the reader's user namespace.

use std::fs;
use std::os::unix::fs::MetadataExt;

/// Ranges of ids: first id inside, first id outside, length (`/proc/PID/uid_map`,
/// user_namespaces(7)).
#[derive(Clone, Debug, PartialEq, Eq)]
struct IdMap(Vec<[u32; 3]>);

/// The users and groups of a user namespace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Ids {
    users: IdMap,
    groups: IdMap,
}

/// The id that the kernel shows for an id without a number in a namespace (user_namespaces(7)).
const OVERFLOW: u32 = 65534;

impl Ids {
    /// The ids of the user namespace that owns the network namespace, if that is the process's user
    /// namespace or the initial one of the machine. Call it in the network namespace. `read`
    /// returns the text of a file of the process.
    pub(crate) fn of_network_namespace(read: impl Fn(&str) -> Option<String>) -> Option<Self> {
        // The kernel gives a network namespace's settings to root of the owning user namespace, by
        // its current map (`net_ctl_set_ownership` of net/sysctl_net.c). Files in /proc/PID/net
        // keep their first owner.
        let root = fs::metadata("/proc/sys/net/ipv4/ip_forward").ok()?.uid();
        let map = |file| read(file).map(|text| IdMap::parse(&text));
        match (map("uid_map"), map("gid_map")) {
            (Some(users), Some(groups)) if users.inside(root) == Some(0) => {
                Some(Self { users, groups })
            }
            _ => (root == 0).then(Self::unchanged),
        }
    }

    /// The ids of this machine, unchanged.
    pub(crate) fn unchanged() -> Self {
        let all = || IdMap(vec![[0, 0, u32::MAX]]);
        Self {
            users: all(),
            groups: all(),
        }
    }

    /// The number of a user inside; `None` if it has none.
    pub(crate) fn user(&self, outside: u32) -> Option<u32> {
        self.users.inside(outside)
    }

    /// The number of a user that `ps` shows inside.
    pub(crate) fn user_shown(&self, outside: u32) -> u32 {
        self.users.inside(outside).unwrap_or(OVERFLOW)
    }

    /// The number of a group that `id` shows inside.
    pub(crate) fn group_shown(&self, outside: u32) -> u32 {
        self.groups.inside(outside).unwrap_or(OVERFLOW)
    }
}

impl IdMap {
    fn parse(text: &str) -> Self {
        Self(
            text.lines()
                .filter_map(|line: &str| {
                    let mut numbers = line.split_whitespace().map(str::parse);
                    Some([
                        numbers.next()?.ok()?,
                        numbers.next()?.ok()?,
                        numbers.next()?.ok()?,
                    ])
                })
                .collect(),
        )
    }

    /// The id inside of an id outside; `None` if it has none.
    fn inside(&self, outside: u32) -> Option<u32> {
        self.0.iter().find_map(|&[inside, first, count]| {
            let offset = outside
                .checked_sub(first)
                .filter(|&offset| offset < count)?;
            inside.checked_add(offset)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_translated_by_range() {
        let map =
            IdMap::parse("         0     100000       1000\n      1337     201337          1\n");
        assert_eq!(map.inside(100_999), Some(999));
        assert_eq!(map.inside(201_337), Some(1337));
        assert_eq!(map.inside(101_000), None);
        assert_eq!(map.inside(0), None);
    }

    #[test]
    fn the_first_user_namespace_changes_nothing() {
        let map = IdMap::parse("         0          0 4294967295");
        assert_eq!(map.inside(1337), Some(1337));
    }

    #[test]
    fn a_damaged_map_maps_nothing() {
        assert_eq!(IdMap::parse("0 x 1\n\n7").inside(0), None);
    }
}
