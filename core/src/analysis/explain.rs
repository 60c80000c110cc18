//! Sentences: the meaning of a rule, the reason of a step, the outcome of a packet. They are made
//! when they are shown and never stored.

use std::borrow::Cow;

use crate::iptables::extension::{Kind, Opt, Options, lower};
use crate::mesh::Mesh;
use crate::netfilter::condition::{Answer, Context, Field, Phrase};
use crate::netfilter::effect::Behavior;
use crate::netfilter::place::Place;
use crate::netfilter::ruleset::{Clause, Policy, Rule, Ruleset, Table, Target, Value};
use crate::netfilter::statement::Surroundings;
use crate::packet::value::FieldValue;
use crate::packet::view::View;
use crate::packet::{ConnectionState, Origin, Packet, Protocol};
use crate::walk::trace::{DroppedBy, Outcome, Path, Step, Trace, Verdict, VerdictKind};

pub mod chance;

/// The meaning of a rule, in a sentence.
pub fn rule(ruleset: &Ruleset, table: &Table, rule: &Rule) -> String {
    if table.is_damaged(rule) {
        return "The rule is damaged: it is undetermined what it does.".into();
    }
    let conditions: Vec<String> = ruleset
        .groups(rule)
        .flat_map(|group| conditions(ruleset, group))
        .collect();
    let does = action(ruleset, table, rule);
    match conditions.is_empty() {
        true => format!("Always: {does}."),
        false => format!("If {}: {does}.", conditions.join(" and ")),
    }
}

/// The conditions of one match in words: all its options together, or each by itself.
fn conditions(ruleset: &Ruleset, group: &[Clause]) -> Vec<String> {
    match group.first().and_then(|first| first.extension().words) {
        Some(words) => vec![words(&Options {
            parts: group,
            ruleset,
        })],
        None => group
            .iter()
            .filter_map(|part| condition(ruleset, part))
            .collect(),
    }
}

/// One condition in words; `None` for a condition that every packet meets.
pub fn condition(ruleset: &Ruleset, part: &Clause) -> Option<String> {
    let Some(opt) = part.opt() else {
        return match &part.value {
            Value::None => part
                .extension()
                .asks_first
                .and_then(|field| says(field, true))
                .map(Into::into),
            Value::Text(text) => Some(format!("`{}` holds", ruleset.text(*text))),
            _ => None,
        };
    };
    let wanted = opt.kind.describe(&part.value, ruleset);
    let within = within(opt, &part.value);
    let not = if part.negated { " not" } else { "" };
    Some(match opt.field?.phrase {
        Phrase::Noun(noun) => format!("the {noun} is{not}{within} {wanted}"),
        Phrase::Verb(does, does_not) => {
            format!("it {} {wanted}", if part.negated { does_not } else { does })
        }
        Phrase::Sentence(says, denies) => (if part.negated { denies } else { says }).into(),
    })
}

/// The action of a rule, as a verb phrase.
pub fn action(ruleset: &Ruleset, table: &Table, rule: &Rule) -> String {
    match rule.target {
        Target::None => "only count it".into(),
        Target::Jump(chain) => format!("continue in {}", table.chains[chain as usize].name),
        Target::Goto(chain) => format!(
            "continue in {}, and not come back here",
            table.chains[chain as usize].name
        ),
        Target::Missing { name, .. } => format!(
            "continue in {}, which does not exist",
            ruleset.missing(name)
        ),
        Target::Extension(id) => match id.get().words {
            Some(words) => words(&Options {
                parts: ruleset.parameters(rule),
                ruleset,
            }),
            None => id.get().name.into(),
        },
    }
}

/// "in" for a value that is a set, not a single thing.
fn within(opt: &Opt, value: &Value) -> &'static str {
    match (opt.kind, value) {
        (Kind::Below(_), _) => return " below",
        (Kind::Above(_), _) => return " above",
        _ => {}
    }
    match value {
        Value::Range(..) if matches!(opt.kind, Kind::IcmpType(_)) => "",
        Value::Range(low, high) if low != high => " in",
        Value::Net4(_, mask) if mask.to_bits() != u32::MAX => " in",
        Value::Net6(net) if net.1.to_bits() != u128::MAX => " in",
        _ => "",
    }
}

