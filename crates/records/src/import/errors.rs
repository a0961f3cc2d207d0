//! The rows that are wrong, as a file: number, fields, what is wrong, then the row as it was, to be mended and imported again.

use std::{
    fs::{File, OpenOptions},
    io::{Seek as _, SeekFrom, Write as _},
    path::{Path, PathBuf},
};

use serde_json::Value;

use super::{rows::Wrong, source::plain};
use crate::{RecordsError, export::safe};

/// The file beside an import's own.
pub(super) fn path_of(import: &Path) -> PathBuf {
    import.with_extension("errors.csv")
}

/// The file at work.
pub(super) struct Errors {
    file: File,
    bytes: u64,
    header: Vec<String>,
}

impl Errors {
    /// Opens it as it was when `bytes` were committed; what was written behind them belongs to rows that are done again.
    pub(super) fn open(import: &Path, header: &[String], bytes: u64) -> Result<Self, RecordsError> {
        let path = path_of(import);
        let mut file =
            OpenOptions::new().create(true).truncate(false).write(true).open(path).map_err(|error| failed(&error))?;
        file.set_len(bytes).and_then(|()| file.seek(SeekFrom::End(0))).map_err(|error| failed(&error))?;
        Ok(Self { file, bytes, header: header.to_vec() })
    }

    /// Goes back to an earlier length.
    pub(super) fn back_to(&mut self, bytes: u64) -> Result<(), RecordsError> {
        self.file.set_len(bytes).and_then(|()| self.file.seek(SeekFrom::End(0))).map_err(|error| failed(&error))?;
        self.bytes = bytes;
        Ok(())
    }

    /// Adds rows durably; how many bytes there are then.
    pub(super) fn add<'r>(
        &mut self,
        rows: impl Iterator<Item = (u64, &'r [Value], &'r [Wrong])>,
    ) -> Result<u64, RecordsError> {
        let mut text = csv::Writer::from_writer(Vec::new());
        let mut put = |cells: &[String]| {
            text.write_record(cells.iter().map(|cell| safe(cell).into_owned()))
                .map_err(|error| RecordsError::File(error.to_string()))
        };
        if self.bytes == 0 {
            let titles = ["row", "field", "problem"].map(str::to_owned).into_iter();
            put(&titles.chain(self.header.iter().cloned()).collect::<Vec<_>>())?;
        }
        let mut any = false;
        for (number, cells, wrong) in rows {
            any = true;
            let joined = |parts: Vec<&str>| parts.join("; ");
            let fields = joined(wrong.iter().map(|(field, _)| field.as_str()).collect());
            let what = joined(wrong.iter().map(|(_, what)| what.as_str()).collect());
            let mut line = vec![number.to_string(), fields, what];
            line.extend(cells.iter().map(plain));
            line.resize(self.header.len() + 3, String::new());
            put(&line)?;
        }
        if !any {
            return Ok(self.bytes);
        }
        let bytes = text.into_inner().map_err(|error| RecordsError::File(error.to_string()))?;
        self.file.write_all(&bytes).and_then(|()| self.file.sync_data()).map_err(|error| failed(&error))?;
        self.bytes += bytes.len() as u64;
        Ok(self.bytes)
    }
}

fn failed(error: &std::io::Error) -> RecordsError {
    RecordsError::File(format!("the file of errors cannot be written: {error}"))
}
