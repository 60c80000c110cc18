//! The HTML around the app: fills in `static/index.html`, for hosting and as one file, each with
//! its Content-Security-Policy.

use std::{fs, io::Write, path::Path};

use anyhow::{Context, Result, ensure};
use base64::{Engine, prelude::BASE64_STANDARD};
use flate2::{Compression, write::GzEncoder};
use sha2::{Digest, Sha256};

use crate::{lessons, page::BuiltPage};

/// The files of `static/` that both pages share.
pub(crate) struct Shell {
    template: String,
    /// The style of the page before the app starts: `shell.css`.
    style: String,
    /// The script that starts the app and reports a failure: `boot.js`.
    boot: String,
    /// All other style sheets and scripts, which belong to the app.
    app_style: String,
    app_script: String,
    lessons: String,
}

/// A file of the hosted page: its name without a directory, and its content.
pub(crate) type File = (String, Vec<u8>);

impl Shell {
    /// Reads the shell from the directory `static/`.
    pub(crate) fn from_directory(directory: &Path) -> Result<Self> {
        let read = |path: &Path| {
            fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))
        };
        let mut files = Vec::new();
        for entry in directory
            .read_dir()
            .with_context(|| format!("cannot read {}", directory.display()))?
        {
            files.push(entry?.path());
        }
        files.sort();
        let joined = |kind: &str, first: &str| {
            let others = files
                .iter()
                .filter(|path| path.extension().is_some_and(|extension| extension == kind));
            others
                .filter(|path| !path.ends_with(first))
                .map(|path| read(path))
                .collect::<Result<String>>()
        };
        Ok(Self {
            template: read(&directory.join("index.html"))?,
            style: read(&directory.join("shell.css"))?,
            boot: read(&directory.join("boot.js"))?,
            app_style: joined("css", "shell.css")?,
            app_script: joined("js", "boot.js")?,
            lessons: lessons::bundle(&directory.join("lessons"))?,
        })
    }

    /// The page for a web server: `index.html` and its files. Their names contain a hash of the
    /// content, so browsers can cache them forever. All addresses are relative, so the page works
    /// under any path. `scripts` are further files to load.
    pub(crate) fn hosted(&self, page: &BuiltPage, scripts: &[(&str, &str)]) -> Result<Vec<File>> {
        let policy = policy("'self'", "'self' 'unsafe-inline'", "'self'");
        let mut files = vec![
            hashed(
                "style",
                "css",
                [&*self.style, &*self.app_style].concat().as_bytes(),
            ),
            // `boot.js` comes first, so that it sees errors of the other scripts.
            hashed(
                "boot",
                "js",
                [&*self.boot, &*self.app_script].concat().as_bytes(),
            ),
            hashed("chainwalk", "js", page.bindings.as_bytes()),
            hashed("chainwalk", "wasm", &page.wasm),
            // Loaded only when a user opens a lesson.
            hashed("lessons", "txt", self.lessons.as_bytes()),
        ];
        let [style, boot, bindings, wasm, lessons] =
            [0, 1, 2, 3, 4].map(|file| files[file].0.as_str());
        let mut tags = format!("<script src=\"{bindings}\"></script>");
        for (name, _) in scripts {
            tags += &format!("\n<script src=\"{name}\"></script>");
        }
        // `boot.js` is in the head. It requests the WebAssembly at once, and it sees errors of
        // everything after it.
        let head = format!(
            "<script src=\"{boot}\" data-wasm=\"{wasm}\" data-lessons=\"{lessons}\"></script>\n<link rel=\"stylesheet\" href=\"{style}\">"
        );
        let index = self.fill(&policy, &head, &tags)?;
        files.extend(
            scripts
                .iter()
                .map(|(name, script)| (name.to_string(), script.as_bytes().to_vec())),
        );
        files.push(("index.html".to_owned(), index.into_bytes()));
        Ok(files)
    }

    /// The page in one file, which works from `file://`. It contains everything, and its policy
    /// permits no request.
    pub(crate) fn one_file(&self, page: &BuiltPage) -> Result<String> {
        let style = [&*self.style, &*self.app_style].concat();
        ensure!(
            !style.contains("</style"),
            "a stylesheet must not contain </style: the element would end there"
        );
        let boot = inside_script(&self.boot);
        let app = inside_script(&[&*self.app_script, &*page.bindings].concat());
        let hashes = format!("'sha256-{}' 'sha256-{}'", hash(&boot), hash(&app));
        // The WebAssembly is last. An incomplete download always damages it, and `boot.js` reports
        // that.
        let blocks = [("lessons", self.lessons.as_bytes()), ("wasm", &page.wasm)];
        let blocks = blocks
            .map(|(name, content)| data_block(name, content))
            .join("\n");
        self.fill(
            &policy(&hashes, "'unsafe-inline'", "'none'"),
            &format!("<script>{boot}</script>\n<style>\n{style}</style>"),
            &format!("<script>{app}</script>\n{blocks}"),
        )
    }

    fn fill(&self, policy: &str, head: &str, scripts: &str) -> Result<String> {
        let mut filled = without_comments(&self.template);
        for (mark, text) in [("%CSP%", policy), ("%HEAD%", head), ("%SCRIPTS%", scripts)] {
            let (before, after) = filled
                .split_once(mark)
                .with_context(|| format!("the shell lacks {mark}"))?;
            filled = [before, text, after].concat();
        }
        Ok(filled)
    }
}

