//! Recognizes the service mesh that made the rules. Its chains identify the mesh. Everything else
//! is read from the rules.

use crate::iptables::table_name::TableName;
use crate::netfilter::effect::Effect;
use crate::netfilter::place::Place;
use crate::netfilter::ruleset::{Chain, Rule, Ruleset, Table, Target};
use crate::packet::Family;
use crate::packet::fields::PacketField;
use crate::packet::hook::Hook;
use crate::packet::host::Host;

mod app_mesh;
mod chain_role;
mod consul;
mod definition;
mod deviation;
mod istio_ambient;
mod istio_sidecar;
mod kuma;
mod linkerd;
mod mesh_kind;
mod mesh_option;
mod open_service_mesh;
mod rule_pattern;
mod rule_view;
mod sidecar_rules;
mod version;

pub use definition::Mode;
pub use deviation::{Deviation, deviations};
pub(crate) use mesh_kind::CHAINS;
pub use mesh_kind::MeshKind;
pub use mesh_option::{MeshOption, OptionSetting, OptionValue};
pub use rule_pattern::{OwnerRule, Purpose};
pub(crate) use rule_view::{ConditionField, ConditionValue, RuleEffect, RuleView, ViewedCondition};
pub use rule_view::{IdRange, Network, PortRange};
pub use version::{Version, VersionRange};

use chain_role::ChainRole;
use definition::Fit;
use mesh_option::option_values;
use rule_pattern::{MeshRule, loopback, proxy_source};
use sidecar_rules::TUNNEL_PORT;

/// A recognized mesh.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mesh {
    /// The mesh.
    pub kind: MeshKind,
    /// How it captures traffic.
    pub mode: Mode,
    /// The versions that make such rules, if the rules show it.
    pub versions: Option<VersionRange>,
    /// The user ids whose traffic its rules exempt, as ranges.
    pub uids: Vec<(u32, u32)>,
    /// The group ids whose traffic its rules exempt, as ranges.
    pub gids: Vec<(u32, u32)>,
    /// The mark, with its mask, of traffic that its rules exempt.
    pub mark: Option<(u32, u32)>,
    /// The mark, with its mask, that policy routing must lead to `lo`. No dump shows policy
    /// routing.
    pub route: Option<(u32, u32)>,
    /// The ports to which its rules redirect outgoing connections.
    pub outbound: Vec<u16>,
    /// The ports to which its rules redirect incoming connections.
    pub inbound: Vec<u16>,
    /// The ports to which its rules redirect DNS.
    pub dns: Vec<u16>,
    /// The ports of the proxy that its rules exempt: tunnel, health, statistics.
    pub own: Vec<u16>,
    /// Whether it exempts SSH. Old versions of Istio do so by default.
    pub ssh: bool,
    /// The options that the rules show, in the order of the rules.
    pub options: Vec<OptionSetting>,
}

/// A program of a mesh that accepts connections.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Listener {
    /// The proxy.
    Proxy,
    /// A separate resolver for DNS.
    Resolver,
}

