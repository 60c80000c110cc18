//! Base chains with types and priorities that no table of iptables has. In the kernel, they are
//! chains of an nftables table. In the model, they are additional chains of the rule set of
//! iptables-nft.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::process::Command;

use chainwalk_core::iptables::table_name::TableName;
use chainwalk_core::netfilter::backend::Backend;
use chainwalk_core::netfilter::base::{BaseChain, ChainType};
use chainwalk_core::netfilter::ruleset::{Policy, Ruleset};
use chainwalk_core::packet::Family;
use chainwalk_core::packet::hook::Hook;
use chainwalk_tests::random::{ELSEWHERE, MARKS, OWN, PORTS, of};
use proptest::prelude::*;
use proptest::sample::select;

/// The name of the table in the kernel.
const TABLE: &str = "made";
/// Priorities of filter and route chains: between those of iptables' tables, and some of them
/// equal. A priority equal to a station (-200, -100, 100) or to a chain of iptables-nft is
/// excluded, because the order of registration decides then.
const PRIORITIES: [i32; 12] = [-400, -250, -199, -160, -120, -99, -50, -1, 10, 10, 50, 300];
/// Priorities of nat chains. None of them moves the chain out of the nat station.
const NAT_PRIORITIES: [i32; 5] = [-150, -120, -50, 5, 110];

/// A base chain with its rules.
#[derive(Clone, Debug)]
pub(crate) struct MadeChain {
    base: BaseChain,
    rules: Vec<MadeRule>,
}

/// A rule in both languages: the words after `-A CHAIN`, and the nft statements around its counter.
#[derive(Clone, Debug)]
struct MadeRule {
    iptables: String,
    condition: String,
    action: String,
}

impl MadeChain {
    /// At most four chains.
    pub(crate) fn some(family: Family) -> impl Strategy<Value = Vec<Self>> {
        prop::collection::vec(Self::any(family), 1..=4)
    }

    fn any(family: Family) -> impl Strategy<Value = Self> {
        let filter = (
            select(Hook::ALL.to_vec()),
            select(PRIORITIES.to_vec()),
            any::<bool>(),
            prop::bool::weighted(0.1),
        )
            .prop_map(|(hook, priority, route, drops)| BaseChain {
                kind: if route && hook == Hook::Output {
                    ChainType::Route
                } else {
                    ChainType::Filter
                },
                hook,
                priority,
                policy: if drops { Policy::Drop } else { Policy::Accept },
            });
        let hooks = select(TableName::Nat.hooks().to_vec());
        let nat = (hooks, select(NAT_PRIORITIES.to_vec())).prop_map(|(hook, priority)| BaseChain {
            kind: ChainType::Nat,
            hook,
            priority,
            policy: Policy::Accept,
        });
        prop_oneof![3 => filter.boxed(), 2 => nat.boxed()].prop_flat_map(move |base| {
            prop::collection::vec(rule(family, base), 1..4)
                .prop_map(move |rules| Self { base, rules })
        })
    }

    fn table(&self) -> TableName {
        if self.base.kind == ChainType::Nat {
            TableName::Nat
        } else {
            TableName::Mangle
        }
    }
}

fn rule(family: Family, base: BaseChain) -> impl Strategy<Value = MadeRule> {
    (condition(family), action(family, base)).prop_map(
        |((iptables, condition), (target, action))| MadeRule {
            iptables: format!("{iptables}{target}"),
            condition,
            action,
        },
    )
}

/// A condition in both languages.
fn condition(family: Family) -> impl Strategy<Value = (String, String)> {
    let ip = if family == Family::Ipv4 { "ip" } else { "ip6" };
    let length = family.bits();
    let addresses = [OWN[of(family)].as_slice(), &ELSEWHERE[of(family)]].concat();
    let port = (
        select(vec!["tcp", "udp"]),
        select(vec!["sport", "dport"]),
        select(PORTS.to_vec()),
    );
    prop_oneof![
        2 => Just((String::new(), String::new())),
        2 => select(MARKS.to_vec()).prop_map(|mark| (format!(" -m mark --mark {mark:#x}"), format!("meta mark {mark} "))),
        2 => port.prop_map(|(protocol, side, port)| {
            (format!(" -p {protocol} -m {protocol} --{side} {port}"), format!("{protocol} {side} {port} "))
        }),
        1 => (select(addresses), select(vec![("-s", "saddr"), ("-d", "daddr")])).prop_map(move |(address, (flag, side))| {
            (format!(" {flag} {address}/{length}"), format!("{ip} {side} {address} "))
        }),
    ]
}

