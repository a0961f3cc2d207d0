//! The one place that knows how models are learnt, read and written. Everything else of the room sees bytes, names and
//! figures.

use std::{collections::BTreeMap, time::Instant};

use rapport_decide::ScoreDefinition;
use rapport_learn::{
    Data, Effort, LearnError, Progress, Step, Threads, TrainOptions, TrainingSet, Watch,
    report::{self, ReportData},
    train,
};
use rapport_ml::{
    Algorithm, Artifact, Card, Fitted as Algorithms, Imported, InputFact, Member, MlError, Model, References, Task,
    pipeline::Pipeline,
};
use rapport_server::{
    api::{BestSoFar, JobStep, TrainRequest},
    ports::{Language, ModelForm, Refusal},
};
use rapport_types::{Object, Timestamp};

use super::{REPLAY_SHARE, jobs::Work};
use crate::serve::access::internal;

/// What settings are compared by.
const METRIC: &str = "log_loss";
/// Looks for the best settings of all algorithms.
const AUTO: &str = "auto";
/// For how long to look if nothing is said.
const BUDGET_SECONDS: f64 = 60.0;
/// What all draws follow from if nothing is said.
const SEED: u64 = 1;

/// A model, ready for the registry.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Fitted {
    /// The artifact's bytes.
    pub(super) artifact: Vec<u8>,
    pub(super) algorithm: String,
    pub(super) metrics: BTreeMap<String, f64>,
    /// Labelled moments.
    pub(super) rows: u64,
    /// The first and the last of them.
    pub(super) range: Option<(Timestamp, Timestamp)>,
    pub(super) inputs: Vec<String>,
}

/// Refuses what no learner can do.
pub(super) fn check(request: &TrainRequest) -> Result<(), Refusal> {
    let Some(name) = request.algorithm.as_deref().filter(|name| *name != AUTO) else { return Ok(()) };
    let suits = Algorithm::of_name(name).is_some_and(|algorithm| algorithm.suits(Task::Binary));
    let what = || {
        let known = Algorithm::ALL.iter().filter(|algorithm| algorithm.suits(Task::Binary)).map(|known| known.name());
        format!("the algorithm must be one of {}", known.chain([AUTO]).collect::<Vec<_>>().join(", "))
    };
    suits.then_some(()).ok_or_else(|| Refusal::Invalid { field: "algorithm".to_owned(), what: what() })
}

fn options(request: &TrainRequest) -> TrainOptions {
    let seed = request.seed.unwrap_or(SEED);
    let name = request.algorithm.as_deref();
    let effort = match name {
        Some(AUTO) => Effort::Seconds(request.budget_s.map_or(BUDGET_SECONDS, f64::from)),
        _ => Effort::Usual,
    };
    let learner = name.and_then(Algorithm::of_name).map(|algorithm| algorithm.learner(seed));
    TrainOptions { effort, learner, seed, ..TrainOptions::default() }
}

/// Learns from labelled moments; none if somebody wanted it to end before there was a model.
pub(super) fn fit(
    set: &TrainingSet,
    score: &ScoreDefinition,
    request: &TrainRequest,
    work: &Work,
) -> Result<Option<Fitted>, LearnError> {
    let data = Data::of_history(set, &score.name, score.within.0, &score.baseline)?;
    let (threads, begin) = (Threads::all(), Instant::now());
    let mut told = 0;
    let mut watch = Watch {
        parallel: &threads,
        // Who ends a training wants what it has found up to then.
        enough: &|| work.is_cancelled(),
        stopped: &|| work.is_forgotten(),
        clock: &|| begin.elapsed().as_secs_f64(),
        progress: &mut |progress: &Progress| {
            let (step, from, to) = match progress.step {
                Step::Leaks => (JobStep::Fitting, 0.0, 0.05),
                Step::Trying => (JobStep::Fitting, 0.05, 0.8),
                Step::Testing => (JobStep::Evaluating, 0.8, 0.9),
                Step::Fitting => (JobStep::Fitting, 0.9, 1.0),
            };
            work.step(step);
            work.progress(REPLAY_SHARE + (1.0 - REPLAY_SHARE) * (from + (to - from) * progress.share));
            if let Some((algorithm, value)) = progress.best.clone().filter(|_| progress.trials > told) {
                told = progress.trials;
                work.tried(BestSoFar { algorithm, metric: METRIC.to_owned(), value });
            }
        },
    };
    match train(&data, &options(request), &mut watch) {
        Ok(trained) => Ok(Some(describe(trained.artifact)?)),
        Err(LearnError::Ml(MlError::Stopped)) => Ok(None),
        Err(error) => Err(error),
    }
}

/// A model as somebody brings it: an artifact, or an ONNX file whose inputs are named `names`, in order.
pub(super) fn read(bytes: &[u8], names: &[&str]) -> Result<Fitted, MlError> {
    match Artifact::from_bytes(bytes) {
        Ok(artifact) => describe(artifact),
        // What is damaged or newer is not taken for something else. An ONNX file cannot begin so.
        Err(error) if names.is_empty() || Artifact::is_begun(bytes) => Err(error),
        Err(_) => describe(foreign(bytes, names)?),
    }
}

/// A model of another program as an artifact.
fn foreign(bytes: &[u8], names: &[&str]) -> Result<Artifact, MlError> {
    let imported = Imported::try_from(bytes.to_vec())?;
    let task = imported.model().task();
    let member = Member { pipeline: 0, weight: 1.0, fitted: Algorithms::Onnx(imported) };
    let model = Model::new(task, vec![Pipeline::plain(names)], vec![member], None)?;
    let card = Card {
        program: "another program, by ONNX".to_owned(),
        algorithm: model.algorithm().to_owned(),
        task,
        inputs: model.inputs().into_iter().map(InputFact::from).collect(),
        fingerprint: model.fingerprint(),
        ..Card::default()
    };
    Ok(Artifact { card, model, references: References::default(), report: None })
}

fn describe(artifact: Artifact) -> Result<Fitted, MlError> {
    Ok(Fitted {
        artifact: artifact.to_bytes()?,
        rows: artifact.card.rows,
        range: artifact.card.training_range.map(|(from, to)| (Timestamp(from), Timestamp(to))),
        inputs: artifact.model.inputs().into_iter().map(|input| input.name).collect(),
        algorithm: artifact.card.algorithm,
        metrics: artifact.card.metrics,
    })
}

/// The model card.
pub(super) fn card(artifact: &[u8]) -> Result<Object, Refusal> {
    let artifact = Artifact::from_bytes(artifact).map_err(|error| internal(&error))?;
    let text = serde_json::to_string(&artifact.card).map_err(|error| internal(&error))?;
    serde_json::from_str(&text).map_err(|error| internal(&error))
}

/// A model as a document.
pub(super) fn document(artifact: Vec<u8>, form: ModelForm) -> Result<Vec<u8>, Refusal> {
    if form == ModelForm::Artifact {
        return Ok(artifact);
    }
    let artifact = Artifact::from_bytes(&artifact).map_err(|error| internal(&error))?;
    let language = match form {
        ModelForm::Artifact | ModelForm::Onnx => {
            return artifact.model.to_onnx().map_err(|error| Refusal::Conflict(error.to_string()));
        }
        ModelForm::Report(Language::English) => report::Language::English,
        ModelForm::Report(Language::Chinese) => report::Language::Chinese,
    };
    let none = || Refusal::Conflict("this model came without a report; see its card".to_owned());
    let data: ReportData =
        serde_json::from_str(&artifact.report.ok_or_else(none)?).map_err(|error| internal(&error))?;
    Ok(report::html(&data, language).into_bytes())
}
