//! The work tree as git sees it: where it is, and which files belong to it (tracked, or new and not ignored).

use std::fs;
use std::path::{Path, PathBuf};

use crate::failure::Failure;
use crate::process::Run;

/// The folder that holds the workspace's `Cargo.toml`.
pub(crate) fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().map_or_else(|| here.to_path_buf(), Path::to_path_buf)
}

/// Where cargo puts what it builds: `CARGO_TARGET_DIR`, or `target` in the tree.
pub(crate) fn target() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), |set| root().join(set))
}

/// One text file of the tree.
#[derive(Debug, Clone)]
pub(crate) struct File {
    /// Path from the root, with `/` between its parts.
    pub(crate) path: String,
    /// The whole text.
    pub(crate) text: String,
}

impl File {
    /// Whether the name ends so, for example `.rs`.
    pub(crate) fn has_suffix(&self, suffix: &str) -> bool {
        self.path.ends_with(suffix)
    }
}

/// All text files of the tree in order of path. Files that are not UTF-8 (pictures, archives) are left out.
pub(crate) fn files() -> Result<Vec<File>, Failure> {
    let listed =
        Run::new("git").args(["ls-files", "--cached", "--others", "--exclude-standard", "-z"]).capture()?.stdout;
    let mut paths: Vec<&str> = listed.split('\0').filter(|path| !path.is_empty()).collect();
    paths.sort_unstable();
    paths.dedup();
    let mut files = Vec::with_capacity(paths.len());
    for path in paths {
        // A path that was deleted and not yet committed is listed, and is no longer part of the tree.
        let Ok(bytes) = fs::read(root().join(path)) else { continue };
        if let Ok(text) = String::from_utf8(bytes) {
            files.push(File { path: path.to_owned(), text });
        }
    }
    Ok(files)
}
