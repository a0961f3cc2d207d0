//! A file comes in: kept, looked at, counted, and a mapping proposed.

use std::{
    fs::{self, File},
    io::{Read, Write as _},
    path::{Path, PathBuf},
};

use encoding_rs::UTF_8;

use super::{
    Format, Import, MAX_FILE, SAMPLE, State, Tally,
    decode::Detector,
    guess,
    source::{self, Source},
    store,
};
use crate::{Access, Desk, Id, RecordsError, Verb};

/// The longest name of a file that is kept, in letters.
const NAME: usize = 200;
/// What is shown of a file.
const SHOWN: usize = 5;

impl Desk {
    /// Takes a file of records in: keeps it, looks at it and proposes a mapping. Nothing is written to records yet.
    pub fn upload_import(
        &self,
        access: &Access,
        object: &str,
        name: &str,
        file: &mut dyn Read,
    ) -> Result<Import, RecordsError> {
        access.must_transfer()?;
        let schema = self.schema();
        let known = schema.object(object);
        let known = known.ok_or_else(|| RecordsError::NotFound("there is no such object".to_owned()))?;
        if access.reach(Verb::Create, known).is_err() {
            access.reach(Verb::Update, known)?;
        }
        let id = self.ids.next(self.now())?;
        let path = self.import_file(id)?;
        let looked = self.keep(access, object, name, file, &path, id);
        if looked.is_err() {
            // What is refused leaves nothing behind; that it is gone already is no error.
            drop(fs::remove_file(&path));
        }
        looked
    }

    /// Where the file of an import lies. The name that it came with is shown and never part of a path.
    pub(super) fn import_file(&self, id: Id) -> Result<PathBuf, RecordsError> {
        let folder = self.files()?.join("imports");
        fs::create_dir_all(&folder)
            .map_err(|error| RecordsError::File(format!("{} cannot be made: {error}", folder.display())))?;
        Ok(folder.join(id.to_string()))
    }

    fn keep(
        &self,
        access: &Access,
        object: &str,
        name: &str,
        file: &mut dyn Read,
        path: &Path,
        id: Id,
    ) -> Result<Import, RecordsError> {
        let (head, detector) = store_file(file, path)?;
        let format = format_of(name, &head);
        let encoding = if format == Format::Xlsx { UTF_8 } else { detector.end().0 };
        let mut about = source::look(path, format, encoding)?;
        let mut source = Source::open(path, format, &about)?;
        let sample = source.take(SAMPLE)?;
        let mut total = sample.len() as u64;
        while source.next()?.is_some() {
            total += 1;
        }
        let sample: Vec<Vec<String>> =
            sample.into_iter().filter_map(|row| Some(row.cells.ok()?.iter().map(source::plain).collect())).collect();
        let schema = self.schema();
        let known = schema.object(object);
        let known = known.ok_or_else(|| RecordsError::NotFound("there is no such object".to_owned()))?;
        let remembered = self.read(|_, tx| store::remembered(tx, object, &about.header))?;
        let remembered = remembered.and_then(|mapping| guess::again(mapping, &about.header, known, access));
        let guessed = guess::guess(known, &schema, access, &about.header, &sample);
        about.system = guessed.1.map(str::to_owned);
        about.remembered = remembered.is_some();
        about.sample = sample.into_iter().take(SHOWN).collect();
        let import = Import {
            id,
            object: object.to_owned(),
            name: shown_name(name),
            format,
            state: State::Uploaded,
            about,
            mapping: remembered.unwrap_or(guessed.0),
            total,
            position: 0,
            tally: Tally::default(),
            actor: access.actor.to_string(),
            batch: None,
            message: None,
            made_at: self.now(),
            started_at: None,
            ended_at: None,
            error_bytes: 0,
        };
        self.write(|_, tx| store::insert(tx, &import, access))?;
        Ok(import)
    }
}

/// Writes a file durably; its first bytes, and what was seen of its encoding.
fn store_file(file: &mut dyn Read, path: &Path) -> Result<(Vec<u8>, Detector), RecordsError> {
    let failed = |error: std::io::Error| RecordsError::File(format!("the file cannot be kept: {error}"));
    let mut kept = File::create(path).map_err(failed)?;
    let (mut detector, mut head) = (Detector::new(), Vec::new());
    let mut buffer = vec![0; 256 << 10];
    let mut size: u64 = 0;
    loop {
        let read = file.read(&mut buffer).map_err(failed)?;
        if read == 0 {
            break;
        }
        size += read as u64;
        if size > MAX_FILE {
            return Err(RecordsError::Limit(format!("a file has up to {} GB", MAX_FILE >> 30)));
        }
        if head.len() < 4 {
            head.extend_from_slice(&buffer[..read.min(4)]);
        }
        detector.take(&buffer[..read]);
        kept.write_all(&buffer[..read]).map_err(failed)?;
    }
    kept.sync_all().map_err(failed)?;
    Ok((head, detector))
}

/// What a file is written in: spreadsheets begin with the mark of a zip, lines of JSON with a brace.
fn format_of(name: &str, head: &[u8]) -> Format {
    let ends = |end: &str| name.to_ascii_lowercase().ends_with(end);
    if head.starts_with(b"PK\x03\x04") || ends(".xlsx") {
        Format::Xlsx
    } else if head.first() == Some(&b'{') || ends(".jsonl") || ends(".ndjson") {
        Format::Jsonl
    } else {
        Format::Csv
    }
}

/// The last part of a path, without what cannot be shown.
fn shown_name(name: &str) -> String {
    let last = name.rsplit(['/', '\\']).next().unwrap_or(name);
    last.chars().filter(|letter| !letter.is_control()).take(NAME).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_no_paths() {
        assert_eq!(shown_name("../../etc/passwd"), "passwd");
        assert_eq!(shown_name("C:\\files\\a\u{0}b\n.csv"), "ab.csv");
    }

    #[test]
    fn a_format_is_seen_by_what_is_in_it() {
        assert_eq!(format_of("a.csv", b"PK\x03\x04"), Format::Xlsx);
        assert_eq!(format_of("a", b"{\"a\""), Format::Jsonl);
        assert_eq!(format_of("a.XLSX", b""), Format::Xlsx);
        assert_eq!(format_of("a.txt", b"a,b\n"), Format::Csv);
    }
}
