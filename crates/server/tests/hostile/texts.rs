//! Texts: in filters, names, sorts, cursors, and the fields of records.

use std::sync::Arc;

use axum::{body::Body, http::Request};
use http_body_util::BodyExt as _;
use serde_json::{Value, json};
use tower::ServiceExt as _;

use super::{escaped, is_sound, send, world};
use crate::common::{BEARER, Gate, World};

/// What is sent wherever a text can be sent.
fn nasty() -> Vec<String> {
    let plain = [
        "'; DROP TABLE o_contact; --",
        "\" OR 1=1 --",
        "name\"); DELETE FROM change; --",
        "1 UNION SELECT password FROM person",
        "\0",
        "a\0b",
        "\u{1b}[31m\r\nSet-Cookie: a=b",
        "\u{202e}gnp.exe",
        "\u{feff}",
        "../../../../etc/passwd",
        "..%2f..%2f",
        "__proto__",
        "${jndi:ldap://127.0.0.1/a}",
        "{{7*7}}",
        "<script>alert(1)</script>",
        "%s%n%x",
        "-",
        "--",
        "🦀",
        "id",
        "name__currency",
    ];
    let mut texts: Vec<String> = plain.iter().map(|text| (*text).to_owned()).collect();
    texts.push("x".repeat(15_000));
    texts.push("(".repeat(15_000));
    texts.push("!".repeat(15_000));
    texts.push("[".repeat(15_000));
    texts.push(format!("name{}", ".name".repeat(3_000)));
    texts.push(format!("name == \"{}\"", "\\".repeat(999)));
    texts.push((0..600).map(|number| format!("name == \"{number}\"")).collect::<Vec<_>>().join(" || "));
    texts.push(format!("name in [{}]", vec!["\"a\""; 2_500].join(",")));
    texts.push("name == \"a\\u0000b\"".to_owned());
    texts
}

/// Where a text can stand in a path or query.
const PLACES: [&str; 24] = [
    "objects/contact/records?filter={}",
    "objects/contact/records?count=true&filter=name == \"{}\"",
    "objects/contact/records?sort={}",
    "objects/contact/records?fields={}",
    "objects/contact/records?expand={}",
    "objects/contact/records?cursor={}",
    "objects/contact/records?limit={}",
    "objects/contact/records?q={}",
    "objects/contact/aggregate?group={}",
    "objects/deal/aggregate?group=stage&sum={}",
    "objects/contact/aggregate?group=country&filter={}",
    "objects/deal/board?group={}",
    "objects/deal/board?group=stage&sort={}",
    "objects/contact/export?format=csv&filter={}",
    "objects/contact/export?format={}",
    "objects/{}",
    "objects/{}/records",
    "objects/contact/records/{}",
    "search?q={}",
    "search?q=a&objects={}",
    "duplicates?object={}",
    "views?object={}",
    "audit?actor={}&object={}",
    "audit?batch={}",
];

