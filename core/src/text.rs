//! LAYER text

pub mod diagnostic;
pub mod names;
pub mod number;
pub mod shell;
pub mod visible;
pub(crate) mod words;