impl Mesh {
    /// The name of the mesh.
    pub fn name(&self) -> &'static str {
        self.kind.name()
    }

    /// The name of its proxy.
    pub fn proxy(&self) -> &'static str {
        self.kind.proxy()
    }

    /// The program that listens on a port, as far as the rules show it.
    pub fn listening(&self, port: u16) -> Option<Listener> {
        if self.dns.contains(&port) {
            return Some(match self.kind.definition().resolver {
                Some(_) => Listener::Resolver,
                None => Listener::Proxy,
            });
        }
        [&self.outbound, &self.inbound, &self.own]
            .iter()
            .any(|ports| ports.contains(&port))
            .then_some(Listener::Proxy)
    }

    /// The name of the program that listens on a port.
    pub fn listener(&self, port: u16) -> Option<&'static str> {
        match self.listening(port)? {
            Listener::Proxy => Some(self.proxy()),
            Listener::Resolver => self.kind.definition().resolver,
        }
    }

    /// The user id of the proxy, if there is exactly one.
    pub fn uid(&self) -> Option<u32> {
        one(&self.uids)
    }

    /// The group id of the proxy, if there is exactly one.
    pub fn gid(&self) -> Option<u32> {
        one(&self.gids)
    }

    /// Lists the known facts about the mesh: `uid and gid 1337`, `out 15001`.
    pub fn facts(&self) -> Vec<String> {
        let mut facts = vec![
            format!("{} mode", self.mode.name()),
            format!("proxy {}", self.proxy()),
        ];
        match (&*ranges(&self.uids), &*ranges(&self.gids)) {
            ("", "") => {}
            (uids, gids) if uids == gids => facts.push(format!("uid and gid {uids}")),
            (uids, "") => facts.push(format!("uid {uids}")),
            ("", gids) => facts.push(format!("gid {gids}")),
            (uids, gids) => facts.push(format!("uid {uids}, gid {gids}")),
        }
        if let Some((value, mask)) = self.mark {
            facts.push(format!("mark {value:#x}/{mask:#x}"));
        }
        let exempt: Vec<u16> = self
            .own
            .iter()
            .copied()
            .chain(self.ssh.then_some(22))
            .collect();
        for (ports, way) in [
            (&self.outbound, "out"),
            (&self.inbound, "in"),
            (&self.dns, "DNS"),
            (&exempt, "exempt"),
        ] {
            if !ports.is_empty() {
                facts.push(format!("{way} {}", join(ports)));
            }
        }
        facts.extend(self.options.iter().map(|setting| {
            let values: Vec<String> = setting.values.iter().map(OptionValue::to_string).collect();
            format!(
                "{}: \"{}\"",
                self.option_name(setting.option),
                values.join(",")
            )
        }));
        facts
    }

    /// The reason for one of its rules.
    pub fn purpose(&self, rulesets: &[Ruleset], place: Place) -> Option<String> {
        let (ruleset, table, chain) = place.at.find(rulesets);
        let fit = self.fit(ruleset, table, chain, place.rule(rulesets)?)?;
        let option = match fit.rule.purpose {
            Purpose::Option(option) => self.option_that_made(option, &fit),
            _ => None,
        };
        Some(
            fit.reason(self.proxy())
                + &option
                    .map(|name| format!(" It comes from {name}."))
                    .unwrap_or_default(),
        )
    }

    /// The option that a rule comes from; `None` if the mesh makes such a rule for a port of its
    /// own.
    fn option_that_made(&self, option: MeshOption, fit: &Fit) -> Option<&'static str> {
        let setting = self.setting(option)?;
        let made = fit
            .subject
            .iter()
            .flat_map(option_values)
            .all(|value| setting.values.contains(&value));
        made.then(|| self.option_name(option))
    }

    fn fit<'a>(
        &self,
        ruleset: &'a Ruleset,
        table: &'a Table,
        chain: &Chain,
        rule: &Rule,
    ) -> Option<Fit<'a>> {
        let definition = self.kind.definition();
        let role = definition.role(&chain.name)?;
        definition.fit(
            ruleset.family,
            role,
            &RuleView::from_iptables(ruleset, table, rule),
        )
    }

    /// The purpose of one of its rules.
    pub(crate) fn purpose_of(
        &self,
        ruleset: &Ruleset,
        table: &Table,
        chain: &Chain,
        rule: &Rule,
    ) -> Option<Purpose> {
        Some(self.fit(ruleset, table, chain, rule)?.rule.purpose)
    }

    /// The id, port or address that one of its rules concerns.
    pub(crate) fn subject(
        &self,
        ruleset: &Ruleset,
        table: &Table,
        chain: &Chain,
        rule: &Rule,
    ) -> Option<String> {
        let fit = self.fit(ruleset, table, chain, rule)?;
        let shown = matches!(fit.rule.purpose, Purpose::Owner(_) | Purpose::Option(_));
        fit.subject
            .filter(|_| shown)
            .map(|condition| condition.value.to_string())
    }

    /// Its chain for outgoing connections, in table nat.
    pub(crate) fn outward<'a>(&self, ruleset: &'a Ruleset) -> Option<(&'a Table, u32, &'a Chain)> {
        self.chain(ruleset, ChainRole::Outbound)
    }

    /// Its chain for incoming connections.
    pub(crate) fn inward<'a>(&self, ruleset: &'a Ruleset) -> Option<(&'a Table, u32, &'a Chain)> {
        self.chain(ruleset, ChainRole::Inbound)
    }

    fn chain<'a>(
        &self,
        ruleset: &'a Ruleset,
        role: ChainRole,
    ) -> Option<(&'a Table, u32, &'a Chain)> {
        let table = ruleset.table(TableName::Nat)?;
        let (place, chain) = table.chain(self.kind.definition().chains.name(role)?)?;
        Some((table, place, chain))
    }

    /// The name of an option that users of the mesh know.
    pub fn option_name(&self, option: MeshOption) -> &'static str {
        let named = self
            .kind
            .definition()
            .options
            .iter()
            .find(|(own, _)| *own == option);
        named.map_or_else(|| option.description(), |(_, name)| name)
    }

    fn setting(&self, option: MeshOption) -> Option<&OptionSetting> {
        self.options.iter().find(|setting| setting.option == option)
    }

    /// Removes a value that the mesh itself chose from an option. Returns whether the option had
    /// the value.
    fn take_back(&mut self, option: MeshOption, value: &OptionValue) -> bool {
        let Some(place) = self
            .options
            .iter()
            .position(|setting| setting.option == option)
        else {
            return false;
        };
        let values = &mut self.options[place].values;
        let was_there = values.contains(value);
        values.retain(|other| other != value);
        if values.is_empty() {
            self.options.remove(place);
        }
        was_there
    }

    fn note(&mut self, option: MeshOption, values: impl IntoIterator<Item = OptionValue>) {
        let place = match self
            .options
            .iter()
            .position(|setting| setting.option == option)
        {
            Some(place) => place,
            None => {
                self.options.push(OptionSetting {
                    option,
                    values: Vec::new(),
                });
                self.options.len() - 1
            }
        };
        for value in values {
            add(&mut self.options[place].values, value);
        }
    }
}

