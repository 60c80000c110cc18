//! The panel of the lessons: the list and the open lesson, with their effects on the page and the
//! address.

use chainwalk_session::exercise;
use chainwalk_session::lesson::{ADDRESS, Classroom, Entry, LessonAction, Part, Shown};
use chainwalk_session::state::{Action, Tab, Version, Workspace};
use std::rc::Rc;

use gloo::events::EventListener;
use gloo::file::callbacks::{FileReader, read_as_text};
use gloo::utils::{body, window};
use wasm_bindgen::JsCast;
use wasm_bindgen::prelude::*;
use web_sys::HtmlInputElement;
use yew::prelude::*;

use super::lesson;
use crate::dispatch::Dispatch;
use crate::page_part;
use crate::reducers::LessonsState;
use crate::{browser, input_events, progress_storage};

#[wasm_bindgen]
extern "C" {
    /// Calls back with the text of all lessons, or with an empty text and the error (see
    /// `static/boot.js`).
    #[wasm_bindgen(js_name = chainwalkLessons)]
    fn load(done: &JsValue);
}

/// The props of [`Lessons`].
#[derive(Clone, PartialEq, Properties)]
pub(super) struct LessonsProps {
    pub(super) workspace: Version<Workspace>,
    pub(super) act: Dispatch,
}

/// The panel of the lessons.
#[component]
pub(super) fn Lessons(props: &LessonsProps) -> Html {
    page_part::enter(page_part::PagePart::Lessons);
    let room = use_reducer(|| LessonsState(Rc::new(Classroom::new(progress_storage::load()))));
    let tell = {
        let dispatcher = room.dispatcher();
        Callback::from(move |event| {
            // The reply may be outside the visible part of the panel.
            let said = match &event {
                LessonAction::Choose(choice) => format!("[data-choice='{choice}'] + div"),
                LessonAction::Hint => ".hints > :last-child".into(),
                LessonAction::GiveUp => ".ask .right, #lesson-judged ~ ul".into(),
                LessonAction::Judged(_) => "#lesson-judged".into(),
                _ => String::new(),
            };
            if !said.is_empty() {
                browser::show(&said, "nearest", false);
            }
            dispatcher.dispatch(event);
        })
    };
    use_effect_with((), {
        let tell = tell.clone();
        move |()| {
            let address = move || tell.emit(LessonAction::Address(input_events::fragment()));
            address();
            let listener = EventListener::new(&window(), "hashchange", move |_| address());
            move || drop(listener)
        }
    });
    let shown = room.shown();
    use_effect_with(shown != Shown::Closed && room.entries.is_none(), {
        let tell = tell.clone();
        move |wanted| {
            if *wanted {
                load(&Closure::once_into_js(
                    move |text: String, fault: String| {
                        tell.emit(if fault.is_empty() {
                            LessonAction::Loaded(text)
                        } else {
                            LessonAction::Missing(fault)
                        });
                    },
                ));
            }
        }
    });
    use_effect_with(room.progress.clone(), progress_storage::store);
    // The same address can name another lesson from a file.
    let which = room.result().map(std::ptr::from_ref);
    use_effect_with((shown, room.hides(), which), {
        let (room, act) = (room.clone(), props.act.clone());
        move |(shown, hides, _)| {
            // A lesson from a file has no address.
            if room.address.starts_with(ADDRESS) && input_events::fragment() != room.address {
                let _ = window().location().set_hash(&room.address);
            }
            // The address shows a waiting test that the step is shown.
            mark(
                "learning",
                (*shown != Shown::Closed).then_some(&room.address),
            );
            mark("asking", hides.then_some(""));
            if let Some(stage) = room.stage() {
                act.emit(Action::Stage(Box::new(stage)));
                let about_packet = room.is_about_the_packet();
                act.emit(Action::Tab(if about_packet {
                    Tab::Packet
                } else {
                    Tab::Rules
                }));
                if !about_packet {
                    // The previous step may have scrolled to the form.
                    browser::show(".top", "end", false);
                }
            }
        }
    });
    use_effect_with(shown, {
        let act = props.act.clone();
        move |shown| match shown {
            Shown::Closed => act.emit(Action::Leave),
            _ => browser::focus("lesson-title"),
        }
    });
    match shown {
        Shown::Closed => Html::default(),
        Shown::List => frame("Lessons", &room, list(&room, &tell)),
        Shown::Lesson(place, part) => match (room.result(), part) {
            (None, _) => Html::default(),
            (Some(Err(fault)), _) => {
                let says = format!("This lesson cannot be shown. Line {fault}");
                frame(
                    "Lesson",
                    &room,
                    html! { <p class="wrong" role="alert">{says}</p> },
                )
            }
            (Some(Ok(_)), Part::Handout) => frame("Handout", &room, lesson::handout(props, &room)),
            (Some(Ok(_)), Part::Step(step)) => {
                let next = room
                    .entries
                    .as_ref()
                    .and_then(|entries| entries.get(place + 1));
                let name = room
                    .entries
                    .as_ref()
                    .map_or("", |entries| &entries[place].name);
                frame(
                    "Lesson",
                    &room,
                    lesson::step(props, &room, &tell, (name, step), next),
                )
            }
        },
    }
}

