//! The calls of the operator's API that a replay makes: ledger, health, training, activation.

use std::time::{Duration, Instant};

use bytes::Bytes;
use hyper::Method;
use rapport_types::Timestamp;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::{Map, Value, json};

use super::{client::Client, error::ReplayError};

/// The score that the replay trains and judges.
pub(super) const SCORE: &str = "repeat_purchase";

/// A training reads the whole log; this is far beyond what the largest file needs.
const TRAINING_PATIENCE: Duration = Duration::from_mins(15);
const ACTIVATION_PATIENCE: Duration = Duration::from_mins(1);
/// Between two looks at a job or a model: often enough for a bar that moves, seldom enough to cost nothing.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// What became of events, in all sources together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(super) struct Ledger {
    pub(super) accepted: u64,
    pub(super) applied: u64,
    pub(super) deduplicated: u64,
    pub(super) dead_lettered: u64,
    pub(super) erased: u64,
}

impl Ledger {
    /// What came since `earlier`.
    pub(super) fn since(self, earlier: Self) -> Self {
        Self {
            accepted: self.accepted.saturating_sub(earlier.accepted),
            applied: self.applied.saturating_sub(earlier.applied),
            deduplicated: self.deduplicated.saturating_sub(earlier.deduplicated),
            dead_lettered: self.dead_lettered.saturating_sub(earlier.dead_lettered),
            erased: self.erased.saturating_sub(earlier.erased),
        }
    }

    pub(super) fn balances(self) -> bool {
        self.accepted == self.applied + self.deduplicated + self.dead_lettered + self.erased
    }
}

/// The model that was trained in the replay.
#[derive(Debug, Clone, Serialize)]
pub(super) struct TrainedModel {
    pub(super) score: &'static str,
    pub(super) version: u32,
    /// Orders before this instant were learnt from.
    pub(super) trained_until: Timestamp,
    pub(super) rows: u64,
    pub(super) training_seconds: f64,
    /// The model's own evaluation: `auc`, `log_loss` and others.
    #[serde(flatten)]
    pub(super) metrics: Map<String, Value>,
}

#[derive(Deserialize)]
struct LedgerAnswer {
    total: Ledger,
}

#[derive(Deserialize)]
struct HealthAnswer {
    partitions: Vec<PartitionAnswer>,
}

#[derive(Deserialize)]
struct PartitionAnswer {
    next: u64,
    end: u64,
    stopped: Option<String>,
}

#[derive(Deserialize)]
struct JobStarted {
    job: String,
}

#[derive(Deserialize)]
struct Job {
    state: String,
    #[serde(default)]
    progress: f64,
    version: Option<u32>,
    error: Option<String>,
}

#[derive(Deserialize)]
struct ModelsAnswer {
    models: Vec<ModelAnswer>,
}

#[derive(Deserialize)]
struct ModelAnswer {
    score: String,
    version: u32,
    active: bool,
    #[serde(default)]
    metrics: Map<String, Value>,
    #[serde(default)]
    rows: u64,
}

/// The operator's API over one connection.
pub(super) struct Api {
    client: Client,
}

impl Api {
    pub(super) fn new(client: Client) -> Self {
        Self { client }
    }

    async fn call<T: DeserializeOwned>(&mut self, method: Method, path: &str, body: Bytes) -> Result<T, ReplayError> {
        // What starts a work must not be repeated blindly; what only reads may.
        let answer = if method == Method::GET {
            self.client.persist(method, path, body, || ()).await?
        } else {
            self.client.send(method, path, body).await?
        };
        if !(200..300).contains(&answer.status) {
            return Err(ReplayError::Refused { what: path.to_owned(), status: answer.status, detail: answer.detail() });
        }
        let unknown = |error: serde_json::Error| ReplayError::Answer { what: path.to_owned(), why: error.to_string() };
        serde_json::from_slice(&answer.body).map_err(unknown)
    }

