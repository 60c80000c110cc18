//! A capture without what tells whose it is: addresses, names and comments become neutral ones, and every packet ends where
//! it did.
//!
//! What stays: ids of users and groups, ports, marks, chains, interfaces' names, the words of meshes' own comments, and the
//! addresses of `address::KEPT`. What changes is the same wherever it stands, in rules and around them.
//!
//! Two rare ones do not survive it: SNPT and DNPT, whose result depends on a checksum over the prefixes, and `-m eui64`,
//! which compares an address with a hardware address.

use std::collections::BTreeMap;

use crate::capture::{Capture, CapturedRules, Target};
use crate::host::Host;
use crate::identity::PROXIES;

mod address;
mod line;

pub use address::Addresses;

/// A redacted copy.
#[derive(Debug)]
pub struct Redacted {
    /// The copy.
    pub capture: Capture,
    /// What its addresses were chosen by: a packet's become neutral by the same.
    pub addresses: Addresses,
}

/// Makes a redacted copy. Without the secret nobody can go back.
pub fn redact(capture: &Capture, secret: [u8; 16]) -> Redacted {
    let mut addresses = Addresses::new(secret);
    addresses.learn_host(&capture.host);
    for rules in &capture.rulesets {
        line::learn(&rules.text, &mut addresses);
    }
    let mut redactor = Redactor { addresses, names: Names::default() };
    let mut warnings: Vec<String> =
        capture.warnings.iter().map(|warning| redactor.addresses.in_text(warning)).collect();
    if capture.nftables.is_some() {
        warnings.push("the listing of nft is left out: this capture is redacted".into());
    }
    let capture = Capture {
        schema_version: capture.schema_version,
        tool: capture.tool.clone(),
        captured_at: capture.captured_at.clone(),
        target: redactor.target(&capture.target),
        kernel: capture.kernel.clone(),
        redacted: true,
        rulesets: capture.rulesets.iter().map(|rules| redactor.rules(rules)).collect(),
        nftables: None,
        host: redactor.host(&capture.host),
        warnings,
    };
    Redacted { capture, addresses: redactor.addresses }
}

struct Redactor {
    addresses: Addresses,
    names: Names,
}

impl Redactor {
    fn target(&mut self, target: &Target) -> Target {
        Target {
            pid: target.pid,
            command: target.command.as_deref().map(|command| self.names.command(command)),
            netns_inode: target.netns_inode,
            netns_path: None,
            hostname: target.hostname.as_deref().map(|hostname| self.names.neutral("host", hostname)),
            pod_uid: None,
            container_id: None,
        }
    }

    fn rules(&mut self, rules: &CapturedRules) -> CapturedRules {
        CapturedRules {
            text: line::redact(&rules.text, &mut self.addresses, &mut self.names),
            stderr: self.addresses.in_text(&rules.stderr),
            ..rules.clone()
        }
    }

    fn host(&mut self, host: &Host) -> Host {
        let mut host = host.clone();
        for prefix in host.interfaces.iter_mut().flat_map(|interface| &mut interface.addresses) {
            prefix.address = self.addresses.neutral(prefix.address);
        }
        for route in &mut host.routes {
            route.dst = self.addresses.network(route.dst);
            route.via = route.via.map(|via| self.addresses.neutral(via));
            route.src = route.src.map(|src| self.addresses.neutral(src));
        }
        for rule in &mut host.rules {
            rule.from = rule.from.map(|from| self.addresses.network(from));
            rule.to = rule.to.map(|to| self.addresses.network(to));
        }
        for socket in &mut host.sockets {
            socket.address = self.addresses.neutral(socket.address);
            socket.command = socket.command.as_deref().map(|command| self.names.command(command));
        }
        for process in &mut host.processes {
            process.command = self.names.command(&process.command);
        }
        host
    }
}

/// Neutral names by the names that they stand for.
#[derive(Debug, Default)]
struct Names(BTreeMap<(&'static str, String), usize>);

impl Names {
    /// `comment-3`: the third of its kind.
    fn neutral(&mut self, kind: &'static str, name: &str) -> String {
        let next = self.0.keys().filter(|(other, _)| *other == kind).count() + 1;
        let number = self.0.entry((kind, name.to_owned())).or_insert(next);
        format!("{kind}-{number}")
    }

    fn command(&mut self, command: &str) -> String {
        // The names of proxies tell nothing.
        if PROXIES.contains(&command) { command.to_owned() } else { self.neutral("command", command) }
    }
}
