//! The live stream: order, filters, coming back, and what happens to readers that are too slow.

#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

mod common;

use std::sync::atomic::Ordering;

use axum::{
    body::{Body, BodyDataStream},
    http::{Request, StatusCode, header},
};
use common::{BEARER, COOKIE, World};
use futures::StreamExt as _;
use rapport_server::{HubOptions, Kind, Limits, Pushed};
use rapport_stream::{Append, Log as _, MemoryLog};
use rapport_types::{Offset, PartitionId};
use serde::Serialize;
use tower::ServiceExt as _;

#[derive(Serialize)]
struct Note {
    #[serde(skip)]
    kind: Kind,
    customer: &'static str,
    n: u64,
}

impl Pushed for Note {
    fn customer(&self) -> &str {
        self.customer
    }

    fn kind(&self) -> Kind {
        self.kind
    }
}

/// A reader of the stream.
struct Reader {
    body: BodyDataStream,
    text: String,
}

/// One event of the stream: its name, its data, its id.
type Got = (String, String, String);

impl Reader {
    async fn open(world: &World, path: &str, headers: &[(&str, &str)]) -> Self {
        let request = headers.iter().fold(Request::get(path), |request, (name, value)| request.header(*name, *value));
        let response = world.app.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
        assert_eq!(response.status(), StatusCode::OK);
        assert_eq!(response.headers()[header::CONTENT_TYPE], "text/event-stream");
        Self { body: response.into_body().into_data_stream(), text: String::new() }
    }

    async fn key(world: &World, path: &str) -> Self {
        Self::open(world, path, &[("authorization", BEARER)]).await
    }

    async fn back(world: &World, cursor: &str) -> Self {
        Self::open(world, "/v1/stream", &[("authorization", BEARER), ("last-event-id", cursor)]).await
    }

    /// The next event; none at the end of the stream.
    async fn next(&mut self) -> Option<Got> {
        loop {
            if let Some((event, rest)) = self.text.split_once("\n\n") {
                let field = |name: &str| {
                    let line = event.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
                    line.unwrap_or_default().to_owned()
                };
                let (got, end) = ((field("event"), field("data"), field("id")), self.text.len() - rest.len());
                self.text.drain(..end);
                return Some(got);
            }
            let chunk = self.body.next().await?.unwrap();
            self.text.push_str(std::str::from_utf8(&chunk).unwrap());
        }
    }

    async fn take(&mut self, count: usize) -> Vec<Got> {
        let mut got = Vec::new();
        for _ in 0..count {
            got.push(self.next().await.unwrap());
        }
        got
    }

    async fn named(&mut self, name: &str) -> Got {
        let got = self.next().await.unwrap();
        assert_eq!(got.0, name, "{got:?}");
        got
    }
}

/// A world whose log has entries enough for the offsets that the tests use.
fn world(options: HubOptions) -> World {
    let log = MemoryLog::new(2).unwrap();
    let world = World::with(log, options, Limits::default());
    for partition in [PartitionId(0), PartitionId(1)] {
        let entries = (0..1_000).map(|_| (partition, vec![0])).collect();
        world.log.append(Append { entries }).unwrap().wait().unwrap();
    }
    world
}

fn push(world: &World, partition: u32, offset: u64, kind: Kind, customer: &'static str) {
    world.hub.deliver(PartitionId(partition), &[(Offset(offset), 0, Note { kind, customer, n: offset })]);
}

fn score(world: &World, partition: u32, offset: u64) {
    push(world, partition, offset, Kind::Score, "user:u1");
}

