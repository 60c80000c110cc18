//! Shared by the suites.

pub mod judge;
pub mod lessons;
pub mod namespace;
pub mod random;
