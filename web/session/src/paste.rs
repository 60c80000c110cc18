//! The pasted rules with their host and mesh. Everything here is independent of the packet.

use std::borrow::Cow;
use std::cell::OnceCell;

use chainwalk_core::analysis::constants::Constants;
use chainwalk_core::analysis::explain::Fate;
use chainwalk_core::analysis::intended_bypass::intended_bypass;
use chainwalk_core::analysis::scenario::{self, Scenario};
use chainwalk_core::input::parse::{self, Parsed};
use chainwalk_core::mesh::{self, Mesh};
use chainwalk_core::netfilter::place::Place;
use chainwalk_core::netfilter::ruleset::Ruleset;
use chainwalk_core::packet::host::{Host, Interface};
use chainwalk_core::packet::{Family, Packet};
use chainwalk_core::walk::trace::Verdict;
use chainwalk_core::walk::walk;

use crate::phrases::format_end;
use crate::sample::{SAMPLES, Sample};

/// A longer text is not shown in a text field: browsers take seconds for it.
pub const MAX_EDITED_BYTES: usize = 1_000_000;

/// The source of the text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// One of [`SAMPLES`].
    Sample(usize),
    /// The user's own text.
    Own,
    /// A link or a file.
    Shared,
    /// A lesson's text.
    Lesson,
}

/// One row of the table of outcomes.
#[derive(Debug)]
pub struct PacketOutcome {
    /// The packet and its name.
    pub scenario: Scenario,
    /// The outcome of the packet.
    pub fate: Fate,
    /// The place where it ends, in a word: a port or an interface.
    pub end: Cow<'static, str>,
    /// The deciding rule or policy.
    pub decided_by: Option<Place>,
    /// Why the bypass is intended, if it is.
    pub exempt: Option<&'static str>,
}

impl PacketOutcome {
    /// The kind of its outcome.
    pub fn kind(&self) -> OutcomeKind {
        (self.fate, self.exempt.is_some())
    }
}

/// The outcome of a packet, and whether it is an intended bypass.
pub type OutcomeKind = (Fate, bool);

/// A parsed text.
#[derive(Debug)]
pub struct Paste {
    /// The source of the text.
    pub origin: Origin,
    /// The parsed text.
    pub parsed: Parsed,
    /// The namespace of the walks.
    pub host: Host,
    /// Whether the text, or the sample, states the host.
    pub host_known: bool,
    /// Whether the user chose the namespace: a pod's or a node's.
    pub(crate) placed: bool,
    /// Whether its addresses, names and comments are anonymized.
    pub neutral: bool,
    /// The parts of the namespace that exceed a limit and are ignored.
    pub(crate) dropped: Vec<String>,
    /// The mesh that made the rules.
    pub mesh: Option<Mesh>,
    /// Packets worth trying, with any rules.
    scenarios: Vec<Scenario>,
    /// The constants in the rules, by family.
    constants: [OnceCell<Constants>; 2],
}

impl Paste {
    /// Reads a sample.
    pub(crate) fn sample(place: usize) -> Self {
        let Sample { ref text, host, .. } = SAMPLES[place];
        let host =
            host.map(|json| Host::from_json(json).expect("a test reads every sample's host"));
        let parsed = parse::parse(text.get());
        Self::new(Origin::Sample(place), Parsed { host, ..parsed })
    }

    /// Reads the user's own text.
    pub(crate) fn own(text: impl Into<String>) -> Self {
        Self::new(Origin::Own, parse::parse(text))
    }

    /// Reads a text from a link or a file. A sample's text becomes that sample again. `known`
    /// is whether the namespace is known, not assumed.
    pub(crate) fn shared(text: &str, host: Option<Host>, known: bool) -> Self {
        match SAMPLES.iter().position(|sample| sample.is(text, &host)) {
            Some(place) => Self::sample(place),
            None => {
                let parsed = parse::parse(text);
                let host = host.or(parsed.host.clone());
                Self::new(Origin::Shared, Parsed { host, ..parsed }).known(known)
            }
        }
    }

    /// Reads the rules of a lesson.
    pub(crate) fn lesson(text: String, host: Option<Host>) -> Self {
        let parsed = parse::parse(text);
        Self::new(Origin::Lesson, Parsed { host, ..parsed })
    }

    /// Reads another text in place of this one. It keeps the namespace of a lesson or a link, or
    /// the one that the user chose.
    pub(crate) fn edited(&self, text: String) -> Self {
        match self.origin {
            Origin::Sample(_) | Origin::Own if !self.placed => Self::own(text),
            _ => self.with(parse::parse(text)),
        }
    }

    /// The namespace with other rules.
    pub(crate) fn with(&self, parsed: Parsed) -> Self {
        let origin = match &self.origin {
            Origin::Sample(_) => Origin::Own,
            origin => origin.clone(),
        };
        let host = Some(self.host.clone());
        let new = Self::new(origin, Parsed { host, ..parsed }).known(self.host_known);
        Self {
            neutral: self.neutral,
            placed: self.placed,
            dropped: self.dropped.clone(),
            ..new
        }
    }

    fn known(mut self, known: bool) -> Self {
        self.host_known &= known;
        self
    }

