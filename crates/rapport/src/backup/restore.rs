//! A backup looked through, and an installation made of it: whole, or not at all.

use std::{
    fs,
    path::{Path, PathBuf},
};

use rapport_records::Database;

use super::{RECORDS, begin, finish, manifest::Manifest, partial_of, told};
use crate::{cli::Failure, config::Config};

/// Looks through a backup: every file, and every row of the records; what is in it, as text.
pub(crate) fn verify(from: &Path) -> Result<String, Failure> {
    let manifest = Manifest::read(from)?;
    manifest.check(from)?;
    let records = from.join(RECORDS);
    if records.exists() && rapport_records::look_through(&records)? != manifest.records {
        return Err(format!("the tables in {} are not those of the manifest", records.display()).into());
    }
    Ok(format!("{} is whole: {}", from.display(), manifest.tell()))
}

/// Where a restore into a data folder was begun and did not end; none if none was.
pub(crate) fn unfinished(data: &Path) -> Option<PathBuf> {
    partial_of(data).ok().filter(|partial| partial.exists())
}

/// Makes an installation of a backup; what was done, as text. One that was interrupted is begun anew.
pub(crate) fn restore(config: &Config, from: &Path) -> Result<String, Failure> {
    let manifest = Manifest::read(from)?;
    manifest.check(from)?;
    let (partial, is_second_try) = begin(&config.data)?;
    for file in manifest.files() {
        let target = partial.join(&file.path);
        if let Some(folder) = target.parent() {
            fs::create_dir_all(folder).map_err(|error| told(folder, &error))?;
        }
        fs::copy(from.join(&file.path), &target).map_err(|error| told(&target, &error))?;
    }
    // What lies there now is what was checked.
    manifest.check(&partial)?;
    let records = partial.join(RECORDS);
    if !config.records.is_empty() && records.exists() {
        // First the database, which takes all or nothing, then the folder: only with both there is an installation. After an
        // interruption in between the database has all of it already, which the copy sees.
        let sums = rapport_records::copy(&Database::sqlite(&records)?, &Database::postgres(&config.records)?)?;
        if sums != manifest.records {
            return Err("the tables that were restored are not those of the manifest".into());
        }
        fs::remove_file(&records).map_err(|error| told(&records, &error))?;
    }
    finish(&partial, &config.data)?;
    let earlier = if is_second_try { ". What an earlier try had left was made anew" } else { "" };
    Ok(format!("{} was made of {}: {}{earlier}", config.data.display(), from.display(), manifest.tell()))
}
