//! Profiles that move from one partition to another: how they leave, and how they are taken in.

use rapport_types::{Absorb, CustomerId, Entry, Link, Timestamp, partition_of};

use super::{HOPS_MAX, HOPS_RECLAIM, Step, Touch};
use crate::{index::Target, ledger::DeadLetter, profile::Profile};

impl Step<'_> {
    /// Gives up an id that leads to a profile here: the whole profile, unless an anonymous id goes from one known person to another.
    pub(super) fn give_up(&mut self, slot: u32, link: Link) {
        let profile = self.state.profile(slot);
        if profile.primary == link.to {
            return;
        }
        let only_the_id = !link.id.is_known() && profile.primary.is_known();
        drop(profile);
        if only_the_id {
            self.forget_id(slot, &link.id);
            self.state.lead_away(link.id, link.to);
            return;
        }
        let profile = self.state.remove_profile(slot);
        for id in &profile.ids {
            if self.state.is_home_of(id) {
                self.state.lead_away(id.clone(), link.to.clone());
            } else {
                self.send_link(id.clone(), link.to.clone(), link.at);
            }
        }
        self.send_absorb(link.to, profile.encode().into(), link.at, 0);
    }

    fn send_absorb(&mut self, into: CustomerId, profile: Box<[u8]>, at: Timestamp, hops: u8) {
        let home = partition_of(&into, self.state.partitions);
        let origin = self.origin();
        let definitions = self.features.fingerprint();
        self.changes.internal.push((home, Entry::Absorb(Absorb { origin, into, profile, definitions, at, hops })));
    }

    /// Takes in a profile that another partition gave up.
    pub(super) fn absorb(&mut self, absorb: &Absorb) {
        if !self.is_new(absorb.origin) {
            return;
        }
        let slot = match self.state.target(&absorb.into) {
            Some(Target::Local(slot)) => slot,
            None => self.create(&absorb.into),
            Some(Target::Remote(row)) => {
                let to = self.state.moved_row(row).to.clone();
                if absorb.hops < HOPS_RECLAIM || (absorb.into > to && absorb.hops < HOPS_MAX) {
                    self.send_absorb(to, absorb.profile.clone(), absorb.at, absorb.hops + 1);
                    return;
                }
                self.reclaim(absorb.into.clone(), to, absorb.at)
            }
        };
        let profile = Profile::decode(&absorb.profile).filter(|_| absorb.definitions == self.features.fingerprint());
        let Some(mut profile) = profile else {
            let reason = "a profile from another partition was encoded under other definitions; rebuild the state";
            let source = rapport_types::SourceId(0);
            let letter = DeadLetter { offset: self.here.offset, received_at: None, reason: reason.into() };
            self.state.meta.ledger.line(source).accepted += 1;
            self.state.meta.ledger.dead_letter(source, letter);
            return;
        };
        self.settle_ids(slot, &mut profile);
        self.state.merge(slot, profile, self.features);
        if self.state.is_part(slot) {
            self.grown.push(slot);
        } else {
            self.changes.touched.push(Touch { slot, cause: None });
        }
    }

    /// Leads the ids of a profile that arrives, as far as their home is here, to where it is taken in. Those that belong to
    /// somebody else by now it loses.
    fn settle_ids(&mut self, slot: u32, profile: &mut Profile) {
        let ids = std::mem::take(&mut profile.ids);
        let is_itself = |to: &CustomerId| ids.contains(to) || self.state.profile(slot).ids.contains(to);
        let stays = |id: &CustomerId| match self.state.target(id) {
            _ if !self.state.is_home_of(id) => true,
            Some(Target::Local(other)) => other == slot,
            Some(Target::Remote(row)) => is_itself(&self.state.moved_row(row).to),
            None => true,
        };
        profile.ids = ids.iter().filter(|id| stays(id)).cloned().collect();
        for id in &profile.ids {
            if self.state.is_home_of(id) {
                self.state.lead_here(id, slot);
            }
        }
    }
}
