//! The kernel's model of packet filtering, without the syntax of any rule language.
//!
//! # Layout
//! - `ruleset`: rule sets, tables, chains and rules; `place`: the position of a chain or a rule;
//!   `gap`: points at which rules are missing
//! - `table_family`: the packets that a table sees; `rule_language`: the language of its rules;
//!   `backend`: the kernel's packet filter that holds a rule set
//! - `condition`: a test of one packet field against a set of values, with three answers
//! - `base`: base chains with type, hook, priority and policy
//! - `statement`: the statements of a rule, and the evaluation of conditions; `effect`: the changes
//!   and verdicts of rules
//! - `routing`, `conntrack`: routing decisions, and the state of a connection's first packet, as
//!   the kernel determines them

pub mod backend;
pub mod base;
pub mod condition;
pub mod conntrack;
pub mod effect;
pub mod gap;
pub mod place;
pub mod program_chains;
pub mod routing;
pub mod rule_language;
pub mod ruleset;
pub mod statement;
pub mod table_family;
