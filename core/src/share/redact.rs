//! A copy of a capture or a rule set without anything that identifies somebody. Every packet has
//! the same outcome in the copy.
//!
//! One [`AddressMap`] replaces addresses, and one list replaces names. Each is replaced in the same
//! way wherever it occurs. A text keeps only the words of [`vocabulary`], numbers, the names of
//! chains and interfaces, the comments that are exactly a mesh's own, and the addresses without an
//! owner (`address_map::stays4`, multicast, `::1`, `::6`). All other words are replaced. Only
//! the values of address options determine which properties of addresses the rules need.
//!
//! The end of an own network stays its end, as a broadcast or an anycast address. So does every
//! network that shares all bits but its last with that end: `192.168.252.0/22` in `192.168.0.0/16`.
//!
//! A rule that needs bits of addresses which it does not name is refused ([`Refusal`]).

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::rc::Rc;

use crate::analysis::proxy_processes::PROXIES;
use crate::input::capture::{Capture, CaptureTarget, CapturedRules};
use crate::input::parse::Parsed;
use crate::iptables::print;
use crate::netfilter::backend::Backend;
use crate::netfilter::ruleset::Ruleset;
use crate::packet::host::{Host, Prefix};
use crate::packet::other_processing::OtherProcessing;
use crate::packet::{Family, Packet};
use crate::share::link::Shared;

mod address_map;
mod bit_tree;
mod dump_text;
mod neutral_names;
mod vocabulary;

pub use address_map::AddressMap;

use dump_text::Pending;
use neutral_names::NeutralNames;
use vocabulary::Vocabulary;

/// A redacted copy.
#[derive(Debug)]
pub struct Redacted {
    /// The copy.
    pub capture: Capture,
    /// The replacements of addresses. The addresses of packets use the same ones.
    pub addresses: AddressMap,
}

/// The rule that makes redaction impossible: the copy would keep addresses recognizable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    place: String,
    what: String,
    why: &'static str,
}

impl Refusal {
    fn new(place: &str, what: &str, why: &'static str) -> Self {
        Self {
            place: place.to_owned(),
            what: what.to_owned(),
            why,
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { place, what, why } = self;
        write!(f, "cannot redact {place}: {what} {why}; remove this rule")
    }
}

impl std::error::Error for Refusal {}

/// Makes a redacted copy. Without the secret, the replacements cannot be reversed.
///
/// # Errors
/// If a rule would keep bits of addresses that it does not name.
pub fn redact(capture: &Capture, secret: [u8; 16]) -> Result<Redacted, Refusal> {
    let mut redactor = Redactor::new(secret);
    let capture = redactor.capture(capture)?;
    Ok(Redacted {
        capture,
        addresses: redactor.addresses,
    })
}

/// A message without names and addresses, for a capture that failed.
pub fn message(text: &str, secret: [u8; 16]) -> String {
    Redactor::new(secret).message(text)
}

/// The number of replacements.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Changed {
    /// Addresses and networks.
    pub addresses: usize,
    /// Names of hosts, commands, sets and similar things, prefixes of logs, and words that are not
    /// understood.
    pub names: usize,
    /// Comments of rules.
    pub comments: usize,
}

/// Makes a redacted copy of the shared state, which was parsed as `parsed` and is walked in `host`.
/// The addresses of packets and host change with those of the rules, so every packet has the same
/// outcome. `known` states whether the host is a real one. An assumed host stays assumed.
///
/// The copy contains only the understood parts of a dump, printed again, without the text around
/// the rules.
///
/// # Errors
/// As in [`redact`].
pub fn shared(
    shared: &Shared,
    parsed: &Parsed,
    (host, known): (&Host, bool),
    secret: [u8; 16],
) -> Result<(Shared, Changed), Refusal> {
    let view = if ["saved", "text"].contains(&&*shared.view) {
        shared.view.clone()
    } else {
        String::new()
    };
    let mut copy = Shared {
        host: None,
        usual: !known,
        neutral: true,
        packets: Vec::new(),
        view,
        ..shared.clone()
    };
    let mut redactor = Redactor::new(secret);
    if let Some(capture) = parsed.whole(Some(host)) {
        copy.text = serde_json::to_string(&redactor.capture(&capture)?).unwrap_or_default();
    } else {
        let text: String = parsed.rulesets.iter().map(printed).collect();
        redactor.learn_all(host, [(&*text, String::new())])?;
        copy.text = redactor.dump(&text);
        copy.host = Some(redactor.host(host));
    }
    copy.packets = shared
        .packets
        .iter()
        .map(|packet| redactor.packet(packet))
        .collect();
    Ok((copy, redactor.changed()))
}

