//! What deviates from the rules that a mesh makes: a rule missing, added, out of order or doubled.

use super::shape::{Is, Shape};
use super::{Mesh, Mode};
use crate::ruleset::{Chain, Hook, Ruleset, Table, TableName};

/// Something that the mesh's own tools would not have left so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deviation {
    /// The table.
    pub table: TableName,
    /// The chain's place in the table.
    pub chain: u32,
    /// The rule's place in the chain; none where one is missing.
    pub rule: Option<u32>,
    /// What it is, and what follows from it.
    pub says: String,
}

/// Compares a recognised set with the rules that its mesh makes.
pub fn deviations(mesh: &Mesh, ruleset: &Ruleset) -> Vec<Deviation> {
    let shape = Shape::new(mesh.kind, ruleset.family);
    let mut found = Vec::new();
    for table in &ruleset.tables {
        for (place, chain) in (0..).zip(&table.chains).filter(|(_, chain)| shape.knows(&chain.name)) {
            let mut order = Order { mesh, table, place, chain, found: &mut found };
            order.check(ruleset, &shape);
        }
    }
    missing(mesh, ruleset, &mut found);
    found
}

/// Whether it is a group, the id, and which of the rules that stand together have been seen, as bits.
type Sets = Vec<(bool, String, u8)>;

struct Order<'a> {
    mesh: &'a Mesh,
    table: &'a Table,
    place: u32,
    chain: &'a Chain,
    found: &'a mut Vec<Deviation>,
}

impl Order<'_> {
    fn say(&mut self, rule: Option<u32>, says: String) {
        self.found.push(Deviation { table: self.table.name, chain: self.place, rule, says });
    }

    fn check(&mut self, ruleset: &Ruleset, shape: &Shape) {
        let mut rank = 0;
        let mut sets: Sets = Vec::new();
        let mut alone = true;
        for (number, rule) in (0..).zip(&self.chain.rules) {
            let Some(fit) = shape.fit(ruleset, self.table, &self.chain.name, rule) else {
                let name = self.mesh.name;
                // In the kernel's chains others have rules, too; only nat's come between the mesh and its traffic.
                if self.chain.hook().is_none() || self.table.name == TableName::Nat {
                    self.say(
                        Some(number),
                        format!("{name} does not make this rule: what it takes, the rules behind it never see"),
                    );
                }
                continue;
            };
            let late = fit.row.rank < rank;
            if late {
                self.say(
                    Some(number),
                    "it stands behind rules that it should come before: they may take what is meant for it".into(),
                );
            }
            rank = rank.max(fit.row.rank);
            if fit.row.is == Is::Guard {
                self.say(
                    Some(number),
                    "the rules were being renewed when the dump was taken, or the renewal failed: nothing gets through"
                        .into(),
                );
            }
            if let Is::Owner(bit) = fit.row.is {
                let group = fit_is_group(ruleset, rule);
                let id = fit.words.last().cloned().unwrap_or_default();
                let place = sets.iter().position(|(own, other, _)| (*own, other) == (group, &id)).unwrap_or(sets.len());
                if place == sets.len() {
                    sets.push((group, id, 0));
                }
                let seen = &mut sets[place].2;
                let doubled = *seen & bit != 0;
                let behind = !doubled && *seen > bit && !late;
                *seen |= bit;
                alone &= bit == 4;
                if doubled {
                    self.say(Some(number), "it stands here twice".into());
                } else if behind {
                    self.say(Some(number), "it stands behind a rule for the same id that it should come before, and never sees what that one takes".into());
                }
            }
        }
        self.check_sets(&sets, alone);
    }

    /// Since 1.5 three rules stand together for each of the proxy's ids; with loopback addresses captured, two.
    fn check_sets(&mut self, sets: &Sets, alone: bool) {
        if alone {
            return;
        }
        let loopback = self.mesh.options.iter().any(|(_, values)| values.iter().any(|value| value.starts_with("127.")));
        for (group, id, seen) in sets {
            let what = if *group { "gid" } else { "uid" };
            let proxy = self.mesh.proxy;
            let says = match 7 & !seen {
                missing if missing & 4 != 0 => {
                    format!("no rule lets {what} {id} out: {proxy}'s own traffic comes back to it, for ever")
                }
                missing if missing & 1 != 0 && *seen != 4 => {
                    format!(
                        "no rule leads {what} {id}'s calls to its own pod into {proxy}: they pass the inbound policies by"
                    )
                }
                missing if missing & 2 != 0 && *seen != 4 && !loopback => {
                    format!("no rule spares the pod's own calls over lo for {what} {id}: they are captured")
                }
                _ => continue,
            };
            self.say(None, says);
        }
    }
}

fn fit_is_group(ruleset: &Ruleset, rule: &crate::ruleset::Rule) -> bool {
    let field =
        |part: &crate::ruleset::Part| part.opt().and_then(|opt| opt.field).is_some_and(|field| field.name == "gid");
    ruleset.matches(rule).iter().any(field)
}

/// What the whole set lacks: a half-loaded one.
fn missing(mesh: &Mesh, ruleset: &Ruleset, found: &mut Vec<Deviation>) {
    let Some(table) = ruleset.table(TableName::Nat) else { return };
    let mut say = |place: u32, says: String| {
        found.push(Deviation { table: TableName::Nat, chain: place, rule: None, says });
    };
    let proxy = mesh.proxy;
    if let Some((_, place, chain)) = mesh.outward(ruleset) {
        let reached = super::reached_from(table, Hook::Output);
        if chain.rules.is_empty() {
            say(
                place,
                format!("it holds no rules: the set is half loaded, and nothing that leaves is captured by {proxy}"),
            );
        } else if !reached[place as usize] {
            say(place, format!("no rule leads from OUTPUT into it: nothing that leaves is captured by {proxy}"));
        }
    }
    if mesh.outbound.is_empty() {
        say(0, format!("no rule redirects what leaves to {proxy}: the set is half loaded"));
    }
    if mesh.inbound.is_empty() && mesh.mode != Mode::Ambient {
        say(0, format!("no rule redirects what arrives to {proxy}"));
    }
}
