//! Pastes of all kinds: every `pastes/NAME.txt` is read as it is, and `pastes/NAME.read` contains
//! the expected result: the format of each part, the diagnostics with their edits, the lines of the
//! rules, and the printed rules.
//!
//! `UPDATE_EXPECT=1` rewrites the `.read` files. Read the difference before you keep it.

use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

use chainwalk_core::input::parse::{Parsed, parse};
use chainwalk_core::iptables::print;
use expect_test::expect_file;

fn rendered(parsed: &Parsed) -> String {
    let mut out = String::new();
    for section in &parsed.sections {
        let ruleset = section.ruleset.map_or("not walked".to_owned(), |place| {
            format!("rule set {}", place + 1)
        });
        writeln!(out, "line {}: read as {section}: {ruleset}", section.line).expect("a string");
    }
    writeln!(out, "{} other lines", parsed.other_lines).expect("a string");
    for diagnostic in &parsed.diagnostics {
        writeln!(out, "{diagnostic}").expect("a string");
        let source = &parsed.sources[diagnostic.source as usize];
        for fix in &diagnostic.fixes {
            let gone = fix.span.slice(source);
            writeln!(
                out,
                "    fix: {}: {:?} becomes {:?}",
                fix.label, gone, fix.replacement
            )
            .expect("a string");
        }
    }
    for ruleset in &parsed.rulesets {
        writeln!(out, "\n{} {:?}", ruleset.family, ruleset.backend).expect("a string");
        out += &print::save(ruleset, false);
        for table in &ruleset.tables {
            for rule in table.chains.iter().flat_map(|chain| &chain.rules) {
                let source = &parsed.sources[ruleset.source as usize];
                let line = source[..rule.span.start as usize].matches('\n').count() + 1;
                assert_eq!(line, rule.line as usize, "a rule's place and its line");
                assert!(!rule.span.slice(source).is_empty(), "line {line}");
            }
        }
    }
    out
}

fn files(extension: &str) -> Vec<PathBuf> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/pastes");
    let files = fs::read_dir(directory)
        .expect("the pastes")
        .map(|entry| entry.expect("an entry").path());
    let mut files: Vec<PathBuf> = files
        .filter(|path| path.extension().is_some_and(|own| own == extension))
        .collect();
    files.sort();
    files
}

/// The text after the first edit whose label contains some words.
fn edited(text: &str, words: &str) -> String {
    let parsed = parse(text);
    let mut fixes = parsed
        .diagnostics
        .iter()
        .flat_map(|diagnostic| &diagnostic.fixes);
    fixes
        .find(|fix| fix.label.contains(words))
        .expect("an edit")
        .apply(text)
}

fn rules(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/pastes")
        .join(name);
    fs::read_to_string(path).expect("a text")
}

#[test]
fn a_table_of_which_lines_and_addresses_are_gone_is_whole_again_with_one_edit() {
    let text = edited(&rules("page.txt"), "whole table");
    let parsed = parse(text.clone());
    assert!(!parsed.has_errors(), "{:?}", parsed.diagnostics);
    assert_eq!(parsed.rulesets.len(), 1);
    assert_eq!(print::save(&parsed.rulesets[0], false), rules("page.rules"));
    assert!(
        text.starts_with("How we looked") && text.ends_with("That is all.\n"),
        "the rest of the text stays"
    );
    // The dump by itself has the same number of rules, but each of them is complete.
    let alone = text.split("The listing").next().expect("the first half");
    assert_eq!(
        print::save(&parse(alone).rulesets[0], false),
        rules("page.rules")
    );
}

#[test]
fn a_rule_without_its_address_is_whole_again_with_one_edit() {
    let text = edited(&rules("scrubbed.txt"), "-s 127.0.0.6/32");
    assert!(
        text.contains("\n-A ISTIO_OUTPUT -s 127.0.0.6/32 -o lo -j RETURN\n"),
        "{text}"
    );
    assert_eq!(
        parse(text).diagnostics.len() + 1,
        parse(rules("scrubbed.txt")).diagnostics.len()
    );
}

#[test]
fn an_edit_that_names_the_table_or_a_chain_settles_its_remark() {
    let text = "-A OUTPUT -p tcp -j x\n-A x -j RETURN\nCOMMIT\n";
    let named = edited(text, "as table filter");
    let declared = edited(&edited(&named, "chain OUTPUT"), "chain x");
    assert_eq!(parse(declared.clone()).diagnostics, [], "{declared}");
    let open = "*nat\n:OUTPUT ACCEPT [0:0]\n-A OUTPUT -j RETURN\n\nand so on";
    let closed = edited(open, "Add COMMIT");
    assert_eq!(parse(closed.clone()).diagnostics, [], "{closed}");
}

#[test]
fn every_paste_is_read_as_written() {
    for path in files("txt") {
        let have = rendered(&parse(fs::read_to_string(&path).expect("a text")));
        expect_file![path.with_extension("read")].assert_eq(&have);
    }
}
