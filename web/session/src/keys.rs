//! The actions of keys, which depend on the focus.

use crate::cursor::Move;
use crate::state::{Action, Tab};

/// The kind of element that has the focus.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Focus {
    /// An element that takes text, or letters as a choice.
    Typing,
    /// A slider or a list of tabs, which handles arrows, Home and End.
    Moving,
    /// Anything else.
    Elsewhere,
}

/// The action of a key; `None` leaves it to the browser. `shortcuts` is whether single-character
/// shortcuts are on.
pub fn action(key: &str, focus: Focus, shortcuts: bool) -> Option<Action> {
    let is_character = key.chars().count() == 1;
    if focus == Focus::Typing
        || (is_character && !shortcuts)
        || (!is_character && focus == Focus::Moving)
    {
        return None;
    }
    Some(match key {
        "ArrowLeft" | "," => Action::Go(Move::Back),
        "ArrowRight" | "." => Action::Go(Move::Forward),
        "Home" => Action::Go(Move::First),
        "End" => Action::Go(Move::Last),
        "n" => Action::Go(Move::NextMatch),
        "u" => Action::Go(Move::OutOfChain),
        "v" => Action::Go(Move::Decided),
        "c" => Action::Compare,
        "1" => Action::Area(Tab::Rules),
        "2" => Action::Area(Tab::Walk),
        "3" => Action::Area(Tab::Packet),
        "4" => Action::Area(Tab::Outcomes),
        "?" => Action::Help(true),
        _ => return None,
    })
}

/// The action of a key with Ctrl or Cmd. In a field the browser's own undo stays.
pub fn with_control(key: &str, shift: bool, focus: Focus) -> Option<Action> {
    match (key, shift, focus) {
        (_, _, Focus::Typing) => None,
        ("z", false, _) => Some(Action::Undo { redo: false }),
        ("Z" | "z", true, _) | ("y", false, _) => Some(Action::Undo { redo: true }),
        _ => None,
    }
}

/// The keys and what they do, for the help.
pub const KEYS: [(&str, &str); 10] = [
    ("← →  or  , .", "previous step, next step"),
    ("Home  End", "first step, last step"),
    ("n", "next rule that matches"),
    ("u", "out of this chain"),
    ("v", "to the rule that decided"),
    ("c", "show or hide the second packet"),
    (
        "1  2  3  4",
        "to the rules, the walk, the packet, the table below",
    ),
    ("?", "this help"),
    (
        "Ctrl Z  Ctrl Y",
        "undo or redo a change of rules or packets",
    ),
    ("Ctrl V", "read the rules in the clipboard"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_step_but_never_while_typing() {
        let forward = Some(Action::Go(Move::Forward));
        assert_eq!(action("ArrowRight", Focus::Elsewhere, true), forward);
        assert_eq!(action("ArrowRight", Focus::Moving, true), None);
        assert_eq!(action(".", Focus::Moving, true), forward);
        for key in ["ArrowRight", ".", "n", "?", "Home"] {
            assert_eq!(action(key, Focus::Typing, true), None, "{key}");
        }
    }

    #[test]
    fn undo_is_the_browsers_own_in_a_field() {
        let undo = |redo| Some(Action::Undo { redo });
        assert_eq!(with_control("z", false, Focus::Elsewhere), undo(false));
        assert_eq!(with_control("Z", true, Focus::Moving), undo(true));
        assert_eq!(with_control("y", false, Focus::Elsewhere), undo(true));
        for key in ["z", "y", "v"] {
            assert_eq!(with_control(key, false, Focus::Typing), None, "{key}");
        }
        assert_eq!(with_control("v", false, Focus::Elsewhere), None);
    }

    #[test]
    fn the_switch_turns_characters_off_and_leaves_the_arrows() {
        for key in [",", ".", "n", "u", "v", "c", "1", "4", "?"] {
            assert!(action(key, Focus::Elsewhere, true).is_some(), "{key}");
            assert_eq!(action(key, Focus::Elsewhere, false), None, "{key}");
        }
        assert!(action("ArrowLeft", Focus::Elsewhere, false).is_some());
    }
}
