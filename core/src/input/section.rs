//! The parts of a text that hold rules, and what each was taken for.

use std::fmt;

use crate::iptables::table_name::TableName;
use crate::netfilter::backend::Backend;
use crate::packet::Family;
use crate::text::diagnostic::Span;

/// In which form rules are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// As `iptables-save` prints them.
    Save,
    /// As `iptables -S` prints them.
    Rules,
    /// As `iptables -L` prints them.
    Listing,
    /// Calls of `iptables`.
    Commands,
    /// What `iptables-restore` was given.
    Restore,
}

/// What surrounds a part that holds rules.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Inside {
    /// Nothing of its own.
    #[default]
    Text,
    /// The lines of a log.
    Log,
    /// The strings of a log or of JSON, with `\n` for its line ends.
    Escaped,
    /// The JSON of `chainwalk-capture`.
    Capture,
}

/// A part of a text that holds rules.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Section {
    /// Which of the texts that were read, from 0.
    pub source: u32,
    /// Its bytes there, whole lines.
    pub span: Span,
    /// Its first line, from 1.
    pub line: u32,
    /// Its form.
    pub format: Format,
    /// What surrounds it.
    pub inside: Inside,
    /// Whose rules they are.
    pub family: Family,
    /// Legacy or nft, where the text says.
    pub backend: Option<Backend>,
    /// The options that would print it so, where its form depends on them: `-v -n`.
    pub options: String,
    /// Whether the command above it asked for whole tables.
    pub whole_tables: bool,
    /// Its tables.
    pub tables: Vec<TableName>,
    /// The place of its rule set among those that were read; `None` where another part holds the
    /// same better.
    pub ruleset: Option<u32>,
}

impl Section {
    /// The program and options that print rules in this form: `iptables -L -v`.
    pub fn command(&self) -> String {
        let family = if self.family == Family::Ipv6 {
            "ip6tables"
        } else {
            "iptables"
        };
        let backend = match self.backend {
            Some(Backend::Legacy) => "-legacy",
            Some(Backend::Nft) => "-nft",
            None => "",
        };
        let form = match self.format {
            Format::Save => "-save",
            Format::Rules => " -S",
            Format::Listing => " -L",
            Format::Commands => " commands",
            Format::Restore => "-restore's input",
        };
        format!("{family}{backend}{form}{}", self.options)
    }
}

/// "iptables -L -v, nat table".
impl fmt::Display for Section {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.command())?;
        let names: Vec<&str> = self.tables.iter().map(|table| table.name()).collect();
        match &names[..] {
            [] => {}
            [name] => write!(f, ", {name} table")?,
            [names @ .., last] => write!(f, ", {} and {last} tables", names.join(", "))?,
        }
        f.write_str(match self.inside {
            Inside::Text => "",
            Inside::Log => ", in a log",
            Inside::Escaped => ", in a log's strings",
            Inside::Capture => ", in a capture",
        })
    }
}
