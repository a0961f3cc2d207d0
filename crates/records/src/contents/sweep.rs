//! The sweep: contents that nothing names any more, and what was left on its way by a kill, are removed.

use std::{
    collections::BTreeSet,
    fs, io,
    path::{Path, PathBuf},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use rapport_types::HOUR_MS;
use sea_query::{Alias, Expr, ExprTrait as _, Query};

use super::{
    OBJECT, is_hash, owner,
    store::{NEW, told},
};
use crate::{Desk, RecordsError, Tx, read::PAGE, schema::table_of};

/// How long something must lie there before it is looked at. Longer than a backup takes between its two looks at the folder.
const GRACE_MS: i64 = HOUR_MS;

/// What a sweep removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Swept {
    /// Files.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
}

impl Desk {
    /// Removes contents that no file names, the trash included, and parts of contents that never came whole. Nothing is removed
    /// from a folder of another installation, or while somebody reads all of it.
    pub fn sweep_files(&self) -> Result<Swept, RecordsError> {
        let folder = self.files()?;
        let id = self.database.read(owner::id_of)?;
        let Some(_alone) = owner::alone(folder, &id)? else { return Ok(Swept::default()) };
        let before = UNIX_EPOCH + Duration::from_millis(u64::try_from(self.now().0 - GRACE_MS).unwrap_or(0));
        let mut swept = Swept::default();
        for (path, size) in old(&folder.join(NEW), before)? {
            remove(&path, size, &mut swept)?;
        }
        self.sweep_contents(before, &mut swept)?;
        if swept.files > 0 {
            tracing::info!(files = swept.files, bytes = swept.bytes, "contents that no file names were removed");
        }
        Ok(swept)
    }

    /// Removes the contents from before an instant that no file names.
    pub(crate) fn sweep_contents(&self, before: SystemTime, swept: &mut Swept) -> Result<(), RecordsError> {
        let folder = self.files()?;
        for part in 0..=u8::MAX {
            let contents = old(&folder.join(format!("{part:02x}")), before)?;
            let contents: Vec<(String, PathBuf, u64)> = contents
                .into_iter()
                .filter_map(|(path, size)| {
                    let name = path.file_name()?.to_str().filter(|name| is_hash(name))?.to_owned();
                    Some((name, path, size))
                })
                .collect();
            for chunk in contents.chunks(PAGE) {
                self.sweep(chunk, before, swept)?;
            }
        }
        Ok(())
    }

    fn sweep(
        &self,
        contents: &[(String, PathBuf, u64)],
        before: SystemTime,
        swept: &mut Swept,
    ) -> Result<(), RecordsError> {
        let hashes: Vec<&str> = contents.iter().map(|(hash, ..)| hash.as_str()).collect();
        let named = self.database.read(|tx| named_of(tx, &hashes))?;
        for (hash, path, size) in contents.iter().filter(|(hash, ..)| !named.contains(hash)) {
            // Whoever places a content holds this until its record is written: nobody is in between.
            let _alone = self.placing.write();
            let is_still_old = old_file(path, before)?.is_some();
            if is_still_old && self.database.read(|tx| named_of(tx, &[hash]))?.is_empty() {
                remove(path, *size, swept)?;
            }
        }
        Ok(())
    }
}

/// Which of some contents a file names.
fn named_of(tx: &mut Tx<'_>, hashes: &[&str]) -> Result<BTreeSet<String>, RecordsError> {
    let hash = Alias::new("hash");
    let query = Query::select()
        .column(hash.clone())
        .from(Alias::new(table_of(OBJECT)))
        .and_where(Expr::col(hash).is_in(hashes.iter().copied()))
        .take();
    tx.query(&query)?.iter().map(|row| Ok(row.text(0)?.to_owned())).collect()
}

/// The files of a folder that were last written before an instant, with their sizes; none if the folder is not there.
fn old(folder: &Path, before: SystemTime) -> Result<Vec<(PathBuf, u64)>, RecordsError> {
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        other => other.map_err(|error| told(folder, &error))?,
    };
    let mut found = Vec::new();
    for entry in entries {
        let path = entry.map_err(|error| told(folder, &error))?.path();
        if let Some(size) = old_file(&path, before)? {
            found.push((path, size));
        }
    }
    found.sort();
    Ok(found)
}

/// The size of a file that was last written before an instant.
fn old_file(path: &Path, before: SystemTime) -> Result<Option<u64>, RecordsError> {
    let about = match fs::symlink_metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        other => other.map_err(|error| told(path, &error))?,
    };
    let written = about.modified().map_err(|error| told(path, &error))?;
    Ok((about.is_file() && written < before).then_some(about.len()))
}

fn remove(path: &Path, size: u64, swept: &mut Swept) -> Result<(), RecordsError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(told(path, &error)),
        Ok(()) => {
            swept.files += 1;
            swept.bytes += size;
            Ok(())
        }
    }
}
