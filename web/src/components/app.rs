//! The page: it holds the state, and listens to the whole document.

use std::rc::Rc;

use chainwalk_core::edit::Edit;
use gloo::events::EventListener;
use gloo::file::callbacks::{FileReader, read_as_text};
use gloo::timers::callback::Timeout;
use gloo::utils::document;
use yew::prelude::*;

use super::form::Form;
use super::header::Header;
use super::help::Help;
use super::lessons::Lessons;
use super::list::COVERED;
use super::past::past;
use super::rules::rules;
use super::share::Share;
use super::verdict::verdict;
use super::walk::walk;
use crate::editing::Do;
use crate::element::{Markup, button, nothing, tag};
use crate::intake::{self, Taken};
use crate::page::Page;
use crate::state::{Action, State, Tab};
use crate::{browser, keep, lesson};

/// Larger texts are not taken, in bytes: a browser may have no memory for what they become.
const MOST: f64 = 100e6;

/// So long after the last action what is still to be worked out waits, in milliseconds: until the action's effect is drawn.
const PAUSE: u32 = 30;

/// The parts of the page that come one after another when it opens, each drawn before the next: the first answers and shows the
/// rules, and a slow machine needs a fifth of a second for all of them.
const PARTS: u8 = 4;

/// Why a file was not taken.
const UNREAD: &str = "the file cannot be read: it may have been moved, or this browser may not look at it";

/// The whole page.
#[derive(Debug)]
pub(crate) struct App {
    state: Rc<State>,
    act: Callback<Action>,
    /// How many of the parts are there.
    parts: u8,
    /// Makes the next one: dropping this would stop it.
    part: Option<Timeout>,
    _listeners: Vec<EventListener>,
    /// The file that is being read: dropping this would stop it.
    reader: Option<FileReader>,
    /// Keeps the draft after a moment: dropping this would stop it.
    keeper: Option<Timeout>,
    /// Takes the next turn at what is still to be worked out: dropping this would stop it.
    worker: Option<Timeout>,
    /// A draft that did not come up the last time.
    offered: Option<String>,
    /// What the browser would not do.
    notice: &'static str,
}

/// What reaches the page.
#[derive(Debug)]
pub(crate) enum Message {
    /// From a component.
    Act(Action),
    /// From the document.
    Taken(Taken),
    /// The next part can be made.
    Part,
    /// The moment has come to keep the draft.
    Keep,
    /// The moment has come for a turn at what is still to be worked out.
    Work,
    /// The draft that was offered is wanted, or not.
    Offered(bool),
    /// The notice was read.
    Read,
}

impl Component for App {
    type Message = Message;
    type Properties = ();

    fn create(context: &Context<Self>) -> Self {
        let taken = context.link().callback(Message::Taken);
        // A link goes before the draft, and leaves it as it is.
        let link = Some(intake::fragment()).filter(|fragment| fragment.len() > 1);
        let draft = if link.is_some() { None } else { keep::draft() };
        let failed = browser::opening(draft.is_some());
        let (offered, draft) = if failed { (draft, None) } else { (None, draft) };
        Self {
            state: Rc::<State>::default().reduce(Action::Link(link.or(draft).unwrap_or_default())),
            act: context.link().callback(Message::Act),
            parts: 1,
            part: None,
            _listeners: intake::listen(&taken),
            reader: None,
            keeper: None,
            worker: None,
            offered,
            notice: "",
        }
    }

    fn update(&mut self, context: &Context<Self>, message: Message) -> bool {
        let action = match message {
            Message::Act(action) => action,
            Message::Part => {
                (self.parts, self.part) = (self.parts + 1, None);
                if self.parts == PARTS {
                    self.plan(context, PAUSE);
                    // What was drawn last has made the list lower.
                    if let Ok(Some(list)) = document().query_selector(".list") {
                        browser::follow(&list, COVERED);
                    }
                    // Behind the first paint: what came up once is no danger.
                    Timeout::new(50, || _ = browser::opening(false)).forget();
                }
                return true;
            }
            Message::Keep => {
                self.notice = keep::keep(&self.state).err().unwrap_or_default();
                return !self.notice.is_empty();
            }
            Message::Work => {
                let shows = self.state.work();
                if shows {
                    // Another state, so that it is shown.
                    self.state = Rc::new(State::clone(&self.state));
                }
                self.plan(context, 0);
                return shows;
            }
            Message::Offered(wanted) => match self.offered.take() {
                Some(draft) if wanted => Action::Link(draft),
                _ => return true,
            },
            Message::Read => {
                self.notice = "";
                return true;
            }
            Message::Taken(Taken::Text(text)) if text.len() as f64 > MOST => too_large(text.len() as f64),
            Message::Taken(Taken::Do(action)) => action,
            Message::Taken(Taken::Text(text)) => Action::Paste(text),
            Message::Taken(Taken::Link(fragment)) => Action::Link(fragment),
            Message::Taken(Taken::File(file)) if file.size() > MOST => too_large(file.size()),
            Message::Taken(Taken::File(file)) => {
                let done = context.link().callback(Message::Act);
                // Bytes that are no UTF-8 become replacement characters.
                let read = move |result: Result<String, _>| {
                    done.emit(result.map_or_else(|_| Action::Refuse(UNREAD.into()), Action::Paste));
                };
                self.reader = Some(read_as_text(&file.into(), read));
                return false;
            }
            Message::Taken(Taken::Key { key, focus, repeat }) => {
                let Some(action) = crate::keys::action(&key, focus, self.state.shortcuts) else { return false };
                if repeat && !self.state.held {
                    self.apply(context, Action::Held(true));
                }
                action
            }
            Message::Taken(Taken::Up) if self.state.held => Action::Held(false),
            Message::Taken(Taken::Up) => return false,
        };
        self.apply(context, action);
        true
    }

