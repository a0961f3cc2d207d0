//! Whose a folder of contents is: its file `installation` has the id of the installation, as the database has it.
//!
//! A database that does not know a folder's contents names none of them, and a sweep by it would remove them all: so it is,
//! for one start, where the settings name another database than before. A sweep is done only where both ids are the same.
//!
//! Invariants:
//! - A folder without contents is anybody's who opens it; one with contents never changes hands by itself.
//! - The file is locked: by all who read what a moment of the database names, together, and by a sweep alone.

use std::{
    fs::{self, File, TryLockError},
    io::{self, Write as _},
    path::Path,
};

use super::store::{sync, told};
use crate::{RecordsError, Tx};

/// What has the id.
const NAME: &str = "installation";

/// The id of a new installation: 128 random bits.
pub(crate) fn new_id() -> Result<String, RecordsError> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).map_err(RecordsError::Random)?;
    Ok(bytes.iter().fold(String::with_capacity(32), |text, byte| text + &format!("{byte:02x}")))
}

/// The id of a database's installation.
pub(crate) fn id_of(tx: &mut Tx<'_>) -> Result<String, RecordsError> {
    let rows = tx.query_sql("SELECT id FROM installation", &[])?;
    let row = rows.first().ok_or_else(|| RecordsError::Damaged { what: "the id of the installation".to_owned() })?;
    row.text(0).map(str::to_owned)
}

/// Writes an installation's id into a folder that has no contents.
pub(crate) fn claim(folder: &Path, id: &str) -> Result<(), RecordsError> {
    if is_of(folder, id)? || has_contents(folder)? {
        return Ok(());
    }
    let path = folder.join(NAME);
    let written = File::create(&path).and_then(|mut file| file.write_all(id.as_bytes()).and_then(|()| file.sync_all()));
    written.map_err(|error| told(&path, &error))?;
    sync(folder)
}

/// Whether a folder is an installation's.
fn is_of(folder: &Path, id: &str) -> Result<bool, RecordsError> {
    let path = folder.join(NAME);
    match fs::read(&path) {
        Ok(found) => Ok(found.trim_ascii() == id.as_bytes()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(told(&path, &error)),
    }
}

/// Whether anything lies where contents lie.
fn has_contents(folder: &Path) -> Result<bool, RecordsError> {
    for part in 0..=u8::MAX {
        let part = folder.join(format!("{part:02x}"));
        match fs::read_dir(&part) {
            Ok(mut entries) => {
                if entries.next().is_some() {
                    return Ok(true);
                }
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(told(&part, &error)),
        }
    }
    Ok(false)
}

/// Keeps sweeps, also those of other processes, away from a folder as long as the file is open. A folder that is nobody's is
/// not swept anyway.
pub(crate) fn hold(folder: &Path) -> Result<Option<File>, RecordsError> {
    let path = folder.join(NAME);
    match File::open(&path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        opened => opened.and_then(|file| file.lock_shared().map(|()| Some(file))).map_err(|error| told(&path, &error)),
    }
}

/// The right to sweep an installation's folder, as long as the file is open; none if somebody holds the folder, or if it is not
/// the installation's.
pub(super) fn alone(folder: &Path, id: &str) -> Result<Option<File>, RecordsError> {
    let path = folder.join(NAME);
    if !is_of(folder, id)? {
        tracing::warn!(
            folder = %folder.display(),
            "no contents are removed: these files are of another installation than the records. If they do belong together, \
             write {id} into {}",
            path.display()
        );
        return Ok(None);
    }
    let file = File::open(&path).map_err(|error| told(&path, &error))?;
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(error)) => Err(told(&path, &error)),
    }
}