/// Sets an attribute for the style sheet, or removes it.
fn mark(what: &str, value: Option<&str>) {
    let name = format!("data-{what}");
    // Neither can fail: the names are valid.
    let _ = match value {
        Some(value) => body().set_attribute(&name, value),
        None => body().remove_attribute(&name),
    };
}

fn frame(name: &'static str, room: &Classroom, inside: Html) -> Html {
    let handout = name == "Handout";
    // A handout hides the playground and its headings.
    let name_of = if handout { "main" } else { "aside" };
    let fold = Callback::from(|_: MouseEvent| {
        let folded = body().has_attribute("data-folded");
        mark("folded", (!folded).then_some(""));
    });
    html! {
        <@{name_of}
            class={classes!("reader", room.trainer.then_some("trainer"), handout.then_some("handout"))}
            id="lesson"
            aria-label={name}
        >
            <nav class="head" aria-label="Lessons">
                <a class="link" href="#lessons">{"All lessons"}</a>
                <span class="space"></span>
                <button
                    type="button"
                    class="plain fold-reader"
                    aria-label="Fold or unfold the lesson"
                    onclick={fold}
                >
                    {"↕"}
                </button>
                <a
                    class="plain"
                    id="lesson-close"
                    href="#"
                    aria-label="Close the lessons"
                    title="Close the lessons"
                >
                    {"✕"}
                </a>
            </nav>
            if !room.fault.is_empty() {
                <p class="wrong" role="alert">{&room.fault}</p>
            }
            <div class="lesson">{inside}</div>
        </@>
    }
}

fn list(room: &Classroom, tell: &Callback<LessonAction>) -> Html {
    let entries = room.entries.as_ref().map_or(&[][..], |entries| entries);
    let address = format!(
        "data:text/plain;charset=utf-8,{}",
        room.progress
            .to_file()
            .replace('\n', "%0A")
            .replace(' ', "%20")
    );
    let reset = tell.reform(|_: MouseEvent| LessonAction::Reset);
    html! {
        <>
            <h2 id="lesson-title" tabindex="-1">{"Lessons"}</h2>
            <p>{exercise::describe_lessons(entries)}</p>
            if room.entries.is_none() && room.fault.is_empty() {
                <p role="status">{"Loading…"}</p>
            }
            <ol class="all">{for entries.iter().map(|entry| row(room, entry))}</ol>
            <Open tell={tell.clone()} />
            if !room.progress.is_empty() {
                <p class="row-of">
                    <a
                        class="link"
                        id="progress-save"
                        download="chainwalk-progress.txt"
                        href={address}
                    >
                        {"Save my progress"}
                    </a>
                    <button type="button" class="link" id="progress-reset" onclick={reset}>
                        {"Reset my progress"}
                    </button>
                </p>
            }
        </>
    }
}

fn row(room: &Classroom, entry: &Entry) -> Html {
    match &entry.head {
        Ok(head) => html! {
            <li>
                <a href={format!("{ADDRESS}/{}", entry.name)}>{&head.title}</a>
                <span class="quiet">
                    {format!(" {} min", head.minutes)}
                    <b>{room.describe_progress(entry)}</b>
                </span>
                <p class="quiet">{&head.about}</p>
            </li>
        },
        Err(fault) => html! { <li class="wrong">{format!("{}: {fault}", entry.name)}</li> },
    }
}

#[derive(Properties, PartialEq)]
struct OpenProps {
    tell: Callback<LessonAction>,
}

/// Opens a file with a lesson or with saved progress.
#[component]
fn Open(props: &OpenProps) -> Html {
    page_part::enter(page_part::PagePart::Lessons);
    // The file reader; dropping it cancels the read.
    let reader = use_mut_ref(|| None::<FileReader>);
    let onchange = {
        let tell = props.tell.clone();
        Callback::from(move |event: web_sys::Event| {
            let input = event
                .target()
                .and_then(|target| target.dyn_into::<HtmlInputElement>().ok());
            let Some(file) = input
                .as_ref()
                .and_then(HtmlInputElement::files)
                .and_then(|files| files.get(0))
            else {
                return;
            };
            let tell = tell.clone();
            // An unreadable file counts as empty, and is rejected with the reason.
            *reader.borrow_mut() = Some(read_as_text(
                &file.into(),
                move |text: Result<String, _>| {
                    tell.emit(LessonAction::File(text.unwrap_or_default()))
                },
            ));
            // The user can open the same file again after a correction.
            if let Some(input) = input {
                input.set_value("");
            }
        })
    };
    html! {
        <label class="open">
            {"Open a lesson of your own, or a saved progress: "}
            <input
                type="file"
                id="lesson-file"
                accept=".md,.txt,text/plain,text/markdown"
                {onchange}
            />
        </label>
    }
}
