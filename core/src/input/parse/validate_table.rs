//! Checks that require the whole table: the chains that jumps lead to, and loops.

use crate::iptables::extension::{Id, Options};
use crate::iptables::kernel_names::chain_name_fault;
use crate::netfilter::backend::Backend;
use crate::netfilter::ruleset::{Chain, Clause, Rule, Ruleset, Target};
use crate::packet::hook::Hook;
use crate::text::diagnostic::{Code, DiagnosticSink, Problem, Span};

use super::chain_index::ChainIndex;

/// The maximum nesting in nf_tables (measured with iptables-nft 1.8.9 on Linux 6.18; one less than
/// `NFT_JUMP_STACK_SIZE`). The legacy backend accepts ten thousand.
const NFT_DEPTH: u32 = 15;

/// Checks a table after all its rules were read.
pub(super) fn table(
    ruleset: &mut Ruleset,
    table: usize,
    chains: &ChainIndex,
    say: &mut DiagnosticSink,
) {
    resolve(ruleset, table, chains, say);
    nesting(ruleset, table, say);
    hooks(ruleset, table, say);
}

/// Reports rules that the kernel refuses at a hook: their match or target does not support the hook
/// (`mark_source_chains` in ip_tables.c), or they test an interface that does not exist there
/// (iptables itself).
fn hooks(ruleset: &Ruleset, table: usize, say: &mut DiagnosticSink) {
    let chains = &ruleset.tables[table].chains;
    let nft = ruleset.backend == Some(Backend::Nft);
    let reached = reached(chains);
    for (chain, reached) in chains.iter().zip(reached) {
        // nf_tables checks only the rules of built-in chains (nft_compat.c,
        // `nft_chain_validate_hooks`).
        let reached = if nft && chain.hook().is_none() {
            0
        } else {
            reached
        };
        if reached == 0 {
            continue;
        }
        for rule in &chain.rules {
            let target = match rule.target {
                Target::Extension(id) => Some((id.get(), ruleset.parameters(rule))),
                _ => None,
            };
            let matches = ruleset
                .groups(rule)
                .map(|group| (group[0].extension(), group));
            for (extension, parts) in matches.chain(target) {
                let allowed = match extension.hooks_for {
                    Some(hooks_for) => hooks_for(&Options { parts, ruleset }),
                    None => extension.hooks,
                };
                if allowed.is_empty() {
                    continue;
                }
                let wrong = |hook: &&Hook| reached & bit(**hook) != 0 && !allowed.contains(hook);
                if let Some(hook) = Hook::ALL.iter().find(wrong) {
                    let hooks: Vec<&str> = allowed.iter().map(|hook| hook.name()).collect();
                    let problem = Problem::new(
                        Code::WrongHook,
                        format!(
                            "{} is not allowed in a chain that {hook} reaches",
                            extension.name
                        ),
                    )
                    .hint(format!("use it only where {} leads", hooks.join(", ")));
                    say(rule.line, rule.span, problem);
                }
            }
            let interface = chain
                .hook()
                .and_then(|hook| wrong_interface(ruleset, rule, hook));
            if let (Some(flag), Some(hook)) = (interface, chain.hook()) {
                let problem =
                    Problem::new(Code::WrongHook, format!("{flag} is not allowed in {hook}"))
                        .hint("remove it: the packet has no such interface there");
                say(rule.line, rule.span, problem);
            }
        }
    }
}

/// The option of a rule that tests an interface which packets at this hook do not have.
fn wrong_interface(ruleset: &Ruleset, rule: &Rule, hook: Hook) -> Option<&'static str> {
    let wrong = match hook {
        Hook::Prerouting | Hook::Input => "-o",
        Hook::Output | Hook::Postrouting => "-i",
        Hook::Forward => return None,
    };
    let header = ruleset
        .matches(rule)
        .iter()
        .take_while(|part| part.extension == Id::HEADER);
    header
        .filter_map(Clause::opt)
        .find(|opt| opt.flag == wrong)
        .map(|opt| opt.flag)
}

fn bit(hook: Hook) -> u8 {
    1 << hook as u8
}

/// The hooks that can reach each chain.
fn reached(chains: &[Chain]) -> Vec<u8> {
    let mut reached: Vec<u8> = chains
        .iter()
        .map(|chain| chain.hook().map_or(0, bit))
        .collect();
    let mut changed: Vec<usize> = (0..chains.len())
        .filter(|chain| reached[*chain] != 0)
        .collect();
    while let Some(chain) = changed.pop() {
        for rule in &chains[chain].rules {
            let (Target::Jump(next) | Target::Goto(next)) = rule.target else {
                continue;
            };
            let all = reached[next as usize] | reached[chain];
            if std::mem::replace(&mut reached[next as usize], all) != all {
                changed.push(next as usize);
            }
        }
    }
    reached
}

