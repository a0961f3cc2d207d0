//! The whole replay against a small server that applies at once: it scores every order by the customer's order count.

use std::{
    collections::{HashMap, HashSet},
    convert::Infallible,
    sync::atomic::{AtomicU64, Ordering},
};

use axum::{
    Json, Router,
    body::{Body, Bytes},
    extract::State,
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use parking_lot::Mutex;
use serde_json::{Value, json};
use tokio::{net::TcpListener, sync::mpsc, task::JoinHandle};

use super::*;
use crate::replay::source::{Synthetic, SyntheticPlan};

const PLAN: SyntheticPlan = SyntheticPlan { seed: 5, shoppers: 100, days: 365 };

#[derive(Default)]
struct Server {
    seen: Mutex<HashSet<String>>,
    last_time: Mutex<HashMap<String, String>>,
    orders: Mutex<HashMap<String, u64>>,
    readers: Mutex<Vec<mpsc::UnboundedSender<String>>>,
    accepted: AtomicU64,
    repeated: AtomicU64,
    requests: AtomicU64,
    model: AtomicU64,
    offset: AtomicU64,
    /// Effects of these events are kept back.
    silent: HashSet<String>,
    /// Somebody ends the training.
    is_cancelled: bool,
}

type Shared = State<Arc<Server>>;

impl Server {
    fn push(&self, kind: &str, mut effect: Value) {
        let offset = self.offset.fetch_add(1, Ordering::Relaxed);
        effect["kind"] = kind.into();
        let frame = format!("id: {offset}.0\nevent: {kind}\ndata: {effect}\n\n");
        self.readers.lock().retain(|reader| reader.send(frame.clone()).is_ok());
    }

    fn apply(&self, message: &Value) {
        let id = message["messageId"].as_str().unwrap();
        self.accepted.fetch_add(1, Ordering::Relaxed);
        if !self.seen.lock().insert(id.to_owned()) {
            self.repeated.fetch_add(1, Ordering::Relaxed);
            return;
        }
        let Some(user) = message["userId"].as_str() else {
            return self.push("profile", json!({"customer": "anon:x", "cause": id}));
        };
        let at = message["timestamp"].as_str().unwrap();
        let before = self.last_time.lock().insert(user.to_owned(), at.to_owned());
        assert!(before.is_none_or(|before| *before <= *at), "events of {user} are out of order");
        if self.silent.contains(id) {
            return;
        }
        let customer = format!("user:{user}");
        self.push("profile", json!({"customer": customer, "cause": id}));
        if message["event"] == "Order Completed" {
            let count = *self.orders.lock().entry(user.to_owned()).and_modify(|count| *count += 1).or_insert(1);
            let version = self.model.load(Ordering::Relaxed);
            if version > 0 {
                let score = json!({"name": SCORE, "value": count as f64, "model_version": version});
                self.push("score", json!({"customer": customer, "cause": id, "score": score}));
            }
        }
    }
}

async fn batch(State(server): Shared, headers: HeaderMap, Json(body): Json<Value>) -> Response {
    assert_eq!(headers["authorization"], "Basic dzo=");
    // Every seventh request is told to come again at once, half of them after all.
    match server.requests.fetch_add(1, Ordering::Relaxed) % 14 {
        6 => return (StatusCode::TOO_MANY_REQUESTS, [("retry-after", "0")]).into_response(),
        13 => {
            body["batch"].as_array().unwrap().iter().for_each(|message| server.apply(message));
            return (StatusCode::SERVICE_UNAVAILABLE, [("retry-after", "0")]).into_response();
        }
        _ => {}
    }
    body["batch"].as_array().unwrap().iter().for_each(|message| server.apply(message));
    Json(json!({"success": true})).into_response()
}

async fn stream(State(server): Shared) -> Response {
    let (sender, receiver) = mpsc::unbounded_channel();
    sender.send(": fake\nid: 0.0\nevent: hello\ndata: {}\n\n".to_owned()).unwrap();
    server.readers.lock().push(sender);
    let body = futures::stream::unfold(receiver, |mut receiver| async move {
        let text = receiver.recv().await?;
        Some((Ok::<_, Infallible>(Bytes::from(text)), receiver))
    });
    Body::from_stream(body).into_response()
}

async fn ledger(State(server): Shared) -> Json<Value> {
    let (accepted, repeated) = (server.accepted.load(Ordering::Relaxed), server.repeated.load(Ordering::Relaxed));
    let total = json!({"accepted": accepted, "applied": accepted - repeated, "deduplicated": repeated,
        "dead_lettered": 0, "erased": 0, "pending": 0});
    Json(json!({"sources": [], "total": total}))
}

async fn models(State(server): Shared) -> Json<Value> {
    let active = server.model.load(Ordering::Relaxed) == 4;
    let model = json!({"score": SCORE, "version": 4, "active": active, "rows": 9, "metrics": {"auc": 0.5}});
    Json(json!({"models": [model]}))
}

async fn start(server: Arc<Server>) -> (Endpoint, JoinHandle<()>) {
    let router = Router::new()
        .route("/v1/batch", post(batch))
        .route("/v1/stream", get(stream))
        .route("/v1/ledger", get(ledger))
        .route("/v1/about", get(async || Json(json!({}))))
        .route("/healthz", get(async || Json(json!({"partitions": [{"next": 1, "end": 1, "stopped": null}]}))))
        .route("/v1/models", get(models))
        .route("/v1/models/train", post(async || Json(json!({"job": "1"}))))
        .route("/v1/models/jobs/1", get(job))
        .route(
            "/v1/models/repeat_purchase/4/activate",
            post(async |State(server): Shared| {
                server.model.store(4, Ordering::Relaxed);
                Json(json!({}))
            }),
        )
        .with_state(server);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = Endpoint::parse(&format!("http://{}", listener.local_addr().unwrap())).unwrap();
    let serving = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    (endpoint, serving)
}

async fn job(State(server): Shared) -> Json<Value> {
    let (state, version) = if server.is_cancelled { ("cancelled", None) } else { ("done", Some(4)) };
    let best = json!({"algorithm": "logistic_regression", "metric": "log_loss", "value": 0.5});
    Json(json!({
        "id": "1", "score": SCORE, "started_at": "2026-01-01T00:00:00.000Z", "state": state, "progress": 1,
        "step": "ended", "best": best, "trials": 1, "version": version, "error": null,
    }))
}

async fn replay(server: Server, plan: Plan) -> Played {
    try_replay(server, plan).await.unwrap()
}

async fn try_replay(server: Server, plan: Plan) -> Result<Played, ReplayError> {
    let (endpoint, serving) = start(Arc::new(server)).await;
    let keys = Keys { write_key: "w".to_owned(), api_key: "a".to_owned() };
    let progress = Progress::hidden();
    let mut player = Player::open(&endpoint, &keys, &progress).await.unwrap();
    let outcome = player.play(&mut Synthetic::new(PLAN), &plan).await;
    serving.abort();
    outcome
}

const FAST: Plan = Plan { speed: Speed::Max, train_until: None, limit: None };

#[tokio::test(flavor = "multi_thread")]
async fn a_year_is_played_trained_and_judged() {
    let played = replay(Server::default(), FAST).await;
    let messages = Synthetic::new(PLAN).count() as u64;
    assert_eq!((played.events, played.counts.accepted, played.counts.pushed), (messages, messages, messages));
    assert!(played.ledger.balances());
    assert_eq!(played.ledger.applied, messages);
    assert!(played.ledger.deduplicated > 0, "a request that was kept and refused is sent again");
    assert!(played.counts.retries > 0);
    let model = played.model.unwrap();
    assert_eq!((model.version, model.rows, &model.metrics["auc"]), (4, 9, &json!(0.5)));
    assert!(played.verdict.judged > 50, "{:?}", played.verdict);
    assert_eq!(played.verdict.without_score, 0);
    assert!(played.verdict.live_auc.unwrap() > 0.5, "who orders more comes back more: {:?}", played.verdict);
    assert!(played.sent_to_push.unwrap().p50 > 0.0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_training_that_somebody_ends_ends_the_replay() {
    let server = Server { is_cancelled: true, ..Server::default() };
    let error = try_replay(server, FAST).await.err().unwrap().to_string();
    assert!(error.contains("somebody ended it"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn effects_that_do_not_come_are_noticed() {
    let silent: Vec<String> = Synthetic::new(PLAN)
        .map(Result::unwrap)
        .filter(|message| message.is_order)
        .map(|m| m.id.into())
        .take(2)
        .collect();
    let server = Server { silent: silent.into_iter().collect(), ..Server::default() };
    let played = replay(server, Plan { limit: Some(1_500), ..FAST }).await;
    assert_eq!((played.ledger.applied, played.counts.pushed), (1_500, 1_498));
    assert!(played.model.is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn at_a_speed_events_come_when_they_are_due() {
    let first = Synthetic::new(PLAN).next().unwrap().unwrap().at;
    let last = Synthetic::new(PLAN).nth(299).unwrap().unwrap().at;
    let wanted = 0.3;
    let times = last.since(first).0 as f64 / 1e3 / wanted;
    let plan = Plan { speed: Speed::Times(times), limit: Some(300), ..FAST };
    let played = replay(Server::default(), plan).await;
    assert!(played.seconds >= wanted, "{} s", played.seconds);
}

#[tokio::test]
async fn a_server_that_is_not_there_is_told_at_once() {
    let endpoint = Endpoint::parse("http://127.0.0.1:1").unwrap();
    let keys = Keys { write_key: "w".to_owned(), api_key: "a".to_owned() };
    let progress = Progress::hidden();
    let error = Player::open(&endpoint, &keys, &progress).await.err().unwrap().to_string();
    assert!(error.contains("cannot reach http://127.0.0.1:1") && error.contains("rapport serve"), "{error}");
}
