//! Models and trainings over HTTP: documents about models, their life, and jobs that are watched and ended.

#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

mod common;

use axum::{
    body::Body,
    http::{Request, StatusCode, header},
};
use common::{BEARER, COOKIE, World, models};
use futures::StreamExt as _;
use rapport_server::api::{JobState, JobStep};
use tower::ServiceExt as _;

#[tokio::test]
async fn models_are_told_with_their_life_and_one_with_its_card() {
    let world = World::new();
    let list = world.get("/v1/models").await.json();
    let of = |place: usize, name: &str| list["models"][place][name].clone();
    assert_eq!((of(0, "version"), of(0, "active"), of(0, "origin")), (2.into(), false.into(), "trained".into()));
    assert_eq!(
        of(0, "trial"),
        serde_json::json!({"mode": "canary", "percent": 10, "since": "2023-11-14T22:13:20.000Z"})
    );
    assert_eq!((of(1, "active"), of(1, "trial")), (true.into(), serde_json::Value::Null));
    let one = world.get("/v1/models/repeat_purchase/1").await.json();
    assert_eq!((&one["algorithm"], &one["card"]["inputs"][0]), (&"logistic_regression".into(), &"orders_30d".into()));
}

#[tokio::test]
async fn documents_are_files_and_pages_that_load_nothing() {
    let world = World::new();
    for (form, body, name) in
        [("artifact", "artifact", "repeat_purchase-1.model"), ("onnx", "onnx", "repeat_purchase-1.onnx")]
    {
        let told = world.get(&format!("/v1/models/repeat_purchase/1/{form}")).await;
        assert_eq!((told.status, &*told.body), (StatusCode::OK, body));
        assert_eq!(told.headers[header::CONTENT_TYPE], "application/octet-stream");
        assert_eq!(told.headers[header::CONTENT_DISPOSITION], format!("attachment; filename=\"{name}\""));
    }
    for (query, body) in [("", "<p>good</p>"), ("?lang=en", "<p>good</p>"), ("?lang=zh", "<p>好</p>")] {
        let told = world.get(&format!("/v1/models/repeat_purchase/1/report{query}")).await;
        assert_eq!((told.status, &*told.body), (StatusCode::OK, body), "{query}");
        assert_eq!(told.headers[header::CONTENT_TYPE], "text/html; charset=utf-8");
        let policy = told.headers[header::CONTENT_SECURITY_POLICY].to_str().unwrap();
        assert!(policy.starts_with("default-src 'none'") && !policy.contains("script-src"), "{policy}");
    }
}