fn one(ids: &[(u32, u32)]) -> Option<u32> {
    ids.iter()
        .rfind(|(low, high)| low == high)
        .map(|(id, _)| *id)
}

/// Words ranges: `3, 5 to 7`.
pub(crate) fn ranges(ranges: &[(u32, u32)]) -> String {
    ranges
        .iter()
        .map(|(low, high): &(u32, u32)| {
            if low == high {
                low.to_string()
            } else {
                format!("{low} to {high}")
            }
        })
        .collect::<Vec<_>>()
        .join(", ")
}

fn join(ports: &[u16]) -> String {
    ports
        .iter()
        .map(u16::to_string)
        .collect::<Vec<_>>()
        .join(", ")
}

fn add<T: PartialEq>(list: &mut Vec<T>, item: T) {
    if !list.contains(&item) {
        list.push(item);
    }
}

/// Recognizes a mesh by its chains.
pub fn recognise(ruleset: &Ruleset) -> Option<Mesh> {
    let kind = MeshKind::ALL.into_iter().find(|kind: &MeshKind| {
        kind.definition().recognized_by.iter().any(|chains| {
            chains.iter().all(|name: &&str| {
                ruleset
                    .tables
                    .iter()
                    .any(|table| table.chain(name).is_some())
            })
        })
    })?;
    let definition = kind.definition();
    let mut mesh = Mesh {
        kind,
        mode: definition.mode,
        versions: None,
        uids: Vec::new(),
        gids: Vec::new(),
        mark: None,
        route: None,
        outbound: Vec::new(),
        inbound: Vec::new(),
        dns: Vec::new(),
        own: Vec::new(),
        ssh: false,
        options: Vec::new(),
    };
    let mut seen = Seen::default();
    for table in &ruleset.tables {
        let ways = [Hook::Output, Hook::Prerouting].map(|hook| reached_from(table, hook));
        for (place, chain) in table.chains.iter().enumerate() {
            let role = definition.role(&chain.name);
            for rule in &chain.rules {
                let effect = rule_view::effect(ruleset, table, rule);
                if role.is_none() && !shows_proxy(&effect) {
                    continue;
                }
                let view = RuleView::from_iptables(ruleset, table, rule);
                let fit = role.and_then(|role| definition.fit(ruleset.family, role, &view));
                if let Some(fit) = &fit {
                    settle(&mut mesh, &mut seen, fit, &view);
                }
                let known = fit.is_some_and(|fit| {
                    let redirects = [
                        Purpose::InboundRedirect,
                        Purpose::OutboundRedirect,
                        Purpose::DnsRedirect,
                    ];
                    redirects.contains(&fit.rule.purpose)
                });
                collect(
                    &view,
                    !known && ways[0][place],
                    !known && ways[1][place],
                    &mut mesh,
                );
            }
        }
    }
    seen.finish(&mut mesh);
    if let Some((versions, leaves_ssh)) =
        version::find(&definition.versions, ruleset, definition.chains, &mesh)
    {
        mesh.versions = Some(versions);
        if leaves_ssh {
            let ssh = OptionValue::Ports(PortRange {
                first: 22,
                last: 22,
            });
            mesh.ssh = mesh.take_back(MeshOption::ExcludeInboundPorts, &ssh);
        }
    }
    // The proxy's own call to its own pod also goes to the inbound port.
    if mesh.outbound.len() > 1 {
        mesh.outbound.retain(|port| !mesh.inbound.contains(port));
    }
    Some(mesh)
}

