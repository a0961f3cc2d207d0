//! Every route with every kind of caller, and what the answers carry.

#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

mod common;

use std::sync::atomic::Ordering;

use axum::{
    body::Body,
    http::{Request, StatusCode, header},
};
use common::{BEARER, COOKIE, World};

/// Method, path, body, status with a valid credential.
const TABLE: [(&str, &str, &str, u16); 103] = [
    ("GET", "/v1/customers", "", 200),
    ("GET", "/v1/customers/user:u1", "", 200),
    ("GET", "/v1/customers/user:nobody", "", 404),
    ("GET", "/v1/customers/user:u1/timeline", "", 200),
    ("PATCH", "/v1/customers/user:u1", r#"{"attributes":{"plan":"gold"}}"#, 202),
    ("POST", "/v1/decide", r#"{"customer":"user:u1"}"#, 200),
    ("GET", "/v1/ledger", "", 200),
    ("GET", "/v1/definitions", "", 200),
    ("PUT", "/v1/definitions", r#"{"segments":[]}"#, 202),
    ("GET", "/v1/models", "", 200),
    ("POST", "/v1/models/train", r#"{"score":"repeat_purchase"}"#, 202),
    ("GET", "/v1/models/jobs", "", 200),
    ("GET", "/v1/models/jobs/job-1", "", 200),
    ("DELETE", "/v1/models/jobs/job-1", "", 202),
    ("GET", "/v1/models/jobs/other/events", "", 404),
    ("POST", "/v1/models/repeat_purchase/import", "onnx", 201),
    ("GET", "/v1/models/repeat_purchase/monitor", "", 200),
    ("POST", "/v1/models/repeat_purchase/rollback", "", 202),
    ("DELETE", "/v1/models/repeat_purchase/challenger", "", 202),
    ("GET", "/v1/models/repeat_purchase/1", "", 200),
    ("GET", "/v1/models/repeat_purchase/1/artifact", "", 200),
    ("GET", "/v1/models/repeat_purchase/1/onnx", "", 200),
    ("GET", "/v1/models/repeat_purchase/1/report", "", 200),
    ("POST", "/v1/models/repeat_purchase/1/activate", "", 202),
    ("POST", "/v1/models/repeat_purchase/2/challenge", r#"{"mode":"canary","percent":5}"#, 202),
    ("GET", "/v1/session", "", 200),
    ("DELETE", "/v1/session", "", 204),
    ("GET", "/v1/about", "", 200),
    ("GET", "/v1/customers?limit=0", "", 400),
    ("GET", "/api/v1/openapi.json", "", 200),
    ("GET", "/api/v1/objects", "", 200),
    ("GET", "/api/v1/objects/contact", "", 200),
    ("PUT", "/api/v1/objects/contact", "{}", 400),
    ("GET", "/api/v1/objects/contact/records", "", 200),
    ("POST", "/api/v1/objects/contact/records", r#"{"fields":{}}"#, 422),
    ("GET", "/api/v1/objects/contact/records/0000000000001", "", 404),
    ("PATCH", "/api/v1/objects/contact/records/0000000000001", r#"{"fields":{"name":"A"}}"#, 404),
    ("DELETE", "/api/v1/objects/contact/records/0000000000001", "", 404),
    ("POST", "/api/v1/objects/contact/records/0000000000001/restore", "", 404),
    ("GET", "/api/v1/objects/contact/records/0000000000001/history", "", 404),
    ("POST", "/api/v1/objects/contact/records/0000000000001/merge", r#"{"other":"0000000000002"}"#, 404),
    ("GET", "/api/v1/objects/lead/records/0000000000001/convert", "", 404),
    ("POST", "/api/v1/objects/lead/records/0000000000001/convert", "{}", 404),
    ("POST", "/api/v1/objects/contact/bulk", r#"{"edits":[]}"#, 200),
    ("POST", "/api/v1/objects/contact/similar", r#"{"fields":{}}"#, 200),
    ("GET", "/api/v1/objects/contact/export?format=csv", "", 200),
    ("GET", "/api/v1/objects/contact/aggregate?group=lifecycle", "", 200),
    ("GET", "/api/v1/objects/deal/board?group=stage&sum=amount", "", 200),
    ("GET", "/api/v1/search?q=ann", "", 200),
    ("GET", "/api/v1/duplicates?object=contact", "", 200),
    ("POST", "/api/v1/duplicates/0000000000001/dismiss", "", 404),
    ("POST", "/api/v1/duplicates/0000000000001/reopen", "", 404),
    ("GET", "/api/v1/views", "", 200),
    ("POST", "/api/v1/views", "{}", 400),
    ("PATCH", "/api/v1/views/0000000000001", "{}", 404),
    ("DELETE", "/api/v1/views/0000000000001", "", 404),
    ("GET", "/api/v1/imports", "", 200),
    ("POST", "/api/v1/imports?object=nothing&name=a.csv", "name\nA\n", 404),
    ("GET", "/api/v1/imports/0000000000001", "", 404),
    ("PUT", "/api/v1/imports/0000000000001/mapping", r#"{"columns":[]}"#, 404),
    ("POST", "/api/v1/imports/0000000000001/check", "", 404),
    ("POST", "/api/v1/imports/0000000000001/start", "", 404),
    ("POST", "/api/v1/imports/0000000000001/cancel", "", 404),
    ("GET", "/api/v1/imports/0000000000001/errors", "", 404),
    ("POST", "/api/v1/files?name=a.txt&contact=0000000000001", "text", 422),
    ("GET", "/api/v1/files/0000000000001/content", "", 404),
    ("PUT", "/api/v1/files/0000000000001/content", "text", 404),
    ("DELETE", "/api/v1/objects/product/trash", "", 200),
    ("GET", "/api/v1/audit", "", 200),
    ("GET", "/api/v1/batches", "", 200),
    ("POST", "/api/v1/batches/0000000000001/undo", "", 404),
    ("GET", "/api/v1/demo", "", 200),
    ("DELETE", "/api/v1/demo", "", 404),
    ("GET", "/api/v1/me", "", 403),
    ("PATCH", "/api/v1/me", "{}", 403),
    ("POST", "/api/v1/me/password", "{}", 400),
    ("POST", "/api/v1/me/second-factor", "", 403),
    ("PUT", "/api/v1/me/second-factor", "{}", 400),
    ("DELETE", "/api/v1/me/second-factor", "{}", 400),
    ("GET", "/api/v1/me/sessions", "", 403),
    ("DELETE", "/api/v1/me/sessions/0000000000001", "", 403),
    ("DELETE", "/api/v1/me/sessions", "", 403),
    ("GET", "/api/v1/me/sign-ons", "", 403),
    ("DELETE", "/api/v1/me/sign-ons/0000000000001", "", 403),
    ("GET", "/api/v1/colleagues", "", 200),
    ("GET", "/api/v1/users", "", 200),
    ("PATCH", "/api/v1/users/0000000000001", "{}", 404),
    ("POST", "/api/v1/users/0000000000001/password-link", "", 404),
    ("DELETE", "/api/v1/users/0000000000001/second-factor", "", 404),
    ("GET", "/api/v1/roles", "", 200),
    ("POST", "/api/v1/roles", r#"{"name":""}"#, 422),
    ("PUT", "/api/v1/roles/0000000000001", r#"{"name":"a"}"#, 404),
    ("DELETE", "/api/v1/roles/0000000000001", "", 404),
    ("GET", "/api/v1/teams", "", 200),
    ("POST", "/api/v1/teams", r#"{"name":""}"#, 422),
    ("PUT", "/api/v1/teams/0000000000001", r#"{"name":"a"}"#, 404),
    ("DELETE", "/api/v1/teams/0000000000001", "", 404),
    ("GET", "/api/v1/invitations", "", 200),
    ("POST", "/api/v1/invitations", "{}", 400),
    ("DELETE", "/api/v1/invitations/0000000000001", "", 404),
    ("GET", "/api/v1/keys", "", 200),
    ("POST", "/api/v1/keys", "{}", 400),
    ("DELETE", "/api/v1/keys/0000000000001", "", 404),
];

fn request(method: &str, path: &str, body: &str, headers: &[(&str, &str)]) -> Request<Body> {
    let request = Request::builder().method(method).uri(path);
    let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
    request.body(Body::from(body.to_owned())).unwrap()
}

#[tokio::test]
async fn every_route_asks_who_is_there() {
    // While one world is there, the others share its records.
    let _first = World::new();
    for (method, path, body, status) in TABLE {
        let world = World::new();
        for headers in [
            &[][..],
            &[("authorization", "Bearer other")],
            &[("authorization", "Bearer wk_test")],
            &[("authorization", common::BASIC)],
            &[("cookie", "rapport_session=other"), ("x-rapport-request", "1")],
            &[("authorization", "Bearer other"), ("cookie", COOKIE), ("x-rapport-request", "1")],
        ] {
            let told = world.send(request(method, path, body, headers)).await;
            assert_eq!(told.problem().0, 401, "{method} {path} {headers:?}");
        }
        assert!(world.events().is_empty(), "{method} {path}");
        let told = world.send(request(method, path, body, &[("authorization", BEARER)])).await;
        assert_eq!(told.status.as_u16(), status, "{method} {path}: {}", told.body);
        let told = world.send(request(method, path, body, &[("cookie", COOKIE), ("x-rapport-request", "1")])).await;
        assert_eq!(told.status.as_u16(), status, "{method} {path}: {}", told.body);
        let told = world.send(request(method, path, body, &[("cookie", COOKIE)])).await;
        if method == "GET" {
            assert_eq!(told.status.as_u16(), status, "{method} {path}");
        } else if path != "/v1/session" {
            assert_eq!(told.problem(), (403, "request_header".into(), "X-Rapport-Request".into()), "{method} {path}");
        }
    }
}

/// Routes that need no credential, or that no answer ends.
const APART: [(&str, &str); 15] = [
    ("POST", "/v1/{call}"),
    ("POST", "/v1/batch"),
    ("POST", "/v1/session"),
    ("POST", "/api/v1/sign-in"),
    ("GET", "/api/v1/sign-in/providers"),
    ("GET", "/api/v1/sign-in/with/{provider}"),
    ("GET", "/api/v1/sign-in/with/{provider}/back"),
    ("POST", "/api/v1/accept"),
    ("POST", "/api/v1/reset-password"),
    ("GET", "/healthz"),
    ("GET", "/readyz"),
    ("GET", "/metrics"),
    ("GET", "/v1/stream"),
    ("GET", "/api/v1/changes"),
    // A zip, which tests/contents.rs looks at.
    ("GET", "/api/v1/workspace"),
];

/// A route without a line in the table above is not asked for by every kind of caller, so it may not be.
#[test]
fn every_route_stands_in_the_table() {
    let document: serde_json::Value = serde_json::from_str(&rapport_server::openapi::document()).unwrap();
    let fits = |route: &str, path: &str| {
        let path = path.split('?').next().unwrap();
        let (route, path): (Vec<&str>, Vec<&str>) = (route.split('/').collect(), path.split('/').collect());
        route.len() == path.len() && route.iter().zip(&path).all(|(one, other)| one.starts_with('{') || one == other)
    };
    let mut missing = Vec::new();
    for (route, methods) in document["paths"].as_object().unwrap() {
        for method in methods.as_object().unwrap().keys().map(|method| method.to_uppercase()) {
            let listed = TABLE.iter().any(|(verb, path, ..)| *verb == method && fits(route, path));
            // The stream of a training ends by itself only when the training does.
            let apart = APART.contains(&(method.as_str(), route.as_str())) || route.ends_with("/events");
            if !listed && !apart {
                missing.push(format!("{method} {route}"));
            }
        }
    }
    assert!(missing.is_empty(), "{missing:#?}");
}

#[tokio::test]
async fn every_refusal_is_a_problem() {
    let world = World::new();
    for (method, path, body, expected) in [
        ("GET", "/v1/nothing", "", (404, "not_found")),
        ("GET", "/v1", "", (404, "not_found")),
        ("DELETE", "/v1/customers", "", (405, "method")),
        ("GET", "/v1/track", "", (405, "method")),
        ("POST", "/page/of/the/ui", "", (405, "method")),
        ("GET", "/assets/missing.js", "", (404, "not_found")),
        ("GET", "/v1/customers?sort=name", "", (400, "invalid_field")),
        ("GET", "/v1/customers?limit=501", "", (400, "invalid_field")),
        ("GET", "/v1/customers?limit=x", "", (400, "invalid_query")),
        ("GET", "/v1/customers?cursor=x", "", (400, "invalid_field")),
        ("GET", "/v1/customers/user:u1/timeline?before=x", "", (400, "invalid_field")),
        ("GET", "/v1/customers/user:no/timeline", "", (404, "not_found")),
        ("PATCH", "/v1/customers/user:no", r#"{"attributes":{"a":1}}"#, (404, "not_found")),
        ("PATCH", "/v1/customers/user:u1", r#"{"attributes":{}}"#, (400, "invalid_field")),
        ("PATCH", "/v1/customers/user:u1", r#"{"attributes":5}"#, (400, "invalid_field")),
        ("PATCH", "/v1/customers/user:u1", "{", (400, "invalid_json")),
        ("POST", "/v1/decide", "{}", (400, "invalid_field")),
        ("POST", "/v1/decide", r#"{"other":1}"#, (400, "invalid_field")),
        ("PUT", "/v1/definitions", "[]", (400, "invalid_json")),
        ("PUT", "/v1/definitions", r#"{"version":6}"#, (409, "conflict")),
        ("PUT", "/v1/definitions", r#"{"version":"x"}"#, (400, "invalid_field")),
        ("PUT", "/v1/definitions", r#"{"segments":"wrong"}"#, (422, "mistakes")),
        ("POST", "/v1/models/train", r#"{"score":"other"}"#, (422, "invalid_field")),
        ("POST", "/v1/models/train", r#"{"score":"broken"}"#, (500, "internal")),
        ("POST", "/v1/models/train", r#"{"score":"busy"}"#, (409, "conflict")),
        ("POST", "/v1/models/train", r#"{"score":"repeat_purchase","budget_s":0}"#, (400, "invalid_field")),
        ("POST", "/v1/models/train", r#"{"score":"repeat_purchase","budget_s":3601}"#, (400, "invalid_field")),
        ("POST", "/v1/models/train", r#"{"score":"repeat_purchase","speed":1}"#, (400, "invalid_field")),
        ("GET", "/v1/models/jobs/other", "", (404, "not_found")),
        ("GET", "/v1/models/jobs/other/events", "", (404, "not_found")),
        ("DELETE", "/v1/models/jobs/other", "", (404, "not_found")),
        ("GET", "/v1/models/repeat_purchase/3", "", (404, "not_found")),
        ("GET", "/v1/models/repeat_purchase/x", "", (404, "not_found")),
        ("GET", "/v1/models/repeat_purchase/3/artifact", "", (404, "not_found")),
        ("GET", "/v1/models/repeat_purchase/3/onnx", "", (404, "not_found")),
        ("GET", "/v1/models/repeat_purchase/2/onnx", "", (409, "conflict")),
        ("GET", "/v1/models/repeat_purchase/3/report", "", (404, "not_found")),
        ("GET", "/v1/models/repeat_purchase/2/report", "", (409, "conflict")),
        ("GET", "/v1/models/repeat_purchase/1/report?lang=fr", "", (400, "invalid_field")),
        ("POST", "/v1/models/repeat_purchase/import", "?", (422, "invalid_field")),
        ("POST", "/v1/models/other/import", "onnx", (404, "not_found")),
        ("GET", "/v1/models/other/monitor", "", (404, "not_found")),
        ("POST", "/v1/models/other/rollback", "", (409, "conflict")),
        ("DELETE", "/v1/models/other/challenger", "", (409, "conflict")),
        ("POST", "/v1/models/repeat_purchase/3/activate", "", (404, "not_found")),
        ("POST", "/v1/models/repeat_purchase/3/challenge", r#"{"mode":"shadow"}"#, (404, "not_found")),
        ("POST", "/v1/models/repeat_purchase/1/challenge", r#"{"mode":"shadow"}"#, (409, "conflict")),
        ("POST", "/v1/models/repeat_purchase/2/challenge", r#"{"mode":"canary","percent":0}"#, (400, "invalid_field")),
        (
            "POST",
            "/v1/models/repeat_purchase/2/challenge",
            r#"{"mode":"canary","percent":100}"#,
            (400, "invalid_field"),
        ),
        ("POST", "/v1/models/repeat_purchase/2/challenge", r#"{"mode":"shadow","percent":5}"#, (400, "invalid_field")),
        ("POST", "/v1/models/repeat_purchase/2/challenge", r#"{"mode":"open"}"#, (400, "invalid_field")),
        ("POST", "/v1/models/repeat_purchase/2/challenge", "{", (400, "invalid_json")),
        ("POST", "/v1/models/repeat_purchase/x/activate", "", (404, "not_found")),
        ("GET", "/v1/stream?kind=weather", "", (400, "invalid_field")),
    ] {
        let told = world.with_json(method, path, body).await;
        let (status, code, _) = told.problem();
        assert_eq!((status, code.as_str()), expected, "{method} {path} {body}: {}", told.body);
        assert!(!told.body.contains("secret detail"), "{}", told.body);
    }
    let large = format!(r#"{{"attributes":{{"a":"{}"}}}}"#, "x".repeat(40_000));
    assert_eq!(world.with_json("PATCH", "/v1/customers/user:u1", &large).await.problem().0, 413);
    assert_eq!(world.with_json("PUT", "/v1/definitions", &" ".repeat(2_000_000)).await.problem().0, 413);
    let told = world.with_json("PUT", "/v1/definitions", r#"{"segments":"wrong"}"#).await;
    assert_eq!(told.json()["mistakes"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn signing_in_works_once_and_out_for_good() {
    let world = World::new();
    let sign_in = |headers: &[(&str, &str)]| request("POST", "/v1/session", r#"{"token":"once"}"#, headers);
    assert_eq!(world.send(sign_in(&[])).await.problem().0, 403);
    let told = world.send(sign_in(&[("x-rapport-request", "1")])).await;
    assert_eq!((told.status, told.json()["name"].as_str()), (StatusCode::OK, Some("Ada")));
    let cookie = told.headers[header::SET_COOKIE].to_str().unwrap();
    assert_eq!(cookie, "rapport_session=s_test; Path=/; Max-Age=60; HttpOnly; SameSite=Strict");
    assert!(!told.body.contains("s_test"));
    assert_eq!(
        world.send(sign_in(&[("x-rapport-request", "1")])).await.problem(),
        (401, "token".into(), "token".into())
    );
    assert_eq!(world.send(request("GET", "/v1/session", "", &[("cookie", COOKIE)])).await.status, StatusCode::OK);
    let out = request("DELETE", "/v1/session", "", &[("cookie", COOKIE), ("x-rapport-request", "1")]);
    let told = world.send(out).await;
    assert!(told.headers[header::SET_COOKIE].to_str().unwrap().contains("Max-Age=0"));
    assert_eq!(world.send(request("GET", "/v1/session", "", &[("cookie", COOKIE)])).await.problem().0, 401);
}

#[tokio::test]
async fn lists_go_on_where_the_page_before_ended() {
    let world = World::new();
    let first = world.get("/v1/customers?limit=1").await.json();
    let cursor = first["next"].as_str().unwrap();
    let second = world.get(&format!("/v1/customers?limit=1&cursor={cursor}")).await.json();
    assert_eq!((&second["customers"][0]["id"], &second["next"]), (&"user:u1".into(), &serde_json::Value::Null));
}

#[tokio::test]
async fn a_timeline_shows_the_newest_first_and_goes_back() {
    let world = World::new();
    for number in 0..5 {
        let body = format!(r#"{{"userId":"u1","event":"e{number}","properties":{{"n":{number}}}}}"#);
        world.collect("/v1/track", body).await;
    }
    let mut path = "/v1/customers/anon:a1/timeline?limit=2".to_owned();
    let mut names = Vec::new();
    loop {
        let page = world.get(&path).await.json();
        names.extend(page["items"].as_array().unwrap().iter().map(|item| item["name"].as_str().unwrap().to_owned()));
        let Some(next) = page["next"].as_str() else { break };
        path = format!("/v1/customers/anon:a1/timeline?limit=2&before={next}");
    }
    assert_eq!(names, ["e4", "e3", "e2", "e1", "e0"]);
}

#[tokio::test]
async fn a_change_by_hand_is_an_entry_of_rapport_itself() {
    let world = World::new();
    let told = world.with_json("PATCH", "/v1/customers/a%6e%6Fn:a1", r#"{"attributes":{"plan":"gold"}}"#).await;
    assert_eq!(told.status, StatusCode::ACCEPTED);
    let event = &world.events()[0];
    assert_eq!(told.json()["message_id"].as_str(), Some(&*event.message_id));
    assert_eq!((event.source.0, event.user_id.as_deref()), (0, Some("u1")), "it goes to the profile's primary id");
    assert_eq!(event.context.get("operator"), Some(&"key".into()));
}

#[tokio::test]
async fn who_is_known_is_not_looked_up_and_a_busy_database_signs_nobody_out() {
    let world = World::new();
    let looks = || world.fakes.looks.load(Ordering::SeqCst);
    let told = world.with_json("POST", "/v1/decide", r#"{"customer":"user:u1"}"#).await;
    assert_eq!((told.status, looks()), (StatusCode::OK, 0), "memory knows the key");
    let by_session = || Request::get("/v1/session").header(header::COOKIE, COOKIE).body(Body::empty()).unwrap();
    assert_eq!((world.send(by_session()).await.status, looks()), (StatusCode::OK, 1));
    world.fakes.is_busy.store(true, Ordering::SeqCst);
    let told = world.send(by_session()).await;
    assert_eq!(told.problem(), (503, "unavailable".into(), String::new()));
    assert!(told.headers.contains_key(header::RETRY_AFTER));
    world.fakes.is_busy.store(false, Ordering::SeqCst);
    assert_eq!(world.send(by_session()).await.status, StatusCode::OK);
}

#[tokio::test]
async fn decisions_and_definitions_are_told() {
    let world = World::new();
    let told = world.with_json("POST", "/v1/decide", r#"{"anonymousId":"a1"}"#).await.json();
    assert_eq!((&told["known_to_us"], &told["segments"][0]), (&true.into(), &"vip".into()));
    let told = world.with_json("POST", "/v1/decide", r#"{"userId":"stranger"}"#).await.json();
    assert_eq!((&told["known_to_us"], &told["customer"]), (&false.into(), &"user:stranger".into()));
    let document = world.get("/v1/definitions").await;
    assert_eq!(document.body, r#"{"version":7,"segments":[],"features":[]}"#);
    assert_eq!(world.with_json("PUT", "/v1/definitions", &document.body).await.json()["version"], 8);
}

#[tokio::test]
async fn pages_and_answers_carry_their_headers() {
    let world = World::new();
    for path in ["/", "/customers/user:u1", "/signin?token=x"] {
        let told = world.send(Request::get(path).body(Body::empty()).unwrap()).await;
        assert_eq!(told.status, StatusCode::OK, "{path}");
        assert!(told.body.contains("<title>Rapport</title>"));
        assert!(told.headers[header::CONTENT_SECURITY_POLICY].to_str().unwrap().starts_with("default-src 'self'"));
        assert_eq!(told.headers[header::CACHE_CONTROL], "no-cache");
        assert_eq!(told.headers[header::X_FRAME_OPTIONS], "DENY");
        assert_eq!(told.headers[header::REFERRER_POLICY], "no-referrer");
    }
    let told = world.get("/v1/ledger").await;
    assert_eq!(told.headers[header::CACHE_CONTROL], "no-store");
    assert_eq!(told.headers[header::X_CONTENT_TYPE_OPTIONS], "nosniff");
    for path in ["/healthz", "/readyz", "/metrics"] {
        let told = world.send(Request::get(path).body(Body::empty()).unwrap()).await;
        assert_eq!(told.status, StatusCode::OK, "{path}");
    }
}

#[test]
fn the_checked_in_document_is_current() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/reference/openapi.json");
    let current = rapport_server::openapi::document();
    if std::env::var_os("RAPPORT_WRITE_OPENAPI").is_some() {
        std::fs::create_dir_all(concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/reference")).unwrap();
        std::fs::write(path, &current).unwrap();
    }
    let checked_in = std::fs::read_to_string(path).unwrap_or_default();
    assert!(
        checked_in == current,
        "docs/reference/openapi.json is not current; write it with\n    RAPPORT_WRITE_OPENAPI=1 cargo test -p rapport-server document"
    );
}
