//! Text that leaves the program. It is quoted and bounded, and redacted on request.
//!
//! # Layout
//! - `link`: a text in a link; `redact`: a copy without anything that identifies somebody
//! - `commands`: the commands that turn one rule set into another; `replay`: a script that replays
//!   a walk on a real kernel
//! - `ticket`: walks as Markdown

pub mod commands;
pub mod link;
pub mod redact;
pub mod replay;
pub mod ticket;
