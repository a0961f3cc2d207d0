//! The folder of contents: taken in beside, named by what they are, whole or not there.

use std::{
    fs::{self, File},
    io::{self, Read, Write as _},
    path::{Path, PathBuf},
};

use sha2::{Digest as _, Sha256};

use super::kind;
use crate::{Id, RecordsError};

/// Where contents lie that are on their way.
pub(super) const NEW: &str = "new";
/// Bytes read at once.
const PIECE: usize = 256 << 10;

/// A content that has come whole and has no place yet. It is gone if it never gets one.
#[derive(Debug)]
pub(crate) struct Arrived {
    path: PathBuf,
    hash: String,
    size: u64,
    media_type: &'static str,
}

impl Arrived {
    pub(crate) fn hash(&self) -> &str {
        &self.hash
    }

    pub(super) fn size(&self) -> u64 {
        self.size
    }

    pub(super) fn media_type(&self) -> &'static str {
        self.media_type
    }
}

impl Drop for Arrived {
    fn drop(&mut self) {
        // Where it was placed there is nothing here any more; what cannot be removed the sweep finds.
        drop(fs::remove_file(&self.path));
    }
}

/// Whether a text is a SHA-256 in small hexadecimal digits: only such texts are parts of paths.
pub(crate) fn is_hash(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
}

/// Where a content lies.
pub(super) fn path_of(folder: &Path, hash: &str) -> PathBuf {
    folder.join(&hash[..2]).join(hash)
}

pub(super) fn told(path: &Path, error: &io::Error) -> RecordsError {
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            RecordsError::Unavailable("no room is left on the disk".to_owned())
        }
        _ => RecordsError::File(format!("{}: {error}", path.display())),
    }
}

/// Takes a content in as it comes; it is on the disk when this returns. `id` tells those on their way apart.
pub(crate) fn take_in(folder: &Path, id: Id, content: &mut dyn Read, limit: u64) -> Result<Arrived, RecordsError> {
    let new = folder.join(NEW);
    fs::create_dir_all(&new).map_err(|error| told(&new, &error))?;
    let mut arrived =
        Arrived { path: new.join(id.to_string()), hash: String::new(), size: 0, media_type: kind::UNKNOWN };
    let mut file = File::create_new(&arrived.path).map_err(|error| told(&arrived.path, &error))?;
    let (mut hasher, mut head) = (Sha256::new(), Vec::new());
    let mut piece = vec![0; PIECE];
    loop {
        let read =
            content.read(&mut piece).map_err(|error| RecordsError::File(format!("the file did not come: {error}")))?;
        let Some(bytes) = piece.get(..read).filter(|bytes| !bytes.is_empty()) else { break };
        arrived.size += read as u64;
        if arrived.size > limit {
            return Err(RecordsError::Limit(format!(
                "a file may have {limit} bytes, as `file_megabytes` in the settings says"
            )));
        }
        head.extend_from_slice(&bytes[..bytes.len().min(kind::HEAD - head.len())]);
        hasher.update(bytes);
        file.write_all(bytes).map_err(|error| told(&arrived.path, &error))?;
    }
    file.sync_all().map_err(|error| told(&arrived.path, &error))?;
    let digest = hasher.finalize();
    arrived.hash = digest.iter().fold(String::with_capacity(64), |text, byte| text + &format!("{byte:02x}"));
    arrived.media_type = kind::of(&head, arrived.size > head.len() as u64);
    Ok(arrived)
}

/// A new file for what has no place: it is there while it is open. `id` tells it apart from those on their way.
pub(crate) fn nameless(folder: &Path, id: Id) -> Result<File, RecordsError> {
    let new = folder.join(NEW);
    fs::create_dir_all(&new).map_err(|error| told(&new, &error))?;
    let path = new.join(id.to_string());
    let file = File::options().read(true).write(true).create_new(true).open(&path);
    let file = file.map_err(|error| told(&path, &error))?;
    fs::remove_file(&path).map_err(|error| told(&path, &error))?;
    Ok(file)
}

/// Puts a content in its place. One that is there already is replaced by the same bytes, so that a sweep that looks at the old
/// one's age looks at the new one's instead.
pub(crate) fn place(folder: &Path, arrived: &Arrived) -> Result<(), RecordsError> {
    let target = path_of(folder, &arrived.hash);
    let parent = folder.join(&arrived.hash[..2]);
    if !parent.exists() {
        fs::create_dir_all(&parent).map_err(|error| told(&parent, &error))?;
        sync(folder)?;
    }
    fs::rename(&arrived.path, &target).map_err(|error| told(&target, &error))?;
    sync(&parent)
}

/// Opens a content; `hash` is one.
pub(crate) fn open(folder: &Path, hash: &str) -> io::Result<File> {
    File::open(path_of(folder, hash))
}

pub(super) fn sync(folder: &Path) -> Result<(), RecordsError> {
    File::open(folder).and_then(|file| file.sync_all()).map_err(|error| told(folder, &error))
}
