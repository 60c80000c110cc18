//! The rule language of iptables: its extensions, the names that it accepts, and its printed form.
//!
//! # Layout
//! - `extension`: the list of all matches and targets, one file each. It defines how an option is
//!   parsed, printed and checked. `extension/lower.rs` lowers a rule to the statements of
//!   [`crate::netfilter`].
//! - `table_name`: the five tables, with the type and priority of their built-in chains
//! - `print`: a rule set as `iptables-save` prints it; `kernel_names`: names of chains and
//!   interfaces

pub mod extension;
pub mod kernel_names;
pub mod print;
pub mod table_name;
