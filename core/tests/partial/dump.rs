//! Whole dumps in the forms that iptables prints, line by line.

/// The form of a dump.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Form {
    /// `iptables-save`
    Save,
    /// `iptables -S`
    Rules,
    /// `iptables -nvxL`, with or without `--line-numbers`
    Listing,
}

/// The role of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// A rule.
    Rule,
    /// The line that declares or heads a chain.
    Chain,
    /// The columns' names.
    Columns,
    /// The command, the line that names a table, its end, or a blank line.
    Other,
}

/// A line of a dump.
#[derive(Clone, Debug)]
pub(crate) struct Line {
    pub(crate) text: String,
    pub(crate) role: Role,
    pub(crate) table: String,
    pub(crate) chain: Option<String>,
}

/// A whole dump.
pub(crate) struct Dump {
    pub(crate) form: Form,
    pub(crate) lines: Vec<Line>,
    /// Whether the rows of a listing have numbers.
    pub(crate) has_numbers: bool,
}

/// The lines of a table before its chains, those of each chain, and those after them.
type TableLines<'d> = (Vec<&'d Line>, Vec<Vec<&'d Line>>, Vec<&'d Line>);

impl Dump {
    /// A dump of `iptables-save`.
    pub(crate) fn save(text: &str) -> Self {
        let mut table = String::new();
        Self {
            form: Form::Save,
            lines: text
                .lines()
                .map(|text: &str| {
                    let (mut role, mut chain) = (Role::Other, None);
                    let word = |at: usize| text.split_whitespace().nth(at).map(str::to_owned);
                    if let Some(name) = text.strip_prefix('*') {
                        name.clone_into(&mut table);
                    } else if text.starts_with(':') {
                        (role, chain) = (Role::Chain, word(0).map(|name| name[1..].to_owned()));
                    } else if text.starts_with("-A") {
                        (role, chain) = (Role::Rule, word(1));
                    } else if text.starts_with('[') {
                        (role, chain) = (Role::Rule, word(2));
                    }
                    Line {
                        text: text.to_owned(),
                        role,
                        table: table.clone(),
                        chain,
                    }
                })
                .collect(),
            has_numbers: false,
        }
    }

    /// The same rules as `iptables -S` prints them, table by table.
    pub(crate) fn rules_of(save: &str) -> Self {
        let mut lines = Vec::new();
        for line in Self::save(save).lines {
            let text = match line.role {
                Role::Chain => {
                    let mut words = line.text[1..].split(' ');
                    let name = words.next().expect("a chain has a name");
                    match words.next() {
                        Some("-") => format!("-N {name}"),
                        policy => format!("-P {name} {}", policy.expect("and a policy")),
                    }
                }
                Role::Rule => match line.text.split_once("] ") {
                    Some((_, rule)) if line.text.starts_with('[') => rule.to_owned(),
                    _ => line.text.clone(),
                },
                _ if line.text.starts_with('*') => format!("$ iptables -t {} -S", line.table),
                _ => continue,
            };
            lines.push(Line { text, ..line });
        }
        Self {
            form: Form::Rules,
            lines,
            has_numbers: false,
        }
    }

    /// A listing of `iptables -nvxL --line-numbers`, or the same without numbers.
    pub(crate) fn listing(text: &str, has_numbers: bool) -> Self {
        let (mut table, mut chain) = (String::new(), None);
        Self {
            form: Form::Listing,
            lines: text
                .lines()
                .map(|text: &str| {
                    let word = |at: usize| text.split_whitespace().nth(at).map(str::to_owned);
                    let role = match text {
                        _ if text.starts_with('$') => {
                            (table, chain) = (word(3).expect("it names the table"), None);
                            Role::Other
                        }
                        _ if text.starts_with("Chain") => {
                            chain = word(1);
                            Role::Chain
                        }
                        _ if text.starts_with("num") => Role::Columns,
                        "" => Role::Other,
                        _ => Role::Rule,
                    };
                    // `num  ` is as wide as the numbers.
                    let text = match role {
                        Role::Columns | Role::Rule if !has_numbers => text[5..].to_owned(),
                        Role::Other if !has_numbers => text.replace(" --line-numbers", ""),
                        _ => text.to_owned(),
                    };
                    Line {
                        text,
                        role,
                        table: table.clone(),
                        chain: chain.clone(),
                    }
                })
                .collect(),
            has_numbers,
        }
    }

