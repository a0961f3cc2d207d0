//! Customers whom people joined, and take apart again.
//!
//! A [`Joined`] names ids that are one customer. The profiles that the ids lead to become its parts: they are not seen by themselves any
//! more, but the fold goes on with them as if nobody had joined them. Whoever is at home where the first id is puts the customer
//! together from its parts, and again whenever one of them changes: facts are a function of the set of events, so parts together
//! are what their events together would have made. A part elsewhere tells of itself by [`Share`] (all of it) and [`Relay`] (an event).
//! Taking apart is therefore exact: each part is, byte for byte, what a log without the joining would have made.

use std::collections::BTreeMap;

use rapport_types::{CustomerId, Entry, Event, Joined, Mark, Relay, Share, partition_of};

use super::{HOPS_MAX, Place, Step, Touch, facts::take_event};
use crate::{
    index::Target,
    profile::{Part, Profile, Tie},
};

impl Step<'_> {
    pub(super) fn joined(&mut self, joined: &Joined) {
        let Some(first) = joined.ids.first() else { return };
        self.state.meta.watermark = self.state.meta.watermark.max(joined.at);
        let head = (joined.ids.len() > 1).then_some(first);
        let here: Vec<&CustomerId> = joined.ids.iter().filter(|id| self.state.is_home_of(id)).collect();
        for id in &here {
            if head != Some(*id) {
                self.dissolve(id);
            }
        }
        let news: Vec<&CustomerId> = here.into_iter().filter(|id| self.state.joints.set(id, head)).collect();
        if let Some(head) = head
            && let Some(seat) = self.state.joints.seat_or_new(head)
        {
            seat.set_ids(&joined.ids);
            self.stale.push((head.clone(), None));
        }
        for id in news {
            self.mark_what_it_leads_to(id.clone(), head.cloned());
        }
    }

    /// Ceases to show a joined customer. Whoever is called as it was goes on from what was last said of it.
    fn dissolve(&mut self, head: &CustomerId) {
        let Some(slot) = self.state.joints.unseat(head).and_then(|seat| seat.slot) else { return };
        let mut joint = self.state.remove_profile(slot);
        self.state.make_void(std::mem::take(&mut joint.awaited));
        if let Some(Target::Local(slot)) = self.state.target(head) {
            self.state.profile_mut(slot).take_decisions(&joint);
        }
    }

    fn mark_what_it_leads_to(&mut self, id: CustomerId, head: Option<CustomerId>) {
        match self.state.target(&id) {
            Some(Target::Local(slot)) => self.tie(slot, id, head),
            Some(Target::Remote(row)) => {
                let to = self.state.moved_row(row).to.clone();
                self.send_mark(id, head, to, 0);
            }
            // Whoever makes or meets its profile looks whether it is joined.
            None => {}
        }
    }

    fn send_mark(&mut self, id: CustomerId, head: Option<CustomerId>, to: CustomerId, hops: u8) {
        let (home, origin) = (partition_of(&to, self.state.partitions), self.origin());
        self.changes.internal.push((home, Entry::Mark(Mark { origin, id, head, to, hops })));
    }

    pub(super) fn mark(&mut self, mark: Mark) {
        if !self.is_new(mark.origin) {
            return;
        }
        match self.state.target(&mark.to) {
            Some(Target::Local(slot)) => self.tie(slot, mark.id, mark.head),
            Some(Target::Remote(row)) if mark.hops < HOPS_MAX => {
                let to = self.state.moved_row(row).to.clone();
                self.send_mark(mark.id, mark.head, to, mark.hops + 1);
            }
            Some(Target::Remote(_)) | None => {}
        }
    }

    /// Makes a profile part of the customer that `id`, which leads to it, is joined to; of none, if that is over.
    fn tie(&mut self, slot: u32, id: CustomerId, head: Option<CustomerId>) {
        let mut ties = self.state.ties(slot);
        let (before, was_part) = (ties.clone(), !ties.is_empty());
        ties.retain(|tie| tie.id != id);
        ties.extend(head.map(|head| Tie { id, head }));
        ties.sort();
        if ties == before {
            return;
        }
        let is_part = !ties.is_empty();
        self.state.set_ties(slot, ties);
        if is_part {
            self.grown.push(slot);
        } else if was_part {
            self.changes.touched.push(Touch { slot, cause: None });
        }
    }

    /// Ties an id that was joined before its profile was known to it.
    pub(super) fn tie_if_joined(&mut self, slot: u32, id: &CustomerId) {
        if let Some(head) = self.state.joints.head_of(id).cloned() {
            self.tie(slot, id.clone(), Some(head));
        }
    }

    /// As [`Self::tie_if_joined`], for an id that leads to a profile elsewhere.
    pub(super) fn mark_if_joined(&mut self, id: &CustomerId, to: &CustomerId) {
        if let Some(head) = self.state.joints.head_of(id).cloned() {
            self.send_mark(id.clone(), Some(head), to.clone(), 0);
        }
    }

    /// Tells those who put customers together of a part: that it had an event, or all of it.
    pub(super) fn tell(&mut self, slot: u32, event: Option<(&Event, Place)>) {
        let mut by_head: BTreeMap<CustomerId, Vec<CustomerId>> = BTreeMap::new();
        for tie in self.state.ties(slot) {
            by_head.entry(tie.head).or_default().push(tie.id);
        }
        for (head, ids) in by_head {
            if self.state.is_home_of(&head) {
                let profile = self.state.profile(slot).clone();
                self.put(&head, &ids, profile);
                self.stale.push((head, event.map(|(event, _)| event.message_id.clone())));
                continue;
            }
            let (home, origin) = (partition_of(&head, self.state.partitions), self.origin());
            let profile = self.state.profile(slot);
            let (part, at, ids) = (profile.primary.clone(), profile.last_seen, ids.into());
            let entry = match event {
                Some((event, place)) => {
                    let (event, stands) = (event.clone(), (place.partition, place.offset));
                    Entry::Relay(Box::new(Relay { origin, head, ids, part, event, stands }))
                }
                None => {
                    let (profile, definitions) = (profile.encode().into(), self.features.fingerprint());
                    Entry::Share(Box::new(Share { origin, head, ids, part, profile, definitions, at }))
                }
            };
            drop(profile);
            self.changes.internal.push((home, entry));
        }
    }

    fn put(&mut self, head: &CustomerId, ids: &[CustomerId], profile: Profile) {
        let seat = self.state.joints.seat_mut(head);
        if let Some(piece) = seat.and_then(|seat| seat.piece(&profile.primary, ids)) {
            piece.profile = profile.with_part(Part::Whole);
        }
    }

    pub(super) fn share(&mut self, share: &Share) {
        if !self.is_new(share.origin) {
            return;
        }
        self.state.meta.watermark = self.state.meta.watermark.max(share.at);
        let Some(seat) = self.state.joints.seat_mut(&share.head) else { return };
        let Some(piece) = seat.piece(&share.part, &share.ids) else { return };
        // Under other definitions its series say nothing here; events go on.
        if share.definitions == self.features.fingerprint()
            && let Some(profile) = Profile::decode(&share.profile)
        {
            piece.profile = profile.with_part(Part::Whole);
        }
        self.stale.push((share.head.clone(), None));
    }

    pub(super) fn relay(&mut self, relay: Relay) {
        if !self.is_new(relay.origin) {
            return;
        }
        self.state.note_time(&relay.event);
        let Some(seat) = self.state.joints.seat_mut(&relay.head) else { return };
        let Some(piece) = seat.piece(&relay.part, &relay.ids) else { return };
        let (partition, offset) = relay.stands;
        let tie = relay.event.message_key() as u64;
        take_event(&mut piece.profile, self.features, &relay.event, tie, Place { partition, offset });
        self.stale.push((relay.head, Some(relay.event.message_id)));
    }

    /// The end of every entry: parts that changed are told, and customers put together of parts that changed.
    pub(super) fn settle_joined(&mut self) {
        let mut grown = std::mem::take(&mut self.grown);
        grown.sort_unstable();
        grown.dedup();
        for slot in grown {
            if self.state.has(slot) {
                self.tell(slot, None);
            }
        }
        let mut stale = std::mem::take(&mut self.stale);
        stale.sort_by(|(head, cause), (other, by)| (head, cause.is_none()).cmp(&(other, by.is_none())));
        stale.dedup_by(|next, known| next.0 == known.0 && next.1.is_none());
        for (head, cause) in stale {
            self.put_together(&head, cause);
        }
    }

    fn put_together(&mut self, head: &CustomerId, cause: Option<Box<str>>) {
        let Some(seat) = self.state.joints.seat(head) else { return };
        let mut joint = Profile::new(head.clone()).with_part(Part::Joint);
        let known = seat.slot;
        for id in &seat.ids {
            joint.add_id(id.clone());
        }
        for piece in &seat.pieces {
            joint.merge(piece.profile.clone(), self.features);
        }
        let slot = match known {
            Some(slot) if seat.pieces.is_empty() => {
                let joint = self.state.remove_profile(slot);
                self.state.make_void(joint.awaited);
                self.set_slot(head, None);
                return;
            }
            None if seat.pieces.is_empty() => return,
            Some(slot) => {
                let known = self.state.profile_mut(slot);
                joint.take_decisions(known);
                joint.awaited = std::mem::take(&mut known.awaited);
                (joint.due, joint.at) = (known.due, joint.at.max(known.at));
                *known = joint;
                slot
            }
            None => {
                if let Some(Target::Local(slot)) = self.state.target(head) {
                    joint.take_decisions(&self.state.profile(slot));
                }
                let slot = self.state.add_profile(joint);
                self.set_slot(head, Some(slot));
                slot
            }
        };
        self.changes.touched.push(Touch { slot, cause });
    }

    fn set_slot(&mut self, head: &CustomerId, slot: Option<u32>) {
        if let Some(seat) = self.state.joints.seat_mut(head) {
            seat.slot = slot;
        }
    }
}
