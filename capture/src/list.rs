//! Prints the table of network namespaces, for a user who looks for one.

use std::fmt::Write as _;

use chainwalk_core::text::visible::escape_invisible;

use crate::machine::Machine;
use crate::node::{NodeNamespace, is_proxy};
use crate::process::Identity;

const HEADS: [&str; 6] = ["NAMESPACE", "PID", "ADDRESSES", "POD", "PROXY", "PROCESSES"];
/// The maximum number of command names in a row.
const MAX_COMMAND_NAMES: usize = 5;

/// One row for each namespace. The process is the one that names it.
pub(crate) fn table<'a>(
    machine: &Machine,
    spaces: impl Iterator<Item = (&'a NodeNamespace, Option<u32>)>,
) -> String {
    let mut rows = vec![HEADS.map(str::to_owned)];
    rows.extend(spaces.map(|(space, pid)| row(machine, space, pid)));
    let width = |column: usize| {
        rows.iter()
            .map(|row| row[column].chars().count())
            .max()
            .unwrap_or(0)
    };
    let widths: Vec<usize> = (0..HEADS.len()).map(width).collect();
    let mut text = String::new();
    for row in &rows {
        let mut line = String::new();
        for (cell, width) in row.iter().zip(&widths) {
            write!(line, "{cell:width$}  ").expect("a String takes any text");
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

fn row(machine: &Machine, space: &NodeNamespace, pid: Option<u32>) -> [String; 6] {
    let pid = pid.or_else(|| space.pids.first().copied());
    let held = space.hold(machine, pid).ok();
    let addresses = held
        .as_ref()
        .and_then(|held| held.addresses().ok())
        .unwrap_or_default();
    // The addresses that every interface has give no information.
    let addresses: Vec<String> = addresses
        .iter()
        .filter(|address: &&std::net::IpAddr| !matches!(address, std::net::IpAddr::V6(v6) if v6.is_unicast_link_local()))
        .map(ToString::to_string)
        .collect();
    let owners = space.owners(machine);
    let pods = each_once(
        owners
            .iter()
            .filter_map(|(_, owner)| owner.pod_uid.as_deref()),
    );
    let hostname = held.as_ref().and_then(|held| held.hostname());
    let is_own = Identity::own_network().is_ok_and(|own| own == space.identity);
    // The node's own namespace contains many pods but belongs to none.
    let pod = match (is_own || pods.len() > 1, pods.first()) {
        (true, _) => format!(
            "(this machine{})",
            if pods.is_empty() {
                ""
            } else {
                ", and pods with hostNetwork"
            }
        ),
        (false, Some(uid)) => [hostname.as_deref().unwrap_or(""), uid]
            .join(" ")
            .trim_start()
            .to_owned(),
        (false, None) => hostname
            .or_else(|| Some(space.path.as_ref()?.display().to_string()))
            .unwrap_or_default(),
    };
    let commands = space.commands(machine);
    let names = each_once(commands.iter().map(|(_, command)| command.as_str()));
    let proxies: Vec<&str> = names
        .iter()
        .copied()
        .filter(|name| is_proxy(name))
        .collect();
    let more = if names.len() > MAX_COMMAND_NAMES {
        format!(" and {} more", names.len() - MAX_COMMAND_NAMES)
    } else {
        String::new()
    };
    let cells = [
        space.identity.inode.to_string(),
        pid.map(|pid| pid.to_string()).unwrap_or_default(),
        addresses.join(","),
        pod,
        proxies.join(","),
        format!(
            "{}{more}",
            names[..names.len().min(MAX_COMMAND_NAMES)].join(",")
        ),
    ];
    // Host names and commands are untrusted text. They must not be able to fake a row.
    cells.map(|cell| or_dash(escape_invisible(&cell).into_owned()))
}

fn each_once<'a>(all: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let mut names = Vec::new();
    for name in all {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names
}

fn or_dash(text: String) -> String {
    if text.is_empty() { "-".into() } else { text }
}
