//! Who made these rules: a service mesh is known by its chains; everything else is read from the rules themselves.

use crate::extension::{Behaviour, Id, Options};
use crate::host::Host;
use crate::packet::Family;
use crate::ruleset::{Chain, Hook, Rule, Ruleset, Table, TableName, Target, Value};
use crate::walk::trace::Place;

mod deviation;
mod glob;
mod kind;
pub(crate) mod shape;
mod version;

pub use deviation::{Deviation, deviations};
pub(crate) use kind::CHAINS;
pub use kind::{Kind, Setting};
pub use shape::Is;

use shape::Shape;

/// How a mesh gets a pod's traffic.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Both ways by REDIRECT, to a proxy in the pod that is known by its user.
    Redirect,
    /// What arrives by TPROXY, with both addresses as they are.
    Tproxy,
    /// By REDIRECT, to a proxy outside the pod that is known by its mark.
    Ambient,
}

impl Mode {
    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Redirect => "REDIRECT",
            Self::Tproxy => "TPROXY",
            Self::Ambient => "ambient",
        }
    }
}

/// A recognised mesh.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mesh {
    /// Its name.
    pub name: &'static str,
    /// Its proxy's name.
    pub proxy: &'static str,
    /// How it gets the traffic.
    pub mode: Mode,
    /// The versions that make such rules, where they tell: `1.13 to 1.17`.
    pub versions: Option<String>,
    /// The user ids that its rules let out, as ranges.
    pub uids: Vec<(u32, u32)>,
    /// The group ids that its rules let out, as ranges.
    pub gids: Vec<(u32, u32)>,
    /// The mark, with its mask, that its rules let out.
    pub mark: Option<(u32, u32)>,
    /// The mark, with its mask, that policy routing must lead to `lo`; no dump shows whether it does.
    pub route: Option<(u32, u32)>,
    /// The ports that its rules redirect to, on a packet's way out.
    pub outbound: Vec<u16>,
    /// The ports that its rules redirect to, on a packet's way in.
    pub inbound: Vec<u16>,
    /// The ports that its rules redirect DNS to.
    pub dns: Vec<u16>,
    /// Ports of the proxy that its rules exempt: tunnel, health, statistics.
    pub own: Vec<u16>,
    /// Whether it exempts SSH, as old versions of Istio do without being asked.
    pub ssh: bool,
    /// The options that show in the rules: name and values.
    pub options: Vec<(String, Vec<String>)>,
    kind: &'static Kind,
}

