//! The fold: what an entry of the log does to the state of its partition.
//!
//! Pure: its result depends on the state, the entry and the features alone. Time is the entry's.
//!
//! Identity. The home of an id is the partition that its text hashes to. A profile lives in the home of its primary id.
//! When an event says that an id of another home belongs to a profile here, a [`Link`] goes there; that partition gives
//! up the id, sends the profile that it had under it ([`Absorb`](rapport_types::Absorb)), and from then on passes events of that id on
//! ([`Forward`]). A known id never merges with another known one because they shared a device: the anonymous id then belongs
//! to the newer, and the one who had it is told ([`Unlink`]). The four are entries of the receiving partition's log, so a
//! replay there needs nothing else.
//!
//! What people joined is beside all that: see `joined`.
//!
//! What cannot be applied becomes a dead letter with its reason; nothing is dropped.

mod facts;
mod joined;
mod moving;

use rapport_types::{
    CustomerId, Entry, Event, EventKind, Forward, Link, Offset, Origin, PartitionId, Timestamp, Unlink, partition_of,
};

use self::facts::take_event;
use crate::{
    feature::FeatureSet,
    index::Target,
    ledger::DeadLetter,
    profile::{ATTRIBUTES_MAX, IDS_MAX, Profile},
    state::PartitionState,
};

/// After so many passings-on the partition of the smaller id takes the profile back: two ids that were each made an
/// alias of the other at the same moment then end in one place.
const HOPS_RECLAIM: u8 = 8;
/// After so many passings-on an entry becomes a dead letter.
const HOPS_MAX: u8 = 32;

/// What an entry changed.
#[derive(Debug, Default)]
pub struct Changes {
    /// Profiles whose decisions must be looked at again, with the message that caused it.
    pub touched: Vec<Touch>,
    /// Entries for other partitions' logs, in order.
    pub internal: Vec<(PartitionId, Entry)>,
}

/// A profile that an entry changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Touch {
    /// Its slot.
    pub slot: u32,
    /// The message id of the event; none for a merge.
    pub cause: Option<Box<str>>,
}

impl Changes {
    /// Empties it for the next entry, keeping its memory.
    pub fn clear(&mut self) {
        self.touched.clear();
        self.internal.clear();
    }

    /// The customers to whom the entry's event happened: the slot of one, or of each joined customer that the one it was sent for
    /// is part of. A repeat happened to nobody, and what another partition gets happens there.
    pub fn concerned(&self) -> impl Iterator<Item = u32> {
        self.touched.iter().filter(|touch| touch.cause.is_some()).map(|touch| touch.slot)
    }
}

impl PartitionState {
    /// Lets the partition's clock go on to an event.
    fn note_time(&mut self, event: &Event) {
        self.meta.watermark = self.meta.watermark.max(event.timestamp);
        // Within an hour of its receipt an event counts as live; a history that is played back does not.
        self.meta.live |= event.received_at.since(event.timestamp).0 <= rapport_types::HOUR_MS;
    }

    /// Applies the entry at `offset`, which must be the next one; `changes` is added to.
    ///
    /// Definitions, activations, trials and rollbacks change nothing here: whoever holds the compiled definitions and models acts
    /// on them.
    pub fn apply(&mut self, offset: Offset, entry: Entry, features: &FeatureSet, changes: &mut Changes) {
        assert_eq!(offset, self.meta.next, "entries are applied one after the other");
        self.meta.next = Offset(offset.0 + 1);
        let here = Place { partition: self.partition, offset };
        Step::new(self, features, changes, here, false).entry(entry);
    }

    /// Passes over an entry: one that another partition made and that was applied before, since a crash can make it stand twice, or one
    /// that a replay does not see.
    pub fn skip(&mut self, offset: Offset) {
        assert_eq!(offset, self.meta.next, "entries are applied one after the other");
        self.meta.next = Offset(offset.0 + 1);
    }

    /// Applies an entry that another partition made and that the log does not have: one that a crash kept out, or that a replay makes
    /// anew. `place` is the origin of what follows from it: for a rebuild the entry that caused it, for a training set where the
    /// replay is. Every such entry is given exactly once.
    pub fn apply_exchanged(&mut self, place: Place, entry: Entry, features: &FeatureSet, changes: &mut Changes) {
        Step::new(self, features, changes, place, true).entry(entry);
    }