/// The reason of a step: the condition that failed or is undetermined, or all conditions that held.
pub fn why(rulesets: &[Ruleset], trace: &Trace, path: &Path, step: &Step) -> String {
    let (ruleset, _, chain) = step.place.at.find(rulesets);
    let Some(rule) = step.place.rule(rulesets) else {
        return match chain.policy() {
            Policy::Accept => "no rule settled it: the policy is ACCEPT".into(),
            Policy::Drop => "no rule settled it: the policy is DROP".into(),
        };
    };
    let view = &path.views[step.view as usize];
    let mut found = Vec::new();
    let mut place = 0;
    for group in ruleset.groups(rule) {
        let context = context(trace, view, ruleset, group);
        for part in group {
            if step.condition == Some(place) {
                return fact(part, &context).unwrap_or_else(|| "it is undetermined".into());
            }
            found.extend(fact(part, &context));
            place += 1;
        }
    }
    if found.is_empty() {
        "it has no condition".into()
    } else {
        found.join("; ")
    }
}

/// The context in which the fields of one match are read.
fn context<'a>(
    trace: &'a Trace,
    view: &'a View,
    ruleset: &'a Ruleset,
    group: &[Clause],
) -> Context<'a> {
    Surroundings {
        packet: &trace.packet,
        view,
        host: &trace.host,
        ruleset,
    }
    .context(lower::parameters(ruleset, group))
}

/// The context in which the field of one option is compared with its value.
fn comparing<'a>(part: &'a Clause, context: &Context<'a>) -> Context<'a> {
    Context {
        wanted: &part.value,
        negated: part.negated,
        ..*context
    }
}

/// The packet's value compared with one condition: "uid 1000 is not 1337". `None` for a clause
/// without a condition.
fn fact(part: &Clause, context: &Context) -> Option<String> {
    if let Some(reason) = part.extension().unknowable {
        return part
            .opens
            .then(|| format!("-m {}: {reason}", part.extension().name));
    }
    if let Some(field) = part.extension().whole {
        return if part.opens {
            whole(field, context)
        } else {
            None
        };
    }
    if let (true, Some(field)) = (part.opens, part.extension().asks_first) {
        match (field.read)(context) {
            FieldValue::Unknown(reason) => return Some(reason.into_owned()),
            FieldValue::Never(why) | FieldValue::Drops(why) => return Some(why.into()),
            FieldValue::Absent(what) => return Some(format!("it has {what}")),
            FieldValue::Number(0) => return says(field, false).map(Into::into),
            _ if part.opt().is_none() => return says(field, true).map(Into::into),
            _ => {}
        }
    }
    let Some(opt) = part.opt() else {
        return match &part.value {
            Value::Text(_) => (part.extension().bare)(part, context.ruleset).map(Cow::into_owned),
            _ => None,
        };
    };
    let field = opt.field?;
    let wanted = opt.kind.describe(&part.value, context.ruleset);
    let holds = lower::evaluate(part, context) == Answer::Yes;
    let inside = holds != part.negated;
    let actual = match (field.read)(&comparing(part, context)) {
        FieldValue::Unknown(reason) => return Some(reason.into_owned()),
        FieldValue::Never(why) | FieldValue::Drops(why) | FieldValue::Ignored(why) => {
            return Some(why.into());
        }
        FieldValue::Absent(what) => {
            return Some(match field.phrase {
                Phrase::Verb(does, _) => format!("{does} {what}"),
                _ => format!("it has {what}"),
            });
        }
        reading => say_reading(opt, &reading),
    };
    Some(match field.phrase {
        Phrase::Noun(noun) => {
            let not = if inside { "" } else { "not " };
            let within = within(opt, &part.value).trim_start();
            let gap = if within.is_empty() { "" } else { " " };
            format!("{noun} {actual} is {not}{within}{gap}{wanted}")
        }
        Phrase::Verb(does, _) if inside => format!("{does} {actual}"),
        Phrase::Verb(does, _) => format!("{does} {actual}, not {wanted}"),
        Phrase::Sentence(says, _) if inside => says.into(),
        Phrase::Sentence(_, denies) => denies.into(),
    })
}

