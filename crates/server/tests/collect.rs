//! The door of events: what is accepted, what is refused and how, and that nothing refused leaves anything behind.

#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

mod common;

use std::io::Write as _;

use axum::{
    body::Body,
    http::{Request, StatusCode, header},
};
use common::{BASIC, NOW, World};
use flate2::{Compression, write::GzEncoder};
use rapport_server::{HubOptions, Limits};
use rapport_stream::MemoryLog;
use rapport_types::{EventKind, SourceId, Timestamp};

const TRACK: &str =
    r#"{"userId":"u1","event":"Order Completed","messageId":"m1","properties":{"total":5,"a":1,"a":2}}"#;

fn gzip(plain: &[u8]) -> Vec<u8> {
    let mut packer = GzEncoder::new(Vec::new(), Compression::best());
    packer.write_all(plain).unwrap();
    packer.finish().unwrap()
}

fn packed(path: &str, body: Vec<u8>) -> Request<Body> {
    let request = Request::post(path).header(header::AUTHORIZATION, BASIC).header(header::CONTENT_ENCODING, "gzip");
    request.body(Body::from(body)).unwrap()
}

#[tokio::test]
async fn an_event_is_in_the_log_when_it_is_answered() {
    let world = World::new();
    let told = world.collect("/v1/track", TRACK).await;
    assert_eq!((told.status, told.body.as_str()), (StatusCode::OK, r#"{"success":true}"#));
    assert_eq!(told.headers[header::ACCESS_CONTROL_ALLOW_ORIGIN], "*");
    let events = world.events();
    assert_eq!(events.len(), 1);
    let event = &events[0];
    assert_eq!((event.kind, event.source, event.timestamp), (EventKind::Track, SourceId(1), NOW));
    assert_eq!((&*event.message_id, event.name.as_deref()), ("m1", Some("Order Completed")));
    assert_eq!(event.properties.get("a"), Some(&rapport_types::Value::Int(2)), "the last of a repeated name");
}

#[tokio::test]
async fn the_answer_waits_for_the_disk() {
    let world = World::new();
    let hold = world.log.hold();
    let mut answer = Box::pin(world.collect("/v1/track", TRACK));
    assert!(futures::poll!(&mut answer).is_pending());
    assert!(futures::poll!(&mut answer).is_pending());
    drop(hold);
    assert_eq!(answer.await.status, StatusCode::OK);
}

#[tokio::test]
async fn every_call_of_the_api_is_taken() {
    let world = World::new();
    for (path, body) in [
        ("/v1/identify", r#"{"userId":"u1","traits":{"name":"Ada"}}"#),
        ("/v1/page", r#"{"anonymousId":"a1","name":"Home"}"#),
        ("/v1/screen", r#"{"anonymousId":"a1"}"#),
        ("/v1/group", r#"{"userId":"u1","groupId":"g1","traits":{"plan":"x"}}"#),
        ("/v1/alias", r#"{"userId":"u1","previousId":"a1"}"#),
        ("/v1/batch", r#"{"batch":[{"type":"track","userId":"u1","event":"x"},{"type":"page","userId":"u2"}]}"#),
    ] {
        assert_eq!(world.collect(path, body).await.status, StatusCode::OK, "{path}");
    }
    assert_eq!(world.events().len(), 7);
}

#[tokio::test]
async fn the_write_key_comes_by_header_or_body() {
    let world = World::new();
    let send = async |auth: Option<&str>, path: &str, body: &str| {
        let mut request = Request::post(path);
        if let Some(auth) = auth {
            request = request.header(header::AUTHORIZATION, auth);
        }
        world.send(request.body(Body::from(body.to_owned())).unwrap()).await
    };
    let event = r#"{"writeKey":"wk_test","userId":"u1"}"#;
    let batch = r#"{"batch":[{"type":"page","userId":"u1"}],"writeKey":"wk_test"}"#;
    assert_eq!(send(None, "/v1/page", event).await.status, StatusCode::OK);
    assert_eq!(send(None, "/v1/batch", batch).await.status, StatusCode::OK);
    for (auth, path, body) in [
        (None, "/v1/page", r#"{"userId":"u1"}"#),
        (None, "/v1/page", r#"{"userId":"u1","writeKey":"other"}"#),
        (None, "/v1/batch", r#"{"batch":[{"type":"page","userId":"u1","writeKey":"wk_test"}]}"#),
        (Some("Basic d3Jvbmc6"), "/v1/page", event),
        (Some("Bearer ak_test"), "/v1/page", event),
        (Some("nonsense"), "/v1/batch", batch),
    ] {
        let told = send(auth, path, body).await;
        assert_eq!(told.problem(), (401, "write_key".to_owned(), String::new()), "{auth:?} {body}");
        assert!(told.headers.contains_key(header::WWW_AUTHENTICATE));
    }
    assert_eq!(world.events().len(), 2);
}

#[tokio::test]
async fn hostile_bodies_are_refused_by_name() {
    let world = World::new();
    let depth =
        format!(r#"{{"userId":"u","event":"x","properties":{}1{}}}"#, r#"{"a":"#.repeat(5_000), "}".repeat(5_000));
    let wide = format!(r#"{{"userId":"u","event":"{}"}}"#, "x".repeat(32 * 1024));
    let cases: Vec<(Vec<u8>, u16, &str, &str)> = vec![
        (b"".to_vec(), 400, "invalid_json", ""),
        (b"{".to_vec(), 400, "invalid_json", ""),
        (b"null".to_vec(), 400, "invalid_field", ""),
        (b"[1]".to_vec(), 400, "invalid_field", ""),
        (b"{\"userId\":\"\xff\"}".to_vec(), 400, "invalid_json", ""),
        (br#"{"userId":"\ud800","event":"x"}"#.to_vec(), 400, "invalid_field", "userId"),
        (br#"{"userId":{},"event":"x"}"#.to_vec(), 400, "invalid_field", "userId"),
        (br#"{"userId":"a","event":["x"]}"#.to_vec(), 400, "invalid_field", "event"),
        (br#"{"userId":"a","userId":"b","event":"x"}"#.to_vec(), 400, "invalid_field", "userId"),
        (br#"{"userId":"a","event":"x","properties":"y"}"#.to_vec(), 400, "invalid_field", "properties"),
        (br#"{"userId":"a","event":"x","timestamp":"never"}"#.to_vec(), 400, "invalid_field", "timestamp"),
        (br#"{"event":"x"}"#.to_vec(), 400, "invalid_field", "userId"),
        (br#"{"userId":"a"}"#.to_vec(), 400, "invalid_field", "event"),
        (br#"{"userId":"a","event":"x","properties":{"n":1e999}}"#.to_vec(), 400, "invalid_field", "properties"),
        (depth.into_bytes(), 400, "invalid_field", "properties"),
        (wide.into_bytes(), 413, "too_large", ""),
    ];
    for (body, status, code, field) in cases {
        let shown = String::from_utf8_lossy(&body[..body.len().min(80)]).into_owned();
        let told = world.collect("/v1/track", body).await;
        assert_eq!(told.problem(), (status, code.to_owned(), field.to_owned()), "{shown}: {}", told.body);
    }
    let depth = format!(r#"{{"userId":"u","event":"x","properties":{}1{}}}"#, r#"{"a":"#.repeat(500), "}".repeat(500));
    let batch = format!(r#"{{"batch":[{}]}}"#, depth.replacen('{', r#"{"type":"track","#, 1));
    assert_eq!(world.collect("/v1/batch", batch).await.problem().2, "batch[0].properties");
    assert!(world.events().is_empty());
}

#[tokio::test]
async fn gzip_is_taken_and_its_bombs_are_not() {
    let world = World::new();
    assert_eq!(world.send(packed("/v1/track", gzip(TRACK.as_bytes()))).await.status, StatusCode::OK);
    let bomb = gzip(&vec![b' '; 50_000_000]);
    assert!(bomb.len() < 64 * 1024);
    assert_eq!(world.send(packed("/v1/batch", bomb)).await.problem().1, "too_large");
    assert_eq!(world.send(packed("/v1/track", b"no gzip".to_vec())).await.problem().1, "gzip");
    let mut torn = gzip(TRACK.as_bytes());
    torn.truncate(torn.len() / 2);
    assert_eq!(world.send(packed("/v1/track", torn)).await.problem().1, "gzip");
    let brotli = Request::post("/v1/track").header(header::AUTHORIZATION, BASIC).header(header::CONTENT_ENCODING, "br");
    assert_eq!(world.send(brotli.body(Body::empty()).unwrap()).await.problem().0, 415);
    assert_eq!(world.events().len(), 1);
}

#[tokio::test]
async fn the_limits_of_a_batch_hold_to_the_event() {
    let world = World::new();
    let event = r#"{"type":"page","userId":"u"}"#;
    let batch = |count: usize| format!(r#"{{"batch":[{}]}}"#, vec![event; count].join(","));
    assert_eq!(world.collect("/v1/batch", batch(2_500)).await.status, StatusCode::OK);
    assert_eq!(world.events().len(), 2_500);
    assert_eq!(world.collect("/v1/batch", batch(2_501)).await.problem(), (413, "too_large".into(), "batch".into()));
    let padded = |bytes: usize| {
        let event = format!(r#"{{"type":"page","userId":"u","x":"{}"}}"#, "x".repeat(bytes));
        (event.len(), format!(r#"{{"batch":[{{"type":"page","userId":"u"}},{event}]}}"#))
    };
    let (length, fits) = padded(32 * 1024 - 35);
    assert_eq!(length, 32 * 1024);
    assert_eq!(world.collect("/v1/batch", fits).await.status, StatusCode::OK);
    let told = world.collect("/v1/batch", padded(32 * 1024 - 34).1).await;
    assert_eq!(told.problem(), (413, "too_large".into(), "batch[1]".into()));
    let whole = format!(r#"{{"batch":[{event}],"x":"{}"}}"#, "x".repeat(500 * 1024));
    assert_eq!(world.collect("/v1/batch", whole).await.problem().0, 413);
    assert_eq!(world.events().len(), 2_502);
}

const MIXED: &str = r#"{"batch":[{"type":"track","userId":"u1","event":"x","messageId":"m1"},
    {"type":"track","userId":7,"event":"x"},{"type":"nothing","userId":"u1","messageId":"m3"},
    {"type":"page","anonymousId":"a1"}]}"#;

#[tokio::test]
async fn a_batch_with_a_wrong_event_is_refused_whole() {
    let world = World::new();
    let told = world.collect("/v1/batch", MIXED).await;
    assert_eq!(told.problem(), (400, "invalid_field".to_owned(), "batch[1].userId".to_owned()));
    assert!(world.events().is_empty());
}

#[tokio::test]
async fn a_batch_with_results_keeps_the_good_ones_and_says_which() {
    let world = World::new();
    let request = Request::post("/v1/batch").header(header::AUTHORIZATION, BASIC);
    let request = request.header("Prefer", "respond-async, return=representation");
    let told = world.send(request.body(Body::from(MIXED)).unwrap()).await;
    assert_eq!(told.status, StatusCode::OK);
    let json = told.json();
    let results = json["results"].as_array().unwrap();
    let statuses: Vec<_> = results.iter().map(|result| result["status"].as_u64().unwrap()).collect();
    assert_eq!((json["success"].as_bool(), statuses), (Some(false), vec![200, 400, 400, 200]));
    assert_eq!((&results[1]["field"], &results[2]["field"]), (&"batch[1].userId".into(), &"batch[2].type".into()));
    assert_eq!((&results[0]["messageId"], &results[2]["messageId"]), (&"m1".into(), &"m3".into()));
    let made = results[3]["messageId"].as_str().unwrap();
    let events = world.events();
    assert_eq!(events.len(), 2);
    assert!(events.iter().any(|event| &*event.message_id == made));
}

#[tokio::test]
async fn a_batch_shares_its_sent_at() {
    let world = World::new();
    let hour = 3_600_000;
    let at = |ms: i64| Timestamp(NOW.0 + ms).to_string();
    let body = format!(
        r#"{{"sentAt":"{}","batch":[{{"type":"page","userId":"u","timestamp":"{}"}}]}}"#,
        at(-hour),
        at(-hour - 10_000)
    );
    assert_eq!(world.collect("/v1/batch", body).await.status, StatusCode::OK);
    let event = &world.events()[0];
    assert_eq!((event.timestamp, event.received_at), (Timestamp(NOW.0 - 10_000), NOW));
    assert_eq!(event.sent_at, Some(Timestamp(NOW.0 - hour)));
    let told = world.collect("/v1/batch", r#"{"sentAt":"x","batch":[{"type":"page","userId":"u"}]}"#).await;
    assert_eq!(told.problem().2, "sentAt");
}

#[tokio::test]
async fn a_sender_that_is_too_fast_is_told_when_to_come_back() {
    let limits = Limits { events_per_second: 1, burst: 1, ..Limits::default() };
    let world = World::with(MemoryLog::new(2).unwrap(), HubOptions::default(), limits);
    let batch = format!(r#"{{"batch":[{}]}}"#, vec![r#"{"type":"page","userId":"u"}"#; 2_500].join(","));
    assert_eq!(world.collect("/v1/batch", batch.clone()).await.status, StatusCode::OK, "a full batch always fits");
    let told = world.collect("/v1/batch", batch).await;
    assert_eq!(told.problem().1, "rate");
    let wait: u64 = told.headers[header::RETRY_AFTER].to_str().unwrap().parse().unwrap();
    assert!((2_400..=2_500).contains(&wait), "{wait}");
    assert_eq!(world.events().len(), 2_500);
}

#[tokio::test]
async fn a_log_that_cannot_keep_an_event_is_never_told_as_success() {
    let world = World::with(MemoryLog::with_queue(2, 100).unwrap(), HubOptions::default(), Limits::default());
    let told = {
        let _hold = world.log.hold();
        world.collect("/v1/track", TRACK).await
    };
    assert_eq!((told.problem().0, told.problem().1.as_str()), (503, "log_full"));
    assert_eq!(told.headers[header::RETRY_AFTER], "1");
    let world = World::new();
    world.log.poison("the disk is gone");
    let told = world.collect("/v1/track", TRACK).await;
    assert_eq!((told.problem().0, told.problem().1.as_str()), (503, "not_durable"));
    assert!(!told.body.contains("the disk"), "{}", told.body);
    assert!(told.headers.contains_key(header::RETRY_AFTER));
    let ready = world.get("/readyz").await;
    assert_eq!(ready.status, StatusCode::SERVICE_UNAVAILABLE);
}

#[tokio::test]
async fn browsers_of_other_origins_may_ask_and_only_here() {
    let world = World::new();
    let ask = |path: &str| Request::options(path).header(header::ORIGIN, "https://shop").body(Body::empty()).unwrap();
    let told = world.send(ask("/v1/track")).await;
    assert_eq!(told.status, StatusCode::NO_CONTENT);
    assert!(told.headers[header::ACCESS_CONTROL_ALLOW_HEADERS].to_str().unwrap().contains("authorization"));
    let told = world.send(ask("/v1/customers")).await;
    assert_eq!(told.problem().0, 405);
    assert!(!told.headers.contains_key(header::ACCESS_CONTROL_ALLOW_ORIGIN));
}

#[tokio::test]
async fn what_is_accepted_and_refused_is_counted() {
    let world = World::new();
    world.collect("/v1/track", TRACK).await;
    world.collect("/v1/track", "{").await;
    let text = world.get("/metrics").await.body;
    for line in [
        r#"rapport_events_accepted_total{source="web"} 1"#,
        r#"rapport_requests_refused_total{reason="invalid_json"} 1"#,
        "rapport_append_seconds_count 1",
    ] {
        assert!(text.contains(line), "{line} is not in\n{text}");
    }
    assert!(!text.contains("wk_test"));
}
