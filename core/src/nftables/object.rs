//! Named objects: counters, quotas, limits, helpers, timeouts, and flowtables (nft(8), "STATEFUL
//! OBJECTS", "FLOWTABLES").

use super::cursor::Cursor;

/// A named object. Its properties are kept as written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NativeObject {
    /// Its kind: `counter`, `ct helper`, `flowtable`.
    pub kind: &'static str,
    /// Its name.
    pub name: Box<str>,
    /// Its number, as `nft -a` prints it.
    pub handle: Option<u64>,
    /// Its properties, one for each line.
    pub properties: Vec<Box<str>>,
    /// Line in the text, from 1.
    pub line: u32,
}

/// The kinds and the words that begin them.
const KINDS: [(&str, &[&str]); 9] = [
    ("counter", &["counter"]),
    ("quota", &["quota"]),
    ("limit", &["limit"]),
    ("synproxy", &["synproxy"]),
    ("secmark", &["secmark"]),
    ("flowtable", &["flowtable"]),
    ("ct helper", &["ct", "helper"]),
    ("ct timeout", &["ct", "timeout"]),
    ("ct expectation", &["ct", "expectation"]),
];

impl NativeObject {
    /// Parses an object. Takes nothing if the next words begin none.
    pub(super) fn parse(cursor: &mut Cursor) -> Option<Self> {
        let mut ahead = cursor.clone();
        let (kind, _) = KINDS.into_iter().find(|(_, words)| ahead.eat_all(words))?;
        let name = ahead.next()?;
        if !ahead.eat_symbol("{") {
            return None;
        }
        *cursor = ahead;
        let handle = cursor.handle();
        let mut properties = Vec::new();
        loop {
            cursor.skip_ends();
            if cursor.peek().is_none() || cursor.eat_symbol("}") {
                break;
            }
            match cursor.rest_of_statement() {
                Some(words) => properties.push(words),
                None => break,
            }
        }
        Some(Self {
            kind,
            name: name.text.into(),
            handle,
            properties,
            line: name.line,
        })
    }

    /// Whether it is a flowtable, which nft prints after the sets.
    pub(super) fn is_flowtable(&self) -> bool {
        self.kind == "flowtable"
    }

    /// Prints the object as `nft list ruleset` does.
    pub(super) fn print(&self, out: &mut String) {
        out.push_str(&format!("\t{} {} {{\n", self.kind, self.name));
        for property in &self.properties {
            out.push_str(&format!("\t\t{property}\n"));
        }
        out.push_str("\t}\n");
    }
}
