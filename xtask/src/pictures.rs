//! `cargo xtask pictures`: takes the README's pictures from the current page.

use anyhow::{Result, ensure};

use crate::{
    cargo::{cargo, root, run},
    dist, packages,
    progress::{print_progress, thousands},
};

/// The size limit of a picture in bytes. A reader of the README loads all of them.
const MAX_PICTURE_BYTES: usize = 150_000;

/// Takes the pictures.
pub(crate) fn take() -> Result<()> {
    packages::ensure(&[])?;
    dist::build(false)?;
    let pictures = root().join("docs/pictures");
    let mut suite = cargo(&[
        "test",
        "--package",
        "chainwalk-tests",
        "--test",
        "page",
        "pictures::",
    ]);
    run(suite
        .env("CHAINWALK_DIST", root().join("dist"))
        .env("CHAINWALK_PICTURES", &pictures))?;
    for entry in pictures.read_dir()? {
        let entry = entry?;
        let size = usize::try_from(entry.metadata()?.len())?;
        print_progress(format_args!(
            "{}: {} bytes",
            entry.path().display(),
            thousands(size)
        ));
        ensure!(
            size <= MAX_PICTURE_BYTES,
            "{} is larger than {MAX_PICTURE_BYTES} bytes",
            entry.path().display()
        );
    }
    Ok(())
}
