//! Turns any text, file or capture into rule sets. Nothing is lost: a part that cannot be read gets
//! a diagnostic, and the rest is read.
//!
//! # Layout
//! - `parse`: text to rule sets; `capture`: the JSON of the capture helper
//! - `parsed`, `section`: the result of reading a text
//! - `host_commands`: commands of a text that change the host
//! - `edit`: changes a rule by changing its text; `repair`: fixes for rules that lost a part

pub mod capture;
pub mod edit;
pub mod host_commands;
pub mod parse;
pub mod parsed;
pub(crate) mod repair;
pub mod section;
