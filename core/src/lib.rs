//! Reads iptables dumps, walks a packet through them as the Linux kernel would, and says why.
//!
//! # Layout
//! Pure: text and values in, values out; no I/O, no clock, no threads.

#![forbid(unsafe_code)]

pub mod bypass_explanation;
pub mod capture;
pub mod commands;
pub mod compare;
pub mod condition;
pub mod constants;
pub mod counter_analysis;
pub mod diagnostic;
pub mod edit;
pub mod explain;
pub mod extension;
pub mod flip;
pub mod host;
pub mod identity;
pub mod intended_bypass;
pub mod journey;
pub mod kernel_names;
pub mod large;
pub mod lesson;
pub mod link;
pub mod lint;
pub mod map;
pub mod mesh;
pub mod names;
pub mod netfilter;
pub mod number;
pub mod owners;
pub mod packet;
pub mod parse;
pub mod print;
mod rebuild;
pub mod redact;
pub mod replay;
pub mod report;
pub mod ruleset;
pub mod scenario;
pub mod search;
pub mod shell;
pub mod ticket;
pub mod view;
pub mod visible;
pub mod walk;
pub mod witness;
mod words;