/// The Content-Security-Policy: only named sources may be loaded, and only named addresses may be
/// contacted. `style=` attributes require `'unsafe-inline'`, and a map that is saved as an image
/// requires `blob:`.
fn policy(scripts: &str, styles: &str, connections: &str) -> String {
    format!(
        "default-src 'none'; script-src {scripts} 'wasm-unsafe-eval'; style-src {styles}; img-src data: blob:; \
         connect-src {connections}; base-uri 'none'; form-action 'none'"
    )
}

/// A file with a hash of its content in the name.
fn hashed(stem: &str, extension: &str, content: &[u8]) -> File {
    let hash: String = Sha256::digest(content)
        .iter()
        .take(8)
        .map(|byte| format!("{byte:02x}"))
        .collect();
    (format!("{stem}-{hash}.{extension}"), content.to_vec())
}

/// An element that contains `content` as gzip in base64. Browsers do not execute a script of this
/// type, and the policy ignores it.
pub(crate) fn data_block(name: &str, content: &[u8]) -> String {
    let content = BASE64_STANDARD.encode(gzip(content));
    format!("<script type=\"application/gzip\" id=\"chainwalk-{name}\">{content}</script>")
}

/// The hash of an inline script for a policy.
fn hash(script: &str) -> String {
    BASE64_STANDARD.encode(Sha256::digest(script))
}

/// Escapes a script so that an HTML parser does not end it early. In JavaScript's strings,
/// templates, patterns and comments, `\/` and `\!` mean `/` and `!`. Bindings and `boot.js` contain
/// these sequences nowhere else.
pub(crate) fn inside_script(script: &str) -> String {
    script
        .replace("</script", "<\\/script")
        .replace("<!--", "<\\!--")
}

/// HTML without its comments.
fn without_comments(html: &str) -> String {
    let mut kept = String::new();
    let mut rest = html;
    while let Some((before, comment)) = rest.split_once("<!--") {
        kept += before;
        // A line that contained only a comment is removed.
        rest = comment
            .split_once("-->")
            .map_or("", |(_, after)| after.strip_prefix('\n').unwrap_or(after));
    }
    kept + rest
}

