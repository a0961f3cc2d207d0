//! The state of one partition: its profiles, and what the fold needs to know besides.
//!
//! It is a cache of the log. [`crate::PartitionState::apply`] (in `fold`) is its only way forward; `take_checkpoint`
//! and the `restore_*` functions carry it over a restart.
//!
//! Invariants:
//! - Every id whose home is this partition and that was ever seen is in `index`: it leads to a profile here that has it, or
//!   to the id of one elsewhere.
//! - Every id of a profile here whose home is here leads to it, so that a restart needs nothing else to lead it. No id is in two profiles.
//! - A slot's number is never used again, so a row's key in a checkpoint always means the same profile.

mod parts;

use std::collections::{BTreeMap, BTreeSet};

use rapport_types::{CustomerId, CustomerIdRef, Offset, PartitionId, Timestamp, partition_of};
use serde::{Deserialize, Serialize};
use smallvec::SmallVec;

use crate::{
    awaited::Awaited,
    dedup::{Dedup, DedupChunk},
    index::{Index, Target},
    joints::{JOINED_KEYS, Joints},
    ledger::Ledger,
    profile::{self, Part, Profile},
    slot::{ProfileRef, Slot, Summary, Unusable},
};

/// Row keys from here on are ids that moved to another partition; below are joined ids, and below these profiles.
const MOVED_KEYS: u64 = 1 << 63;

/// An id whose profile lives in another partition.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Moved {
    pub(crate) id: CustomerId,
    pub(crate) to: CustomerId,
}

/// What is small enough to be written whole with each checkpoint.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub(crate) struct Meta {
    /// The next entry to apply.
    pub(crate) next: Offset,
    /// The newest time of an entry: the partition's clock.
    pub(crate) watermark: Timestamp,
    /// Whether events come as they happen (rather than from the past), so that time goes on by itself.
    pub(crate) live: bool,
    /// The newest entry that was taken from each other partition.
    pub(crate) seen: BTreeMap<PartitionId, (Offset, u32)>,
    pub(crate) ledger: Ledger,
    /// How many slots and moved rows were ever given out.
    slots: u64,
    moved: u64,
}

/// What a checkpoint writes, all in one transaction.
#[derive(Debug, Clone, PartialEq)]
pub struct CheckpointParts {
    /// The next entry to apply.
    pub next: Offset,
    /// Clock, ledger and counters.
    pub meta: Vec<u8>,
    /// Rows to write, by key.
    pub changed: Vec<(u64, Vec<u8>)>,
    /// How many rows there are then.
    pub rows: u64,
    /// Rows to take away.
    pub deleted: Vec<u64>,
    /// Message keys to add.
    pub chunks: Vec<DedupChunk>,
    /// Chunks that expired by then can be taken away.
    pub forget_before: Timestamp,
}

/// Bytes of a checkpoint that this version cannot read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RestoreError {
    /// A row that is not as it was written.
    #[error("row {key} of the checkpoint of partition {partition} is damaged")]
    Row {
        /// The partition.
        partition: u32,
        /// The row's key.
        key: u64,
    },
    /// Clock, ledger and counters that do not decode.
    #[error("the head of the checkpoint of partition {0} is damaged")]
    Meta(u32),
    /// A profile of a version that cannot be read without its definitions.
    #[error(
        "the checkpoint of partition {partition} has profiles of format {format}, which only the log can bring up to date"
    )]
    Older {
        /// The partition.
        partition: u32,
        /// The format.
        format: u8,
    },
    /// Written by a newer program.
    #[error("the checkpoint of partition {partition} has format {format}, which this version of Rapport does not know")]
    Newer {
        /// The partition.
        partition: u32,
        /// The format.
        format: u8,
    },
}

/// The state of one partition.
#[derive(Debug)]
pub struct PartitionState {
    pub(crate) partition: PartitionId,
    pub(crate) partitions: u32,
    pub(crate) meta: Meta,
    slots: Vec<Option<Slot>>,
    pub(crate) moved: Vec<Option<Moved>>,
    index: Index,
    pub(crate) dedup: Dedup,
    timers: BTreeSet<(Timestamp, u32)>,
    dirty: Vec<u32>,
    dirty_moved: BTreeSet<u32>,
    deleted: Vec<u32>,
    hot: usize,
    count: usize,
    /// Profiles that are parts of joined customers.
    parts: usize,
    pub(crate) joints: Joints,
    /// Moments that nobody waits for any more, until [`Self::take_void`]. Not kept in a checkpoint: each entry's are taken.
    void: Vec<Awaited>,
}

