//! What partitions make for each other, made again while several threads replay a log.
//!
//! In the log such an entry is as the running system made it: of everything that it knew by then, and under the definitions of
//! then. So a replay makes it anew, and takes it where the log has it: whoever meets an entry of another partition there waits until
//! that partition is past what caused it, and takes what it made up to that place. The order of the log is thereby kept, and the
//! result is the same each time. What is made and met nowhere is left over for the end.
//!
//! Limits: what was made and not yet met stands in memory, as in a rebuild; at most what partitions ever made for each other.
//!
//! Nobody waits in a circle, because whatever an entry waits for happened before it was appended. In a log that could not have been
//! written like this the first of those who wait goes on without.

use std::collections::VecDeque;

use parking_lot::{Condvar, Mutex};
use rapport_types::{Entry, Offset, Origin, PartitionId};

/// What the threads share.
pub(crate) struct Exchange {
    shared: Mutex<Shared>,
    news: Condvar,
}

struct Shared {
    /// By home, then by who made it: what was made and not taken, with the place of its cause.
    made: Vec<Vec<VecDeque<(Offset, Entry)>>>,
    sides: Vec<Progress>,
}

#[derive(Clone, Copy)]
struct Progress {
    /// Everything before it was taken.
    next: Offset,
    awaits: Option<Origin>,
}

impl Shared {
    /// Whether a partition is past the place.
    fn is_past(&self, origin: Origin) -> bool {
        self.sides.get(origin.partition.0 as usize).is_none_or(|side| side.next > origin.offset)
    }

    /// Whether nobody can go on, and `home` is the first of them.
    fn must_do_without(&self, home: PartitionId) -> bool {
        let waits = |side: &Progress| side.awaits.is_some_and(|origin| !self.is_past(origin));
        let all = self.sides.iter().all(|side| side.next == Offset(u64::MAX) || waits(side));
        all && self.sides.iter().position(waits) == Some(home.0 as usize)
    }
}

impl Exchange {
    pub(crate) fn new(partitions: u32) -> Self {
        let partitions = partitions as usize;
        let made = (0..partitions).map(|_| (0..partitions).map(|_| VecDeque::new()).collect()).collect();
        let sides = vec![Progress { next: Offset(0), awaits: None }; partitions];
        Self { shared: Mutex::new(Shared { made, sides }), news: Condvar::new() }
    }

    /// The side of the thread that replays a partition.
    pub(crate) fn side(&self, partition: PartitionId) -> Side<'_> {
        Side { exchange: self, partition }
    }

    /// Lays down what partitions made for each other.
    pub(crate) fn give(&self, made: &mut Vec<(PartitionId, Entry)>) {
        if made.is_empty() {
            return;
        }
        let mut shared = self.shared.lock();
        for (home, entry) in made.drain(..) {
            if let Some(origin) = entry.origin() {
                shared.made[home.0 as usize][origin.partition.0 as usize].push_back((origin.offset, entry));
            }
        }
    }

    /// The first entry, by who made it and when, that was made and met nowhere; with its home.
    pub(crate) fn leftover(&self) -> Option<(PartitionId, Entry)> {
        let mut shared = self.shared.lock();
        let homes = shared.made.iter_mut().zip(0..);
        let queues = homes
            .flat_map(|(by_maker, home)| by_maker.iter_mut().zip(0..).map(move |(made, maker)| (made, maker, home)));
        let first =
            |(made, maker, home): &(&mut VecDeque<(Offset, Entry)>, u32, u32)| Some((*maker, made.front()?.0, *home));
        let (made, _, home) = queues.filter(|queue| first(queue).is_some()).min_by_key(first)?;
        made.pop_front().map(|(_, entry)| (PartitionId(home), entry))
    }
}

/// See [`Exchange::side`]. Nobody waits for a partition whose side was dropped.
pub(crate) struct Side<'a> {
    exchange: &'a Exchange,
    partition: PartitionId,
}

impl Side<'_> {
    /// Whose side it is.
    pub(crate) fn partition(&self) -> PartitionId {
        self.partition
    }

    /// Says that everything before `next` was taken, and what it made given.
    pub(crate) fn pass(&self, next: Offset) {
        self.exchange.shared.lock().sides[self.partition.0 as usize].next = next;
        self.exchange.news.notify_all();
    }

    /// What was made for this partition in place of the entry of `origin` that the log has at `here`.
    pub(crate) fn take(&self, here: Offset, origin: Origin) -> Vec<Entry> {
        let home = self.partition.0 as usize;
        let mut shared = self.exchange.shared.lock();
        shared.sides[home] = Progress { next: here, awaits: Some(origin) };
        self.exchange.news.notify_all();
        while !shared.is_past(origin) && !shared.must_do_without(self.partition) {
            self.exchange.news.wait(&mut shared);
        }
        shared.sides[home].awaits = None;
        let Some(made) = shared.made[home].get_mut(origin.partition.0 as usize) else { return Vec::new() };
        let taken = made.partition_point(|(offset, _)| *offset <= origin.offset);
        made.drain(..taken).map(|(_, entry)| entry).collect()
    }
}

impl Drop for Side<'_> {
    fn drop(&mut self) {
        self.pass(Offset(u64::MAX));
    }
}
