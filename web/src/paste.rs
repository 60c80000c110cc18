//! What was pasted, as far as it does not depend on the packet: rules, namespace, mesh, and, worked
//! out behind the first look, who gets past and what there is to say.

use std::borrow::Cow;
use std::cell::{OnceCell, RefCell};

use chainwalk_core::analysis::constants::Constants;
use chainwalk_core::analysis::explain::Fate;
use chainwalk_core::analysis::findings::{self, Finding};
use chainwalk_core::analysis::intended_bypass::intended_bypass;
use chainwalk_core::analysis::scenario::{self, Scenario};
use chainwalk_core::input::parse::{self, Parsed};
use chainwalk_core::mesh::{self, Mesh};
use chainwalk_core::netfilter::place::Place;
use chainwalk_core::netfilter::ruleset::Ruleset;
use chainwalk_core::packet::host::{Host, Interface};
use chainwalk_core::packet::{Family, Packet};
use chainwalk_core::walk::trace::{Verdict, VerdictKind};
use chainwalk_core::walk::walk;

use crate::sample::{SAMPLES, Sample, Text};

/// Above this no text enters a text field: browsers take seconds for it.
pub(crate) const MOST_EDITED: usize = 1_000_000;

/// Where the text comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    /// One of [`SAMPLES`].
    Sample(usize),
    /// The reader's own.
    Own,
    /// What a link or a file holds.
    Shared,
    /// A lesson's.
    Lesson,
}

/// One row of the table of who gets past.
#[derive(Debug)]
pub(crate) struct Past {
    /// The packet and its name.
    pub(crate) scenario: Scenario,
    /// Where it ends.
    pub(crate) fate: Fate,
    /// The same in a word: a port or an interface.
    pub(crate) end: Cow<'static, str>,
    /// The rule or policy that decided.
    pub(crate) decided_by: Option<Place>,
    /// Why it is meant to go past the proxy, where it is.
    pub(crate) exempt: Option<&'static str>,
}

impl Past {
    /// Which kind it is.
    pub(crate) fn kind(&self) -> Kind {
        (self.fate, self.exempt.is_some())
    }
}

/// How packets of the table end, and whether they are meant to go past.
pub(crate) type Kind = (Fate, bool);

/// A text, read.
#[derive(Debug)]
pub(crate) struct Paste {
    /// Where it comes from.
    pub(crate) origin: Origin,
    /// What was read.
    pub(crate) parsed: Parsed,
    /// The namespace to walk in.
    pub(crate) host: Host,
    /// Whether the text, or the sample, told the namespace.
    pub(crate) host_known: bool,
    /// Whether the reader has said which surroundings it is walked in.
    pub(crate) placed: bool,
    /// Whether its addresses, names and comments stand for others.
    pub(crate) neutral: bool,
    /// What of the namespace was too much to be used.
    pub(crate) dropped: Vec<String>,
    /// Whose rules they are.
    pub(crate) mesh: Option<Mesh>,
    /// Packets that are worth trying whatever the rules say.
    scenarios: Vec<Scenario>,
    past: OnceCell<Vec<Past>>,
    /// By family.
    constants: [OnceCell<Constants>; 2],
    findings: OnceCell<Vec<Finding>>,
    /// The search for them while it lasts.
    search: RefCell<Option<findings::Search>>,
}

/// So many rules are looked at in one turn of the search for findings: some milliseconds.
const TURN: usize = 1_000;

impl Paste {
    /// Reads a sample.
    pub(crate) fn sample(place: usize) -> Self {
        let Sample { ref text, host, .. } = SAMPLES[place];
        let host =
            host.map(|json| Host::from_json(json).expect("a test reads every sample's host"));
        let parsed = parse::parse(text.get());
        Self::new(Origin::Sample(place), Parsed { host, ..parsed })
    }

    /// Reads a text of the reader's own.
    pub(crate) fn own(text: impl Into<String>) -> Self {
        Self::new(Origin::Own, parse::parse(text))
    }

    /// Reads a text from a link or a file; a sample's is that sample again. Whether the namespace
    /// is known, or only taken for a usual one, comes with it.
    pub(crate) fn shared(text: &str, host: Option<Host>, known: bool) -> Self {
        let is_this = |sample: &Sample| {
            // A made one would first have to be made.
            matches!(sample.text, Text::Written(own) if own == text)
                && sample.host.and_then(|json| Host::from_json(json).ok()) == host
        };
        match SAMPLES.iter().position(is_this) {
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

    /// Reads another text in its place: the namespace of a lesson or a link stays, and one that the
    /// reader has chosen.
    pub(crate) fn edited(&self, text: String) -> Self {
        match self.origin {
            Origin::Sample(_) | Origin::Own if !self.placed => Self::own(text),
            _ => self.with(parse::parse(text)),
        }
    }

    /// The same namespace with other rules.
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
            past: OnceCell::new(),
            constants: Default::default(),
            findings: OnceCell::new(),
            search: RefCell::default(),
        }
    }

    /// The same rules, taken for those of a usual node or of a usual pod.
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

