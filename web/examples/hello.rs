//! The least page that Yew makes: `cargo xtask bench start` builds it as the playground's page is
//! built, and compares.

use yew::prelude::*;

#[component]
fn Hello() -> Html {
    html! { <p id="hello">{ "Hello" }</p> }
}

fn main() {
    yew::Renderer::<Hello>::new().render();
}
