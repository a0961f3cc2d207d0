//! Models, their training and their life, as the API tells of them.

use rapport_types::{Object, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The models of all scores.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ModelList {
    /// The newest first.
    pub models: Vec<Model>,
}

/// A trained model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Model {
    /// The score that it computes.
    pub score: String,
    /// From 1.
    pub version: u32,
    /// When it was trained.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
    /// Such as `logistic_regression`, `gradient_boosting` or `ensemble`.
    pub algorithm: String,
    /// Where it comes from: `trained` by a person's wish, `retrained` by schedule or drift, or `imported`.
    pub origin: Origin,
    /// Whether it is the champion of its score.
    pub active: bool,
    /// How it is tried beside the champion; none if it is not on trial.
    #[schema(required)]
    pub trial: Option<TrialFact>,
    /// Figures of the evaluation, such as `auc`, `log_loss`, `ece` and `base_rate`.
    #[schema(value_type = std::collections::HashMap<String, serde_json::Value>)]
    pub metrics: Object,
    /// Labelled moments that it was trained on.
    pub rows: u64,
    /// The times of the first and the last of them.
    #[schema(required)]
    pub training_range: Option<TimeRange>,
}

/// Where a model comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// Somebody asked for it.
    #[default]
    Trained,
    /// By schedule, or because of drift.
    Retrained,
    /// It was made elsewhere.
    Imported,
}

/// How a challenger is tried.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TrialFact {
    /// `shadow` or `canary`.
    pub mode: TrialKind,
    /// For a canary: the share of the customers whose score it is.
    #[schema(required)]
    pub percent: Option<u32>,
    /// Since when.
    #[schema(value_type = String, format = DateTime)]
    pub since: Timestamp,
}

/// How a challenger is tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum TrialKind {
    /// It scores every event beside the champion and decides nothing.
    Shadow,
    /// It is the score of a share of the customers.
    Canary,
}

/// A model with everything that is known of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ModelDetail {
    /// What lists show.
    #[serde(flatten)]
    pub model: Model,
    /// The model card: inputs, evaluation with curves and baselines, importance, warnings of leaks, parameters, seed.
    #[schema(value_type = std::collections::HashMap<String, serde_json::Value>)]
    pub card: Object,
}

/// From one instant to another, both within.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TimeRange {
    /// The first instant.
    #[schema(value_type = String, format = DateTime)]
    pub from: Timestamp,
    /// The last instant.
    #[schema(value_type = String, format = DateTime)]
    pub to: Timestamp,
}

/// What to train.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TrainRequest {
    /// A declared score.
    pub score: String,
    /// Only moments before this instant; all if it is left out.
    #[schema(value_type = Option<String>, format = DateTime)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
    /// One algorithm, such as `gradient_boosting`, or `auto` for a search over all; if it is left out, a weighted
    /// sum, deep and shallow boosted trees are tried, and the best or a blend is taken.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub algorithm: Option<String>,
    /// For `auto`: about how many seconds of work the search may take, 60 if it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub budget_s: Option<u32>,
    /// Draws what is drawn; the same rows and the same seed give the same model.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seed: Option<u64>,
}

/// A training that was started.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct JobStarted {
    /// Its id.
    pub job: String,
}

/// The newest trainings.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct JobList {
    /// The newest first.
    pub jobs: Vec<Job>,
}

/// How far a training is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Job {
    /// Its id.
    pub id: String,
    /// The score that is trained.
    pub score: String,
    /// When it was started.
    #[schema(value_type = String, format = DateTime)]
    pub started_at: Timestamp,
    /// Where it stands.
    pub state: JobState,
    /// From 0 to 1.
    pub progress: f64,
    /// What it is doing, or what came of it.
    pub step: JobStep,
    /// The best model so far; none before the first.
    #[schema(required)]
    pub best: Option<BestSoFar>,
    /// How many models were tried.
    pub trials: u32,
    /// The version of the model that it made.
    #[schema(required)]
    pub version: Option<u32>,
    /// Why it failed.
    #[schema(required)]
    pub error: Option<String>,
}

/// The best model of a training so far.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct BestSoFar {
    /// Its algorithm.
    pub algorithm: String,
    /// What models are compared by, such as `log_loss`.
    pub metric: String,
    /// The figure on rows that it did not learn from.
    pub value: f64,
}

/// Where a job stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum JobState {
    /// It works or waits for its turn.
    Running,
    /// The model is in the registry.
    Done,
    /// There is no model.
    Failed,
    /// Somebody stopped it before there was a model.
    Cancelled,
}

/// What a training is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum JobStep {
    /// The history is replayed.
    Replaying,
    /// Models are fitted and compared.
    Fitting,
    /// The best one is evaluated.
    Evaluating,
    /// Nothing more.
    Ended,
}

/// An activation that is in the log and on its way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ActivationAccepted {
    /// The score.
    pub score: String,
    /// The version that goes into service.
    pub version: u32,
}

/// A rollback that is in the log and on its way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RolledBack {
    /// The score.
    pub score: String,
    /// The version that goes into service again.
    pub version: u32,
    /// The version that goes on being tried: its trial was ended by what is taken back. None if no trial was.
    #[schema(required)]
    pub on_trial: Option<u32>,
}

