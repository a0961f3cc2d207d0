//! The control entries in force: definitions, models in service and on trial, and what was in service before.

use std::{collections::BTreeMap, sync::Arc};

use rapport_decide::{ActivationError, Decider, Learnt};
use rapport_types::{Activation, DefinitionsChanged, Entry, Rollback, Timestamp, Trial, TrialMode};
use serde::{Deserialize, Serialize};

use crate::{EngineError, stock::Stock};

/// How many earlier champions of a score are remembered.
const EARLIER_MAX: usize = 32;
/// The first byte of a checkpoint's control entries. Version 1 had no such byte: it began with 0 or 1.
const VERSION: u8 = 3;
/// Without what models have learnt, and what an activation had ended.
const VERSION_2: u8 = 2;

/// A model that was in service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Earlier {
    /// Its version.
    pub version: u32,
    /// The trial that ended when the next one came into service.
    pub trial: Option<EndedTrial>,
}

/// A trial that an activation ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct EndedTrial {
    /// The version that was on trial.
    pub version: u32,
    /// How.
    pub mode: TrialMode,
    /// Since when.
    pub at: Timestamp,
}

/// The control entries in force. They go into every checkpoint, so that a restart needs no look back into the log.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Control {
    pub(crate) definitions: Option<DefinitionsChanged>,
    /// By score.
    pub(crate) activations: BTreeMap<Box<str>, Arc<Activation>>,
    /// By score: challengers on trial.
    pub(crate) trials: BTreeMap<Box<str>, Arc<Trial>>,
    /// By score: what was in service before the present one, the newest last. A rollback goes back along it.
    pub(crate) earlier: BTreeMap<Box<str>, Vec<Earlier>>,
}

/// Version 2 of [`Control`] in a checkpoint.
#[derive(Deserialize)]
struct ControlV2 {
    definitions: Option<DefinitionsChanged>,
    activations: BTreeMap<Box<str>, Arc<Activation>>,
    trials: BTreeMap<Box<str>, Arc<Trial>>,
    earlier: BTreeMap<Box<str>, Vec<u32>>,
}

impl From<ControlV2> for Control {
    fn from(old: ControlV2) -> Self {
        let earlier =
            |versions: Vec<u32>| versions.into_iter().map(|version| Earlier { version, trial: None }).collect();
        Self {
            definitions: old.definitions,
            activations: old.activations,
            trials: old.trials,
            earlier: old.earlier.into_iter().map(|(score, versions)| (score, earlier(versions))).collect(),
        }
    }
}

/// Version 1 of [`Control`] in a checkpoint.
#[derive(Deserialize)]
struct ControlV1 {
    definitions: Option<DefinitionsChanged>,
    activations: BTreeMap<Box<str>, Arc<Activation>>,
}

impl Control {
    /// Takes a control entry in; other entries change nothing.
    pub(crate) fn take(&mut self, entry: &Entry, stock: &Stock) {
        match entry {
            Entry::Definitions(definitions) => self.definitions = Some(definitions.clone()),
            Entry::Activation(activation) => self.take_activation(&stock.activation(activation.clone())),
            Entry::Trial(trial) => self.take_trial(trial, stock),
            Entry::Rollback(rollback) => self.take_rollback(rollback, stock),
            Entry::Event(_)
            | Entry::Link(_)
            | Entry::Absorb(_)
            | Entry::Forward(_)
            | Entry::Unlink(_)
            | Entry::Joined(_)
            | Entry::Mark(_)
            | Entry::Share(_)
            | Entry::Relay(_)
            | Entry::Tick(_) => {}
        }
    }

    fn take_trial(&mut self, trial: &Trial, stock: &Stock) {
        if trial.version.is_some() {
            self.trials.insert(trial.score.clone(), stock.trial(trial.clone()));
        } else {
            self.trials.remove(&trial.score);
        }
    }

    fn take_activation(&mut self, activation: &Arc<Activation>) {
        let ended = self.trials.remove(&activation.score);
        let before = self.activations.insert(activation.score.clone(), Arc::clone(activation));
        let before = before.and_then(|before| before.version).filter(|version| activation.version != Some(*version));
        let Some(version) = before else { return };
        let of_trial = |trial: Arc<Trial>| Some(EndedTrial { version: trial.version?, mode: trial.mode, at: trial.at });
        let earlier = self.earlier.entry(activation.score.clone()).or_default();
        earlier.push(Earlier { version, trial: ended.and_then(of_trial) });
        if earlier.len() > EARLIER_MAX {
            earlier.remove(0);
        }
    }

    /// The version that is left is not earlier than the one in service: the next step back goes further.
    fn take_rollback(&mut self, rollback: &Rollback, stock: &Stock) {
        let Rollback { activation, trial } = rollback;
        self.trials.remove(&activation.score);
        self.activations.insert(activation.score.clone(), stock.activation(activation.clone()));
        // Two who take the same step back at once take one.
        if let Some(earlier) = self.earlier.get_mut(&activation.score) {
            earlier.pop_if(|earlier| Some(earlier.version) == activation.version);
        }
        if let Some(trial) = trial {
            self.take_trial(trial, stock);
        }
    }

