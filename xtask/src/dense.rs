//! What only people read is left out of what is given to others: comments, indentation, long names.

/// A script without indentation, empty lines and lines that are all comment. Line ends stay, so the meaning does.
///
/// Only for scripts without strings that go over several lines.
pub(crate) fn script(text: &str) -> String {
    lines(text, |line| !line.starts_with("//"))
}

/// A style sheet without comments and indentation.
pub(crate) fn style(text: &str) -> String {
    let mut kept = String::new();
    let mut rest = text;
    while let Some((before, comment)) = rest.split_once("/*") {
        kept += before;
        rest = comment.split_once("*/").map_or("", |(_, after)| after);
    }
    lines(&(kept + rest), |_| true)
}

fn lines(text: &str, keep: impl Fn(&str) -> bool) -> String {
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && keep(line));
    lines.flat_map(|line| [line, "\n"]).collect()
}

/// The bindings, after both sides have got short names for each other: theirs end in a hash each, which nothing packs.
pub(crate) fn bindings(output: &mut wasm_bindgen_cli_support::Output) -> String {
    let mut script = script(output.js());
    let wasm = output.wasm_mut();
    let imports = wasm.imports.iter_mut().map(|import| &mut import.name);
    let exports = wasm.exports.iter_mut().map(|export| &mut export.name);
    for (number, name) in imports.chain(exports).enumerate() {
        if has_hash(name) {
            let short = format!("_{number}");
            script = script.replace(name.as_str(), &short);
            *name = short;
        }
    }
    script
}

/// Whether a name ends as no other does: in sixteen digits of a hash.
fn has_hash(name: &str) -> bool {
    name.rsplit(['_', 'h'])
        .next()
        .is_some_and(|hash| hash.len() == 16 && hash.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_script_keeps_its_lines_and_its_strings() {
        assert_eq!(script("// why\n\n  let a = 'x  // y'; // z\n  b\n"), "let a = 'x  // y'; // z\nb\n");
    }

    #[test]
    fn a_style_sheet_loses_its_comments() {
        assert_eq!(style("/* a\n b */\np {\n  top: 0; /* c */\n}\n/*"), "p {\ntop: 0;\n}\n");
    }

    #[test]
    fn only_names_with_a_hash_are_shortened() {
        assert!(has_hash("__wbg_body_5f971cbc6950ca4f"));
        assert!(has_hash("wasm_bindgen__convert__closures_____invoke__h0be2b1f93525e651"));
        assert!(!has_hash("__wbindgen_malloc"));
        assert!(!has_hash("memory"));
    }
}