impl Mesh {
    /// Who listens on a port, as far as the rules tell.
    pub fn listener(&self, port: u16) -> Option<&'static str> {
        if self.dns.contains(&port) {
            return Some(self.kind.resolver);
        }
        [&self.outbound, &self.inbound, &self.own].iter().any(|ports| ports.contains(&port)).then_some(self.proxy)
    }

    /// The proxy's user id, where it is one.
    pub fn uid(&self) -> Option<u32> {
        one(&self.uids)
    }

    /// The proxy's group id, where it is one.
    pub fn gid(&self) -> Option<u32> {
        one(&self.gids)
    }

    /// What there is to know, one fact each: `uid and gid 1337`, `out 15001`.
    pub fn facts(&self) -> Vec<String> {
        let mut facts = vec![format!("{} mode", self.mode.name()), format!("proxy {}", self.proxy)];
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
        let exempt: Vec<u16> = self.own.iter().copied().chain(self.ssh.then_some(22)).collect();
        for (ports, way) in [(&self.outbound, "out"), (&self.inbound, "in"), (&self.dns, "DNS"), (&exempt, "exempt")] {
            if !ports.is_empty() {
                facts.push(format!("{way} {}", join(ports)));
            }
        }
        facts.extend(self.options.iter().map(|(name, values)| format!("{name}: \"{}\"", values.join(","))));
        facts
    }

    /// Why one of its rules is there.
    pub fn purpose(&self, rulesets: &[Ruleset], place: Place) -> Option<String> {
        let (ruleset, table, chain) = place.at.find(rulesets);
        let rule = place.rule(rulesets)?;
        let fit = Shape::new(self.kind, ruleset.family).fit(ruleset, table, &chain.name, rule)?;
        let option = match fit.row.is {
            Is::Option(setting) => self.option_that_made(setting, &fit.words),
            _ => None,
        };
        Some(fit.why(self.proxy) + &option.map(|name| format!(" It comes from {name}.")).unwrap_or_default())
    }

    /// The option that a rule comes from; none where the mesh makes such a rule for a port of its own.
    fn option_that_made(&self, setting: Setting, words: &[String]) -> Option<String> {
        let name = self.option_name(setting);
        let (_, values) = self.options.iter().find(|(other, _)| *other == name)?;
        let listed = |word: &String| word.split(',').all(|one| values.iter().any(|value| value == one));
        words.first().is_none_or(listed).then_some(name)
    }

    /// What one of its rules is to it.
    pub(crate) fn is(&self, ruleset: &Ruleset, table: &Table, chain: &Chain, rule: &Rule) -> Option<Is> {
        Some(Shape::new(self.kind, ruleset.family).fit(ruleset, table, &chain.name, rule)?.row.is)
    }

    /// The id, port or address that one of its rules is about.
    pub(crate) fn words(&self, ruleset: &Ruleset, table: &Table, chain: &Chain, rule: &Rule) -> String {
        let fit = Shape::new(self.kind, ruleset.family).fit(ruleset, table, &chain.name, rule);
        let about = fit.filter(|fit| matches!(fit.row.is, Is::Owner(_) | Is::Option(_)));
        about.and_then(|fit| fit.words.first().cloned()).unwrap_or_default()
    }

    /// Its chain for what leaves, in table nat.
    pub(crate) fn outward<'a>(&self, ruleset: &'a Ruleset) -> Option<(&'a Table, u32, &'a Chain)> {
        self.chain(ruleset, 2)
    }

    /// Its chain for what arrives.
    pub(crate) fn inward<'a>(&self, ruleset: &'a Ruleset) -> Option<(&'a Table, u32, &'a Chain)> {
        self.chain(ruleset, 0)
    }

    fn chain<'a>(&self, ruleset: &'a Ruleset, slot: usize) -> Option<(&'a Table, u32, &'a Chain)> {
        let table = ruleset.table(TableName::Nat)?;
        let (place, chain) = table.chain(self.kind.slots[slot])?;
        Some((table, place, chain))
    }

    fn option_name(&self, setting: Setting) -> String {
        let named = self.kind.options.iter().find(|(own, _)| *own == setting).map(|(_, name)| *name);
        match named {
            // An environment variable of istio-init, no annotation.
            Some(name) if name.starts_with("ISTIO") => name.to_owned(),
            Some(name) => format!("{}{name}", self.kind.prefix),
            None => setting.words().to_owned(),
        }
    }

    /// A value of an option that the mesh itself had chosen. Says whether it was there.
    fn take_back(&mut self, setting: Setting, value: &str) -> bool {
        let name = self.option_name(setting);
        let mut was_there = false;
        if let Some((_, values)) = self.options.iter_mut().find(|(other, _)| *other == name) {
            was_there = values.iter().any(|other| other == value);
            values.retain(|other| other != value);
        }
        self.options.retain(|(other, values)| *other != name || !values.is_empty());
        was_there
    }

    fn note(&mut self, setting: Setting, words: &[String]) {
        let name = self.option_name(setting);
        let place = match self.options.iter().position(|(other, _)| *other == name) {
            Some(place) => place,
            None => {
                self.options.push((name, Vec::new()));
                self.options.len() - 1
            }
        };
        for word in words.iter().flat_map(|word| word.split(',')) {
            add(&mut self.options[place].1, word.to_owned());
        }
    }
}

fn one(ids: &[(u32, u32)]) -> Option<u32> {
    ids.iter().rfind(|(low, high)| low == high).map(|(id, _)| *id)
}

/// Ranges in words: `3, 5 to 7`.
pub(crate) fn ranges(ranges: &[(u32, u32)]) -> String {
    let say = |(low, high): &(u32, u32)| if low == high { low.to_string() } else { format!("{low} to {high}") };
    ranges.iter().map(say).collect::<Vec<_>>().join(", ")
}

fn join(ports: &[u16]) -> String {
    ports.iter().map(u16::to_string).collect::<Vec<_>>().join(", ")
}

fn add<T: PartialEq>(list: &mut Vec<T>, item: T) {
    if !list.contains(&item) {
        list.push(item);
    }
}