    /// What is taken for granted whatever the packet: the namespace, and the ends of tables that a
    /// dump lacks.
    pub(crate) fn given(&self) -> Vec<String> {
        let mut given = Vec::new();
        if !self.host_known {
            given.push(format!(
                "the paste does not show the namespace: {}",
                namespace(&self.host)
            ));
        }
        given.extend(
            self.dropped
                .iter()
                .map(|dropped| format!("what was shared holds {dropped}")),
        );
        given.extend(
            self.parsed
                .cut_off()
                .map(|cut| format!("{}: taken as whole", cut.message)),
        );
        given
    }

    /// What becomes of the packets worth trying; worked out once.
    pub(crate) fn past(&self) -> &[Past] {
        self.past.get_or_init(|| {
            let (rulesets, host, mesh) = (self.rulesets(), &self.host, self.mesh.as_ref());
            let scenarios =
                scenario::of_constants(self.constants(Family::Ipv4), rulesets, host, mesh)
                    .into_iter();
            scenarios
                .map(|scenario| past(rulesets, host, mesh, scenario))
                .collect()
        })
    }

    /// The same, once it is known.
    pub(crate) fn known_past(&self) -> Option<&[Past]> {
        self.past.get().map(|past| &**past)
    }

    /// The constants that the rules of a family name; collected once.
    pub(crate) fn constants(&self, family: Family) -> &Constants {
        self.constants[usize::from(family == Family::Ipv6)]
            .get_or_init(|| Constants::collect(self.rulesets(), family))
    }

    /// Whether they are collected.
    pub(crate) fn has_constants(&self, family: Family) -> bool {
        self.constants[usize::from(family == Family::Ipv6)]
            .get()
            .is_some()
    }

    /// What is to be said of the dump, once it is known.
    pub(crate) fn findings(&self) -> Option<&[Finding]> {
        self.findings.get().map(|findings| &**findings)
    }

    /// Takes a turn at the findings; says whether they are known now.
    pub(crate) fn find(&self) -> bool {
        let mut search = self.search.borrow_mut();
        let new = || findings::Search::new(self.rulesets(), &self.host, self.host_known);
        let mut goes_on = search.take().unwrap_or_else(new);
        let done = goes_on.go_on(self.rulesets(), TURN);
        match done {
            true => _ = self.findings.set(goes_on.found()),
            false => *search = Some(goes_on),
        }
        done
    }

    /// The rules.
    pub(crate) fn rulesets(&self) -> &[Ruleset] {
        &self.parsed.rulesets
    }

    /// The text itself, where it is one that a text field can take.
    pub(crate) fn editable(&self) -> Option<&str> {
        self.fixable().filter(|text| text.len() <= MOST_EDITED)
    }

    /// The text itself, where an edit of it can be made.
    pub(crate) fn fixable(&self) -> Option<&str> {
        match &self.parsed.sources[..] {
            [text] if self.parsed.capture.is_none() => Some(text),
            _ => None,
        }
    }

    /// The packet of that name; of one that only these rules suggest, once who gets past is known.
    pub(crate) fn scenario(&self, key: &str) -> Option<&Scenario> {
        let own = self
            .known_past()
            .into_iter()
            .flatten()
            .map(|past| &past.scenario);
        self.scenarios
            .iter()
            .chain(own)
            .find(|scenario| scenario.key == key)
    }

    /// The name of that packet, where it is one worth trying.
    pub(crate) fn key(&self, packet: &Packet) -> Option<&'static str> {
        let is_it = |scenario: &&Scenario| scenario.packet == *packet;
        let own = || self.past().iter().map(|past| &past.scenario).find(is_it);
        Some(self.scenarios.iter().find(is_it).or_else(own)?.key)
    }
}

/// A namespace in words.
fn namespace(host: &Host) -> String {
    let addresses = |interface: &Interface| {
        let addresses: Vec<String> = interface
            .addresses
            .iter()
            .map(ToString::to_string)
            .collect();
        format!("{} {}", interface.name, addresses.join(" "))
    };
    let interfaces: Vec<String> = host.interfaces.iter().map(addresses).collect();
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

fn past(rulesets: &[Ruleset], host: &Host, mesh: Option<&Mesh>, scenario: Scenario) -> Past {
    let trace = walk(rulesets, None, host, &scenario.packet);
    let end = trace.verdict().map_or("depends".into(), end);
    let decided_by = trace.verdict().and_then(|verdict| verdict.decided_by);
    let exempt = mesh
        .zip(trace.verdict())
        .and_then(|(mesh, end)| intended_bypass(mesh, rulesets, &scenario, end));
    Past {
        fate: Fate::from_verdict(trace.verdict()),
        end,
        decided_by,
        exempt,
        scenario,
    }
}

/// Where a packet ends, in a word.
pub(crate) fn end(verdict: &Verdict) -> Cow<'static, str> {
    match (verdict.kind, verdict.port, &verdict.interface) {
        (VerdictKind::Delivered, Some(port), _) => format!(":{port}").into(),
        (VerdictKind::Delivered, None, _) => "kernel".into(),
        (VerdictKind::Sent | VerdictKind::Forwarded, _, Some(interface)) => {
            interface.clone().into()
        }
        (VerdictKind::Sent | VerdictKind::Forwarded, _, None) => "network".into(),
        (VerdictKind::Dropped, ..) => "dropped".into(),
        (VerdictKind::Rejected, ..) => "rejected".into(),
        (VerdictKind::Queued, ..) => "queued".into(),
        (VerdictKind::Unroutable, ..) => "no route".into(),
    }
}
