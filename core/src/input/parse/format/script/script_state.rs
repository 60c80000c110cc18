//! The state of a script: its variables and its defined functions.

use std::collections::{HashMap, HashSet};

use super::syntax::{Range, Tree};
use super::variables::Variables;

/// The state of a script.
#[derive(Debug, Default)]
pub(in super::super::super) struct Script {
    pub(super) tree: Tree,
    pub(super) variables: Variables,
    pub(super) functions: HashMap<String, Function>,
    /// The reported commands, by their place.
    pub(super) reported: HashSet<u32>,
    /// Whether the script may have ended already.
    pub(super) may_have_ended: bool,
    /// The commands that run when the script ends: `trap 'iptables -F' EXIT`.
    pub(super) traps: Vec<Range>,
}

/// The possible bodies of a function.
#[derive(Debug, Default)]
pub(super) struct Function {
    pub(super) bodies: Vec<u32>,
    pub(super) is_certain: bool,
    pub(super) is_called: bool,
    pub(super) name: Range,
}