/// A rule set after a line that states its family, backend and version.
fn printed(ruleset: &Ruleset) -> String {
    let program = if ruleset.family == Family::Ipv4 {
        "iptables-save"
    } else {
        "ip6tables-save"
    };
    let version = ruleset
        .version
        .as_ref()
        .filter(|version: &&String| {
            version
                .bytes()
                .all(|byte| byte.is_ascii_digit() || byte == b'.')
        })
        .map_or(String::new(), |version| format!(" v{version}"));
    let backend = match ruleset.backend {
        Some(Backend::Nft) => " (nf_tables)",
        Some(Backend::Legacy) => " (legacy)",
        None => "",
    };
    // The backend is the word after the version.
    let version = if version.is_empty() && !backend.is_empty() {
        " v1.8".into()
    } else {
        version
    };
    let mut rules = ruleset
        .tables
        .iter()
        .flat_map(|table| &table.chains)
        .flat_map(|chain| &chain.rules);
    let counters = rules.any(|rule| rule.counters.is_some());
    format!(
        "# Generated by {program}{version}{backend}\n{}",
        print::save(ruleset, counters)
    )
}

struct Redactor {
    addresses: AddressMap,
    names: NeutralNames,
    vocabulary: Rc<Vocabulary>,
}

impl Redactor {
    fn new(secret: [u8; 16]) -> Self {
        Self {
            addresses: AddressMap::new(secret),
            names: NeutralNames::default(),
            vocabulary: Rc::new(Vocabulary::new()),
        }
    }

    /// Collects the properties of addresses that a namespace and its rules need.
    fn learn_all<'a>(
        &mut self,
        host: &Host,
        texts: impl IntoIterator<Item = (&'a str, String)>,
    ) -> Result<(), Refusal> {
        self.addresses.learn_host(host);
        let mut pending = Pending::default();
        for (text, whose) in texts {
            self.learn(text, &whose, &mut pending)?;
        }
        self.settle(pending)
    }

    fn capture(&mut self, capture: &Capture) -> Result<Capture, Refusal> {
        for interface in &capture.host.interfaces {
            self.names.keep(&interface.name);
        }
        let backend = |backend| {
            if backend == Backend::Nft {
                "nft"
            } else {
                "legacy"
            }
        };
        let texts = capture.rulesets.iter().map(|rules| {
            let whose = format!(" of {} ({})", rules.family, backend(rules.backend));
            (&*rules.text, whose)
        });
        self.learn_all(&capture.host, texts)?;
        let mut warnings: Vec<String> = capture
            .warnings
            .iter()
            .map(|warning| self.message(warning))
            .collect();
        if capture.nftables.is_some() {
            warnings.push("the listing of nft is left out: this capture is redacted".into());
        }
        Ok(Capture {
            schema_version: capture.schema_version,
            tool: tool(&capture.tool),
            captured_at: day(&capture.captured_at),
            target: self.target(&capture.target),
            // The kernel release often names a vendor or a build.
            kernel: None,
            redacted: true,
            rulesets: capture
                .rulesets
                .iter()
                .map(|rules| self.rules(rules))
                .collect(),
            nftables: None,
            host: self.host(&capture.host),
            warnings,
            left_out: capture.left_out.clone(),
        })
    }

    fn packet(&mut self, packet: &Packet) -> Packet {
        Packet {
            src: packet.src.map(|src| self.addresses.neutral(src)),
            dst: self.addresses.neutral(packet.dst),
            src_mac: packet.src_mac.as_deref().map(|mac| self.mac(mac)),
            in_interface: packet
                .in_interface
                .as_deref()
                .map(|name| self.interface(name)),
            bound_interface: packet
                .bound_interface
                .as_deref()
                .map(|name| self.interface(name)),
            physdev_in: packet
                .physdev_in
                .as_deref()
                .map(|name| self.interface(name)),
            physdev_out: packet
                .physdev_out
                .as_deref()
                .map(|name| self.interface(name)),
            ..packet.clone()
        }
    }

