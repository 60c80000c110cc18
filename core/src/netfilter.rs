//! The kernel's model of packet filtering, without the syntax of any rule language.
//!
//! # Layout
//! - `effect`: what a rule does to a packet that it matches

pub mod effect;
