//! Text that belongs to no rule language: numbers, names, quoted words, and diagnostics with their
//! positions.
//!
//! # Layout
//! - `diagnostic`: codes, severities, positions and fixes; `address`, `number`, `names`: values as
//!   people and tools write them
//! - `print_time`: when a dump was printed
//! - `shell`: words as a shell reads them; `visible`: hostile text made visible

pub mod address;
pub mod diagnostic;
pub mod names;
pub mod number;
pub mod print_time;
pub mod shell;
pub mod visible;
