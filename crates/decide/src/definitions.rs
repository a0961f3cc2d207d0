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

/// A declared score: the probability that an event happens again to the same customer within a time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScoreDefinition {
    /// Its name, unique, of letters, digits and `_`.
    pub name: Box<str>,
    /// What people call it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<Title>,
    /// The event that is a labelled moment when it happens, and the outcome when it happens again.
    pub event: Box<str>,
    /// How soon it must happen again to count.
    pub within: Duration,
    /// The feature whose ranking alone a model must beat.
    pub baseline: Box<str>,
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
