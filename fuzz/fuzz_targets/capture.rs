//! Any text, usually the JSON of a capture, is parsed and shown.

#![no_main]

use chainwalk_fuzz::{Wishes, ask_text};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    if text.contains('{') {
        ask_text(text, Wishes::default());
    }
});
