//! LAYER input

pub mod capture;
pub mod edit;
pub mod parse;
pub(crate) mod repair;
