//! Calls of the browser beyond its document. `static/browser.js` makes them, and handles a refusal.

use wasm_bindgen::prelude::*;

#[wasm_bindgen]
extern "C" {
    /// A setting that was kept; empty where there is none.
    #[wasm_bindgen(js_name = chainwalkSetting)]
    pub(crate) fn setting(name: &str) -> String;

    /// Keeps a setting, or forgets it where the value is empty; says whether the browser let it.
    #[wasm_bindgen(js_name = chainwalkSet)]
    pub(crate) fn set(name: &str, value: &str) -> bool;

    /// The draft of this tab, or else the newest of any; empty where there is none.
    #[wasm_bindgen(js_name = chainwalkDraft)]
    pub(crate) fn draft() -> String;

    /// Keeps this tab's draft, or forgets all where it is empty; says whether the browser let it.
    #[wasm_bindgen(js_name = chainwalkKeep)]
    pub(crate) fn keep(draft: &str) -> bool;

    /// Notes whether a draft is coming up; says whether one was and never did.
    #[wasm_bindgen(js_name = chainwalkOpening)]
    pub(crate) fn opening(opening: bool) -> bool;

    /// The note that the page left when it stopped; empty if it did not stop. The second call
    /// returns nothing.
    #[wasm_bindgen(js_name = chainwalkRestarted)]
    pub(crate) fn restarted() -> String;

    /// Loads the page again, and lets it know this; says whether that can be.
    #[wasm_bindgen(js_name = chainwalkRestart)]
    pub(crate) fn restart(note: &str) -> bool;

    /// Selects a field's text and copies it; `done` hears whether the browser let it.
    #[wasm_bindgen(js_name = chainwalkCopy)]
    pub(crate) fn copy(id: &str, done: &JsValue);

    /// Gives a text to the reader as a file.
    #[wasm_bindgen(js_name = chainwalkSave)]
    pub(crate) fn save(name: &str, media_type: &str, text: &str);

    /// Gives an SVG of the page to the reader, as it looks now: as a file that needs nothing of the
    /// page, or as PNG.
    #[wasm_bindgen(js_name = chainwalkPicture)]
    pub(crate) fn picture(svg: &web_sys::Element, png: bool);

    /// Brings the first such element into sight, once what was just asked for is on the page: as
    /// `block` of scrollIntoView says, or as the focus does where that is empty. `focus`: it
    /// gets that, too.
    #[wasm_bindgen(js_name = chainwalkShow)]
    pub(crate) fn show(selector: &str, sight: &str, focus: bool);

    /// Scrolls a list within itself, once the page is whole, until the row at hand is in sight,
    /// below headings of that height.
    #[wasm_bindgen(js_name = chainwalkFollow)]
    pub(crate) fn follow(list: &web_sys::Element, covered: u32);

    /// Which of `all` rows of a list is at the top of what is in sight, where the made ones, from
    /// `start` to `end`, end near that; else -1. `height`: what a row takes that is not made,
    /// in pixels.
    #[wasm_bindgen(js_name = chainwalkRow)]
    pub(crate) fn row(
        list: &web_sys::Element,
        start: usize,
        end: usize,
        all: usize,
        height: usize,
    ) -> i32;

    /// Tells the style sheet from now on how high the answer is, and where the columns begin.
    #[wasm_bindgen(js_name = chainwalkMeasure)]
    pub(crate) fn measure();

    /// Notes where the tab that is shown is scrolled to.
    #[wasm_bindgen(js_name = chainwalkLeaveTab)]
    pub(crate) fn leave_tab();

    /// On a narrow screen: scrolls to where this tab was left, or to its top where it was never
    /// shown, or where the rules are others.
    #[wasm_bindgen(js_name = chainwalkEnterTab)]
    pub(crate) fn enter_tab(tab: &str, other_rules: bool);

    /// 16 random bytes.
    #[wasm_bindgen(js_name = chainwalkSecret)]
    pub(crate) fn secret() -> Vec<u8>;

    /// Puts a link's part after `#` into the address, or removes it where it is empty.
    #[wasm_bindgen(js_name = chainwalkAddress)]
    pub(crate) fn address(fragment: &str);
}

/// Moves the focus to the element with this id, once what was just asked for is on the page.
pub(crate) fn focus(id: &str) {
    show(&format!("#{id}"), "", true);
}
