//! Any text, file or capture to rule sets. Nothing is lost: what cannot be read gets a diagnostic,
//! and the rest is read.
//!
//! # Layout
//! - `parse`: text to rule sets; `capture`: the JSON of the capture helper
//! - `parsed`, `section`: what reading a text gives
//! - `host_commands`: commands of a text that change the host
//! - `edit`: a change of a rule as a change of its text; `repair`: fixes for rules of which a part
//!   is lost

pub mod capture;
pub mod edit;
pub mod host_commands;
pub mod parse;
pub mod parsed;
pub(crate) mod repair;
pub mod section;
