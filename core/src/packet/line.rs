//! A packet in one line: `tcp 10.244.1.5:40000 > 1.1.1.1:443 uid 1337 out`.
//!
//! The protocol comes first, then source and destination (`[fd00::1]:443` for IPv6; the source is
//! optional), then fields of a name and a value, then `out` or `in INTERFACE`. If the line gives
//! only one of uid and gid, the other gets the same number, as `useradd` assigns them. An interface
//! that has the name of a field is written with `=`: `in=uid`.

use std::fmt::Write as _;

use strum::EnumCount;

use super::fields::PacketField;
use super::form::{FieldError, PacketForm};
use super::{NO_ADDRESS, Origin, Packet, Protocol};

/// An error in a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LineError {
    /// The position in characters, from 1.
    pub column: usize,
    /// The error, and a description of a valid line.
    pub message: String,
}

/// An example of a valid line.
pub const EXAMPLE: &str = "tcp 10.244.1.5:40000 > 1.1.1.1:443 uid 1337 out";

/// Prints a packet as a line, without fields that have their default.
pub fn print(packet: &Packet) -> String {
    let form = PacketForm::from_packet(packet);
    let get = |field| form.get(field);
    let mut line = get(PacketField::Protocol).to_owned();
    write_endpoint(&mut line, get(PacketField::Src), get(PacketField::Sport));
    line.push_str(" >");
    write_endpoint(&mut line, get(PacketField::Dst), get(PacketField::Dport));
    let plain = Packet::to(Origin::Local, Protocol::TCP, NO_ADDRESS);
    for field in PacketField::all() {
        let value = get(field);
        if let Some(name) = field
            .row()
            .in_line
            .filter(|_| !value.is_empty() && value != field.text(&plain))
        {
            write_clause(&mut line, name, value);
        }
    }
    match (get(PacketField::Origin), get(PacketField::InInterface)) {
        ("local", _) => line.push_str(" out"),
        (_, "") => line.push_str(" in"),
        (_, interface) => write_clause(&mut line, "in", interface),
    }
    line
}

/// ` 10.0.0.1:443`, ` [fd00::1]:443`, ` fd00::1`, ` :443`, or nothing.
fn write_endpoint(line: &mut String, address: &str, port: &str) {
    let bare = port.is_empty() || !address.contains(':');
    // Writing to a string cannot fail.
    let _ = match (address, port) {
        ("", "") => Ok(()),
        (_, "") => write!(line, " {address}"),
        _ if bare => write!(line, " {address}:{port}"),
        _ => write!(line, " [{address}]:{port}"),
    };
}

fn write_clause(line: &mut String, word: &str, value: &str) {
    line.push(' ');
    line.push_str(word);
    line.push(if is_word(value) { '=' } else { ' ' });
    line.push_str(value);
}

/// Whether a word is the name of a field, so that it cannot be a value.
fn is_word(word: &str) -> bool {
    let name = word.split('=').next().unwrap_or(word);
    ["in", "out", ">"].contains(&name) || field(name).is_some()
}

fn field(word: &str) -> Option<PacketField> {
    PacketField::all().find(|field| {
        field
            .row()
            .in_line
            .is_some_and(|name| name.eq_ignore_ascii_case(word))
    })
}

/// Parses a line.
///
/// # Errors
/// The first error of the line.
pub fn parse_packet_line(line: &str) -> Result<Packet, LineError> {
    let mut reader = LineReader {
        form: PacketForm::empty(),
        columns: [0; PacketField::COUNT],
        rest: line,
        column: 1,
    };
    reader.all()?;
    let mut form = reader.form;
    for (field, other) in [
        (PacketField::Uid, PacketField::Gid),
        (PacketField::Gid, PacketField::Uid),
    ] {
        if form.get(field).is_empty() {
            form.set(field, form.get(other).to_owned());
        }
    }
    let column = |wrong: &FieldError| match reader.columns[wrong.field as usize] {
        0 => usize::MAX,
        column => column,
    };
    form.packet_of(|_| true).map_err(|wrong| {
        let first = wrong.into_iter().min_by_key(column);
        let message = first
            .as_ref()
            .map(|wrong| format!("{}: {}", wrong.field.label(), wrong.message));
        // A missing part is reported at the end of the line.
        let end = line.chars().count() + 1;
        LineError {
            column: first.as_ref().map_or(1, column).min(end),
            message: message.unwrap_or_default(),
        }
    })
}

