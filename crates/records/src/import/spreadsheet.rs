//! Spreadsheets. One is read whole, after it was unpacked once to see that it fits.

use std::{
    fs::File,
    io::{self, BufReader, ErrorKind, Read, Seek},
    panic::{AssertUnwindSafe, catch_unwind},
    path::Path,
};

use calamine::{DataRef, DataType as _, Reader as _, Xlsx, XlsxError};
use serde_json::{Value, json};

use super::{MAX_COLUMNS, MAX_UNPACKED};
use crate::RecordsError;

/// The rows of the first sheet that has some; empty rows are left out.
pub(super) fn read(path: &Path) -> Result<Vec<Vec<Value>>, RecordsError> {
    let open = || File::open(path).map(BufReader::new).map_err(|error| unreadable(&error));
    unpack(open()?, MAX_UNPACKED)?;
    let file = open()?;
    // The reader overflows, and panics where that is checked, at a cell that is called by a place that no sheet has.
    let read = catch_unwind(AssertUnwindSafe(|| first_rows(file)));
    read.unwrap_or_else(|_| Err(RecordsError::invalid("file", "the spreadsheet is damaged: a cell has no place")))
}

fn first_rows(file: BufReader<File>) -> Result<Vec<Vec<Value>>, RecordsError> {
    let mut book: Xlsx<_> = Xlsx::new(file).map_err(|error| broken(&error))?;
    for name in book.sheet_names() {
        let rows = sheet(&mut book, &name)?;
        if !rows.is_empty() {
            return Ok(rows);
        }
    }
    Err(RecordsError::invalid("file", "no sheet has rows"))
}

/// The rows of a sheet. Cells are taken one by one: a sheet with two cells in its opposite corners has no room in between.
fn sheet<R: Read + Seek>(book: &mut Xlsx<R>, name: &str) -> Result<Vec<Vec<Value>>, RecordsError> {
    let mut cells = book.worksheet_cells_reader(name).map_err(|error| broken(&error))?;
    let mut rows: Vec<Vec<Value>> = Vec::new();
    let mut last = None;
    while let Some(found) = cells.next_cell().map_err(|error| broken(&error))? {
        let (line, place) = found.get_position();
        if found.get_value().is_empty() {
            continue;
        }
        if place as usize >= MAX_COLUMNS {
            return Err(RecordsError::Limit(format!("a file has up to {MAX_COLUMNS} columns")));
        }
        if last != Some(line) {
            last = Some(line);
            rows.push(Vec::new());
        }
        let row = rows.last_mut().expect("one was pushed for this line");
        if row.len() <= place as usize {
            row.resize(place as usize + 1, Value::Null);
        }
        row[place as usize] = cell(found.get_value());
    }
    Ok(rows)
}

/// Refuses a file that grows beyond the limit when it is unpacked. What a file says of its own size may be a lie, so the
/// bytes are counted.
fn unpack(file: impl Read + Seek, limit: u64) -> Result<(), RecordsError> {
    let wrong = |_| RecordsError::invalid("file", "this is no spreadsheet (.xlsx)");
    let mut archive = zip::ZipArchive::new(file).map_err(wrong)?;
    let mut unpacked = 0;
    for index in 0..archive.len() {
        let entry = archive.by_index(index).map_err(wrong)?;
        unpacked +=
            io::copy(&mut entry.take(limit + 1 - unpacked), &mut io::sink()).map_err(|error| cut_off(&error))?;
        if unpacked > limit {
            return Err(RecordsError::Limit(format!(
                "the spreadsheet has more than {} MB when it is unpacked; save it as CSV",
                limit >> 20
            )));
        }
    }
    Ok(())
}

fn broken(error: &XlsxError) -> RecordsError {
    RecordsError::invalid("file", format!("the spreadsheet cannot be read: {error}"))
}

/// What is packed wrongly is the file's own mistake; anything else is the disk's.
fn cut_off(error: &io::Error) -> RecordsError {
    match error.kind() {
        ErrorKind::InvalidData | ErrorKind::InvalidInput | ErrorKind::UnexpectedEof => {
            RecordsError::invalid("file", format!("the spreadsheet is damaged: {error}"))
        }
        _ => unreadable(error),
    }
}

fn unreadable(error: &io::Error) -> RecordsError {
    RecordsError::File(format!("the file cannot be read: {error}"))
}

/// A cell as JSON; a date as its text.
fn cell(data: &DataRef<'_>) -> Value {
    match data {
        DataRef::Int(number) => json!(number),
        DataRef::Float(number) if number.fract() == 0.0 && number.abs() < 1e15 => json!(*number as i64),
        DataRef::Float(number) => json!(number),
        DataRef::String(text) | DataRef::DateTimeIso(text) | DataRef::DurationIso(text) => json!(text),
        DataRef::SharedString(text) => json!(text),
        DataRef::Bool(truth) => json!(truth),
        DataRef::DateTime(at) if at.is_datetime() => {
            let (year, month, day, hour, minute, second, _) = at.to_ymd_hms_milli();
            if (hour, minute, second) == (0, 0, 0) {
                json!(format!("{year:04}-{month:02}-{day:02}"))
            } else {
                json!(format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z"))
            }
        }
        DataRef::DateTime(at) => json!(at.as_f64()),
        DataRef::Error(_) | DataRef::Empty => Value::Null,
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Cursor, Write as _};

    use super::*;

    #[test]
    fn a_file_that_grows_when_unpacked_is_refused_before_it_is_read() {
        let mut bomb = zip::ZipWriter::new(Cursor::new(Vec::new()));
        bomb.start_file("xl/worksheets/sheet1.xml", zip::write::SimpleFileOptions::default()).unwrap();
        for _ in 0..20 {
            bomb.write_all(&vec![b' '; 1 << 16]).unwrap();
        }
        let packed = bomb.finish().unwrap();
        assert!(packed.get_ref().len() < 10_000);
        assert!(matches!(unpack(packed.clone(), 1 << 20), Err(RecordsError::Limit(_))));
        unpack(packed, 2 << 20).unwrap();
        assert!(matches!(unpack(Cursor::new(b"no zip".to_vec()), 1), Err(RecordsError::Invalid { .. })));
    }
}
