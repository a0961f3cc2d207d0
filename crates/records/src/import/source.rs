//! Rows of a file, one after the other.

use std::{
    cell::Cell,
    fs::File,
    io::{self, BufRead, BufReader, Read, Seek as _},
    path::Path,
    rc::Rc,
};

use encoding_rs::{Encoding, UTF_8};
use serde_json::{Map, Value};

use super::{About, BATCH_BYTES, Format, MAX_COLUMNS, MAX_ROW, decode::Decoded, headers, spreadsheet};
use crate::RecordsError;

/// How many lines of JSON are looked at for the names of columns.
const JSON_SAMPLE: usize = 1_000;
/// How much of a text is looked at for the character between cells.
const HEAD: u64 = 64 << 10;

/// A row of a file: its cells in the order of the header, or why it cannot be read.
pub(super) struct Row {
    /// From 1; the header is not counted.
    pub(super) number: u64,
    pub(super) cells: Result<Vec<Value>, String>,
}

/// A file that is read row by row.
pub(super) struct Source {
    kind: Kind,
    header: Vec<String>,
    number: u64,
}

enum Kind {
    Csv { reader: csv::Reader<Guard<Box<dyn Read>>>, left: Rc<Cell<u64>>, record: csv::StringRecord },
    Jsonl(Lines),
    Rows(std::vec::IntoIter<Vec<Value>>),
}

impl Source {
    /// Opens a file whose header and form are known.
    pub(super) fn open(path: &Path, format: Format, about: &About) -> Result<Self, RecordsError> {
        let header = about.header.clone();
        let kind = match format {
            Format::Csv => {
                let mut kind = csv(path, encoding(about), about.delimiter.unwrap_or(',') as u8)?;
                next_csv(&mut kind)?;
                kind
            }
            Format::Jsonl => Kind::Jsonl(Lines::open(path, encoding(about))?),
            Format::Xlsx => {
                let mut rows = spreadsheet::read(path)?.into_iter();
                rows.next();
                Kind::Rows(rows)
            }
        };
        Ok(Self { kind, header, number: 0 })
    }

    /// Passes over rows that are done.
    pub(super) fn skip(&mut self, rows: u64) -> Result<(), RecordsError> {
        while self.number < rows {
            if self.next()?.is_none() {
                let what = "the file has fewer rows than were done already; it was changed";
                return Err(RecordsError::File(what.to_owned()));
            }
        }
        Ok(())
    }

    /// The next rows, `count` at most, or fewer if they are long; none at the end.
    pub(super) fn take(&mut self, count: usize) -> Result<Vec<Row>, RecordsError> {
        let (mut rows, mut bytes) = (Vec::with_capacity(count), 0);
        while rows.len() < count && bytes < BATCH_BYTES {
            let Some(row) = self.next()? else { break };
            bytes += row.cells.as_ref().map_or(0, |cells| cells.iter().map(bytes_of).sum());
            rows.push(row);
        }
        Ok(rows)
    }

    pub(super) fn next(&mut self) -> Result<Option<Row>, RecordsError> {
        let cells = match &mut self.kind {
            Kind::Csv { .. } => match next_csv(&mut self.kind)? {
                Some(record) => fit(record.iter().map(|cell| Value::String(cell.to_owned())).collect(), &self.header),
                None => return Ok(None),
            },
            Kind::Jsonl(lines) => match lines.next()? {
                Some(line) => object(&line).map(|object| in_order(object, &self.header)),
                None => return Ok(None),
            },
            Kind::Rows(rows) => match rows.next() {
                Some(row) => fit(row, &self.header),
                None => return Ok(None),
            },
        };
        self.number += 1;
        Ok(Some(Row { number: self.number, cells }))
    }
}

/// What a file's header and form are.
pub(super) fn look(path: &Path, format: Format, encoding: &'static Encoding) -> Result<About, RecordsError> {
    let mut about = About { encoding: encoding.name().to_owned(), ..About::default() };
    let names = match format {
        Format::Csv => {
            let mut head = Vec::new();
            text(path, encoding)?.take(HEAD).read_to_end(&mut head).map_err(|error| unreadable(&error))?;
            let delimiter = headers::delimiter(&String::from_utf8_lossy(&head));
            about.delimiter = Some(delimiter as char);
            let mut kind = csv(path, encoding, delimiter)?;
            next_csv(&mut kind)?.map(|record| record.iter().map(str::to_owned).collect()).unwrap_or_default()
        }
        Format::Xlsx => spreadsheet::read(path)?.first().map(|row| row.iter().map(plain).collect()).unwrap_or_default(),
        Format::Jsonl => {
            let mut lines = Lines::open(path, encoding)?;
            let mut names: Vec<String> = Vec::new();
            for _ in 0..JSON_SAMPLE {
                let Some(line) = lines.next()? else { break };
                for name in object(&line).unwrap_or_default().keys() {
                    if !names.contains(name) && names.len() <= MAX_COLUMNS {
                        names.push(name.clone());
                    }
                }
            }
            names
        }
    };
    about.header = headers::mend(&names)?;
    Ok(about)
}

fn encoding(about: &About) -> &'static Encoding {
    Encoding::for_label(about.encoding.as_bytes()).unwrap_or(UTF_8)
}

