//! The format of `iptables -S`: `-P CHAIN POLICY`, `-N CHAIN`, `-A CHAIN …`. It does not name its
//! table.

use crate::input::section::Format;

use super::super::fragment::Fragment;
use super::super::reading::{FormatReader, Reading};
use super::{dump_extent, dump_lines};

pub(super) const READER: FormatReader = FormatReader {
    format: Format::Rules,
    find_end: dump_extent::rules_end,
    read,
};

fn read(reading: &mut Reading, fragment: &Fragment) -> String {
    dump_lines::read(reading, fragment);
    if dump_lines::has_counters(reading.lines, fragment) {
        " -v".into()
    } else {
        String::new()
    }
}
