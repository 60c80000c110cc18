//! The parts of the page, one file each.

pub(crate) mod app;
mod badge;
mod diagnostics;
mod dialog;
mod findings;
mod follow;
mod form;
mod header;
mod help;
mod lesson;
mod lessons;
mod past;
mod rule;
mod rules;
mod share;
mod stepper;
mod steps;
mod text;
mod told;
mod verdict;
mod walk;
mod way;
mod why;
mod window;
