//! The playground's page: an adapter between `chainwalk-core` and a browser.
//!
//! # Layout
//! - `state`: the workspace, the view and the results; each action, and what it changes
//! - `paste`, `packet_slot`, `saved_packets`, `side`, `editing`, `history`: the parts of a workspace
//! - `walked`, `packet_analysis`, `analysis_queue`: the results, computed at once or by the idle queue
//! - `rows`, `pairs`, `cursor`: the rule list, the list of steps and the moves between steps, as data
//! - `share`: the work as a link, a file, a ticket, a trace or a script
//! - `lesson`, `lesson_progress`: the lessons, and what was done in them
//! - `recovery`, `page_part`: how the page starts again after a panic, and without which part
//! - `components`: one file for each part of the page; `dispatch`: their way to the state
//! - `keys`, `input_events`, `theme`, `draft_storage`, `browser`: calls of the browser, and its input

mod analysis_queue;
mod browser;
mod components;
mod cursor;
mod dispatch;
mod draft_storage;
mod editing;
mod history;
mod input_events;
mod keys;
mod lesson;
mod lesson_progress;
mod packet_analysis;
mod packet_slot;
mod page_part;
mod pairs;
mod paste;
mod recovery;
mod rows;
mod sample;
mod saved_packets;
mod share;
mod side;
mod state;
mod theme;
mod walked;

use wasm_bindgen::prelude::*;

use components::app::App;

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
    yew::Renderer::<App>::with_root(
        gloo::utils::document()
            .get_element_by_id("app")
            .expect("the shell has an element `app`"),
    )
    .render();
}