/// How a model is to challenge the champion.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ChallengeRequest {
    /// `shadow` or `canary`.
    pub mode: TrialKind,
    /// For a canary: the share of the customers, 1 to 99; 10 if it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub percent: Option<u32>,
}

/// A trial that is in the log and on its way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TrialAccepted {
    /// The score.
    pub score: String,
    /// The version that is tried; none if the trial ends.
    #[schema(required)]
    pub version: Option<u32>,
}

/// A model that was imported.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Imported {
    /// The score.
    pub score: String,
    /// Its version in the registry.
    pub version: u32,
    /// The inputs that it takes, which are features by these names.
    pub inputs: Vec<String>,
}

/// How a score's models do on the newest history.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Monitoring {
    /// The score.
    pub score: String,
    /// The newest moment whose outcome is known; none if there is none yet. Newer moments count for no figure, not for drift
    /// either.
    #[schema(value_type = Option<String>, format = DateTime, required)]
    pub until: Option<Timestamp>,
    /// The champion's figures; none if no model is in service.
    #[schema(required)]
    pub champion: Option<Watched>,
    /// The challenger's figures over the same moments; none if none is on trial.
    #[schema(required)]
    pub challenger: Option<Watched>,
    /// How the two compare on the moments since the trial began.
    #[schema(required)]
    pub comparison: Option<Comparison>,
}

/// What was watched of one model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Watched {
    /// Its version.
    pub version: u32,
    /// The largest population stability index of all inputs and the score; above 0.25 the world has changed. None if the model
    /// says nothing of what it was trained on, as one of another program, or no outcome is known yet. Like all figures it is
    /// that of moments whose outcome is known: of those, the newest 28 days.
    #[schema(required)]
    pub drift: Option<f64>,
    /// The index of the score itself.
    #[schema(required)]
    pub score_psi: Option<f64>,
    /// What it has learnt in service; none if it does not go on learning. All other figures are of what it had learnt by each
    /// moment; before it came into service, and where it learnt from no outcome yet, that is the model as it was registered.
    #[schema(required)]
    pub learning: Option<Learning>,
    /// Its inputs, the most drifted first.
    pub inputs: Vec<InputDrift>,
    /// Week by week: what it said and what came. Weeks that it was trained on are among them, see the model's training range;
    /// there it does better than on what is new to it.
    pub weeks: Vec<Week>,
}

/// How a model that learns in service does: each outcome is a test of what it had said at the moment, and then it learns from it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Learning {
    /// Outcomes that it learnt from.
    pub outcomes: u64,
    /// The positive ones.
    pub positives: u64,
    /// Moments whose outcome is not known yet.
    pub waiting: u64,
    /// Moments that had no answer, where only answers count.
    pub unanswered: u64,
    /// Moments that were passed over: more than 16 of one customer at a time, or numbers beyond all measure.
    pub passed_over: u64,
    /// The area under the curve of what it said; none as long as all outcomes were equal. Answers whose log-odds are closer than
    /// 0.05 count as equal.
    #[schema(required)]
    pub auc: Option<f64>,
    /// The mean negative log-likelihood; none before the first outcome.
    #[schema(required)]
    pub log_loss: Option<f64>,
    /// The area that it would have had without learning on.
    #[schema(required)]
    pub auc_as_registered: Option<f64>,
    /// The log-loss that it would have had without learning on.
    #[schema(required)]
    pub log_loss_as_registered: Option<f64>,
    /// The log-loss of always saying the share of positives.
    #[schema(required)]
    pub base_log_loss: Option<f64>,
}

/// How an input has moved since the training.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct InputDrift {
    /// The feature.
    pub feature: String,
    /// The population stability index.
    pub psi: f64,
    /// The share of moments without a value in training.
    pub missing_then: f64,
    /// The share now.
    pub missing_now: f64,
}

/// What a model said in a week, and what came.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Week {
    /// The week's begin, a Monday.
    #[schema(value_type = String, format = DateTime)]
    pub from: Timestamp,
    /// Labelled moments.
    pub rows: u64,
    /// The mean of the probabilities.
    pub predicted: f64,
    /// The share of positive outcomes.
    pub observed: f64,
    /// The area under the curve; none if all outcomes were equal.
    #[schema(required)]
    pub auc: Option<f64>,
    /// The mean negative log-likelihood.
    pub log_loss: f64,
}

/// Champion and challenger over the same moments.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Comparison {
    /// Labelled moments since the trial began.
    pub rows: u64,
    /// The champion's log-loss less the challenger's: positive if the challenger is better.
    pub gain: f64,
    /// The 95 % interval of the gain, by resampling customers.
    pub gain_low: f64,
    /// See `gain_low`.
    pub gain_high: f64,
    /// The champion's area under the curve.
    #[schema(required)]
    pub champion_auc: Option<f64>,
    /// The challenger's.
    #[schema(required)]
    pub challenger_auc: Option<f64>,
    /// `challenger`, `champion`, or `open` as long as chance explains the difference.
    pub better: Better,
}

/// Which of two models is better, by more than chance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Better {
    /// The challenger.
    Challenger,
    /// The champion.
    Champion,
    /// It cannot be told yet.
    Open,
}
