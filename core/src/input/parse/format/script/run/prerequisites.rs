//! Checks that abort a script: `[ -x /sbin/iptables ] || exit 1`. A script that made rules passed
//! its checks.

use super::super::script_state::Function;
use super::super::shell;
use super::super::syntax::{Link, NONE, NodeKind, SyntaxNode};
use super::Runner;

impl Runner<'_, '_, '_> {
    /// Whether a command only ends the script with an error: `exit 1`, `{ echo no; exit 1; }`, `die
    /// no`.
    pub(super) fn aborts(&self, node: SyntaxNode, is_prerequisite: bool) -> bool {
        match node.kind {
            NodeKind::Simple(range) => {
                let mut words = self.slice(range).split_whitespace();
                let (name, code) = (words.next().unwrap_or_default(), words.next());
                match name {
                    "exit" if is_prerequisite => true,
                    "exit" => {
                        code.is_some_and(|code| code.parse::<u8>().is_ok_and(|code| code > 0))
                    }
                    _ => match self.script.functions.get(name) {
                        Some(Function {
                            bodies,
                            is_certain: true,
                            ..
                        }) => bodies
                            .first()
                            .is_some_and(|body| self.ends_with_error(*body)),
                        _ => false,
                    },
                }
            }
            NodeKind::Group { body, .. } => self.aborts_in(body, is_prerequisite),
            _ => false,
        }
    }

    /// Whether the commands of a list change nothing and end the script with an error, independent
    /// of each other.
    pub(super) fn aborts_in(&self, list: u32, is_prerequisite: bool) -> bool {
        let mut at = list;
        for _ in 0..16 {
            let Some(node) = self.node(at).filter(|node| node.link == Link::Next) else {
                return false;
            };
            let NodeKind::Simple(range) = node.kind else {
                return false;
            };
            if shell::calls(self.slice(range)) {
                return false;
            }
            if self.aborts(node, is_prerequisite) {
                return true;
            }
            at = node.next;
        }
        false
    }

    /// Like [`Self::aborts_in`], for the body of a function. Its own calls are not followed.
    fn ends_with_error(&self, list: u32) -> bool {
        let mut at = list;
        for _ in 0..16 {
            let Some(SyntaxNode {
                kind: NodeKind::Simple(range),
                link: Link::Next,
                next,
                ..
            }) = self.node(at)
            else {
                return false;
            };
            let command = self.slice(range);
            if shell::calls(command) {
                return false;
            }
            let code = command
                .strip_prefix("exit ")
                .and_then(|code| code.trim().parse::<u8>().ok());
            if code.is_some_and(|code| code > 0) {
                return true;
            }
            at = next;
        }
        false
    }

    /// Whether a command tests a prerequisite of the script, a file or a program, and has the status
    /// `present` if it is there.
    pub(super) fn is_prerequisite(&self, node: SyntaxNode, present: bool) -> bool {
        let NodeKind::Simple(range) = node.kind else {
            return false;
        };
        let mut words: Vec<&str> = self.slice(range).split_whitespace().take(4).collect();
        let count = words.len();
        words.retain(|word| *word != "!");
        let is_negated = node.is_negated != (words.len() < count);
        is_negated != present
            && matches!(
                words[..],
                [
                    "[" | "[[" | "test",
                    "-x" | "-f" | "-e" | "-r" | "-d" | "-s",
                    ..
                ] | ["which" | "hash" | "type", ..]
                    | ["command", "-v", ..]
            )
    }

    /// Whether a list is one command that succeeds if a prerequisite of the script is missing.
    pub(super) fn lacks_prerequisite(&self, list: u32) -> bool {
        self.node(list)
            .is_some_and(|node| node.next == NONE && self.is_prerequisite(node, false))
    }
}
