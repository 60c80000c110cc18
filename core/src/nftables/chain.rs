//! The chains of nft (nft(8), "CHAINS").

use super::cursor::Cursor;
use super::priority;
use super::rule::{NativeRule, parse_comment};
use crate::netfilter::table_family::TableFamily;
use crate::text::diagnostic::Span;

/// A chain.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NativeChain {
    /// Its name.
    pub name: Box<str>,
    /// Its place in the packet's path; `None` for a chain that rules call.
    pub base: Option<NativeBase>,
    /// Its comment.
    pub comment: Option<Box<str>>,
    /// Its number, as `nft -a` prints it.
    pub handle: Option<u64>,
    /// Its rules.
    pub rules: Vec<NativeRule>,
    /// Line in the text, from 1.
    pub line: u32,
}

/// The place of a base chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NativeBase {
    /// `filter`, `nat` or `route`.
    pub kind: Box<str>,
    /// `prerouting`, `ingress` and others.
    pub hook: Box<str>,
    /// The interfaces of a chain at `ingress` or `egress`, as written.
    pub devices: Option<Box<str>>,
    /// Lower is earlier.
    pub priority: i32,
    /// `accept` or `drop`.
    pub policy: Box<str>,
    /// `flags offload`
    pub is_offloaded: bool,
}

impl NativeChain {
    /// Parses the block of a chain after its name. Returns the parts of it that are no rules.
    pub(super) fn parse(
        cursor: &mut Cursor,
        name: &str,
        family: TableFamily,
        problems: &mut Vec<Span>,
    ) -> Self {
        let mut chain = Self {
            name: name.into(),
            handle: cursor.handle(),
            line: cursor.last().map_or(1, |last| last.line),
            ..Self::default()
        };
        loop {
            cursor.skip_ends();
            let Some(token) = cursor.peek() else {
                return chain;
            };
            if cursor.eat_symbol("}") {
                return chain;
            }
            if let Some(base) = NativeBase::parse(cursor, family) {
                chain.base = Some(base);
            } else if chain.base.is_some() && cursor.eat("policy") {
                if let (Some(base), Some(policy)) = (&mut chain.base, cursor.word()) {
                    base.policy = policy.into();
                }
            } else if chain.base.is_some() && cursor.eat_all(&["flags", "offload"]) {
                if let Some(base) = &mut chain.base {
                    base.is_offloaded = true;
                }
            } else if let Some(comment) =
                parse_comment(cursor).filter(|_| cursor.is_at_end() && chain.rules.is_empty())
            {
                chain.comment = Some(comment);
            } else if let Some(rule) = NativeRule::parse(cursor)
                && !rule.statements.is_empty()
            {
                chain.rules.push(rule);
            } else {
                problems.push(token.span);
                cursor.next();
            }
        }
    }

    /// Prints the chain as `nft list ruleset` does.
    pub(super) fn print(&self, family: TableFamily, out: &mut String) {
        out.push_str(&format!("\tchain {} {{\n", self.name));
        if let Some(comment) = &self.comment {
            out.push_str(&format!("\t\tcomment \"{comment}\"\n"));
        }
        if let Some(base) = &self.base {
            base.print(family, out);
        }
        for rule in &self.rules {
            out.push_str("\t\t");
            rule.print(out);
            out.push('\n');
        }
        out.push_str("\t}\n");
    }
}

impl NativeBase {
    /// Parses `type filter hook input priority filter; policy accept;` up to the first `;`.
    fn parse(cursor: &mut Cursor, family: TableFamily) -> Option<Self> {
        let mut ahead = cursor.clone();
        if !ahead.eat("type") {
            return None;
        }
        let kind = ahead.word()?.into();
        let hook = ahead.eat("hook").then(|| ahead.word()).flatten()?;
        let mut devices = None;
        if ahead.eat("device") {
            devices = Some(format!("device \"{}\"", ahead.next()?.text));
        } else if ahead.eat("devices") {
            ahead.eat_symbol("=");
            ahead.eat_symbol("{");
            let mut names = Vec::new();
            while !ahead.eat_symbol("}") {
                names.push(format!("\"{}\"", ahead.next()?.text));
                ahead.eat_symbol(",");
            }
            devices = Some(format!("devices = {{ {} }}", names.join(", ")));
        }
        if !ahead.eat("priority") {
            return None;
        }
        let priority = parse_priority(&mut ahead, family)?;
        *cursor = ahead;
        Some(Self {
            kind,
            hook: hook.into(),
            devices: devices.map(Into::into),
            priority,
            policy: "accept".into(),
            is_offloaded: false,
        })
    }

    fn print(&self, family: TableFamily, out: &mut String) {
        out.push_str(&format!("\t\ttype {} hook {} ", self.kind, self.hook));
        if let Some(devices) = &self.devices {
            out.push_str(&format!("{devices} "));
        }
        let priority = priority::print(self.priority, family, &self.hook);
        out.push_str(&format!("priority {priority}; policy {};", self.policy));
        if self.is_offloaded {
            out.push_str(" flags offload;");
        }
        out.push('\n');
    }
}

/// Parses `-150`, `filter`, `dstnat + 10` or `filter -1`.
fn parse_priority(cursor: &mut Cursor, family: TableFamily) -> Option<i32> {
    let word = cursor.word()?;
    if let Ok(number) = word.parse() {
        return Some(number);
    }
    let base = priority::number(family, word)?;
    let Some(sign) = cursor.peek().filter(|_| !cursor.is_at_end()) else {
        return Some(base);
    };
    let (sign, digits) = sign.text.split_at_checked(1)?;
    cursor.next();
    let digits = match digits {
        "" => cursor.word()?,
        digits => digits,
    };
    let offset: i32 = digits.parse().ok()?;
    match sign {
        "+" => base.checked_add(offset),
        "-" => base.checked_sub(offset),
        _ => None,
    }
}
