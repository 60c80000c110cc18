//! Packs what the one-file page holds, a fifth tighter than any general packer, and unpacks it in the browser.
//!
//! # Layout
//! - `program`: what the next byte of a program is; `tree`: which questions are asked for it
//! - `model`: how likely each answer is; `repeat`: what followed the same bytes before
//! - `coder`: the answers as digits of one number
//! - `main.rs`: what the page calls

#![no_std]

extern crate alloc;

mod coder;
mod model;
mod program;
mod repeat;
mod tree;

use alloc::{vec, vec::Vec};

use coder::{Coder, Packer, Unpacker};
use model::{Model, learn};
use program::{Reader, TREES};
use tree::Tree;

/// As likely 1 as 0.
const EVEN: [[u16; 16]; 16] = [[0x8000; 16]; 16];

/// More is no page.
const MOST: usize = 1 << 26;

/// Packs pieces, each of them a WebAssembly program or text; anything else may be packed, too, if not as well.
pub fn pack(pieces: &[&[u8]]) -> Vec<u8> {
    let mut bytes = pieces.concat();
    let lengths: Vec<usize> = pieces.iter().map(|piece| piece.len()).collect();
    let mut head = vec![pieces.len() as u8];
    for length in &lengths {
        head.extend((*length as u32).to_le_bytes());
    }
    let mut coder = Packer::new(head);
    let counts = counts(pieces);
    let mut likely = EVEN;
    let trees = counts.iter().map(tree::lengths).map(|lengths| tree(&mut coder, &mut likely, lengths));
    if let Some(trees) = trees.collect::<Option<Vec<_>>>() {
        code(&mut coder, &trees, &lengths, &mut bytes);
    }
    let body = coder.finish();
    [&check(&body).to_le_bytes()[..], &body].concat()
}

/// The pieces, or nothing if what was packed is damaged.
pub fn unpack(packed: &[u8]) -> Option<Vec<Vec<u8>>> {
    let (sum, body) = packed.split_first_chunk()?;
    if check(body) != u32::from_le_bytes(*sum) {
        return None;
    }
    let (count, mut rest) = body.split_first()?;
    let mut lengths = Vec::new();
    for _ in 0..*count {
        let (length, behind) = rest.split_first_chunk()?;
        lengths.push(u32::from_le_bytes(*length) as usize);
        rest = behind;
    }
    let all = lengths.iter().try_fold(0_usize, |sum, length| sum.checked_add(*length)).filter(|all| *all <= MOST)?;
    let mut coder = Unpacker::new(rest);
    let mut likely = EVEN;
    let trees = (0..TREES).map(|_| tree(&mut coder, &mut likely, [0; 256])).collect::<Option<Vec<_>>>()?;
    let mut bytes = vec![0; all];
    code(&mut coder, &trees, &lengths, &mut bytes);
    let mut rest = &bytes[..];
    Some(lengths.iter().map(|length| rest.split_off(..*length).unwrap_or_default().to_vec()).collect())
}

/// Both ways: of who packs, `bytes` are read; of who unpacks, they are written.
fn code(coder: &mut impl Coder, trees: &[Tree], lengths: &[usize], bytes: &mut [u8]) {
    let mut model = Model::new();
    let mut at = 0;
    for length in lengths {
        let mut reader = Reader::new();
        for _ in 0..*length {
            let (before, rest) = bytes.split_at_mut(at);
            rest[0] = model.byte(coder, &reader, &trees[reader.tree()], before, rest[0]);
            reader.feed(rest[0]);
            at += 1;
        }
    }
}

/// How often each byte is found in each tree.
fn counts(pieces: &[&[u8]]) -> Vec<[u32; 256]> {
    let mut counts = vec![[0; 256]; TREES];
    for piece in pieces {
        let mut reader = Reader::new();
        for byte in *piece {
            counts[reader.tree()][usize::from(*byte)] += 1;
            reader.feed(*byte);
        }
    }
    counts
}

/// A tree, told by the lengths of its codes, each by four answers. `likely`: how likely each of these is 1, by the length before.
fn tree(coder: &mut impl Coder, likely: &mut [[u16; 16]; 16], mut lengths: [u8; 256]) -> Option<Tree> {
    let mut before = 0;
    for length in &mut lengths {
        let mut node = 1;
        for bit in (0..4).rev() {
            let likely = &mut likely[before][node];
            let is_one = coder.is_one(*likely, *length >> bit & 1 == 1);
            learn(likely, is_one, 4);
            node = node * 2 + usize::from(is_one);
        }
        *length = (node & 15) as u8;
        before = node & 15;
    }
    Tree::new(lengths)
}

/// What tells damage.
fn check(bytes: &[u8]) -> u32 {
    bytes.iter().fold(0, |sum, byte| program::hash(sum, u32::from(*byte) + 1))
}
