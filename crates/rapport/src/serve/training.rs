//! Training while the server runs: one job at a time on a thread of its own, results in the registry, activation through the
//! log.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use parking_lot::{Mutex, RwLock};
use rapport_decide::{Definitions, ScoreDefinition};
use rapport_engine::Reader;
use rapport_learn::{Task, train, training_set};
use rapport_profile::FeatureSet;
use rapport_server::{
    api::{Calibration, Job, JobState, Model, TimeRange, TrainRequest},
    ports::{Refusal, Training},
    system_time,
};
use rapport_store::{ModelRecord, NewModel, SqliteStore, StoreError};
use rapport_stream::Log;
use rapport_types::{Activation, Entry, Object, Timestamp};

use super::access::internal;
use crate::{cli::Failure, data::append_to_all};

/// How many finished jobs are remembered.
const JOBS_KEPT: usize = 100;

/// How well each model's probabilities hold, by score and version.
#[derive(Debug, Default)]
pub(super) struct CalibrationBook {
    by_model: HashMap<(String, u32), Calibration>,
}

impl CalibrationBook {
    /// Reads the registry.
    pub(super) fn read(store: &SqliteStore) -> Result<Self, StoreError> {
        let mut book = Self::default();
        for model in store.models()? {
            book.note(&model);
        }
        Ok(book)
    }

    fn note(&mut self, model: &ModelRecord) {
        let metrics: BTreeMap<String, f64> = serde_json::from_str(&model.metrics).unwrap_or_default();
        if let (Some(ece), Some(base_rate)) = (metrics.get("ece"), metrics.get("base_rate")) {
            let calibration = Calibration { ece: *ece, base_rate: *base_rate };
            self.by_model.insert((model.score.clone(), model.version), calibration);
        }
    }

    /// The calibration of a model.
    pub(super) fn of(&self, score: &str, version: u32) -> Option<Calibration> {
        // A key to look up by needs an owned name; there are few models, so a walk is as good.
        self.by_model.iter().find(|((name, known), _)| *known == version && name == score).map(|(_, found)| *found)
    }
}

/// Implements the server's port.
#[derive(Clone)]
pub(super) struct Trainer {
    pub(super) log: Arc<dyn Log>,
    pub(super) store: Arc<SqliteStore>,
    pub(super) reader: Reader,
    pub(super) calibrations: Arc<RwLock<CalibrationBook>>,
    pub(super) jobs: Arc<Mutex<Jobs>>,
}

/// Jobs by their number.
#[derive(Debug, Default)]
pub(super) struct Jobs {
    next: u64,
    known: BTreeMap<u64, Job>,
}

impl Trainer {
    fn definitions(&self) -> Result<Definitions, Refusal> {
        let (_, document) = self.reader.definitions().ok_or_else(|| {
            Refusal::Unavailable("the definitions are not applied yet; try again in a moment".to_owned())
        })?;
        Definitions::from_json(&document).map_err(|mistake| internal(&mistake))
    }

    fn update(&self, id: u64, change: impl FnOnce(&mut Job)) {
        if let Some(job) = self.jobs.lock().known.get_mut(&id) {
            change(job);
        }
    }

    /// Trains and registers a model; its version.
    fn work(
        &self,
        id: u64,
        definitions: &Definitions,
        score: &ScoreDefinition,
        until: Option<Timestamp>,
    ) -> Result<u32, Failure> {
        let features = FeatureSet::compile(&definitions.features)
            .map_err(|mistakes| mistakes.first().map(ToString::to_string).unwrap_or_default())?;
        let task = Task::new(score, until)?;
        let progress = |share: f64| self.update(id, |job| job.progress = job.progress.max(share * 0.9));
        let set = training_set(&*self.log, &features, &task, &progress)?;
        let trained = train(&set, score.within, &score.baseline)?;
        let metrics = serde_json::to_string(&trained.artifact.metrics)?;
        let version = self.store.add_model(&NewModel {
            score: &score.name,
            created_at: system_time(),
            artifact: &trained.artifact.to_json(),
            metrics: &metrics,
            rows: trained.rows,
            range: Some(trained.range),
        })?;
        *self.calibrations.write() = CalibrationBook::read(&self.store)?;
        tracing::info!(score = %score.name, version, rows = trained.rows, %metrics, "model trained");
        Ok(version)
    }

