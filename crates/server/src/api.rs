//! The shapes of the API's requests and answers. They are the contract with pages, command line and customers' programs: a
//! field is added, never renamed or removed. The OpenAPI document is made from them.

use rapport_profile::{Aggregate, Window};
use rapport_types::{Object, Timestamp, Value};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

mod models;

pub use models::{
    ActivationAccepted, BestSoFar, Better, ChallengeRequest, Comparison, Imported, InputDrift, Job, JobList,
    JobStarted, JobState, JobStep, Learning, Model, ModelDetail, ModelList, Monitoring, Origin, RolledBack, TimeRange,
    TrainRequest, TrialAccepted, TrialFact, TrialKind, Watched, Week,
};

/// One line of the list of customers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct CustomerRow {
    /// The primary id, such as `user:17850` or `anon:a1`.
    pub id: String,
    /// What people call the customer.
    #[schema(required)]
    pub name: Option<String>,
    /// Whether the person behind it is known.
    pub known: bool,
    /// The attribute `country`, if it is a text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub country: Option<String>,
    /// The time of the first event.
    #[schema(value_type = String, format = DateTime)]
    pub first_seen: Timestamp,
    /// The time of the newest event.
    #[schema(value_type = String, format = DateTime)]
    pub last_seen: Timestamp,
    /// How many events were applied.
    pub events: u64,
    /// The names of the segments that hold the customer.
    pub segments: Vec<String>,
    /// The first score.
    #[schema(required)]
    pub score: Option<RowScore>,
}

/// A score in a list.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct RowScore {
    /// Its name.
    pub name: String,
    /// From 0 to 1.
    pub value: f64,
    /// The model's version.
    pub model_version: u32,
    /// The customer's time at which it was computed.
    #[schema(value_type = String, format = DateTime)]
    pub computed_at: Timestamp,
}

/// A page of the list of customers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct CustomerList {
    /// In the order that was asked for.
    pub customers: Vec<CustomerRow>,
    /// How many customers there are that match, on all pages.
    pub total: u64,
    /// What to give as `cursor` for the next page; none on the last.
    #[schema(required)]
    pub next: Option<String>,
}

/// One customer, as things are now.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Customer {
    /// The primary id.
    pub id: String,
    /// All ids of the profile.
    pub ids: Vec<String>,
    /// What people call the customer.
    #[schema(required)]
    pub name: Option<String>,
    /// What is known about the customer.
    #[schema(value_type = std::collections::HashMap<String, serde_json::Value>)]
    pub attributes: Object,
    /// The time of the first event.
    #[schema(value_type = String, format = DateTime)]
    pub first_seen: Timestamp,
    /// The time of the newest event.
    #[schema(value_type = String, format = DateTime)]
    pub last_seen: Timestamp,
    /// How many events were applied.
    pub events: u64,
    /// The declared features with their values at the customer's time.
    pub features: Vec<FeatureFact>,
    /// The names of the segments that hold the customer.
    pub segments: Vec<String>,
    /// The scores.
    pub scores: Vec<ScoreFact>,
    /// How far the log was applied in the customer's partition.
    pub position: LogPosition,
}

/// A feature's value.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct FeatureFact {
    /// Its name.
    pub name: String,
    /// Its value; null if there is nothing to tell.
    #[schema(value_type = serde_json::Value)]
    pub value: Value,
    /// Which events count: `"lifetime"`, `{"sliding":"30d"}` or `{"session":"30m"}`.
    #[schema(schema_with = crate::openapi::window)]
    pub window: Window,
    /// How the events become a value, such as `count`.
    #[schema(value_type = String)]
    pub aggregate: Aggregate,
}

/// A score with its age and its reasons.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ScoreFact {
    /// Its name.
    pub name: String,
    /// From 0 to 1.
    pub value: f64,
    /// The customer's time at which it was computed.
    #[schema(value_type = String, format = DateTime)]
    pub computed_at: Timestamp,
    /// The message id of the event that it was computed for; null if time alone or a new model was the cause.
    #[schema(required)]
    pub cause: Option<String>,
    /// The model's version.
    pub model_version: u32,
    /// What moved it most, strongest first.
    pub reasons: Vec<ReasonFact>,
    /// How well the model's probabilities hold, by its evaluation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub calibration: Option<Calibration>,
}

/// What one feature did to a score.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ReasonFact {
    /// The feature.
    pub feature: String,
    /// Its value; null if it was missing.
    #[schema(required)]
    pub value: Option<f64>,
    /// In log-odds, against the mean of the training data.
    pub contribution: f64,
}

/// How well a model's probabilities hold.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Calibration {
    /// Expected calibration error.
    pub ece: f64,
    /// The share of positives in the evaluation.
    pub base_rate: f64,
}

/// A place in the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LogPosition {
    /// The partition.
    pub partition: u32,
    /// The offset.
    pub offset: u64,
}

