//! The readers of all formats, one file each, listed in [`READERS`]. docs/add-a-format.md shows how
//! to add one.

use super::fragment::Fragment;
use super::reading::{FormatReader, Reading};

mod dump_extent;
mod dump_lines;
pub(super) mod listing;
mod restore;
mod rules;
pub(super) mod save;
pub(super) mod script;

pub(super) use dump_lines::parse_header;

/// All formats. The first format that accepts a line reads it.
#[rustfmt::skip] // One per line, so that a new format adds a line.
pub(super) static READERS: &[FormatReader] = &[
    listing::READER,
    restore::READER,
    save::READER,
    rules::READER,
    script::READER,
];

/// Reads a fragment. Returns the options of the command that prints this form, such as ` -v -n`.
pub(super) fn read(reading: &mut Reading, fragment: &Fragment) -> String {
    let options = READERS
        .iter()
        .find(|reader: &&FormatReader| reader.format == fragment.format)
        .map(|reader| (reader.read)(reading, fragment));
    reading.next_line = fragment.last + 1;
    options.unwrap_or_default()
}
