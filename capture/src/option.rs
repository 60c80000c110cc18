//! The table of options. The command line is parsed with it, and the help, the man page and the
//! completions are made from it.

use std::fmt::Write as _;

use lexopt::prelude::*;

use crate::failure::Failure;

/// An option.
#[derive(Debug)]
pub(crate) struct OptionRow {
    /// The long name, without dashes.
    pub(crate) name: &'static str,
    /// The short name.
    short: Option<char>,
    /// The name of its value in the help; `None` if it takes none.
    value: Option<&'static str>,
    /// Its group in the help.
    group: OptionGroup,
    /// Its effect, on one line.
    help: &'static str,
}

/// The groups of options, in the order of the help.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum OptionGroup {
    Which,
    How,
    Output,
    About,
}

const GROUPS: [(OptionGroup, &str); 4] = [
    (OptionGroup::Which, "Which namespace (one of these)"),
    (OptionGroup::How, "How it is asked"),
    (OptionGroup::Output, "Output"),
    (OptionGroup::About, "About this program"),
];

const fn option(
    name: &'static str,
    value: Option<&'static str>,
    group: OptionGroup,
    help: &'static str,
) -> OptionRow {
    OptionRow {
        name,
        short: None,
        value,
        group,
        help,
    }
}

/// All options.
pub(crate) const OPTIONS: [OptionRow; 19] = [
    option(
        "pid",
        Some("PID"),
        OptionGroup::Which,
        "the id of a process in it, on this machine",
    ),
    option(
        "pod-ip",
        Some("ADDR"),
        OptionGroup::Which,
        "the namespace with this address",
    ),
    option(
        "pod-uid",
        Some("UID"),
        OptionGroup::Which,
        "the pod's metadata.uid",
    ),
    option(
        "container",
        Some("ID"),
        OptionGroup::Which,
        "a container's id, or its beginning",
    ),
    option(
        "netns",
        Some("PATH"),
        OptionGroup::Which,
        "the file of the namespace, as in /run/netns",
    ),
    option(
        "name",
        Some("TEXT"),
        OptionGroup::Which,
        "a command in it, or its host name (the pod's name), or a part",
    ),
    option(
        "all",
        None,
        OptionGroup::Which,
        "every namespace of this machine once, as JSON Lines",
    ),
    option(
        "list",
        None,
        OptionGroup::Which,
        "print a table of all namespaces instead",
    ),
    option(
        "tools-root",
        Some("DIR"),
        OptionGroup::How,
        "run the tools of the system in this directory",
    ),
    option(
        "timeout",
        Some("SECONDS"),
        OptionGroup::How,
        "the time limit for the tools and for everything else (30)",
    ),
    option(
        "root",
        Some("DIR"),
        OptionGroup::How,
        "read /proc, /sys and /run of the machine in this directory",
    ),
    option(
        "redact",
        None,
        OptionGroup::Output,
        "replace addresses, names and comments",
    ),
    option(
        "text",
        None,
        OptionGroup::Output,
        "print only the save text, with invisible characters as <U+XXXX>",
    ),
    option(
        "link",
        Some("URL"),
        OptionGroup::Output,
        "print a link that opens the playground at URL with the capture",
    ),
    option(
        "schema",
        None,
        OptionGroup::About,
        "print the JSON Schema of the output",
    ),
    option("man", None, OptionGroup::About, "print the man page"),
    option(
        "completions",
        Some("SHELL"),
        OptionGroup::About,
        "print completions for bash, fish or zsh",
    ),
    OptionRow {
        short: Some('h'),
        ..option("help", None, OptionGroup::About, "print this")
    },
    OptionRow {
        short: Some('V'),
        ..option(
            "version",
            None,
            OptionGroup::About,
            "print name and version",
        )
    },
];

/// A given option with its value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct GivenOption {
    pub(crate) name: &'static str,
    pub(crate) value: String,
}

/// Parses a command line. Each option may occur once.
pub(crate) fn parse_arguments(mut arguments: lexopt::Parser) -> Result<Vec<GivenOption>, Failure> {
    let mut given: Vec<GivenOption> = Vec::new();
    while let Some(argument) = arguments.next()? {
        let known = OPTIONS.iter().find(|known| match &argument {
            Long(name) => known.name == *name,
            Short(letter) => known.short == Some(*letter),
            Value(_) => false,
        });
        let Some(OptionRow { name, value, .. }) = known else {
            return Err(argument.unexpected().into());
        };
        let value = if value.is_some() {
            arguments.value()?.string()?
        } else {
            String::new()
        };
        if given.iter().any(|earlier| earlier.name == *name) {
            return Err(Failure::Usage(format!("--{name} is given twice")));
        }
        given.push(GivenOption { name, value });
    }
    Ok(given)
}

