//! The one place that knows how models are learnt, read and written. Everything else of the room sees bytes, names and
//! figures.

use std::collections::BTreeMap;

use rapport_decide::ScoreDefinition;
use rapport_learn::{LearnError, TrainingSet, train};
use rapport_ml::{Artifact, MlError, Predictor};
use rapport_server::{
    api::{BestSoFar, Monitoring, TrainRequest},
    ports::{ModelForm, Refusal},
};
use rapport_types::{Object, Timestamp};

use super::jobs::Work;

/// What models are compared by.
const METRIC: &str = "log_loss";
/// The algorithms that may be asked for; `auto` leaves the choice to the learner.
const ALGORITHMS: [&str; 2] = ["logistic_regression", "auto"];

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
    let known = request.algorithm.as_deref().is_none_or(|name| ALGORITHMS.contains(&name));
    let what = || format!("the algorithm must be one of {}", ALGORITHMS.join(", "));
    known.then_some(()).ok_or_else(|| Refusal::Invalid { field: "algorithm".to_owned(), what: what() })
}

/// Learns from labelled moments; none if somebody wanted it to end before there was a model.
pub(super) fn fit(set: &TrainingSet, score: &ScoreDefinition, work: &Work) -> Result<Option<Fitted>, LearnError> {
    if work.is_cancelled() {
        return Ok(None);
    }
    let fitted = describe(&train(set, score.within, &score.baseline)?.artifact);
    if let Some(value) = fitted.metrics.get(METRIC) {
        let (algorithm, metric) = (fitted.algorithm.clone(), METRIC.to_owned());
        work.tried(BestSoFar { algorithm, metric, value: *value });
    }
    Ok(Some(fitted))
}

/// What an artifact says of itself.
pub(super) fn read(artifact: &[u8]) -> Result<Fitted, MlError> {
    Artifact::from_json(artifact).map(|artifact| describe(&artifact))
}

fn describe(artifact: &Artifact) -> Fitted {
    Fitted {
        artifact: artifact.to_json(),
        algorithm: artifact.algorithm.clone(),
        metrics: artifact.metrics.clone(),
        rows: artifact.rows,
        range: artifact.training_range.map(|(from, to)| (Timestamp(from), Timestamp(to))),
        inputs: artifact.inputs().iter().map(|input| input.name.clone()).collect(),
    }
}

/// The probabilities that a model gives to some moments.
pub(super) fn probabilities(artifact: &[u8], set: &TrainingSet, rows: &[usize]) -> Result<Vec<f64>, LearnError> {
    let artifact = Artifact::from_json(artifact)?;
    let place = |name: &str| {
        let found = set.names.iter().position(|known| known == name);
        found.ok_or_else(|| LearnError::Mismatch(format!("the feature \"{name}\" is not declared any more")))
    };
    let places = artifact.inputs().iter().map(|input| place(&input.name)).collect::<Result<Vec<_>, _>>()?;
    let predictor = Predictor::new(&artifact);
    let of = |row: &usize| {
        let values: Vec<f64> = places.iter().map(|place| set.rows.row(*row)[*place]).collect();
        predictor.predict(&values)
    };
    Ok(rows.iter().map(of).collect())
}

/// The model card: everything that the artifact says.
pub(super) fn card(artifact: &[u8]) -> Result<Object, serde_json::Error> {
    serde_json::from_slice(artifact)
}

/// A model as a document.
pub(super) fn document(artifact: Vec<u8>, form: ModelForm) -> Result<Vec<u8>, Refusal> {
    match form {
        ModelForm::Artifact => Ok(artifact),
        ModelForm::Onnx => {
            Err(Refusal::Conflict("ONNX is not possible for this model; download the artifact".to_owned()))
        }
        ModelForm::Report(_) => {
            Err(Refusal::Conflict("a report is not possible for this model; see its card".to_owned()))
        }
    }
}

/// How a score's models do on the newest history.
pub(super) fn monitor(score: &str) -> Result<Monitoring, Refusal> {
    Err(Refusal::Conflict(format!("monitoring is not possible for the models of \"{score}\"")))
}
