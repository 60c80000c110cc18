//! The tables of nft (nft(8), "TABLES").

use super::chain::NativeChain;
use super::cursor::Cursor;
use super::object::NativeObject;
use super::rule::parse_comment;
use super::set::NativeSet;
use crate::iptables::table_name::TableName;
use crate::netfilter::table_family::TableFamily;
use crate::text::diagnostic::Span;

/// A table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NativeTable {
    /// The packets that it sees.
    pub family: TableFamily,
    /// Its name. Tables of two families may have the same name.
    pub name: Box<str>,
    /// Its number, as `nft -a` prints it.
    pub handle: Option<u64>,
    /// `dormant`, `owner`, `persist`.
    pub flags: Vec<Box<str>>,
    /// Its comment.
    pub comment: Option<Box<str>>,
    /// Its objects and flowtables.
    pub objects: Vec<NativeObject>,
    /// Its sets and maps.
    pub sets: Vec<NativeSet>,
    /// Its chains.
    pub chains: Vec<NativeChain>,
    /// Line in the text, from 1.
    pub line: u32,
    /// Its bytes in the text.
    pub span: Span,
}

impl NativeTable {
    /// Parses a table after the word `table`. `None` if a block does not follow.
    pub(super) fn parse(cursor: &mut Cursor, problems: &mut Vec<Span>) -> Option<Self> {
        let start = cursor.last()?;
        let first = cursor.word()?;
        let (family, name) = match first.parse() {
            // A table may have the name of a family: `table ip`.
            Ok(family) if !cursor.peek()?.is_symbol("{") => (family, cursor.next()?.text),
            _ => (TableFamily::Ip, first),
        };
        if !cursor.eat_symbol("{") {
            return None;
        }
        cursor.keeps_spelling = is_of_iptables(family, name);
        let mut table = Self {
            family,
            name: name.into(),
            handle: cursor.handle(),
            flags: Vec::new(),
            comment: None,
            objects: Vec::new(),
            sets: Vec::new(),
            chains: Vec::new(),
            line: start.line,
            span: start.span,
        };
        loop {
            cursor.skip_ends();
            let Some(token) = cursor.peek() else {
                break;
            };
            if cursor.eat_symbol("}") {
                break;
            }
            let before = cursor.clone();
            if table.parse_part(cursor, problems).is_none() {
                *cursor = before;
                problems.push(token.span);
                if cursor.rest_of_statement().is_none() {
                    cursor.next();
                }
            }
        }
        table.span.end = cursor.last().map_or(table.span.end, |last| last.span.end);
        Some(table)
    }

    fn parse_part(&mut self, cursor: &mut Cursor, problems: &mut Vec<Span>) -> Option<()> {
        if let Some(comment) = parse_comment(cursor) {
            self.comment = Some(comment);
            return Some(());
        }
        if let Some(object) = NativeObject::parse(cursor) {
            self.objects.push(object);
            return Some(());
        }
        match cursor.word()? {
            "flags" => {
                self.flags.push(cursor.word()?.into());
                while cursor.eat_symbol(",") {
                    self.flags.push(cursor.word()?.into());
                }
            }
            kind @ ("set" | "map") => {
                let name = cursor.next()?.text;
                if !cursor.eat_symbol("{") {
                    return None;
                }
                let set = NativeSet::parse(cursor, kind == "map", name, problems);
                self.sets.push(set);
            }
            "chain" => {
                let name = cursor.next()?.text;
                if !cursor.eat_symbol("{") {
                    return None;
                }
                let chain = NativeChain::parse(cursor, name, self.family, problems);
                self.chains.push(chain);
            }
            _ => return None,
        }
        Some(())
    }

    /// Prints the table as `nft list ruleset` does.
    pub fn print(&self, out: &mut String) {
        out.push_str(&format!("table {} {} {{\n", self.family, self.name));
        if !self.flags.is_empty() {
            out.push_str(&format!("\tflags {}\n", self.flags.join(",")));
        }
        if let Some(comment) = &self.comment {
            out.push_str(&format!("\tcomment \"{comment}\"\n"));
        }
        let mut blocks: Vec<String> = Vec::new();
        let mut add = |print: &dyn Fn(&mut String)| {
            let mut block = String::new();
            print(&mut block);
            blocks.push(block);
        };
        let (flowtables, objects): (Vec<&NativeObject>, Vec<&NativeObject>) = self
            .objects
            .iter()
            .partition(|object| object.is_flowtable());
        for object in objects {
            add(&|out| object.print(out));
        }
        for set in &self.sets {
            add(&|out| set.print(out));
        }
        for flowtable in flowtables {
            add(&|out| flowtable.print(out));
        }
        for chain in &self.chains {
            add(&|out| chain.print(self.family, out));
        }
        out.push_str(&blocks.join("\n"));
        out.push_str("}\n");
    }
}

/// Whether a table has the name of one that iptables-nft makes. Rules of iptables in it print in
/// another form.
fn is_of_iptables(family: TableFamily, name: &str) -> bool {
    matches!(family, TableFamily::Ip | TableFamily::Ip6) && TableName::from_text(name).is_some()
}