const ABOUT: &str = "\
Prints the packet-filter rules of a network namespace as JSON: the rules of every
iptables backend and of nft, with addresses, routes, processes and the settings that
decide where a packet goes. Changes nothing. Open the output in Chainwalk.
";

const EXIT_CODES: [(&str, &str); 4] = [
    ("0", "the capture is complete"),
    (
        "3",
        "a part is missing: warnings on standard error and in the JSON name it",
    ),
    ("1", "there is no capture"),
    ("2", "wrong usage"),
];

const EXAMPLES: [(&str, &str); 4] = [
    ("sudo chainwalk-capture --list", "list all namespaces"),
    (
        "sudo chainwalk-capture --pod-uid 1f2d3c4b-5a69-4788-97a6-b5c4d3e2f100 > capture.json",
        "capture a pod",
    ),
    (
        "sudo chainwalk-capture --pod-ip 10.244.1.5 --text | less",
        "show its rules as text",
    ),
    (
        "sudo chainwalk-capture --all --redact > node.jsonl",
        "capture a whole node, with neutral names and addresses",
    ),
];

/// The effects and limits of the program, for people who must approve its use.
const CHANGES: &str = "\
chainwalk-capture enters the network namespace (and, for the host name, the UTS namespace)
on a separate thread. It never enters a container's file system. It runs the save commands
and nft from fixed system directories with a clean environment and with limits on time,
memory and output. It executes nothing that a container could have written: with
--tools-root, root must own each program, its interpreter and all directories of the path,
nobody else may be able to write there, and process 1 must have the same mount. Tools end
with the helper. It creates no table, opens no sock_diag socket, and reads nf_tables only if
that loads no module. It outputs the names and ids of processes, but never their arguments
or environment.
";

/// The output of `--help`.
pub(crate) fn help() -> String {
    let mut text = format!("{ABOUT}\nUsage: sudo chainwalk-capture --pid PID > capture.json\n");
    for (group, title) in GROUPS {
        write!(text, "\n{title}:\n").expect("a String takes any text");
        for known in OPTIONS.iter().filter(|known| known.group == group) {
            writeln!(text, "  {:22} {}", known.usage(), known.help)
                .expect("a String takes any text");
        }
    }
    text.push_str("\nExamples:\n");
    for (line, what) in EXAMPLES {
        writeln!(text, "  {line}\n      {what}").expect("a String takes any text");
    }
    text.push_str("\nExit code:\n");
    for (code, meaning) in EXIT_CODES {
        writeln!(text, "  {code}  {meaning}").expect("a String takes any text");
    }
    text
}

/// The man page, in the language of man(7).
pub(crate) fn man() -> String {
    let escape = |text: &str| text.replace('\\', "\\e").replace('-', "\\-");
    let mut page = format!(
        ".TH CHAINWALK\\-CAPTURE 8 \"\" \"{}\"\n.SH NAME\nchainwalk\\-capture \\- print a network namespace's packet\\-filter \
         rules as JSON\n.SH SYNOPSIS\n.B chainwalk\\-capture\n[\\fIOPTION\\fR]...\n.SH DESCRIPTION\n{}",
        crate::capture::TOOL,
        escape(ABOUT)
    );
    page.push_str(".SH OPTIONS\n");
    for (group, title) in GROUPS {
        writeln!(page, ".SS {title}").expect("a String takes any text");
        for known in OPTIONS.iter().filter(|known| known.group == group) {
            let (usage, help) = (escape(&known.usage()), escape(known.help));
            writeln!(page, ".TP\n.B {usage}\n{help}").expect("a String takes any text");
        }
    }
    page.push_str(".SH EXIT STATUS\n");
    for (code, meaning) in EXIT_CODES {
        writeln!(page, ".TP\n.B {code}\n{meaning}").expect("a String takes any text");
    }
    page.push_str(".SH EXAMPLES\n");
    for (line, what) in EXAMPLES {
        writeln!(page, ".TP\n.B {}\n{what}", escape(line)).expect("a String takes any text");
    }
    write!(page, ".SH SECURITY\n{}", escape(CHANGES)).expect("a String takes any text");
    page
}

