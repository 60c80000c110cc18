//! Changes of rules in place: the selected rule, and its changes.

use std::rc::Rc;

use chainwalk_core::input::edit::{Edit, Refused};
use chainwalk_core::netfilter::place::Place;

/// The form for the selected rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EditForm {
    /// Edits the rule itself.
    Change,
    /// Adds a new rule before it.
    Above,
    /// Adds a new rule after it.
    Below,
}

/// The form of the changed rules as text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Export {
    /// The output of `iptables-save`.
    Save,
    /// The commands that make the changes to the pasted rules.
    Commands,
}

/// The rules as text, or why there is none.
pub type Written = Result<Rc<str>, Rc<str>>;

/// A change of the rules, or of the selection.
#[derive(Clone, Debug, PartialEq)]
pub enum EditAction {
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
pub struct Editing {
    /// The rule, or the policy.
    pub place: Option<Place>,
    /// The form that is open.
    pub form: Option<EditForm>,
    /// Why the last change failed.
    pub refused: Option<Refused>,
    /// The changed rules as text, if shown.
    pub export: Option<(Export, Written)>,
}
