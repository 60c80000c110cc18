//! The parts of the page, one file each.

pub(crate) mod app;
mod badge;
mod diagnostics;
mod dialog;
mod editor;
mod findings;
mod follow;
mod form;
mod header;
mod help;
mod lesson;
mod lessons;
mod list;
mod past;
mod rule;
mod rules;
mod share;
mod shelf;
mod stepper;
mod steps;
mod text;
mod told;
mod verdict;
mod walk;
mod way;
mod why;
mod window;
