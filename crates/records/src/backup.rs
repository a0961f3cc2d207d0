//! Copies of the records for the day when something goes wrong: a backup at any time, and a snapshot before each upgrade.
//!
//! A backup is one SQLite file, also where the records are in PostgreSQL, so that anything can open it in twenty years. It is as
//! the records were at one moment, made while others go on.
//!
//! Limits: [`SNAPSHOTS`] snapshots are kept; older ones are removed when a new one is whole.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
};

use rapport_types::Timestamp;

use crate::{
    Database, RecordsError, TableSum,
    copy::{copy, sums},
    database::{read_file, sqlite_settle_file},
};

/// Snapshots that are kept.
pub const SNAPSHOTS: usize = 3;
/// The folder of the snapshots, beside the database.
const FOLDER: &str = "snapshots";
/// The database, and what SQLite keeps beside it.
const SUFFIXES: [&str; 3] = ["", "-wal", "-shm"];
/// How many databases that were put aside may lie there.
const OLD_ONES: u32 = 99;

/// Copies the records into a new SQLite file; what every table holds. Synced when it returns.
pub fn back_up(database: &Database, file: &Path) -> Result<Vec<TableSum>, RecordsError> {
    match database.as_sqlite() {
        Some(sqlite) => sqlite.copy_to(file)?,
        None => {
            copy(database, &Database::sqlite(file)?)?;
            sqlite_settle_file(file)?;
        }
    }
    sync(file)?;
    read_file(file, sums)
}

/// Looks through every page and row of a backup; what every table holds.
pub fn look_through(file: &Path) -> Result<Vec<TableSum>, RecordsError> {
    read_file(file, |tx| {
        let told = tx.query_sql("PRAGMA integrity_check(1)", &[])?;
        match told.first().map(|row| row.text(0)) {
            Some(Ok("ok")) => sums(tx),
            _ => Err(RecordsError::Damaged { what: file.display().to_string() }),
        }
    })
}

/// Keeps the database as it is before its format is raised.
pub(crate) fn snapshot(database: &Database, found: i64, now: Timestamp) -> Result<(), RecordsError> {
    // PostgreSQL has its own tools for that, and an operator who uses them.
    let Some(sqlite) = database.as_sqlite() else { return Ok(()) };
    let folder = folder_of(sqlite.path());
    fs::create_dir_all(&folder).map_err(|error| told(&folder, &error))?;
    // Names in the order of time: milliseconds are in them also where they are 0.
    let seconds: String = now.to_string().chars().take(19).filter(|letter| *letter != ':').collect();
    let whole = folder.join(format!("{seconds}.{:03}-format-{found}.db", now.0.rem_euclid(1_000)));
    let partial = whole.with_extension("partial");
    if partial.exists() {
        fs::remove_file(&partial).map_err(|error| told(&partial, &error))?;
    }
    sqlite.copy_to(&partial)?;
    sync(&partial)?;
    fs::rename(&partial, &whole).map_err(|error| told(&whole, &error))?;
    sync(&folder)?;
    tracing::info!(snapshot = %whole.display(), "the records were copied before their upgrade");
    let old = snapshots(sqlite.path())?;
    for path in old.iter().rev().skip(SNAPSHOTS) {
        fs::remove_file(path).map_err(|error| told(path, &error))?;
    }
    Ok(())
}

/// What a rollback did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RolledBack {
    /// What was put back.
    pub snapshot: PathBuf,
    /// Where the database is that was there before; none if there was none.
    pub aside: Option<PathBuf>,
}

/// Puts the newest snapshot back in the place of a database that nobody has open. The database stays beside it under another
/// name, and so does the snapshot.
pub fn roll_back(file: &Path) -> Result<RolledBack, RecordsError> {
    let newest = snapshots(file)?.pop();
    let snapshot = newest.ok_or_else(|| {
        let folder = folder_of(file);
        RecordsError::NotFound(format!("there is no snapshot in {}", folder.display()))
    })?;
    // Copied first: what is there is moved only when its successor is whole.
    let next = file.with_extension("db.next");
    fs::copy(&snapshot, &next).map_err(|error| told(&next, &error))?;
    sync(&next)?;
    look_through(&next)?;
    let aside = put_aside(file)?;
    fs::rename(&next, file).map_err(|error| told(file, &error))?;
    if let Some(folder) = file.parent() {
        sync(folder)?;
    }
    Ok(RolledBack { snapshot, aside })
}

/// Renames a database to the first free `FILE.old-N`.
fn put_aside(file: &Path) -> Result<Option<PathBuf>, RecordsError> {
    if !file.exists() {
        return Ok(None);
    }
    let with = |path: &Path, suffix: &str| PathBuf::from(format!("{}{suffix}", path.display()));
    let free = (1..=OLD_ONES).map(|n| with(file, &format!(".old-{n}"))).find(|path| !path.exists());
    let aside = free.ok_or_else(|| {
        RecordsError::File(format!("there are {OLD_ONES} old ones of {} already; remove some", file.display()))
    })?;
    // The write-ahead log's content comes into the file first, so that one rename moves all of it. One that is too damaged for
    // that is moved as it is, for those who look after it.
    if let Err(error) = sqlite_settle_file(file) {
        tracing::warn!(%error, "the database that is put aside is damaged");
    }
    for suffix in SUFFIXES {
        match fs::rename(with(file, suffix), with(&aside, suffix)) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            other => other.map_err(|error| told(file, &error))?,
        }
    }
    Ok(Some(aside))
}

/// The snapshots of a database, the newest last.
fn snapshots(file: &Path) -> Result<Vec<PathBuf>, RecordsError> {
    let folder = folder_of(file);
    let entries = match fs::read_dir(&folder) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        other => other.map_err(|error| told(&folder, &error))?,
    };
    let mut found = Vec::new();
    for entry in entries {
        let path = entry.map_err(|error| told(&folder, &error))?.path();
        if path.extension().is_some_and(|extension| extension == "db") {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

fn folder_of(file: &Path) -> PathBuf {
    file.with_file_name(FOLDER)
}

/// Has the disk hold what was written; of a folder, the names in it.
fn sync(path: &Path) -> Result<(), RecordsError> {
    File::open(path).and_then(|file| file.sync_all()).map_err(|error| told(path, &error))
}

fn told(path: &Path, error: &std::io::Error) -> RecordsError {
    RecordsError::File(format!("{}: {error}", path.display()))
}