    /// The text of all lines.
    pub(crate) fn text(&self) -> String {
        self.lines
            .iter()
            .flat_map(|line| [&*line.text, "\n"])
            .collect()
    }

    /// The places of the rules.
    pub(crate) fn rules(&self) -> Vec<usize> {
        (0..self.lines.len())
            .filter(|at| self.lines[*at].role == Role::Rule)
            .collect()
    }

    /// The lines of each table, chain by chain.
    pub(crate) fn tables(&self) -> Vec<TableLines<'_>> {
        let mut tables: Vec<TableLines> = vec![TableLines::default()];
        for line in &self.lines {
            let begins = line.role == Role::Other && line.text.starts_with(['*', '$']);
            if begins {
                tables.push(TableLines::default());
            }
            let (head, chains, tail) = tables.last_mut().expect("one is open");
            // The declarations of a dump precede its rules.
            let is_declared = self.form != Form::Listing && line.role == Role::Chain;
            let is_open = chains
                .last()
                .is_some_and(|chain| chain[0].chain == line.chain);
            match line.role {
                _ if is_declared => head.push(line),
                Role::Chain => chains.push(vec![line]),
                Role::Rule if !is_open => chains.push(vec![line]),
                Role::Rule | Role::Columns => {
                    chains.last_mut().expect("its head is open").push(line);
                }
                Role::Other if chains.is_empty() => head.push(line),
                Role::Other if self.form == Form::Listing => {
                    chains.last_mut().expect("one is open").push(line);
                }
                Role::Other => tail.push(line),
            }
        }
        tables
    }

    /// Each chain with the command that prints it alone; `None` for iptables-save.
    pub(crate) fn chains(&self) -> Option<Vec<(String, Vec<&Line>)>> {
        let options = match (self.form, self.has_numbers) {
            (Form::Save, _) => return None,
            (Form::Rules, _) => ["-S", ""],
            (Form::Listing, true) => ["-nvxL", " --line-numbers"],
            (Form::Listing, false) => ["-nvxL", ""],
        };
        let heads = self.lines.iter().filter(|line| line.role == Role::Chain);
        let of_chain = |head: &'_ Line| {
            let (table, chain) = (head.table.clone(), head.chain.clone());
            self.lines
                .iter()
                .filter(move |line: &&Line| {
                    line.role != Role::Other && line.table == table && line.chain == chain
                })
                .collect()
        };
        let chains = heads.map(|head| {
            let name = head.chain.as_deref().expect("a head has one");
            let [print, numbers] = options;
            let command = format!("$ iptables -t {} {print} {name}{numbers}", head.table);
            (command, of_chain(head))
        });
        Some(chains.collect())
    }

    /// Whether a listing without some lines counts more references to a chain than it shows.
    pub(crate) fn contradicts(&self, from: usize, to: usize) -> bool {
        let lost = &self.lines[from..to];
        let rest = || self.lines[..from].iter().chain(&self.lines[to..]);
        let target = |line: &Line| {
            let at = 2 + usize::from(self.has_numbers);
            line.text.split_whitespace().nth(at).map(str::to_owned)
        };
        lost.iter()
            .filter(|line| line.role == Role::Rule)
            .any(|jump| {
                rest().any(|line: &Line| {
                    line.role == Role::Chain
                        && line.table == jump.table
                        && line.chain == target(jump)
                })
            })
    }
}
