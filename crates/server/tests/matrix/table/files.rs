//! Imports and files of somebody else.

use super::{READ, Row, done, everybody};

/// An import belongs to whoever brought the file.
const fn theirs(status: u16) -> [u16; 9] {
    [status, 404, 404, 404, 404, 403, 403, 403, 404]
}

pub const ROWS: &[Row] = &[
    Row("GET", "/api/v1/imports", "", everybody(200)),
    Row(
        "POST",
        "/api/v1/imports?object=contact&name=a.csv",
        "name,email\nA,a@example.com\n",
        [201, 201, 201, 201, 201, 403, 403, 403, 201],
    ),
    // `contact` is a row that the caller may not name.
    Row("POST", "/api/v1/files?name=a.txt&contact=<contact>", "text", [201, 422, 422, 422, 201, 403, 403, 403, 422]),
    Row("GET", "/api/v1/files/<file>/content", "", READ),
    Row("PUT", "/api/v1/files/<file>/content", "text", done(200)),
    Row("GET", "/api/v1/imports/<import>", "", [200, 404, 404, 404, 404, 404, 404, 404, 404]),
    Row(
        "PUT",
        "/api/v1/imports/<import>/mapping",
        r#"{"columns":[{"name":"name","target":{"to":"field","field":"name"}},{"name":"email","target":{"to":"skip"}}]}"#,
        theirs(200),
    ),
    Row("POST", "/api/v1/imports/<import>/check", "", [200, 404, 404, 404, 404, 403, 403, 404, 404]),
    Row("POST", "/api/v1/imports/<import>/start", "", theirs(202)),
    Row("POST", "/api/v1/imports/<import>/cancel", "", theirs(200)),
    Row("GET", "/api/v1/imports/<imported>/errors", "", [200, 404, 404, 404, 404, 403, 403, 404, 404]),
];
