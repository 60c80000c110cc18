//! Random rule sets that iptables accepts: all five tables, with chains that call each other.

use std::fmt::Write;

use chainwalk_core::iptables::table_name::TableName;
use chainwalk_core::netfilter::backend::Backend;
use chainwalk_core::packet::Family;
use chainwalk_core::packet::hook::Hook;
use proptest::prelude::*;
use proptest::sample::Index;

use super::clause::{self, Site, Transport};

/// User-defined chains, each with the hooks that may reach it. A chain calls only later chains that
/// allow all of its own hooks. Therefore there is no loop, and no rule is evaluated at a hook that
/// does not allow it.
fn user_chains(table: TableName) -> &'static [(&'static str, &'static [Hook])] {
    use Hook::{Forward, Input, Output, Postrouting, Prerouting};
    match table {
        TableName::Raw => &[
            ("in", &[Prerouting]),
            ("out", &[Output]),
            ("any-1", &[Prerouting, Output]),
            ("any-2", &[Prerouting, Output]),
        ],
        TableName::Mangle => &[
            ("in", &[Prerouting]),
            ("out-1", &[Output, Postrouting]),
            ("out-2", &[Output, Postrouting]),
            ("any-1", &Hook::ALL),
            ("any-2", &Hook::ALL),
        ],
        TableName::Nat => &[
            ("out", &[Output]),
            ("to-1", &[Prerouting, Output]),
            ("to-2", &[Prerouting, Output]),
            ("last", &[Postrouting]),
            ("from", &[Input, Postrouting]),
            ("any", &[Prerouting, Input, Output, Postrouting]),
        ],
        TableName::Filter | TableName::Security => &[
            ("out", &[Output]),
            ("any-1", &[Input, Forward, Output]),
            ("any-2", &[Input, Forward, Output]),
            ("any-3", &[Input, Forward, Output]),
        ],
    }
}

/// The action of a rule: words, or a call of one of the allowed chains.
#[derive(Clone, Debug)]
enum Action {
    Words(Transport, String),
    Call(&'static str, Index),
}

/// A rule after `-A CHAIN`. A target that the rule's protocol does not allow is omitted, so that
/// the rule only counts.
fn rule(site: Site, callable: Vec<&'static str>) -> impl Strategy<Value = String> {
    let calls = if callable.is_empty() { 0 } else { 8 };
    let call = (
        prop_oneof![3 => Just("-j"), 1 => Just("-g")],
        any::<Index>(),
    );
    let action = prop_oneof![
        20 => clause::targets(site).prop_map(|(least, words)| Action::Words(least, words)),
        calls => call.prop_map(|(flag, which)| Action::Call(flag, which)),
    ];
    let matches =
        prop::collection::vec(clause::matches(site), 0..3).prop_map(|matches| matches.concat());
    let matches = prop_oneof![1 => Just(String::new()), 1 => matches];
    (
        clause::header(site),
        clause::protocol(site),
        matches,
        action,
    )
        .prop_map(move |(header, (transport, protocol), matches, action)| {
            let action = match action {
                Action::Words(least, words) if least <= transport => words,
                Action::Words(..) => String::new(),
                Action::Call(flag, which) => format!(" {flag} {}", which.get(&callable)),
            };
            format!("{header}{protocol}{matches}{action}")
        })
}

fn chain(
    site: Site,
    before: &[(&'static str, &'static [Hook])],
    most: usize,
) -> impl Strategy<Value = Vec<String>> {
    let callable = before
        .iter()
        .filter(|(_, hooks)| site.hooks.iter().all(|hook| hooks.contains(hook)));
    prop::collection::vec(
        rule(site, callable.map(|(name, _)| *name).collect()),
        0..=most,
    )
}

fn table(backend: Backend, family: Family, table: TableName) -> impl Strategy<Value = String> {
    let users = user_chains(table);
    let site = |hooks, built_in| Site {
        backend,
        family,
        table,
        hooks,
        built_in,
    };
    let policy = match table {
        TableName::Nat => Just("ACCEPT").boxed(),
        _ => prop_oneof![59 => Just("ACCEPT"), 1 => Just("DROP")].boxed(),
    };
    let hooks = table.hooks();
    let built_in = hooks.iter().map(|hook| {
        (
            policy.clone(),
            chain(site(std::slice::from_ref(hook), true), users, 5),
        )
    });
    let of_users = (1..)
        .zip(users)
        .map(|(next, (_, hooks))| chain(site(hooks, false), &users[next..], 4));
    let (built_in, of_users): (Vec<_>, Vec<_>) = (built_in.collect(), of_users.collect());
    (built_in, of_users).prop_map(move |(built_in, of_users)| {
        let mut text = format!("*{table}\n");
        let mut rules = String::new();
        let built_in = hooks.iter().map(|hook| hook.name()).zip(built_in);
        let of_users = users
            .iter()
            .map(|(name, _)| *name)
            .zip(of_users.into_iter().map(|rules| ("-", rules)));
        for (name, (policy, chain)) in built_in.chain(of_users) {
            writeln!(text, ":{name} {policy} [0:0]").expect("a string takes all");
            for rule in chain {
                writeln!(rules, "-A {name}{rule}").expect("a string takes all");
            }
        }
        text + rules.as_str() + "COMMIT\n"
    })
}

/// A rule set that one backend accepts for one family, in the format of `iptables-restore`.
pub fn rules(backend: Backend, family: Family) -> impl Strategy<Value = String> {
    let tables: Vec<_> = TableName::ALL
        .iter()
        .map(|name| table(backend, family, *name))
        .collect();
    tables.prop_map(|tables| tables.concat())
}
