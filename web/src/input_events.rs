//! Input from the browser: links, and keys, pastes and drops anywhere on the page.

use chainwalk_session::keys::{self, Focus};
use chainwalk_session::paste::MAX_EDITED_BYTES;
use chainwalk_session::state::Action;
use gloo::events::{EventListener, EventListenerOptions};
use gloo::utils::{document, window};
use wasm_bindgen::JsCast;
use web_sys::{
    ClipboardEvent, DragEvent, Element, Event, EventTarget, File, HtmlInputElement, KeyboardEvent,
};
use yew::Callback;

/// An input.
#[derive(Debug)]
pub(crate) enum InputEvent {
    /// A text.
    Text(String),
    /// A link's part after `#`.
    Link(String),
    /// A file that is not read yet.
    File(File),
    /// A key that may have an action.
    Key {
        /// Its name, as the browser gives it.
        key: String,
        /// The element with the focus.
        focus: Focus,
        /// Whether the key is held down.
        repeat: bool,
    },
    /// An action, whatever has the focus.
    Do(Action),
    /// A key went up.
    Up,
}

/// Listens on the whole document for as long as the result lives.
pub(crate) fn listen(taken: &Callback<InputEvent>) -> Vec<EventListener> {
    // Otherwise the browser refuses the drop, or opens the file instead of the page.
    vec![
        on("keydown", taken, key),
        on("keyup", taken, |_| Some(InputEvent::Up)),
        on("paste", taken, paste),
        on("dragover", taken, |event: &Event| {
            event.prevent_default();
            None
        }),
        on("drop", taken, drop),
        on("change", taken, chosen),
        on_link(taken),
    ]
}

/// The part after `#` of the page's current address.
pub(crate) fn fragment() -> String {
    // It fails only in a frame of another origin.
    window().location().hash().unwrap_or_default()
}

/// A user may open another link in the same page, which then does not reload.
fn on_link(taken: &Callback<InputEvent>) -> EventListener {
    let taken = taken.clone();
    EventListener::new(&window(), "hashchange", move |_| {
        taken.emit(InputEvent::Link(fragment()))
    })
}

fn on(
    kind: &'static str,
    taken: &Callback<InputEvent>,
    read: impl Fn(&Event) -> Option<InputEvent> + 'static,
) -> EventListener {
    let taken = taken.clone();
    EventListener::new_with_options(
        &document(),
        kind,
        EventListenerOptions::enable_prevent_default(),
        move |event| {
            if let Some(what) = read(event) {
                taken.emit(what);
            }
        },
    )
}

fn focus(target: Option<EventTarget>) -> Focus {
    let Some(element) = target.and_then(|target| target.dyn_into::<Element>().ok()) else {
        return Focus::Elsewhere;
    };
    match (
        &*element.tag_name(),
        element.get_attribute("role").as_deref(),
    ) {
        ("INPUT", _) => match &*element.unchecked_into::<HtmlInputElement>().type_() {
            "range" => Focus::Moving,
            "checkbox" | "button" | "file" => Focus::Elsewhere,
            _ => Focus::Typing,
        },
        ("TEXTAREA" | "SELECT", _) => Focus::Typing,
        (_, Some("tab")) => Focus::Moving,
        _ => Focus::Elsewhere,
    }
}

fn key(event: &Event) -> Option<InputEvent> {
    let event: &KeyboardEvent = event.unchecked_ref();
    if event.alt_key() || is_in_dialog(event.target()) {
        return None;
    }
    let (key, focus) = (event.key(), focus(event.target()));
    if event.ctrl_key() || event.meta_key() {
        let action = keys::with_control(&key, event.shift_key(), focus)?;
        event.prevent_default();
        return Some(InputEvent::Do(action));
    }
    keys::action(&key, focus, true)?;
    event.prevent_default();
    Some(InputEvent::Key {
        key,
        focus,
        repeat: event.repeat(),
    })
}

fn is_in_dialog(target: Option<EventTarget>) -> bool {
    let element = target.and_then(|target| target.dyn_into::<Element>().ok());
    element.is_some_and(|element| {
        element
            .closest("dialog")
            .is_ok_and(|dialog| dialog.is_some())
    })
}

/// Whether the field is read-only.
fn is_readonly(target: Option<EventTarget>) -> bool {
    target
        .and_then(|target| target.dyn_into::<Element>().ok())
        .is_some_and(|field| field.has_attribute("readonly"))
}

/// A paste into a field belongs to the field, unless the text is too long for it.
fn paste(event: &Event) -> Option<InputEvent> {
    let event: &ClipboardEvent = event.unchecked_ref();
    let text = event
        .clipboard_data()?
        .get_data("text/plain")
        .unwrap_or_default();
    if focus(event.target()) == Focus::Typing
        && !is_readonly(event.target())
        && text.len() <= MAX_EDITED_BYTES
    {
        return None;
    }
    event.prevent_default();
    Some(InputEvent::Text(text))
}

/// A file that was chosen in a dialog.
fn chosen(event: &Event) -> Option<InputEvent> {
    let field = event.target()?.dyn_into::<HtmlInputElement>().ok()?;
    let file = field.files()?.get(0)?;
    // The user can then choose the same file again.
    field.set_value("");
    Some(InputEvent::File(file))
}

fn drop(event: &Event) -> Option<InputEvent> {
    let event: &DragEvent = event.unchecked_ref();
    event.prevent_default();
    let data = event.data_transfer()?;
    match data.files().and_then(|files| files.get(0)) {
        Some(file) => Some(InputEvent::File(file)),
        None => data.get_data("text/plain").ok().map(InputEvent::Text),
    }
}
