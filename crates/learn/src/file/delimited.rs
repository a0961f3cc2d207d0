//! Cells with a character, or spaces, between them.

use std::cell::Cell;
use std::io::{self, BufRead, Read};
use std::rc::Rc;

use super::columns::Columns;
use super::{FileFormat, FileNote, FileOptions, header};
use crate::LearnError;

/// What may stand between cells, in the order of trust.
const DELIMITERS: [u8; 4] = [b',', b';', b'\t', b'|'];
/// Stands in no text: the unit separator of ASCII.
const NEVER: u8 = 0x1f;
/// A row of more bytes has a quote that was opened and never closed.
const ROW_MAX: u64 = 16 << 20;
/// If more than this share of rows have another number of cells than the header, it is no table.
const RAGGED: f64 = 0.5;

/// Reads rows; `head` is the beginning of the text.
pub(super) fn read(
    text: impl BufRead,
    head: &str,
    options: &FileOptions,
    columns: &mut Columns<'_>,
) -> Result<(FileFormat, Vec<FileNote>), LearnError> {
    let (format, sample) = match options.delimiter {
        Some(delimiter) => (FileFormat::Delimited(delimiter as char), sample(head, delimiter)),
        None => sniff(head),
    };
    let Some((first, others)) = sample.split_first() else {
        return Err(LearnError::File("the file holds nothing but empty lines".to_owned()));
    };
    let mut notes = Vec::new();
    let has_header = options.header.unwrap_or_else(|| header::is_header(first, others));
    let names = if has_header {
        header::mend(first, &mut notes)
    } else {
        notes.push(FileNote::NoHeader);
        header::numbered(sample.iter().map(Vec::len).max().unwrap_or(0))
    };
    for name in names {
        columns.add(name)?;
    }
    let mut rows = Rows { columns, skip: has_header, read: 0, short: (0, 0), long: (0, 0) };
    match format {
        FileFormat::Spaces => read_spaces(text, &mut rows)?,
        FileFormat::Delimited(delimiter) => read_csv(text, delimiter as u8, &mut rows)?,
        FileFormat::Lines | FileFormat::JsonLines | FileFormat::JsonArray | FileFormat::Parquet => {
            read_csv(text, NEVER, &mut rows)?;
        }
    }
    rows.report(&mut notes)?;
    Ok((format, notes))
}

/// Where rows go.
struct Rows<'a, 'b> {
    columns: &'a mut Columns<'b>,
    /// Whether the next row is the header.
    skip: bool,
    read: usize,
    /// How many, and the line of the first.
    short: (usize, u64),
    long: (usize, u64),
}

impl Rows<'_, '_> {
    fn row<'c>(&mut self, line: u64, cells: impl Iterator<Item = &'c str>) -> Result<(), LearnError> {
        if std::mem::take(&mut self.skip) {
            return Ok(());
        }
        let mut count = 0;
        for cell in cells {
            if count < self.columns.len() {
                self.columns.put(count, cell.trim())?;
            }
            count += 1;
        }
        let odd = match count.cmp(&self.columns.len()) {
            std::cmp::Ordering::Less => Some(&mut self.short),
            std::cmp::Ordering::Equal => None,
            std::cmp::Ordering::Greater => Some(&mut self.long),
        };
        if let Some((count, first)) = odd {
            *first = if *count == 0 { line } else { *first };
            *count += 1;
        }
        self.read += 1;
        self.columns.end_row()
    }

    fn report(self, notes: &mut Vec<FileNote>) -> Result<(), LearnError> {
        let (short, long) = (self.short, self.long);
        if (short.0 + long.0) as f64 > RAGGED * self.read as f64 {
            let (odd, rows, line) = (short.0 + long.0, self.read, if short.0 > long.0 { short.1 } else { long.1 });
            return Err(LearnError::File(format!(
                "{odd} of {rows} rows have another number of cells than the first row has, such as line {line}; state the \
                 character that stands between cells, or remove lines above the header"
            )));
        }
        if short.0 > 0 {
            notes.push(FileNote::ShortRows { count: short.0, line: short.1 });
        }
        if long.0 > 0 {
            notes.push(FileNote::LongRows { count: long.0, line: long.1 });
        }
        Ok(())
    }
}

fn read_spaces(text: impl BufRead, rows: &mut Rows<'_, '_>) -> Result<(), LearnError> {
    let (guard, _left) = RowGuard::new(text);
    let left = Rc::clone(&guard.left);
    for (line, text) in io::BufReader::new(guard).lines().enumerate() {
        let text = text?;
        left.set(ROW_MAX);
        if !text.trim().is_empty() {
            rows.row(line as u64 + 1, text.split_whitespace())?;
        }
    }
    Ok(())
}

