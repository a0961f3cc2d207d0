//! Remembering what was built from what, so that a chore runs again only when its input changed.

use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::PathBuf;

use crate::failure::Failure;

/// A note beside a result, holding a hash of the input it was made from.
pub(crate) struct Stamp {
    path: PathBuf,
    hash: String,
}

impl Stamp {
    /// The stamp kept at `path` for this input, given as names and contents in a fixed order. The hash is the standard
    /// library's, which may change with the toolchain: that costs one rebuild and nothing else.
    pub(crate) fn new<'a>(path: PathBuf, input: impl IntoIterator<Item = (&'a str, &'a [u8])>) -> Self {
        let mut hasher = DefaultHasher::new();
        for part in input {
            part.hash(&mut hasher);
        }
        Self { path, hash: format!("{:016x}", hasher.finish()) }
    }

    /// Whether the result was made from the same input.
    pub(crate) fn is_fresh(&self) -> bool {
        fs::read_to_string(&self.path).is_ok_and(|kept| kept == self.hash)
    }

    /// Notes that the result is made.
    pub(crate) fn write(&self) -> Result<(), Failure> {
        if let Some(folder) = self.path.parent() {
            fs::create_dir_all(folder)?;
        }
        Ok(fs::write(&self.path, &self.hash)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stamp_is_fresh_until_name_or_content_changes() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("deep/stamp");
        let stamp = |name, content: &'static [u8]| Stamp::new(path.clone(), [(name, content)]);
        assert!(!stamp("a", b"1").is_fresh());
        stamp("a", b"1").write().unwrap();
        assert!(stamp("a", b"1").is_fresh());
        assert!(!stamp("a", b"2").is_fresh());
        assert!(!stamp("b", b"1").is_fresh());
    }
}
