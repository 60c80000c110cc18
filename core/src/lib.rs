//! Reads firewall rules, walks a packet through them as the Linux kernel would, and says why it
//! ends where it does.
//!
//! Pure: text and values in, values out; no I/O, no clock, no threads. Begin at
//! [`input::parse::parse`], which makes rule sets of a text, and at [`walk::walk`], which walks a
//! packet through them.
//!
//! # Layers
//! A module imports only from its own layer and from the layers before it in this list. `cargo
//! xtask test` reads the list and checks that.
//!
//! 1. `text`: numbers, names, quoted words and diagnostics. Knows nothing of packets.
//! 2. `packet`: a packet, the table of its fields, and the host that it meets.
//! 3. `netfilter`: the kernel's model without syntax: rule sets, base chains, statements, effects,
//!    routing.
//! 4. `iptables`: its five tables, the extensions, one file each, and how iptables prints a rule.
//! 5. `mesh`: which service mesh made the rules, and what each of its rules is for.
//! 6. `input`: any text to rule sets, changes of a text, and offered repairs.
//! 7. `walk`: what the kernel does with one packet, step by step.
//! 8. `analysis`: what follows from walks: sentences, findings, counterfactuals, senders, journeys,
//!    the public JSON.
//! 9. `share`: what leaves the program: links, redacted copies, commands, scripts, tickets.
//! 10. `lesson`: a text that shows, asks and sets tasks, all of it judged by walks.
//! 11. `map`: the ways of packets as a drawing.

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
