//! Parses firewall rules, evaluates a packet against them as the Linux kernel does, and explains
//! the outcome.
//!
//! The crate is pure: it takes text and values, and it returns values. It does no I/O and uses no
//! clock and no thread. Two functions are the entry points: [`input::parse::parse`] turns a text
//! into rule sets, and [`walk::walk`] evaluates one packet.
//!
//! # Layers
//!
//! The crate has twelve layers, one module each. A module imports only from its own layer and from
//! the layers before it in this list. `cargo xtask test` reads the list and checks the imports.
//!
//! 1. `text` holds the parts that concern no rule language: numbers, names, quoted words and
//!    diagnostics. It does not know packets.
//! 2. `packet` describes a packet, the table of its fields, and the host that the packet meets. A
//!    new field is one row of the table and one member of [`packet::Packet`].
//! 3. `netfilter` is the kernel's model without the syntax of a rule language: rule sets, base
//!    chains, statements, effects, routing, and the state of a connection's first packet.
//! 4. `iptables` adds the five tables of iptables and its extensions, one file each. It lowers a
//!    rule to the statements of `netfilter`, and it prints a rule as `iptables-save` does.
//! 5. `nftables` is the language of nft: its syntax, one file for each statement and selector, and
//!    printing as `nft list ruleset` does.
//! 6. `mesh` recognizes the service mesh that made the rules, and gives the purpose of each rule.
//! 7. `input` turns any text into rule sets: dumps, listings, scripts, logs, captures. It also
//!    edits a text and offers repairs.
//! 8. `walk` evaluates one packet, step by step, in the kernel's order of hooks and tables. The
//!    result is a [`walk::trace::Trace`].
//! 9. `analysis` derives answers from walks: sentences, findings, counterfactuals, senders,
//!    journeys, and the public JSON.
//! 10. `share` makes everything that leaves the program: links, redacted copies, commands, scripts,
//!     tickets.
//! 11. `lesson` reads lessons: texts that show something, ask questions and set tasks. Walks check
//!     every claim of a lesson.
//! 12. `map` draws the paths of packets as shapes with coordinates. The page turns them into SVG.

#![forbid(unsafe_code)]

pub mod analysis;
pub mod input;
pub mod iptables;
pub mod lesson;
pub mod map;
pub mod mesh;
pub mod netfilter;
pub mod nftables;
pub mod packet;
pub mod share;
pub mod text;
pub mod walk;
