//! The targets: what a rule does with a packet that it matches.

pub mod connmark;
pub mod ct;
pub mod dnat;
pub mod log;
pub mod mark;
pub mod masquerade;
pub mod netmap;
pub mod nflog;
pub mod redirect;
pub mod reject;
pub mod snat;
pub mod tproxy;
pub mod verdict;
