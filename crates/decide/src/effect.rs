//! What a decision tells the world, as data.

use rapport_profile::{Profile, Reason, Score};
use rapport_types::{Offset, PartitionId, Timestamp};
use serde::{Deserialize, Serialize};

/// What an entry of the log caused. It is the same, with the same id, however often the entry is replayed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Effect {
    /// 32 hexadecimal digits; receivers drop repeats by it.
    pub id: Box<str>,
    /// The customer's primary id as text.
    pub customer: Box<str>,
    /// The customer's time.
    pub at: Timestamp,
    /// The message id of the event; none when time alone or a new model was the cause.
    pub cause: Option<Box<str>>,
    /// Where the entry is.
    pub partition: PartitionId,
    /// Where the entry is in the partition.
    pub offset: Offset,
    /// What happened.
    #[serde(flatten)]
    pub what: What,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum What {
    /// An event was applied to the profile.
    Profile {
        /// What lists show.
        profile: Glance,
    },
    /// A score has a new value.
    Score {
        /// The value with its reasons.
        score: ScoreChange,
    },
    /// What a challenger in the shadow of the champion would have said; it decides nothing.
    ShadowScore {
        /// The value with its reasons.
        score: ScoreChange,
    },
    /// The customer is in a segment from now on.
    SegmentEntered {
        /// The segment.
        segment: Box<str>,
    },
    /// The customer is not in a segment any more.
    SegmentLeft {
        /// The segment.
        segment: Box<str>,
    },
}

impl What {
    /// The word for it in the API.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Profile { .. } => "profile",
            Self::Score { .. } => "score",
            Self::ShadowScore { .. } => "shadow_score",
            Self::SegmentEntered { .. } => "segment_entered",
            Self::SegmentLeft { .. } => "segment_left",
        }
    }

    /// The score or segment that it is about; empty for a profile.
    fn name(&self) -> &str {
        match self {
            Self::Profile { .. } => "",
            Self::Score { score } | Self::ShadowScore { score } => &score.name,
            Self::SegmentEntered { segment } | Self::SegmentLeft { segment } => segment,
        }
    }
}

/// What lists show of a profile.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Glance {
    /// See [`Profile::name`].
    pub name: Option<Box<str>>,
    /// The time of the newest event.
    pub last_seen: Timestamp,
    /// How many events were applied.
    pub events: u64,
}

/// A new value of a score.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ScoreChange {
    /// Its name.
    pub name: Box<str>,
    /// From 0 to 1.
    pub value: f64,
    /// The value before; none if there was none.
    pub previous: Option<f64>,
    /// The model's version.
    pub model_version: u32,
    /// What moved it most, strongest first.
    pub reasons: Vec<Reason>,
}

impl ScoreChange {
    pub(crate) fn new(score: &Score, previous: Option<f64>) -> Self {
        Self {
            name: score.name.clone(),
            value: score.value,
            previous,
            model_version: score.model_version,
            reasons: score.reasons.clone(),
        }
    }
}

/// What makes a decision be looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cause<'a> {
    /// The entry's partition.
    pub partition: PartitionId,
    /// The entry's offset.
    pub offset: Offset,
    /// The message id, if the entry is an event.
    pub message: Option<&'a str>,
}

impl Effect {
    pub(crate) fn new(cause: Cause<'_>, profile: &Profile, what: What) -> Self {
        let customer = profile.primary.to_string();
        let mut hasher = blake3::Hasher::new();
        hasher.update(&cause.partition.0.to_le_bytes());
        hasher.update(&cause.offset.0.to_le_bytes());
        // Timers of one customer can fire several times for one entry; their time tells them apart.
        hasher.update(&profile.at.0.to_le_bytes());
        for part in [what.kind(), what.name(), &customer] {
            hasher.update(&(part.len() as u32).to_le_bytes());
            hasher.update(part.as_bytes());
        }
        let id = hasher.finalize().to_hex();
        Self {
            id: id[..32].into(),
            customer: customer.into(),
            at: profile.at,
            cause: cause.message.map(Into::into),
            partition: cause.partition,
            offset: cause.offset,
            what,
        }
    }
}
