//! The page: it holds the state, and listens to the whole document.

use std::rc::Rc;

use chainwalk_core::input::edit::Edit;
use chainwalk_core::share::link;
use gloo::events::EventListener;
use gloo::file::callbacks::{FileReader, read_as_text};
use gloo::render::{AnimationFrame, request_animation_frame};
use gloo::timers::callback::Timeout;
use gloo::utils::document;
use yew::prelude::*;

use super::form::Form;
use super::header::Header;
use super::help::Help;
use super::left_out::unless_left_out;
use super::lessons::Lessons;
use super::list::COVERED;
use super::past::past;
use super::rules::rules;
use super::share::Share;
use super::verdict::verdict;
use super::walk::walk;
use crate::editing::Do;
use crate::intake::{self, Taken};
use crate::page::Page;
use crate::page_part::{self, Part};
use crate::recovery::{self, Restart};
use crate::state::{Action, State, Tab};
use crate::{browser, keep, lesson};

/// Larger texts are not taken, in bytes: a browser may have no memory for what they become.
const MOST: f64 = 100e6;

/// So long after the last action what is still to be worked out waits, in milliseconds: until the
/// action's effect is drawn.
const PAUSE: u32 = 30;

/// The number of parts that the page is made in when it opens. The first part is the answer, and
/// the browser draws it before the page makes the next one: all of them take a fifth of a second on
/// a slow machine.
const PARTS: u8 = 5;

/// Why a file was not taken.
const UNREAD: &str =
    "the file cannot be read: it may have been moved, or this browser may not look at it";

/// The whole page.
#[derive(Debug)]
pub(crate) struct App {
    state: Rc<State>,
    act: Callback<Action>,
    /// The number of parts that are made, at most [`PARTS`].
    parts: u8,
    /// Whether the next part is requested.
    next_part: Option<NextPart>,
    /// Whether the page opens with a lesson. The lesson then comes with the answer, which would
    /// move to the side otherwise.
    opens_lesson: bool,
    _listeners: Vec<EventListener>,
    /// The file that is being read: dropping this would stop it.
    reader: Option<FileReader>,
    /// Keeps the draft after a moment: dropping this would stop it.
    keeper: Option<Timeout>,
    /// Takes the next turn at what is still to be worked out: dropping this would stop it.
    worker: Option<Timeout>,
    /// A draft, or what a link holds, that did not come up the last time.
    offered: Option<String>,
    /// Why the page was started again, until that is read.
    restart: Restart,
    /// Whether changes replace the draft of earlier work.
    draft: Draft,
    /// What the browser would not do.
    notice: &'static str,
}

/// The request for the next part of the page. Dropping it cancels it.
#[derive(Debug)]
enum NextPart {
    /// After the next frame.
    Painted { _frame: AnimationFrame },
    /// In a task of its own.
    Soon { _task: Timeout },
}

/// Whether changes replace the draft of earlier work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Draft {
    /// Each change replaces it.
    Follows,
    /// A link was opened: the first change asks.
    Guarded,
    /// It was asked.
    Asked,
    /// It stays until the page is loaded again.
    Stays,
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
    /// The notice that the page was started again was read.
    RestartRead,
    /// The parts that were left out are wanted again.
    Whole,
    /// Changes replace the draft from now on, or never.
    Replace(bool),
    /// The draft is wanted in the place of what a link holds.
    LoadDraft,
}

impl Component for App {
    type Message = Message;
    type Properties = ();

    fn create(context: &Context<Self>) -> Self {
        let taken = context.link().callback(Message::Taken);
        let restart = recovery::begin();
        let panicked = |part| restart.parts.contains(&part);
        // A link goes before the draft, and leaves it as it is.
        let address = Some(intake::fragment()).filter(|fragment| fragment.len() > 1);
        let is_lesson = address
            .as_ref()
            .is_some_and(|address| address.starts_with(lesson::ADDRESS));
        // The address is that of the page before it stopped, or of the link that stopped it.
        let begins_again = !restart.work.is_empty() || panicked(Part::Opening);
        let is_stale = begins_again && (!is_lesson || panicked(Part::Lessons));
        if is_stale {
            browser::address("");
        }
        let link = address.filter(|_| !is_lesson || !is_stale);
        let link = Some(restart.work.clone())
            .filter(|work| !work.is_empty())
            .or(link);
        let guarded = link.as_deref().is_some_and(holds_other_rules);
        let draft = if link.is_some() { None } else { keep::draft() };
        let failed = browser::opening(draft.is_some()) && link.is_none();
        let opened = link.or(draft);
        let (offered, opened) = if failed || panicked(Part::Opening) {
            (opened, None)
        } else {
            (None, opened)
        };
        page_part::enter(Part::Opening);
        let state = Rc::<State>::default().reduce(Action::Link(opened.unwrap_or_default()));
        recovery::came(&state);
        Self {
            state,
            act: context.link().callback(Message::Act),
            parts: 1,
            next_part: None,
            opens_lesson: is_lesson,
            _listeners: intake::listen(&taken),
            reader: None,
            keeper: None,
            worker: None,
            offered,
            restart,
            draft: if guarded {
                Draft::Guarded
            } else {
                Draft::Follows
            },
            notice: "",
        }
    }