impl PartitionState {
    /// The state before the first entry.
    pub fn new(partition: PartitionId, partitions: u32) -> Self {
        let meta = Meta { watermark: Timestamp::MIN, ..Meta::default() };
        Self {
            partition,
            partitions,
            meta,
            slots: Vec::new(),
            moved: Vec::new(),
            index: Index::default(),
            dedup: Dedup::default(),
            timers: BTreeSet::new(),
            dirty: Vec::new(),
            dirty_moved: BTreeSet::new(),
            deleted: Vec::new(),
            hot: 0,
            count: 0,
            parts: 0,
            joints: Joints::default(),
            void: Vec::new(),
        }
    }

    /// Which partition it is.
    pub fn partition(&self) -> PartitionId {
        self.partition
    }

    /// The next entry to apply.
    pub fn next_offset(&self) -> Offset {
        self.meta.next
    }

    /// The newest time of an entry; [`Timestamp::MIN`] before the first.
    pub fn watermark(&self) -> Timestamp {
        self.meta.watermark
    }

    /// Whether time should go on by ticks when no event comes.
    pub fn is_live(&self) -> bool {
        self.meta.live
    }

    /// What became of every accepted event.
    pub fn ledger(&self) -> &Ledger {
        &self.meta.ledger
    }

    /// How many customers there are. Parts of a joined one are not counted.
    pub fn len(&self) -> usize {
        self.count - self.parts
    }

    /// Whether there is no profile.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many message keys are held for de-duplication.
    pub fn dedup_keys(&self) -> usize {
        self.dedup.len()
    }