    fn run(&self, id: u64, definitions: &Definitions, score: &ScoreDefinition, until: Option<Timestamp>) {
        let work = std::panic::AssertUnwindSafe(|| self.work(id, definitions, score, until));
        let outcome = std::panic::catch_unwind(work).unwrap_or_else(|_| Err("the training met a bug".into()));
        self.update(id, |job| match outcome {
            Ok(version) => (job.state, job.progress, job.version) = (JobState::Done, 1.0, Some(version)),
            Err(error) => (job.state, job.error) = (JobState::Failed, Some(error.to_string())),
        });
    }
}

impl Training for Trainer {
    fn start(&self, request: &TrainRequest) -> Result<String, Refusal> {
        let definitions = self.definitions()?;
        let score = definitions.scores.iter().find(|score| *score.name == *request.score).cloned();
        let score = score.ok_or_else(|| Refusal::Invalid {
            field: "score".to_owned(),
            what: format!("there is no declared score \"{}\"", request.score),
        })?;
        let id = {
            let mut jobs = self.jobs.lock();
            if jobs.known.values().any(|job| job.state == JobState::Running) {
                return Err(Refusal::Conflict("a training is under way; wait for it to end".to_owned()));
            }
            jobs.next += 1;
            let id = jobs.next;
            let job = Job { state: JobState::Running, progress: 0.0, version: None, error: None };
            jobs.known.insert(id, job);
            while jobs.known.len() > JOBS_KEPT {
                jobs.known.pop_first();
            }
            id
        };
        let (trainer, until) = (self.clone(), request.until);
        let run = move || trainer.run(id, &definitions, &score, until);
        std::thread::Builder::new().name("training".to_owned()).spawn(run).map_err(|error| internal(&error))?;
        Ok(id.to_string())
    }

    fn job(&self, id: &str) -> Option<Job> {
        self.jobs.lock().known.get(&id.parse().ok()?).cloned()
    }

    fn models(&self) -> Result<Vec<Model>, Refusal> {
        let models = self.store.models().map_err(|error| internal(&error))?;
        let shown = |model: ModelRecord| Model {
            active: self.reader.champion(&model.score) == Some(model.version),
            score: model.score,
            version: model.version,
            created_at: model.created_at,
            metrics: serde_json::from_str::<Object>(&model.metrics).unwrap_or_default(),
            rows: model.rows,
            training_range: model.range.map(|(from, to)| TimeRange { from, to }),
        };
        Ok(models.into_iter().map(shown).collect())
    }

    fn activate(&self, score: &str, version: u32) -> Result<(), Refusal> {
        let artifact = self.store.artifact(score, version).map_err(|error| internal(&error))?;
        let artifact = artifact
            .ok_or_else(|| Refusal::NotFound(format!("there is no model {version} of the score \"{score}\"")))?;
        let definitions = self.definitions()?;
        let activation =
            Activation { score: score.into(), version: Some(version), artifact: artifact.into(), at: system_time() };
        // What the engine would refuse is refused here, before it enters the log.
        let mut decider =
            rapport_decide::Decider::compile(1, &definitions.to_json()).map_err(|mistakes| internal(&mistakes[0]))?;
        decider.activate(&activation).map_err(|error| Refusal::Conflict(error.to_string()))?;
        append_to_all(&*self.log, &Entry::Activation(activation)).map_err(|error| log_refusal(&error))
    }
}

/// What a caller is told of a failure of the log.
pub(super) fn log_refusal(error: &rapport_stream::LogError) -> Refusal {
    match error.retry() {
        rapport_stream::Retry::Later => Refusal::Unavailable(error.to_string()),
        rapport_stream::Retry::Never => internal(error),
    }
}
