//! One partition's state together with the definitions and models in force: the whole fold of the design,
//! `apply(state, entry, definitions) -> (state', effects)`. Pure but for nothing; the worker around it does the I/O.

use std::{collections::BTreeMap, sync::Arc};

use rapport_decide::{Cause, Decider, Effect};
use rapport_profile::{Changes, CheckpointParts, PartitionState, RestoreError};
use rapport_types::{Activation, DefinitionsChanged, Entry, EntryError, Offset, PartitionId, Timestamp, Trial};
use serde::{Deserialize, Serialize};

use crate::{EngineError, stock::Stock};

/// How many earlier champions of a score are remembered.
const EARLIER_MAX: usize = 32;
/// The first byte of a checkpoint's control entries with trials. Version 1 had no such byte: it began with 0 or 1.
const CONTROL_VERSION: u8 = 2;

/// The control entries in force. They go into every checkpoint, so that a restart needs no look back into the log.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Control {
    pub(crate) definitions: Option<DefinitionsChanged>,
    /// By score.
    pub(crate) activations: BTreeMap<Box<str>, Arc<Activation>>,
    /// By score: challengers on trial.
    pub(crate) trials: BTreeMap<Box<str>, Arc<Trial>>,
    /// By score: the versions that were in service before the present one, the newest last. A rollback goes back along
    /// them.
    pub(crate) earlier: BTreeMap<Box<str>, Vec<u32>>,
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
            Entry::Trial(trial) if trial.version.is_some() => {
                self.trials.insert(trial.score.clone(), stock.trial(trial.clone()));
            }
            Entry::Trial(trial) => {
                self.trials.remove(&trial.score);
            }
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

    fn take_activation(&mut self, activation: &Arc<Activation>) {
        self.trials.remove(&activation.score);
        let before = self.activations.insert(activation.score.clone(), Arc::clone(activation));
        let earlier = self.earlier.entry(activation.score.clone()).or_default();
        if activation.version.is_some() && earlier.last().copied() == activation.version {
            // A step back: the version that was left is no longer earlier than the one in service.
            earlier.pop();
        } else if let Some(version) = before.and_then(|before| before.version)
            && activation.version != Some(version)
        {
            earlier.push(version);
            if earlier.len() > EARLIER_MAX {
                earlier.remove(0);
            }
        }
    }

    /// The bytes for a checkpoint, with the profile's part.
    fn encode(&self, meta: &[u8]) -> Vec<u8> {
        postcard::to_extend(&(self, meta), vec![CONTROL_VERSION]).expect("control entries in memory encode")
    }

    fn decode(bytes: &[u8], stock: &Stock) -> Result<(Self, Vec<u8>), postcard::Error> {
        let (mut control, meta): (Self, Vec<u8>) = match bytes {
            [CONTROL_VERSION, rest @ ..] => postcard::from_bytes(rest)?,
            _ => {
                let (old, meta): (ControlV1, Vec<u8>) = postcard::from_bytes(bytes)?;
                let control = Self { definitions: old.definitions, activations: old.activations, ..Self::default() };
                (control, meta)
            }
        };
        for activation in control.activations.values_mut() {
            *activation = stock.activation((**activation).clone());
        }
        for trial in control.trials.values_mut() {
            *trial = stock.trial((**trial).clone());
        }
        Ok((control, meta))
    }

    /// The decider that they make.
    pub(crate) fn decider(&self, stock: &Stock) -> Result<Decider, EngineError> {
        let mut decider = match &self.definitions {
            None => Decider::empty(),
            Some(definitions) => Decider::compile(definitions.version, &definitions.document).map_err(|mistakes| {
                let mistakes = mistakes.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n");
                EngineError::Definitions { version: definitions.version, mistakes }
            })?,
        };
        for activation in self.activations.values() {
            activate(&mut decider, activation, stock);
        }
        for trial in self.trials.values() {
            try_model(&mut decider, trial, stock);
        }
        Ok(decider)
    }
}

/// A model that does not fit the definitions is out of service until one that does is activated; the log stays true.
fn activate(decider: &mut Decider, activation: &Activation, stock: &Stock) {
    if let Err(error) = decider.activate(activation, |artifact| stock.prepared(artifact)) {
        tracing::error!(score = %activation.score, version = ?activation.version, %error, "model not put into service");
    }
}

/// As [`activate`], for a challenger.
fn try_model(decider: &mut Decider, trial: &Trial, stock: &Stock) {
    if let Err(error) = decider.try_model(trial, |artifact| stock.prepared(artifact)) {
        tracing::error!(score = %trial.score, version = ?trial.version, %error, "model not put on trial");
    }
}

/// What the worker does after an entry.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Next {
    /// Goes on.
    Continue,
    /// Rebuilds the state under the definitions that the entry brought.
    Rebuild,
}

/// One partition's state with what decides over it.
#[derive(Debug)]
pub(crate) struct Cell {
    pub(crate) state: PartitionState,
    pub(crate) decider: Decider,
    pub(crate) control: Control,
    /// What all cells of an engine share.
    pub(crate) stock: Arc<Stock>,
}

