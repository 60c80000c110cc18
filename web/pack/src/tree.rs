//! Which questions are asked for a byte: a tree in which those that occur often stand near the root, so that two questions fewer
//! than the flat eight are asked on average.

use alloc::{vec, vec::Vec};

/// Slots in a cache line, and so questions that are asked in one before another is looked up.
pub(crate) const LINE: usize = 8;

/// Codes are no longer than this.
pub(crate) const LONGEST: u8 = 15;

/// A question; both answers lead to another one or to a byte.
#[derive(Clone, Copy)]
pub(crate) struct Node {
    /// What follows: a node, or `BYTE` and a byte. Where nothing is to follow it is 0.
    pub(crate) next: [u16; 2],
    /// Which slot of its line it has.
    pub(crate) slot: u8,
    /// A line of slots begins here.
    pub(crate) line: bool,
}

/// In [`Node::next`]: this is a byte and no node.
pub(crate) const BYTE: u16 = 0x8000;

impl Node {
    const NEW: Self = Self { next: [BYTE; 2], slot: 0, line: false };
}

/// A tree of the bytes of one kind.
pub(crate) struct Tree {
    pub(crate) nodes: Vec<Node>,
    /// The answers that lead to each byte, the last in the lowest bit, and how many there are.
    codes: [u16; 256],
    lengths: [u8; 256],
}

impl Tree {
    /// The tree in which bytes are as many questions away as `lengths` says, 0 for those that do not occur. Nothing where there
    /// is no such tree.
    pub(crate) fn new(lengths: [u8; 256]) -> Option<Self> {
        let mut tree = Self { nodes: vec![Node::NEW], codes: [0; 256], lengths };
        let mut code = 0_u32;
        for length in 1..=LONGEST {
            code <<= 1;
            for (byte, its) in lengths.iter().enumerate() {
                if *its == length {
                    if code >> length != 0 {
                        return None;
                    }
                    tree.codes[byte] = code as u16;
                    tree.put(byte as u16, code, length);
                    code += 1;
                }
            }
        }
        tree.draw_lines();
        Some(tree)
    }

    /// The answers that lead to a byte, the first in bit 15, and how many there are.
    pub(crate) fn code(&self, byte: u8) -> (u32, u32) {
        let length = u32::from(self.lengths[usize::from(byte)]);
        (u32::from(self.codes[usize::from(byte)]) << (16 - length), length)
    }

    fn put(&mut self, byte: u16, code: u32, length: u8) {
        let mut at = 0;
        for bit in (1..length).rev() {
            let answer = (code >> bit & 1) as usize;
            if self.nodes[at].next[answer] >= BYTE {
                self.nodes[at].next[answer] = self.nodes.len() as u16;
                self.nodes.push(Node::NEW);
            }
            at = usize::from(self.nodes[at].next[answer]);
        }
        self.nodes[at].next[(code & 1) as usize] = BYTE | byte;
    }

    /// Gives each node a slot: a line holds one node and those next below it, as many as there is room for.
    fn draw_lines(&mut self) {
        let mut heads = vec![0];
        while let Some(head) = heads.pop() {
            self.nodes[head].line = true;
            let mut line = vec![head];
            let mut slot = 0;
            while slot < line.len() {
                if slot == LINE - 1 {
                    heads.extend(&line[slot..]);
                    break;
                }
                let node = &mut self.nodes[line[slot]];
                node.slot = slot as u8;
                line.extend(node.next.iter().filter(|next| **next < BYTE).map(|next| usize::from(*next)));
                slot += 1;
            }
        }
    }
}

/// How long the code of each byte is to be, by how often it occurs (Huffman).
pub(crate) fn lengths(counts: &[u32; 256]) -> [u8; 256] {
    let mut counts = *counts;
    loop {
        let lengths = huffman(&counts);
        if lengths.iter().all(|length| *length <= LONGEST) {
            return lengths;
        }
        // Too deep: as if they occurred more alike.
        counts = counts.map(|count| count.div_ceil(2));
    }
}

fn huffman(counts: &[u32; 256]) -> [u8; 256] {
    let mut lengths = [0; 256];
    let mut groups: Vec<(u32, Vec<usize>)> =
        (0..256).filter(|byte| counts[*byte] > 0).map(|byte| (counts[byte], vec![byte])).collect();
    if let [(_, only)] = &groups[..] {
        lengths[only[0]] = 1;
    }
    while groups.len() > 1 {
        groups.sort_by_key(|(count, _)| core::cmp::Reverse(*count));
        let rarest = groups.split_off(groups.len() - 2);
        let bytes: Vec<usize> = rarest.iter().flat_map(|(_, bytes)| bytes.iter().copied()).collect();
        for byte in &bytes {
            lengths[*byte] += 1;
        }
        groups.push((rarest[0].0 + rarest[1].0, bytes));
    }
    lengths
}
