//! `log` (nft(8), "LOG STATEMENT").

use crate::nftables::cursor::Cursor;

/// A log message, or a packet for a program that reads the log.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Log {
    /// The beginning of the message.
    pub prefix: Option<Box<str>>,
    /// The other options in the order of nft, each with its value: `level info`, `group 1`.
    pub options: Vec<(&'static str, Box<str>)>,
}

/// The options besides `prefix`, in the order in which nft prints them.
const OPTIONS: [&str; 5] = ["group", "snaplen", "queue-threshold", "level", "flags"];

impl Log {
    pub(super) fn parse(cursor: &mut Cursor) -> Option<Self> {
        cursor.next();
        let mut log = Self::default();
        loop {
            if cursor.eat("prefix") {
                log.prefix = Some(cursor.quoted()?.into());
                continue;
            }
            let Some(option) = OPTIONS.into_iter().find(|option| cursor.eat(option)) else {
                break;
            };
            let mut value = cursor.word()?.to_owned();
            if option == "flags" && ["tcp", "ip"].contains(&&*value) {
                value = format!("{value} {}", cursor.word()?);
                while cursor.eat_symbol(",") {
                    value = format!("{value},{}", cursor.word()?);
                }
            }
            log.options.push((option, value.into()));
        }
        let rank = |option: &str| OPTIONS.iter().position(|known| *known == option);
        log.options.sort_by_key(|(option, _)| rank(option));
        // The level of messages without an option.
        log.options
            .retain(|(option, value)| (*option, &**value) != ("level", "warn"));
        Some(log)
    }

    pub(super) fn print(&self, out: &mut String) {
        out.push_str("log");
        if let Some(prefix) = &self.prefix {
            out.push_str(&format!(" prefix \"{prefix}\""));
        }
        for (option, value) in &self.options {
            out.push_str(&format!(" {option} {value}"));
        }
    }
}
