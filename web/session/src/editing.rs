//! Changes of rules in place: the selected rule, and its changes.

use std::rc::Rc;

use chainwalk_core::input::edit::{Edit, Refused};
use chainwalk_core::iptables::table_name::TableName;
use chainwalk_core::netfilter::place::Place;
use chainwalk_core::netfilter::ruleset::{Policy, Ruleset};

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

/// A button that changes the selected rule.
#[derive(Clone, Debug, PartialEq)]
pub struct EditButton {
    /// Its label.
    pub label: &'static str,
    /// Its action.
    pub action: EditAction,
    /// Whether its form is open.
    pub pressed: bool,
}

impl EditButton {
    fn edit(label: &'static str, edit: Edit) -> Self {
        Self {
            label,
            action: EditAction::Edit(edit),
            pressed: false,
        }
    }
}

/// The buttons for a rule or a policy. `open`: the open form.
pub fn edit_buttons(rulesets: &[Ruleset], place: Place, open: Option<EditForm>) -> Vec<EditButton> {
    match place.rule {
        Some(rule) => rule_buttons(rulesets, place, rule, open),
        None => policy_buttons(rulesets, place, open),
    }
}

fn rule_buttons(
    rulesets: &[Ruleset],
    place: Place,
    rule: u32,
    open: Option<EditForm>,
) -> Vec<EditButton> {
    let rules = place.at.find(rulesets).2.rules.len();
    let forms = [
        ("Change", EditForm::Change),
        ("Add above", EditForm::Above),
        ("Add below", EditForm::Below),
    ];
    let mut buttons = Vec::from(forms.map(|(label, form)| EditButton {
        label,
        action: EditAction::Open(Some(form)),
        pressed: open == Some(form),
    }));
    if rule > 0 {
        buttons.push(EditButton::edit("Move up", Edit::Swap(place, rule - 1)));
    }
    if (rule as usize) + 1 < rules {
        buttons.push(EditButton::edit("Move down", Edit::Swap(place, rule + 1)));
    }
    buttons.push(EditButton::edit("Switch off", Edit::Off(place)));
    buttons.push(EditButton::edit("Delete", Edit::Delete(place)));
    buttons
}

fn policy_buttons(rulesets: &[Ruleset], place: Place, open: Option<EditForm>) -> Vec<EditButton> {
    let (_, table, chain) = place.at.find(rulesets);
    let mut buttons = vec![EditButton {
        label: "Add at the end",
        action: EditAction::Open(Some(EditForm::Above)),
        pressed: open.is_some(),
    }];
    let (label, other) = if chain.policy() == Policy::Accept {
        ("Make it DROP", Policy::Drop)
    } else {
        ("Make it ACCEPT", Policy::Accept)
    };
    // iptables rejects the policy DROP in the nat table.
    if chain.hook().is_some() && (!table.is(TableName::Nat) || other == Policy::Accept) {
        buttons.push(EditButton::edit(label, Edit::Policy(place.at, other)));
    }
    buttons
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::paste::Paste;
    use chainwalk_core::netfilter::place::ChainPlace;

    fn labels(text: &str, chain: u32, rule: Option<u32>) -> Vec<&'static str> {
        let paste = Paste::own(text);
        let at = ChainPlace {
            ruleset: 0,
            table: 0,
            chain,
        };
        let buttons = edit_buttons(paste.rulesets(), Place { at, rule }, None);
        buttons.iter().map(|button| button.label).collect()
    }

    #[test]
    fn the_buttons_are_those_of_possible_edits() {
        let filter = "*filter\n:OUTPUT ACCEPT [0:0]\n:A - [0:0]\n-A OUTPUT -j A\n-A OUTPUT -j DROP\nCOMMIT\n";
        let first = labels(filter, 0, Some(0));
        assert!(first.contains(&"Move down") && !first.contains(&"Move up"));
        let last = labels(filter, 0, Some(1));
        assert!(last.contains(&"Move up") && !last.contains(&"Move down"));
        assert_eq!(labels(filter, 0, None), ["Add at the end", "Make it DROP"]);
        assert_eq!(labels(filter, 1, None), ["Add at the end"]);
        let nat = "*nat\n:OUTPUT ACCEPT [0:0]\nCOMMIT\n";
        assert_eq!(labels(nat, 0, None), ["Add at the end"]);
    }
}