/// Resolves every jump to its chain, and reports undefined chains.
fn resolve(ruleset: &mut Ruleset, table: usize, places: &ChainIndex, say: &mut DiagnosticSink) {
    let Ruleset {
        tables,
        strings,
        missing,
        ..
    } = ruleset;
    if missing.is_empty() {
        return;
    }
    let chains = &mut tables[table].chains;
    for chain in 0..chains.len() {
        for rule in 0..chains[chain].rules.len() {
            let Rule {
                line,
                span,
                target: Target::Missing { name, goto },
                ..
            } = chains[chain].rules[rule]
            else {
                continue;
            };
            let name = missing[name as usize].resolve(strings);
            let Some(found) = places.find(chains, name) else {
                let problem = match chain_name_fault(name) {
                    Some(fault) => fault.problem(name),
                    None => Problem::new(
                        Code::UnknownTarget,
                        format!("unknown chain or target `{name}`"),
                    )
                    .hint("define the chain; the walk stops at this rule"),
                };
                say(line, span, problem);
                continue;
            };
            chains[chain].rules[rule].target = if goto {
                Target::Goto(found)
            } else {
                Target::Jump(found)
            };
        }
    }
}

/// A chain on the path from a built-in one.
struct LoopFrame {
    chain: u32,
    rule: usize,
    /// The deepest nesting found in the chains that it calls.
    below: u32,
}

/// Finds loops of jumps, and nesting that nft refuses. It is iterative, because a dump may nest as
/// deep as it has chains.
fn nesting(ruleset: &Ruleset, table: usize, say: &mut DiagnosticSink) {
    let chains = &ruleset.tables[table].chains;
    // The nesting depth of each chain; `None` while it is unknown.
    let mut depth: Vec<Option<u32>> = vec![None; chains.len()];
    let mut open = vec![false; chains.len()];
    let mut frames = Vec::new();
    for start in (0..).take(chains.len()) {
        if depth[start as usize].is_none() {
            open[start as usize] = true;
            frames.push(LoopFrame {
                chain: start,
                rule: 0,
                below: 0,
            });
        }
        while let Some(frame) = frames.last_mut() {
            let chain = &chains[frame.chain as usize];
            let Some(rule) = chain.rules.get(frame.rule) else {
                let below = frame.below;
                depth[frame.chain as usize] = Some(below);
                open[frame.chain as usize] = false;
                frames.pop();
                if let Some(caller) = frames.last_mut() {
                    caller.below = caller.below.max(below + 1);
                }
                continue;
            };
            frame.rule += 1;
            let (Target::Jump(next) | Target::Goto(next)) = rule.target else {
                continue;
            };
            if open[next as usize] {
                let (from, to) = (&chain.name, &chains[next as usize].name);
                let problem = Problem::new(
                    Code::ChainLoop,
                    format!("chain `{from}` leads back to `{to}`: a loop"),
                )
                .hint("remove one of the jumps: the kernel refuses loops");
                say(rule.line, rule.span, problem);
            } else if let Some(below) = depth[next as usize] {
                frame.below = frame.below.max(below + 1);
            } else {
                open[next as usize] = true;
                frames.push(LoopFrame {
                    chain: next,
                    rule: 0,
                    below: 0,
                });
            }
        }
    }
    let deepest = (0..).zip(&depth).max_by_key(|(_, depth)| **depth);
    if let Some((chain, Some(depth))) = deepest
        && *depth > NFT_DEPTH
    {
        say_depth(ruleset, &chains[chain as usize], *depth, say);
    }
}

fn say_depth(ruleset: &Ruleset, chain: &Chain, depth: u32, say: &mut DiagnosticSink) {
    let nft = ruleset.backend == Some(Backend::Nft);
    let code = if nft {
        Code::DeepNesting
    } else {
        Code::PossiblyDeepNesting
    };
    let problem = Problem::new(
        code,
        format!(
            "the chains called from `{}` are nested {depth} levels deep",
            chain.name
        ),
    )
    .hint(format!(
        "use at most {NFT_DEPTH} levels, as iptables-nft requires"
    ));
    say(chain.line.unwrap_or(1), Span::default(), problem);
}
