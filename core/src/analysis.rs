//! LAYER analysis

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
