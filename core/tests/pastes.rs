//! Pastes of all kinds: every `pastes/NAME.txt` is read as it is, and `pastes/NAME.read` holds what must come out: what each
//! part was taken for, the remarks with their edits, the lines that rules were read from, and the rules as printed.
//!
//! With `CHAINWALK_BLESS=1` the `.read` files are rewritten: read the difference before keeping it.

use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

use chainwalk_core::parse::{Parsed, parse};
use chainwalk_core::print;

fn rendered(parsed: &Parsed) -> String {
    let mut out = String::new();
    for section in &parsed.sections {
        let ruleset = section.ruleset.map_or("not walked".to_owned(), |place| format!("rule set {}", place + 1));
        writeln!(out, "line {}: read as {section}: {ruleset}", section.line).expect("a string");
    }
    writeln!(out, "{} other lines", parsed.other_lines).expect("a string");
    for diagnostic in &parsed.diagnostics {
        writeln!(out, "{diagnostic}").expect("a string");
        let source = &parsed.sources[diagnostic.source as usize];
        for fix in &diagnostic.fixes {
            let gone = fix.span.of(source);
            writeln!(out, "    fix: {}: {:?} becomes {:?}", fix.label, gone, fix.replacement).expect("a string");
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
                assert!(!rule.span.of(source).is_empty(), "line {line}");
            }
        }
    }
    out
}

fn files(extension: &str) -> Vec<PathBuf> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/pastes");
    let files = fs::read_dir(directory).expect("the pastes").map(|entry| entry.expect("an entry").path());
    let mut files: Vec<PathBuf> = files.filter(|path| path.extension().is_some_and(|own| own == extension)).collect();
    files.sort();
    files
}

#[test]
fn every_paste_is_read_as_written() {
    let mut wrong = String::new();
    for path in files("txt") {
        let have = rendered(&parse(fs::read_to_string(&path).expect("a text")));
        let expected = path.with_extension("read");
        if std::env::var_os("CHAINWALK_BLESS").is_some() {
            fs::write(&expected, &have).expect("writable");
        } else if fs::read_to_string(&expected).unwrap_or_default() != have {
            write!(wrong, "\n{}:\n{have}", path.display()).expect("a string");
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}