/// Recognises a mesh by its chains.
pub fn recognise(ruleset: &Ruleset) -> Option<Mesh> {
    let has = |name: &&str| ruleset.tables.iter().any(|table| table.chain(name).is_some());
    let kind = kind::KINDS.iter().find(|kind| kind.chains.iter().all(has))?;
    let mut mesh = Mesh {
        name: kind.name,
        proxy: kind.proxy,
        mode: Mode::Redirect,
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
        kind,
    };
    let shape = Shape::new(kind, ruleset.family);
    let mut seen = Seen::default();
    for table in &ruleset.tables {
        let ways = [Hook::Output, Hook::Prerouting].map(|hook| reached_from(table, hook));
        for (place, chain) in table.chains.iter().enumerate() {
            for rule in &chain.rules {
                let fit = shape.fit(ruleset, table, &chain.name, rule);
                if let Some(fit) = &fit {
                    settle(&mut mesh, &mut seen, fit, &shape::text(ruleset, table, rule));
                }
                let known = fit.is_some_and(|fit| matches!(fit.row.is, Is::Inbound | Is::Outbound | Is::Dns));
                collect(ruleset, rule, !known && ways[0][place], !known && ways[1][place], &mut mesh);
            }
        }
    }
    seen.finish(&mut mesh);
    if mesh.mode == Mode::Redirect && kind.name == "Istio ambient" {
        mesh.mode = Mode::Ambient;
    }
    if let Some((versions, leaves_ssh)) = version::of(ruleset, &mesh) {
        mesh.versions = Some(versions);
        if leaves_ssh {
            mesh.ssh = mesh.take_back(Setting::ExcludeIn, "22");
        }
    }
    // The proxy's own call to its own pod goes to the inbound port, too.
    if mesh.outbound.len() > 1 {
        mesh.outbound.retain(|port| !mesh.inbound.contains(port));
    }
    Some(mesh)
}

/// What only the whole set tells.
#[derive(Default)]
struct Seen {
    rest_out: bool,
    jump_in: bool,
    included: bool,
    /// Whether ids stand in sets of rules, and the ids that do.
    sets: Vec<String>,
    exempt: Vec<(String, bool)>,
}

fn settle(mesh: &mut Mesh, seen: &mut Seen, fit: &shape::Fit, text: &str) {
    let port = fit.words.last().and_then(|word| word.parse::<u16>().ok());
    let list = match fit.row.is {
        Is::Inbound => Some(&mut mesh.inbound),
        Is::Outbound => Some(&mut mesh.outbound),
        Is::Dns => Some(&mut mesh.dns),
        _ => None,
    };
    if let (Some(list), Some(port)) = (list, port) {
        add(list, port);
    }
    let first = &fit.words[..fit.words.len().min(1)];
    let id = || fit.words.first().cloned().unwrap_or_default();
    match fit.row.is {
        Is::RestOut => seen.rest_out = true,
        Is::Outbound => seen.rest_out |= fit.row.chain == "@out",
        Is::JumpIn => seen.jump_in = true,
        Is::Owner(2) => seen.sets.push(id()),
        Is::Owner(4) => seen.exempt.push((id(), text.contains("--gid"))),
        Is::Inbound if fit.words.len() > 1 && text.contains("--dports") => mesh.note(Setting::IncludeIn, first),
        Is::Option(Setting::ExcludeIn) => {
            for port in first.iter().flat_map(|ports| ports.split(',')) {
                match port.parse() {
                    Ok(own) if mesh.kind.own.contains(&own) => add(&mut mesh.own, own),
                    _ => mesh.note(Setting::ExcludeIn, &[port.to_owned()]),
                }
            }
        }
        Is::Option(setting) => {
            seen.included |= matches!(setting, Setting::IncludeOut | Setting::IncludeRanges);
            match setting {
                Setting::Groups => mesh.note(setting, &words_behind(text, "--gid-owner ")),
                _ => mesh.note(setting, first),
            }
        }
        Is::Part if text.contains("--dport 15008 ") => add(&mut mesh.own, 15_008),
        Is::Part | Is::Inbound | Is::Dns | Is::Owner(_) | Is::JumpOut | Is::Guard => {}
    }
    if text.contains("TPROXY --on-port") {
        mesh.mode = Mode::Tproxy;
    }
}

fn words_behind(text: &str, flag: &str) -> Vec<String> {
    text.split(flag).skip(1).filter_map(|rest| rest.split(' ').next()).map(str::to_owned).collect()
}

impl Seen {
    fn finish(self, mesh: &mut Mesh) {
        // Where the proxy's ids stand in sets of three, an id that stands alone is an excluded group.
        for (id, group) in self.exempt {
            let ids = if group { &mut mesh.gids } else { &mut mesh.uids };
            if group && !self.sets.is_empty() && !self.sets.contains(&id) {
                ids.retain(|(low, high)| ranges(&[(*low, *high)]).replace(" to ", "-") != id);
                mesh.note(Setting::ExcludeGroups, &[id]);
            }
        }
        let named = |setting| mesh.kind.options.iter().any(|(own, _)| *own == setting);
        let (none_out, none_in) = (!self.rest_out && !self.included, !self.jump_in);
        if none_out && named(Setting::IncludeRanges) {
            mesh.note(Setting::IncludeRanges, &[]);
        }
        if none_in && named(Setting::IncludeIn) {
            mesh.note(Setting::IncludeIn, &[]);
        }
    }
}