/// Facts that only the whole rule set shows.
#[derive(Default)]
struct Seen {
    rest_out: bool,
    jump_in: bool,
    included: bool,
    /// The ids that have a set of rules.
    sets: Vec<IdRange>,
    /// The ids that a single rule exempts, and whether they are groups.
    exempt: Vec<(IdRange, bool)>,
}

/// The ids that a rule concerns.
fn ids(condition: Option<&ViewedCondition>) -> Option<IdRange> {
    match condition?.value {
        ConditionValue::Ids(ids) => Some(ids),
        _ => None,
    }
}

/// Records the facts that one of the mesh's rules shows.
fn settle(mesh: &mut Mesh, seen: &mut Seen, fit: &Fit, view: &RuleView) {
    let list = match fit.rule.purpose {
        Purpose::InboundRedirect => Some(&mut mesh.inbound),
        Purpose::OutboundRedirect => Some(&mut mesh.outbound),
        Purpose::DnsRedirect => Some(&mut mesh.dns),
        _ => None,
    };
    if let (Some(list), Some(port)) = (list, view.effect.ports().and_then(PortRange::single)) {
        add(list, port);
    }
    let subject = fit.subject.as_ref();
    let values = || subject.map(option_values).unwrap_or_default();
    match fit.rule.purpose {
        Purpose::OutboundRest => seen.rest_out = true,
        Purpose::OutboundRedirect => seen.rest_out |= fit.rule.chain == ChainRole::Outbound,
        Purpose::InboundJump => seen.jump_in = true,
        Purpose::Owner(OwnerRule::OthersLoopback) => seen.sets.extend(ids(subject)),
        Purpose::Owner(OwnerRule::LetOut) => {
            let group = subject.is_some_and(|condition| {
                condition.field == ConditionField::Packet(PacketField::Gid)
            });
            seen.exempt.extend(ids(subject).map(|ids| (ids, group)));
        }
        Purpose::InboundRedirect if subject.is_some() => {
            mesh.note(MeshOption::IncludeInboundPorts, values())
        }
        Purpose::Option(MeshOption::ExcludeInboundPorts) => {
            for value in values() {
                match value {
                    OptionValue::Ports(ports)
                        if ports
                            .single()
                            .is_some_and(|own| mesh.kind.definition().own_ports.contains(&own)) =>
                    {
                        add(&mut mesh.own, ports.first);
                    }
                    _ => mesh.note(MeshOption::ExcludeInboundPorts, [value]),
                }
            }
        }
        Purpose::Option(MeshOption::OnlyGroups) => {
            let groups = view
                .conditions
                .iter()
                .filter(|condition| condition.field == ConditionField::Packet(PacketField::Gid));
            mesh.note(MeshOption::OnlyGroups, groups.flat_map(option_values));
        }
        Purpose::Option(option) => {
            seen.included |= matches!(
                option,
                MeshOption::IncludeOutboundPorts | MeshOption::IncludeRanges
            );
            mesh.note(option, values());
        }
        Purpose::Part if asks_for_tunnel(view) => add(&mut mesh.own, TUNNEL_PORT),
        Purpose::Part
        | Purpose::InboundRedirect
        | Purpose::DnsRedirect
        | Purpose::Owner(OwnerRule::OwnPod)
        | Purpose::OutboundJump
        | Purpose::Renewal => {}
    }
    if let RuleEffect::Perform(Effect::TransparentProxy { .. }) = view.effect {
        mesh.mode = Mode::Tproxy;
    }
}

