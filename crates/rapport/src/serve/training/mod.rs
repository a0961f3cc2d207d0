//! Models while the server runs: trained one at a time on a thread of its own, registered in the store, put into service
//! and on trial through the log. Models that go on learning in service do so in the engine.
//!
//! - `jobs`: trainings under way, told to whoever watches.
//! - `learner`: the one place that knows how a model is learnt, read and written.
//! - `registry`, `life`: models as the API tells of them, and what becomes of them.
//! - `monitor`, `measured`, `answers`: how models do on the newest history, measured once for all who ask.
//! - `schedule`, `promotion`, `compare`: training again by itself, and what becomes of the new model.

mod answers;
mod calibration;
mod compare;
mod jobs;
mod learner;
mod life;
mod measured;
mod monitor;
mod promotion;
mod registry;
mod schedule;
#[cfg(test)]
mod tests;

use std::{ops::ControlFlow, panic::AssertUnwindSafe, sync::Arc};

use parking_lot::RwLock;
use rapport_decide::{Definitions, Promotion, ScoreDefinition};
use rapport_engine::Reader;
use rapport_learn::{LearnError, Task, training_set};
use rapport_ml::MlError;
use rapport_profile::FeatureSet;
use rapport_server::{
    api::{ChallengeRequest, Imported, Job, JobStep, Model, ModelDetail, Monitoring, RolledBack, TrainRequest},
    ports::{ModelForm, Refusal, Training},
};
use rapport_store::{ModelOrigin, SqliteStore};
use rapport_stream::Log;
use rapport_types::Timestamp;
use tokio::sync::watch;

use self::jobs::Work;
pub(super) use self::{calibration::CalibrationBook, jobs::Jobs, measured::Measurements, schedule::Scheduler};
use super::access::internal;
use crate::cli::Failure;

/// The share of a training's progress that the replay is.
const REPLAY_SHARE: f64 = 0.6;

/// Implements the server's port; copies share everything.
#[derive(Clone)]
pub(super) struct Trainer {
    pub(super) log: Arc<dyn Log>,
    pub(super) store: Arc<SqliteStore>,
    pub(super) reader: Reader,
    pub(super) calibrations: Arc<RwLock<CalibrationBook>>,
    pub(super) jobs: Arc<Jobs>,
    pub(super) measurements: Arc<Measurements>,
    /// The time of the machine.
    pub(super) clock: fn() -> Timestamp,
}

/// Why a model is trained.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Purpose {
    /// Somebody asked for it and says what becomes of it.
    Asked,
    /// By itself; this is what becomes of it.
    Again(Promotion),
}

impl Trainer {
    fn definitions(&self) -> Result<Definitions, Refusal> {
        let (_, document) = self.reader.definitions().ok_or_else(|| {
            Refusal::Unavailable("the definitions are not applied yet; try again in a moment".to_owned())
        })?;
        Definitions::from_json(&document).map_err(|mistake| internal(&mistake))
    }

    /// Starts a training; the job's id.
    fn begin(&self, request: &TrainRequest, purpose: Purpose) -> Result<String, Refusal> {
        let definitions = self.definitions()?;
        let score = definitions.scores.iter().find(|score| *score.name == *request.score).cloned();
        let score = score.ok_or_else(|| Refusal::Invalid {
            field: "score".to_owned(),
            what: format!("there is no declared score \"{}\"", request.score),
        })?;
        learner::check(request)?;
        let work = Arc::new(self.jobs.begin(&score.name, (self.clock)())?);
        let id = work.id();
        let (trainer, request, own) = (self.clone(), request.clone(), Arc::clone(&work));
        let run = move || trainer.run(&own, &definitions, &score, &request, purpose);
        if let Err(error) = std::thread::Builder::new().name("training".to_owned()).spawn(run) {
            work.end(Err(error.to_string()));
            return Err(internal(&error));
        }
        Ok(id)
    }

