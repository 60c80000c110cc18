//! The capabilities of this program, and the messages about missing ones.

use std::fs;

use nix::unistd::geteuid;

/// The capabilities that reading a namespace requires, with their numbers in `linux/capability.h`.
const NEEDED: [(u32, &str); 4] = [
    (12, "NET_ADMIN"),
    (13, "NET_RAW"),
    (19, "SYS_PTRACE"),
    (21, "SYS_ADMIN"),
];

/// The required capabilities that this program lacks.
pub(crate) fn missing() -> Vec<&'static str> {
    missing_in(&fs::read_to_string("/proc/self/status").unwrap_or_default())
}

fn missing_in(status: &str) -> Vec<&'static str> {
    let effective = status.lines().find_map(|line| line.strip_prefix("CapEff:"));
    let Some(bits) = effective.and_then(|hex| u64::from_str_radix(hex.trim(), 16).ok()) else {
        return Vec::new();
    };
    NEEDED
        .iter()
        .filter(|(bit, _)| bits >> bit & 1 == 0)
        .map(|(_, name)| *name)
        .collect()
}

/// The message about a refusal of the kernel, with advice. `what` is the refused operation, `line`
/// the given arguments.
pub(crate) fn refusal(what: &str, line: &str) -> String {
    if !geteuid().is_root() {
        return format!("only root may {what}: sudo chainwalk-capture {line}");
    }
    let missing = missing();
    let reason = if !missing.is_empty() {
        format!("the capability {} is missing", missing.join(" and "))
    } else if is_in_a_user_namespace() {
        "its capabilities are those of a user namespace, not the machine's".into()
    } else {
        "a security module or a container's seccomp profile forbids it".into()
    };
    format!(
        "this root may not {what}: {reason}; on the node itself: sudo chainwalk-capture {line} (in a container: give it \
         SYS_ADMIN, SYS_PTRACE, NET_ADMIN and NET_RAW, or make it privileged)"
    )
}

/// Advice for a command that failed: the capabilities that it may have lacked.
pub(crate) fn hint() -> String {
    match &missing()[..] {
        [] => String::new(),
        missing => {
            format!(
                " (the capability {} is missing here; on the node itself: {})",
                missing.join(" and "),
                sudo_line()
            )
        }
    }
}

/// The command line of this call, with `sudo`.
pub(crate) fn sudo_line() -> String {
    let words = std::env::args().skip(1);
    ["sudo chainwalk-capture".to_owned()]
        .into_iter()
        .chain(words)
        .collect::<Vec<_>>()
        .join(" ")
}

fn is_in_a_user_namespace() -> bool {
    let map = fs::read_to_string("/proc/self/uid_map").unwrap_or_default();
    !map.split_whitespace().eq(["0", "0", "4294967295"])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_is_named() {
        assert_eq!(missing_in("Name:\tx\nCapEff:\t000001ffffffffff\n"), [""; 0]);
        assert_eq!(missing_in("CapEff:\t000001ffffdfffff\n"), ["SYS_ADMIN"]);
        assert_eq!(missing_in("CapEff:\t0000000000000000\n").len(), 4);
        assert_eq!(missing_in(""), [""; 0]);
    }
}
