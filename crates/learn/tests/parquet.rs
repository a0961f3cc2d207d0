//! Parquet files, written here by the crate itself.

use std::fs::File;
use std::io::{Seek, Write};
use std::ops::ControlFlow;
use std::sync::Arc;

use parquet::basic::{Compression, ZstdLevel};
use parquet::data_type::{ByteArray, ByteArrayType, DoubleType, Int64Type};
use parquet::file::properties::WriterProperties;
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::parser::parse_message_type;
use rapport_learn::LearnError;
use rapport_learn::file::{FileFormat, FileOptions, FileTable, read_file};

const SCHEMA: &str = "message t {
    required int64 count;
    optional double price;
    optional binary name (UTF8);
    required int64 at (TIMESTAMP(MILLIS, true));
    required int64 exact (TIMESTAMP(NANOS, true));
    optional group place { optional binary city (UTF8); }
}";

/// Two row groups of two rows.
fn write(file: File, compression: Compression) {
    let schema = Arc::new(parse_message_type(SCHEMA).expect("is a schema"));
    let properties = Arc::new(WriterProperties::builder().set_compression(compression).build());
    let mut writer = SerializedFileWriter::new(file, schema, properties).expect("opens");
    for group in 0..2_i64 {
        let mut rows = writer.next_row_group().expect("opens");
        let mut column = 0;
        while let Some(mut writer) = rows.next_column().expect("opens") {
            let texts = |texts: &[&str]| texts.iter().map(|text| ByteArray::from(*text)).collect::<Vec<_>>();
            let levels = Some(&[1_i16, 0][..]);
            match column {
                0 => writer.typed::<Int64Type>().write_batch(&[group, 7], None, None),
                1 => writer.typed::<DoubleType>().write_batch(&[2.0], levels, None),
                2 => writer.typed::<ByteArrayType>().write_batch(&texts(&["Köln, Süd"]), levels, None),
                3 => writer.typed::<Int64Type>().write_batch(&[1_709_164_800_000, 0], None, None),
                4 => writer.typed::<Int64Type>().write_batch(&[1_709_164_800_250_000_999, 0], None, None),
                _ => writer.typed::<ByteArrayType>().write_batch(&texts(&["北京"]), Some(&[2, 0]), None),
            }
            .expect("writes");
            writer.close().expect("closes");
            column += 1;
        }
        rows.close().expect("closes");
    }
    writer.close().expect("closes");
}

fn read(file: &File, options: &FileOptions) -> Result<FileTable, LearnError> {
    let mut file = file.try_clone().expect("is open");
    file.rewind().expect("rewinds");
    read_file(file, options, &mut |_| ControlFlow::Continue(()))
}

#[test]
fn columns_of_all_kinds_come_out_as_text() {
    for compression in [Compression::UNCOMPRESSED, Compression::SNAPPY, Compression::ZSTD(ZstdLevel::default())] {
        let file = tempfile::tempfile().expect("is made");
        write(file.try_clone().expect("is open"), compression);
        let table = read(&file, &FileOptions::default()).expect("reads");
        assert_eq!((table.report.format, table.report.rows), (FileFormat::Parquet, 4));
        let names: Vec<&str> = table.columns.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["count", "price", "name", "at", "exact", "place.city"]);
        let row = |row| table.columns.iter().map(|(_, texts)| texts.get(row).unwrap_or_default()).collect::<Vec<_>>();
        let (at, exact) = ("2024-02-29 00:00:00.000 +00:00", "2024-02-29 00:00:00.250 +00:00");
        assert_eq!(row(2), ["1", "2", "Köln, Süd", at, exact, "北京"]);
        let first = "1970-01-01 00:00:00.000 +00:00";
        assert_eq!(row(1), ["7", "", "", first, first, ""]);
        let reading = rapport_ml::frame::TimeForm::YearFirst;
        assert_eq!(reading.read(exact), Some(1_709_164_800_250));
    }
}

#[test]
fn damaged_and_too_large_files_are_told_in_a_sentence() {
    let file = tempfile::tempfile().expect("is made");
    write(file.try_clone().expect("is open"), Compression::SNAPPY);
    let small = FileOptions { rows_max: 3, ..FileOptions::default() };
    assert!(read(&file, &small).expect_err("too many rows").to_string().contains("more than 3 rows"));
    let small = FileOptions { bytes_max: 10, ..FileOptions::default() };
    assert!(read(&file, &small).expect_err("too large").to_string().contains("larger than the limit"));
    let length = file.metadata().expect("is open").len();
    for cut in [4, 8, length / 2, length - 1] {
        let short = tempfile::tempfile().expect("is made");
        write(short.try_clone().expect("is open"), Compression::SNAPPY);
        short.set_len(cut).expect("is cut");
        let error = read(&short, &FileOptions::default()).expect_err("is cut").to_string();
        assert!(error.contains("damaged"), "{error}");
    }
    let mut other = tempfile::tempfile().expect("is made");
    other.write_all(b"a,b\n1,2\n").expect("writes");
    let table = read(&other, &FileOptions::default()).expect("reads");
    assert_eq!(table.report.format, FileFormat::Delimited(','));
}
