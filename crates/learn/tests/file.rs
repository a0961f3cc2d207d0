//! Tables in files: what they are written in, what is mended, and what is refused with a sentence.

use std::io::Write;
use std::ops::ControlFlow;

use proptest::prelude::{any, prop};
use rapport_learn::LearnError;
use rapport_learn::file::{FileFormat, FileNote, FileOptions, FileTable, read_table};

fn read(bytes: &[u8]) -> Result<FileTable, LearnError> {
    read_table(bytes, &FileOptions::default(), &mut |_| ControlFlow::Continue(()))
}

/// Names and cells, a missing one as an empty text.
fn cells(table: &FileTable) -> (Vec<&str>, Vec<Vec<&str>>) {
    let names = table.columns.iter().map(|(name, _)| name.as_str()).collect();
    let row = |row| table.columns.iter().map(|(_, texts)| texts.get(row).unwrap_or_default()).collect();
    (names, (0..table.report.rows).map(row).collect())
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packer.write_all(bytes).expect("packs");
    packer.finish().expect("packs")
}

fn utf16(text: &str, big: bool) -> Vec<u8> {
    text.encode_utf16().flat_map(|unit| if big { unit.to_be_bytes() } else { unit.to_le_bytes() }).collect()
}

#[test]
fn cells_with_any_usual_character_between_them() {
    let comma = "name,age\nAnn,30\n\"Bob, the \"\"2nd\"\"\nSmith\",40\n";
    let table = read(comma.as_bytes()).expect("reads");
    let expected = vec![vec!["Ann", "30"], vec!["Bob, the \"2nd\"\nSmith", "40"]];
    assert_eq!(cells(&table), (vec!["name", "age"], expected));
    assert_eq!((table.report.format, table.report.notes.len()), (FileFormat::Delimited(','), 0));
    for (text, delimiter) in [
        ("name;price\r\nAnn;1,5\r\nBob;2,5\r\n", ';'),
        ("name\tprice\nAnn, B\t1.5\nBob, C\t2.5\n", '\t'),
        ("name|price\nAnn|1.5\nBob|2.5", '|'),
    ] {
        let table = read(text.as_bytes()).expect("reads");
        assert_eq!(table.report.format, FileFormat::Delimited(delimiter), "{text}");
        assert_eq!((table.columns.len(), table.report.rows), (2, 2), "{text}");
    }
    let table = read(b"note\nall is well\nso far so good, mostly\n").expect("reads");
    assert_eq!(table.report.format, FileFormat::Lines);
    assert_eq!(cells(&table).1[1], ["so far so good, mostly"], "a comma in a sentence is no delimiter");
}

#[test]
fn cells_with_spaces_between_them() {
    let table = read(b" id   day     n\n 00001 19970101  1\n 00002 19970112  12\n").expect("reads");
    assert_eq!(table.report.format, FileFormat::Spaces);
    assert_eq!(cells(&table).1[1], ["00002", "19970112", "12"]);
    let table = read(b" 00004 0001 19970101  2   29.33\n 00004 0001 19970118  2   29.73\n").expect("reads");
    assert_eq!(table.report.notes, [FileNote::NoHeader]);
    assert_eq!(cells(&table).0[4], "column 5");
    assert_eq!(table.report.rows, 2);
}

#[test]
fn json_lines_and_arrays_with_objects_in_objects() {
    let lines = "{\"a\":1,\"b\":{\"c\":\"x\",\"d\":[1,2]}}\n\n{\"b\":{\"c\":null},\"e\":true}\n";
    let table = read(lines.as_bytes()).expect("reads");
    assert_eq!(table.report.format, FileFormat::JsonLines);
    assert_eq!(
        cells(&table),
        (vec!["a", "b.c", "b.d", "e"], vec![vec!["1", "x", "[1,2]", ""], vec!["", "", "", "true"]])
    );
    let array = "[{\"a\":1,\"b\":{\"c\":\"x\"}},\n {\"b\":{\"c\":\"y\"}}]";
    let table = read(array.as_bytes()).expect("reads");
    assert_eq!(table.report.format, FileFormat::JsonArray);
    assert_eq!(cells(&table), (vec!["a", "b.c"], vec![vec!["1", "x"], vec!["", "y"]]));
    let twice = read(b"{\"a.b\":1,\"a\":{\"b\":2}}\n").expect("reads");
    assert_eq!(cells(&twice).1, [["2"]], "objects are walked by name");
}