/// One event of a customer's timeline.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct TimelineItem {
    /// The call: `track`, `identify`, `page`, `screen`, `group` or `alias`.
    pub kind: String,
    /// The event's or page's name.
    #[schema(required)]
    pub name: Option<String>,
    /// When it happened, corrected for the sender's clock.
    #[schema(value_type = String, format = DateTime)]
    pub at: Timestamp,
    /// When Rapport had it.
    #[schema(value_type = String, format = DateTime)]
    pub received_at: Timestamp,
    /// The sender's id of the message.
    pub message_id: String,
    /// Its properties, or the attributes of an identify.
    #[schema(value_type = std::collections::HashMap<String, serde_json::Value>)]
    pub properties: Object,
    /// Where it is in the log.
    pub partition: u32,
    /// Where it is in the partition.
    pub offset: u64,
}

/// A page of a timeline, the newest first.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Timeline {
    /// The events.
    pub items: Vec<TimelineItem>,
    /// What to give as `before` for the next page; none on the last.
    #[schema(required)]
    pub next: Option<String>,
}

/// A change of a customer by an operator.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CustomerChange {
    /// The attributes to set; null takes one away.
    #[schema(value_type = std::collections::HashMap<String, serde_json::Value>)]
    pub attributes: Object,
}

/// A change that is in the log and on its way to the profile.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ChangeAccepted {
    /// The message id of the entry; effects carry it as their cause.
    pub message_id: String,
}

/// Who is to be decided about; one of the three.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DecideRequest {
    /// `user:<id>`, `anon:<id>` or a bare known id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub customer: Option<String>,
    /// A known id.
    #[serde(rename = "userId", skip_serializing_if = "Option::is_none")]
    pub user_id: Option<String>,
    /// An anonymous id.
    #[serde(rename = "anonymousId", skip_serializing_if = "Option::is_none")]
    pub anonymous_id: Option<String>,
}

/// What is known at this moment, from memory.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Decision {
    /// The primary id; of an unknown customer the id that was asked for.
    pub customer: String,
    /// Whether there is a profile.
    pub known_to_us: bool,
    /// The scores.
    pub scores: Vec<ScoreFact>,
    /// The names of the segments that hold the customer.
    pub segments: Vec<String>,
    /// The customer's time; null if there is no profile.
    #[schema(value_type = Option<String>, format = DateTime, required)]
    pub at: Option<Timestamp>,
}

/// What became of the events that were accepted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Ledger {
    /// One line for each source.
    pub sources: Vec<LedgerRow>,
    /// All sources together.
    pub total: LedgerCounts,
}

/// A source's line of the ledger.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LedgerRow {
    /// The source's name.
    pub source: String,
    /// Its counts.
    #[serde(flatten)]
    pub counts: LedgerCounts,
}

/// `accepted = applied + deduplicated + dead_lettered + erased + pending`, always.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
pub struct LedgerCounts {
    /// Durable in the log.
    pub accepted: u64,
    /// Taken into a profile.
    pub applied: u64,
    /// Repeats within seven days.
    pub deduplicated: u64,
    /// Could not be applied; kept with the reason.
    pub dead_lettered: u64,
    /// Erased at the person's wish.
    pub erased: u64,
    /// On the way.
    pub pending: u64,
}

/// Definitions that are in the log and on their way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DefinitionsAccepted {
    /// The version that they have.
    pub version: u32,
}

/// One thing that is wrong with a document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Mistake {
    /// Where, such as `segments[2].when`.
    pub path: String,
    /// What, as a sentence.
    pub what: String,
}

/// A one-time sign-in token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SignIn {
    /// From the link that `rapport serve` prints.
    pub token: String,
}

/// Who is signed in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Session {
    /// What the person or program is called.
    pub name: String,
    /// Since when; none for an API key.
    #[schema(value_type = Option<String>, format = DateTime)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<Timestamp>,
}

/// About this installation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct About {
    /// The program's version.
    pub version: String,
    /// What the shown data is, if it is not the company's own: `synthetic` or `online_retail`.
    #[schema(required)]
    pub data_note: Option<String>,
    /// Partitions of the log.
    pub partitions: u32,
}

/// Facts of health, for people and for monitors.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Health {
    /// Why the installation does not do its work; empty if it does.
    pub reasons: Vec<String>,
    /// How long the oldest entry that waits has been in the log, in seconds.
    pub behind_s: f64,
    /// One for each partition.
    pub partitions: Vec<PartitionHealth>,
}

/// What one partition is doing.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, ToSchema)]
pub struct PartitionHealth {
    /// Its number.
    pub partition: u32,
    /// The next entry to apply.
    pub next: u64,
    /// The log's end: `end - next` entries wait.
    pub end: u64,
    /// How long the oldest of them waits, in seconds.
    pub behind_s: f64,
    /// Profiles in memory.
    pub profiles: u64,
    /// The entry up to which the newest checkpoint goes.
    pub checkpointed: u64,
    /// Why it stopped, if it did.
    #[schema(required)]
    pub stopped: Option<String>,
}