/// The completions for a shell; `None` for an unknown shell.
pub(crate) fn completions(shell: &str) -> Option<String> {
    match shell {
        "bash" => Some(bash()),
        "fish" => Some(fish()),
        "zsh" => Some(zsh()),
        _ => None,
    }
}

fn bash() -> String {
    let names: Vec<String> = OPTIONS
        .iter()
        .map(|known| format!("--{}", known.name))
        .collect();
    format!(
        "_chainwalk_capture() {{\n    local word=${{COMP_WORDS[COMP_CWORD]}} before=${{COMP_WORDS[COMP_CWORD-1]}}\n    case \
         $before in\n        --netns|--tools-root|--root) COMPREPLY=($(compgen -f -- \"$word\")); return;;\n        \
         --completions) COMPREPLY=($(compgen -W 'bash fish zsh' -- \"$word\")); return;;\n        {}) return;;\n    \
         esac\n    COMPREPLY=($(compgen -W '{}' -- \"$word\"))\n}}\ncomplete -F _chainwalk_capture chainwalk-capture\n",
        OPTIONS
            .iter()
            .filter(|known| known.value.is_some()
                && !known.takes_file()
                && known.name != "completions")
            .map(|known| format!("--{}", known.name))
            .collect::<Vec<_>>()
            .join("|"),
        names.join(" ")
    )
}

fn fish() -> String {
    let mut text = String::from("complete -c chainwalk-capture -f\n");
    for known in &OPTIONS {
        let short = known
            .short
            .map(|letter| format!(" -s {letter}"))
            .unwrap_or_default();
        let value = match known.value {
            Some(_) if known.takes_file() => " -r -F",
            Some("SHELL") => " -x -a 'bash fish zsh'",
            Some(_) => " -x",
            None => "",
        };
        let (name, help) = (known.name, known.help.replace('\'', "\\'"));
        writeln!(
            text,
            "complete -c chainwalk-capture -l {name}{short}{value} -d '{help}'"
        )
        .expect("a String takes any text");
    }
    text
}

fn zsh() -> String {
    let mut text = String::from("#compdef chainwalk-capture\n_arguments");
    for known in &OPTIONS {
        // Quotes, colons and brackets are special characters for `_arguments`.
        let help: String = known
            .help
            .chars()
            .filter(|c| !"'[]".contains(*c))
            .collect::<String>()
            .replace(':', "\\:");
        let value = match known.value {
            Some(value) if known.takes_file() => format!(":{value}:_files"),
            Some("SHELL") => ":SHELL:(bash fish zsh)".to_owned(),
            Some(value) => format!(":{value}: "),
            None => String::new(),
        };
        write!(text, " \\\n  '--{}[{help}]{value}'", known.name).expect("a String takes any text");
    }
    text.push('\n');
    text
}

impl OptionRow {
    /// `-h, --help` or `--pid PID`.
    fn usage(&self) -> String {
        let short = self
            .short
            .map(|letter| format!("-{letter}, "))
            .unwrap_or_default();
        let value = self
            .value
            .map(|value| format!(" {value}"))
            .unwrap_or_default();
        format!("{short}--{}{value}", self.name)
    }

    fn takes_file(&self) -> bool {
        matches!(self.value, Some("PATH" | "DIR"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_option_stands_in_all_that_is_printed() {
        let (help, man) = (help(), man().replace("\\-", "-"));
        let shells = ["bash", "fish", "zsh"].map(|shell| completions(shell).expect("known"));
        for known in &OPTIONS {
            let long = format!("--{}", known.name);
            assert!(
                help.contains(&known.usage()) && help.contains(known.help),
                "{long}"
            );
            assert!(
                man.contains(&known.usage()) && man.contains(known.help),
                "{long}"
            );
            assert!(
                shells[0].contains(&long) && shells[1].contains(&format!("-l {}", known.name)),
                "{long}"
            );
            assert!(shells[2].contains(&format!("'{long}[")), "{long}");
        }
        assert_eq!(completions("tcsh"), None);
        assert!(
            help.lines().all(|line| line.chars().count() <= 100),
            "{help}"
        );
    }
}
