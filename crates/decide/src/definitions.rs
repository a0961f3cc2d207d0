//! The document in which a company declares its features, segments and scores.

use rapport_profile::{FeatureDefinition, Title};
use rapport_types::Duration;
use serde::{Deserialize, Serialize};

/// The definitions with which Rapport starts: a shop whose events have the names of Segment's e-commerce events.
const RETAIL: &str = include_str!("retail.json");

/// How many segments are possible.
pub const SEGMENTS_MAX: usize = 256;
/// How many scores are possible.
pub const SCORES_MAX: usize = 32;

/// Features, segments and scores, as declared.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Definitions {
    /// In the order in which models get them.
    #[serde(default)]
    pub features: Vec<FeatureDefinition>,
    /// In the order of their bits in a profile.
    #[serde(default)]
    pub segments: Vec<SegmentDefinition>,
    /// What models learn.
    #[serde(default)]
    pub scores: Vec<ScoreDefinition>,
}

/// A declared segment: the customers of whom a condition is true.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SegmentDefinition {
    /// Its name, unique, of letters, digits and `_`.
    pub name: Box<str>,
    /// What people call it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<Title>,
    /// The condition, such as `count("Order Completed", "30d") >= 2`.
    pub when: Box<str>,
}

/// A declared score: the probability that, within a time after an event of a customer, an outcome comes.
///
/// The outcome is the same event again ("orders again within 30 days") unless [`Self::outcome`] says otherwise.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScoreDefinition {
    /// Its name, unique, of letters, digits and `_`.
    pub name: Box<str>,
    /// What people call it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<Title>,
    /// The event that is a labelled moment when it happens.
    pub event: Box<str>,
    /// Which of these events are moments, as a condition over the event such as `properties.total > 0`; all if none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub when: Option<Box<str>>,
    /// What makes a moment positive.
    #[serde(default, skip_serializing_if = "Outcome::is_same_again")]
    pub outcome: Outcome,
    /// How soon it must come to count.
    pub within: Duration,
    /// The feature whose ranking alone a model must beat.
    pub baseline: Box<str>,
    /// When to train again.
    #[serde(default, skip_serializing_if = "Retraining::is_never")]
    pub retrain: Retraining,
}

/// What makes a labelled moment positive.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Outcome {
    /// The event to look for; that of the moment if none; `*` for any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event: Option<Box<str>>,
    /// Which of these events count, as a condition over the event such as `properties.rating >= 4`; all if none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub when: Option<Box<str>>,
    /// The moment is positive if no such event comes in time ("churns: no event for 60 days").
    #[serde(default, skip_serializing_if = "is_false")]
    pub absent: bool,
    /// Only moments to which the event came in time have a label, and the first such event decides by `when` ("the ticket
    /// was answered well", as far as the customer said anything).
    #[serde(default, skip_serializing_if = "is_false")]
    pub only_answered: bool,
}

/// When a score's model is trained again, and what becomes of the new one.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Retraining {
    /// So long after the newest model was trained; never if none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub every: Option<Duration>,
    /// As soon as a feature or the score has drifted by this population stability index; 0.25 is a usual choice.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on_drift: Option<f64>,
    /// What becomes of the new model.
    #[serde(default, skip_serializing_if = "Promotion::is_shadow")]
    pub then: Promotion,
}

/// What becomes of a model that was trained by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Promotion {
    /// It only stands in the registry.
    Register,
    /// It is tried as a shadow of the champion; a person promotes it.
    #[default]
    Shadow,
    /// It becomes the champion if it is better on the newest labelled moments, by more than chance; else a shadow.
    IfBetter,
}

impl Outcome {
    fn is_same_again(&self) -> bool {
        *self == Self::default()
    }
}

impl Retraining {
    fn is_never(&self) -> bool {
        *self == Self::default()
    }
}

impl Promotion {
    #[allow(clippy::trivially_copy_pass_by_ref, reason = "serde hands a reference over")]
    fn is_shadow(&self) -> bool {
        *self == Self::Shadow
    }
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde hands a reference over")]
fn is_false(flag: &bool) -> bool {
    !flag
}

impl Definitions {
    /// The definitions of a shop.
    pub fn retail() -> Self {
        serde_json::from_str(RETAIL).expect("the document is part of the program and tested")
    }

    /// Reads a document; the error is a sentence with its place.
    pub fn from_json(document: &str) -> Result<Self, Mistake> {
        serde_json::from_str(document).map_err(|error| Mistake { path: "document".to_owned(), what: error.to_string() })
    }

    /// The document.
    pub fn to_json(&self) -> String {
        serde_json::to_string_pretty(self).expect("definitions in memory are JSON")
    }
}

/// One thing that is wrong with definitions.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Serialize)]
#[error("{path}: {what}")]
pub struct Mistake {
    /// Where, such as `segments[2].when`.
    pub path: String,
    /// What, as a sentence.
    pub what: String,
}
