//! The kernel's model of packet filtering, without the syntax of any rule language.
//!
//! # Layout
//! - `ruleset`: rule sets, tables, chains and rules; `place`: the place of one of them; `gap`:
//!   where rules are missing
//! - `table_family`: which packets a table sees; `rule_language`: what its rules are written in;
//!   `backend`: which of the kernel's filters a rule set is loaded into
//! - `condition`: a test of one packet field against a set of values, with three answers
//! - `base`: base chains with type, hook, priority and policy
//! - `statement`: the statements of a rule, and how conditions are evaluated; `effect`: what a rule
//!   does to a packet
//! - `routing`, `conntrack`: routing decisions and the state of a connection's first packet, as the
//!   kernel makes them

pub mod backend;
pub mod base;
pub mod condition;
pub mod conntrack;
pub mod effect;
pub mod gap;
pub mod place;
pub mod routing;
pub mod rule_language;
pub mod ruleset;
pub mod statement;
pub mod table_family;