/// The sentence of a field, or its negation.
fn says(field: &Field, holds: bool) -> Option<&'static str> {
    match field.phrase {
        Phrase::Sentence(says, denies) => Some(if holds { says } else { denies }),
        _ => None,
    }
}

/// The packet's value for a match that has one condition as a whole.
fn whole(field: &Field, context: &Context) -> Option<String> {
    match (field.read)(context) {
        FieldValue::Unknown(reason) => Some(reason.into_owned()),
        FieldValue::Never(why)
        | FieldValue::Drops(why)
        | FieldValue::Ignored(why)
        | FieldValue::Absent(why) => Some(why.into()),
        reading => says(field, reading != FieldValue::Number(0)).map(Into::into),
    }
}

fn say_reading(opt: &Opt, reading: &FieldValue) -> Cow<'static, str> {
    match reading {
        FieldValue::Number(number) | FieldValue::Bits(number) => {
            opt.kind.say_number(*number).into()
        }
        FieldValue::Span(low, high) => say_span(opt, (*low, *high)).into(),
        FieldValue::Either(a, b) => {
            format!("{} and {}", say_span(opt, *a), say_span(opt, *b)).into()
        }
        FieldValue::Address(address) => address.to_string().into(),
        FieldValue::Name(name) => (*name).to_owned().into(),
        FieldValue::Holds(_, shown) => shown.clone().into(),
        FieldValue::Mac([a, b, c, d, e, f]) => {
            format!("{a:02x}:{b:02x}:{c:02x}:{d:02x}:{e:02x}:{f:02x}").into()
        }
        FieldValue::Absent(_)
        | FieldValue::Never(_)
        | FieldValue::Drops(_)
        | FieldValue::Ignored(_)
        | FieldValue::Unknown(_) => "".into(),
    }
}

fn say_span(opt: &Opt, (low, high): (u32, u32)) -> String {
    match low == high {
        true => opt.kind.say_number(low),
        false => format!(
            "between {} and {}",
            opt.kind.say_number(low),
            opt.kind.say_number(high)
        ),
    }
}

/// The changes that a rule made to a packet, as a part of a sentence: "the destination becomes
/// 127.0.0.1:15001".
pub fn change(packet: &Packet, before: &View, after: &View) -> Option<String> {
    let ends = |address: std::net::IpAddr, port: Option<u16>, span| match (port, span) {
        (Some(port), _) if packet.protocol.has_ports() => socket(address, port),
        (_, Some((low, high))) => format!("{address} with a port between {low} and {high}"),
        _ => address.to_string(),
    };
    let mut changes = Vec::new();
    if (before.dst, before.dport) != (after.dst, after.dport) {
        changes.push(format!(
            "the destination becomes {}",
            ends(after.dst, after.dport, after.dport_span)
        ));
    }
    if (before.src, before.sport) != (after.src, after.sport) {
        changes.push(format!(
            "the source becomes {}",
            ends(after.src, after.sport, after.sport_span)
        ));
    }
    if before.mark != after.mark {
        changes.push(format!("the mark becomes {:#x}", after.mark));
    }
    if before.dscp != after.dscp {
        changes.push(format!("the DSCP becomes {:#04x}", after.dscp));
    }
    if before.ecn != after.ecn {
        changes.push(format!("the ECN bits become {}", after.ecn));
    }
    if before.ttl != after.ttl {
        let field = if after.dst.is_ipv6() {
            "hop limit"
        } else {
            "time to live"
        };
        changes.push(format!("the {field} becomes {}", after.ttl));
    }
    if before.mss != after.mss {
        changes.push(match after.mss {
            Some(mss) => format!("the maximum segment size becomes {mss}"),
            None => "the maximum segment size is not known any more".into(),
        });
    }
    if before.tcp_flags != after.tcp_flags {
        changes.push("TCP's ECE and CWR change".into());
    }
    if before.tcp_options != after.tcp_options && before.mss == after.mss {
        changes.push("TCP's options change".into());
    }
    if before.connmark != after.connmark {
        changes.push(format!(
            "the connection's mark becomes {:#x}",
            after.connmark
        ));
    }
    if let (true, Some((_, Some(port)))) = (before.steered != after.steered, after.steered) {
        changes.push(format!("the socket on port {port} will get it"));
    }
    if before.state != after.state && after.state == Some(ConnectionState::Untracked) {
        changes.push("connection tracking leaves it alone".into());
    }
    (!changes.is_empty()).then(|| changes.join(", "))
}

