//! `cargo xtask`: all commands for developers.
//!
//! # Layout
//! - `serve`, `dist`, `test`, `judge`, `bench`, `pictures`: the commands
//! - `page`: compiles Rust to WebAssembly with its JavaScript; `shell`: the HTML around them, its
//!   policy, the one-file page
//! - `lessons`: checks and joins the lessons; `watch`: waits for changes of the sources, for
//!   `serve`
//! - `cargo`, `target`, `packages`: run cargo and install requirements
//! - `dependency_rules`: forbidden dependencies between packages and crates
//! - `layers`: allowed imports between the layers of core; `cycles`: import cycles of its files
//! - `imports`: the imports between the files of core
//! - `progress`: progress messages

mod bench;
mod cargo;
mod cycles;
mod dependency_rules;
mod dist;
mod imports;
mod judge;
mod layers;
mod lessons;
mod packages;
mod page;
mod pictures;
mod progress;
mod serve;
mod shell;
mod target;
mod test;
mod watch;

use std::process::ExitCode;

use lexopt::prelude::*;

const USAGE: &str = "\
usage: cargo xtask COMMAND

  serve [--port N] [--no-open]  build the page, serve it on this machine, rebuild and reload on every change
  build [--capture]             write dist/ for any static host, and dist/chainwalk.html, the page in one file;
                                with --capture also dist/chainwalk-capture, the static helper for x86-64 Linux, the one
                                for 64-bit ARM, the man page and the completions
  test [--fast]                 run every check; with --fast only the format, the lints, and the tests that need
                                neither root nor a browser
  bench [PART]...               compare Chainwalk with its peers in one table; parts: kernel, reading, hostile, page,
                                start, capture, and `parts` for the parts of core (docs/performance.md)
  judge [PART]...               run the suites of random input with ten times as many cases and a new seed; parts:
                                kernel, commands, listings, properties
  pictures                      take the pictures of the README again
  help                          print this text";

/// The command of the command line.
#[derive(Debug, PartialEq)]
enum XtaskCommand {
    Serve { port: Option<u16>, open: bool },
    Build { capture: bool },
    Test { fast: bool },
    Bench { parts: Vec<String> },
    Judge { parts: Vec<String> },
    Pictures,
    Help,
}

fn main() -> ExitCode {
    let command = match parse_arguments(lexopt::Parser::from_env()) {
        Ok(command) => command,
        Err(error) => {
            progress::problem(format_args!("{error}\n\n{USAGE}"));
            return ExitCode::from(2);
        }
    };
    let done = match command {
        XtaskCommand::Serve { port, open } => serve::serve(port, open),
        XtaskCommand::Build { capture } => dist::build(capture),
        XtaskCommand::Test { fast } => test::test(fast),
        XtaskCommand::Bench { parts } => bench::bench(&parts),
        XtaskCommand::Judge { parts } => judge::judge(&parts),
        XtaskCommand::Pictures => pictures::take(),
        XtaskCommand::Help => {
            progress::print_progress(USAGE);
            Ok(())
        }
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            progress::problem(format_args!("{error:#}"));
            ExitCode::FAILURE
        }
    }
}

fn parse_arguments(mut arguments: lexopt::Parser) -> Result<XtaskCommand, lexopt::Error> {
    let mut command = match arguments.next()? {
        None => return Err("which command?".into()),
        Some(Long("help") | Short('h')) => return Ok(XtaskCommand::Help),
        Some(Value(word)) => match word.to_str() {
            Some("serve") => XtaskCommand::Serve {
                port: None,
                open: true,
            },
            Some("build") => XtaskCommand::Build { capture: false },
            Some("test") => XtaskCommand::Test { fast: false },
            Some("pictures") => XtaskCommand::Pictures,
            Some("bench") => XtaskCommand::Bench { parts: Vec::new() },
            Some("judge") => XtaskCommand::Judge { parts: Vec::new() },
            Some("help") => XtaskCommand::Help,
            _ => return Err(format!("there is no command {word:?}").into()),
        },
        Some(other) => return Err(other.unexpected()),
    };
    while let Some(argument) = arguments.next()? {
        match (&mut command, argument) {
            (_, Long("help") | Short('h')) => return Ok(XtaskCommand::Help),
            (XtaskCommand::Serve { port, .. }, Long("port")) => {
                *port = Some(arguments.value()?.parse()?)
            }
            (XtaskCommand::Serve { open, .. }, Long("no-open")) => *open = false,
            (XtaskCommand::Build { capture }, Long("capture")) => *capture = true,
            (XtaskCommand::Test { fast }, Long("fast")) => *fast = true,
            (XtaskCommand::Bench { parts } | XtaskCommand::Judge { parts }, Value(part)) => {
                parts.push(part.string()?)
            }
            (_, other) => return Err(other.unexpected()),
        }
    }
    Ok(command)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(line: &str, expected: Result<XtaskCommand, &str>) {
        let read = parse_arguments(lexopt::Parser::from_args(line.split_whitespace()));
        assert_eq!(
            read.map_err(|error| error.to_string()),
            expected.map_err(str::to_owned),
            "{line}"
        );
    }

    #[test]
    fn the_command_line() {
        check(
            "serve",
            Ok(XtaskCommand::Serve {
                port: None,
                open: true,
            }),
        );
        check(
            "serve --port 8123 --no-open",
            Ok(XtaskCommand::Serve {
                port: Some(8123),
                open: false,
            }),
        );
        check("build --capture", Ok(XtaskCommand::Build { capture: true }));
        check("test --fast", Ok(XtaskCommand::Test { fast: true }));
        check("pictures", Ok(XtaskCommand::Pictures));
        check("test --help", Ok(XtaskCommand::Help));
        check("bench", Ok(XtaskCommand::Bench { parts: Vec::new() }));
        check(
            "bench kernel",
            Ok(XtaskCommand::Bench {
                parts: vec!["kernel".into()],
            }),
        );
        check(
            "judge kernel commands",
            Ok(XtaskCommand::Judge {
                parts: vec!["kernel".into(), "commands".into()],
            }),
        );
        check("", Err("which command?"));
        check("deploy", Err("there is no command \"deploy\""));
        check("build --fast", Err("invalid option '--fast'"));
        check(
            "serve --port 65536",
            Err("cannot parse argument \"65536\": number too large to fit in target type"),
        );
    }
}
