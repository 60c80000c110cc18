//! Changes of rules in place, and the changed rules as text.

use std::rc::Rc;

use chainwalk_core::input::edit::{Edit, edit};
use chainwalk_core::iptables::print;
use chainwalk_core::netfilter::place::Place;
use chainwalk_core::share::commands::commands;
use chainwalk_core::text::visible;

use super::State;
use crate::editing::{EditAction, EditForm, Editing, Export};

impl State {
    pub(crate) fn edit(&mut self, action: EditAction) {
        self.edit_view().editing.refused = None;
        match action {
            EditAction::Choose(place) => {
                let editing = &mut self.edit_view().editing;
                *editing = Editing {
                    place,
                    export: editing.export.take(),
                    ..Editing::default()
                }
            }
            EditAction::Open(form) => self.edit_view().editing.form = form,
            EditAction::Words(words) => {
                let Some(Place { at, rule }) = self.view.editing.place else {
                    return;
                };
                let after = u32::try_from(at.find(self.paste().rulesets()).2.rules.len())
                    .unwrap_or(u32::MAX);
                let (change, next) = match (self.view.editing.form, rule) {
                    (Some(EditForm::Change), Some(rule)) => (
                        Edit::Change(
                            Place {
                                at,
                                rule: Some(rule),
                            },
                            words,
                        ),
                        rule,
                    ),
                    (Some(EditForm::Below), Some(rule)) => {
                        (Edit::Add(at, rule + 1, words), rule + 1)
                    }
                    (_, rule) => {
                        let rule = rule.unwrap_or(after);
                        (Edit::Add(at, rule, words), rule)
                    }
                };
                self.change(
                    &change,
                    Some(Place {
                        at,
                        rule: Some(next),
                    }),
                );
            }
            EditAction::Edit(change) => {
                let stays = match &change {
                    Edit::Swap(place, other) => Some(Place {
                        rule: Some(*other),
                        ..*place
                    }),
                    Edit::Policy(at, _) => Some(Place {
                        at: *at,
                        rule: None,
                    }),
                    _ => None,
                };
                self.change(&change, stays);
            }
            EditAction::Export(kind) => {
                let export =
                    kind.map(|kind| (kind, self.export(kind).map(Rc::from).map_err(Rc::from)));
                self.edit_view().editing.export = export;
            }
        }
    }

    /// Makes a change, and selects the resulting rule.
    fn change(&mut self, change: &Edit, chosen: Option<Place>) {
        match edit(&self.paste().parsed, change) {
            Ok(parsed) => {
                let paste = Rc::new(self.paste().with(parsed));
                self.replace(paste);
                self.edit_view().editing.place = chosen;
            }
            Err(refused) => self.edit_view().editing.refused = Some(refused),
        }
    }

    fn export(&self, kind: Export) -> Result<String, String> {
        match kind {
            Export::Save => {
                Ok(visible::escape_lines(&print::dump(self.paste().rulesets())).into_owned())
            }
            Export::Commands => {
                let commands = commands(
                    self.workspace().original.rulesets(),
                    self.paste().rulesets(),
                )
                .map_err(|why| format!("No commands lead to these rules: {why}."))?;
                Ok(commands
                    .iter()
                    .flat_map(|command| [command, "\n"])
                    .collect())
            }
        }
    }
}