    fn rendered(&mut self, context: &Context<Self>, first: bool) {
        if first {
            browser::measure();
        }
        if self.parts < PARTS && self.part.is_none() {
            let part = context.link().callback(|()| Message::Part);
            self.part = Some(Timeout::new(0, move || part.emit(())));
        }
    }

    fn view(&self, context: &Context<Self>) -> Html {
        let page = Page { state: Rc::clone(&self.state), act: self.act.clone() };
        let embed = page.state.embed.as_ref();
        tag("div")
            .class("desk")
            .child(html! { <Lessons ..page.clone() /> })
            .child(
                tag("div")
                    .class("page")
                    .class(embed.map(|_| "embed"))
                    .class(page.state.paste.mesh.is_none().then_some("plain-rules"))
                    .child(html! { <Header ..page.clone() /> })
                    .child(self.notices(context))
                    .child(verdict(&page))
                    .child(
                        tag("main")
                            .class("columns")
                            .class(format!("show-{}", page.state.tab.key()))
                            .attr("aria-busy", (self.parts < PARTS).then_some("true"))
                            .child(rules(&page))
                            .child((self.parts > 1).then(|| walk(&page)))
                            .child((self.parts > 2).then(|| html! { <Form ..page.clone() /> }))
                            .child((self.parts > 3).then(|| past(&page))),
                    )
                    .child(embed.map(|fragment| {
                        tag("footer").class("onward").child(
                            tag("a")
                                .attr("href", format!("#{fragment}"))
                                .attr("target", "_blank")
                                .attr("rel", "noopener")
                                .text("Open in Chainwalk"),
                        )
                    }))
                    .child(html! { <Help ..page.clone() /> })
                    .child(html! { <Share ..page.clone() /> }),
            )
            .html()
    }
}

impl App {
    /// Works on, in so many milliseconds, if there is anything to be worked out.
    fn plan(&mut self, context: &Context<Self>, pause: u32) {
        let work = context.link().callback(|()| Message::Work);
        self.worker = self.state.owes().then(|| Timeout::new(pause, move || work.emit(())));
    }

    fn apply(&mut self, context: &Context<Self>, action: Action) {
        let opened = matches!(action, Action::Link(_));
        let onward = match &action {
            Action::Area(tab) => area(*tab),
            // The button is gone with its rule: what takes that back is the next best.
            Action::Rule(Do::Edit(Edit::Delete(_) | Edit::Off(_) | Edit::On(..))) => "#undo",
            _ => "",
        };
        if !onward.is_empty() {
            browser::show(onward, "nearest", true);
        }
        let before = Rc::clone(&self.state);
        self.state = Rc::clone(&self.state).reduce(action);
        browser::tab(before.tab.key(), self.state.tab.key(), !Rc::ptr_eq(&before.original, &self.state.original));
        self.plan(context, PAUSE);
        // A lesson's address stays true, whatever its reader tries out.
        let lesson = intake::fragment().starts_with(lesson::ADDRESS);
        if !opened && !lesson && !before.same_work(&self.state) {
            // What the address says is not what is shown any more.
            browser::address("");
            let keep = context.link().callback(|()| Message::Keep);
            self.keeper = Some(Timeout::new(300, move || keep.emit(())));
        }
    }

    /// What the browser would not do, and what to do about it.
    fn notices(&self, context: &Context<Self>) -> Markup {
        let choice = |id: &'static str, says: &'static str, message: fn() -> Message| {
            let onclick = context.link().callback(move |_: Event| message());
            button().class("line").id(id).on("click", onclick).child(says)
        };
        let (says, buttons) = if self.offered.is_some() {
            let load = choice("draft-load", "Load it all the same", || Message::Offered(true));
            let leave = choice("draft-leave", "Leave it", || Message::Offered(false));
            (
                "The draft that this browser keeps did not come up the last time. This is the page without it.",
                vec![load, leave],
            )
        } else if self.notice.is_empty() {
            return nothing();
        } else {
            (self.notice, vec![choice("notice-read", "Close", || Message::Read)])
        };
        tag("div").class("notice").attr("role", "alert").child(tag("p").child(says)).children(buttons)
    }
}

/// What of a part of the page the keyboard begins with.
fn area(tab: Tab) -> &'static str {
    match tab {
        Tab::Rules => "#pane-rules .scroll",
        Tab::Walk => "#step",
        Tab::Packet => "#pane-packet .scroll",
        Tab::Past => "#pane-past button",
    }
}

fn too_large(bytes: f64) -> Action {
    let megabytes = |bytes: f64| bytes as u64 / 1_000_000;
    let (has, most) = (megabytes(bytes), megabytes(MOST));
    Action::Refuse(format!(
        "this text has {has} MB, and this page reads up to {most} MB: give it the part that matters, such as one dump"
    ))
}

/// Moves the focus, once what was just asked for is on the page.
pub(super) fn focus(id: &str) {
    browser::show(&format!("#{id}"), "", true);
}
