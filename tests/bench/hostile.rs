//! Texts of 10 MB that are made to be slow. Each must be read in less than a second and with less
//! memory than four times its size.

use std::fmt::Write;

use crate::reading::{Scratch, Took, run};
use crate::table::{Aim, Figures, Table};

const SIZE: usize = 10_000_000;

/// Repeats the text.
fn filled(part: &str) -> Vec<u8> {
    part.as_bytes().iter().copied().cycle().take(SIZE).collect()
}

/// Declarations of different chains.
fn chains() -> Vec<u8> {
    let mut text = String::from("*nat\n");
    for chain in 0.. {
        if text.len() >= SIZE {
            break;
        }
        writeln!(text, ":{chain} -").expect("a String takes all that is written");
    }
    text.into_bytes()
}

/// Commands that each visit all of many chains.
fn commands_for_all_chains() -> Vec<u8> {
    let mut text = String::from("#!/bin/sh\n");
    for chain in 0..100_000 {
        writeln!(text, "iptables -N C{chain}").expect("a String takes all that is written");
    }
    while text.len() < SIZE {
        text.push_str("iptables -F\niptables -N X\niptables -X X\n");
    }
    text.into_bytes()
}

/// Random bytes.
fn binary() -> Vec<u8> {
    let mut state = 1_u64;
    (0..SIZE)
        .map(|_| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            state.to_be_bytes()[0]
        })
        .collect()
}

pub(crate) fn rows(table: &mut Table) {
    let head = "*nat\n:OUTPUT ACCEPT [0:0]\n";
    let texts = [
        ("one line", filled("a")),
        (
            "one rule",
            [head.as_bytes(), &filled("-A OUTPUT -p tcp ")].concat(),
        ),
        ("quotes", filled("\"")),
        (
            "a remark each line",
            [head.as_bytes(), &filled("-A OUTPUT --no-such 1\n")].concat(),
        ),
        ("chains", chains()),
        ("commands for all chains", commands_for_all_chains()),
        ("lines of one letter", filled("a\n")),
        ("binary", binary()),
    ];
    for (what, text) in texts {
        let file = Scratch::new("hostile", &text);
        let took: Vec<Took> = (0..3).map(|_| run("read", &file.path)).collect();
        let size = Figures::new("MB", vec![text.len() as f64 / 1e6]);
        let ours = Figures::ms(took.iter().map(|took| took.all));
        table.row(
            &format!("read 10 MB of {what}"),
            &ours,
            None,
            Aim::Below(1_000.0),
        );
        let peak = Figures::new("MB", took.iter().map(|took| took.peak / 1e6).collect());
        table.row(
            &format!("read 10 MB of {what}: peak memory"),
            &peak,
            Some(("the text", &size)),
            Aim::Times(4.0),
        );
    }
}
