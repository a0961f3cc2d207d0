//! One partition's state together with the definitions and models in force: the whole fold of the design,
//! `apply(state, entry, definitions) -> (state', effects)`. Pure but for nothing; the worker around it does the I/O.

use std::sync::Arc;

use rapport_decide::{Cause, Decider, Effect, Heard};
use rapport_profile::{Changes, CheckpointParts, PartitionState, Place, RestoreError};
use rapport_types::{Entry, EntryError, Offset, PartitionId, Timestamp};

use crate::{
    EngineError,
    control::{Control, put_into_force},
    stock::Stock,
};

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
        if matches!(entry, Entry::Definitions(_)) {
            next = Next::Rebuild;
        }
        if put_into_force(&mut self.decider, &entry, &self.stock, true) {
            self.decide_all(offset, &mut made);
        }
        changes.touched.clear();
        let heard = self.hear(&entry);
        self.state.apply(offset, entry, self.decider.features(), changes);
        self.forget_void();
        self.heed(&heard, changes);
        for touch in &changes.touched {
            self.decide(touch.slot, offset, touch.cause.as_deref(), &mut made);
        }
        self.fire_timers(offset, &mut made);
        effects.extend(made.into_iter().zip(0..).map(|(effect, index)| (offset, index, effect)));
        next
    }

    /// What an entry is to the models that learn.
    fn hear(&self, entry: &Entry) -> Heard {
        entry.event().map_or_else(Heard::default, |event| self.decider.hear(event))
    }

    /// Tells the models of moments that nobody waits for any more.
    fn forget_void(&mut self) {
        for awaited in self.state.take_void() {
            self.decider.forget(&awaited);
        }
    }

    /// Lets the models learn from an event that was applied.
    fn heed(&mut self, heard: &Heard, changes: &Changes) {
        if heard.is_nothing() {
            return;
        }
        for slot in changes.concerned() {
            self.decider.heed(heard, self.state.profile_mut(slot));
        }
    }

    /// The next entry of a replay that decides at its end: what it does to facts, and to what models learn.
    pub(crate) fn refold(&mut self, offset: Offset, entry: Entry, changes: &mut Changes) {
        // Those that are in force at the end are put into force once more, and then it is told if they do not fit.
        put_into_force(&mut self.decider, &entry, &self.stock, false);
        changes.touched.clear();
        let heard = self.hear(&entry);
        self.state.apply(offset, entry, self.decider.features(), changes);
        self.learn(&heard, changes);
    }

    /// As [`Self::refold`], for an entry that a crash kept out of the log.
    pub(crate) fn refold_exchanged(&mut self, root: Place, entry: Entry, changes: &mut Changes) {
        changes.touched.clear();
        let heard = self.hear(&entry);
        self.state.apply_exchanged(root, entry, self.decider.features(), changes);
        self.learn(&heard, changes);
    }

    /// What models learn from an entry of a replay. Of the timers only those of outcomes are set.
    fn learn(&mut self, heard: &Heard, changes: &Changes) {
        self.forget_void();
        if !self.decider.learns() {
            return;
        }
        self.heed(heard, changes);
        for touch in &changes.touched {
            self.wait_for_outcomes(touch.slot);
        }
        while let Some((slot, due)) = self.state.take_due() {
            self.decider.let_go(self.state.profile_mut(slot), due);
            self.wait_for_outcomes(slot);
        }
    }

    fn wait_for_outcomes(&mut self, slot: u32) {
        let due = self.decider.next_due(self.state.profile_mut(slot));
        self.state.set_due(slot, due);
    }

    /// Decides anew over one profile and sets its timer.
    fn decide(&mut self, slot: u32, offset: Offset, message: Option<&str>, effects: &mut Vec<Effect>) {
        let cause = Cause { partition: self.state.partition(), offset, message };
        let due = self.decider.evaluate(self.state.profile_mut(slot), cause, effects);
        self.state.set_due(slot, due);
    }

    pub(crate) fn fire_timers(&mut self, offset: Offset, effects: &mut Vec<Effect>) {
        while let Some((slot, due)) = self.state.take_due() {
            self.decider.let_go(self.state.profile_mut(slot), due);
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
        parts.meta = self.control.encode(&self.decider.learnt(), &parts.meta);
        parts
    }

    /// The first step of a restart; rows and chunks follow on `state`.
    pub(crate) fn restore_meta(&mut self, meta: &[u8]) -> Result<(), EngineError> {
        let partition = self.state.partition().0;
        if let Some(format) = Control::newer(meta) {
            return Err(RestoreError::Newer { partition, format }.into());
        }
        let damaged = || RestoreError::Meta(partition);
        let (control, learnt, meta) = Control::decode(meta, &self.stock).map_err(|_| damaged())?;
        self.decider = control.decider(&self.stock)?;
        self.decider.restore_learnt(learnt).map_err(|_| damaged())?;
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