/// Compresses at the best level of gzip.
pub(crate) fn gzip(content: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder
        .write_all(content)
        .and_then(|()| encoder.finish())
        .expect("writing into memory does not fail")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(template: &str) -> Shell {
        Shell {
            template: template.to_owned(),
            style: "p{}".to_owned(),
            boot: "start()".to_owned(),
            app_style: "b{}".to_owned(),
            app_script: "ask()\n".to_owned(),
            lessons: "lessons".to_owned(),
        }
    }

    fn page() -> BuiltPage {
        BuiltPage {
            bindings: "let wasm_bindgen;".to_owned(),
            wasm: b"\0asm".to_vec(),
        }
    }

    const TEMPLATE: &str =
        "<!-- %CSP% is a policy -->\n<meta content=\"%CSP%\">%HEAD%<p></p>%SCRIPTS%";

    #[test]
    fn a_policy_names_the_hash_of_each_inline_script() {
        let html = shell(TEMPLATE).one_file(&page()).unwrap();
        // The value comes from printf 'start()' | openssl dgst -sha256 -binary | base64, and that
        // of the app's script and bindings in one text from the same command.
        assert!(html.contains("script-src 'sha256-DIm7WJS6ZKDYe5qFLPy+h4JFI9Bol5QmYC57mt3Fb00=' 'sha256-Od+jXuTJdJymIsCGN+NsKVIq92vUjEzG8BRvjQKPM9k=' 'wasm-unsafe-eval';"), "{html}");
        assert!(html.contains("connect-src 'none'"));
        assert!(html.contains("<script>start()</script>"));
        assert!(html.contains("<script>ask()\nlet wasm_bindgen;</script>"));
        assert!(html.contains("<style>\np{}b{}</style>"));
        assert!(!html.contains("is a policy"));
        assert!(!html.contains(" src="), "nothing is loaded: {html}");
    }

    #[test]
    fn a_data_block_decompresses_to_its_content() {
        let content: Vec<u8> = (0..10_000_u32).map(|at| (at * at / 7) as u8).collect();
        let block = data_block("x", &content);
        let text = block.strip_prefix("<script type=\"application/gzip\" id=\"chainwalk-x\">");
        let text = text
            .and_then(|text| text.strip_suffix("</script>"))
            .unwrap();
        let compressed = BASE64_STANDARD.decode(text).unwrap();
        let mut decoder = flate2::read::GzDecoder::new(&*compressed);
        let mut read = Vec::new();
        std::io::Read::read_to_end(&mut decoder, &mut read).unwrap();
        assert_eq!(read, content);
    }

    #[test]
    fn hosted_names_follow_the_content_and_are_relative() {
        let shell = shell(TEMPLATE);
        let files = shell.hosted(&page(), &[("reload.js", "")]).unwrap();
        let index = String::from_utf8(files.last().unwrap().1.clone()).unwrap();
        for (name, _) in &files[..files.len() - 1] {
            assert!(
                index.contains(&format!("=\"{name}\"")),
                "{name} is not asked for: {index}"
            );
        }
        assert!(!index.contains("=\"/"));
        assert!(index.contains("script-src 'self' 'wasm-unsafe-eval'"));

        let mut changed = page();
        changed.wasm.push(1);
        let after = shell.hosted(&changed, &[]).unwrap();
        assert_eq!(files[0].0, after[0].0, "the style did not change");
        assert_ne!(files[3].0, after[3].0, "the WebAssembly did");
    }

    #[test]
    fn a_shell_without_a_place_for_the_scripts_is_refused() {
        let error = shell("%CSP% %HEAD%").one_file(&page()).unwrap_err();
        assert_eq!(error.to_string(), "the shell lacks %SCRIPTS%");
    }

    #[test]
    fn a_script_cannot_end_its_element() {
        assert_eq!(
            inside_script("x = '</script><!--'"),
            "x = '<\\/script><\\!--'"
        );
    }

    #[test]
    fn the_real_shell_has_every_mark() {
        let shell = Shell::from_directory(&crate::cargo::root().join("static")).unwrap();
        shell.hosted(&page(), &[]).unwrap();
        let html = shell.one_file(&page()).unwrap();
        assert!(!html.contains("%CSP%") && !html.contains("%HEAD%") && !html.contains("%SCRIPTS%"));
    }
}
