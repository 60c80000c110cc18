//! The lessons of `static/lessons`, parsed as the page parses them.

use chainwalk_core::lesson::{self, Lesson, Source};

/// All lessons in order, by their names in addresses.
///
/// # Panics
/// If one is invalid.
pub fn all() -> Vec<(String, Lesson)> {
    const STATIC: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../static");
    let read = |name: String| std::fs::read_to_string(format!("{STATIC}/{name}")).ok();
    let library = |name: &str| -> Option<Source<'static>> {
        let host = read(format!("samples/{name}.host.json")).map(|host| &*host.leak());
        Some((read(format!("samples/{name}.txt"))?.leak(), host))
    };
    let files =
        std::fs::read_dir(format!("{STATIC}/lessons")).expect("there is a directory of lessons");
    let mut names: Vec<String> = files
        .map(|file| {
            file.expect("it can be listed")
                .file_name()
                .to_string_lossy()
                .into_owned()
        })
        .collect();
    names.sort();
    names
        .into_iter()
        .map(|name: String| {
            let text = read(format!("lessons/{name}")).expect("a lesson is text");
            let lesson = lesson::read_lesson(&text, &library)
                .unwrap_or_else(|fault| panic!("{name}:{fault}"));
            let short = name
                .trim_start_matches(|c: char| c.is_ascii_digit())
                .trim_start_matches('-');
            (short.trim_end_matches(".md").to_owned(), lesson)
        })
        .collect()
}
