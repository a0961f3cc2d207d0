//! Files: what comes in as an import, and what goes out to a spreadsheet.

use std::io::{Cursor, Read as _, Write as _};

use axum::{body::Body, http::Request};
use flate2::{Compression, write::GzEncoder};
use serde_json::json;
use zip::{ZipArchive, ZipWriter, write::SimpleFileOptions};

use super::{escaped, is_sound, send, world};
use crate::common::{BEARER, Told, World};

const UPLOAD: &str = "/api/v1/imports?object=contact&name=";

async fn upload(world: &World, name: &str, file: impl Into<Body>) -> Told {
    let told = send(world, "POST", &format!("{UPLOAD}{}", escaped(name)), file).await;
    is_sound(&told, name);
    told
}

/// A spreadsheet of one sheet, written by hand.
fn spreadsheet(sheet: &str) -> Vec<u8> {
    let types = r#"<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default Extension="xml" ContentType="application/xml"/></Types>"#;
    let book = r#"<workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"><sheets><sheet name="A" sheetId="1" r:id="rId1"/></sheets></workbook>"#;
    let links = r#"<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet" Target="worksheets/sheet1.xml"/></Relationships>"#;
    let root = r#"<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" Target="xl/workbook.xml"/></Relationships>"#;
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, text) in [
        ("_rels/.rels", root),
        ("[Content_Types].xml", types),
        ("xl/workbook.xml", book),
        ("xl/_rels/workbook.xml.rels", links),
        ("xl/worksheets/sheet1.xml", sheet),
    ] {
        zip.start_file(name, SimpleFileOptions::default()).unwrap();
        zip.write_all(text.as_bytes()).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

fn sheet(doctype: &str, dimension: &str, cells: &str) -> String {
    format!(
        r#"<?xml version="1.0"?>{doctype}<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><dimension ref="{dimension}"/><sheetData>{cells}</sheetData></worksheet>"#
    )
}

fn cell(row: u32, place: &str, text: &str) -> String {
    format!(r#"<row r="{row}"><c r="{place}" t="inlineStr"><is><t>{text}</t></is></c></row>"#)
}

#[tokio::test]
async fn names_of_files_lead_nowhere() {
    let (world, folder) = world();
    for name in
        ["../../../evil.csv", "..\\..\\evil.csv", "/etc/evil.csv", "a\0.csv", "a\r\nb.csv", "C:evil.csv", "..", ""]
    {
        let told = upload(&world, name, "name\nA\n").await;
        assert_eq!(told.status, 201, "{name:?}: {}", told.body);
        let shown = told.json()["name"].as_str().unwrap().to_owned();
        assert!(!shown.contains(['/', '\\', '\0', '\r', '\n']), "{shown:?}");
    }
    // What came lies under ids, and nowhere else.
    let mut names = Vec::new();
    for entry in std::fs::read_dir(folder.path()).unwrap() {
        names.push(entry.unwrap().file_name().into_string().unwrap());
    }
    names.retain(|name| !name.starts_with("records.db"));
    assert_eq!(names, ["files"]);
    for entry in std::fs::read_dir(folder.path().join("files/imports")).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        name.parse::<rapport_records::Id>().expect("a file is called by its import");
    }
}

#[tokio::test]
async fn paths_of_pages_lead_nowhere() {
    let (world, _folder) = world();
    for path in [
        "/../Cargo.toml",
        "/%2e%2e/%2e%2e/etc/passwd",
        "/assets/../../Cargo.toml",
        "/assets/..%2f..%2fCargo.toml",
        "//etc/passwd",
        "/.git/config",
        "/api/v1/objects/..%2f..%2f/records",
        "/api/v1/nothing",
        "/api",
        "/v1/%2e%2e/api",
    ] {
        let told = send(&world, "GET", path, "").await;
        assert!(!told.body.contains("[package]") && !told.body.contains("root:"), "{path}");
        assert!(told.status == 404 || told.body.contains("<title>Rapport</title>"), "{path}: {}", told.status);
        // A place inside the pages gets the pages.
        let is_missing =
            ["/api", "/v1"].iter().any(|root| path.starts_with(root)) || path.rsplit('/').next().unwrap().contains('.');
        assert_eq!(told.status == 404, is_missing, "{path}: {}", told.status);
    }
}

#[tokio::test]
async fn files_that_grow_are_refused() {
    let (world, _folder) = world();
    // 30 times the same 10 MB of blanks, packed once.
    let mut once = ZipWriter::new(Cursor::new(Vec::new()));
    once.start_file("blanks", SimpleFileOptions::default()).unwrap();
    let blanks = vec![b' '; 1 << 20];
    (0..10).for_each(|_| once.write_all(&blanks).unwrap());
    let mut once = ZipArchive::new(Cursor::new(once.finish().unwrap().into_inner())).unwrap();
    let mut bomb = ZipWriter::new(Cursor::new(Vec::new()));
    for number in 0..30 {
        bomb.raw_copy_file_rename(once.by_index_raw(0).unwrap(), format!("xl/worksheets/sheet{number}.xml")).unwrap();
    }
    let bomb = bomb.finish().unwrap().into_inner();
    assert!(bomb.len() < 1 << 20);
    assert_eq!(upload(&world, "bomb.xlsx", bomb).await.problem().0, 413);

    let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
    (0..20).for_each(|_| packed.write_all(&blanks).unwrap());
    let packed = packed.finish().unwrap();
    let content = format!("/api/v1/files/{}/content", rapport_records::Id(1));
    for (path, encoding, expected) in [
        ("/api/v1/objects/contact/bulk", "gzip", 413),
        ("/api/v1/objects/contact/records", "gzip", 413),
        ("/api/v1/objects/contact/records", "br", 415),
        ("/api/v1/objects/contact/records", "gzip, gzip", 415),
        // A file is kept as it comes, so it may not be packed on its way.
        ("/api/v1/imports?object=contact&name=a.csv", "gzip", 415),
        ("/api/v1/files?name=a", "gzip", 415),
        (&content, "gzip", 415),
    ] {
        let method = if path.ends_with("/content") { "PUT" } else { "POST" };
        let request = Request::builder().method(method).uri(path).header("authorization", BEARER);
        let request = request.header("content-encoding", encoding).body(packed.clone().into()).unwrap();
        let told = world.send(request).await;
        assert_eq!(told.problem().0, expected, "{path} {encoding}: {}", told.body);
    }
}

#[tokio::test]
async fn a_spreadsheet_says_nothing_but_its_cells() {
    let (world, _folder) = world();
    let laughs = r#"<!DOCTYPE w [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;"><!ENTITY d "&c;&c;&c;&c;&c;&c;&c;&c;"><!ENTITY e "&d;&d;&d;&d;&d;&d;&d;&d;">]>"#;
    let outside = r#"<!DOCTYPE w [<!ENTITY e SYSTEM "file:///etc/passwd">]>"#;
    for doctype in [laughs, outside] {
        let cells = cell(1, "A1", "name") + &cell(2, "A2", "&e;");
        let told = upload(&world, "a.xlsx", spreadsheet(&sheet(doctype, "A1:A2", &cells))).await;
        assert!(!told.body.contains("haha") && !told.body.contains("root:"), "{}", told.body);
    }
    // A sheet may say that it is huge, and may have cells in its corners: neither costs memory.
    let tall = cell(1, "A1", "name") + &cell(1_048_576, "A1048576", "Ann");
    let told = upload(&world, "a.xlsx", spreadsheet(&sheet("", "A1:XFD1048576", &tall))).await;
    assert_eq!((told.status.as_u16(), told.json()["total"].as_u64()), (201, Some(1)), "{}", told.body);
    let wide = cell(1, "XFD1", "name");
    assert_eq!(upload(&world, "a.xlsx", spreadsheet(&sheet("", "A1", &wide))).await.problem().0, 413);
    for place in ["A0", "1A", "", "AAAAAAAAAAAAAAAA99999999999999999999", "A-1", "É1"] {
        let cells = format!(r#"<row r="1"><c r="{place}" t="inlineStr"><is><t>name</t></is></c></row>"#);
        upload(&world, "a.xlsx", spreadsheet(&sheet("", "ZZZZZZ99999999999", &cells))).await;
    }
    for cells in [
        r#"<row r="1"><c r="A1" t="s"><v>99999999</v></c></row>"#,
        r#"<row r="1"><c r="A1" t="s"><v>-1</v></c></row>"#,
        r#"<row r="1"><c r="A1"><v>1e999</v></c></row>"#,
        r#"<row r="1"><c r="A1" s="77777"><v>45000</v></c></row>"#,
        r#"<row r="1"><c r="A1" t="d"><v>x</v></c></row>"#,
        r#"<row r="1"><c r="A1" t="zzz"><v>x</v></c></row>"#,
        "<row><c>",
    ] {
        upload(&world, "a.xlsx", spreadsheet(&sheet("", "A1", cells))).await;
    }
}

#[tokio::test]
async fn a_damaged_spreadsheet_is_told_to_be_one() {
    let (world, _folder) = world();
    let whole = spreadsheet(&sheet("", "A1:A2", &(cell(1, "A1", "name") + &cell(2, "A2", "Ann"))));
    assert_eq!(upload(&world, "a.xlsx", whole.clone()).await.status, 201);
    for cut in (0..whole.len()).step_by(37) {
        let told = upload(&world, "a.xlsx", whole[..cut].to_vec()).await;
        assert_eq!(told.problem().0, 422, "cut at {cut}: {}", told.body);
        let mut turned = whole.clone();
        turned[cut] ^= 0x55;
        upload(&world, "a.xlsx", turned).await;
    }
}

#[tokio::test]
async fn files_that_are_not_what_they_say_are_refused_or_read() {
    let (world, _folder) = world();
    let broken = b"\xef\xbb\xbfname,city\nA\xff\xfe,\xc3\x28\n".to_vec();
    let told = upload(&world, "a.csv", broken).await;
    assert_eq!(told.problem().0, 422, "a mark of UTF-8 before what is none: {}", told.body);
    assert_eq!(
        upload(&world, "a.csv", b"name\n\xff\xfe\n".to_vec()).await.status,
        201,
        "without it, it is another encoding"
    );
    assert_eq!(upload(&world, "a.xlsx", "name\nA\n").await.problem().0, 422, "CSV that is called a spreadsheet");
    let book = spreadsheet(&sheet("", "A1", &cell(1, "A1", "name")));
    assert_eq!(upload(&world, "a.csv", book).await.json()["format"], "xlsx", "a spreadsheet that is called CSV");
    let picture = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01\0\0\0\x01\x08\x06\0\0\0".to_vec();
    upload(&world, "a.csv", picture).await;
    for (name, file) in [
        ("a.csv", ""),
        ("a.csv", "\u{feff}"),
        ("a.csv", "\n\n\n"),
        ("a.jsonl", ""),
        ("a.jsonl", "[]"),
        ("a.jsonl", "{"),
    ] {
        assert_eq!(upload(&world, name, file).await.problem().0, 422, "{name} {file:?}");
    }
    let wide = (0..10_000).map(|number| format!("c{number}")).collect::<Vec<_>>().join(",");
    assert_eq!(upload(&world, "a.csv", wide.clone() + "\n1\n").await.problem().0, 413);
    let wide = (0..10_000).map(|number| format!(r#""c{number}":1"#)).collect::<Vec<_>>().join(",");
    assert_eq!(upload(&world, "a.jsonl", format!("{{{wide}}}\n")).await.problem().0, 413);
    let huge = "x".repeat(50 << 20);
    for file in [format!("name\n{huge}\n"), format!("name\n\"{huge}"), format!("{huge}\n")] {
        assert_eq!(upload(&world, "a.csv", file).await.problem().0, 413);
    }
    assert_eq!(upload(&world, "a.jsonl", format!("{{\"name\":\"{huge}\"}}\n")).await.problem().0, 413);
}

/// Rows that hold what no field may hold are told of one by one, and the others go in.
#[tokio::test]
async fn hostile_rows_are_told_of() {
    let (world, _folder) = world();
    let deep = format!("{}1{}", "[".repeat(10_000), "]".repeat(10_000));
    let file = format!(
        "{{\"name\":\"Good\"}}\n{{\"name\":\"a\\u0000b\"}}\n{{\"name\":{deep}}}\n{{\"name\":{{\"a\":1}}}}\nnonsense\n"
    );
    let import = upload(&world, "a.jsonl", file).await.json();
    let check = format!("/api/v1/imports/{}/check", import["id"].as_str().unwrap());
    let told = send(&world, "POST", &check, "").await.json();
    assert_eq!((&told["created"], &told["failed"]), (&json!(2), &json!(3)), "{told}");
}

/// Cells that a spreadsheet would run.
const FORMULAS: [&str; 6] = [
    "=cmd|' /C calc'!A0",
    "+1+1",
    "-2+3+cmd|' /C calc'!A0",
    "@SUM(1+1)*cmd|' /C calc'!A0",
    "=HYPERLINK(\"http://127.0.0.1\")",
    "＝1+1",
];

#[tokio::test]
async fn no_cell_that_goes_out_is_a_formula() {
    let (world, _folder) = world();
    for formula in FORMULAS {
        let body = json!({ "fields": { "name": formula, "description": formula, "job_title": formula } }).to_string();
        let told = send(&world, "POST", "/api/v1/objects/contact/records", body).await;
        assert_eq!(told.status, 201, "{}", told.body);
    }
    let told =
        send(&world, "GET", "/api/v1/objects/contact/export?format=csv&fields=name,description,job_title", "").await;
    let mut rows = csv::Reader::from_reader(told.body.as_bytes());
    let mut cells = 0;
    for row in rows.records() {
        for cell in row.unwrap().iter().skip(1).take(3) {
            cells += 1;
            assert!(cell.starts_with('\''), "{cell}");
        }
    }
    assert_eq!(cells, FORMULAS.len() * 3);
    let request = Request::get("/api/v1/objects/contact/export?format=xlsx").header("authorization", BEARER);
    let bytes = world.bytes(request.body(Body::empty()).unwrap()).await;
    let mut book = ZipArchive::new(Cursor::new(bytes)).unwrap();
    let mut text = String::new();
    for index in 0..book.len() {
        let mut part = book.by_index(index).unwrap();
        if part.name().unwrap().starts_with("xl/worksheets/") {
            part.read_to_string(&mut text).unwrap();
        }
    }
    assert!(text.contains("<row") && !text.contains("<f>") && !text.contains("<f "), "{text:.500}");
}

#[tokio::test]
async fn rows_that_are_wrong_go_back_as_no_formulas() {
    let (world, _folder) = world();
    let import = upload(&world, "a.csv", "name,email\n=1+1,@no\n").await.json();
    let id = import["id"].as_str().unwrap().to_owned();
    assert_eq!(send(&world, "POST", &format!("/api/v1/imports/{id}/start"), "").await.status, 202);
    let path = format!("/api/v1/imports/{id}");
    // Each look is a request, which paces the loop.
    while send(&world, "GET", &path, "").await.json()["state"] == "running" {}
    let told = send(&world, "GET", &format!("{path}/errors"), "").await;
    let rows: Vec<csv::StringRecord> =
        csv::Reader::from_reader(told.body.as_bytes()).records().map(Result::unwrap).collect();
    assert_eq!((rows.len(), &rows[0][3], &rows[0][4]), (1, "'=1+1", "'@no"), "{}", told.body);
}
