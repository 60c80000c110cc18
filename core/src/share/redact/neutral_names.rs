//! Neutral names for real ones.

use std::collections::{HashMap, HashSet};

/// The smallest length limit of any option, in bytes.
const MIN_LIMIT: usize = 15;

/// Neutral names by the names that they replace.
#[derive(Debug, Default)]
pub(super) struct NeutralNames {
    known: HashMap<(&'static str, String), String>,
    /// The number of names of each kind.
    counts: HashMap<&'static str, usize>,
    /// The names that are kept. No neutral name may be equal to one of them.
    kept: HashSet<String>,
}

impl NeutralNames {
    /// Keeps a name.
    pub(super) fn keep(&mut self, name: &str) {
        if !self.kept.contains(name) {
            self.kept.insert(name.to_owned());
        }
    }

    /// Whether a name is kept.
    pub(super) fn keeps(&self, name: &str) -> bool {
        self.kept.contains(name)
    }

    /// `comment-3`: the third name of its kind. An empty name stays empty.
    pub(super) fn neutral(&mut self, kind: &'static str, name: &str) -> String {
        if name.is_empty() {
            return String::new();
        }
        let key = (kind, name.to_owned());
        if let Some(known) = self.known.get(&key) {
            return known.clone();
        }
        let count = self.counts.entry(kind).or_default();
        let neutral = loop {
            *count += 1;
            let neutral = format!("{kind}-{count}");
            if !self.kept.contains(&neutral) {
                break neutral;
            }
        };
        self.known.insert(key, neutral.clone());
        neutral
    }

    /// Like [`Self::neutral`], for the value of an option. A value that is too long for the option
    /// stays too long.
    pub(super) fn neutral_value(&mut self, kind: &'static str, name: &str) -> String {
        let mut neutral = self.neutral(kind, name);
        if kind != COMMENT && name.len() > MIN_LIMIT {
            neutral.extend(std::iter::repeat_n(
                'x',
                name.len().saturating_sub(neutral.len()),
            ));
        }
        neutral
    }

    /// The number of replaced comments, and of all other replaced names.
    pub(super) fn counts(&self) -> (usize, usize) {
        let comments = self.counts.get(COMMENT).copied().unwrap_or(0);
        (comments, self.known.len() - comments)
    }
}

/// The kind of a rule's comments.
pub(super) const COMMENT: &str = "comment";