/// Whether a rule concerns the tunnel port of other proxies.
fn asks_for_tunnel(view: &RuleView) -> bool {
    view.conditions
        .iter()
        .any(|condition| match condition.value {
            ConditionValue::Port(ports) => {
                (condition.field, ports.single())
                    == (
                        ConditionField::Packet(PacketField::Dport),
                        Some(TUNNEL_PORT),
                    )
            }
            _ => false,
        })
}

impl Seen {
    fn finish(self, mesh: &mut Mesh) {
        // If the proxy's ids have sets of three rules, an id with a single rule is an excluded
        // group.
        for (id, group) in self.exempt {
            if group && !self.sets.is_empty() && !self.sets.contains(&id) {
                mesh.gids.retain(|own| *own != (id.first, id.last));
                mesh.note(MeshOption::ExcludeGroups, [OptionValue::Ids(id)]);
            }
        }
        let definition = mesh.kind.definition();
        let (none_out, none_in) = (!self.rest_out && !self.included, !self.jump_in);
        if none_out && definition.has_option(MeshOption::IncludeRanges) {
            mesh.note(MeshOption::IncludeRanges, []);
        }
        if none_in && definition.has_option(MeshOption::IncludeInboundPorts) {
            mesh.note(MeshOption::IncludeInboundPorts, []);
        }
    }
}

/// Whether a rule with this effect shows a fact about the proxy, in any chain.
fn shows_proxy(effect: &RuleEffect) -> bool {
    effect.redirects()
        || matches!(
            effect,
            RuleEffect::Perform(Effect::Return | Effect::SetConnectionMark { .. })
        )
}

/// Reads the proxy's identity and ports from one rule, even if the mesh does not make such a rule.
fn collect(view: &RuleView, outward: bool, inward: bool, mesh: &mut Mesh) {
    let returns = view.effect == RuleEffect::Perform(Effect::Return);
    let redirects = view.effect.redirects();
    for condition in &view.conditions {
        match (condition.field, &condition.value, condition.negated) {
            (ConditionField::Packet(PacketField::Uid), ConditionValue::Ids(ids), false)
                if returns =>
            {
                add(&mut mesh.uids, (ids.first, ids.last))
            }
            (ConditionField::Packet(PacketField::Gid), ConditionValue::Ids(ids), false)
                if returns =>
            {
                add(&mut mesh.gids, (ids.first, ids.last))
            }
            (ConditionField::Packet(PacketField::Mark), ConditionValue::Mark(mark), true)
                if redirects =>
            {
                mesh.mark = Some((mark.value, mark.mask))
            }
            (ConditionField::Packet(PacketField::Dport), ConditionValue::Port(ports), true)
                if redirects && ports.first != 53 =>
            {
                add(&mut mesh.own, ports.first);
            }
            _ => {}
        }
    }
    match view.effect {
        RuleEffect::Perform(Effect::TransparentProxy { mark, .. }) => {
            mesh.route = mark.map(|mark| (mark.value, mark.mask)).or(mesh.route);
        }
        RuleEffect::Perform(Effect::SetConnectionMark { change, .. }) => {
            mesh.route = mesh.route.or(Some((change.value, change.mask)));
        }
        _ => {}
    }
    let Some(PortRange { first: port, .. }) = view.effect.ports() else {
        return;
    };
    if inward {
        add(&mut mesh.inbound, port);
    }
    if outward {
        add(&mut mesh.outbound, port);
    }
}

