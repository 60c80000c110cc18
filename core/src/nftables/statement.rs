//! The statements of a rule (nft(8), "STATEMENTS"). A rule evaluates them from left to right.

use super::cursor::Cursor;
use super::token::TokenKind;

pub mod address_and_port;
pub mod comparison;
pub mod connection_limit;
pub mod copy;
pub mod counter;
pub mod flow;
pub mod limit;
pub mod log;
pub mod nat;
pub mod object_reference;
pub mod queue;
pub mod quota;
pub mod reject;
pub mod set_field;
pub mod set_update;
pub mod synproxy;
pub mod tproxy;
pub mod verdict;
pub mod verdict_map;
pub mod xt;

/// A statement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NativeStatement {
    /// `tcp dport 80`
    Comparison(comparison::Relational),
    /// `accept`, `jump CHAIN`
    Verdict(verdict::Verdict),
    /// `ip daddr vmap @services`
    VerdictMap(verdict_map::VerdictMap),
    /// `counter packets 0 bytes 0`
    Counter(counter::Counter),
    /// `meta mark set 0x1`
    SetField(set_field::SetField),
    /// `dnat to 10.0.0.1:80`
    Nat(Box<nat::Nat>),
    /// `tproxy ip to :15006`
    Tproxy(tproxy::Tproxy),
    /// `reject with tcp reset`
    Reject(reject::Reject),
    /// `log prefix "x"`
    Log(log::Log),
    /// `limit rate 10/second`
    Limit(limit::Limit),
    /// `quota over 10 mbytes`
    Quota(quota::Quota),
    /// `ct count over 50`
    ConnectionLimit(connection_limit::ConnectionLimit),
    /// `update @set { ip saddr timeout 30s }`
    SetUpdate(Box<set_update::SetUpdate>),
    /// `counter name "x"`, `ct helper set "ftp"`
    ObjectReference(object_reference::ObjectReference),
    /// `queue flags bypass to 0`
    Queue(queue::Queue),
    /// `dup to 10.0.0.1`, `fwd to "eth1"`
    Copy(Box<copy::Duplicate>),
    /// `synproxy mss 1460 wscale 7`
    Synproxy(synproxy::Synproxy),
    /// `flow add @f`
    Flow(flow::FlowOffload),
    /// `notrack`
    Notrack,
    /// `xt match "owner"`
    Xt(xt::Xt),
    /// Words that are not understood, kept as written. Nothing after them is certain.
    Opaque(Box<str>),
}

impl NativeStatement {
    /// Parses the next statement. `None` if it is not understood; then the position is undefined.
    pub(super) fn parse(cursor: &mut Cursor) -> Option<Self> {
        if let Some(verdict) = verdict::Verdict::parse(cursor) {
            return Some(Self::Verdict(verdict));
        }
        let first = cursor
            .peek()
            .filter(|token| token.kind != TokenKind::Quoted)?;
        let second = cursor.peek_second().map_or("", |token| token.text);
        match (first.text, second) {
            ("counter" | "quota" | "limit", "name") => {
                object_reference::ObjectReference::parse(cursor).map(Self::ObjectReference)
            }
            ("ct", "helper" | "timeout" | "expectation") if object_reference::is_next(cursor) => {
                object_reference::ObjectReference::parse(cursor).map(Self::ObjectReference)
            }
            ("counter", _) => counter::Counter::parse(cursor).map(Self::Counter),
            ("limit", _) => limit::Limit::parse(cursor).map(Self::Limit),
            ("quota", _) => quota::Quota::parse(cursor).map(Self::Quota),
            ("ct", "count") => {
                connection_limit::ConnectionLimit::parse(cursor).map(Self::ConnectionLimit)
            }
            ("snat" | "dnat" | "masquerade" | "redirect", _) => {
                nat::Nat::parse(cursor).map(|nat| Self::Nat(Box::new(nat)))
            }
            ("tproxy", _) => tproxy::Tproxy::parse(cursor).map(Self::Tproxy),
            ("reject", _) => reject::Reject::parse(cursor).map(Self::Reject),
            ("log", _) => log::Log::parse(cursor).map(Self::Log),
            ("queue", _) => queue::Queue::parse(cursor).map(Self::Queue),
            ("dup" | "fwd", _) => {
                copy::Duplicate::parse(cursor).map(|copy| Self::Copy(Box::new(copy)))
            }
            ("synproxy", _) => synproxy::Synproxy::parse(cursor).map(Self::Synproxy),
            ("flow", "add" | "offload") => flow::FlowOffload::parse(cursor).map(Self::Flow),
            ("add" | "update" | "delete", "@") => {
                set_update::SetUpdate::parse(cursor).map(|update| Self::SetUpdate(Box::new(update)))
            }
            ("xt", _) => xt::Xt::parse(cursor).map(Self::Xt),
            ("notrack", _) => {
                cursor.next();
                Some(Self::Notrack)
            }
            _ => Self::parse_with_key(cursor),
        }
    }

    /// Parses a statement that begins with fields: a comparison, a verdict map, or a change.
    fn parse_with_key(cursor: &mut Cursor) -> Option<Self> {
        let key = super::expression::Expression::parse_key(cursor)?;
        if cursor.eat("vmap") {
            return verdict_map::VerdictMap::parse(cursor, key).map(Self::VerdictMap);
        }
        if cursor.eat("set") {
            return set_field::SetField::parse(cursor, key).map(Self::SetField);
        }
        comparison::Relational::parse(cursor, key).map(Self::Comparison)
    }

    /// Prints it as `nft list ruleset` does.
    pub(super) fn print(&self, out: &mut String) {
        match self {
            Self::Comparison(comparison) => comparison.print(out),
            Self::Verdict(verdict) => verdict.print(out),
            Self::VerdictMap(map) => map.print(out),
            Self::Counter(counter) => counter.print(out),
            Self::SetField(change) => change.print(out),
            Self::Nat(nat) => nat.print(out),
            Self::Tproxy(tproxy) => tproxy.print(out),
            Self::Reject(reject) => reject.print(out),
            Self::Log(log) => log.print(out),
            Self::Limit(limit) => limit.print(out),
            Self::Quota(quota) => quota.print(out),
            Self::ConnectionLimit(limit) => limit.print(out),
            Self::SetUpdate(update) => update.print(out),
            Self::ObjectReference(reference) => reference.print(out),
            Self::Queue(queue) => queue.print(out),
            Self::Copy(copy) => copy.print(out),
            Self::Synproxy(synproxy) => synproxy.print(out),
            Self::Flow(flow) => flow.print(out),
            Self::Notrack => out.push_str("notrack"),
            Self::Xt(xt) => xt.print(out),
            Self::Opaque(text) => out.push_str(text),
        }
    }
}
