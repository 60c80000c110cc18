//! Calls of the browser other than through Yew. `static/browser.js` makes them, and handles
//! refusals.

use wasm_bindgen::prelude::*;

#[wasm_bindgen]
extern "C" {
    /// A stored setting; empty without one.
    #[wasm_bindgen(js_name = chainwalkSetting)]
    pub(crate) fn setting(name: &str) -> String;

    /// Stores a setting, or removes it if the value is empty. Returns whether the browser allowed
    /// it.
    #[wasm_bindgen(js_name = chainwalkSet)]
    pub(crate) fn set(name: &str, value: &str) -> bool;

    /// The draft of this tab, or else the newest draft; empty without one.
    #[wasm_bindgen(js_name = chainwalkDraft)]
    pub(crate) fn draft() -> String;

    /// Stores this tab's draft, or removes all drafts if it is empty. Returns whether the browser
    /// allowed it.
    #[wasm_bindgen(js_name = chainwalkKeep)]
    pub(crate) fn keep(draft: &str) -> bool;

    /// Notes whether a draft is loading. Returns whether an earlier draft never finished loading.
    #[wasm_bindgen(js_name = chainwalkOpening)]
    pub(crate) fn opening(opening: bool) -> bool;

    /// The note of the page's last panic; empty without one. The second call returns nothing.
    #[wasm_bindgen(js_name = chainwalkRestarted)]
    pub(crate) fn restarted() -> String;

    /// Reloads the page with a note for its next start. Returns whether that is possible.
    #[wasm_bindgen(js_name = chainwalkRestart)]
    pub(crate) fn restart(note: &str) -> bool;

    /// Selects a field's text and copies it; `done` gets whether the browser allowed it.
    #[wasm_bindgen(js_name = chainwalkCopy)]
    pub(crate) fn copy(id: &str, done: &JsValue);

    /// Saves a text as a file.
    #[wasm_bindgen(js_name = chainwalkSave)]
    pub(crate) fn save(name: &str, media_type: &str, text: &str);

    /// Saves an SVG of the page as it looks now, as a self-contained file or as PNG.
    #[wasm_bindgen(js_name = chainwalkPicture)]
    pub(crate) fn picture(svg: &web_sys::Element, png: bool);

    /// Scrolls to the first matching element, after the page has rendered it. `block` is that of
    /// scrollIntoView; if it is empty, the focus scrolls. `focus`: the element gets the focus.
    #[wasm_bindgen(js_name = chainwalkShow)]
    pub(crate) fn show(selector: &str, sight: &str, focus: bool);

    /// Scrolls a list, after the page is complete, until the current row is visible below headings
    /// of that height.
    #[wasm_bindgen(js_name = chainwalkFollow)]
    pub(crate) fn follow(list: &web_sys::Element, covered: u32);

    /// The row of a list at the top of the visible part, out of `all`. It is -1 while the rows from
    /// `start` to `end` reach beyond that part. `height`: the height of a row that is not rendered,
    /// in pixels.
    #[wasm_bindgen(js_name = chainwalkRow)]
    pub(crate) fn row(
        list: &web_sys::Element,
        start: usize,
        end: usize,
        all: usize,
        height: usize,
    ) -> i32;

    /// Keeps the height of the answer and the top of the columns in properties of the style sheet.
    #[wasm_bindgen(js_name = chainwalkMeasure)]
    pub(crate) fn measure();

    /// Stores the scroll position of the current tab.
    #[wasm_bindgen(js_name = chainwalkLeaveTab)]
    pub(crate) fn leave_tab();

    /// On a narrow screen: restores the scroll position of this tab. A new tab, or a tab with new
    /// rules, begins at its top.
    #[wasm_bindgen(js_name = chainwalkEnterTab)]
    pub(crate) fn enter_tab(tab: &str, other_rules: bool);

    /// 16 random bytes.
    #[wasm_bindgen(js_name = chainwalkSecret)]
    pub(crate) fn secret() -> Vec<u8>;

    /// Sets the part after `#` of the address, or removes it if the link is empty.
    #[wasm_bindgen(js_name = chainwalkAddress)]
    pub(crate) fn address(fragment: &str);
}

/// Moves the focus to the element with this id, after the page has rendered it.
pub(crate) fn focus(id: &str) {
    show(&format!("#{id}"), "", true);
}
