//! Rules changed in place: the rule that is chosen, and what can happen to it.

use std::rc::Rc;

use chainwalk_core::input::edit::{Edit, Refused};
use chainwalk_core::netfilter::place::Place;

/// What is typed for the chosen rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// Its own words.
    Change,
    /// The words of a new one before it.
    Above,
    /// The words of a new one behind it.
    Below,
}

/// What the edited rules are written as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Export {
    /// As `iptables-save` prints them.
    Save,
    /// As the commands that lead there from the rules as pasted.
    Commands,
}

/// The rules as text, or why there is none.
pub(crate) type Written = Result<Rc<str>, Rc<str>>;

/// What can happen.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Do {
    /// A rule is chosen, or none.
    Choose(Option<Place>),
    /// A form opens, or closes.
    Open(Option<Form>),
    /// The form's words are given.
    Words(String),
    /// Something else is done to a rule.
    Edit(Edit),
    /// The rules are written out, or no longer.
    Export(Option<Export>),
}

/// The rule that is chosen, and how far its change has come.
#[derive(Clone, Debug, Default)]
pub(crate) struct Editing {
    /// The rule, or the policy.
    pub(crate) place: Option<Place>,
    /// What is typed for it.
    pub(crate) form: Option<Form>,
    /// Why the last change was not made.
    pub(crate) refused: Option<Refused>,
    /// The rules as text, where that is shown.
    pub(crate) export: Option<(Export, Written)>,
}
