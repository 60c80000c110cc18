//! The playground's page.

use wasm_bindgen::prelude::*;
use yew::prelude::*;

#[wasm_bindgen]
extern "C" {
    /// The shell's last resort: it replaces the page by a message, without Yew (see `static/boot.js`).
    #[wasm_bindgen(js_name = chainwalkFault)]
    fn fault(message: &str);
}

#[component]
fn App() -> Html {
    html! { <main><h1>{ "Chainwalk" }</h1></main> }
}

fn main() {
    // Not `std::panic::set_hook`: Yew would put its own in the place of that.
    yew::set_custom_panic_hook(Box::new(|panic| fault(&panic.to_string())));
    yew::Renderer::<App>::with_root(
        gloo::utils::document().get_element_by_id("app").expect("the shell has an element `app`"),
    )
    .render();
}