/// An address and a port, with brackets for IPv6.
pub fn socket(address: std::net::IpAddr, port: u16) -> String {
    std::net::SocketAddr::new(address, port).to_string()
}

/// One end of a connection: an address, with its port if there is one.
pub fn endpoint(address: std::net::IpAddr, port: Option<u16>) -> String {
    port.map_or_else(|| address.to_string(), |port| socket(address, port))
}

/// The destination that a packet reaches on this host: "port 8080", "this host".
pub(crate) fn reached(verdict: &Verdict) -> String {
    verdict
        .port
        .map_or_else(|| "this host".into(), |port| format!("port {port}"))
}

/// "Rule 4 of ISTIO_OUTPUT", "The policy of OUTPUT".
pub fn place(rulesets: &[Ruleset], place: Place) -> String {
    let (ruleset, table, chain) = place.at.find(rulesets);
    // If another table has a user-defined chain with this name, the sentence also names the table.
    let twin = |other: &Table| !other.is_like(table) && other.chain(&chain.name).is_some();
    let of = match chain.hook().is_none() && ruleset.tables.iter().any(twin) {
        true => format!("{} {}", table.label(), chain.name),
        false => chain.name.to_string(),
    };
    match place.rule {
        Some(rule) => format!("Rule {} of {of}", rule + 1),
        None => format!("The policy of {of}"),
    }
}

/// One step in one or two sentences.
pub fn step(rulesets: &[Ruleset], trace: &Trace, path: &Path, step: &Step) -> String {
    let (ruleset, table, chain) = step.place.at.find(rulesets);
    let who = place(rulesets, step.place);
    let why = why(rulesets, trace, path, step);
    let Some(rule) = step.place.rule(rulesets) else {
        let policy = chain.policy().name();
        return format!("{who} applies: {policy}.");
    };
    match step.outcome {
        Outcome::NoMatch => format!("{who} does not match: {why}."),
        Outcome::Unknown => format!("{who} is undetermined: {why}."),
        Outcome::Match | Outcome::Policy => {
            let views = (
                &path.views[step.view as usize],
                &path.views[step.after as usize],
            );
            let does = match change(&trace.packet, views.0, views.1) {
                Some(change) => change,
                None => action(ruleset, table, rule),
            };
            format!("{who} matches: {why}. {}.", capital(&does))
        }
    }
}

/// Words that are written in lower case or in upper case as a whole.
const SHORT: [&str; 6] = ["tcp", "udp", "icmp", "icmpv6", "sctp", "dccp"];

/// Capitalizes the first letter of a sentence.
pub fn capital(text: &str) -> String {
    let mut text = text.to_owned();
    let word = text.find(' ').unwrap_or(text.len());
    let capitals = if SHORT.contains(&&text[..word]) {
        word
    } else {
        1
    };
    if let Some(first) = text.get_mut(..capitals) {
        first.make_ascii_uppercase();
    }
    text
}

/// Writes the first letter in lower case, for text that continues a sentence.
pub(crate) fn lower(text: &str) -> String {
    let mut text = text.to_owned();
    if let Some(first) = text.get_mut(..1) {
        first.make_ascii_lowercase();
    }
    text
}

/// The outcome of a packet in one of four classes. The page has a color, a symbol and a word for
/// each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// A rule sent the packet to another destination than its sender intended: to the proxy.
    Captured,
    /// No rule changed the destination.
    Direct,
    /// The packet did not reach its destination.
    Dropped,
    /// The input does not determine the outcome.
    Unknown,
}