    fn new(origin: Origin, mut parsed: Parsed) -> Self {
        let host = parsed.host.take();
        let host_known = host.is_some();
        let mesh = parsed.rulesets.iter().find_map(mesh::recognise);
        let host = host.unwrap_or_else(|| parsed.usual_host(mesh.as_ref()));
        let scenarios = scenario::list(&host, mesh.as_ref());
        Self {
            origin,
            parsed,
            host,
            host_known,
            placed: false,
            neutral: false,
            dropped: Vec::new(),
            mesh,
            scenarios,
            constants: Default::default(),
        }
    }

    /// The rules in the namespace of a usual node or a usual pod.
    pub(crate) fn placed(&self, node: bool) -> Self {
        let host = self
            .parsed
            .with_host_commands(if node { Host::node() } else { Host::pod() });
        let new = Self::new(
            self.origin.clone(),
            Parsed {
                host: Some(host),
                ..self.parsed.clone()
            },
        );
        Self {
            neutral: self.neutral,
            placed: true,
            ..new.known(false)
        }
    }

    /// The assumptions for every packet: the host, and the missing ends of tables.
    pub(crate) fn given(&self) -> Vec<String> {
        let mut given = Vec::new();
        if !self.host_known {
            given.push(format!(
                "the input does not show the host: {}",
                namespace(&self.host)
            ));
        }
        given.extend(
            self.dropped
                .iter()
                .map(|dropped| format!("the shared data holds {dropped}")),
        );
        given.extend(
            self.parsed
                .cut_off()
                .map(|cut| format!("{}: assumed to be complete", cut.message)),
        );
        given
    }

    /// The outcomes of the packets worth trying.
    pub(crate) fn outcomes(&self) -> Vec<PacketOutcome> {
        let (rulesets, host, mesh) = (self.rulesets(), &self.host, self.mesh.as_ref());
        scenario::of_constants(self.constants(Family::Ipv4), rulesets, host, mesh)
            .into_iter()
            .map(|scenario| walk_scenario(rulesets, host, mesh, scenario))
            .collect()
    }

    /// The constants in the rules of a family; collected once.
    pub(crate) fn constants(&self, family: Family) -> &Constants {
        self.constants[usize::from(family == Family::Ipv6)]
            .get_or_init(|| Constants::collect(self.rulesets(), family))
    }

    /// Whether the constants are collected.
    pub(crate) fn has_constants(&self, family: Family) -> bool {
        self.constants[usize::from(family == Family::Ipv6)]
            .get()
            .is_some()
    }

    /// Where a packet ends, with the name of the listener there; `None` is an undetermined end.
    pub(crate) fn describe_end(&self, verdict: Option<&Verdict>) -> String {
        let Some(verdict) = verdict else {
            return "depends".into();
        };
        let mesh = self.mesh.as_ref();
        match mesh.and_then(|mesh| mesh.listener(verdict.port?)) {
            Some(listener) if Fate::from_verdict(Some(verdict)) == Fate::Captured => {
                format!("{listener} {}", format_end(verdict))
            }
            _ => format_end(verdict).into_owned(),
        }
    }

    /// The rules.
    pub fn rulesets(&self) -> &[Ruleset] {
        &self.parsed.rulesets
    }

    /// The text, if it is short enough for a text field.
    pub fn editable(&self) -> Option<&str> {
        self.fixable().filter(|text| text.len() <= MAX_EDITED_BYTES)
    }

    /// The text, if edits of it are possible.
    pub fn fixable(&self) -> Option<&str> {
        match &self.parsed.sources[..] {
            [text] if self.parsed.capture.is_none() => Some(text),
            _ => None,
        }
    }

    /// The packet of that name, from the packets worth trying.
    pub fn scenario(&self, key: &str) -> Option<&Scenario> {
        self.scenarios.iter().find(|scenario| scenario.key == key)
    }

    /// The name of that packet, if it is one of the packets worth trying.
    pub(crate) fn scenario_of(&self, packet: &Packet) -> Option<&'static str> {
        let mut scenarios = self.scenarios.iter();
        Some(scenarios.find(|scenario| scenario.packet == *packet)?.key)
    }
}

/// A namespace in words.
fn namespace(host: &Host) -> String {
    let interfaces: Vec<String> = host
        .interfaces
        .iter()
        .map(|interface: &Interface| {
            let addresses: Vec<String> = interface
                .addresses
                .iter()
                .map(ToString::to_string)
                .collect();
            format!("{} {}", interface.name, addresses.join(" "))
        })
        .collect();
    let (kind, forwarding) = if scenario::is_node(host) {
        ("node", "forwarding")
    } else {
        ("pod", "no forwarding")
    };
    format!(
        "a usual {kind}, {}, a default route, {forwarding}",
        interfaces.join(", ")
    )
}

fn walk_scenario(
    rulesets: &[Ruleset],
    host: &Host,
    mesh: Option<&Mesh>,
    scenario: Scenario,
) -> PacketOutcome {
    let trace = walk(rulesets, None, host, &scenario.packet);
    let end = trace.verdict().map_or("depends".into(), format_end);
    let decided_by = trace.verdict().and_then(|verdict| verdict.decided_by);
    let exempt = mesh
        .zip(trace.verdict())
        .and_then(|(mesh, end)| intended_bypass(mesh, rulesets, &scenario, end));
    PacketOutcome {
        fate: Fate::from_verdict(trace.verdict()),
        end,
        decided_by,
        exempt,
        scenario,
    }
}
