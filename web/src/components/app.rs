//! The page: it holds the state, and listens to the whole document.

use std::rc::Rc;

use gloo::events::EventListener;
use gloo::file::callbacks::{FileReader, read_as_text};
use gloo::utils::document;
use wasm_bindgen::JsCast;
use web_sys::HtmlElement;
use yew::prelude::*;

use super::form::Form;
use super::header::Header;
use super::help::Help;
use super::past::past;
use super::rules::rules;
use super::verdict::verdict;
use super::walk::walk;
use crate::intake::{self, Taken};
use crate::page::Page;
use crate::state::{Action, State};

/// The whole page.
#[derive(Debug)]
pub(crate) struct App {
    state: Rc<State>,
    act: Callback<Action>,
    _listeners: Vec<EventListener>,
    /// The file that is being read: dropping this would stop it.
    reader: Option<FileReader>,
}

/// What reaches the page.
#[derive(Debug)]
pub(crate) enum Message {
    /// From a component.
    Act(Action),
    /// From the document.
    Taken(Taken),
}

impl Component for App {
    type Message = Message;
    type Properties = ();

    fn create(context: &Context<Self>) -> Self {
        let taken = context.link().callback(Message::Taken);
        Self {
            state: Rc::<State>::default().reduce(Action::Link(intake::fragment())),
            act: context.link().callback(Message::Act),
            _listeners: intake::listen(&taken),
            reader: None,
        }
    }

    fn update(&mut self, context: &Context<Self>, message: Message) -> bool {
        let action = match message {
            Message::Act(action) => action,
            Message::Taken(Taken::Text(text)) => Action::Paste(text),
            Message::Taken(Taken::Link(fragment)) => Action::Link(fragment),
            Message::Taken(Taken::File(file)) => {
                let done = context.link().callback(|text| Message::Act(Action::Paste(text)));
                // Bytes that are no UTF-8 become replacement characters; a file that cannot be read is an empty paste.
                let read = move |result: Result<String, _>| done.emit(result.unwrap_or_default());
                self.reader = Some(read_as_text(&file.into(), read));
                return false;
            }
            Message::Taken(Taken::Key { key, focus, repeat }) => {
                let Some(action) = crate::keys::action(&key, focus, self.state.shortcuts) else { return false };
                if repeat && !self.state.held {
                    self.apply(Action::Held(true));
                }
                action
            }
            Message::Taken(Taken::Up) if self.state.held => Action::Held(false),
            Message::Taken(Taken::Up) => return false,
        };
        self.apply(action);
        true
    }

    fn view(&self, _: &Context<Self>) -> Html {
        let page = Page { state: Rc::clone(&self.state), act: self.act.clone() };
        html! {
            <div class="page">
                <Header ..page.clone() />
                { verdict(&page) }
                <main class={classes!("columns", format!("show-{}", page.state.tab.key()))}>
                    { rules(&page) }
                    { walk(&page) }
                    <Form ..page.clone() />
                    { past(&page) }
                </main>
                <Help ..page.clone() />
            </div>
        }
    }
}

impl App {
    fn apply(&mut self, action: Action) {
        self.state = Rc::clone(&self.state).reduce(action);
    }
}

/// Moves the focus, once what was just asked for is on the page.
pub(super) fn focus(id: &str) {
    let id = id.to_owned();
    gloo::timers::callback::Timeout::new(0, move || {
        let element = document().get_element_by_id(&id).and_then(|element| element.dyn_into::<HtmlElement>().ok());
        if let Some(element) = element {
            // It fails only for what cannot have the focus.
            let _ = element.focus();
        }
    })
    .forget();
}