impl Fate {
    /// The class of a verdict; `None` means an uncertain walk.
    pub fn from_verdict(verdict: Option<&Verdict>) -> Self {
        match verdict {
            None => Self::Unknown,
            Some(verdict) => match verdict.kind {
                VerdictKind::Delivered | VerdictKind::Sent | VerdictKind::Forwarded
                    if verdict.redirected =>
                {
                    Self::Captured
                }
                VerdictKind::Delivered | VerdictKind::Sent | VerdictKind::Forwarded => Self::Direct,
                VerdictKind::Dropped
                | VerdictKind::Rejected
                | VerdictKind::Queued
                | VerdictKind::Unroutable => Self::Dropped,
            },
        }
    }

    /// The word for it. Only a proxy captures: `meshed` states whether a mesh made the rules.
    pub fn word(self, meshed: bool) -> &'static str {
        match self {
            Self::Captured if meshed => "captured",
            Self::Captured => "redirected",
            Self::Direct => "direct",
            Self::Dropped => "dropped",
            Self::Unknown => "depends",
        }
    }
}

/// The answer in the page's largest text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Headline {
    /// The class of the outcome.
    pub fate: Fate,
    /// The answer in a word or two: "Not captured."
    pub lead: String,
    /// The reason in a sentence: "Rule 4 of ISTIO_OUTPUT lets uid 1337 out."
    pub reason: String,
    /// The end of the path, as a part of a sentence: "leaves by eth0 unchanged".
    pub end: String,
}

/// Words the outcome of a walk.
pub fn verdict(rulesets: &[Ruleset], trace: &Trace, mesh: Option<&Mesh>) -> Headline {
    let path = trace.shown();
    let Some(verdict) = trace.verdict() else {
        return undecided(rulesets, trace);
    };
    let fate = Fate::from_verdict(Some(verdict));
    let lead = match (fate, verdict.kind) {
        (_, VerdictKind::Dropped) => "Dropped.",
        (_, VerdictKind::Rejected) => "Rejected.",
        (_, VerdictKind::Queued) => "Handed to a program.",
        (_, VerdictKind::Unroutable) => "Cannot be sent.",
        (Fate::Captured, _) if mesh.is_some() => "Captured.",
        (Fate::Captured, _) => "Redirected.",
        (_, _) if mesh.is_some() => "Not captured.",
        (_, VerdictKind::Delivered) => "Delivered.",
        (_, VerdictKind::Forwarded) => "Forwarded.",
        (_, _) => "Sent.",
    };
    // The sender addressed the proxy itself, so no rule redirected the packet.
    let proxy = verdict
        .port
        .filter(|_| fate == Fate::Direct)
        .and_then(|port| mesh?.listener(port));
    let lead = proxy.map_or_else(|| lead.to_owned(), |proxy| format!("Straight to {proxy}."));
    let (reason, end) = match (&trace.spread, verdict.interface.as_deref()) {
        // The branches agree on the kind but not on the destination.
        (Some(spread), Some(interface)) if trace.is_chance_alone() => {
            let does = if verdict.kind == VerdictKind::Forwarded {
                "passed on"
            } else {
                "leaves"
            };
            let end = format!(
                "{does} by {interface} for one of {} destinations by chance",
                spread.endpoints.len()
            );
            (chance::says(rulesets, spread), end)
        }
        _ => (
            reason(rulesets, trace, path, verdict, mesh),
            describe_end(path, verdict, mesh),
        ),
    };
    Headline {
        fate,
        lead,
        reason,
        end,
    }
}

fn undecided(rulesets: &[Ruleset], trace: &Trace) -> Headline {
    let (lead, reason) = match (&trace.path.stopped, trace.path.steps.last()) {
        (Some(stopped), _) => ("Cannot be walked.", format!("{}.", capital(stopped))),
        (None, _) if trace.path.missing.is_some() => (
            "Depends.",
            format!(
                "{}.",
                capital(trace.path.missing.as_deref().unwrap_or_default())
            ),
        ),
        (None, Some(step)) if trace.path.doubt.is_some() => {
            let asked = trace.path.doubt.as_deref().unwrap_or_default();
            (
                "Depends.",
                format!("{} matches: {asked}.", place(rulesets, step.place)),
            )
        }
        (None, Some(step)) if step.outcome == Outcome::Unknown => {
            let who = place(rulesets, step.place);
            (
                "Depends.",
                format!(
                    "{who} is undetermined: {}.",
                    why(rulesets, trace, &trace.path, &step)
                ),
            )
        }
        _ => (
            "Depends.",
            "It depends on which backend's rules run first.".into(),
        ),
    };
    let end = match (
        &trace.spread,
        trace.branches.len() + trace.branches_left_out,
    ) {
        (Some(spread), _) if trace.is_chance_alone() => {
            format!("{} destinations by chance", spread.endpoints.len())
        }
        (_, 0) => "no end is known".into(),
        (_, ways) => format!("{ways} ways it can go"),
    };
    Headline {
        fate: Fate::Unknown,
        lead: lead.into(),
        reason,
        end,
    }
}

