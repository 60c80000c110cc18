//! The counters of a mesh's rules: the number of connections that each rule handled since the rules
//! were loaded.

use crate::mesh::{Mesh, MeshKind, MeshOption, OwnerRule, Purpose};
use crate::netfilter::ruleset::{Chain, Ruleset, Table, Target};

/// The number of connections with one treatment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Share {
    /// The treatment in words: "let out by owner 1337".
    pub way: String,
    /// How many connections.
    pub connections: u64,
    /// The number of all connections.
    pub of: u64,
    /// The chain and the rule's number from 1; `None` for connections that no rule handled.
    pub rule: Option<(String, u32)>,
}

impl std::fmt::Display for Share {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match (self.connections * 100).checked_div(self.of) {
            Some(percent) if percent <= 100 => write!(
                f,
                "{} of {} ({percent} %) {}",
                self.connections, self.of, self.way
            )?,
            _ => write!(f, "{} {}", self.connections, self.way)?,
        }
        match &self.rule {
            Some((chain, rule)) => write!(f, ": rule {rule} of {chain}"),
            None => Ok(()),
        }
    }
}

/// The results of the counters.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CounterAnalysis {
    /// Outgoing and incoming connections, by treatment. Treatments without connections are omitted.
    pub shares: Vec<Share>,
    /// Advice on reading the numbers, and numbers that are unlikely.
    pub notes: Vec<String>,
}

/// Reads the counters of a mesh; `None` if the dump has none, or all are 0.
pub fn analyze_counters(mesh: &Mesh, ruleset: &Ruleset) -> Option<CounterAnalysis> {
    let mut found = CounterAnalysis::default();
    let proxy = mesh.proxy();
    for (outward, chain) in [(true, mesh.outward(ruleset)), (false, mesh.inward(ruleset))] {
        let Some((table, place, chain)) = chain else {
            continue;
        };
        let came = callers(ruleset, table, place);
        let (mut captured, mut all) = (0, 0);
        for (number, rule) in (1..).zip(&chain.rules) {
            let Some(connections) = rule
                .counters
                .counters(ruleset)
                .map(|counters| counters.packets)
                .filter(|count| *count > 0)
            else {
                continue;
            };
            // A chain counts the connections that it redirects. The others returned from it.
            let taken = match rule.target {
                Target::Jump(chain) => {
                    through(ruleset, &table.chains[chain as usize]).min(connections)
                }
                _ => connections,
            };
            if taken == 0 {
                continue;
            }
            let purpose = mesh.purpose_of(ruleset, table, chain, rule);
            let leads = matches!(rule.target, Target::Jump(_) | Target::Goto(_));
            let (way, captures) = way(purpose, leads && !outward, mesh.kind);
            all += taken;
            captured += if captures { taken } else { 0 };
            let subject = mesh
                .subject(ruleset, table, chain, rule)
                .unwrap_or_default();
            let way = [way, &*subject].join(" ").trim_end().to_owned();
            found.shares.push(Share {
                way,
                connections: taken,
                of: came,
                rule: Some((chain.name.to_string(), number)),
            });
        }
        let direction = if outward { "left" } else { "arrived" };
        if came > all {
            let way = format!("{direction} and were matched by no rule");
            found.shares.push(Share {
                way,
                connections: came - all,
                of: came,
                rule: None,
            });
        }
        if all > came {
            let name = &chain.name;
            found.notes.push(format!("The counters of {name} do not fit: {came} were led into it, and its rules took {all}. Some were set to zero, or rules were changed since."));
        }
        if came > 0 && captured == 0 {
            found.notes.push(format!("Of all that {direction}, nothing went to {proxy}: if you expected it to, look at the rules that took it."));
        }
    }
    if found.shares.is_empty() {
        return None;
    }
    found.notes.push(
        "Table nat counts connections, not packets: only the first packet of each reaches it."
            .into(),
    );
    if !mesh.uids.is_empty() || !mesh.gids.is_empty() {
        found.notes.push(format!("The owner rules also count {proxy}'s own connections: that count alone does not show a bypass."));
    }
    Some(found)
}

/// The number of connections that entered a chain.
fn callers(ruleset: &Ruleset, table: &Table, place: u32) -> u64 {
    let rules = table.chains.iter().flat_map(|chain| &chain.rules);
    let leads = rules
        .filter(|rule| matches!(rule.target, Target::Jump(to) | Target::Goto(to) if to == place));
    leads
        .filter_map(|rule| rule.counters.counters(ruleset))
        .map(|counters| counters.packets)
        .sum()
}

/// The number of connections that did not return from a chain.
fn through(ruleset: &Ruleset, chain: &Chain) -> u64 {
    let ends = chain
        .rules
        .iter()
        .filter(|rule| matches!(rule.target, Target::Extension(id) if id.get().name != "RETURN"));
    ends.filter_map(|rule| rule.counters.counters(ruleset))
        .map(|counters| counters.packets)
        .sum()
}

/// The treatment of connections by a rule, and whether they go to the proxy. `leads_inward` means
/// that the rule concerns incoming connections and jumps to another chain. If it is a `RETURN`,
/// such as Istio's for port 15008, the connection bypasses the proxy.
fn way(purpose: Option<Purpose>, leads_inward: bool, kind: MeshKind) -> (&'static str, bool) {
    match purpose {
        Some(Purpose::Owner(OwnerRule::OwnPod)) => ("were the proxy's calls to its own pod", false),
        Some(Purpose::Owner(OwnerRule::OthersLoopback)) => {
            ("were the pod's own calls over lo, not by", false)
        }
        Some(Purpose::Owner(OwnerRule::LetOut)) => ("were let out by owner", false),
        Some(Purpose::Option(option)) => match option {
            MeshOption::ExcludeInboundPorts | MeshOption::ExcludeOutboundPorts => {
                ("passed by port", false)
            }
            MeshOption::ExcludeRanges | MeshOption::Probes => ("passed by address", false),
            MeshOption::OnlyGroups | MeshOption::ExcludeGroups => ("passed by group", false),
            MeshOption::IncludeInboundPorts
            | MeshOption::IncludeOutboundPorts
            | MeshOption::IncludeRanges => ("were captured", true),
            MeshOption::ExcludeInterfaces
            | MeshOption::VirtualInterfaces
            | MeshOption::DropInvalid => ("were left alone", false),
        },
        Some(Purpose::OutboundRest | Purpose::OutboundRedirect | Purpose::InboundRedirect) => {
            ("were captured", true)
        }
        Some(Purpose::DnsRedirect) => ("were DNS and were captured", true),
        Some(Purpose::Part) if leads_inward && kind != MeshKind::IstioAmbient => {
            ("were captured", true)
        }
        Some(Purpose::Part | Purpose::OutboundJump | Purpose::InboundJump | Purpose::Renewal)
        | None => ("were left alone", false),
    }
}