#[test]
fn encodings_are_told_by_their_bytes() {
    let table = |bytes: &[u8]| read(bytes).unwrap_or_else(|error| panic!("{error}"));
    let encoding = |name: &str| vec![FileNote::Encoding { name: name.to_owned() }];
    let text = "城市,备注\n北京,质量很好，非常满意\n上海,等了三天\n";
    let expected = table(text.as_bytes()).columns;
    let marked = table(format!("\u{feff}{text}").as_bytes());
    assert_eq!((&marked.columns, marked.report.notes), (&expected, vec![]));
    for big in [false, true] {
        let units = utf16(&format!("\u{feff}{text}"), big);
        let read = table(&units);
        assert_eq!(read.columns, expected);
        assert_eq!(read.report.notes, encoding(if big { "UTF-16BE" } else { "UTF-16LE" }));
        assert_eq!(table(&utf16("a,b\n1,2\n3,4\n", big)).report.rows, 2, "without a mark");
    }
    let (chinese, ..) = encoding_rs::GB18030.encode(text);
    let read = table(&chinese);
    assert_eq!((read.columns, read.report.notes), (expected, encoding("gb18030")));
    let (western, ..) = encoding_rs::WINDOWS_1252.encode("Stadt,Straße\nKöln,Süd € 5\nNîmes,Hôtel\n");
    let read = table(&western);
    assert_eq!(cells(&read).1[0], ["Köln", "Süd € 5"]);
    assert_eq!(read.report.notes, encoding("windows-1252"));
}

#[test]
fn the_encoding_may_show_late() {
    let mut text = "name,city\n".to_owned();
    text.extend((0..20_000).map(|row| format!("n{row},plain\n")));
    text.push_str("last,Köln\n");
    let utf8 = read(text.as_bytes()).expect("reads");
    let (western, ..) = encoding_rs::WINDOWS_1252.encode(&text);
    let read = read(&western).expect("reads");
    assert_eq!(read.columns, utf8.columns);
    assert_eq!((read.report.rows, read.columns[1].1.get(20_000)), (20_001, Some("Köln")));
}

#[test]
fn packed_files_are_unpacked_by_their_first_bytes() {
    let plain = b"a,b\n1,2\n3,4\n";
    let expected = read(plain).expect("reads");
    assert_eq!(read(&gzip(plain)).expect("reads"), expected);
    let both: Vec<u8> = [gzip(b"a,b\n1,2\n"), gzip(b"3,4\n")].concat();
    assert_eq!(read(&both).expect("reads"), expected, "gzip in several members");
    assert_eq!(read(&zstd::encode_all(&plain[..], 1).expect("packs")).expect("reads"), expected);
}

#[test]
fn rows_that_do_not_fit_are_told_with_their_line() {
    let table = read(b"a,b,c\n1,2,3\n4,5\n6,7,8,9\n1,2,3\n1,2,3\n1,2\n").expect("reads");
    let notes = [FileNote::ShortRows { count: 2, line: 3 }, FileNote::LongRows { count: 1, line: 4 }];
    assert_eq!(table.report.notes, notes);
    assert_eq!(cells(&table).1[1], ["4", "5", ""]);
    assert_eq!(cells(&table).1[2], ["6", "7", "8"]);
}

#[test]
fn names_are_mended_and_missing_names_are_made() {
    let table = read(b"a,,a, b ,column 2,a\nx,2,3,4,5,6\n").expect("reads");
    assert_eq!(cells(&table).0, ["a", "column 2 (3)", "a (2)", "b", "column 2", "a (3)"]);
    let notes = [FileNote::EmptyNames { places: vec![2] }, FileNote::RepeatedNames { names: vec!["a".to_owned()] }];
    assert_eq!(table.report.notes, notes);
    let table = read(b"Ann,30,1.5\nBob,40,2.5\n").expect("reads");
    assert_eq!(cells(&table).0, ["column 1", "column 2", "column 3"]);
    assert_eq!(table.report.rows, 2);
    let years = read(b"land,2019,2020\nDE,x,y\nFR,z,x\n").expect("reads");
    assert_eq!(cells(&years).0, ["land", "2019", "2020"], "numbers over names are names");
    let options = FileOptions { header: Some(true), ..FileOptions::default() };
    let stated = read_table(&b"1,2\n3,4\n"[..], &options, &mut |_| ControlFlow::Continue(())).expect("reads");
    assert_eq!(cells(&stated).0, ["1", "2"]);
}

