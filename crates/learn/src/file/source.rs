//! What stands at the beginning of a file, and unpacking.

use std::cell::Cell;
use std::io::{self, BufRead, BufReader, Read};
use std::rc::Rc;

use flate2::bufread::MultiGzDecoder;

use crate::LearnError;

/// First bytes that tell what a file is, what that is, and what to do.
const NOT_TABLES: &[(&[u8], &str)] = &[
    (b"PK\x03\x04", "a ZIP archive or an Excel workbook; unpack it, or save the sheet as CSV"),
    (b"\xd0\xcf\x11\xe0", "an old Excel workbook; save the sheet as CSV"),
    (b"%PDF", "a PDF document; a table is needed, such as CSV"),
    (b"\x89PNG", "a picture; a table is needed, such as CSV"),
    (b"\xff\xd8\xff", "a picture; a table is needed, such as CSV"),
    (b"SQLite format 3\0", "a SQLite database; export the table as CSV"),
    (b"PAR1", "a Parquet file, which cannot be read from a stream or packed; give it as a file"),
    (b"ARROW1", "an Arrow file; export it as CSV"),
    (b"ORC", "an ORC file; export it as CSV"),
    (b"\x7fELF", "a program; a table is needed, such as CSV"),
    (b"BZh", "packed by bzip2; unpack it, or pack it by gzip or zstd"),
    (b"\xfd7zXZ\0", "packed by xz; unpack it, or pack it by gzip or zstd"),
    (b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive; unpack it"),
    (b"Rar!", "a RAR archive; unpack it"),
];

/// What the text of a page begins with.
const PAGES: &[&str] = &["<!doctype html", "<html", "<?xml"];

/// Counts the bytes that are read.
pub(super) struct Counted<R> {
    inner: R,
    bytes: Rc<Cell<u64>>,
}

impl<R> Counted<R> {
    /// The reader and its counter.
    pub(super) fn new(inner: R) -> (Self, Rc<Cell<u64>>) {
        let bytes = Rc::new(Cell::new(0));
        (Self { inner, bytes: Rc::clone(&bytes) }, bytes)
    }
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.bytes.set(self.bytes.get() + read as u64);
        Ok(read)
    }
}

/// Refuses to read more than so many bytes: a small file may unpack to any size.
struct AtMost<R> {
    inner: R,
    left: u64,
}

impl<R: Read> Read for AtMost<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        match self.left.checked_sub(read as u64) {
            Some(left) => self.left = left,
            None => return Err(io::Error::other("the file is larger than the limit; split it, or raise the limit")),
        }
        Ok(read)
    }
}

/// The bytes of a table, unpacked if they were packed. Refuses what is something else.
pub(super) fn unpack<'a>(mut reader: impl BufRead + 'a, bytes_max: u64) -> Result<Box<dyn BufRead + 'a>, LearnError> {
    let head = reader.fill_buf()?;
    let inner: Box<dyn Read + 'a> = if head.starts_with(&[0x1f, 0x8b]) {
        Box::new(MultiGzDecoder::new(reader))
    } else if head.starts_with(&[0x28, 0xb5, 0x2f, 0xfd]) {
        Box::new(zstd::stream::read::Decoder::with_buffer(reader)?)
    } else {
        Box::new(reader)
    };
    let mut unpacked = BufReader::with_capacity(1 << 16, AtMost { inner, left: bytes_max });
    let head = unpacked.fill_buf()?;
    if let Some((_, what)) = NOT_TABLES.iter().find(|(magic, _)| head.starts_with(magic)) {
        return Err(LearnError::File(format!("this is {what}")));
    }
    if head.starts_with(&[0x1f, 0x8b]) || head.starts_with(&[0x28, 0xb5, 0x2f, 0xfd]) {
        return Err(LearnError::File("this is packed twice; unpack it once".to_owned()));
    }
    let start = String::from_utf8_lossy(&head[..head.len().min(64)]).trim_start().to_ascii_lowercase();
    if PAGES.iter().any(|page| start.starts_with(page)) {
        let what = "this is a web page or XML, not a table; perhaps a sign-in page was saved in place of the file";
        return Err(LearnError::File(what.to_owned()));
    }
    Ok(Box::new(unpacked))
}
