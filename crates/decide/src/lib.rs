//! What follows from a profile: scores, segments, and the effects that tell the world.
//!
//! Pure: a decision depends on the profile, its time, the definitions and the models in force. The crate does not keep
//! profiles (that is `profile`), does not train (that is `learn`), and does not deliver effects (that is `engine`).
//!
//! - [`Definitions`]: features, segments and scores as a company declares them.
//! - [`Decider`]: the definitions compiled, with the models in service; [`Decider::evaluate`] decides.
//! - [`Labels`]: what makes a moment positive; [`Lessons`]: how a model that learns in service did.
//! - [`Effect`]: what a decision tells, with an id that a replay gives again.

mod compile;
mod decider;
mod definitions;
mod effect;
mod label;
mod lessons;
mod online;
mod predictor;

pub use decider::Decider;
pub use definitions::{
    Definitions, Mistake, Outcome, Promotion, Retraining, SCORES_MAX, SEGMENTS_MAX, ScoreDefinition, SegmentDefinition,
};
pub use effect::{Cause, Effect, Glance, ScoreChange, What};
pub use label::{Labels, Meaning};
pub use lessons::{Lessons, Told};
pub use online::{Heard, Learnt};
pub use predictor::{ActivationError, LiveModel, Prepared};
