//! The way from components to the state.

use chainwalk_session::state::Action;
use yew::prelude::*;

/// Sends actions to the state. It stays the same for the lifetime of the page.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Dispatch(Callback<Action>);

impl Dispatch {
    /// Sends actions to this callback.
    pub(crate) fn new(callback: Callback<Action>) -> Self {
        Self(callback)
    }

    /// Sends an action.
    pub(crate) fn emit(&self, action: Action) {
        self.0.emit(action);
    }

    /// A callback that sends this action at any event.
    pub(crate) fn on<E>(&self, action: Action) -> Callback<E> {
        self.0.reform(move |_| action.clone())
    }

    /// A callback that sends the action of each event.
    pub(crate) fn map<E>(&self, action: impl Fn(E) -> Action + 'static) -> Callback<E> {
        self.0.reform(action)
    }
}