    fn run(
        &self,
        work: &Work,
        definitions: &Definitions,
        score: &ScoreDefinition,
        request: &TrainRequest,
        purpose: Purpose,
    ) {
        let all = AssertUnwindSafe(|| self.work(work, definitions, score, request, purpose));
        let outcome = std::panic::catch_unwind(all).unwrap_or_else(|_| Err("the training met a bug".into()));
        if let Err(error) = &outcome {
            tracing::warn!(score = %score.name, %error, "no model was trained");
        }
        work.end(outcome.map_err(|error| error.to_string()));
    }

    /// Trains and registers a model; its version, or none if somebody wanted it to end before there was one.
    fn work(
        &self,
        work: &Work,
        definitions: &Definitions,
        score: &ScoreDefinition,
        request: &TrainRequest,
        purpose: Purpose,
    ) -> Result<Option<u32>, Failure> {
        let features = FeatureSet::compile(&definitions.features)
            .map_err(|mistakes| mistakes.first().map(ToString::to_string).unwrap_or_default())?;
        let task = Task::new(score, request.until)?;
        let progress = |share| {
            work.progress(share * REPLAY_SHARE);
            if work.is_cancelled() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        };
        let set = match training_set(&*self.log, &features, &task, &progress) {
            Err(LearnError::Ml(MlError::Stopped)) => return Ok(None),
            set => set?,
        };
        work.step(JobStep::Fitting);
        let Some(fitted) = learner::fit(&set, score, request, work)? else { return Ok(None) };
        work.step(JobStep::Evaluating);
        let origin = if purpose == Purpose::Asked { ModelOrigin::Trained } else { ModelOrigin::Retrained };
        let version = self.register(&score.name, &fitted, origin)?;
        // Who ends a training wants to look at what it found.
        if let Purpose::Again(then) = purpose
            && !work.is_cancelled()
        {
            self.promote(work, score, request, version, then, &set);
        }
        Ok(Some(version))
    }
}

impl Training for Trainer {
    fn start(&self, request: &TrainRequest) -> Result<String, Refusal> {
        self.begin(request, Purpose::Asked)
    }

    fn job(&self, id: &str) -> Option<watch::Receiver<Job>> {
        self.jobs.watch(id)
    }

    fn jobs(&self) -> Vec<Job> {
        self.jobs.list()
    }

    fn cancel(&self, id: &str) -> Result<(), Refusal> {
        self.jobs.cancel(id)
    }

    fn models(&self) -> Result<Vec<Model>, Refusal> {
        self.list()
    }

    fn model(&self, score: &str, version: u32) -> Result<Option<ModelDetail>, Refusal> {
        self.detail(score, version)
    }

    fn document(&self, score: &str, version: u32, form: ModelForm) -> Result<Option<Vec<u8>>, Refusal> {
        self.document_of(score, version, form)
    }

    fn import(&self, score: &str, bytes: &[u8], inputs: &[String]) -> Result<Imported, Refusal> {
        self.take_in(score, bytes, inputs)
    }

    fn activate(&self, score: &str, version: u32) -> Result<(), Refusal> {
        self.put_into_service(score, version)
    }

    fn rollback(&self, score: &str, in_service: Option<u32>) -> Result<RolledBack, Refusal> {
        self.roll_back(score, in_service)
    }

    fn challenge(&self, score: &str, version: u32, request: &ChallengeRequest) -> Result<(), Refusal> {
        self.put_on_trial(score, version, request)
    }

    fn end_trial(&self, score: &str) -> Result<(), Refusal> {
        self.take_off_trial(score)
    }

    fn monitor(&self, score: &str) -> Result<Monitoring, Refusal> {
        self.watched(score)
    }
}

/// What a caller is told of a failure of the log.
pub(super) fn log_refusal(error: &rapport_stream::LogError) -> Refusal {
    match error.retry() {
        rapport_stream::Retry::Later => Refusal::Unavailable(error.to_string()),
        rapport_stream::Retry::Never => internal(error),
    }
}
