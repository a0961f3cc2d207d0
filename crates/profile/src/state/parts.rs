//! Which profiles are parts of joined customers. What follows from facts is the joined customer's: a part has no timer, and nothing is
//! awaited of it.

use super::PartitionState;
use crate::{
    awaited::Awaited,
    feature::FeatureSet,
    profile::{Part, Profile, Tie},
};

impl PartitionState {
    /// Whether a profile is part of a joined customer.
    pub(crate) fn is_part(&self, slot: u32) -> bool {
        self.slot(slot).head().is_some()
    }

    /// The joined ids that lead to a profile.
    pub(crate) fn ties(&self, slot: u32) -> Vec<Tie> {
        match self.slot(slot).part() {
            Part::Of(ties) => ties.clone(),
            Part::Whole | Part::Joint => Vec::new(),
        }
    }

    /// Makes a profile part of joined customers, or a customer by itself again. Nothing is decided of a part, so it has no timer.
    pub(crate) fn set_ties(&mut self, slot: u32, ties: Vec<Tie>) {
        self.parts -= usize::from(self.is_part(slot));
        self.profile_mut(slot).part = if ties.is_empty() { Part::Whole } else { Part::Of(ties) };
        if self.is_part(slot) {
            self.parts += 1;
            self.set_due(slot, None);
            self.await_nothing(slot);
        }
    }

    /// Of a part nobody looks for outcomes; once it is none any more it would seem that none had come.
    fn await_nothing(&mut self, slot: u32) {
        if !self.profile(slot).awaited.is_empty() {
            let void = std::mem::take(&mut self.profile_mut(slot).awaited);
            self.make_void(void);
        }
    }

    pub(crate) fn make_void(&mut self, awaited: Vec<Awaited>) {
        self.void.extend(awaited);
    }

    /// Moments that are awaited no more since customers were joined or taken apart.
    pub fn take_void(&mut self) -> Vec<Awaited> {
        std::mem::take(&mut self.void)
    }

    /// Takes everything of `other` into the profile of a slot, what it is part of too.
    pub(crate) fn merge(&mut self, slot: u32, mut other: Profile, features: &FeatureSet) {
        let part = std::mem::take(&mut other.part);
        self.profile_mut(slot).merge(other, features);
        if let Part::Of(more) = part {
            let mut ties = self.ties(slot);
            ties.extend(more);
            ties.sort();
            ties.dedup_by(|next, known| next.id == known.id);
            self.set_ties(slot, ties);
        } else if self.is_part(slot) {
            self.await_nothing(slot);
        }
    }
}
