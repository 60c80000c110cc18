//! `-m bpf` (xt_bpf.c): a program that reads the packet.

use super::kind::ValueForm;
use super::kind::read::problem;
use super::{Extension, Given, Kind, Opt};
use crate::netfilter::ruleset::Value;
use crate::text::diagnostic::{Code, Problem};

/// The maximum number of instructions in a rule (`XT_BPF_MAX_NUM_INSTR`).
const MAX_INSTRUCTIONS: usize = 64;

/// `4,48 0 0 9,21 0 1 6,6 0 0 1,6 0 0 0`: a count, then four numbers for each instruction.
static PROGRAM: ValueForm = ValueForm {
    words: 1,
    read: |words, ruleset| {
        let text = words[0];
        let wrong = || problem("program", text, "4,48 0 0 9,21 0 1 6,6 0 0 1,6 0 0 0");
        let (count, rest) = text.split_once(',').ok_or_else(wrong)?;
        let count: usize = count.trim().parse().map_err(|_| wrong())?;
        let instructions: Option<Vec<String>> = rest
            .split(',')
            .filter(|one| !one.is_empty())
            .map(instruction)
            .collect();
        let instructions = instructions.ok_or_else(wrong)?;
        if count != instructions.len() || !(1..=MAX_INSTRUCTIONS).contains(&count) {
            return Err(Problem::new(
                Code::InvalidValue,
                format!(
                    "the program has {} instructions, not {count}",
                    instructions.len()
                ),
            )
            .hint(format!(
                "write 1 to {MAX_INSTRUCTIONS} instructions after their count"
            )));
        }
        Ok(Value::Text(
            ruleset.keep(&format!("{count},{}", instructions.join(","))),
        ))
    },
    write: |value, ruleset, out| {
        if let Value::Text(text) = value {
            out.push('"');
            out.push_str(ruleset.text(*text));
            out.push('"');
        }
    },
    // No examples: the blanks of a program would split it into several words.
    examples: &[],
};

fn instruction(text: &str) -> Option<String> {
    let words: Vec<&str> = text.split_whitespace().collect();
    let [code, yes, no, k] = words[..] else {
        return None;
    };
    let code: u16 = code.parse().ok()?;
    let (yes, no): (u8, u8) = (yes.parse().ok()?, no.parse().ok()?);
    let k: u32 = k.parse().ok()?;
    Some(format!("{code} {yes} {no} {k}"))
}

fn one_program(given: &Given) -> Result<(), Problem> {
    match given.options.has("--bytecode") || given.options.has("--object-pinned") {
        true => Ok(()),
        false => Err(Problem::new(
            Code::MissingOption,
            "-m bpf needs --bytecode or --object-pinned",
        )),
    }
}

/// `-m bpf`.
pub static BPF: Extension = Extension {
    unknowable: Some("it runs a program"),
    check: one_program,
    words: Some(|options| match options.has("--bytecode") {
        true => "its bytecode lets the packet through".into(),
        false => "a program in the kernel lets the packet through".into(),
    }),
    ..Extension::matching(
        "bpf",
        "a program that reads the packet",
        &[
            Opt::new("--bytecode", Kind::Own(&PROGRAM)).excludes(&["--object-pinned"]),
            Opt::new("--object-pinned", Kind::Word(511)),
        ],
    )
};