#[test]
fn nul_bytes_are_dropped_and_told() {
    let mut bytes = b"a,b\n".to_vec();
    (0..200).for_each(|row| bytes.extend(format!("{row},text of a row\n").bytes()));
    bytes.extend(b"x\0y,2\n");
    let table = read(&bytes).expect("reads");
    assert_eq!(table.columns[0].1.get(200), Some("xy"));
    assert_eq!(table.report.notes, [FileNote::BrokenBytes { count: 1 }]);
}

#[test]
fn what_is_no_table_is_told_in_a_sentence() {
    let noise: Vec<u8> = (0..4000_u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
    let quote = [b"a,b\n1,\"2\n".as_slice(), &b"3,4 and some more\n".repeat(1_200_000)].concat();
    let cut = gzip(&b"a,b\n1,2\n".repeat(1000));
    let cases: &[(&[u8], &str)] = &[
        (b"", "empty"),
        (b"\n \n\n", "empty"),
        (b"a,b\n", "no rows"),
        (b"PK\x03\x04 and more", "Excel"),
        (b"%PDF-1.7 ...", "PDF"),
        (b"PAR1....", "Parquet"),
        (b"SQLite format 3\0...", "SQLite"),
        (b"<!DOCTYPE html><html>", "web page"),
        (&gzip(b"PK\x03\x04 and more"), "Excel"),
        (&gzip(&gzip(b"a,b\n1,2\n")), "packed twice"),
        (&cut[..cut.len() / 2], "ends too early"),
        (&noise, "no text"),
        (&quote, "line 2 does not end"),
        (b"{\"a\":1}\n{\"a\":\n", "line 2 is not a JSON object"),
        (b"{\"a\":1}\n[1]\n", "line 2 is not a JSON object"),
        (b"[1, 2]", "array of objects"),
        (b"[{\"a\":1}", "array of objects"),
        (b"Report of May\n\na,b,c\n1,2,3\n4,5,6\n7,8,9\n", "lines above the header"),
    ];
    for (bytes, expected) in cases {
        let error = read(bytes).expect_err(expected).to_string();
        assert!(error.contains(expected), "\"{expected}\" is not in \"{error}\"");
    }
}

#[test]
fn limits_hold_and_the_caller_can_stop() {
    let text = [b"a,b\n".as_slice(), &b"1,2\n".repeat(100_000)].concat();
    let read = |options: &FileOptions| read_table(&text[..], options, &mut |_| ControlFlow::Continue(()));
    let few = FileOptions { rows_max: 99_999, ..FileOptions::default() };
    assert!(read(&few).expect_err("too many rows").to_string().contains("99999 rows"));
    let small = FileOptions { bytes_max: 100_000, ..FileOptions::default() };
    assert!(read(&small).expect_err("too large").to_string().contains("larger than the limit"));
    let bomb = gzip(&vec![b'1'; 1 << 20]);
    let error = read_table(&bomb[..], &small, &mut |_| ControlFlow::Continue(())).expect_err("unpacks to too much");
    assert!(error.to_string().contains("larger than the limit"), "{error}");
    let mut told = Vec::new();
    read_table(&text[..], &FileOptions::default(), &mut |progress| {
        told.push(progress);
        ControlFlow::Continue(())
    })
    .expect("reads");
    assert!(told.len() > 3 && told.is_sorted_by_key(|progress| (progress.bytes, progress.rows)), "{told:?}");
    assert_eq!(told.last().map(|progress| (progress.bytes, progress.rows)), Some((text.len() as u64, 100_000)));
    let stopped = read_table(&text[..], &FileOptions::default(), &mut |_| ControlFlow::Break(()));
    assert_eq!(stopped.expect_err("is stopped").to_string(), "stopped before there was a result");
}

proptest::proptest! {
    /// Whatever bytes: a table with different names and columns of one length, or a sentence.
    #[test]
    fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        check(read(&bytes));
    }

    /// The same for bytes that look like tables.
    #[test]
    fn near_tables_are_read_or_refused(text in "[a-c1-3,;\t|\"\n\r {}\\[\\]:é中]{0,120}") {
        check(read(text.as_bytes()));
        check(read(&gzip(text.as_bytes())));
    }
}

fn check(read: Result<FileTable, LearnError>) {
    match read {
        Err(error) => assert!(error.to_string().len() > 20, "{error}"),
        Ok(table) => {
            assert!(table.report.rows > 0);
            assert!(table.columns.iter().all(|(_, texts)| texts.len() == table.report.rows));
            let mut names: Vec<&String> = table.columns.iter().map(|(name, _)| name).collect();
            let count = names.len();
            names.sort_unstable();
            names.dedup();
            assert_eq!(names.len(), count, "{names:?}");
        }
    }
}
