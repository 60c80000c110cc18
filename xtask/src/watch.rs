//! What changed in the source since it was last looked at.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    time::SystemTime,
};

/// The files that the page is made of, each with when it was written and its length.
#[derive(Default, PartialEq)]
pub(crate) struct Snapshot(BTreeMap<PathBuf, (SystemTime, u64)>);

impl Snapshot {
    /// Looks at everything in `rooms` below `root`. A few hundred files take a few milliseconds, so this can be done several times a
    /// second, and works on every system and every kind of mount, which notifications do not.
    pub(crate) fn take(root: &Path, rooms: &[&str]) -> Self {
        let mut found = Self::default();
        for room in rooms {
            found.add(root, &root.join(room));
        }
        found
    }

    fn add(&mut self, root: &Path, path: &Path) {
        // What is gone by now will be missing from the snapshot, and that is a change too.
        let Ok(metadata) = path.metadata() else { return };
        if metadata.is_dir() {
            for entry in path.read_dir().into_iter().flatten().flatten() {
                // Editors keep their own files beside those they edit: `.name.swp`, `name~`.
                let name = entry.file_name();
                let name = name.to_string_lossy();
                if !name.starts_with('.') && !name.ends_with('~') {
                    self.add(root, &entry.path());
                }
            }
        } else if let Ok(written) = metadata.modified() {
            let name = path.strip_prefix(root).unwrap_or(path).to_owned();
            self.0.insert(name, (written, metadata.len()));
        }
    }

    /// The first file that differs: one is enough to tell why the page is rebuilt.
    pub(crate) fn change_since<'a>(&'a self, earlier: &'a Self) -> Option<&'a Path> {
        let changed = self.0.iter().find(|(path, state)| earlier.0.get(*path) != Some(*state));
        let gone = || earlier.0.iter().find(|(path, _)| !self.0.contains_key(*path));
        changed.or_else(gone).map(|(path, _)| path.as_path())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn written_new_and_deleted_files_are_changes() {
        let root = std::env::temp_dir().join(format!("chainwalk-watch-{}", std::process::id()));
        fs::create_dir_all(root.join("core/src")).unwrap();
        let take = || Snapshot::take(&root, &["core", "absent"]);
        let (file, new) = (root.join("core/src/lib.rs"), root.join("core/src/new.rs"));
        fs::write(&file, "a").unwrap();

        let first = take();
        assert_eq!(take().change_since(&first), None);
        fs::write(&file, "ab").unwrap();
        let second = take();
        assert_eq!(second.change_since(&first), Some(Path::new("core/src/lib.rs")));
        fs::write(root.join("core/src/.lib.rs.swp"), "").unwrap();
        assert_eq!(take().change_since(&second), None);
        fs::write(&new, "").unwrap();
        let third = take();
        assert_eq!(third.change_since(&second), Some(Path::new("core/src/new.rs")));
        fs::remove_file(&new).unwrap();
        assert_eq!(take().change_since(&third), Some(Path::new("core/src/new.rs")));

        fs::remove_dir_all(&root).unwrap();
    }
}