/// The end of the path, as a part of a sentence with the packet as its subject.
fn describe_end(path: &Path, verdict: &Verdict, mesh: Option<&Mesh>) -> String {
    let interface = verdict.interface.as_deref().unwrap_or("no interface");
    let reason = verdict.reason.as_deref();
    match verdict.kind {
        VerdictKind::Delivered => match (verdict.address, verdict.port) {
            (Some(address), Some(port)) => {
                let who = mesh
                    .and_then(|mesh| mesh.listener(port))
                    .unwrap_or("the socket");
                format!("delivered to {who} on {}", socket(address, port))
            }
            (Some(address), None) => format!("delivered to {address}: the kernel itself answers"),
            (None, _) => "delivered".into(),
        },
        VerdictKind::Sent if is_unchanged(path) => format!("leaves by {interface} unchanged"),
        VerdictKind::Sent => format!("leaves by {interface}{}", rewritten(path)),
        VerdictKind::Forwarded => format!("passed on by {interface}{}", rewritten(path)),
        VerdictKind::Dropped => reason.map_or_else(
            || "the sender receives no answer".into(),
            |reason| format!("dropped by routing: {reason}"),
        ),
        VerdictKind::Rejected => format!("the sender receives {}", reason.unwrap_or("an error")),
        VerdictKind::Queued => "queued to a user-space program".into(),
        VerdictKind::Unroutable => {
            format!("never leaves: {}", reason.unwrap_or("there is no route"))
        }
    }
}

/// The addresses that rules gave to the packet, as text after "leaves by eth0"; empty if both are
/// its own.
fn rewritten(path: &Path) -> String {
    let (own, now) = (&path.views[0], path.result());
    let mut says = String::new();
    if (own.dst, own.dport, own.dport_span) != (now.dst, now.dport, now.dport_span) {
        says += &format!(" for {}", endpoint(now.dst, now.dport));
    }
    if (own.src, own.sport, own.sport_span) != (now.src, now.sport, now.sport_span) {
        says += &format!(" with the source {}", endpoint(now.src, now.sport));
    }
    says
}

/// Whether the packet leaves the host unchanged.
fn is_unchanged(path: &Path) -> bool {
    let [own, now] = [&path.views[0], path.result()].map(|view| {
        (
            view.dscp,
            view.ecn,
            view.ttl,
            view.mss,
            view.tcp_flags,
            &view.tcp_options,
        )
    });
    own == now && rewritten(path).is_empty()
}

/// Whether any rule set that was walked has a chain.
fn holds_rules(rulesets: &[Ruleset], trace: &Trace) -> bool {
    let mut tables = trace
        .rulesets
        .iter()
        .flat_map(|set| &rulesets[*set as usize].tables);
    tables.any(|table| !table.chains.is_empty())
}

