//! Runs a shell script as far as its text determines the run: it follows calls of functions,
//! determined branches, and loops over known words. A command that may not have run leaves the
//! rules undetermined.

use std::collections::HashSet;

use super::super::super::reading::Reading;
use super::script_state::Script;
use super::syntax::{Link, NodeKind, Parser, Range, SyntaxNode};
use super::variables::{Changes, ShellField, VariableValue};

mod assignments;
mod branches;
mod functions;
mod iptables_call;
mod loops;
mod prerequisites;
mod script_reports;
mod simple_command;
mod traps;

/// The deepest nesting of structures and calls of functions.
const MAX_DEPTH: usize = 60;
/// The most iterations of one loop that are evaluated.
const MAX_ITERATIONS: usize = 1000;
/// The work that a script may cause in addition to one run of its text, in bytes of commands
/// written out.
const MAX_REPEATED_WORK: usize = 500_000;
/// The least work of any command.
const WORK_OF_COMMAND: usize = 2;
/// The least work of an iptables command, and the work of a function call.
const WORK_OF_CALL: usize = 24;
/// The work of setting, comparing or restoring one variable.
const WORK_OF_VARIABLE: usize = 4;
/// The most bodies of one function that may be the current one.
const MAX_BODIES: usize = 16;
/// The number of iterations after which every variable counts as changed by the loop.
const MAX_DRY_RUNS: usize = 4;
/// The most reports of one script about commands that may not have run.
const MAX_REPORTS: usize = 40;

/// The end of a list of commands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Flow {
    Next,
    Break,
    Continue,
    Return,
    Exit,
}

/// One possible path through the script.
#[derive(Clone, Copy)]
enum ScriptPath<'p> {
    List(u32),
    Command(SyntaxNode),
    /// A call of a function, with its arguments.
    Call(&'p str, &'p [ShellField]),
    Nothing,
}

/// Runs the commands of a fragment: the text from `range.0` to `range.1`. The part `certain`
/// certainly is a script.
pub(super) fn run(reading: &mut Reading, range: (usize, usize), certain: (usize, usize)) {
    let mut script = std::mem::take(&mut reading.script);
    let text = &*reading.cleaned.text;
    let before = &text[range.0..certain.0];
    // The end of the previous script does not end this one.
    script.may_have_ended &= !before.contains("#!") && !before.contains("```");
    if let Some(shell) = named_shell(&text[range.0..certain.1]) {
        script.variables.may_lack_braces = !["bash", "zsh", "ksh"]
            .iter()
            .any(|name| shell.contains(name));
    }
    let mut parser = Parser::new(text, reading.lines, range, certain);
    let budget = MAX_REPEATED_WORK + (range.1 - range.0);
    let mut runner = Runner {
        text,
        reading,
        script,
        status: Some(true),
        doubts: 0,
        dry: 0,
        function_may_have_ended: false,
        loop_may_have_ended: false,
        outer_loops_may_have_ended: 0,
        depth: 0,
        budget,
        is_in_main_shell: true,
        is_unwinding: false,
        locals: Vec::new(),
        function_depth: 0,
    };
    loop {
        let first = runner.script.tree.nodes.len();
        let Script {
            tree, functions, ..
        } = &mut runner.script;
        let is_function = |word: &str| functions.contains_key(word);
        let Some(list) = parser.next(tree, &is_function) else {
            break;
        };
        let known = runner.script.functions.len();
        runner.is_unwinding = false;
        let flow = runner.run_list(list);
        let defines = runner.script.tree.nodes[first..]
            .iter()
            .any(|node| matches!(node.kind, NodeKind::Function { .. }));
        if !defines && runner.script.functions.len() == known {
            runner.script.tree.nodes.truncate(first);
        }
        if flow == Flow::Exit {
            break;
        }
    }
    runner.run_traps();
    runner.report_uncalled_functions();
    if runner.script.tree.is_lost {
        runner.mark_all(range);
    }
    let script = runner.script;
    reading.script = script;
}

/// The first line with `#!`, which names the shell of a script.
fn named_shell(text: &str) -> Option<&str> {
    let at = memchr::memmem::find(text.as_bytes(), b"#!")?;
    text[at..].lines().next()
}

