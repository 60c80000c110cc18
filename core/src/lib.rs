//! Reads iptables dumps, walks a packet through them as the Linux kernel would, and says why.
//!
//! # Layout
//! Pure: text and values in, values out; no I/O, no clock, no threads.

#![forbid(unsafe_code)]

pub mod capture;
pub mod host;
pub mod number;
pub mod packet;
