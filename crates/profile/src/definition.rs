//! What a feature is, as a company declares it.

use rapport_types::Duration;
use serde::{Deserialize, Serialize};

/// How the values of a feature's events become one value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Aggregate {
    /// How many events, or how many values where `value` is given.
    Count,
    /// Their sum, exact to a millionth.
    Sum,
    /// Their mean.
    Mean,
    /// The smallest.
    Min,
    /// The largest.
    Max,
    /// The newest.
    Last,
    /// How many different ones.
    Distinct,
    /// Days since the `n`-th newest event (the newest if `n` is not given).
    Recency,
    /// Days since the first event.
    Age,
    /// The newest `n`, oldest first.
    Sequence,
}

/// Which events count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, Default)]
#[serde(rename_all = "snake_case")]
pub enum Window {
    /// All of them.
    #[default]
    Lifetime,
    /// Those of the last so long. Kept in tiles: an event leaves up to one tile (1/64 to 1/16 of the window) early.
    Sliding(Duration),
    /// Those of the session that goes on: events less than this gap apart.
    Session(Duration),
}

/// What people call something, in the languages of the pages.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Title {
    /// English.
    pub en: Box<str>,
    /// Chinese.
    pub zh: Box<str>,
}

/// A declared feature.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FeatureDefinition {
    /// Its name, unique, of letters, digits and `_`.
    pub name: Box<str>,
    /// What people call it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<Title>,
    /// The track event (`Order Completed`) or call (`page`) it looks at; all events if none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event: Option<Box<str>>,
    /// A condition over `properties`, `context`, `name` and `kind` of the event.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub filter: Option<Box<str>>,
    /// How values become one.
    pub aggregate: Aggregate,
    /// The path of the value in the event's properties, such as `total`; through a list it takes each element
    /// (`products.product_id`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<Box<str>>,
    /// Which events count.
    #[serde(default)]
    pub window: Window,
    /// `recency`: which newest event, from 1; `sequence`: how many, at most 50.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub n: Option<u8>,
}

/// What is wrong with a declared feature.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum DefinitionError {
    /// A name that is empty, too long or has other characters.
    #[error("feature name \"{0}\" must be 1 to 64 letters, digits or _")]
    Name(Box<str>),
    /// Two features of one name.
    #[error("feature \"{0}\" is declared twice")]
    Twice(Box<str>),
    /// More than [`crate::FeatureSet::LIMIT`].
    #[error("{0} features are declared; at most {1} are possible")]
    TooMany(usize, usize),
    /// The parts do not fit together.
    #[error("feature \"{name}\": {what}")]
    Shape {
        /// The feature.
        name: Box<str>,
        /// What does not fit, as a sentence.
        what: &'static str,
    },
    /// The filter is not a condition over an event.
    #[error("feature \"{name}\": filter: {error}")]
    Filter {
        /// The feature.
        name: Box<str>,
        /// Where and why.
        error: rapport_condition::ConditionError,
    },
}

impl FeatureDefinition {
    /// Checks what can be checked of one feature alone, but for its filter.
    pub(crate) fn check(&self) -> Result<(), DefinitionError> {
        let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
        if self.name.is_empty() || self.name.len() > 64 || !self.name.chars().all(word) {
            return Err(DefinitionError::Name(self.name.clone()));
        }
        match self.wrong_shape() {
            Some(what) => Err(DefinitionError::Shape { name: self.name.clone(), what }),
            None => Ok(()),
        }
    }

    fn wrong_shape(&self) -> Option<&'static str> {
        use Aggregate::{Age, Count, Distinct, Last, Max, Mean, Min, Recency, Sequence, Sum};
        let needs_value = matches!(self.aggregate, Sum | Mean | Min | Max | Last | Distinct | Sequence);
        let over_all_time = matches!(self.aggregate, Recency | Age | Sequence);
        let takes_n = matches!(self.aggregate, Recency | Sequence);
        let in_session = matches!(self.aggregate, Count | Sum | Mean | Min | Max);
        if needs_value && self.value.is_none() {
            return Some("this aggregate needs a value, such as \"value\": \"total\"");
        }
        if over_all_time && self.window != Window::Lifetime {
            return Some("recency, age and sequence look at all time; leave the window out");
        }
        if self.n.is_some() && !takes_n {
            return Some("n belongs to recency and sequence only");
        }
        if self.n.is_some_and(|n| n == 0 || n > 50) {
            return Some("n must be from 1 to 50");
        }
        match self.window {
            Window::Session(_) if !in_session => Some("a session window takes count, sum, mean, min and max"),
            Window::Session(gap) if gap.0 > rapport_types::DAY_MS => Some("a session's gap is at most 1d"),
            Window::Sliding(span) if span.0 > 1_100 * rapport_types::DAY_MS => {
                Some("a sliding window is at most 1100d; take lifetime for more")
            }
            Window::Sliding(span) if span.0 < rapport_types::SECOND_MS => Some("a sliding window is at least 1s"),
            Window::Lifetime | Window::Sliding(_) | Window::Session(_) => None,
        }
    }
}