/// Where a text can stand in a body.
const BODIES: [(&str, &str, &str); 16] = [
    ("POST", "objects/contact/records", r#"{"fields":{"name":{}}}"#),
    ("POST", "objects/contact/records", r#"{"fields":{"name":"A",{}:"a"}}"#),
    ("POST", "objects/contact/records", r#"{"fields":{"name":"A","description":{},"owner":{},"company":{}}}"#),
    ("POST", "objects/order/records", r#"{"fields":{"number":"1","items":{{}:{}}}}"#),
    (
        "POST",
        "objects/contact/bulk",
        r#"{"edits":[{"op":"upsert","key":{},"fields":{"name":"A","email":"a@b.example"}}]}"#,
    ),
    ("POST", "objects/contact/bulk", r#"{"edits":[{"op":"upsert","key":"name","fields":{"name":{}}}]}"#),
    ("POST", "objects/contact/bulk", r#"{"edits":[{"op":{},"id":{}}]}"#),
    ("POST", "objects/contact/similar", r#"{"fields":{"name":{},"email":{}}}"#),
    ("POST", "views", r#"{"object":"contact","name":{}}"#),
    ("POST", "views", r#"{"object":{},"name":"a"}"#),
    ("POST", "views", r#"{"object":"contact","name":"a","definition":{"filter":{},"sort":{}}}"#),
    ("POST", "roles", r#"{"name":{}}"#),
    ("POST", "roles", r#"{"name":"a","objects":{{}:{}}}"#),
    ("POST", "roles", r#"{"name":"a","other":{"read":{"condition":{}}}}"#),
    ("POST", "teams", r#"{"name":{}}"#),
    ("POST", "invitations", r#"{"email":{},"role":{}}"#),
];

/// Every table is there, and the contact that was there is as it was.
async fn is_whole(world: &World, before: &Value) {
    let after = send(world, "GET", "/api/v1/objects/company/records", "").await.json();
    assert_eq!(after, *before);
}

#[tokio::test]
async fn a_text_is_a_text_wherever_it_stands() {
    let (world, _folder) = world();
    texts(&world).await;
}

/// As the program does it: everything is opened before there is a runtime, whose threads a database must not block.
#[test]
fn a_text_is_a_text_on_postgresql_too() {
    let server = rapport_testkit::postgres::Server::start().unwrap();
    let database = rapport_records::Database::postgres(&server.database("records")).unwrap();
    let desk = Arc::new(rapport_records::Desk::open(database, || crate::common::NOW).unwrap());
    desk.adopt_key("key", "ak_test").unwrap();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let world = World::over(&desk, Arc::new(Gate(Arc::clone(&desk))));
        texts(&world).await;
        let changes = Request::get("/api/v1/changes").header("authorization", BEARER).header("last-event-id", "0");
        let response = world.app.clone().oneshot(changes.body(Body::empty()).unwrap()).await.unwrap();
        let mut heard = String::new();
        let mut body = response.into_body();
        while !heard.contains("event: change") {
            heard += std::str::from_utf8(&body.frame().await.unwrap().unwrap().into_data().unwrap()).unwrap();
        }
    });
    drop(runtime);
}

async fn texts(world: &World) {
    let kept = r#"{"fields":{"name":"Kept"}}"#;
    assert_eq!(send(world, "POST", "/api/v1/objects/company/records", kept).await.status, 201);
    let before = send(world, "GET", "/api/v1/objects/company/records", "").await.json();
    for text in nasty() {
        for place in PLACES {
            let (path, query) = place.split_once('?').unwrap_or((place, ""));
            let escaped = escaped(&text);
            let query = query.replace(' ', "%20").replace('"', "%22").replace("{}", &escaped);
            let path = format!("/api/v1/{}?{query}", path.replace("{}", &escaped));
            if path.len() < 65_000 {
                is_sound(&send(world, "GET", &path, "").await, &format!("{place} {text}"));
            }
        }
        for (method, path, body) in BODIES {
            let body = body.replace("{}", &json!(text).to_string());
            is_sound(&send(world, method, &format!("/api/v1/{path}"), body.clone()).await, &format!("{path} {body}"));
        }
    }
    is_whole(world, &before).await;
}

#[tokio::test]
async fn deep_and_long_bodies_are_refused() {
    let (world, _folder) = world();
    let deep = |count: usize| format!("{}1{}", r#"{"a":"#.repeat(count), "}".repeat(count));
    for (path, body) in [
        ("objects/contact/records", format!(r#"{{"fields":{{"name":{}}}}}"#, "[".repeat(100_000))),
        ("objects/contact/records", deep(100_000)),
        ("objects/order/records", format!(r#"{{"fields":{{"number":"1","items":{}}}}}"#, deep(100))),
        ("objects/contact/records", format!(r#"{{"fields":{{"name":"{}"}}}}"#, "x".repeat(2_000_000))),
        (
            "objects/contact/bulk",
            format!(r#"{{"edits":[{}]}}"#, vec![r#"{"op":"create","fields":{}}"#; 10_001].join(",")),
        ),
        ("roles", deep(200)),
    ] {
        is_sound(&send(&world, "POST", &format!("/api/v1/{path}"), body).await, path);
    }
    let many: serde_json::Map<String, Value> = (0..5_000).map(|number| (format!("f{number}"), json!(1))).collect();
    let body = json!({ "fields": many }).to_string();
    let told = send(&world, "POST", "/api/v1/objects/contact/records", body).await;
    assert_eq!(told.problem().0, 422);
}

/// What the server writes by itself cannot be written by anybody else.
#[tokio::test]
async fn nobody_assigns_what_is_not_theirs_to_assign() {
    let (world, _folder) = world();
    let path = "/api/v1/objects/contact/records";
    let made = send(&world, "POST", path, r#"{"fields":{"name":"A"}}"#).await.json();
    let one = format!("{path}/{}", made["id"].as_str().unwrap());
    for (field, value) in [
        ("id", json!("0000000000001")),
        ("version", json!(99)),
        ("created_at", json!("2020-01-01T00:00:00Z")),
        ("created_by", json!("user:0000000000001")),
        ("updated_at", json!("2020-01-01T00:00:00Z")),
        ("updated_by", json!("system")),
        ("deleted_at", json!("2020-01-01T00:00:00Z")),
        ("related", json!({})),
        ("administrator", json!(true)),
        ("role", json!("0000000000001")),
    ] {
        let mut fields = json!({ "name": "B" });
        fields[field] = value.clone();
        let inside = json!({ "fields": fields }).to_string();
        let mut beside = json!({ "fields": { "name": "B" } });
        beside[field] = value;
        for (method, path) in [("POST", path), ("PATCH", one.as_str())] {
            let told = send(&world, method, path, inside.clone()).await;
            assert_eq!((told.problem().0, told.problem().2.as_str()), (422, field), "{method}: {}", told.body);
            assert_eq!(send(&world, method, path, beside.to_string()).await.problem().0, 400, "{method} {field}");
        }
        let bulk = json!({ "edits": [{ "op": "create", "fields": fields }] }).to_string();
        let told = send(&world, "POST", "/api/v1/objects/contact/bulk", bulk).await;
        assert_eq!(told.problem().0, 422, "{}", told.body);
    }
    let computed = r#"{"fields":{"name":"A","weighted":1}}"#;
    assert_eq!(send(&world, "POST", "/api/v1/objects/deal/records", computed).await.problem().2, "weighted");
    assert_eq!(send(&world, "GET", &one, "").await.json(), made);
    // People give themselves neither role nor rights.
    for (method, path, body) in [
        ("PATCH", "me", r#"{"role":"0000000000001"}"#),
        ("PATCH", "me", r#"{"administrator":true}"#),
        ("POST", "roles", r#"{"name":"a","id":"0000000000001"}"#),
        ("POST", "keys", r#"{"name":"a","role":"0000000000001","key":"rk_mine"}"#),
        ("POST", "views", r#"{"object":"contact","name":"a","owner":"0000000000001"}"#),
        ("POST", "accept", r#"{"token":"t","name":"n","password":"plum tractor nine","role":"0000000000001"}"#),
    ] {
        let request = Request::builder().method(method).uri(format!("/api/v1/{path}"));
        let request = request.header("authorization", BEARER).header("x-rapport-request", "1");
        let told = world.send(request.body(body.into()).unwrap()).await;
        assert_eq!(told.problem().0, 400, "{path} {body}: {}", told.body);
    }
    let told = send(&world, "POST", "/api/v1/roles", r#"{"name":"a","administrator":true}"#).await;
    assert_eq!(told.problem(), (422, "invalid_field".into(), "administrator".into()));
}
