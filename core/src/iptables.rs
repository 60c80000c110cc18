//! LAYER iptables

pub mod extension;
pub mod kernel_names;
pub mod print;