/// A word with its column.
type Word<'a> = (usize, &'a str);

struct LineReader<'a> {
    form: PacketForm,
    /// The column of each field in the line; 0 for absent fields.
    columns: [usize; PacketField::COUNT],
    rest: &'a str,
    column: usize,
}

impl<'a> LineReader<'a> {
    /// The next word, without consuming it.
    fn peek(&self) -> Option<Word<'a>> {
        let start = self.rest.trim_start();
        let word = start
            .split(char::is_whitespace)
            .next()
            .filter(|word| !word.is_empty())?;
        let skipped = &self.rest[..self.rest.len() - start.len()];
        Some((self.column + skipped.chars().count(), word))
    }

    fn next(&mut self) -> Option<Word<'a>> {
        let (column, word) = self.peek()?;
        self.column = column + word.chars().count();
        self.rest = &self.rest.trim_start()[word.len()..];
        Some((column, word))
    }

    fn set(&mut self, field: PacketField, (column, value): Word) -> Result<(), LineError> {
        let known = &mut self.columns[field as usize];
        if *known > 0 {
            return Err(LineError {
                column,
                message: format!("{} occurs twice", field.label()),
            });
        }
        *known = column;
        self.form.set(field, value.to_owned());
        Ok(())
    }

    fn all(&mut self) -> Result<(), LineError> {
        let protocol = self.next().ok_or_else(|| lacking(1, "a protocol"))?;
        self.set(PacketField::Protocol, protocol)?;
        match self.next() {
            Some((_, ">" | "→" | "->")) => {}
            Some(source) => {
                self.parse_endpoint(source, [PacketField::Src, PacketField::Sport])?;
                match self.next() {
                    Some((_, ">" | "→" | "->")) => {}
                    other => {
                        return Err(lacking(
                            other.map_or(self.column, |(column, _)| column),
                            "a >",
                        ));
                    }
                }
            }
            None => return Err(lacking(self.column, "where it comes from, or a >,")),
        }
        let destination = self
            .next()
            .ok_or_else(|| lacking(self.column, "where it goes to"))?;
        self.parse_endpoint(destination, [PacketField::Dst, PacketField::Dport])?;
        while let Some(word) = self.next() {
            self.field(word)?;
        }
        if self.columns[PacketField::Origin as usize] == 0 {
            self.form.set(PacketField::Origin, "local".into());
        }
        Ok(())
    }

    /// Parses an address, a port after it, or both.
    fn parse_endpoint(
        &mut self,
        (column, word): Word,
        [address, port]: [PacketField; 2],
    ) -> Result<(), LineError> {
        let bracketed = word.strip_prefix('[').and_then(|rest| rest.split_once(']'));
        let (lead, host, behind) = match bracketed {
            Some((host, behind)) => (1, host, behind),
            // More than one colon: an IPv6 address alone.
            None => match word
                .split_once(':')
                .filter(|(_, behind)| !behind.contains(':'))
            {
                Some((host, _)) => (0, host, &word[host.len()..]),
                None => (0, word, ""),
            },
        };
        if !host.is_empty() {
            self.set(address, (column + lead, host))?;
        }
        let at = column + 2 * lead + host.chars().count();
        match behind.strip_prefix(':') {
            Some("") => Err(lacking(at + 1, "a port")),
            Some(number) => self.set(port, (at + 1, number)),
            None if behind.is_empty() => Ok(()),
            None => Err(lacking(at, "a : and a port")),
        }
    }

    fn field(&mut self, (column, word): Word<'a>) -> Result<(), LineError> {
        let (name, attached) = match word.split_once('=') {
            Some((name, value)) => (name, Some((column + name.chars().count() + 1, value))),
            None => (word, None),
        };
        let next = || self.peek().filter(|(_, word)| !is_word(word));
        let found = field(name);
        let value = attached.or_else(|| if name == "out" { None } else { next() });
        if attached.is_none() && value.is_some() && (found.is_some() || name == "in") {
            self.next();
        }
        match (name, found, value) {
            ("out", _, None) => self.set(PacketField::Origin, (column, "local")),
            ("in", _, value) => {
                self.set(PacketField::Origin, (column, "inbound"))?;
                value.map_or(Ok(()), |value| self.set(PacketField::InInterface, value))
            }
            (_, Some(field), Some(value)) => self.set(field, value),
            (_, Some(_), None) => Err(lacking(self.column, &format!("a value of {name}"))),
            _ => Err(LineError {
                column,
                message: format!("unknown field `{name}`: {}", known()),
            }),
        }
    }
}