    fn update(&mut self, context: &Context<Self>, message: Message) -> bool {
        let action = match message {
            Message::Act(action) => action,
            Message::Part => {
                (self.parts, self.next_part) = (self.parts + 1, None);
                if self.parts == PARTS {
                    self.plan(context, PAUSE);
                    // What was drawn last has made the list lower.
                    if let Ok(Some(list)) = document().query_selector(".list") {
                        browser::follow(&list, COVERED);
                    }
                    // Behind the first paint: what came up once is no danger.
                    let up = || {
                        browser::opening(false);
                        recovery::settle();
                    };
                    Timeout::new(50, up).forget();
                }
                return true;
            }
            Message::Keep if self.draft == Draft::Guarded => {
                self.draft = Draft::Asked;
                return true;
            }
            Message::Keep if self.draft != Draft::Follows => return false,
            Message::Keep => {
                self.notice = keep::keep(&self.state).err().unwrap_or_default();
                return !self.notice.is_empty();
            }
            Message::Work => {
                page_part::enter(Part::Later);
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
            Message::RestartRead => {
                self.restart = Restart::default();
                return true;
            }
            Message::Whole => {
                recovery::start_whole(&self.state);
                return false;
            }
            Message::Replace(replace) => {
                self.draft = if replace {
                    Draft::Follows
                } else {
                    Draft::Stays
                };
                if replace {
                    self.notice = keep::keep(&self.state).err().unwrap_or_default();
                }
                return true;
            }
            Message::LoadDraft => {
                self.draft = Draft::Follows;
                Action::Link(keep::draft().unwrap_or_default())
            }
            Message::Taken(Taken::Text(text)) if text.len() as f64 > MOST => {
                too_large(text.len() as f64)
            }
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
                let Some(action) = crate::keys::action(&key, focus, self.state.shortcuts) else {
                    return false;
                };
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
        recovery::shown(&self.state);
        if self.parts < PARTS && self.next_part.is_none() {
            let part = context.link().callback(|()| Message::Part);
            let make = move || Timeout::new(0, move || part.emit(()));
            // A hidden page draws nothing.
            let is_painted = first && !document().hidden();
            self.next_part = Some(if is_painted {
                // The browser draws the frame right after this callback, so the task runs after it.
                let painted = move |_| {
                    make().forget();
                };
                NextPart::Painted {
                    _frame: request_animation_frame(painted),
                }
            } else {
                NextPart::Soon { _task: make() }
            });
        }
    }

    fn view(&self, context: &Context<Self>) -> Html {
        let page = Page {
            state: Rc::clone(&self.state),
            act: self.act.clone(),
        };
        let embed = page.state.embed.as_ref();
        html! {
            <div class="desk">
                if self.opens_lesson || self.parts > 4 {
                    <Lessons ..page.clone() />
                }
                <div
                    class={classes!("page", embed.map(|_| "embed"), page.state.paste.mesh.is_none().then_some("plain-rules"))}
                >
                    <Header ..page.clone() />
                    {self.notices(context)}
                    {verdict(&page)}
                    <main
                        class={classes!("columns", format!("show-{}", page.state.tab.key()))}
                        aria-busy={(self.parts < PARTS).then_some("true")}
                    >
                        if self.parts > 1 {
                            {unless_left_out(Part::Rules, || rules(&page))}
                        }
                        if self.parts > 2 {
                            {walk(&page)}
                        }
                        if self.parts > 3 {
                            {unless_left_out(Part::Packet, || {
                                html! { <Form ..page.clone() /> }
                            })}
                        }
                        if self.parts > 4 {
                            {unless_left_out(Part::Past, || past(&page))}
                        }
                    </main>
                    if let Some(fragment) = embed {
                        <footer class="onward">
                            <a href={format!("#{fragment}")} target="_blank" rel="noopener">
                                {"Open in Chainwalk"}
                            </a>
                        </footer>
                    }
                    if self.parts > 4 {
                        <Help ..page.clone() /><Share ..page.clone() />
                    }
                </div>
            </div>
        }
    }
}

impl App {
    /// Works on, in so many milliseconds, if there is anything to be worked out.
    fn plan(&mut self, context: &Context<Self>, pause: u32) {
        let work = context.link().callback(|()| Message::Work);
        let owes = self.state.owes() && !recovery::is_left_out(Part::Later);
        self.worker = owes.then(|| Timeout::new(pause, move || work.emit(())));
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
        // A link that is opened in the same page, such as by a click on it in another one.
        if let Action::Link(link) = &action
            && self.draft == Draft::Follows
            && holds_other_rules(link)
        {
            self.draft = Draft::Guarded;
        }
        let before = Rc::clone(&self.state);
        page_part::enter(
            matches!(action, Action::Stage(_) | Action::Leave).then_some(Part::Lessons),
        );
        self.state = Rc::clone(&self.state).reduce(action);
        recovery::came(&self.state);
        browser::tab(
            before.tab.key(),
            self.state.tab.key(),
            !Rc::ptr_eq(&before.original, &self.state.original),
        );
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
    fn notices(&self, context: &Context<Self>) -> Html {
        let choice = |id: &'static str, says: &'static str, message: fn() -> Message| {
            let onclick = context.link().callback(move |_: MouseEvent| message());
            html! { <button type="button" class="line" {id} {onclick}>{says}</button> }
        };
        let (says, buttons) = if let Some(offered) = &self.offered {
            let load = choice("draft-load", "Load it all the same", || {
                Message::Offered(true)
            });
            let leave = choice("draft-leave", "Leave it", || Message::Offered(false));
            let says = if self.restart.message.is_empty() {
                "The draft that this browser keeps did not come up the last time. This is the page without it."
            } else if offered.starts_with('#') {
                "What this link holds stopped the page. This is the page without it."
            } else {
                "Your last work stopped the page. This is the page without it."
            };
            (says.to_owned(), vec![load, leave])
        } else if !self.restart.message.is_empty() {
            let close = choice("restart-read", "Close", || Message::RestartRead);
            let whole = choice("restart-whole", "Show it again", || Message::Whole);
            match self.restart.parts.last() {
                Some(Part::Lessons) => (
                    "A lesson stopped the page. It is closed; your rules and packets are as they were.".into(),
                    vec![close],
                ),
                Some(part) if recovery::is_left_out(*part) => (
                    format!(
                        "The {} stopped the page and is left out. Your rules and packets are as they were.",
                        part.name()
                    ),
                    vec![whole, close],
                ),
                _ => (
                    "The page stopped and started again. Your rules and packets are as they were before.".into(),
                    vec![close],
                ),
            }
        } else if self.draft == Draft::Asked {
            let replace = choice("draft-replace", "Replace the draft", || {
                Message::Replace(true)
            });
            let stay = choice("draft-stay", "Keep the draft", || Message::Replace(false));
            let load = choice("draft-back", "Load the draft", || Message::LoadDraft);
            let says = "This browser keeps a draft of your earlier work. Changes to what this link holds would replace it.";
            (says.to_owned(), vec![replace, stay, load])
        } else if self.notice.is_empty() {
            return Html::default();
        } else {
            (
                self.notice.to_owned(),
                vec![choice("notice-read", "Close", || Message::Read)],
            )
        };
        let why = Some(&self.restart.message).filter(|why| !why.is_empty());
        html! {
            <div class="notice" role="alert">
                <p>{says}</p>
                {for buttons}
                if let Some(why) = why {
                    <details>
                        <summary>
                            {"What went wrong: a fault in Chainwalk, not in your rules"}
                        </summary>
                        <pre>{why}</pre>
                    </details>
                }
            </div>
        }
    }
}

/// Whether a link holds other rules than the draft that this browser keeps.
fn holds_other_rules(link: &str) -> bool {
    let text = |fragment: &str| {
        link::read_link(fragment)
            .ok()
            .flatten()
            .map(|shared| shared.text)
    };
    let Some(new) = text(link) else { return false };
    keep::draft().is_some_and(|draft| text(&draft).is_some_and(|old| old != new))
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
