//! Shared by the suites.

pub mod namespace;
pub mod random;