    /// Notes an entry whose bytes do not decode.
    pub fn apply_unreadable(&mut self, offset: Offset, reason: &str) {
        assert_eq!(offset, self.meta.next, "entries are applied one after the other");
        self.meta.next = Offset(offset.0 + 1);
        let source = rapport_types::SourceId(0);
        self.meta.ledger.line(source).accepted += 1;
        self.meta.ledger.dead_letter(source, DeadLetter { offset, received_at: None, reason: reason.into() });
    }

    /// Counts entries of `from` up to and with `(offset, index)` as taken, as after a rebuild that made them itself.
    pub fn skip_internal(&mut self, from: PartitionId, offset: Offset, index: u32) {
        let seen = self.meta.seen.entry(from).or_insert((offset, index));
        *seen = (*seen).max((offset, index));
    }
}

/// A place in the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// The partition.
    pub partition: PartitionId,
    /// The offset there.
    pub offset: Offset,
}

/// One entry on its way.
struct Step<'a> {
    state: &'a mut PartitionState,
    features: &'a FeatureSet,
    changes: &'a mut Changes,
    here: Place,
    /// Whether it came past the log, in a rebuild.
    exchanged: bool,
    made: u32,
    /// Profiles whose ids changed or that took another in; parts of joined customers among them have to be told.
    grown: Vec<u32>,
    /// Joined customers named here whose parts changed, with the message that caused it.
    stale: Vec<(CustomerId, Option<Box<str>>)>,
}

impl<'a> Step<'a> {
    fn new(
        state: &'a mut PartitionState,
        features: &'a FeatureSet,
        changes: &'a mut Changes,
        here: Place,
        exchanged: bool,
    ) -> Self {
        Self { state, features, changes, here, exchanged, made: 0, grown: Vec::new(), stale: Vec::new() }
    }

    fn entry(mut self, entry: Entry) {
        let step = &mut self;
        match entry {
            Entry::Event(event) => step.event(event),
            Entry::Forward(forward) => step.forwarded(forward),
            Entry::Link(link) => step.link(link),
            Entry::Absorb(absorb) => step.absorb(&absorb),
            Entry::Unlink(unlink) => step.unlink(unlink),
            Entry::Joined(joined) => step.joined(&joined),
            Entry::Mark(mark) => step.mark(mark),
            Entry::Share(share) => step.share(&share),
            Entry::Relay(relay) => step.relay(*relay),
            Entry::Tick(at) => {
                if step.state.meta.live {
                    step.state.meta.watermark = step.state.meta.watermark.max(at);
                }
            }
            Entry::Definitions(_) | Entry::Activation(_) | Entry::Trial(_) | Entry::Rollback(_) => {}
        }
        step.settle_joined();
    }

    fn event(&mut self, event: Event) {
        let key = event.message_key();
        let line = self.state.meta.ledger.line(event.source);
        line.accepted += 1;
        if !self.state.dedup.insert(key, event.received_at) {
            self.state.meta.ledger.line(event.source).deduplicated += 1;
            return;
        }
        let id = event.routing_id();
        self.place_event(event, id, key as u64, 0, self.here);
    }

    fn forwarded(&mut self, forward: Forward) {
        if self.is_new(forward.origin) {
            // The event itself stands where the forward comes from.
            let at = Place { partition: forward.origin.partition, offset: forward.origin.offset };
            let tie = forward.event.message_key() as u64;
            self.place_event(forward.event, forward.to, tie, forward.hops, at);
        }
    }

    /// Whether an internal entry was not taken before; notes it.
    fn is_new(&mut self, origin: Origin) -> bool {
        if self.exchanged {
            return true;
        }
        let position = (origin.offset, origin.index);
        if self.state.meta.seen.get(&origin.partition).is_some_and(|seen| *seen >= position) {
            return false;
        }
        self.state.meta.seen.insert(origin.partition, position);
        true
    }