    /// Checks at once, without patience, that the server is there and takes the key.
    pub(super) async fn greet(&mut self) -> Result<(), ReplayError> {
        let answer = self.client.send(Method::GET, "/v1/about", Bytes::new()).await?;
        if answer.status == 200 {
            return Ok(());
        }
        let what = "/v1/about".to_owned();
        Err(ReplayError::Refused { what, status: answer.status, detail: answer.detail() })
    }

    pub(super) async fn ledger(&mut self) -> Result<Ledger, ReplayError> {
        Ok(self.call::<LedgerAnswer>(Method::GET, "/v1/ledger", Bytes::new()).await?.total)
    }

    /// Whether everything in the log was applied. A partition that stopped is an error.
    pub(super) async fn is_caught_up(&mut self) -> Result<bool, ReplayError> {
        let health: HealthAnswer = self.call(Method::GET, "/healthz", Bytes::new()).await?;
        if let Some(why) = health.partitions.iter().find_map(|partition| partition.stopped.as_deref()) {
            let what = "applying events".to_owned();
            return Err(ReplayError::Refused { what, status: 500, detail: why.to_owned() });
        }
        Ok(health.partitions.iter().all(|partition| partition.next == partition.end))
    }

    /// Trains on everything before `until` and waits for it; `progress` hears how far it is. The answer is the version.
    pub(super) async fn train(&mut self, until: Timestamp, mut progress: impl FnMut(f64)) -> Result<u32, ReplayError> {
        let request = json!({"score": SCORE, "until": until}).to_string();
        let started: JobStarted = self.call(Method::POST, "/v1/models/train", request.into()).await?;
        let path = format!("/v1/models/jobs/{}", started.job);
        let begun = Instant::now();
        while begun.elapsed() < TRAINING_PATIENCE {
            let job: Job = self.call(Method::GET, &path, Bytes::new()).await?;
            match (&*job.state, job.version) {
                ("done", Some(version)) => return Ok(version),
                ("done", None) => {
                    return Err(ReplayError::Answer { what: path, why: "done, but without a version".to_owned() });
                }
                ("failed", _) => {
                    return Err(ReplayError::Training(job.error.unwrap_or_else(|| "no reason was given".to_owned())));
                }
                ("cancelled", _) => return Err(ReplayError::Training("somebody ended it".to_owned())),
                _ => progress(job.progress),
            }
            // A job is asked for how far it is; the stream tells of customers only.
            tokio::time::sleep(LOOK_EVERY).await;
        }
        let seconds = TRAINING_PATIENCE.as_secs();
        Err(ReplayError::Late { what: "the training".to_owned(), seconds, hint: "the server's log may say why" })
    }

    /// Puts a version into service unless it is there already, and waits until every partition has it.
    pub(super) async fn activate(&mut self, version: u32) -> Result<(Map<String, Value>, u64), ReplayError> {
        let begun = Instant::now();
        let mut asked = false;
        while begun.elapsed() < ACTIVATION_PATIENCE {
            let models: ModelsAnswer = self.call(Method::GET, "/v1/models", Bytes::new()).await?;
            let ours = models.models.into_iter().find(|model| model.score == SCORE && model.version == version);
            match ours {
                None => {
                    let why = format!("version {version} of {SCORE} is not in the list");
                    return Err(ReplayError::Answer { what: "/v1/models".to_owned(), why });
                }
                Some(model) if model.active => {
                    if self.is_caught_up().await? {
                        return Ok((model.metrics, model.rows));
                    }
                }
                Some(_) if !asked => {
                    asked = true;
                    let path = format!("/v1/models/{SCORE}/{version}/activate");
                    let _: Value = self.call(Method::POST, &path, Bytes::new()).await?;
                }
                Some(_) => {}
            }
            // Nothing tells when all partitions have come to it.
            tokio::time::sleep(LOOK_EVERY).await;
        }
        let seconds = ACTIVATION_PATIENCE.as_secs();
        Err(ReplayError::Late { what: "the activation".to_owned(), seconds, hint: "the server's log may say why" })
    }
}