fn unreadable(error: &io::Error) -> RecordsError {
    RecordsError::File(format!("the file cannot be read: {error}"))
}

/// A file as UTF-8 without a mark.
fn text(path: &Path, encoding: &'static Encoding) -> Result<Box<dyn Read>, RecordsError> {
    let mut file = File::open(path).map_err(|error| unreadable(&error))?;
    if encoding != UTF_8 {
        return Ok(Box::new(Decoded::new(BufReader::with_capacity(1 << 16, file), encoding)));
    }
    let mut mark = Vec::with_capacity(3);
    file.by_ref().take(3).read_to_end(&mut mark).map_err(|error| unreadable(&error))?;
    if mark != [0xef, 0xbb, 0xbf] {
        file.rewind().map_err(|error| unreadable(&error))?;
    }
    Ok(Box::new(file))
}

fn csv(path: &Path, encoding: &'static Encoding, delimiter: u8) -> Result<Kind, RecordsError> {
    let left = Rc::new(Cell::new(MAX_ROW));
    let guard = Guard { inner: text(path, encoding)?, left: Rc::clone(&left) };
    let mut builder = csv::ReaderBuilder::new();
    builder.delimiter(delimiter).flexible(true).has_headers(false).buffer_capacity(1 << 16);
    Ok(Kind::Csv { reader: builder.from_reader(guard), left, record: csv::StringRecord::new() })
}

fn next_csv(kind: &mut Kind) -> Result<Option<&csv::StringRecord>, RecordsError> {
    let Kind::Csv { reader, left, record } = kind else { return Ok(None) };
    let line = reader.position().line();
    left.set(MAX_ROW);
    match reader.read_record(record) {
        Ok(true) => Ok(Some(record)),
        Ok(false) => Ok(None),
        Err(_) if left.get() == 0 => Err(RecordsError::Limit(format!(
            "the row that begins on line {line} does not end within {} MB; a quote is opened there and never closed",
            MAX_ROW >> 20
        ))),
        // Only a file that says that it is UTF-8, by a mark at its beginning, was not looked at for being it.
        Err(error) if matches!(error.kind(), csv::ErrorKind::Utf8 { .. }) => {
            let what =
                format!("its mark says UTF-8, and the row that begins on line {line} is none; save it as UTF-8 again");
            Err(RecordsError::invalid("file", what))
        }
        Err(error) => Err(RecordsError::File(format!("the file cannot be read at line {line}: {error}"))),
    }
}

/// Gives out so many bytes and then fails, unless it is told that a row has ended.
struct Guard<R> {
    inner: R,
    left: Rc<Cell<u64>>,
}

impl<R: Read> Read for Guard<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.left.get() == 0 {
            return Err(io::Error::other("a row has no end"));
        }
        let read = self.inner.read(buffer)?;
        self.left.set(self.left.get().saturating_sub(read as u64));
        Ok(read)
    }
}

/// Lines of a text that are not empty.
struct Lines {
    inner: BufReader<Box<dyn Read>>,
    line: Vec<u8>,
}

impl Lines {
    fn open(path: &Path, encoding: &'static Encoding) -> Result<Self, RecordsError> {
        Ok(Self { inner: BufReader::with_capacity(1 << 16, text(path, encoding)?), line: Vec::new() })
    }

    fn next(&mut self) -> Result<Option<String>, RecordsError> {
        loop {
            self.line.clear();
            let mut limited = self.inner.by_ref().take(MAX_ROW + 1);
            if limited.read_until(b'\n', &mut self.line).map_err(|error| unreadable(&error))? == 0 {
                return Ok(None);
            }
            if self.line.len() as u64 > MAX_ROW {
                return Err(RecordsError::Limit(format!("a line has more than {} MB", MAX_ROW >> 20)));
            }
            let line = String::from_utf8_lossy(&self.line);
            if !line.trim().is_empty() {
                return Ok(Some(line.trim().to_owned()));
            }
        }
    }
}

fn object(line: &str) -> Result<Map<String, Value>, String> {
    match serde_json::from_str(line) {
        Ok(Value::Object(object)) => Ok(object),
        Ok(_) => Err("the line is no JSON object".to_owned()),
        Err(error) => Err(format!("the line is no JSON: {error}")),
    }
}

fn in_order(mut object: Map<String, Value>, header: &[String]) -> Vec<Value> {
    header.iter().map(|name| object.remove(name).unwrap_or(Value::Null)).collect()
}

/// A row as wide as the header. Short ones are filled up, since many programs leave empty cells at the end away.
fn fit(mut cells: Vec<Value>, header: &[String]) -> Result<Vec<Value>, String> {
    while cells.len() > header.len() && cells.last().is_some_and(is_empty) {
        cells.pop();
    }
    if cells.len() > header.len() {
        return Err(format!("the row has {} cells, the header {}", cells.len(), header.len()));
    }
    cells.resize(header.len(), Value::Null);
    Ok(cells)
}

/// About how many bytes a cell has: nearly all cells are texts.
fn bytes_of(cell: &Value) -> usize {
    size_of::<Value>() + cell.as_str().map_or(0, str::len)
}

pub(super) fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.trim().is_empty(),
        _ => false,
    }
}

/// A cell as people read it.
pub(super) fn plain(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}
