//! Reads iptables dumps, walks a packet through them as the Linux kernel would, and says why.
//!
//! # Layout
//! Pure: text and values in, values out; no I/O, no clock, no threads.

#![forbid(unsafe_code)]

pub mod analysis;
pub mod input;
pub mod iptables;
pub mod lesson;
pub mod map;
pub mod mesh;
pub mod netfilter;
pub mod packet;
pub mod share;
pub mod text;
pub mod walk;
