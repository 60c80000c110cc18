//! `if` and `case`: runs the determined branch, or all possible ones.

use super::super::syntax::{NONE, NodeKind, Range, SyntaxNode};
use super::super::test_command;
use super::{Flow, Runner, ScriptPath};

impl Runner<'_, '_, '_> {
    pub(super) fn run_if(&mut self, arms: u32, is_whole: bool) -> Flow {
        let mut paths = Vec::new();
        let mut has_last = false;
        let mut at = arms;
        while let Some(SyntaxNode {
            kind: NodeKind::IfArm { condition, body },
            next,
            ..
        }) = self.node(at)
        {
            let holds = match condition {
                NONE => Some(true),
                _ => {
                    // The conditions after an unknown one may not be evaluated.
                    let doubt = usize::from(!paths.is_empty());
                    self.doubts += doubt;
                    let flow = self.run_list(condition);
                    self.doubts -= doubt;
                    if flow != Flow::Next {
                        return flow;
                    }
                    self.status.filter(|_| is_whole)
                }
            };
            if holds != Some(false) {
                paths.push((body, self.lacks_prerequisite(condition)));
            }
            if holds == Some(true) {
                has_last = true;
                break;
            }
            at = next;
        }
        self.choose(paths, has_last)
    }

    /// Runs the determined list of several, or all of them.
    fn choose(&mut self, mut paths: Vec<(u32, bool)>, has_last: bool) -> Flow {
        let is_open = paths.len() > 1 || !has_last;
        if is_open && !paths.is_empty() && self.is_in_main_shell {
            // A script that produced rules did not abort here.
            let goes_on: Vec<(u32, bool)> = paths
                .iter()
                .copied()
                .filter(|(list, tests)| !self.aborts_in(*list, *tests))
                .collect();
            if !goes_on.is_empty() || !has_last {
                paths = goes_on;
            }
        }
        match paths[..] {
            [(list, _)] if has_last => self.run_list(list),
            [] => {
                self.status = if is_open { None } else { Some(true) };
                Flow::Next
            }
            _ => {
                let nothing = (!has_last).then_some(ScriptPath::Nothing);
                let paths: Vec<ScriptPath> = paths
                    .into_iter()
                    .map(|(list, _)| ScriptPath::List(list))
                    .chain(nothing)
                    .collect();
                self.run_paths(&paths)
            }
        }
    }

    pub(super) fn run_case(&mut self, word: Range, arms: u32, is_whole: bool) -> Flow {
        let mut fields = Vec::new();
        self.script.variables.expand_word(
            self.text,
            (word.0 as usize, word.1 as usize),
            &mut fields,
        );
        let value = match &fields[..] {
            [] => Some(String::new()),
            [field] if field.is_known && is_whole => Some(field.text.clone()),
            _ => None,
        };
        let mut paths = Vec::new();
        let mut has_last = false;
        let mut at = arms;
        while let Some(SyntaxNode {
            kind:
                NodeKind::CaseArm {
                    patterns,
                    body,
                    falls_through,
                },
            next,
            ..
        }) = self.node(at)
        {
            let matches = self.match_patterns(patterns, value.as_deref());
            if matches != Some(false) {
                paths.push((body, false));
            }
            if falls_through && matches != Some(false) {
                // The later arms may run, too.
                let rest = self.arms_after(next);
                paths.extend(rest);
                break;
            }
            if matches == Some(true) {
                has_last = true;
                break;
            }
            at = next;
        }
        self.choose(paths, has_last)
    }

    fn arms_after(&self, first: u32) -> Vec<(u32, bool)> {
        let mut found = Vec::new();
        let mut at = first;
        while let Some(SyntaxNode {
            kind: NodeKind::CaseArm { body, .. },
            next,
            ..
        }) = self.node(at)
        {
            found.push((body, false));
            at = next;
        }
        found
    }

    /// Whether a value matches one of the patterns of an arm.
    fn match_patterns(&self, patterns: Range, value: Option<&str>) -> Option<bool> {
        let mut result = Some(false);
        for pattern in self.slice(patterns).split('|') {
            let pattern = pattern.trim();
            let bare = pattern.trim_matches(['"', '\'']);
            let matches = match (bare, value) {
                ("*", _) if bare == pattern => Some(true),
                _ if bare.contains(['$', '`', '"', '\'']) => None,
                (_, Some(value)) if bare != pattern => Some(bare == value),
                (_, Some(value)) => test_command::matches(bare, value),
                (_, None) => None,
            };
            match matches {
                Some(true) => return Some(true),
                Some(false) => {}
                None => result = None,
            }
        }
        result
    }
}
