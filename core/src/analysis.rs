//! Answers that follow from walks and rules: everything that the page, the JSON and a ticket
//! report.
//!
//! # Layout
//! - About one walk: `explain` (sentences), `report` (the public JSON), `counterfactual` (the
//!   smallest change that changes the outcome), `compare` (the first step at which two walks
//!   differ), `journey` (all connections through the proxy)
//! - About senders: `senders` (classes of user and group ids), `bypass_explanation`,
//!   `intended_bypass`, `proxy_processes`
//! - About rules: `findings`, `counter_analysis`, `constants` (the values that conditions name),
//!   `search`
//! - Packets to walk: `scenario` (suggested packets), `example_packet` (a packet that matches a
//!   given rule)
//! - `large`: generated rule sets of a node's size, for samples and benchmarks

pub mod bypass_explanation;
pub mod compare;
pub mod constants;
pub mod counter_analysis;
pub mod counterfactual;
pub mod example_packet;
pub mod explain;
pub mod findings;
pub mod intended_bypass;
pub mod journey;
pub mod large;
pub mod proxy_processes;
pub mod report;
pub mod scenario;
pub mod search;
pub mod senders;
