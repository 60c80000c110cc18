//! What every component gets: the state, and a way to change it.

use std::rc::Rc;

use yew::prelude::*;

use crate::state::{Action, State};

/// The state as it is now.
#[derive(Clone, Debug, Properties)]
pub(crate) struct Page {
    /// Everything the page shows.
    pub(crate) state: Rc<State>,
    /// Makes something happen.
    pub(crate) act: Callback<Action>,
}

impl PartialEq for Page {
    /// A state never changes: another one takes its place.
    fn eq(&self, other: &Self) -> bool {
        Rc::ptr_eq(&self.state, &other.state)
    }
}

impl Page {
    /// A callback that makes this happen, whatever the event.
    pub(crate) fn on<E>(&self, action: Action) -> Callback<E> {
        self.act.reform(move |_| action.clone())
    }
}