struct Runner<'s, 'a, 'r> {
    text: &'s str,
    reading: &'s mut Reading<'a, 'r>,
    script: Script,
    /// Whether the last command succeeded; `None` where only a run determines it.
    status: Option<bool>,
    /// The enclosing conditions that the text does not determine.
    doubts: usize,
    /// The enclosing loops of which only the variables are evaluated.
    dry: usize,
    function_may_have_ended: bool,
    loop_may_have_ended: bool,
    /// The loops around the innermost one that may have ended already.
    outer_loops_may_have_ended: usize,
    depth: usize,
    budget: usize,
    /// Whether the commands run in the script's own shell, not in a subshell.
    is_in_main_shell: bool,
    /// Whether the commands are nested too deep to run.
    is_unwinding: bool,
    /// The local variables of functions, with their values outside.
    locals: Vec<(String, Option<VariableValue>)>,
    function_depth: usize,
}

impl Runner<'_, '_, '_> {
    fn is_sure(&self) -> bool {
        self.doubts == 0
            && !self.script.may_have_ended
            && !self.function_may_have_ended
            && !self.loop_may_have_ended
            && self.outer_loops_may_have_ended == 0
    }

    fn node(&self, place: u32) -> Option<SyntaxNode> {
        self.script.tree.nodes.get(place as usize).copied()
    }

    fn slice(&self, range: Range) -> &str {
        &self.text[range.0 as usize..range.1 as usize]
    }

    /// Subtracts a cost from the remaining work. Returns whether enough work remained.
    fn spend(&mut self, cost: usize) -> bool {
        let rest = self.budget.checked_sub(cost);
        self.budget = rest.unwrap_or(0);
        self.script.tree.is_lost |= rest.is_none();
        rest.is_some()
    }

    fn run_list(&mut self, list: u32) -> Flow {
        if self.depth >= MAX_DEPTH {
            self.script.tree.is_lost = true;
            self.is_unwinding = true;
            self.status = None;
            return Flow::Next;
        }
        self.depth += 1;
        let flow = self.run_commands(list);
        self.depth -= 1;
        flow
    }

    fn run_commands(&mut self, list: u32) -> Flow {
        let mut at = list;
        let mut before: Option<SyntaxNode> = None;
        while let Some(node) = self.node(at) {
            if self.is_unwinding || !self.spend(WORK_OF_COMMAND) {
                self.status = None;
                return Flow::Next;
            }
            let runs = match node.link {
                Link::Next | Link::Pipe => Some(true),
                Link::And => self.status,
                Link::Or => self.status.map(|succeeded| !succeeded),
            };
            match runs {
                Some(false) => {}
                Some(true) => {
                    let flow = self.run_command(node);
                    if flow != Flow::Next {
                        return flow;
                    }
                }
                // `[ -f /etc/x ] || exit 1`: a script that produced rules did not exit here.
                None if self.is_in_main_shell
                    && self.aborts(
                        node,
                        before.is_some_and(|before| {
                            self.is_prerequisite(before, node.link == Link::Or)
                        }),
                    ) =>
                {
                    self.status = Some(node.link == Link::Or);
                }
                None => {
                    let flow = self.run_paths(&[ScriptPath::Command(node), ScriptPath::Nothing]);
                    self.status = None;
                    if flow != Flow::Next {
                        return flow;
                    }
                }
            }
            before = Some(node);
            at = node.next;
        }
        Flow::Next
    }

    fn run_command(&mut self, node: SyntaxNode) -> Flow {
        // Each command of a pipeline runs in its own subshell.
        let is_piped = node.link == Link::Pipe
            || self
                .node(node.next)
                .is_some_and(|next| next.link == Link::Pipe);
        let flow = if is_piped {
            self.run_apart(|runner| runner.run_node(node))
        } else {
            self.run_node(node)
        };
        if node.is_negated {
            self.status = self.status.map(|succeeded| !succeeded);
        }
        flow
    }

    /// Runs commands in a subshell, which does not change the variables of the script.
    fn run_apart(&mut self, run: impl FnOnce(&mut Self) -> Flow) -> Flow {
        let begun = self.script.variables.begin();
        let had_ended = self.script.may_have_ended;
        let was_main = std::mem::replace(&mut self.is_in_main_shell, false);
        let flow = run(self);
        self.is_in_main_shell = was_main;
        self.script.variables.undo(begun);
        self.script.may_have_ended = had_ended;
        if flow == Flow::Exit {
            self.status = None;
        }
        Flow::Next
    }

    fn run_node(&mut self, node: SyntaxNode) -> Flow {
        match node.kind {
            NodeKind::Simple(range) => {
                let may_fail = self
                    .node(node.next)
                    .is_some_and(|next| next.link == Link::Or);
                return self.run_simple(range, may_fail);
            }
            NodeKind::Group {
                body,
                is_subshell: false,
            } => return self.run_list(body),
            NodeKind::Group {
                body,
                is_subshell: true,
            } => return self.run_apart(|runner| runner.run_list(body)),
            NodeKind::If { arms, is_whole } => return self.run_if(arms, is_whole),
            NodeKind::Case {
                word,
                arms,
                is_whole,
            } => return self.run_case(word, arms, is_whole),
            NodeKind::For {
                head,
                body,
                is_whole,
            } => return self.run_for(head, body, is_whole),
            NodeKind::Loop {
                condition,
                body,
                until,
                is_whole,
            } => {
                return self.run_loop(condition, body, until, is_whole);
            }
            NodeKind::Function { name, body } => {
                let is_certain = self.is_sure();
                let function = self
                    .script
                    .functions
                    .entry(self.text[name.0 as usize..name.1 as usize].to_owned())
                    .or_default();
                if is_certain {
                    function.bodies.clear();
                }
                if !function.bodies.contains(&body) && function.bodies.len() <= MAX_BODIES {
                    function.bodies.push(body);
                }
                self.script.tree.is_lost |= function.bodies.len() > MAX_BODIES;
                (function.is_certain, function.name) = (is_certain, name);
                self.status = Some(true);
            }
            NodeKind::IfArm { .. } | NodeKind::CaseArm { .. } => {}
        }
        Flow::Next
    }

    fn run_path(&mut self, path: ScriptPath) -> Flow {
        match path {
            ScriptPath::List(list) => self.run_list(list),
            ScriptPath::Command(node) => self.run_command(node),
            ScriptPath::Call(name, arguments) => self.call_function(name, arguments),
            ScriptPath::Nothing => Flow::Next,
        }
    }

    /// Runs all possible paths, because the text does not determine which one runs.
    fn run_paths(&mut self, paths: &[ScriptPath]) -> Flow {
        let mut flows = Vec::new();
        let mut changes: Vec<Changes> = Vec::new();
        for path in paths {
            let begun = self.script.variables.begin();
            self.doubts += 1;
            let flow = self.run_path(*path);
            self.doubts -= 1;
            let changed = self.script.variables.undo(begun);
            self.spend(changed.len() * WORK_OF_VARIABLE);
            flows.push(flow);
            if flow != Flow::Exit {
                changes.push(changed);
            }
        }
        self.join(&changes);
        self.status = None;
        if let [first, rest @ ..] = &flows[..]
            && rest.iter().all(|flow| flow == first)
        {
            return *first;
        }
        for flow in flows {
            match flow {
                Flow::Next => {}
                Flow::Exit => self.script.may_have_ended = true,
                Flow::Return => self.function_may_have_ended = true,
                Flow::Break | Flow::Continue => self.loop_may_have_ended = true,
            }
        }
        Flow::Next
    }

    /// Merges the variables of all paths; a variable that differs is unknown.
    fn join(&mut self, paths: &[Changes]) {
        let names: HashSet<&String> = paths.iter().flat_map(|changes| changes.keys()).collect();
        for name in names {
            let before = self.script.variables.get(name).cloned();
            let mut values = paths
                .iter()
                .map(|changes| changes.get(name).cloned().or_else(|| before.clone()));
            let first = values.next().flatten();
            let is_same = values.all(|value| value == first);
            self.script.variables.set(
                name,
                first.filter(|_| is_same).unwrap_or(VariableValue::Unknown),
            );
        }
    }
}
