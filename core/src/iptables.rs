//! The language of iptables: its extensions, the names that it accepts, and its way to print a
//! rule.
//!
//! # Layout
//! - `extension`: the list of all matches and targets, one file each. It says how to read, print
//!   and check an option, and `extension/lower.rs` makes the statements of [`crate::netfilter`] of
//!   a rule.
//! - `table_name`: the five tables, with the type and priority of their built-in chains
//! - `print`: a rule set as `iptables-save` prints it; `kernel_names`: names of chains and
//!   interfaces

pub mod extension;
pub mod kernel_names;
pub mod print;
pub mod table_name;