    /// The bytes for a checkpoint, with what models have learnt and the profile's part.
    pub(crate) fn encode(&self, learnt: &[Learnt], meta: &[u8]) -> Vec<u8> {
        postcard::to_extend(&(self, learnt, meta), vec![VERSION]).expect("control entries in memory encode")
    }

    /// The version of bytes that only a newer program reads.
    pub(crate) fn newer(bytes: &[u8]) -> Option<u8> {
        bytes.first().copied().filter(|format| *format > VERSION)
    }

    /// Reads what [`Self::encode`] of this or an older version wrote.
    pub(crate) fn decode(bytes: &[u8], stock: &Stock) -> Result<(Self, Vec<Learnt>, Vec<u8>), postcard::Error> {
        let (mut control, learnt, meta): (Self, Vec<Learnt>, Vec<u8>) = match bytes {
            [VERSION, rest @ ..] => postcard::from_bytes(rest)?,
            [VERSION_2, rest @ ..] => {
                let (old, meta): (ControlV2, Vec<u8>) = postcard::from_bytes(rest)?;
                (old.into(), Vec::new(), meta)
            }
            _ => {
                let (old, meta): (ControlV1, Vec<u8>) = postcard::from_bytes(bytes)?;
                let control = Self { definitions: old.definitions, activations: old.activations, ..Self::default() };
                (control, Vec::new(), meta)
            }
        };
        for activation in control.activations.values_mut() {
            *activation = stock.activation((**activation).clone());
        }
        for trial in control.trials.values_mut() {
            *trial = stock.trial((**trial).clone());
        }
        Ok((control, learnt, meta))
    }

    /// What the definitions make, without a model.
    pub(crate) fn without_models(&self) -> Result<Decider, EngineError> {
        Ok(match &self.definitions {
            None => Decider::empty(),
            Some(definitions) => Decider::compile(definitions.version, &definitions.document).map_err(|mistakes| {
                let mistakes = mistakes.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n");
                EngineError::Definitions { version: definitions.version, mistakes }
            })?,
        })
    }

    /// The decider that they make.
    pub(crate) fn decider(&self, stock: &Stock) -> Result<Decider, EngineError> {
        let mut decider = self.without_models()?;
        let prepare = |artifact: &[u8]| stock.prepared(artifact);
        for activation in self.activations.values() {
            tell(decider.activate(activation, prepare), &activation.score, activation.version);
        }
        for trial in self.trials.values() {
            tell(decider.try_model(trial, prepare), &trial.score, trial.version);
        }
        Ok(decider)
    }
}

/// Does with the models what a control entry says; whether it is one about models. A model that does not fit the definitions is
/// out of service until one that does is activated; the log stays true. That is told if `loud`.
pub(crate) fn put_into_force(decider: &mut Decider, entry: &Entry, stock: &Stock, loud: bool) -> bool {
    let prepare = |artifact: &[u8]| stock.prepared(artifact);
    let (outcome, score, version) = match entry {
        Entry::Activation(activation) => (decider.activate(activation, prepare), &activation.score, activation.version),
        Entry::Trial(trial) => (decider.try_model(trial, prepare), &trial.score, trial.version),
        Entry::Rollback(rollback) => {
            let activation = &rollback.activation;
            (decider.roll_back(rollback, prepare), &activation.score, activation.version)
        }
        _ => return false,
    };
    if loud {
        tell(outcome, score, version);
    }
    true
}

fn tell(outcome: Result<(), ActivationError>, score: &str, version: Option<u32>) {
    if let Err(error) = outcome {
        tracing::error!(score, ?version, %error, "model not put into service or on trial");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_entries_of_the_first_version_stay_readable() {
        let activation = Activation { score: "s".into(), version: Some(3), artifact: [1, 2].into(), at: Timestamp(5) };
        let definitions = DefinitionsChanged { version: 1, document: "{}".into(), at: Timestamp(4) };
        let activations = BTreeMap::from([(Box::from("s"), Arc::new(activation))]);
        let stock = Stock::default();
        for definitions in [None, Some(definitions)] {
            let old = postcard::to_allocvec(&((&definitions, &activations), [7_u8, 8].as_slice())).expect("encodes");
            let (control, learnt, meta) = Control::decode(&old, &stock).expect("reads");
            assert_eq!((control.definitions.as_ref(), &control.activations), (definitions.as_ref(), &activations));
            assert!(learnt.is_empty() && meta == [7, 8]);
            assert_eq!(Control::decode(&control.encode(&[], &meta), &stock).expect("reads"), (control, learnt, meta));
        }
    }
}
