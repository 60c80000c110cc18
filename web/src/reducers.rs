//! The state and the lessons, as Yew keeps them.

use std::ops::Deref;
use std::rc::Rc;

use chainwalk_session::lesson::{Classroom, LessonAction};
use chainwalk_session::state::{Action, State};
use yew::Reducible;

use crate::page_part::{self, PagePart};

/// The state of the page.
#[derive(Debug, Default)]
pub(crate) struct PageState(pub(crate) Rc<State>);

impl Deref for PageState {
    type Target = State;

    fn deref(&self) -> &State {
        &self.0
    }
}

impl Reducible for PageState {
    type Action = Action;

    fn reduce(self: Rc<Self>, action: Action) -> Rc<Self> {
        let Some(part) = computing_part(&action) else {
            return Rc::new(Self(Rc::clone(&self.0).reduce(action)));
        };
        page_part::enter(part);
        let after = Self(Rc::clone(&self.0).reduce(action));
        page_part::enter(None);
        Rc::new(after)
    }
}

/// The optional part of the page that computes the effect of an action.
fn computing_part(action: &Action) -> Option<PagePart> {
    matches!(action, Action::Stage(_) | Action::Leave).then_some(PagePart::Lessons)
}

/// The state of the lessons.
#[derive(Debug)]
pub(crate) struct LessonsState(pub(crate) Rc<Classroom>);

impl Deref for LessonsState {
    type Target = Classroom;

    fn deref(&self) -> &Classroom {
        &self.0
    }
}

impl Reducible for LessonsState {
    type Action = LessonAction;

    fn reduce(self: Rc<Self>, action: LessonAction) -> Rc<Self> {
        page_part::enter(PagePart::Lessons);
        let after = Self(Rc::clone(&self.0).reduce(action));
        page_part::enter(None);
        Rc::new(after)
    }
}