    fn changed(&self) -> Changed {
        let (comments, names) = self.names.counts();
        Changed {
            addresses: self.addresses.changed(),
            names,
            comments,
        }
    }

    fn target(&mut self, target: &CaptureTarget) -> CaptureTarget {
        CaptureTarget {
            pid: target.pid,
            command: target
                .command
                .as_deref()
                .map(|command| self.command(command)),
            netns_inode: target.netns_inode,
            netns_path: None,
            hostname: target
                .hostname
                .as_deref()
                .map(|hostname| self.names.neutral("host", hostname)),
            pod_uid: None,
            pod_uid_proven: None,
            container_id: None,
        }
    }

    fn rules(&mut self, rules: &CapturedRules) -> CapturedRules {
        CapturedRules {
            family: rules.family,
            backend: rules.backend,
            command: rules
                .command
                .iter()
                .map(|word| self.message(word.rsplit('/').next().unwrap_or(word)))
                .collect(),
            version: rules
                .version
                .as_deref()
                .map(|version| self.message(version)),
            exit_code: rules.exit_code,
            text: self.dump(&rules.text),
            stderr: self.message(&rules.stderr),
        }
    }

    fn host(&mut self, host: &Host) -> Host {
        let mut host = host.clone();
        for interface in &mut host.interfaces {
            interface.name = self.interface(&interface.name);
            interface.master = interface.master.as_deref().map(|name| self.interface(name));
            for prefix in &mut interface.addresses {
                prefix.address = self.addresses.neutral(prefix.address);
            }
            // Every walk knows the groups that the kernel joins for an address.
            if let Some(groups) = &mut interface.multicast_groups {
                groups.retain(|group| !comes_with_an_address(*group));
                groups
                    .iter_mut()
                    .for_each(|group| *group = self.addresses.neutral(*group));
            }
        }
        for route in &mut host.routes {
            route.dst = self.addresses.network_of(route.dst);
            route.via = route.via.map(|via| self.addresses.neutral(via));
            route.src = route.src.map(|src| self.addresses.neutral(src));
            route.dev = route.dev.as_deref().map(|dev| self.interface(dev));
        }
        for rule in &mut host.rules {
            rule.from = rule.from.map(|from| self.addresses.network_of(from));
            rule.to = rule.to.map(|to| self.addresses.network_of(to));
            rule.iif = rule.iif.as_deref().map(|iif| self.interface(iif));
        }
        for socket in &mut host.sockets {
            socket.address = self.addresses.neutral(socket.address);
            socket.command = socket
                .command
                .as_deref()
                .map(|command| self.command(command));
        }
        for process in &mut host.processes {
            process.command = self.command(&process.command);
        }
        host.sysctls.retain(|name, value| is_setting(name, value));
        if let Some(other) = &mut host.other_processing {
            self.redact_other_processing(other);
        }
        host
    }

    fn redact_other_processing(&mut self, other: &mut OtherProcessing) {
        for program in &mut other.programs {
            program.interface = self.interface(&program.interface);
            // A filter of traffic control has the name of a module of the kernel.
            program.filter = program.filter.take().filter(|kind| is_filter(kind));
            program.name = program
                .name
                .as_deref()
                .map(|name| self.names.neutral("program", name));
        }
        for service in &mut other.ipvs_services {
            service.address = service.address.map(|own| self.addresses.neutral(own));
        }
        for policy in &mut other.xfrm_policies {
            policy.src = policy.src.map(|src| self.addresses.network_of(src));
            policy.dst = policy.dst.map(|dst| self.addresses.network_of(dst));
        }
    }

    fn command(&mut self, command: &str) -> String {
        // The proxy of any mesh has this name.
        if PROXIES.contains(&command) {
            command.to_owned()
        } else {
            self.names.neutral("command", command)
        }
    }

    /// A hardware address, or a neutral name if the text is not one.
    fn mac(&mut self, text: &str) -> String {
        let bytes: Option<Vec<u8>> = text
            .split(':')
            .map(|part: &str| {
                if part.len() == 2 {
                    u8::from_str_radix(part, 16).ok()
                } else {
                    None
                }
            })
            .collect();
        match bytes.map(<[u8; 6]>::try_from) {
            Some(Ok(mac)) => {
                let [a, b, c, d, e, f] = self.addresses.mac(mac);
                format!("{a:02x}:{b:02x}:{c:02x}:{d:02x}:{e:02x}:{f:02x}")
            }
            _ => self.names.neutral("mac", text),
        }
    }

