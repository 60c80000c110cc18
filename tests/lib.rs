//! The shared code of the suites.

pub mod browser;
pub mod judge;
pub mod lessons;
pub mod namespace;
pub mod progress;
pub mod random;
pub mod site;