fn read_csv(text: impl BufRead, delimiter: u8, rows: &mut Rows<'_, '_>) -> Result<(), LearnError> {
    let (guard, left) = RowGuard::new(text);
    let mut csv = builder(delimiter).from_reader(guard);
    let mut record = csv::StringRecord::new();
    loop {
        let line = csv.position().line();
        left.set(ROW_MAX);
        match csv.read_record(&mut record) {
            Ok(false) => return Ok(()),
            Ok(true) => rows.row(record.position().map_or(line, csv::Position::line), record.iter())?,
            Err(_) if left.get() == 0 => {
                return Err(LearnError::File(format!(
                    "the row that begins on line {line} does not end within {} MB; a quote is opened there and never closed",
                    ROW_MAX >> 20
                )));
            }
            Err(error) => {
                return Err(match error.into_kind() {
                    csv::ErrorKind::Io(error) => error.into(),
                    kind => LearnError::File(format!("line {line}: {kind:?}")),
                });
            }
        }
    }
}

fn builder(delimiter: u8) -> csv::ReaderBuilder {
    let mut builder = csv::ReaderBuilder::new();
    builder.delimiter(delimiter).flexible(true).has_headers(false).buffer_capacity(1 << 16);
    builder
}

/// Gives out so many bytes and then fails, unless it is told that a row has ended.
struct RowGuard<R> {
    inner: R,
    left: Rc<Cell<u64>>,
}

impl<R> RowGuard<R> {
    fn new(inner: R) -> (Self, Rc<Cell<u64>>) {
        let left = Rc::new(Cell::new(ROW_MAX));
        (Self { inner, left: Rc::clone(&left) }, left)
    }
}

impl<R: Read> Read for RowGuard<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.left.get() == 0 {
            return Err(io::Error::other("a row has no end"));
        }
        let read = self.inner.read(buffer)?;
        self.left.set(self.left.get().saturating_sub(read as u64));
        Ok(read)
    }
}

/// What stands between cells, and the first rows. The character is taken by which most rows have the same number of cells,
/// then the one that makes most cells.
fn sniff(head: &str) -> (FileFormat, Vec<Vec<String>>) {
    let mut best: Option<(f64, usize, u8, Vec<Vec<String>>)> = None;
    for delimiter in DELIMITERS {
        let rows = sample(head, delimiter);
        let count = |width: usize| rows.iter().filter(|row| row.len() == width).count();
        let Some(width) = rows.iter().map(Vec::len).max_by_key(|width| count(*width)) else { continue };
        let first = rows.first().map_or(0, Vec::len);
        // Sentences have a comma now and then; that alone makes no table.
        if width < 2 || (first == 1 && width < 3) {
            continue;
        }
        let alike = count(width) as f64 / rows.len() as f64;
        if best.as_ref().is_none_or(|(other, cells, ..)| (alike, width) > (*other, *cells)) {
            best = Some((alike, width, delimiter, rows));
        }
    }
    match (best, spaces(head)) {
        (Some((alike, _, delimiter, rows)), _) if alike > RAGGED => (FileFormat::Delimited(delimiter as char), rows),
        (_, Some(rows)) => (FileFormat::Spaces, rows),
        (_, None) => (FileFormat::Lines, sample(head, NEVER)),
    }
}

/// The first rows, if they are cells with spaces between them: alike in number, and half of them numbers.
fn spaces(head: &str) -> Option<Vec<Vec<String>>> {
    let lines = head.lines().filter(|line| !line.trim().is_empty());
    let rows: Vec<Vec<String>> =
        lines.take(header::ROWS + 1).map(|line| line.split_whitespace().map(str::to_owned).collect()).collect();
    let rows = if rows.len() > header::ROWS { rows[..header::ROWS].to_vec() } else { rows };
    let width = rows.first()?.len();
    let below = rows.get(1..).filter(|below| !below.is_empty()).unwrap_or(&rows);
    let cells = || below.iter().flatten();
    let numbers = cells().filter(|cell| cell.parse::<f64>().is_ok()).count();
    let fits = width >= 2 && rows.iter().all(|row| row.len() == width) && numbers * 2 >= cells().count();
    fits.then_some(rows)
}

/// The first rows, as this delimiter cuts them. The last may be cut short, and is left out if there are others.
fn sample(head: &str, delimiter: u8) -> Vec<Vec<String>> {
    let mut csv = builder(delimiter).from_reader(head.as_bytes());
    let rows = csv.records().filter_map(Result::ok).take(header::ROWS + 1);
    let mut rows: Vec<Vec<String>> = rows.map(|row| row.iter().map(|cell| cell.trim().to_owned()).collect()).collect();
    if rows.len() > 2 && !head.ends_with('\n') || rows.len() > header::ROWS {
        rows.pop();
    }
    rows
}
