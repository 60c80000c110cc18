//! Shared by the suites.

pub mod namespace;