/// The reason of the outcome: the decisive rule or policy, and its effect.
fn reason(
    rulesets: &[Ruleset],
    trace: &Trace,
    path: &Path,
    verdict: &Verdict,
    mesh: Option<&Mesh>,
) -> String {
    let Some(decided) = verdict.decided_by else {
        return match (&verdict.reason, trace.rulesets.is_empty()) {
            (Some(reason), _) => format!("{}.", capital(reason)),
            (None, true) => format!("The paste holds no {} rules.", trace.packet.family()),
            (None, false) if !holds_rules(rulesets, trace) => {
                "There are no rules: nothing is redirected.".into()
            }
            (None, false) => "No rule concerns it.".into(),
        };
    };
    let who = place(rulesets, decided);
    let seen = subject(rulesets, trace, path, decided);
    // The sentence about a policy has already named the packet.
    let subject = if decided.rule.is_some() { &*seen } else { "it" };
    // Another packet may be redirected.
    let this = format!("this {seen} packet");
    let does = match (verdict.kind, verdict.redirected) {
        (VerdictKind::Dropped, _) if verdict.by == Some(DroppedBy::Routing) => {
            return format!(
                "{}.",
                capital(verdict.reason.as_deref().unwrap_or("routing drops it"))
            );
        }
        (VerdictKind::Dropped, _) => format!("drops {subject}"),
        (VerdictKind::Rejected, _) => format!("rejects {subject}"),
        (VerdictKind::Queued, _) => format!("hands {subject} to a program"),
        (VerdictKind::Unroutable, _) => format!("sends {subject} where no route leads"),
        (_, true) => match (
            verdict.port,
            mesh.and_then(|mesh| mesh.listener(verdict.port?)),
        ) {
            (Some(port), Some(who)) => format!("sends {subject} to {who} on {port}"),
            (Some(port), None) => format!("sends {subject} to port {port}"),
            (None, _) => {
                let view = path.result();
                format!("sends {subject} to {}", endpoint(view.dst, view.dport))
            }
        },
        (VerdictKind::Delivered, false) if trace.packet.origin == Origin::Local => {
            format!("lets {subject} reach {}", reached(verdict))
        }
        (VerdictKind::Delivered, false) => format!("lets {subject} in"),
        (_, false) => format!("lets {subject} out"),
    };
    match decided.rule {
        Some(_) => format!("{who} {does}."),
        None if verdict.kind == VerdictKind::Dropped => {
            format!("No rule takes {this}: {} {does}.", lower(&who))
        }
        None if !rulesets.iter().any(redirects) => {
            format!("No rule stops {this}: {} {does}.", lower(&who))
        }
        None => format!("No rule redirects {this}: {} {does}.", lower(&who)),
    }
}

/// Whether any rule redirects packets.
fn redirects(ruleset: &Ruleset) -> bool {
    let mut rules = ruleset
        .tables
        .iter()
        .flat_map(|table| &table.chains)
        .flat_map(|chain| &chain.rules);
    rules.any(|rule| lower::behavior(ruleset, rule) == Some(Behavior::Redirect))
}

/// The property of the packet that the decisive rule compares: field and value of the last
/// condition that requires a value ("uid 1337"), otherwise the uid, or the protocol.
fn subject(rulesets: &[Ruleset], trace: &Trace, path: &Path, decided: Place) -> String {
    let protocol = if trace.packet.protocol == Protocol::ICMPV6 {
        "icmpv6".into()
    } else {
        trace.packet.protocol.to_string()
    };
    let step = path
        .steps
        .iter()
        .rfind(|step| step.place == decided && step.outcome == Outcome::Match);
    let (Some(step), Some(rule)) = (step, decided.rule(rulesets)) else {
        return protocol;
    };
    let (ruleset, _, _) = decided.at.find(rulesets);
    let view = &path.views[step.view as usize];
    let mut told = None;
    for group in ruleset.groups(rule) {
        let context = context(trace, view, ruleset, group);
        for part in group {
            let Some((opt, field)) = part.opt().and_then(|opt| Some((opt, opt.field?))) else {
                continue;
            };
            let telling = !part.negated && !matches!(opt.kind, Kind::Protocol);
            if let (Phrase::Noun(noun), true) = (field.phrase, telling) {
                let reading = (field.read)(&comparing(part, &context));
                if !matches!(
                    reading,
                    FieldValue::Absent(_) | FieldValue::Never(_) | FieldValue::Unknown(_)
                ) {
                    told = Some(format!("{noun} {}", say_reading(opt, &reading)));
                }
            }
        }
    }
    // The sender matters only if rules compare it.
    told.or_else(|| {
        Some(format!(
            "uid {}",
            trace.packet.uid.filter(|_| asks_owner(ruleset))?
        ))
    })
    .unwrap_or(protocol)
}

/// Whether any rule compares the user or group of a packet.
fn asks_owner(ruleset: &Ruleset) -> bool {
    ruleset
        .parts
        .iter()
        .any(|part| part.extension().name == "owner")
}
