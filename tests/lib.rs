//! Shared by the suites.

pub mod lessons;
pub mod namespace;
pub mod random;
