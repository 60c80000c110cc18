//! Named sets and maps (nft(8), "SETS", "MAPS").

use super::cursor::Cursor;
use super::data_type::{DataType, PerLine, UNKNOWN};
use super::expression::{Element, Expression};
use super::rule::parse_comment;
use super::statement::NativeStatement;
use crate::text::diagnostic::Span;

/// A named set, or a map if it has data.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NativeSet {
    /// Its name.
    pub name: Box<str>,
    /// Whether it is a map.
    pub is_map: bool,
    /// Its number, as `nft -a` prints it.
    pub handle: Option<u64>,
    /// The types of the parts of its key.
    pub key: Vec<&'static DataType>,
    /// The names of these types, as written.
    pub key_names: Box<str>,
    /// The fields that state the types: `typeof ip saddr`.
    pub key_fields: Option<Expression>,
    /// The types or fields of its data, as written.
    pub data: Option<Box<str>>,
    /// The types of the parts of its data.
    pub data_types: Vec<&'static DataType>,
    /// The maximum number of elements.
    pub size: Option<u32>,
    /// The number of elements of a set that packets change.
    pub count: Option<u32>,
    /// `interval`, `timeout`, `dynamic`, `constant`.
    pub flags: Vec<Box<str>>,
    /// The time that an element stays, as written.
    pub timeout: Option<Box<str>>,
    /// The time between two searches for expired elements, as written.
    pub gc_interval: Option<Box<str>>,
    /// `performance` or `memory`.
    pub policy: Option<Box<str>>,
    /// Whether nft merges overlapping intervals.
    pub is_merged: bool,
    /// The counters and limits of each element.
    pub statements: Vec<NativeStatement>,
    /// Its comment.
    pub comment: Option<Box<str>>,
    /// Its elements; `None` if the text has none, also with `nft -t`.
    pub elements: Option<Vec<Element>>,
    /// Line in the text, from 1.
    pub line: u32,
}

impl NativeSet {
    /// Parses the block of a set or a map after its name.
    pub(super) fn parse(
        cursor: &mut Cursor,
        is_map: bool,
        name: &str,
        problems: &mut Vec<Span>,
    ) -> Self {
        let mut set = Self {
            name: name.into(),
            is_map,
            handle: cursor.handle(),
            line: cursor.last().map_or(1, |last| last.line),
            ..Self::default()
        };
        loop {
            cursor.skip_ends();
            let Some(token) = cursor.peek() else {
                return set;
            };
            if cursor.eat_symbol("}") {
                return set;
            }
            let start = cursor.clone();
            if set.parse_property(cursor).is_none() {
                *cursor = start;
                problems.push(token.span);
                if cursor.rest_of_statement().is_none() {
                    cursor.next();
                }
            }
        }
    }

    fn parse_property(&mut self, cursor: &mut Cursor) -> Option<()> {
        if let Some(comment) = parse_comment(cursor) {
            self.comment = Some(comment);
            return Some(());
        }
        match cursor.peek_word()? {
            "counter" | "limit" | "quota" | "last" | "ct" => {
                self.statements.push(NativeStatement::parse(cursor)?);
                return Some(());
            }
            _ => {}
        }
        match cursor.word()? {
            "type" => self.parse_types(cursor),
            "typeof" => self.parse_fields(cursor),
            "flags" => {
                self.flags.push(cursor.word()?.into());
                while cursor.eat_symbol(",") {
                    self.flags.push(cursor.word()?.into());
                }
                Some(())
            }
            "size" => {
                self.size = Some(cursor.number()?);
                self.count = count(cursor);
                Some(())
            }
            "timeout" => {
                self.timeout = Some(cursor.word()?.into());
                Some(())
            }
            "gc-interval" => {
                self.gc_interval = Some(cursor.word()?.into());
                Some(())
            }
            "policy" => {
                self.policy = Some(cursor.word()?.into());
                Some(())
            }
            "auto-merge" => {
                self.is_merged = true;
                Some(())
            }
            "elements" => {
                cursor.eat_symbol("=");
                let data = Some(&*self.data_types).filter(|types| !types.is_empty());
                let elements = Expression::parse_elements(cursor, &self.key, data)?;
                self.elements.get_or_insert_default().extend(elements);
                Some(())
            }
            _ => None,
        }
    }