    /// The profile of `id`, or the id elsewhere under which it now goes.
    pub fn find(&self, id: &CustomerId) -> Option<Result<ProfileRef<'_>, &CustomerId>> {
        if let Some(slot) = self.joints.slot_of(id) {
            return Some(Ok(self.slot(slot).profile()));
        }
        match self.target(id)? {
            Target::Local(slot) => {
                let slot = self.slot(slot);
                Some(slot.head().map_or_else(|| Ok(slot.profile()), Err))
            }
            Target::Remote(row) => Some(Err(&self.moved_row(row).to)),
        }
    }

    /// Where an id leads.
    pub(crate) fn target(&self, id: &CustomerId) -> Option<Target> {
        self.index.get(id, |target| stands_in(&self.slots, &self.moved, target, id))
    }

    /// What is seen: every profile but parts of joined customers.
    fn seen(&self) -> impl Iterator<Item = (u32, &Slot)> {
        let there = self.slots.iter().enumerate().filter_map(|(slot, body)| Some((slot as u32, body.as_ref()?)));
        there.filter(|(_, body)| body.head().is_none())
    }

    /// Every customer's slot and summary, in the order of their slots.
    pub fn summaries(&self) -> impl Iterator<Item = (u32, Summary<'_>)> {
        self.seen().map(|(slot, body)| (slot, body.summary()))
    }

    /// Every customer's slot and the time of its newest event; cheaper than [`Self::summaries`].
    pub fn last_seen(&self) -> impl Iterator<Item = (u32, Timestamp)> {
        self.seen().map(|(slot, body)| (slot, body.last_seen()))
    }

    /// Every customer's profile, in the order of their slots.
    pub fn profiles(&self) -> impl Iterator<Item = ProfileRef<'_>> {
        self.seen().map(|(_, body)| body.profile())
    }

    /// The profile of a slot that one of the iterators or the fold gave.
    pub fn profile(&self, slot: u32) -> ProfileRef<'_> {
        self.slot(slot).profile()
    }

    /// The profile of a slot, to change what follows from its facts.
    pub fn profile_mut(&mut self, slot: u32) -> &mut Profile {
        let body = self.slots[slot as usize].as_mut().expect("the fold names only slots that are there");
        if !body.dirty {
            body.dirty = true;
            self.dirty.push(slot);
        }
        if !body.is_hot() {
            self.hot += 1;
        }
        body.profile_mut()
    }

    /// Sets a profile's timer.
    pub fn set_due(&mut self, slot: u32, due: Option<Timestamp>) {
        let before = self.slot(slot).due();
        if before == due {
            return;
        }
        if let Some(before) = before {
            self.timers.remove(&(before, slot));
        }
        if let Some(due) = due {
            self.timers.insert((due, slot));
        }
        self.profile_mut(slot).due = due;
    }

    /// The earliest timer of all.
    pub fn earliest_due(&self) -> Option<Timestamp> {
        self.timers.first().map(|(due, _)| *due)
    }

    /// The next timer that is due by the partition's clock, taken off, with its instant; the profile's time is then the timer's.
    pub fn take_due(&mut self) -> Option<(u32, Timestamp)> {
        let (due, slot) = *self.timers.first()?;
        if due > self.meta.watermark {
            return None;
        }
        self.timers.pop_first();
        let profile = self.profile_mut(slot);
        profile.due = None;
        profile.at = profile.at.max(due);
        Some((slot, due))
    }

    fn slot(&self, slot: u32) -> &Slot {
        self.slots[slot as usize].as_ref().expect("the index leads only to slots that are there")
    }

    pub(crate) fn moved_row(&self, row: u32) -> &Moved {
        self.moved[row as usize].as_ref().expect("the index leads only to rows that are there")
    }

    pub(crate) fn is_home_of(&self, id: &CustomerId) -> bool {
        partition_of(id, self.partitions) == self.partition
    }

    pub(crate) fn add_profile(&mut self, profile: Profile) -> u32 {
        let slot = self.slots.len() as u32;
        self.slots.push(Some(Slot::new(profile)));
        self.meta.slots = self.slots.len() as u64;
        self.hot += 1;
        self.count += 1;
        self.profile_mut(slot);
        slot
    }

    /// Whether a slot is still there.
    pub(crate) fn has(&self, slot: u32) -> bool {
        self.slots[slot as usize].is_some()
    }

    /// Takes a profile out. Its ids lead nowhere then, until the caller leads them elsewhere.
    pub(crate) fn remove_profile(&mut self, slot: u32) -> Profile {
        let body = self.slots[slot as usize].take().expect("the fold removes only slots that are there");
        if let Some(due) = body.due() {
            self.timers.remove(&(due, slot));
        }
        if body.is_hot() {
            self.hot -= 1;
        }
        self.count -= 1;
        self.parts -= usize::from(body.head().is_some());
        self.deleted.push(slot);
        let profile = body.into_profile();
        for id in &profile.ids {
            self.index.remove(id, Target::Local(slot));
        }
        profile
    }

    /// Takes an id from a profile. It leads nowhere then, until the caller leads it elsewhere.
    pub(crate) fn take_id(&mut self, slot: u32, id: &CustomerId) {
        if self.is_home_of(id) {
            self.index.remove(id, Target::Local(slot));
        }
        self.profile_mut(slot).remove_id(id);
    }

    /// Leads an id whose home is here to a profile elsewhere.
    pub(crate) fn lead_away(&mut self, id: CustomerId, to: CustomerId) {
        let row = match self.target(&id) {
            Some(Target::Remote(row)) => row,
            _ => {
                self.moved.push(None);
                self.meta.moved = self.moved.len() as u64;
                (self.moved.len() - 1) as u32
            }
        };
        self.lead(&id, Target::Remote(row));
        self.moved[row as usize] = Some(Moved { id, to });
        self.dirty_moved.insert(row);
    }

    /// Leads an id whose home is here to a slot here, whose profile has it or gets it next.
    pub(crate) fn lead_here(&mut self, id: &CustomerId, slot: u32) {
        if let Some(Target::Remote(row)) = self.lead(id, Target::Local(slot)) {
            self.moved[row as usize] = None;
            self.dirty_moved.insert(row);
        }
    }

    fn lead(&mut self, id: &CustomerId, to: Target) -> Option<Target> {
        self.index.lead(id, to, |target| stands_in(&self.slots, &self.moved, target, id))
    }

    /// What changed since the last checkpoint; the state then counts as written.
    pub fn take_checkpoint(&mut self) -> CheckpointParts {
        let mut changed = Vec::with_capacity(self.dirty.len());
        for slot in std::mem::take(&mut self.dirty) {
            if let Some(body) = &mut self.slots[slot as usize] {
                body.dirty = false;
                changed.push((u64::from(slot), body.row()));
            }
        }
        let mut deleted: Vec<u64> = std::mem::take(&mut self.deleted).into_iter().map(u64::from).collect();
        for row in std::mem::take(&mut self.dirty_moved) {
            let key = MOVED_KEYS | u64::from(row);
            match &self.moved[row as usize] {
                Some(moved) => {
                    changed.push((key, postcard::to_allocvec(moved).expect("two ids in memory encode")));
                }
                None => deleted.push(key),
            }
        }
        self.joints.take_changed(&mut changed, &mut deleted);
        let meta = postcard::to_allocvec(&self.meta).expect("counters in memory encode");
        CheckpointParts {
            next: self.meta.next,
            meta,
            changed,
            rows: (self.count + self.moved.iter().flatten().count() + self.joints.len()) as u64,
            deleted,
            chunks: self.dedup.take_fresh(),
            forget_before: self.dedup.forget_before(),
        }
    }

    /// The first step of a restart: clock, ledger and counters.
    pub fn restore_meta(&mut self, meta: &[u8]) -> Result<(), RestoreError> {
        self.meta = postcard::from_bytes(meta).map_err(|_| RestoreError::Meta(self.partition.0))?;
        self.slots.resize_with(self.meta.slots as usize, || None);
        self.moved.resize_with(self.meta.moved as usize, || None);
        self.index.reserve(self.meta.slots as usize);
        Ok(())
    }

    /// The second step of a restart: a row.
    pub fn restore_row(&mut self, key: u64, row: &[u8]) -> Result<(), RestoreError> {
        let partition = self.partition.0;
        let wrong = || RestoreError::Row { partition, key };
        if key & MOVED_KEYS != 0 {
            let place = (key & !MOVED_KEYS) as usize;
            let moved: Moved = postcard::from_bytes(row).map_err(|_| wrong())?;
            let id = moved.id.clone();
            *self.moved.get_mut(place).ok_or_else(wrong)? = Some(moved);
            self.lead(&id, Target::Remote(place as u32));
            return Ok(());
        }
        if key & JOINED_KEYS != 0 {
            return self.joints.restore(key, row).ok_or_else(wrong);
        }
        let body = Slot::restore(row).map_err(|unusable| match unusable {
            Unusable::Damaged => wrong(),
            Unusable::Version(format) if format < profile::VERSION_WITHOUT_AWAITED => {
                RestoreError::Older { partition, format }
            }
            Unusable::Version(format) => RestoreError::Newer { partition, format },
        })?;
        let slot = key as u32;
        let summary = body.summary();
        // Ids lead to its parts, not to a joined customer.
        let led = summary.ids().filter(|_| *body.part() != Part::Joint);
        let led: SmallVec<[CustomerId; 2]> = led.map(CustomerIdRef::to_id).collect();
        if let Some(due) = summary.due {
            self.timers.insert((due, slot));
        }
        drop(summary);
        self.count += 1;
        self.parts += usize::from(body.head().is_some());
        *self.slots.get_mut(slot as usize).ok_or_else(wrong)? = Some(body);
        for id in &led {
            if self.is_home_of(id) {
                // What leads here already is of another id of the profile with the same hash: each has its own.
                let is_its = |target| target != Target::Local(slot) && stands_in(&self.slots, &self.moved, target, id);
                if let Some(Target::Remote(row)) = self.index.lead(id, Target::Local(slot), is_its) {
                    // Earlier versions left the row of an id that came back.
                    self.moved[row as usize] = None;
                    self.dirty_moved.insert(row);
                }
            }
        }
        Ok(())
    }

    /// The third step of a restart: a chunk of message keys.
    pub fn restore_chunk(&mut self, chunk: &DedupChunk) {
        self.dedup.restore(chunk);
    }

    /// Holds profiles that were not touched since the last call as bytes, when more than `limit` are structures.
    pub fn freeze_idle(&mut self, limit: usize) {
        let freeze = self.hot > limit;
        for body in self.slots.iter_mut().flatten().filter(|body| body.is_hot()) {
            if std::mem::take(&mut body.touched) {
                continue;
            }
            if freeze {
                body.freeze();
                self.hot -= 1;
            } else {
                body.shrink();
            }
        }
    }
}

/// Whether what `target` is holds `id`.
fn stands_in(slots: &[Option<Slot>], moved: &[Option<Moved>], target: Target, id: &CustomerId) -> bool {
    match target {
        Target::Local(slot) => slots[slot as usize].as_ref().is_some_and(|slot| slot.has_id(id)),
        Target::Remote(row) => moved[row as usize].as_ref().is_some_and(|moved| moved.id == *id),
    }
}