/// The chains of a table that a packet at a hook can reach.
pub(crate) fn reached_from(table: &Table, hook: Hook) -> Vec<bool> {
    let mut reached = vec![false; table.chains.len()];
    let mut waiting: Vec<u32> = table.at(hook).map(|(place, _)| place).into_iter().collect();
    while let Some(place) = waiting.pop() {
        if !std::mem::replace(&mut reached[place as usize], true) {
            waiting.extend(
                table.chains[place as usize]
                    .rules
                    .iter()
                    .filter_map(|rule| match rule.target {
                        Target::Jump(chain) | Target::Goto(chain) => Some(chain),
                        _ => None,
                    }),
            );
        }
    }
    reached
}

/// Finds the address that makes a rule with a gap one of the rules of the recognized mesh: the
/// mesh, and the address. `with` gives the view of the rule with an address in the gap. The result
/// is `None` if another address would also give a rule of the mesh. If the address is known to be a
/// loopback address, the result is `None` only if another address would give the same rule of the
/// mesh.
pub(crate) fn own_address<'a>(
    ruleset: &Ruleset,
    chain: &str,
    loopback_only: bool,
    with: &dyn Fn(Network) -> RuleView<'a>,
) -> Option<(MeshKind, Network)> {
    let kind = recognise(ruleset)?.kind;
    let (definition, family) = (kind.definition(), ruleset.family);
    let role = definition.role(chain)?;
    let any = Network::single(match family {
        Family::Ipv4 => [203, 0, 113, 77].into(),
        Family::Ipv6 => [0x2001, 0xdb8, 0, 0, 0, 0, 0, 0x77].into(),
    });
    let row = |address: Network| {
        definition
            .fit(family, role, &with(address))
            .map(|fit| fit.rule)
    };
    let other = row(any);
    if other.is_some() && !loopback_only {
        return None;
    }
    let is_other = |rule: &MeshRule| other.is_some_and(|other| std::ptr::eq(other, rule));
    let own_addresses = [loopback(family), proxy_source(family)];
    let mut fitting = own_addresses
        .into_iter()
        .filter(|own| row(*own).is_some_and(|rule| !is_other(rule)));
    let own = fitting.next()?;
    fitting.next().is_none().then_some((kind, own))
}

/// Prefixes of the names of chains that nodes have and pods do not have.
const NODE: [(&str, &str); 4] = [
    ("KUBE-", "kube-proxy"),
    ("cali-", "Calico"),
    ("DOCKER", "Docker"),
    ("CNI-", "a container network plugin"),
];

/// The program that made the rules of a node; `None` for the rules of a pod.
pub fn node(ruleset: &Ruleset) -> Option<&'static str> {
    let names = ruleset
        .tables
        .iter()
        .flat_map(|table| &table.chains)
        .map(|chain| &*chain.name);
    names.into_iter().find_map(|name| {
        NODE.iter()
            .find(|(start, _)| name.starts_with(start))
            .map(|(_, who)| *who)
    })
}

/// The host to assume if the input describes none: a node for the rules of a node, otherwise a pod.
/// `mesh` is the mesh that made the rules.
pub fn usual_host(rulesets: &[Ruleset], mesh: Option<&Mesh>) -> Host {
    if are_of_node(rulesets, mesh) {
        Host::node()
    } else {
        Host::pod()
    }
}

/// The kind of host that [`usual_host`] assumes: "a node", or "a pod".
pub fn usual_namespace(rulesets: &[Ruleset], mesh: Option<&Mesh>) -> &'static str {
    if are_of_node(rulesets, mesh) {
        "a node"
    } else {
        "a pod"
    }
}

fn are_of_node(rulesets: &[Ruleset], mesh: Option<&Mesh>) -> bool {
    mesh.is_none() && rulesets.iter().any(|set| node(set).is_some())
}

/// The families that have rules of a mesh.
pub fn families(rulesets: &[Ruleset]) -> Vec<Family> {
    [Family::Ipv4, Family::Ipv6]
        .into_iter()
        .filter(|family| {
            rulesets
                .iter()
                .any(|set| set.family == *family && recognise(set).is_some())
        })
        .collect()
}
