//! The parts of a text that contain rules, with their formats.

use std::fmt;

use crate::iptables::table_name::TableName;
use crate::netfilter::backend::Backend;
use crate::packet::Family;
use crate::text::diagnostic::Span;

/// The form in which rules are written.
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
    /// The input of `iptables-restore`.
    Restore,
}

/// The surroundings of a part with rules.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Inside {
    /// Ordinary text.
    #[default]
    Text,
    /// The lines of a log.
    Log,
    /// The strings of a log or of JSON, with `\n` as line ends.
    Escaped,
    /// The JSON of `chainwalk-capture`.
    Capture,
}

/// A chain of a listing, as far as it shows what the listing lacks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ListedChain {
    /// The line of the chain's head, from 1.
    pub line: u32,
    /// How many rules jump to it: `Chain X (2 references)`. `None` for a built-in chain.
    pub references: Option<u32>,
    /// Whether all of its rules have numbers, so that no rule is missing between two of them.
    pub is_numbered: bool,
}

/// A part of a text that contains rules.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Section {
    /// The input text, from 0.
    pub source: u32,
    /// Its bytes in the text, as complete lines.
    pub span: Span,
    /// Its first line, from 1.
    pub line: u32,
    /// Its format.
    pub format: Format,
    /// Its surroundings.
    pub inside: Inside,
    /// The address family of its rules.
    pub family: Family,
    /// The backend, if the text states it.
    pub backend: Option<Backend>,
    /// The options of the command that prints this form, such as `-v -n`.
    pub options: String,
    /// Whether the command before it prints whole tables.
    pub whole_tables: bool,
    /// Its tables.
    pub tables: Vec<TableName>,
    /// The chains that a listing shows. Empty for other formats.
    pub listed_chains: Vec<ListedChain>,
    /// The position of its rule set; `None` if another part replaces it.
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
