//! Customers, models, definitions: what has no owner, and so is for those who may read everything.

use super::{Row, Says, administrators, everybody};

/// A profile tells of records of all objects: only who reads all of them, whole, is told of it.
const fn whole(status: u16) -> Says {
    [status, 403, 403, 403, 403, status, 403, status, 403]
}

pub const ROWS: &[Row] = &[
    Row("GET", "/v1/about", "", everybody(200)),
    Row("GET", "/v1/customers", "", whole(200)),
    Row("GET", "/v1/customers/user:u1", "", whole(200)),
    Row("GET", "/v1/customers/user:u1/timeline", "", whole(200)),
    Row("PATCH", "/v1/customers/user:u1", r#"{"attributes":{"plan":"gold"}}"#, administrators(202)),
    Row("POST", "/v1/decide", r#"{"customer":"user:u1"}"#, whole(200)),
    Row("GET", "/v1/ledger", "", whole(200)),
    Row("GET", "/v1/definitions", "", everybody(200)),
    Row("PUT", "/v1/definitions", r#"{"segments":[]}"#, administrators(202)),
    Row("GET", "/v1/models", "", everybody(200)),
    Row("POST", "/v1/models/train", r#"{"score":"repeat_purchase"}"#, administrators(202)),
    Row("GET", "/v1/models/jobs", "", everybody(200)),
    Row("GET", "/v1/models/jobs/job-1", "", everybody(200)),
    Row("DELETE", "/v1/models/jobs/job-1", "", administrators(202)),
    Row("POST", "/v1/models/repeat_purchase/import", "onnx", administrators(201)),
    Row("GET", "/v1/models/repeat_purchase/monitor", "", everybody(200)),
    Row("POST", "/v1/models/repeat_purchase/rollback", "", administrators(202)),
    Row("DELETE", "/v1/models/repeat_purchase/challenger", "", administrators(202)),
    Row("GET", "/v1/models/repeat_purchase/1", "", everybody(200)),
    Row("GET", "/v1/models/repeat_purchase/1/artifact", "", everybody(200)),
    Row("GET", "/v1/models/repeat_purchase/1/onnx", "", everybody(200)),
    Row("GET", "/v1/models/repeat_purchase/1/report", "", everybody(200)),
    Row("POST", "/v1/models/repeat_purchase/1/activate", "", administrators(202)),
    Row("POST", "/v1/models/repeat_purchase/2/challenge", r#"{"mode":"canary","percent":5}"#, administrators(202)),
];