#[tokio::test]
async fn the_life_of_a_model_is_answered_with_what_is_on_its_way() {
    let world = World::new();
    let told = world.with_json("POST", "/v1/models/repeat_purchase/import", "onnx").await;
    let imported = serde_json::json!({"score": "repeat_purchase", "version": 3, "inputs": ["orders_30d"]});
    assert_eq!((told.status, told.json()), (StatusCode::CREATED, imported));
    for (method, path, body, version) in [
        ("POST", "2/activate", "", serde_json::json!(2)),
        ("POST", "2/challenge", r#"{"mode":"shadow"}"#, serde_json::json!(2)),
        ("POST", "2/challenge", r#"{"mode":"canary"}"#, serde_json::json!(2)),
        ("POST", "2/challenge", r#"{"mode":"canary","percent":99}"#, serde_json::json!(2)),
        ("DELETE", "challenger", "", serde_json::Value::Null),
    ] {
        let told = world.with_json(method, &format!("/v1/models/repeat_purchase/{path}"), body).await;
        assert_eq!(told.status, StatusCode::ACCEPTED, "{path}: {}", told.body);
        assert_eq!(told.json(), serde_json::json!({"score": "repeat_purchase", "version": version}), "{path}");
    }
    let told = world.with_json("POST", "/v1/models/repeat_purchase/rollback", "").await;
    let back = serde_json::json!({"score": "repeat_purchase", "version": 1, "on_trial": 2});
    assert_eq!((told.status, told.json()), (StatusCode::ACCEPTED, back));
    let told = world.get("/v1/models/repeat_purchase/monitor").await.json();
    assert_eq!((&told["champion"]["version"], &told["comparison"]["better"]), (&1.into(), &"open".into()));
    assert_eq!(told["champion"]["weeks"][0]["auc"], serde_json::Value::Null, "what is not known is told as such");
}

#[tokio::test]
async fn an_import_has_a_limit() {
    let world = World::new();
    let request = Request::post("/v1/models/repeat_purchase/import").header(header::AUTHORIZATION, BEARER);
    let request = request.header(header::CONTENT_LENGTH, 64 * 1024 * 1024 + 1).body(Body::empty()).unwrap();
    assert_eq!(world.send(request).await.problem().0, 413);
    let large = "x".repeat(2 * 1024 * 1024);
    let told = world.with_json("POST", "/v1/models/repeat_purchase/import", &large).await;
    assert_eq!(told.problem(), (422, "invalid_field".into(), "body".into()), "it may be larger than other bodies");
}

/// The stream of job 1.
async fn watch(world: &World, name: &str, credential: &str) -> axum::body::BodyDataStream {
    let request = Request::get("/v1/models/jobs/job-1/events").header(name, credential).body(Body::empty()).unwrap();
    let response = world.app.clone().oneshot(request).await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(response.headers()[header::CONTENT_TYPE], "text/event-stream");
    response.into_body().into_data_stream()
}

async fn next(stream: &mut axum::body::BodyDataStream) -> Option<String> {
    let chunk = stream.next().await?.unwrap();
    Some(String::from_utf8(chunk.to_vec()).unwrap())
}

fn job(text: &str) -> serde_json::Value {
    serde_json::from_str(text.strip_prefix("event: job\ndata: ").unwrap().strip_suffix("\n\n").unwrap()).unwrap()
}

#[tokio::test]
async fn a_job_is_watched_from_where_it_is_until_it_ends() {
    let world = World::new();
    let mut stream = watch(&world, "authorization", BEARER).await;
    let told = job(&next(&mut stream).await.unwrap());
    assert_eq!(
        (&told["state"], &told["progress"], &told["best"]),
        (&"running".into(), &0.5.into(), &serde_json::Value::Null)
    );
    world.fakes.tell(|job| (job.best, job.trials) = (Some(models::best()), 1));
    world.fakes.tell(|job| job.trials = 2);
    let told = job(&next(&mut stream).await.unwrap());
    assert_eq!((&told["best"]["algorithm"], &told["trials"]), (&"gradient_boosting".into(), &2.into()), "told as one");
    world.fakes.tell(|job| (job.state, job.step, job.version) = (JobState::Done, JobStep::Ended, Some(3)));
    let told = job(&next(&mut stream).await.unwrap());
    assert_eq!((&told["state"], &told["version"]), (&"done".into(), &3.into()));
    assert_eq!(next(&mut stream).await, None);
    let mut late = watch(&world, "authorization", BEARER).await;
    assert_eq!(job(&next(&mut late).await.unwrap())["state"], "done", "who comes late hears how it ended");
    assert_eq!(next(&mut late).await, None);
}

#[tokio::test]
async fn a_cancelled_job_ends_its_stream() {
    let world = World::new();
    let mut stream = watch(&world, "authorization", BEARER).await;
    next(&mut stream).await.unwrap();
    let told = world.with_json("DELETE", "/v1/models/jobs/job-1", "").await;
    assert_eq!((told.status, told.json()), (StatusCode::ACCEPTED, serde_json::json!({"job": "job-1"})));
    assert_eq!(job(&next(&mut stream).await.unwrap())["state"], "cancelled");
    assert_eq!(next(&mut stream).await, None);
    assert_eq!(world.get("/v1/models/jobs/job-1").await.json()["state"], "cancelled");
}

#[tokio::test]
async fn a_stop_ends_the_streams_of_jobs() {
    let world = World::new();
    let mut stream = watch(&world, "authorization", BEARER).await;
    next(&mut stream).await.unwrap();
    world.fakes.forget_job();
    assert_eq!(next(&mut stream).await, None);
}

#[tokio::test(start_paused = true)]
async fn a_quiet_job_keeps_its_stream_as_long_as_the_session_lasts() {
    let world = World::new();
    // One look opens the stream, two beats look again.
    world.fakes.end_session_after(3);
    let mut stream = watch(&world, "cookie", COOKIE).await;
    next(&mut stream).await.unwrap();
    let beat = Some(": at work\n\n".to_owned());
    assert_eq!((next(&mut stream).await, next(&mut stream).await), (beat.clone(), beat));
    assert_eq!(next(&mut stream).await, None);
}
