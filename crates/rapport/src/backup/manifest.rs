//! What a backup says of itself: its files with their checksums, its tables with theirs. `manifest.json`, and beside it a file
//! with its own checksum.

use std::{
    collections::BTreeSet,
    fs::{self, File},
    path::{Component, Path, PathBuf},
};

use rapport_records::TableSum;
use rapport_types::Timestamp;
use serde::{Deserialize, Serialize};

use super::told;
use crate::cli::Failure;

const FILE: &str = "manifest.json";
const CHECKSUM: &str = "manifest.json.blake3";
/// The format that this version writes, and the newest that it reads.
const FORMAT: u32 = 1;

/// What a backup holds.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Manifest {
    format: u32,
    made_at: Timestamp,
    /// The version of Rapport that made it.
    program: String,
    files: Vec<FileSum>,
    /// The tables of the records.
    pub(super) records: Vec<TableSum>,
}

/// A file of a backup.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct FileSum {
    /// Its path in the folder.
    pub(super) path: PathBuf,
    bytes: u64,
    blake3: String,
}

impl Manifest {
    /// Of the files that lie in a folder.
    pub(super) fn of(folder: &Path, records: Vec<TableSum>, now: Timestamp) -> Result<Self, Failure> {
        let sum = |path: PathBuf| {
            let (bytes, blake3) = sum_of(&folder.join(&path))?;
            Ok::<_, Failure>(FileSum { path, bytes, blake3 })
        };
        let files = files_in(folder)?.into_iter().map(sum).collect::<Result<_, _>>()?;
        Ok(Self { format: FORMAT, made_at: now, program: env!("CARGO_PKG_VERSION").to_owned(), files, records })
    }

    pub(super) fn write(&self, folder: &Path) -> Result<(), Failure> {
        let text = serde_json::to_string_pretty(self)?;
        let write = |name: &str, text: &str| {
            let path = folder.join(name);
            fs::write(&path, text).map_err(|error| told(&path, &error))
        };
        write(FILE, &text)?;
        write(CHECKSUM, blake3::hash(text.as_bytes()).to_hex().as_str())?;
        Ok(())
    }

    /// Reads the manifest of a backup, if it is as it was written.
    pub(super) fn read(folder: &Path) -> Result<Self, Failure> {
        let read = |name: &str| {
            let path = folder.join(name);
            fs::read(&path).map_err(|error| format!("{} is no backup: {}", folder.display(), told(&path, &error)))
        };
        let (text, checksum) = (read(FILE)?, read(CHECKSUM)?);
        if blake3::hash(&text).to_hex().as_bytes() != checksum.trim_ascii() {
            return Err(changed(&folder.join(FILE)));
        }
        let format: Format = serde_json::from_slice(&text)?;
        if format.format > FORMAT {
            return Err(format!(
                "the backup has format {}; this version of Rapport reads up to {FORMAT}: install a newer version",
                format.format
            )
            .into());
        }
        let manifest: Self = serde_json::from_slice(&text)?;
        match manifest.files.iter().find(|file| !stays_inside(&file.path)) {
            Some(file) => Err(format!("{} leads out of the backup", file.path.display()).into()),
            None => Ok(manifest),
        }
    }

    /// Compares every file of a folder with what the manifest says of it.
    pub(super) fn check(&self, folder: &Path) -> Result<(), Failure> {
        for file in &self.files {
            let path = folder.join(&file.path);
            if sum_of(&path)? != (file.bytes, file.blake3.clone()) {
                return Err(changed(&path));
            }
        }
        Ok(())
    }

    pub(super) fn files(&self) -> &[FileSum] {
        &self.files
    }

    /// In words.
    pub(super) fn tell(&self) -> String {
        let bytes: u64 = self.files.iter().map(|file| file.bytes).sum();
        let rows: u64 = self.records.iter().map(|table| table.rows).sum();
        format!(
            "{} files of {:.1} MB, with {rows} rows of records in {} tables, made at {} by version {}",
            self.files.len(),
            bytes as f64 / 1e6,
            self.records.len(),
            self.made_at,
            self.program
        )
    }
}

/// What is read first: other formats may have other fields.
#[derive(Deserialize)]
struct Format {
    format: u32,
}

fn changed(path: &Path) -> Failure {
    format!("{} is not as it was written; use another backup", path.display()).into()
}

/// Whether a path names something below the folder that it is joined to.
fn stays_inside(path: &Path) -> bool {
    path.components().all(|part| matches!(part, Component::Normal(_)))
}

/// All files below a folder, but for the manifest itself.
pub(super) fn files_in(folder: &Path) -> Result<BTreeSet<PathBuf>, Failure> {
    let (mut found, mut waiting) = (BTreeSet::new(), vec![folder.to_owned()]);
    while let Some(next) = waiting.pop() {
        for entry in fs::read_dir(&next).map_err(|error| told(&next, &error))? {
            let path = entry.map_err(|error| told(&next, &error))?.path();
            if path.is_dir() {
                waiting.push(path);
            } else if let Ok(inside) = path.strip_prefix(folder) {
                found.insert(inside.to_owned());
            }
        }
    }
    found.remove(Path::new(FILE));
    found.remove(Path::new(CHECKSUM));
    Ok(found)
}

/// The length of a file and its BLAKE3.
fn sum_of(path: &Path) -> Result<(u64, String), Failure> {
    let mut hasher = blake3::Hasher::new();
    let mut file = File::open(path).map_err(|error| told(path, &error))?;
    let bytes = std::io::copy(&mut file, &mut hasher).map_err(|error| told(path, &error))?;
    Ok((bytes, hasher.finalize().to_hex().to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_manifest_does_not_lead_out_of_its_folder() {
        for (path, stays) in [("log.db", true), ("files/ab/cd", true), ("../log.db", false), ("/etc/passwd", false)] {
            assert_eq!(stays_inside(Path::new(path)), stays, "{path}");
        }
    }
}
