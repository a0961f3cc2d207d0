//! Parquet files as columns of text, so that they go the same way as all others.
//!
//! Rows come one by one from the row API of the crate; a row group is unpacked at a time, page by page. Groups within rows
//! get names with points between; lists are written out.

use std::cell::Cell;
use std::collections::BTreeSet;
use std::fmt::Write;
use std::fs::File;
use std::ops::ControlFlow;
use std::rc::Rc;

use parquet::basic::{LogicalType, TimeUnit};
use parquet::errors::ParquetError;
use parquet::file::metadata::RowGroupMetaData;
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::record::{Field, Row};
use parquet::schema::types::SchemaDescriptor;

use super::columns::Columns;
use super::{FileFormat, FileOptions, FileProgress, FileReport, FileTable};
use crate::LearnError;

const NANOSECONDS_IN_MILLISECOND: i64 = 1_000_000;

/// Reads a table. The file is read from several places, so it must be a file.
pub(super) fn read(
    file: File,
    options: &FileOptions,
    progress: &mut dyn FnMut(FileProgress) -> ControlFlow<()>,
) -> Result<FileTable, LearnError> {
    let reader = SerializedFileReader::new(file).map_err(|error| damaged(&error))?;
    let metadata = reader.metadata();
    let unpacked: i64 = metadata.row_groups().iter().map(RowGroupMetaData::total_byte_size).sum();
    if u64::try_from(unpacked).unwrap_or(0) > options.bytes_max {
        return Err(LearnError::File("the file is larger than the limit; split it, or raise the limit".to_owned()));
    }
    let schema = metadata.file_metadata().schema_descr();
    let (nanoseconds, groups) = (nanoseconds(schema), groups(schema));
    let bytes = Rc::new(Cell::new(0));
    let mut columns = Columns::new(options, Rc::clone(&bytes), progress);
    let mut rows = Rows { columns: &mut columns, name: String::new(), nanoseconds, groups };
    for group in 0..reader.num_row_groups() {
        let group = reader.get_row_group(group).map_err(|error| damaged(&error))?;
        for row in group.get_row_iter(None).map_err(|error| damaged(&error))? {
            rows.group(&row.map_err(|error| damaged(&error))?)?;
            rows.columns.end_row()?;
        }
        bytes.set(bytes.get() + u64::try_from(group.metadata().compressed_size()).unwrap_or(0));
    }
    let columns = columns.finish()?;
    let rows = columns.first().map_or(0, |(_, texts)| texts.len());
    if rows == 0 {
        return Err(LearnError::File("the file has columns, and no rows".to_owned()));
    }
    Ok(FileTable { columns, report: FileReport { format: FileFormat::Parquet, rows, notes: Vec::new() } })
}

fn damaged(error: &ParquetError) -> LearnError {
    LearnError::File(format!("the Parquet file is damaged or uses what is not supported: {error}"))
}

/// The columns that count nanoseconds since 1970: the row API gives them as plain integers.
fn nanoseconds(schema: &SchemaDescriptor) -> Vec<String> {
    let counts = |kind: Option<&LogicalType>| matches!(kind, Some(LogicalType::Timestamp(timestamp)) if timestamp.unit == TimeUnit::NANOS);
    let columns = schema.columns().iter().filter(|column| counts(column.logical_type_ref()));
    columns.map(|column| column.path().string()).collect()
}

/// The names that stand for several columns; where such a group is not there at all, it comes as one missing value.
fn groups(schema: &SchemaDescriptor) -> BTreeSet<String> {
    let above = |path: &[String]| (1..path.len()).map(|length| path[..length].join(".")).collect::<Vec<_>>();
    schema.columns().iter().flat_map(|column| above(column.path().parts())).collect()
}

/// Where rows go.
struct Rows<'a, 'b> {
    columns: &'a mut Columns<'b>,
    /// The name that is being put together.
    name: String,
    nanoseconds: Vec<String>,
    groups: BTreeSet<String>,
}

impl Rows<'_, '_> {
    fn group(&mut self, row: &Row) -> Result<(), LearnError> {
        let outer = self.name.len();
        for (name, field) in row.get_column_iter() {
            self.name.truncate(outer);
            if outer > 0 {
                self.name.push('.');
            }
            self.name.push_str(name.trim());
            match field {
                Field::Group(row) => self.group(row)?,
                Field::Null if self.groups.contains(&self.name) => {}
                field => self.field(field)?,
            }
        }
        self.name.truncate(outer);
        Ok(())
    }

    fn field(&mut self, field: &Field) -> Result<(), LearnError> {
        let mut written = String::new();
        let text = match field {
            Field::Null => "",
            Field::Str(text) => text.trim(),
            Field::Bytes(bytes) => std::str::from_utf8(bytes.data()).unwrap_or_default(),
            other => {
                let exact: &dyn std::fmt::Display = match other {
                    Field::Long(count) if self.nanoseconds.contains(&self.name) => {
                        &Field::TimestampMillis(count.div_euclid(NANOSECONDS_IN_MILLISECOND))
                    }
                    // The crate's own way to write numbers puts a fraction behind whole ones.
                    Field::Float(number) => number,
                    Field::Double(number) => number,
                    other => other,
                };
                // Writing into a string does not fail.
                write!(written, "{exact}").unwrap_or_default();
                &written
            }
        };
        self.columns.put_named(&self.name, text)
    }
}