fn known() -> String {
    let words: Vec<&str> = PacketField::all()
        .filter_map(|field| field.row().in_line)
        .collect();
    format!("{}, out, in", words.join(", "))
}

fn lacking(column: usize, what: &str) -> LineError {
    LineError {
        column,
        message: format!("{what} is missing, as in: {EXAMPLE}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_read_and_written() {
        let packet = parse_packet_line(EXAMPLE).expect("the example is right");
        let tcp = Packet::tcp(([10, 244, 1, 5], 40_000), ([1, 1, 1, 1], 443), 1337, 1337);
        assert_eq!(packet, tcp);
        assert_eq!(
            print(&packet),
            "tcp 10.244.1.5:40000 > 1.1.1.1:443 uid 1337 gid 1337 out"
        );
        for line in [
            "udp > 1.1.1.1:53 gid 1337 uid 0 out",
            "tcp [fd00::1]:40000 > [2001:db8::34]:443 flags SYN,ACK mark 0x539 headers none out",
            "icmp 1.1.1.1 > 10.244.1.5 type 8 code 0 mac 02:42:0a:f4:01:05 in eth0",
            "icmpv6 fd00::1 > fd00::2 in",
            "tcp 1.1.1.1:1 > 2.2.2.2:2 ttl 1 in=uid",
            "41 > 1.1.1.1 owner kernel fragment 185+ bound eth0 out",
        ] {
            let packet =
                parse_packet_line(line).unwrap_or_else(|mistake| panic!("{line}: {mistake:?}"));
            assert_eq!(parse_packet_line(&print(&packet)), Ok(packet), "{line}");
        }
    }

    #[test]
    fn a_mistake_has_its_column_and_a_hint() {
        for (line, column, part) in [
            ("", 1, "a protocol is missing"),
            ("tcp", 4, "where it comes from"),
            ("tpc > 1.1.1.1", 1, "is not a protocol"),
            ("tcp 1.1.1.1:1 1.1.1.2:2", 15, "a > is missing"),
            ("tcp > 1.1.1.1:", 15, "a port is missing"),
            ("tcp > 1.1.1.1:65536", 15, "a number from 0 to 65535"),
            ("tcp > [fd00::1]443", 16, "a : and a port"),
            ("tcp 10.0.0.1 > fd00::1", 5, "both"),
            ("tcp é > 1.1.1.1", 5, "an address"),
            ("tcp > 1.1.1.1:443 uid", 22, "a value of uid"),
            ("tcp > 1.1.1.1:443 uid out", 22, "a value of uid"),
            ("tcp > 1.1.1.1:443 uid 1 uid 2", 29, "occurs twice"),
            ("tcp > 1.1.1.1:443 user 1", 19, "unknown field"),
            ("tcp > 1.1.1.1:443 dscp 64", 24, "a number from 0 to 63"),
            ("udp > 1.1.1.1:443 flags ACK", 25, "are for tcp"),
            ("tcp > 1.1.1.1:443 uid 1 owner none", 31, "replaces uid"),
            ("tcp > 1.1.1.1:443 in", 21, "needs a source"),
            ("tcp 1.1.1.2 > 1.1.1.1 uid 1 in eth0", 27, "has no owner"),
        ] {
            let mistake = parse_packet_line(line).expect_err(line);
            assert!(
                mistake.column == column && mistake.message.contains(part),
                "{line}: {mistake:?}"
            );
        }
    }
}
