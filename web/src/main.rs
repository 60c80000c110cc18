//! The playground's page: it shows the work that `chainwalk-session` holds, in a browser.
//!
//! # Layout
//! - `components`: one file for each part of the page; `dispatch`: their way to the state
//! - `reducers`: the state and the lessons of `chainwalk-session`, as Yew keeps them
//! - `recovery`, `page_part`: how the page starts again after a panic, and without which part
//! - `draft_storage`, `progress_storage`, `theme`: what the browser stores
//! - `input_events`, `browser`: the browser's input, and calls of the browser

mod browser;
mod components;
mod dispatch;
mod draft_storage;
mod input_events;
mod page_part;
mod progress_storage;
mod recovery;
mod reducers;
mod theme;

use std::rc::Rc;

use gloo::timers::callback::Timeout;
use wasm_bindgen::prelude::*;

use components::app::{App, AppProps, Opening};

#[wasm_bindgen]
extern "C" {
    /// The shell's fallback: it replaces the page with a message, without Yew (see
    /// `static/boot.js`).
    #[wasm_bindgen(js_name = chainwalkFault)]
    fn fault(message: &str);
}

fn main() {
    // Not `std::panic::set_hook`, because Yew would replace that hook.
    yew::set_custom_panic_hook(Box::new(|panic| fault(&panic.to_string())));
    let opening = Rc::new(Opening::new());
    // In a task of its own, so that the browser can handle events between reading and rendering.
    Timeout::new(0, || render(opening)).forget();
}

fn render(opening: Rc<Opening>) {
    let root = gloo::utils::document()
        .get_element_by_id("app")
        .expect("the shell has an element `app`");
    yew::Renderer::<App>::with_root_and_props(root, AppProps { opening }).render();
}