    /// Finds the profile of `id` and applies the event to it, or passes the event on.
    fn place_event(&mut self, event: Event, id: CustomerId, tie: u64, hops: u8, from: Place) {
        let slot = match self.state.target(&id) {
            Some(Target::Local(slot)) => slot,
            None => self.create(&id),
            Some(Target::Remote(row)) => {
                let to = self.state.moved_row(row).to.clone();
                if hops >= HOPS_MAX {
                    self.dead_letter(&event, "its customer's ids lead round in circles");
                    return;
                }
                if hops < HOPS_RECLAIM || id > to {
                    let home = partition_of(&to, self.state.partitions);
                    let origin = self.origin();
                    self.changes.internal.push((home, Entry::Forward(Forward { origin, to, event, hops: hops + 1 })));
                    return;
                }
                self.reclaim(id, to, event.timestamp)
            }
        };
        if let Some(reason) = self.refusal(slot, &event) {
            self.dead_letter(&event, reason);
            return;
        }
        self.apply_to(slot, event, tie, from);
    }

    fn create(&mut self, id: &CustomerId) -> u32 {
        let slot = self.state.add_profile(Profile::new(id.clone()));
        self.state.lead_here(id, slot);
        self.tie_if_joined(slot, id);
        slot
    }

    /// Ends a circle of two ids that lead to each other: the smaller one keeps the profile.
    fn reclaim(&mut self, id: CustomerId, to: CustomerId, at: Timestamp) -> u32 {
        let slot = self.create(&id);
        self.send_link(to, id, at);
        slot
    }

    fn origin(&mut self) -> Origin {
        let origin = Origin { partition: self.here.partition, offset: self.here.offset, index: self.made };
        self.made += 1;
        origin
    }

    fn send_link(&mut self, id: CustomerId, to: CustomerId, at: Timestamp) {
        let home = partition_of(&id, self.state.partitions);
        let origin = self.origin();
        self.changes.internal.push((home, Entry::Link(Link { origin, id, to, at, hops: 0 })));
    }

    fn dead_letter(&mut self, event: &Event, reason: &str) {
        let letter =
            DeadLetter { offset: self.here.offset, received_at: Some(event.received_at), reason: reason.into() };
        self.state.meta.ledger.dead_letter(event.source, letter);
    }

