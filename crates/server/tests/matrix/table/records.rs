//! Objects, records, lists, search, duplicates, views, batches.

use super::{LISTED, READ, Row, administrators, done, everybody};

pub const ROWS: &[Row] = &[
    Row("GET", "/api/v1/openapi.json", "", everybody(200)),
    Row("GET", "/api/v1/objects", "", everybody(200)),
    Row("GET", "/api/v1/objects/contact", "", [200, 200, 200, 200, 200, 200, 404, 200, 200]),
    Row("PUT", "/api/v1/objects/car", CAR, administrators(200)),
    Row("GET", "/api/v1/objects/contact/records", "", LISTED),
    Row("GET", "/api/v1/objects/contact/records?expand=*&count=true&trash=true", "", LISTED),
    Row("GET", "/api/v1/objects/vehicle/records?count=true", "", LISTED),
    // Whose key it is has no records of their own, so what it makes it may not read.
    Row(
        "POST",
        "/api/v1/objects/contact/records",
        r#"{"fields":{"name":"New","country":"NZ"}}"#,
        [201, 201, 201, 201, 201, 403, 403, 403, 204],
    ),
    // `company` is a row that the caller may not name.
    Row(
        "POST",
        "/api/v1/objects/contact/records",
        r#"{"fields":{"name":"New","country":"NZ","company":"<company>"}}"#,
        [201, 422, 422, 422, 201, 403, 403, 403, 422],
    ),
    Row("GET", "/api/v1/objects/contact/records/<contact>", "", READ),
    Row("GET", "/api/v1/objects/contact/records/<trashed>", "", READ),
    Row("GET", "/api/v1/objects/vehicle/records/<vehicle>", "", READ),
    Row("PATCH", "/api/v1/objects/contact/records/<contact>", r#"{"fields":{"city":"Bergen"}}"#, done(200)),
    Row("PATCH", "/api/v1/objects/vehicle/records/<vehicle>", r#"{"fields":{"colour":"red"}}"#, done(200)),
    Row("DELETE", "/api/v1/objects/contact/records/<contact>", "", done(204)),
    Row("POST", "/api/v1/objects/contact/records/<trashed>/restore", "", done(200)),
    Row("GET", "/api/v1/objects/contact/records/<contact>/history", "", READ),
    Row("POST", "/api/v1/objects/contact/records/<contact>/merge", r#"{"other":"<other>"}"#, done(200)),
    Row("GET", "/api/v1/objects/lead/records/<lead>/convert", "", READ),
    Row("POST", "/api/v1/objects/lead/records/<lead>/convert", "{}", done(200)),
    Row(
        "POST",
        "/api/v1/objects/contact/bulk",
        r#"{"edits":[{"op":"update","id":"<contact>","fields":{"city":"Bergen"}},{"op":"delete","id":"<other>"}]}"#,
        [200, 422, 422, 422, 200, 403, 403, 403, 422],
    ),
    Row("POST", "/api/v1/objects/contact/similar", r#"{"fields":{"name":"Zephyrine Quorvath"}}"#, LISTED),
    Row("GET", "/api/v1/objects/contact/export?format=csv", "", EXPORTED),
    Row("GET", "/api/v1/objects/contact/export?format=jsonl", "", EXPORTED),
    Row("GET", "/api/v1/objects/contact/aggregate?group=name", "", LISTED),
    Row(
        "GET",
        "/api/v1/objects/deal/aggregate?group=stage&sum=amount",
        "",
        [200, 200, 200, 200, 422, 200, 403, 200, 200],
    ),
    Row("GET", "/api/v1/objects/deal/board?group=stage", "", LISTED),
    Row("GET", "/api/v1/search?q=quorvath", "", everybody(200)),
    Row("GET", "/api/v1/duplicates?object=contact", "", LISTED),
    Row("POST", "/api/v1/duplicates/<pair>/dismiss", "", done(204)),
    // The pair waits already.
    Row("POST", "/api/v1/duplicates/<pair>/reopen", "", [404, 404, 404, 404, 404, 404, 404, 403, 404]),
    Row("DELETE", "/api/v1/objects/contact/trash", "", [200, 200, 200, 200, 200, 403, 403, 403, 200]),
    Row("GET", "/api/v1/demo", "", everybody(200)),
    Row("DELETE", "/api/v1/demo", "", administrators(404)),
    Row("GET", "/api/v1/workspace", "", administrators(200)),
    Row("GET", "/api/v1/views", "", everybody(200)),
    // A view grants nothing, so a key of a person's has none; `name` may be filtered by everybody who reads contacts.
    Row(
        "POST",
        "/api/v1/views",
        r#"{"object":"contact","name":"Mine","definition":{"filter":"name == \"Quorvath\""}}"#,
        [201, 201, 201, 201, 201, 201, 403, 403, 403],
    ),
    Row("PATCH", "/api/v1/views/<view>", r#"{"name":"Mine now"}"#, [200, 404, 404, 404, 404, 404, 404, 403, 404]),
    Row("DELETE", "/api/v1/views/<view>", "", [204, 404, 404, 404, 404, 404, 404, 403, 404]),
    Row("GET", "/api/v1/audit", "", administrators(200)),
    Row("GET", "/api/v1/batches", "", everybody(200)),
    Row("POST", "/api/v1/batches/<batch>/undo", "", [200, 404, 404, 404, 404, 404, 404, 403, 404]),
];

/// Of files of lists, for those who may move records out.
const EXPORTED: [u16; 9] = [200, 200, 200, 200, 200, 403, 403, 200, 200];

const CAR: &str = r#"{"name":"car","label":{"en":"Car","zh":"车"},"plural":{"en":"Cars","zh":"车"},"title":"name",
    "fields":[{"name":"name","label":{"en":"Name","zh":"名"},"kind":{"type":"text"}}]}"#;
