//! Who made these rules: a service mesh is known by its chains; its proxy's identity and ports are read from the rules.

use crate::ruleset::{Chain, Hook, Ruleset, Table, TableName, Target, Value};

/// What a mesh's own tools call things.
#[derive(Debug)]
struct Kind {
    /// The mesh.
    name: &'static str,
    /// Its proxy.
    proxy: &'static str,
    /// Chains that only it makes; all must be there, in any table.
    chains: &'static [&'static str],
}

const KINDS: [Kind; 8] = [
    Kind { name: "Istio ambient", proxy: "ztunnel", chains: &["ISTIO_PRERT", "ISTIO_OUTPUT"] },
    Kind { name: "Istio sidecar", proxy: "Envoy", chains: &["ISTIO_REDIRECT"] },
    Kind { name: "Istio sidecar", proxy: "Envoy", chains: &["ISTIO_OUTPUT"] },
    Kind { name: "Linkerd", proxy: "linkerd-proxy", chains: &["PROXY_INIT_REDIRECT"] },
    Kind { name: "Consul", proxy: "Envoy", chains: &["CONSUL_PROXY_REDIRECT"] },
    Kind { name: "Kuma", proxy: "Envoy", chains: &["KUMA_MESH_OUTBOUND"] },
    Kind { name: "Open Service Mesh", proxy: "Envoy", chains: &["OSM_PROXY_OUTBOUND"] },
    Kind { name: "AWS App Mesh", proxy: "Envoy", chains: &["APPMESH_EGRESS"] },
];

/// A recognised mesh.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mesh {
    /// Its name.
    pub name: &'static str,
    /// Its proxy's name.
    pub proxy: &'static str,
    /// The user ids that its rules let out, as ranges.
    pub uids: Vec<(u32, u32)>,
    /// The group ids that its rules let out, as ranges.
    pub gids: Vec<(u32, u32)>,
    /// The ports that its rules redirect to, on a packet's way out.
    pub outbound: Vec<u16>,
    /// The ports that its rules redirect to, on a packet's way in.
    pub inbound: Vec<u16>,
}

impl Mesh {
    /// Who listens on a port, as far as the rules tell.
    pub fn listener(&self, port: u16) -> Option<&'static str> {
        (self.outbound.contains(&port) || self.inbound.contains(&port)).then_some(self.proxy)
    }

    /// The proxy's user id, where it is one.
    pub fn uid(&self) -> Option<u32> {
        self.uids.iter().find(|(low, high)| low == high).map(|(uid, _)| *uid)
    }
}

/// Recognises a mesh by its chains.
pub fn recognise(ruleset: &Ruleset) -> Option<Mesh> {
    let has = |name: &&str| ruleset.tables.iter().any(|table| table.chain(name).is_some());
    let kind = KINDS.iter().find(|kind| kind.chains.iter().all(has))?;
    let mut mesh = Mesh {
        name: kind.name,
        proxy: kind.proxy,
        uids: Vec::new(),
        gids: Vec::new(),
        outbound: Vec::new(),
        inbound: Vec::new(),
    };
    for table in ruleset.tables.iter().filter(|table| [TableName::Nat, TableName::Mangle].contains(&table.name)) {
        let outward = reached_from(table, Hook::Output);
        let inward = reached_from(table, Hook::Prerouting);
        for (place, chain) in table.chains.iter().enumerate() {
            collect(ruleset, chain, outward[place], inward[place], &mut mesh);
        }
    }
    // The proxy's own call to its own pod goes to the inbound port, too.
    mesh.outbound.retain(|port| !mesh.inbound.contains(port));
    Some(mesh)
}

fn collect(ruleset: &Ruleset, chain: &Chain, outward: bool, inward: bool, mesh: &mut Mesh) {
    for rule in &chain.rules {
        let Target::Extension(target) = rule.target else { continue };
        if target.get().name == "RETURN" {
            for part in ruleset.matches(rule).iter().filter(|part| !part.negated) {
                let ids = match (part.opt().map(|opt| opt.flag), &part.value) {
                    (Some("--uid-owner"), Value::Range(low, high)) => Some((&mut mesh.uids, (*low, *high))),
                    (Some("--gid-owner"), Value::Range(low, high)) => Some((&mut mesh.gids, (*low, *high))),
                    _ => None,
                };
                if let Some((list, ids)) = ids {
                    add(list, ids);
                }
            }
        }
        for part in ruleset.parameters(rule) {
            let port = match (part.opt().map(|opt| opt.flag), &part.value) {
                (Some("--to-ports"), Value::Range(port, _)) | (Some("--on-port"), Value::Number(port)) => *port,
                _ => continue,
            };
            let Ok(port) = u16::try_from(port) else { continue };
            if inward {
                add(&mut mesh.inbound, port);
            }
            if outward {
                add(&mut mesh.outbound, port);
            }
        }
    }
}

fn add<T: PartialEq>(list: &mut Vec<T>, item: T) {
    if !list.contains(&item) {
        list.push(item);
    }
}

/// Which chains of a table a packet at that hook can reach.
fn reached_from(table: &Table, hook: Hook) -> Vec<bool> {
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
