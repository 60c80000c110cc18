//! LAYER iptables

pub mod commands;
pub mod extension;
pub mod kernel_names;
pub mod print;