/// The action of the rule, in both languages.
fn action(family: Family, base: BaseChain) -> BoxedStrategy<(String, String)> {
    let own = |iptables: &str, nft: &str| (iptables.to_owned(), nft.to_owned());
    let plain = vec![
        own("", ""),
        own(" -j ACCEPT", "accept"),
        own(" -j RETURN", "return"),
    ];
    let to = ELSEWHERE[of(family)][0];
    let to_host = if family == Family::Ipv4 {
        to.to_owned()
    } else {
        format!("[{to}]")
    };
    let special = match (base.kind, base.hook) {
        (ChainType::Nat, Hook::Prerouting | Hook::Output) => vec![
            own(" -j REDIRECT", "redirect"),
            own(
                &format!(" -j DNAT --to-destination {to}"),
                &format!("dnat to {to_host}"),
            ),
        ],
        (ChainType::Nat, _) => vec![own(
            &format!(" -j SNAT --to-source {to}"),
            &format!("snat to {to_host}"),
        )],
        _ => vec![own(" -j DROP", "drop")],
    };
    let mark = select(MARKS.to_vec()).prop_map(|mark| {
        (
            format!(" -j MARK --set-xmark {mark:#x}/0xffffffff"),
            format!("meta mark set {mark}"),
        )
    });
    prop_oneof![3 => select(plain), 1 => select(special), 2 => mark].boxed()
}

/// The table for `nft -f`.
pub(crate) fn nft(chains: &[MadeChain], family: Family) -> String {
    let ip = if family == Family::Ipv4 { "ip" } else { "ip6" };
    let mut out =
        format!("table {ip} {TABLE} {{}}\ndelete table {ip} {TABLE}\ntable {ip} {TABLE} {{\n");
    for (number, MadeChain { base, rules }) in chains.iter().enumerate() {
        let kind = match base.kind {
            ChainType::Filter => "filter",
            ChainType::Nat => "nat",
            ChainType::Route => "route",
        };
        let (hook, policy) = (
            base.hook.name().to_lowercase(),
            base.policy.name().to_lowercase(),
        );
        let _ = writeln!(
            out,
            "chain {TABLE}-{number} {{\ntype {kind} hook {hook} priority {}; policy {policy};",
            base.priority
        );
        for rule in rules {
            let _ = writeln!(out, "{}counter {}", rule.condition, rule.action);
        }
        out.push_str("}\n");
    }
    out + "}\n"
}

/// The counters of the rules, by chain and rule.
pub(crate) fn counters(family: Family) -> BTreeMap<(usize, usize), u64> {
    let ip = if family == Family::Ipv4 { "ip" } else { "ip6" };
    let output = Command::new("nft")
        .args(["--json", "list", "table", ip, TABLE])
        .output()
        .expect("nft is installed");
    let list: serde_json::Value = serde_json::from_slice(&output.stdout).expect("nft prints JSON");
    let mut next: BTreeMap<usize, usize> = BTreeMap::new();
    let mut counters = BTreeMap::new();
    for rule in list["nftables"]
        .as_array()
        .expect("nft prints a list")
        .iter()
        .filter_map(|object| object.get("rule"))
    {
        let chain = rule["chain"]
            .as_str()
            .and_then(|name| name.strip_prefix("made-"))
            .expect("a made chain");
        let chain: usize = chain.parse().expect("a number");
        let place = next.entry(chain).or_insert(0);
        let count = rule["expr"]
            .as_array()
            .expect("statements")
            .iter()
            .find_map(|one| one["counter"]["packets"].as_u64());
        counters.insert((chain, *place), count.expect("each rule counts"));
        *place += 1;
    }
    counters
}

/// The text of `iptables-save -c` with the chains and their counters in iptables-nft's tables
/// mangle and nat.
pub(crate) fn insert(
    saved: &str,
    chains: &[MadeChain],
    counters: &BTreeMap<(usize, usize), u64>,
) -> String {
    let mut out = String::new();
    let (mut is_nft, mut table, mut declared) = (false, None, false);
    for line in saved.lines() {
        if line.starts_with("# Generated by") {
            is_nft = line.contains("-nft-save");
        }
        if let Some(name) = line.strip_prefix('*').filter(|_| is_nft) {
            (table, declared) = (TableName::from_text(name), false);
        }
        let own = || {
            chains
                .iter()
                .enumerate()
                .filter(|(_, chain)| Some(chain.table()) == table)
        };
        let is_declaration = line.starts_with([':', '*', '#']);
        if !is_declaration && !declared {
            declared = true;
            for (number, _) in own() {
                let _ = writeln!(out, ":{TABLE}-{number} - [0:0]");
            }
        }
        if line == "COMMIT" {
            for (number, chain) in own() {
                for (place, rule) in chain.rules.iter().enumerate() {
                    let count = counters.get(&(number, place)).copied().unwrap_or_default();
                    let _ = writeln!(out, "[{count}:0] -A {TABLE}-{number}{}", rule.iptables);
                }
            }
        }
        out.push_str(line);
        out.push('\n');
    }
    out
}

/// Attaches the chains to their hooks.
pub(crate) fn attach(rulesets: &mut [Ruleset], chains: &[MadeChain]) {
    let nft = rulesets
        .iter_mut()
        .find(|set| set.backend == Some(Backend::Nft))
        .expect("iptables-nft has rules");
    for (number, made) in chains.iter().enumerate() {
        let table = nft
            .tables
            .iter_mut()
            .find(|table| table.is(made.table()))
            .expect("the table exists");
        let chain = table
            .chains
            .iter_mut()
            .find(|chain| *chain.name == *format!("{TABLE}-{number}"));
        chain.expect("the chain was inserted").base = Some(made.base);
    }
    nft.index();
}

/// Whether a chain is one of these. The kernel has no counter for its policy.
pub(crate) fn is_made(name: &str) -> bool {
    name.starts_with("made-")
}
