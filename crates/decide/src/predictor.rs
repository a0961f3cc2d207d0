//! A model in service: an artifact of `ml` bound to the features in force.
//!
//! An artifact is read and compiled into a [`Prepared`], which knows no features, so that whoever decides under the same model
//! can share it. Inputs are bound by name once, when the model goes into service; a prediction then reads exactly the features
//! that the model needs, as raw numbers, because the artifact carries its own preprocessing.

use std::cell::RefCell;
use std::sync::Arc;

use rapport_ml::{Artifact, MlError, Model, Row, Scorer, Task, Workspace};
use rapport_profile::{FeatureSet, Profile, Reason};
use rapport_types::Timestamp;

use crate::online::Learning;

/// How many reasons a score gives.
const REASONS: usize = 5;

/// Why a model was not put into service.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ActivationError {
    /// The artifact cannot be read.
    #[error("the artifact is not usable: {0}")]
    Artifact(#[from] MlError),
    /// The model wants a feature that is not declared, or is not a number.
    #[error(
        "the model needs the feature \"{0}\", which is not declared as a number; train again under these definitions"
    )]
    Input(String),
    /// The model does not answer with one probability.
    #[error("the model does not predict yes or no; a score is a probability")]
    Task,
    /// What the model answers is no probability, or what it explains no number.
    #[error(
        "a customer whose features are missing or 0 gets no probability from this model; let it fill in missing values"
    )]
    Answer,
}

/// An artifact read and compiled. It is never changed, so any number of partitions can use one.
#[derive(Debug)]
pub struct Prepared {
    scorer: Scorer,
    /// What it was made of, if it can go on learning: who learns needs a scorer of his own.
    online: Option<Model>,
}

impl Prepared {
    /// Reads an artifact.
    ///
    /// # Errors
    ///
    /// [`ActivationError::Artifact`] if it is damaged, [`ActivationError::Task`] if it does not answer with a probability.
    pub fn new(artifact: &[u8]) -> Result<Self, ActivationError> {
        let artifact = Artifact::from_bytes(artifact)?;
        if artifact.model.task() != Task::Binary {
            return Err(ActivationError::Task);
        }
        let scorer = Scorer::new(&artifact.model)?;
        let online = scorer.online().is_some().then_some(artifact.model);
        Ok(Self { scorer, online })
    }

    /// As it was registered.
    pub(crate) fn scorer(&self) -> &Scorer {
        &self.scorer
    }
}

/// A model bound to the features in force: the champion of its score, or its challenger.
#[derive(Debug)]
pub struct LiveModel {
    pub(crate) score: Box<str>,
    pub(crate) version: u32,
    pub(crate) prepared: Arc<Prepared>,
    /// The feature of each input.
    pub(crate) inputs: Vec<usize>,
    /// If it learns in service.
    pub(crate) learning: Option<Box<Learning>>,
}

thread_local! {
    /// Raw values, contributions and coded rows of the prediction at hand, kept so that predicting allocates nothing for them.
    static SCRATCH: RefCell<(Vec<f64>, Vec<f64>, Workspace)> = RefCell::default();
}

impl LiveModel {
    /// Binds a model to features.
    ///
    /// # Errors
    ///
    /// [`ActivationError::Input`] if it needs a feature that is not there.
    pub fn new(
        score: &str,
        version: u32,
        prepared: Arc<Prepared>,
        features: &FeatureSet,
    ) -> Result<Self, ActivationError> {
        let place = |name: &str| {
            let found = features.index_of(name).filter(|index| features.is_number(*index));
            found.ok_or_else(|| ActivationError::Input(name.to_owned()))
        };
        let inputs = prepared.scorer.inputs().iter().map(|input| place(&input.name)).collect::<Result<_, _>>()?;
        Ok(Self { score: score.into(), version, prepared, inputs, learning: None })
    }

    /// Lets it learn from now on, if it can.
    pub(crate) fn begin_to_learn(&mut self, since: Timestamp) -> Result<(), ActivationError> {
        if let Some(model) = &self.prepared.online {
            self.learning = Some(Box::new(Learning::new(Scorer::new(model)?, since)));
        }
        Ok(())
    }

    /// What answers: as it was registered, or with what it has learnt since.
    fn scorer(&self) -> &Scorer {
        self.learning.as_ref().map_or(&self.prepared.scorer, |learning| &learning.scorer)
    }

    /// The score that it computes.
    pub fn score(&self) -> &str {
        &self.score
    }

    /// Its version in the registry.
    pub fn version(&self) -> u32 {
        self.version
    }

    /// Asks the model about a customer of whom nothing is known and one whose numbers are all 0, as nobody should ask first
    /// who folds the log. A damaged artifact may panic.
    ///
    /// # Errors
    ///
    /// [`ActivationError::Answer`] if it does not answer with a probability and explain it by finite numbers.
    pub fn probe(&self) -> Result<(), ActivationError> {
        let (mut work, mut contributions) = (Workspace::default(), vec![0.0; self.inputs.len()]);
        for value in [f64::NAN, 0.0] {
            let (values, mut answer) = (vec![value; self.inputs.len()], [f64::NAN]);
            let row = Row::Numbers(&values);
            let base = self.scorer().predict_and_explain(row, 0, &mut work, &mut answer, &mut contributions);
            let is_explained = base.is_finite() && contributions.iter().all(|part| part.is_finite());
            if !is_explained || !(0.0..=1.0).contains(&answer[0]) {
                return Err(ActivationError::Answer);
            }
        }
        Ok(())
    }

    /// The probability for a profile at its time; `reasons` gets what moved it most, strongest first. Where numbers are so
    /// large that the model has no answer, it is what it says of a customer of whom nothing is known, without reasons.
    pub fn predict(&self, features: &FeatureSet, profile: &Profile, reasons: &mut Vec<Reason>) -> f64 {
        SCRATCH.with_borrow_mut(|(values, contributions, work)| {
            values.clear();
            values.extend(self.inputs.iter().map(|index| features.number(profile, *index, profile.at)));
            contributions.resize(values.len(), 0.0);
            let mut answer = [0.0];
            self.scorer().predict_and_explain(Row::Numbers(values), 0, work, &mut answer, contributions);
            self.explain(values, contributions, reasons);
            if answer[0].is_nan() {
                reasons.clear();
                values.fill(f64::NAN);
                self.scorer().predict(Row::Numbers(values), work, &mut answer);
            }
            answer[0]
        })
    }

    fn explain(&self, values: &[f64], contributions: &[f64], reasons: &mut Vec<Reason>) {
        // The places of the strongest, strongest first, in an array that a sort of all inputs would not beat.
        let mut strongest = [usize::MAX; REASONS];
        for place in 0..contributions.len() {
            let mut carried = place;
            for held in &mut strongest {
                let stronger = *held == usize::MAX || contributions[carried].abs() > contributions[*held].abs();
                if stronger {
                    std::mem::swap(held, &mut carried);
                    if carried == usize::MAX {
                        break;
                    }
                }
            }
        }
        reasons.clear();
        let moved = |place: &usize| {
            let part = contributions.get(*place).copied().unwrap_or_default();
            part != 0.0 && part.is_finite()
        };
        reasons.extend(strongest.into_iter().filter(moved).map(|place| Reason {
            feature: (*self.prepared.scorer.inputs()[place].name).into(),
            value: values[place].is_finite().then_some(values[place]),
            contribution: contributions[place],
        }));
    }
}