impl Cell {
    pub(crate) fn new(partition: PartitionId, partitions: u32, stock: &Arc<Stock>) -> Self {
        Self {
            state: PartitionState::new(partition, partitions),
            decider: Decider::empty(),
            control: Control::default(),
            stock: Arc::clone(stock),
        }
    }

    /// Applies the next entry; effects are added to `effects` with their place.
    pub(crate) fn apply(
        &mut self,
        offset: Offset,
        entry: Result<Entry, EntryError>,
        changes: &mut Changes,
        effects: &mut Vec<(Offset, u32, Effect)>,
    ) -> Next {
        let entry = match entry {
            Ok(entry) => entry,
            Err(error) => {
                self.state.apply_unreadable(offset, &error.to_string());
                return Next::Continue;
            }
        };
        self.control.take(&entry, &self.stock);
        let mut next = Next::Continue;
        let mut made = Vec::new();
        match &entry {
            Entry::Definitions(_) => next = Next::Rebuild,
            Entry::Activation(activation) => {
                activate(&mut self.decider, activation, &self.stock);
                self.decide_all(offset, &mut made);
            }
            Entry::Trial(trial) => {
                try_model(&mut self.decider, trial, &self.stock);
                self.decide_all(offset, &mut made);
            }
            _ => {}
        }
        changes.touched.clear();
        self.state.apply(offset, entry, self.decider.features(), changes);
        for touch in &changes.touched {
            self.decide(touch.slot, offset, touch.cause.as_deref(), &mut made);
        }
        self.fire_timers(offset, &mut made);
        effects.extend(made.into_iter().zip(0..).map(|(effect, index)| (offset, index, effect)));
        next
    }

    /// Decides anew over one profile and sets its timer.
    fn decide(&mut self, slot: u32, offset: Offset, message: Option<&str>, effects: &mut Vec<Effect>) {
        let cause = Cause { partition: self.state.partition(), offset, message };
        let due = self.decider.evaluate(self.state.profile_mut(slot), cause, effects);
        self.state.set_due(slot, due);
    }

    pub(crate) fn fire_timers(&mut self, offset: Offset, effects: &mut Vec<Effect>) {
        while let Some(slot) = self.state.take_due() {
            self.decide(slot, offset, None, effects);
        }
    }

    /// Decides anew over every profile, as after a new model or in a rebuild.
    pub(crate) fn decide_all(&mut self, offset: Offset, effects: &mut Vec<Effect>) {
        let slots: Vec<u32> = self.state.last_seen().map(|(slot, _)| slot).collect();
        for slot in slots {
            self.decide(slot, offset, None, effects);
        }
    }

    /// What a checkpoint writes.
    pub(crate) fn take_checkpoint(&mut self) -> CheckpointParts {
        let mut parts = self.state.take_checkpoint();
        parts.meta = self.control.encode(&parts.meta);
        parts
    }

    /// The first step of a restart; rows and chunks follow on `state`.
    pub(crate) fn restore_meta(&mut self, meta: &[u8]) -> Result<(), EngineError> {
        let partition = self.state.partition().0;
        if let Some(format) = meta.first().copied().filter(|format| *format > CONTROL_VERSION) {
            return Err(RestoreError::Newer { partition, format }.into());
        }
        let (control, meta) = Control::decode(meta, &self.stock).map_err(|_| RestoreError::Meta(partition))?;
        self.decider = control.decider(&self.stock)?;
        self.control = control;
        Ok(self.state.restore_meta(&meta)?)
    }

    /// One hash for each profile: its facts, and its segments and scores as of `at`, whatever moment they were last
    /// looked at.
    pub(crate) fn digests(&self, at: Timestamp) -> Vec<(String, [u8; 32])> {
        let partition = self.state.partition();
        let mut effects = Vec::new();
        let of = |profile: rapport_profile::ProfileRef<'_>| {
            let mut profile = profile.clone();
            let mut hasher = blake3::Hasher::new();
            profile.digest_facts(&mut hasher);
            profile.at = at;
            let cause = Cause { partition, offset: Offset(0), message: None };
            self.decider.evaluate(&mut profile, cause, &mut effects);
            effects.clear();
            // A word without a bit says as much as no word.
            for (place, bits) in profile.segments.iter().enumerate().filter(|(_, bits)| **bits != 0) {
                hasher.update(&(place as u32).to_le_bytes());
                hasher.update(&bits.to_le_bytes());
            }
            for score in &profile.scores {
                hasher.update(score.name.as_bytes());
                hasher.update(&score.model_version.to_le_bytes());
                hasher.update(&score.value.to_bits().to_le_bytes());
            }
            (profile.primary.to_string(), *hasher.finalize().as_bytes())
        };
        self.state.profiles().map(of).collect()
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
            let (control, meta) = Control::decode(&old, &stock).expect("reads");
            assert_eq!((control.definitions.as_ref(), &control.activations), (definitions.as_ref(), &activations));
            assert_eq!(meta, [7, 8]);
            assert_eq!(Control::decode(&control.encode(&meta), &stock).expect("reads"), (control, meta));
        }
    }
}