/// Reads the proxy's identity and ports from one rule, whoever's it is.
fn collect(ruleset: &Ruleset, rule: &Rule, outward: bool, inward: bool, mesh: &mut Mesh) {
    let Target::Extension(target) = rule.target else { return };
    let options = Options { parts: ruleset.parameters(rule), ruleset };
    let target: Id = target;
    let redirects = target.get().behaviour == Behaviour::Redirects;
    for part in ruleset.matches(rule) {
        let field = part.opt().and_then(|opt| opt.field).map_or("", |field| field.name);
        match (field, &part.value, part.negated) {
            ("uid", Value::Range(low, high), false) if target.get().name == "RETURN" => {
                add(&mut mesh.uids, (*low, *high))
            }
            ("gid", Value::Range(low, high), false) if target.get().name == "RETURN" => {
                add(&mut mesh.gids, (*low, *high))
            }
            ("mark", Value::Masked { value, mask }, true) if redirects => mesh.mark = Some((*value, *mask)),
            ("dport", Value::Range(port, _), true) if redirects => {
                mesh.own.extend(u16::try_from(*port).ok().filter(|port| *port != 53 && !mesh.own.contains(port)));
            }
            _ => {}
        }
    }
    mesh.route = options.masked("--tproxy-mark").or(mesh.route);
    if target.get().name == "CONNMARK" && mesh.route.is_none() {
        mesh.route = options.masked("--set-xmark");
    }
    let port = match (options.value("--to-ports"), options.number("--on-port")) {
        (Some(Value::Range(port, _)), _) => *port,
        (_, Some(port)) => port,
        _ => return,
    };
    let Ok(port) = u16::try_from(port) else { return };
    if inward {
        add(&mut mesh.inbound, port);
    }
    if outward {
        add(&mut mesh.outbound, port);
    }
}

/// Which chains of a table a packet at that hook can reach.
pub(crate) fn reached_from(table: &Table, hook: Hook) -> Vec<bool> {
    let mut reached = vec![false; table.chains.len()];
    let mut waiting: Vec<u32> = table.at(hook).map(|(place, _)| place).into_iter().collect();
    while let Some(place) = waiting.pop() {
        if !std::mem::replace(&mut reached[place as usize], true) {
            waiting.extend(table.chains[place as usize].rules.iter().filter_map(|rule| match rule.target {
                Target::Jump(chain) | Target::Goto(chain) => Some(chain),
                _ => None,
            }));
        }
    }
    reached
}

/// The address in a rule's gap that makes it one of the rules of the mesh to which the rule set belongs: the mesh's name, and
/// the address. `with` is the rule with an address in the gap, as printed without `-A` and its chain. There is one only if
/// any other address would make it no rule of the mesh; where the address is known to be one of the loopback, if any other
/// would not make it the same one.
pub(crate) fn own_address(
    ruleset: &Ruleset,
    chain: &str,
    loopback: bool,
    with: &dyn Fn(&str) -> String,
) -> Option<(&'static str, &'static str)> {
    let mesh = recognise(ruleset)?;
    let shape = Shape::new(mesh.kind, ruleset.family);
    let any = match ruleset.family {
        Family::Ipv4 => "203.0.113.77/32",
        Family::Ipv6 => "2001:db8::77/128",
    };
    let row = |address: &str| shape.fit_text(chain, &with(address)).map(|fit| fit.row);
    let other = row(any);
    if other.is_some() && !loopback {
        return None;
    }
    let mut fit =
        shape::own_addresses(ruleset.family).into_iter().filter(|own| row(own).is_some() && row(own) != other);
    let own = fit.next()?;
    fit.next().is_none().then_some((mesh.name, own))
}

/// Chains that a node has and a pod has not, by how their names begin.
const NODE: [(&str, &str); 4] =
    [("KUBE-", "kube-proxy"), ("cali-", "Calico"), ("DOCKER", "Docker"), ("CNI-", "a container network plugin")];

/// Who made rules that are a node's, not a pod's.
pub fn node(ruleset: &Ruleset) -> Option<&'static str> {
    let names = ruleset.tables.iter().flat_map(|table| &table.chains).map(|chain| &*chain.name);
    names.into_iter().find_map(|name| NODE.iter().find(|(start, _)| name.starts_with(start)).map(|(_, who)| *who))
}

/// The surroundings that rules are walked in where nothing tells them: a node's for a node's rules, else a pod's. `mesh`: whose
/// rules they are.
pub fn usual_host(rulesets: &[Ruleset], mesh: Option<&Mesh>) -> Host {
    let of_node = mesh.is_none() && rulesets.iter().any(|set| node(set).is_some());
    if of_node { Host::node() } else { Host::pod() }
}

/// The families for which a mesh has made rules.
pub fn families(rulesets: &[Ruleset]) -> Vec<Family> {
    [Family::Ipv4, Family::Ipv6]
        .into_iter()
        .filter(|family| rulesets.iter().any(|set| set.family == *family && recognise(set).is_some()))
        .collect()
}
