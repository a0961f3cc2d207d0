//! Tables in files: CSV and its relatives, JSON lines, packed or not, and Parquet, in the usual encodings.
//!
//! What a file is follows from its content, never from its name. What comes out is columns of text, which
//! [`rapport_ml::frame::infer`] turns into typed columns, and a [`FileReport`] of what had to be mended on the way. Memory is
//! bounded by the text itself plus 4 bytes a cell, growth doubling it for a while; a file is read once, from front to back.

mod columns;
mod decode;
mod delimited;
mod header;
mod json;
mod parquet;
mod source;

use std::fs::File;
use std::io::{BufReader, Read, Seek};
use std::ops::ControlFlow;

use rapport_ml::frame::Texts;
use serde::Serialize;

use crate::LearnError;

use columns::Columns;

/// So much of a file is looked at to tell what it is.
const HEAD_BYTES: usize = 1 << 16;

/// How to read a file. The defaults find out by themselves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileOptions {
    /// The character between cells.
    pub delimiter: Option<u8>,
    /// Whether the first row names the columns.
    pub header: Option<bool>,
    /// A file with more rows is refused.
    pub rows_max: usize,
    /// A file of more bytes, after unpacking, is refused.
    pub bytes_max: u64,
}

impl Default for FileOptions {
    fn default() -> Self {
        Self { delimiter: None, header: None, rows_max: 50_000_000, bytes_max: 16 << 30 }
    }
}

/// How far the reading is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FileProgress {
    /// Bytes of the file itself, packed if it is.
    pub bytes: u64,
    /// Rows.
    pub rows: usize,
}

/// What a file turned out to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum FileFormat {
    /// Cells with this character between them.
    Delimited(char),
    /// Cells with spaces between them.
    Spaces,
    /// One cell on each line.
    Lines,
    /// A Parquet file.
    Parquet,
    /// An object on each line.
    JsonLines,
    /// An array of objects.
    JsonArray,
}

/// Something that was mended, or is worth a look.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "note", rename_all = "snake_case")]
pub enum FileNote {
    /// The file was written in another encoding than UTF-8.
    Encoding {
        /// Its name.
        name: String,
    },
    /// Bytes that are no text in the file's encoding became `U+FFFD`, or were NUL and were dropped.
    BrokenBytes {
        /// How many.
        count: u64,
    },
    /// The first row holds values, so the columns were named by number.
    NoHeader,
    /// Columns without a name were named by number.
    EmptyNames {
        /// Their places, from 1.
        places: Vec<usize>,
    },
    /// Columns of one name got a number behind it.
    RepeatedNames {
        /// The names that came more than once.
        names: Vec<String>,
    },
    /// Rows with fewer cells than there are columns; the others count as missing.
    ShortRows {
        /// How many.
        count: usize,
        /// The line of the first.
        line: u64,
    },
    /// Rows with more cells than there are columns; what is too much was dropped.
    LongRows {
        /// How many.
        count: usize,
        /// The line of the first.
        line: u64,
    },
}

impl std::fmt::Display for FileNote {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Encoding { name } => write!(f, "read as {name}"),
            Self::BrokenBytes { count } => write!(f, "{count} bytes are no text and were replaced or dropped"),
            Self::NoHeader => f.write_str("the first row holds values; columns are named by number"),
            Self::EmptyNames { places } => write!(f, "columns without a name are named by number: {places:?}"),
            Self::RepeatedNames { names } => {
                write!(f, "names that come more than once got a number: {}", names.join(", "))
            }
            Self::ShortRows { count, line } => {
                write!(f, "{count} rows have too few cells, first on line {line}; the rest of them counts as missing")
            }
            Self::LongRows { count, line } => {
                write!(f, "{count} rows have too many cells, first on line {line}; what is too much was dropped")
            }
        }
    }
}

/// What a file was, and what was mended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FileReport {
    /// What it was.
    pub format: FileFormat,
    /// Rows without the header.
    pub rows: usize,
    /// What was mended.
    pub notes: Vec<FileNote>,
}

/// The columns of a file.
#[derive(Debug, Clone, PartialEq)]
pub struct FileTable {
    /// Names, none of them empty or twice, and texts.
    pub columns: Vec<(String, Texts)>,
    /// What the file was.
    pub report: FileReport,
}

/// Reads a table from a file of any of the formats. `progress` is as in [`read_table`].
pub fn read_file(
    mut file: File,
    options: &FileOptions,
    progress: &mut dyn FnMut(FileProgress) -> ControlFlow<()>,
) -> Result<FileTable, LearnError> {
    let mut head = Vec::new();
    Read::by_ref(&mut file).take(HEAD_BYTES as u64).read_to_end(&mut head)?;
    // A pipe cannot be rewound, so what was read stands before the rest again; Parquet from a pipe is refused there.
    if !head.starts_with(b"PAR1") || file.rewind().is_err() {
        return read_table(head.as_slice().chain(file), options, progress);
    }
    parquet::read(file, options, progress)
}

/// Reads a table from a stream, which cannot be Parquet. `progress` is called now and then, and ends the reading by [`ControlFlow::Break`].
pub fn read_table(
    reader: impl Read,
    options: &FileOptions,
    progress: &mut dyn FnMut(FileProgress) -> ControlFlow<()>,
) -> Result<FileTable, LearnError> {
    let (read, counter) = source::Counted::new(reader);
    let unpacked = source::unpack(BufReader::with_capacity(HEAD_BYTES, read), options.bytes_max)?;
    let (mut text, findings) = decode::Utf8::new(unpacked)?;
    let head = text.head()?.to_owned();
    let mut columns = Columns::new(options, counter, progress);
    let (format, mut notes) = match head.trim_start().bytes().next() {
        None => return Err(LearnError::File("the file is empty".to_owned())),
        Some(b'{') => (FileFormat::JsonLines, json::read_lines(text, &mut columns).map(|()| Vec::new())?),
        Some(b'[') => (FileFormat::JsonArray, json::read_array(text, &mut columns).map(|()| Vec::new())?),
        Some(_) => delimited::read(text, &head, options, &mut columns)?,
    };
    let findings = findings.get();
    if let Some(name) = findings.encoding {
        notes.push(FileNote::Encoding { name: name.to_owned() });
    }
    if findings.broken > 0 {
        notes.push(FileNote::BrokenBytes { count: findings.broken });
    }
    let columns = columns.finish()?;
    let rows = columns.first().map_or(0, |(_, texts)| texts.len());
    if rows == 0 {
        return Err(LearnError::File("the file has a header, and no rows below it".to_owned()));
    }
    Ok(FileTable { columns, report: FileReport { format, rows, notes } })
}
