//! From the blocks of a paste to one text that the reader of dumps takes: tables that lack their line get it, what
//! `iptables -S` printed is written as `iptables-save` would, scripts become plain calls.

use super::block::{Block, Lines, What};
use super::block_writer::{Normal, Writer};
use super::save;
use super::script::Script;
use super::source_map::Cleaned;
use crate::packet::Family;

impl<'a> Normal<'a> {
    /// Writes all blocks of a text, one after the other. Listings have a reader of their own.
    pub(super) fn of(source: &'a str, cleaned: &Cleaned, lines: &Lines, blocks: &[Block]) -> Self {
        let mut normal = Self { out: Cleaned::from_source(source), ..Self::default() };
        let mut script = Script::default();
        let mut before = 0;
        for block in blocks {
            let first = normal.lines + 1;
            let mut writer = Writer { cleaned, lines, normal: &mut normal };
            match block.what {
                What::Listing => {}
                What::Script => script.run(&mut writer, before, block.first, block.last),
                What::Restore => {
                    let family = near(lines, block).unwrap_or_else(|| {
                        let (start, _) = lines.range(block.first);
                        let (_, end) = lines.range(block.last);
                        save::family_by_evidence(&cleaned.text[start..end])
                    });
                    script.restore(&mut writer, family, None, block.first, block.last, true);
                }
                What::Dump | What::Rules => writer.dump(block),
            }
            before = block.last + 1;
            normal.made.push((first, normal.lines + 1));
        }
        normal
    }
}

/// The family of the `iptables-restore` that a log names before or behind its input.
fn near(lines: &Lines, block: &Block) -> Option<Family> {
    let named = |line: &str| {
        let call = line.contains("tables") && line.contains("-restore");
        call.then(|| if line.contains("ip6tables") { Family::Ipv6 } else { Family::Ipv4 })
    };
    let input = |at: usize| named(lines.get(at)).filter(|_| lines.get(at).contains("input"));
    let before = (block.first.saturating_sub(3)..block.first).rev().find_map(input);
    before.or_else(|| (block.last + 1..lines.len()).take(3).find_map(|at| named(lines.get(at))))
}
