//! Calls of iptables and iptables-restore, which change the tables.

use crate::iptables::table_name::TableName;
use crate::netfilter::backend::Backend;
use crate::packet::Family;
use crate::text::diagnostic::{Code, Problem};
use crate::text::shell::quote;

use super::super::super::super::assemble::Program;
use super::super::super::super::call;
use super::super::super::super::source_map::MappedText;
use super::super::super::restore;
use super::super::syntax::Range;
use super::super::variables::ShellField;
use super::{MAX_REPORTS, Runner, WORK_OF_CALL};

impl Runner<'_, '_, '_> {
    /// Passes the here-document of an iptables-restore command to the tables.
    pub(super) fn run_restore(&mut self, range: Range, raw: &str, word: &str) {
        let lines = self.reading.lines;
        let begin = lines.holding(range.0 as usize);
        let Some(stop) = lines.closing(lines.holding((range.1 as usize).saturating_sub(1)), word)
        else {
            return;
        };
        let first = lines.holding((range.1 as usize).saturating_sub(1)) + 1;
        let keeps = raw.contains("--noflush") || raw.contains(" -n");
        let program = restore_program(raw);
        if self.dry > 0 {
            return;
        }
        if self.is_sure() {
            let variables = &self.script.variables;
            let (text, cleaned) = (self.text, self.reading.cleaned);
            // A shell expands the lines unless the word after `<<` has quotes.
            let is_literal = raw.split_once("<<").is_some_and(|(_, rest)| {
                let after = rest.trim_start_matches(['-', ' ', '\t']);
                after.starts_with(['"', '\'', '\\'])
            });
            let expand = |at: usize| {
                let (start, end) = lines.range(at);
                let line = &text[start..end];
                if is_literal || !line.contains(['$', '`', '\\']) {
                    return restore::InputLine::Text;
                }
                let Some(expanded) = variables.expand_document(line) else {
                    return restore::InputLine::Unknown;
                };
                let mut mapped = MappedText::default();
                mapped.append(&expanded, cleaned.origin(start), end - start);
                restore::InputLine::Expanded(mapped)
            };
            restore::restore(
                self.reading,
                program,
                (first, stop.saturating_sub(1)),
                keeps,
                Some(&expand),
            );
            self.status = Some(true);
            return;
        }
        for at in first..stop {
            if let Some(name) = lines.get(at).trim().strip_prefix('*') {
                let table = TableName::from_text(name.trim());
                if table.is_some() {
                    let number = self.reading.line(begin).number;
                    self.reading
                        .assembler
                        .mark_unknown_command(program, table, number);
                }
            }
        }
        self.report_conditional(range);
        self.status = None;
    }

    /// Runs an iptables command; `words` follow the program's name.
    pub(super) fn run_iptables(
        &mut self,
        (family, backend): (Family, Option<Backend>),
        words: &[ShellField],
        range: Range,
        may_fail: bool,
    ) {
        self.status = None;
        let made: usize = words.iter().map(|word| word.text.len()).sum();
        let cost = made.max(WORK_OF_CALL);
        if self.dry > 0 || !self.spend(cost) {
            return;
        }
        let is_sure = self.is_sure();
        let cleaned = self.reading.cleaned;
        let mut line = MappedText::default();
        for word in words {
            if !line.text.is_empty() {
                line.append(" ", cleaned.origin(word.start), 0);
            }
            let raw = &self.text[word.start..word.end];
            let is_made =
                word.start == word.end || raw.contains(['$', '`', '\n', '{']) && word.text != raw;
            if is_made || raw.ends_with('\\') {
                line.append(
                    &quote(&word.text),
                    cleaned.origin(word.start),
                    word.end - word.start,
                );
            } else {
                line.copy(cleaned, word.start, word.end);
            }
        }
        if line.text.is_empty() {
            return;
        }
        let may_fail = may_fail || self.reading.is_log;
        let asks = words
            .iter()
            .any(|word| matches!(&*word.text, "-C" | "--check" | "-L" | "--list" | "-S"));
        let program = Program {
            family,
            backend,
            may_fail,
            is_sure,
        };
        let source = self.reading.assembler.reports.input_line(&line);
        self.status = self
            .reading
            .assembler
            .run_shell_command(&source, program, 0);
        if !is_sure && !asks {
            self.report_conditional(range);
        }
    }

    /// `iptables -nL CHAIN` succeeds if the chain exists.
    pub(super) fn run_list_command(
        &mut self,
        program: (Family, Option<Backend>),
        words: &str,
        fields: &[ShellField],
        range: Range,
    ) {
        self.status = Some(true);
        let Some(chain) = fields
            .iter()
            .find(|field: &&ShellField| {
                field.is_known
                    && !field.text.starts_with('-')
                    && Some(&*field.text) != call::table(words)
            })
            .filter(|_| call::names_chain(words))
        else {
            return;
        };
        let at = chain.start;
        let word = |text: &str| ShellField {
            text: text.to_owned(),
            is_known: true,
            is_one_word: true,
            start: at,
            end: at,
        };
        let mut asked = vec![word("-L"), word(&chain.text)];
        if let Some(table) = call::table(words) {
            asked.extend([word("-t"), word(table)]);
        }
        self.run_iptables(program, &asked, range, true);
    }

    /// `iptables-restore < file`: the input does not include the file.
    pub(super) fn run_unknown_input(
        &mut self,
        (family, backend): (Family, Option<Backend>),
        range: Range,
    ) {
        self.status = None;
        if self.dry > 0 || self.reading.is_log {
            return;
        }
        let number = self
            .reading
            .line(self.reading.lines.holding(range.0 as usize))
            .number;
        let program = Program {
            family,
            backend,
            may_fail: true,
            is_sure: false,
        };
        self.reading
            .assembler
            .mark_unknown_command(program, None, number);
        if self.script.reported.insert(range.0) && self.script.reported.len() <= MAX_REPORTS {
            let message = "the input of this command is not in the text: which rules it makes is undetermined";
            let problem = Problem::new(Code::ConditionalCommand, message)
                .hint("paste the rules that it is given");
            self.report(range, problem);
        }
    }

    /// Notes that a command may have changed rules in a path that the text does not show.
    pub(super) fn run_hidden_command(&mut self, raw: &str, range: Range) {
        if self.dry > 0 {
            return;
        }
        let family = if raw.contains("ip6tables") {
            Family::Ipv6
        } else {
            Family::Ipv4
        };
        let program = Program {
            family,
            backend: None,
            may_fail: true,
            is_sure: false,
        };
        let table = call::table(raw).and_then(TableName::from_text);
        let table = table.or((!raw.contains(" -t")).then_some(TableName::Filter));
        let line = self.reading.lines.holding(range.0 as usize);
        let number = self.reading.line(line).number;
        self.reading
            .assembler
            .mark_unknown_command(program, table, number);
        self.report_conditional(range);
    }
}

/// The program that a line passes a here-document to.
fn restore_program(command: &str) -> Program {
    let family = if command.contains("ip6tables") {
        Family::Ipv6
    } else {
        Family::Ipv4
    };
    let backend = match command {
        command if command.contains("-legacy-restore") => Some(Backend::Legacy),
        command if command.contains("-nft-restore") => Some(Backend::Nft),
        _ => None,
    };
    Program {
        family,
        backend,
        may_fail: false,
        is_sure: true,
    }
}