    /// A message of a program. Words that every such message has are kept, and so are numbers.
    fn message(&mut self, text: &str) -> String {
        let mut out = String::with_capacity(text.len());
        for word in text.split_inclusive(char::is_whitespace) {
            let blank = word.trim_end_matches(|c: char| c.is_whitespace());
            let end = &word[blank.len()..];
            let bare = |kept: &'static str| {
                move |c: char| c.is_ascii_punctuation() && !kept.contains(c) || "…’".contains(c)
            };
            // An IPv6 address may end in a colon.
            let core = blank.trim_matches(bare("-_/:"));
            let core = if core.parse::<Prefix>().is_ok() {
                core
            } else {
                core.trim_matches(bare("-_/"))
            };
            let start = core.as_ptr() as usize - blank.as_ptr() as usize;
            out.push_str(&blank[..start]);
            out.push_str(&self.message_word(core));
            out.push_str(&blank[start + core.len()..]);
            out.push_str(end);
        }
        out
    }

    fn message_word(&mut self, word: &str) -> String {
        if let Ok(prefix) = word.parse() {
            let neutral = self.addresses.network_of(prefix);
            return if word.contains('/') {
                neutral.to_string()
            } else {
                neutral.address.to_string()
            };
        }
        if let Ok(socket) = word.parse::<SocketAddr>() {
            return SocketAddr::new(self.addresses.neutral(socket.ip()), socket.port()).to_string();
        }
        match self.vocabulary.is_prose(word) || self.names.keeps(word) {
            true => word.to_owned(),
            false => self.names.neutral("word", word),
        }
    }
}

/// The name of the program, as every capture has it.
fn tool(tool: &str) -> String {
    const TOOL: &str = "chainwalk-capture";
    let version = tool
        .strip_prefix(TOOL)
        .and_then(|rest| rest.strip_prefix(' '));
    let version = version.filter(|version| {
        version
            .bytes()
            .all(|byte| byte.is_ascii_digit() || byte == b'.')
    });
    version.map_or_else(|| TOOL.to_owned(), |version| format!("{TOOL} {version}"))
}

/// The date of a timestamp.
fn day(time: &str) -> String {
    format!(
        "{}T00:00:00Z",
        time.get(..10)
            .filter(|date: &&str| {
                date.bytes()
                    .zip("0000-00-00".bytes())
                    .all(|(byte, form)| match form {
                        b'0' => byte.is_ascii_digit(),
                        dash => byte == dash,
                    })
            })
            .unwrap_or("1970-01-01")
    )
}

/// Whether this is a kind of the kernel's filters of traffic control.
fn is_filter(kind: &str) -> bool {
    const KINDS: [&str; 9] = [
        "basic", "bpf", "cgroup", "flow", "flower", "fw", "matchall", "route", "u32",
    ];
    KINDS.contains(&kind)
}

/// Whether a kernel setting decides where a packet goes, and has a number as its value.
fn is_setting(name: &str, value: &str) -> bool {
    const SETTINGS: [&str; 9] = [
        "accept_local",
        "disable_ipv6",
        "forwarding",
        "ip_forward",
        "ip_nonlocal_bind",
        "nf_conntrack_tcp_loose",
        "route_localnet",
        "rp_filter",
        "src_valid_mark",
    ];
    let parts: Vec<&str> = name.split('.').collect();
    let is_number = value.trim().bytes().all(|byte| byte.is_ascii_digit());
    is_number
        && match parts[..] {
            ["net", "ipv4" | "ipv6" | "netfilter", setting] => SETTINGS.contains(&setting),
            // sysctl(8) writes a dot in an interface's name as a slash.
            ["net", "ipv4" | "ipv6", "conf", interface, setting] => {
                SETTINGS.contains(&setting)
                    && crate::packet::is_interface(&interface.replace('/', "."))
            }
            _ => false,
        }
}

/// `ff02::1:ff00:0/104`: the group for the lookup of the address with this end (RFC 4291, 2.7.1).
fn comes_with_an_address(group: IpAddr) -> bool {
    matches!(group, IpAddr::V6(v6) if matches!(v6.segments(), [0xff02, 0, 0, 0, 0, 1, 0xff00..=0xffff, _]))
}