#[tokio::test]
async fn effects_come_in_order_with_cursors() {
    let world = world(HubOptions::default());
    let mut reader = Reader::key(&world, "/v1/stream").await;
    let hello = reader.named("hello").await;
    assert_eq!((hello.1.as_str(), hello.2.as_str()), (r#"{"live":true,"behind_s":0.0}"#, "0.0_0.0"));
    score(&world, 0, 5);
    push(&world, 1, 2, Kind::SegmentEntered, "user:u2");
    let note = |kind, customer, n| Note { kind, customer, n };
    let both = [(Offset(6), 0, note(Kind::Profile, "user:u1", 6)), (Offset(6), 1, note(Kind::Score, "user:u1", 6))];
    world.hub.deliver(PartitionId(0), &both);
    let got = reader.take(4).await;
    let ids: Vec<_> = got.iter().map(|(_, _, id)| id.as_str()).collect();
    assert_eq!(ids, ["5.1_0.0", "5.1_2.1", "6.1_2.1", "6.2_2.1"]);
    let names: Vec<_> = got.iter().map(|(name, _, _)| name.as_str()).collect();
    assert_eq!(names, ["score", "segment_entered", "profile", "score"]);
    assert_eq!(got[1].1, r#"{"customer":"user:u2","n":2}"#);
}

#[tokio::test]
async fn a_reader_ahead_of_the_feed_of_records_is_told_to_read_anew() {
    let world = World::new();
    let ahead = [("authorization", BEARER), ("last-event-id", "1000000")];
    let mut reader = Reader::open(&world, "/api/v1/changes", &ahead).await;
    let (name, _, id) = reader.next().await.unwrap();
    assert_eq!((name.as_str(), id.parse::<i64>().unwrap() < 1_000_000), ("hello", true), "{id}");
    assert_eq!(reader.next().await.unwrap().0, "resync");
    let made = world.with_json("POST", "/api/v1/objects/product/records", r#"{"fields":{"name":"New"}}"#).await;
    let data = loop {
        match reader.next().await.unwrap() {
            (name, data, _) if name == "change" => break data,
            // A heartbeat, where the machine is slow.
            (name, ..) => assert_eq!(name, ""),
        }
    };
    assert!(data.contains(made.json()["id"].as_str().unwrap()), "{data}");
}

#[tokio::test]
async fn filters_let_through_what_was_asked_for() {
    let world = world(HubOptions::default());
    let mut by_customer = Reader::key(&world, "/v1/stream?customer=anon:a1").await;
    let mut by_kind = Reader::key(&world, "/v1/stream?kind=segment").await;
    let mut by_both = Reader::key(&world, "/v1/stream?customer=user:u2&kind=score,profile").await;
    push(&world, 0, 0, Kind::Score, "user:u2");
    push(&world, 0, 1, Kind::SegmentLeft, "user:u2");
    push(&world, 0, 2, Kind::Score, "user:u1");
    let expected = [(&mut by_customer, "3.0_0.0", 2), (&mut by_kind, "2.0_0.0", 1), (&mut by_both, "1.0_0.0", 0)];
    for (reader, _, n) in expected {
        reader.named("hello").await;
        let got = reader.next().await.unwrap();
        assert!(got.1.contains(&format!("\"n\":{n}")), "{got:?}");
    }
}

#[tokio::test]
async fn a_reader_that_comes_back_misses_nothing_and_gets_nothing_twice() {
    let world = world(HubOptions::default());
    for offset in 0..10 {
        score(&world, (offset % 2) as u32, offset);
    }
    let mut reader = Reader::back(&world, "4.1_3.1").await;
    assert_eq!(reader.named("hello").await.2, "4.1_3.1", "a break after hello must not lose anything either");
    score(&world, 0, 10);
    let got = reader.take(6).await;
    let offsets: Vec<_> =
        got.iter().map(|(_, data, _)| data.rsplit(':').next().unwrap().trim_end_matches('}')).collect();
    assert_eq!(offsets, ["5", "6", "7", "8", "9", "10"]);
}

#[tokio::test]
async fn a_cursor_from_before_a_restart_is_good_if_the_checkpoint_is_older() {
    let world = world(HubOptions::default());
    world.hub.starts_at(PartitionId(0), Offset(20));
    world.hub.starts_at(PartitionId(1), Offset(30));
    let mut good = Reader::back(&world, "25.1_30.0").await;
    let mut old = Reader::back(&world, "19.1_30.0").await;
    for offset in 20..28 {
        score(&world, 0, offset);
    }
    good.named("hello").await;
    assert!(good.named("score").await.1.contains("\"n\":26"), "what it had before the restart is not sent again");
    old.named("hello").await;
    assert_eq!(old.named("resync").await.2, "20.0_30.0");
    assert!(old.named("score").await.1.contains("\"n\":20"));
}

#[tokio::test]
async fn a_cursor_that_is_too_old_foreign_or_broken_leads_to_resync() {
    let world = world(HubOptions { ring_bytes: 1_000, ..HubOptions::default() });
    for offset in 0..100 {
        score(&world, 0, offset);
    }
    for cursor in ["3.1_0.0", "5000.0_0.0", "1.1", "x", "99.1_-1.0"] {
        let mut reader = Reader::back(&world, cursor).await;
        reader.named("hello").await;
        assert_eq!(reader.named("resync").await.2, "99.1_0.0", "{cursor}");
    }
    let mut reader = Reader::back(&world, "98.1_0.0").await;
    reader.named("hello").await;
    reader.named("score").await;
}

#[tokio::test]
async fn a_slow_reader_is_told_to_read_again_and_then_goes_on() {
    let world = world(HubOptions { queue_bytes: 500, ..HubOptions::default() });
    let mut slow = Reader::key(&world, "/v1/stream").await;
    slow.named("hello").await;
    for offset in 0..100 {
        score(&world, 0, offset);
    }
    let resync = slow.named("resync").await;
    assert_eq!(resync.2, "99.1_0.0");
    score(&world, 0, 100);
    assert!(slow.named("score").await.1.contains("\"n\":100"));
    assert_eq!(world.hub.resyncs(), 1);
}

#[tokio::test]
async fn a_state_made_anew_is_told_to_readers_here_and_away() {
    let world = world(HubOptions::default());
    score(&world, 0, 0);
    let mut here = Reader::key(&world, "/v1/stream").await;
    let away = here.named("hello").await.2;
    world.hub.reset();
    here.named("resync").await;
    let mut back = Reader::back(&world, &away).await;
    back.named("hello").await;
    back.named("resync").await;
    score(&world, 0, 1);
    assert_eq!((here.named("score").await.2, back.named("score").await.2), ("1.1_0.0".into(), "1.1_0.0".into()));
}

#[tokio::test]
async fn readers_are_counted_limited_and_let_go() {
    let world = world(HubOptions { readers: 1, ..HubOptions::default() });
    let reader = Reader::key(&world, "/v1/stream?customer=user:u1").await;
    assert_eq!(world.hub.subscribers(), 1);
    let told = world.get("/v1/stream").await;
    assert_eq!(told.problem().0, 503);
    assert!(told.headers.contains_key(header::RETRY_AFTER));
    drop(reader);
    assert_eq!(world.hub.subscribers(), 0);
    let mut reader = Reader::key(&world, "/v1/stream").await;
    reader.named("hello").await;
    world.hub.close();
    assert_eq!(reader.next().await, None);
    assert_eq!(world.get("/v1/stream").await.problem().0, 503);
}

#[tokio::test(start_paused = true)]
async fn the_status_comes_every_five_seconds_and_a_session_that_ended_ends_the_stream() {
    let world = world(HubOptions::default());
    world.fakes.end_session_after(2);
    let from = tokio::time::Instant::now();
    let mut reader = Reader::open(&world, "/v1/stream", &[("cookie", COOKIE)]).await;
    reader.named("hello").await;
    let status = reader.named("status").await;
    assert_eq!((status.1.as_str(), from.elapsed().as_secs()), (r#"{"behind_s":0.0}"#, 5));
    assert_eq!(reader.next().await, None);
    assert_eq!(from.elapsed().as_secs(), 10);
}

#[tokio::test(start_paused = true)]
async fn a_stream_outlives_a_database_that_cannot_be_asked() {
    let world = world(HubOptions::default());
    let mut reader = Reader::open(&world, "/v1/stream", &[("cookie", COOKIE)]).await;
    reader.named("hello").await;
    world.fakes.is_busy.store(true, Ordering::SeqCst);
    reader.named("status").await;
    world.fakes.is_busy.store(false, Ordering::SeqCst);
    world.fakes.end_session_after(0);
    assert_eq!(reader.next().await, None, "the session has ended");
}

#[tokio::test]
async fn the_way_from_the_door_to_the_push_is_measured() {
    let world = World::new();
    world.collect("/v1/page", r#"{"userId":"u1"}"#).await;
    let partition = rapport_types::partition_of(&rapport_types::CustomerId::User("u1".into()), 2);
    push(&world, partition.0, 0, Kind::Score, "user:u1");
    let text = world.get("/metrics").await.body;
    assert!(text.contains("rapport_push_seconds_count 1"), "{text}");
}
