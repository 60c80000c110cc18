//! Rules changed in place: the selected rule, and its changes.

use std::rc::Rc;

use chainwalk_core::input::edit::{Edit, Refused};
use chainwalk_core::netfilter::place::Place;

/// The form for the selected rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum EditForm {
    /// Its own words.
    Change,
    /// The words of a new rule before it.
    Above,
    /// The words of a new rule after it.
    Below,
}

/// The form of the changed rules as text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Export {
    /// As `iptables-save` prints them.
    Save,
    /// As the commands that lead there from the rules as pasted.
    Commands,
}

/// The rules as text, or why there is none.
pub(crate) type Written = Result<Rc<str>, Rc<str>>;

/// A change of the rules, or of the selection.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum EditAction {
    /// Selects a rule, or none.
    Choose(Option<Place>),
    /// Opens a form, or closes it.
    Open(Option<EditForm>),
    /// Submits the words of the form.
    Words(String),
    /// Changes a rule in another way.
    Edit(Edit),
    /// Shows the changed rules as text, or hides the text.
    Export(Option<Export>),
}

/// The selected rule, and its unfinished change.
#[derive(Clone, Debug, Default)]
pub(crate) struct Editing {
    /// The rule, or the policy.
    pub(crate) place: Option<Place>,
    /// The form that is open.
    pub(crate) form: Option<EditForm>,
    /// Why the last change was not made.
    pub(crate) refused: Option<Refused>,
    /// The rules as text, where that is shown.
    pub(crate) export: Option<(Export, Written)>,
}