    /// Parses `ipv4_addr . inet_service : verdict`.
    fn parse_types(&mut self, cursor: &mut Cursor) -> Option<()> {
        (self.key, self.key_names) = parse_type_list(cursor)?;
        if cursor.eat(":") {
            let interval = if cursor.eat("interval") {
                "interval "
            } else {
                ""
            };
            let names;
            (self.data_types, names) = parse_type_list(cursor)?;
            self.data = Some(format!("{interval}{names}").into());
        }
        Some(())
    }

    /// Parses `ip saddr . tcp dport : verdict`.
    fn parse_fields(&mut self, cursor: &mut Cursor) -> Option<()> {
        let key = Expression::parse_key(cursor)?;
        self.key = key.types();
        self.key_fields = Some(key);
        if cursor.eat(":") {
            if cursor.eat("verdict") {
                self.data = Some("verdict".into());
                return Some(());
            }
            let data = Expression::parse_key(cursor)?;
            self.data_types = data.types();
            let mut text = String::new();
            data.print(&mut text);
            self.data = Some(text.into());
        }
        Some(())
    }

    /// Prints the set as `nft list ruleset` does.
    pub(super) fn print(&self, out: &mut String) {
        let kind = if self.is_map { "map" } else { "set" };
        out.push_str(&format!("\t{kind} {} {{\n", self.name));
        self.print_types(out);
        if let Some(size) = self.size {
            let count = self.count.map(|count| format!("\t# count {count}"));
            out.push_str(&format!("\t\tsize {size}{}\n", count.unwrap_or_default()));
        }
        if let Some(policy) = &self.policy {
            out.push_str(&format!("\t\tpolicy {policy}\n"));
        }
        if !self.flags.is_empty() {
            out.push_str(&format!("\t\tflags {}\n", self.flags.join(",")));
        }
        if let Some(timeout) = &self.timeout {
            out.push_str(&format!("\t\ttimeout {timeout}\n"));
        }
        if let Some(interval) = &self.gc_interval {
            out.push_str(&format!("\t\tgc-interval {interval}\n"));
        }
        if self.is_merged {
            out.push_str("\t\tauto-merge\n");
        }
        for statement in &self.statements {
            out.push_str("\t\t");
            match statement {
                // A set has no counter of its own, only its elements have.
                NativeStatement::Counter(_) => out.push_str("counter"),
                statement => statement.print(out),
            }
            out.push('\n');
        }
        if let Some(comment) = &self.comment {
            out.push_str(&format!("\t\tcomment \"{comment}\"\n"));
        }
        if let Some(elements) = self.elements.as_ref().filter(|own| !own.is_empty()) {
            self.print_elements(elements, out);
        }
        out.push_str("\t}\n");
    }

    fn print_types(&self, out: &mut String) {
        match &self.key_fields {
            Some(fields) => {
                out.push_str("\t\ttypeof ");
                fields.print(out);
            }
            None => out.push_str(&format!("\t\ttype {}", self.key_names)),
        }
        if let Some(data) = &self.data {
            out.push_str(&format!(" : {data}"));
        }
        out.push('\n');
    }

    fn print_elements(&self, elements: &[Element], out: &mut String) {
        let per_line = match &self.key[..] {
            [data] => data.per_line,
            _ => PerLine::One,
        };
        let per_line = match per_line {
            PerLine::One => 1,
            PerLine::Two => 2,
            PerLine::Five => 5,
        };
        out.push_str("\t\telements = { ");
        for (place, element) in elements.iter().enumerate() {
            if place > 0 {
                let is_full = place % per_line == 0;
                out.push_str(if is_full { ",\n\t\t\t     " } else { ", " });
            }
            element.print(out);
        }
        out.push_str(" }\n");
    }
}

/// Parses the names of types. An unknown one keeps its name, and its values are kept as written.
fn parse_type_list(cursor: &mut Cursor) -> Option<(Vec<&'static DataType>, Box<str>)> {
    let mut names = vec![cursor.word()?];
    while cursor.eat(".") {
        names.push(cursor.word()?);
    }
    let types = names
        .iter()
        .map(|name| DataType::from_name(name).unwrap_or(&UNKNOWN));
    Some((types.collect(), names.join(" . ").into()))
}

/// The number of elements in a comment after the size: `# count 3`.
fn count(cursor: &mut Cursor) -> Option<u32> {
    let comment = cursor.peek()?.text;
    let number = comment.trim().strip_prefix("count ")?.parse().ok()?;
    cursor.next();
    Some(number)
}
