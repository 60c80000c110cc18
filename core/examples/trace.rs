//! Walks packets: `trace RULES [--host HOST.json] [--ruleset N]` reads packets from standard input,
//! one JSON object per line.
//!
//! If there is no `--host` and RULES is not a capture, the packets are walked in a usual node for
//! the rules of a node, otherwise in a usual pod. `assumes` states which. Traces go to standard
//! output, one per line, in the same order. An invalid packet gives `{"error": "…"}` on its line.
//! The exit code is 1 if RULES cannot be read, and 2 on wrong usage.

use std::io::{self, BufRead, BufWriter, Write};
use std::process::ExitCode;

use chainwalk_core::analysis::report;
use chainwalk_core::input::parse::{self, Parsed};
use chainwalk_core::mesh;
use chainwalk_core::packet::Packet;
use chainwalk_core::packet::host::Host;
use chainwalk_core::walk;

const USAGE: &str = "usage: trace RULES [--host HOST.json] [--ruleset N] < PACKETS.jsonl";

struct TraceArguments {
    rules: String,
    host: Option<String>,
    ruleset: Option<u32>,
}

fn arguments() -> Option<TraceArguments> {
    let (mut rules, mut host, mut ruleset) = (None, None, None);
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        match &*word {
            "--host" => host = Some(words.next()?),
            "--ruleset" => ruleset = Some(words.next()?.parse().ok()?),
            _ if word.starts_with("--") || rules.is_some() => return None,
            _ => rules = Some(word),
        }
    }
    Some(TraceArguments {
        rules: rules?,
        host,
        ruleset,
    })
}

fn read_file(path: &str) -> Result<String, String> {
    let bytes = std::fs::read(path).map_err(|error| format!("{path}: {error}"))?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

fn run(arguments: &TraceArguments) -> Result<(), String> {
    let parsed = parse::parse(read_file(&arguments.rules)?);
    for diagnostic in &parsed.diagnostics {
        eprintln!("{diagnostic}");
    }
    if let Some(wrong) = arguments
        .ruleset
        .filter(|number| *number as usize >= parsed.rulesets.len())
    {
        return Err(format!(
            "--ruleset {wrong}: the text holds {} rule sets, counted from 0",
            parsed.rulesets.len()
        ));
    }
    let mesh = parsed.rulesets.iter().find_map(mesh::recognise);
    let (host, is_assumed) = match (&arguments.host, &parsed.host) {
        (Some(path), _) => (
            Host::from_json(&read_file(path)?).map_err(|error| format!("{path}: {error}"))?,
            false,
        ),
        (None, Some(host)) => (host.clone(), false),
        (None, None) => (parsed.usual_host(mesh.as_ref()), true),
    };
    let namespace = is_assumed.then(|| mesh::usual_namespace(&parsed.rulesets, mesh.as_ref()));
    let mut out = BufWriter::new(io::stdout().lock());
    for line in io::stdin().lock().lines() {
        let line = line.map_err(|error| format!("standard input: {error}"))?;
        if line.trim().is_empty() {
            continue;
        }
        if writeln!(
            out,
            "{}",
            answer(&parsed, arguments.ruleset, (&host, namespace), &line)
        )
        .is_err()
        {
            // A reader that closes the pipe is not an error.
            return Ok(());
        }
    }
    let _ = out.flush();
    Ok(())
}

/// The trace of a packet. `namespace` is the kind of the assumed host, if the input does not show
/// the host.
fn answer(
    parsed: &Parsed,
    ruleset: Option<u32>,
    (host, namespace): (&Host, Option<&str>),
    line: &str,
) -> String {
    match Packet::from_json(line) {
        Ok(packet) => {
            let mut trace = walk::walk(&parsed.rulesets, ruleset, host, &packet);
            let assumed = namespace.map(|namespace| {
                format!("the input does not show the namespace: evaluated as {namespace}")
            });
            trace.assumes.extend(assumed);
            report::json(&parsed.rulesets, &trace)
        }
        Err(error) => serde_json::json!({ "error": error.to_string() }).to_string(),
    }
}

fn main() -> ExitCode {
    let Some(arguments) = arguments() else {
        eprintln!("{USAGE}");
        return ExitCode::from(2);
    };
    match run(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}
