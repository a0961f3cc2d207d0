//! `rapport backup` and `rapport restore`: everything that an installation holds, in a folder of files with their checksums.
//!
//! The parts are copied one after the other while the server goes on, each as it is at one moment. The order makes them fit:
//! - `state.db` first. Its checkpoints are behind the log then, and a start folds the rest from the log.
//! - `files`, then `records.db`, then what of `files` is new since. What a record names is there in the first look, should it be
//!   swept meanwhile, or in the second, should it be new.
//! - `log.db` last. How far the log was told of changes, and how far it was read for identities, stands in the records; a copy
//!   of the log that is newer holds all of that. What it was told beyond, it is told again after a restore, with the same
//!   message ids, and drops it as repeats. A log older than the records would lack it for good.
//!
//! The search index is not in it: it is made anew from the records. Nor are `log.ack`, which is the witness of one disk, and the
//! snapshots. Records of a PostgreSQL are in it as a SQLite file like others.
//!
//! Whoever can read a backup can read everything: the folder is its owner's alone, as the data folder is.

mod manifest;
mod restore;

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
};

use rapport_records::Database;
use rapport_store::SqliteStore;
use rapport_stream::SqliteLog;

use self::manifest::Manifest;
pub(crate) use self::restore::{restore, unfinished, verify};
use crate::{
    cli::Failure,
    config::Config,
    data::{FILES, RECORDS, private_folder},
    sealing,
};

const LOG: &str = "log.db";
const STATE: &str = "state.db";
const CREDENTIALS: &str = "credentials.json";
/// Contents that are on their way: nothing names them.
const COMING: &str = "files/new";
/// What the name of a folder that is not whole yet ends with.
const PARTIAL: &str = "rapport-partial";

/// Makes a backup; what is in it, as text.
pub(crate) fn back_up(config: &Config, to: &Path) -> Result<String, Failure> {
    let data = &config.data;
    if !data.join(LOG).exists() {
        return Err(format!("there is no installation in {}; --data names the folder", data.display()).into());
    }
    let (partial, _) = begin(to)?;
    if data.join(STATE).exists() {
        SqliteStore::copy(data, &partial.join(STATE))?;
    }
    copy_plain(&data.join(FILES), &partial.join(FILES))?;
    let records = match records_of(config)? {
        Some(database) => rapport_records::back_up(&database, &partial.join(RECORDS))?,
        None => Vec::new(),
    };
    for name in [FILES, CREDENTIALS, sealing::FILE] {
        copy_plain(&data.join(name), &partial.join(name))?;
    }
    let missing = missing(&partial)?;
    SqliteLog::copy(data, &partial.join(LOG))?;
    let manifest = Manifest::of(&partial, records, rapport_server::system_time())?;
    manifest.write(&partial)?;
    finish(&partial, to)?;
    let lost = match missing {
        0 => String::new(),
        count => format!(". The contents of {count} files are missing in {}, and so in the backup", data.display()),
    };
    Ok(format!("{} holds {}{lost}", to.display(), manifest.tell()))
}

/// How many contents that the records of a backup name are not in it.
fn missing(copy: &Path) -> Result<usize, Failure> {
    let records = copy.join(RECORDS);
    Ok(if records.exists() { rapport_records::missing_contents(&records, &copy.join(FILES))?.len() } else { 0 })
}

/// Where the records are; none before the first start of a version that has them.
fn records_of(config: &Config) -> Result<Option<Database>, Failure> {
    if !config.records.is_empty() {
        return Ok(Some(Database::postgres(&config.records)?));
    }
    let file = config.data.join(RECORDS);
    Ok(if file.exists() { Some(Database::sqlite(&file)?) } else { None })
}

/// Where a folder is made until it is whole: beside the one that is to be.
fn partial_of(wanted: &Path) -> Result<PathBuf, Failure> {
    let name = wanted.file_name().ok_or_else(|| format!("{} is no name for a folder", wanted.display()))?;
    Ok(wanted.with_file_name(format!("{}.{PARTIAL}", name.display())))
}

/// An empty folder beside the one that is to be. What an earlier try left there is removed; whether there was any.
fn begin(wanted: &Path) -> Result<(PathBuf, bool), Failure> {
    let is_free = match fs::read_dir(wanted) {
        Ok(mut entries) => entries.next().is_none(),
        Err(error) => error.kind() == std::io::ErrorKind::NotFound,
    };
    if !is_free {
        return Err(format!("{} is there already and not an empty folder; name another", wanted.display()).into());
    }
    let partial = partial_of(wanted)?;
    let is_second_try = partial.exists();
    if is_second_try {
        fs::remove_dir_all(&partial).map_err(|error| told(&partial, &error))?;
    }
    private_folder(&partial)?;
    Ok((partial, is_second_try))
}

/// Gives a whole folder its name, in one step. Everything in it is on the disk before.
fn finish(partial: &Path, wanted: &Path) -> Result<(), Failure> {
    for name in manifest::files_in(partial)? {
        sync(&partial.join(name))?;
    }
    sync(partial)?;
    fs::rename(partial, wanted).map_err(|error| told(wanted, &error))?;
    let parent = wanted.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    sync(parent)
}

/// Copies a file or a folder with all that is in it, as far as it is there and was not copied before. What goes away meanwhile
/// is no part of it.
fn copy_plain(from: &Path, to: &Path) -> Result<(), Failure> {
    let Ok(about) = fs::metadata(from) else { return Ok(()) };
    if about.is_file() {
        let is_copied = fs::metadata(to).is_ok_and(|copied| copied.len() == about.len());
        if is_copied {
            return Ok(());
        }
        return match fs::copy(from, to) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
            copied => copied.map(drop).map_err(|error| told(from, &error).into()),
        };
    }
    if !about.is_dir() || from.ends_with(COMING) {
        return Ok(());
    }
    fs::create_dir_all(to).map_err(|error| told(to, &error))?;
    for entry in fs::read_dir(from).map_err(|error| told(from, &error))? {
        let entry = entry.map_err(|error| told(from, &error))?;
        copy_plain(&entry.path(), &to.join(entry.file_name()))?;
    }
    Ok(())
}

fn sync(path: &Path) -> Result<(), Failure> {
    File::open(path).and_then(|file| file.sync_all()).map_err(|error| told(path, &error).into())
}

fn told(path: &Path, error: &std::io::Error) -> String {
    format!("{}: {error}", path.display())
}
