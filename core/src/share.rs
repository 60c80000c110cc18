//! What leaves the program, as text that is safe to hand on: quoted, redacted where that is wanted,
//! and bounded.
//!
//! # Layout
//! - `link`: a text inside a link; `redact`: a copy without what identifies somebody
//! - `commands`: what makes one rule set into another; `replay`: a script that replays a walk on a
//!   real kernel
//! - `ticket`: walks as Markdown

pub mod commands;
pub mod link;
pub mod redact;
pub mod replay;
pub mod ticket;
