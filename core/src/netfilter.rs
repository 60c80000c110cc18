//! The kernel's model of packet filtering, without the syntax of any rule language.
//!
//! # Layout
//! - `base`: base chains with type, hook, priority and policy
//! - `effect`: what a rule does to a packet that it matches

pub mod base;
pub mod effect;
