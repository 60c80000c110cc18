//! The language of nft: the syntax of its rule sets, and printing.
//!
//! # Layout
//! - `token`, `cursor`: the tokens of a text with their positions, and a reader of tokens
//! - `data_type`, `literal`: the types of values, and values as nft reads and prints them
//! - `selector`: the fields that expressions read, one file for each protocol or subsystem
//! - `expression`: values, sets, maps and operations
//! - `statement`: the statements of a rule, one file each
//! - `rule`, `chain`, `set`, `object`, `table`: the blocks of a rule set
//! - `listing`: reads a whole listing

pub mod chain;
mod cursor;
pub mod data_type;
pub mod expression;
pub mod listing;
pub mod literal;
pub mod object;
mod priority;
pub mod rule;
pub mod selector;
pub mod set;
pub mod statement;
pub mod table;
mod token;
