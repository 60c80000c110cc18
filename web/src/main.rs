//! The playground's page: an adapter between `chainwalk-core` and a browser.
//!
//! # Layout
//! - `state`: everything the page shows, and what can happen to it; `paste`, `walked`, `lane`,
//!   `side`, `shelf`: what it is made of; `editing`, `history`: rules changed in place, and the way
//!   back
//! - `rows`, `pairs`, `cursor`: the rule list, the steps and the moves, as plain data
//! - `share`: what is shown, as a link, a file, a ticket, a trace, a script
//! - `lesson`, `progress`: the classroom beside the playground, which it tells what to show
//! - `recovery`, `page_part`: how the page starts again after a panic, and without which part
//! - `components`: one file for each part of the page; `keys`, `intake`, `theme`, `keep`,
//!   `browser`: what a browser gives and keeps

mod browser;
mod components;
mod cursor;
mod editing;
mod history;
mod intake;
mod keep;
mod keys;
mod lane;
mod lesson;
mod page;
mod page_part;
mod pairs;
mod paste;
mod progress;
mod recovery;
mod rows;
mod sample;
mod share;
mod shelf;
mod side;
mod state;
mod theme;
mod told;
mod walked;

use wasm_bindgen::prelude::*;

use components::app::App;

#[wasm_bindgen]
extern "C" {
    /// The shell's last resort: it replaces the page by a message, without Yew (see
    /// `static/boot.js`).
    #[wasm_bindgen(js_name = chainwalkFault)]
    fn fault(message: &str);
}

fn main() {
    // Not `std::panic::set_hook`: Yew would put its own in the place of that.
    yew::set_custom_panic_hook(Box::new(|panic| fault(&panic.to_string())));
    yew::Renderer::<App>::with_root(
        gloo::utils::document()
            .get_element_by_id("app")
            .expect("the shell has an element `app`"),
    )
    .render();
}
