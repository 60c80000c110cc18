//! Waits for changes of the source files.

use std::{
    path::{Path, PathBuf},
    sync::mpsc::{self, Receiver},
    time::Duration,
};

use anyhow::{Context, Result};
use notify::{Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher, event::ModifyKind};

/// A change is complete if no other one follows for this long, so that a half-written file or a
/// half-switched branch is not built.
const QUIET_PERIOD: Duration = Duration::from_millis(150);

/// Collects changes in the background, also during a build.
pub(crate) struct SourceWatcher {
    changes: Receiver<notify::Result<PathBuf>>,
    /// The watch ends when this is dropped.
    _watcher: RecommendedWatcher,
}

impl SourceWatcher {
    /// Watches the files and directories `sources` below `root`.
    pub(crate) fn start(root: &Path, sources: &'static [&'static str]) -> Result<Self> {
        // macOS reports paths without symbolic links.
        let root = root
            .canonicalize()
            .with_context(|| format!("cannot read {}", root.display()))?;
        let (sender, changes) = mpsc::channel();
        let below = root.clone();
        let mut watcher = notify::recommended_watcher(move |event: notify::Result<Event>| {
            let changed = event
                .map(|event| changed_source(&event, &below, sources))
                .transpose();
            if let Some(changed) = changed {
                // The receiver is closed after the end of the watch.
                let _ = sender.send(changed);
            }
        })?;
        let mut watch = |path: &Path, mode| {
            watcher
                .watch(path, mode)
                .with_context(|| format!("cannot watch {} for changes", path.display()))
        };
        for source in sources
            .iter()
            .map(|source| root.join(source))
            .filter(|source| source.is_dir())
        {
            watch(&source, RecursiveMode::Recursive)?;
        }
        // The directory of the single files is watched. Many editors replace a file, and a watch of
        // the file would end with the old one.
        watch(&root, RecursiveMode::NonRecursive)?;
        Ok(Self {
            changes,
            _watcher: watcher,
        })
    }

    /// Waits until a source has changed and no other change follows. Returns the first changed
    /// path, relative to the root.
    pub(crate) fn wait_for_change(&self) -> Result<PathBuf> {
        let first = self
            .changes
            .recv()
            .context("the watch for changes has ended")??;
        while self.changes.recv_timeout(QUIET_PERIOD).is_ok() {}
        Ok(first)
    }
}

/// The source that an event changes, relative to the root.
fn changed_source(event: &Event, root: &Path, sources: &[&str]) -> Option<PathBuf> {
    if event.need_rescan() {
        // The system has lost events, so any source may have changed.
        return sources.first().map(PathBuf::from);
    }
    if matches!(
        event.kind,
        EventKind::Access(_) | EventKind::Modify(ModifyKind::Metadata(_))
    ) {
        return None;
    }
    let paths = event
        .paths
        .iter()
        .filter_map(|path| path.strip_prefix(root).ok());
    let mut changed = paths
        .filter(|path| sources.iter().any(|source| path.starts_with(source)) && !is_editors(path));
    changed.next().map(Path::to_owned)
}

/// Whether it is a temporary file of an editor: `.name.swp`, `name~`.
fn is_editors(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    name.starts_with('.') || name.ends_with('~')
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn written_new_replaced_and_deleted_sources_are_changes() {
        let root = std::env::temp_dir().join(format!("chainwalk-watch-{}", std::process::id()));
        fs::create_dir_all(root.join("core/src")).unwrap();
        let (file, new) = (root.join("core/src/lib.rs"), root.join("core/src/new.rs"));
        fs::write(&file, "a").unwrap();
        fs::write(root.join("Cargo.toml"), "a").unwrap();
        let watcher = SourceWatcher::start(&root, &["core", "Cargo.toml"]).unwrap();
        // On a busy machine, one write may cause two events.
        let mut last = PathBuf::new();
        let mut expect = |path: &str| {
            while last != Path::new(path) {
                let change = watcher.wait_for_change().unwrap();
                assert!(
                    change == Path::new(path) || change == last,
                    "{} changed, not {path}",
                    change.display()
                );
                last = change;
            }
        };

        fs::write(&file, "ab").unwrap();
        expect("core/src/lib.rs");
        // None of these is a change of a source.
        fs::read(&file).unwrap();
        fs::write(root.join("core/src/.lib.rs.swp"), "").unwrap();
        fs::write(root.join("core/src/lib.rs~"), "").unwrap();
        fs::write(root.join("README.md"), "").unwrap();
        fs::write(&new, "").unwrap();
        expect("core/src/new.rs");
        fs::write(root.join("Cargo.toml.new"), "b").unwrap();
        fs::rename(root.join("Cargo.toml.new"), root.join("Cargo.toml")).unwrap();
        expect("Cargo.toml");
        fs::remove_file(&new).unwrap();
        expect("core/src/new.rs");
        fs::create_dir(root.join("core/src/deep")).unwrap();
        expect("core/src/deep");

        fs::remove_dir_all(&root).unwrap();
    }
}
