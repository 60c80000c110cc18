//! LAYER share

pub mod commands;
pub mod link;
pub mod redact;
pub mod replay;
pub mod ticket;