    /// Why the event cannot be applied, looked at before anything is changed.
    fn refusal(&self, slot: u32, event: &Event) -> Option<&'static str> {
        let profile = self.state.profile(slot);
        if profile.ids.len() >= IDS_MAX && matches!(event.kind, EventKind::Alias) {
            return Some("its customer has 500 ids already");
        }
        if event.kind == EventKind::Identify {
            let new = event.properties.iter().filter(|(name, _)| !profile.has_slot_for(name)).count();
            if profile.attribute_count() + new > ATTRIBUTES_MAX {
                return Some("its customer would have more than 500 attributes");
            }
        }
        None
    }

    fn apply_to(&mut self, slot: u32, event: Event, tie: u64, from: Place) {
        self.state.note_time(&event);
        let slot = self.join_ids(slot, &event);
        take_event(self.state.profile_mut(slot), self.features, &event, tie, from);
        self.state.meta.ledger.line(event.source).applied += 1;
        if self.state.is_part(slot) {
            self.tell(slot, Some((&event, from)));
        } else {
            self.changes.touched.push(Touch { slot, cause: Some(event.message_id) });
        }
    }

    /// Joins the other id of an event, if it has one, to the profile; the slot that survives.
    fn join_ids(&mut self, slot: u32, event: &Event) -> u32 {
        let at = event.timestamp;
        if let (Some(_), Some(anonymous)) = (&event.user_id, &event.anonymous_id) {
            self.join(slot, CustomerId::Anonymous(anonymous.clone()), at, true);
        }
        if let (EventKind::Alias, Some(previous)) = (event.kind, &event.previous_id) {
            let previous = self.known_or_anonymous(slot, previous);
            self.join(slot, previous, at, false);
        }
        slot
    }

    /// `previousId` may be either kind: the anonymous one if that is what is known of it, else a known one.
    fn known_or_anonymous(&self, slot: u32, previous: &str) -> CustomerId {
        let user = CustomerId::User(previous.into());
        let anonymous = CustomerId::Anonymous(previous.into());
        let has_user = self.state.target(&user).is_some() || self.state.profile(slot).ids.contains(&user);
        let has_anonymous = self.state.target(&anonymous).is_some();
        if has_anonymous && !has_user { anonymous } else { user }
    }

    /// Leads `id` to the profile in `slot`. A `claim` (an anonymous id beside a known one) never merges known people.
    fn join(&mut self, slot: u32, id: CustomerId, at: Timestamp, claim: bool) {
        let primary = self.state.profile(slot).primary.clone();
        if !self.state.is_home_of(&id) {
            if self.state.profile(slot).ids.len() < IDS_MAX && self.state.profile_mut(slot).add_id(id.clone()) {
                self.grown.push(slot);
                self.send_link(id, primary, at);
            }
            return;
        }
        match self.state.target(&id) {
            Some(Target::Local(other)) if other == slot => return,
            Some(Target::Local(other)) => {
                let keeps_its_own = claim && self.state.profile(other).primary.is_known();
                if keeps_its_own {
                    self.forget_id(other, &id);
                } else {
                    self.merge_local(slot, other, at);
                }
            }
            Some(Target::Remote(row)) => {
                let to = self.state.moved_row(row).to.clone();
                if claim {
                    self.send_unlink(id.clone(), to, primary.clone(), at);
                } else if to != primary {
                    self.send_link(to, primary.clone(), at);
                }
            }
            None => {}
        }
        self.state.lead_here(&id, slot);
        self.tie_if_joined(slot, &id);
        self.state.profile_mut(slot).add_id(id);
        self.grown.push(slot);
    }

    fn forget_id(&mut self, slot: u32, id: &CustomerId) {
        self.state.take_id(slot, id);
        self.grown.push(slot);
    }

    /// Merges the profile in `other` into the one in `slot`, both here.
    fn merge_local(&mut self, slot: u32, other: u32, at: Timestamp) {
        let other = self.state.remove_profile(other);
        let primary = self.state.profile(slot).primary.clone();
        for id in &other.ids {
            if self.state.is_home_of(id) {
                self.state.lead_here(id, slot);
            } else {
                self.send_link(id.clone(), primary.clone(), at);
            }
        }
        self.state.merge(slot, other, self.features);
    }

    /// Gives up an id whose home is here to a profile elsewhere.
    fn link(&mut self, link: Link) {
        if !self.is_new(link.origin) {
            return;
        }
        match self.state.target(&link.id) {
            None => {
                self.mark_if_joined(&link.id, &link.to);
                self.state.lead_away(link.id, link.to);
            }
            Some(Target::Remote(row)) => {
                let known = self.state.moved_row(row).to.clone();
                if known == link.to {
                    return;
                }
                if link.id.is_known() {
                    self.send_link(known, link.to.clone(), link.at);
                } else {
                    self.send_unlink(link.id.clone(), known, link.to.clone(), link.at);
                }
                self.state.lead_away(link.id, link.to);
            }
            Some(Target::Local(slot)) => self.give_up(slot, link),
        }
    }

    fn send_unlink(&mut self, id: CustomerId, from: CustomerId, to: CustomerId, at: Timestamp) {
        let home = partition_of(&from, self.state.partitions);
        let origin = self.origin();
        self.changes.internal.push((home, Entry::Unlink(Unlink { origin, id, from, to, at, hops: 0 })));
    }

    /// Forgets an id that a newer claim took away, so that the next event with both ids is a claim again.
    fn unlink(&mut self, unlink: Unlink) {
        if !self.is_new(unlink.origin) {
            return;
        }
        match self.state.target(&unlink.from) {
            Some(Target::Local(slot)) => {
                let profile = self.state.profile(slot);
                // Where the two were merged the id did not go anywhere.
                let has_it_still = profile.ids.contains(&unlink.to) || profile.primary == unlink.id;
                drop(profile);
                if !has_it_still {
                    self.forget_id(slot, &unlink.id);
                }
            }
            Some(Target::Remote(row)) if unlink.hops < HOPS_MAX => {
                let from = self.state.moved_row(row).to.clone();
                let (home, origin) = (partition_of(&from, self.state.partitions), self.origin());
                let passed_on = Unlink { origin, from, hops: unlink.hops + 1, ..unlink };
                self.changes.internal.push((home, Entry::Unlink(passed_on)));
            }
            // Nobody who could still think that it has the id.
            Some(Target::Remote(_)) | None => {}
        }
    }
}
