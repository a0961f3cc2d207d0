//! A backup looked through, and an installation made of it: whole, or not at all.

use std::{fs, path::Path};

use rapport_records::Database;

use super::{RECORDS, begin, finish, manifest::Manifest, told};
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

/// Makes an installation of a backup; what was done, as text.
pub(crate) fn restore(config: &Config, from: &Path) -> Result<String, Failure> {
    let manifest = Manifest::read(from)?;
    manifest.check(from)?;
    let partial = begin(&config.data)?;
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
        // First the database, which takes all or nothing, then the folder: only with both there is an installation.
        let sums = rapport_records::copy(&Database::sqlite(&records)?, &Database::postgres(&config.records)?)?;
        if sums != manifest.records {
            return Err("the tables that were restored are not those of the manifest".into());
        }
        fs::remove_file(&records).map_err(|error| told(&records, &error))?;
    }
    finish(&partial, &config.data)?;
    Ok(format!("{} was made of {}: {}", config.data.display(), from.display(), manifest.tell()))
}
