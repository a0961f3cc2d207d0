//! Answers from the state in memory. A reader shares the partition's lock with the worker, which holds it for at most
//! a few hundred entries at a time.

use std::{collections::BTreeMap, sync::Arc};

use rapport_decide::{Decider, Lessons};
use rapport_profile::{LedgerLine, Profile, Summary};
use rapport_types::{CustomerId, Entry, Offset, PartitionId, SourceId, Timestamp, TrialMode, partition_of};

use crate::{Earlier, shared::Shared};

/// How often an id is followed to another partition.
const HOPS: usize = 16;
/// How much of what waits in a partition's log the ledger looks at.
const WAITING_BYTES: usize = 4 << 20;

/// The order of a list, the newest or highest first; ids decide between equals.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// By the time of the newest event.
    LastSeen,
    /// By the first score; customers without one come last.
    Score,
}

/// Where a list goes on: behind the customer with this key and id.
#[derive(Debug, Clone, PartialEq)]
pub struct After {
    /// Milliseconds, or the score.
    pub key: f64,
    /// The customer's primary id as text.
    pub id: String,
}

/// One line of a list: what orders it and where its profile is.
#[derive(Debug, Clone, PartialEq)]
pub struct Listed {
    /// What it is ordered by.
    pub after: After,
    partition: PartitionId,
}

/// Reads the state in memory.
#[derive(Clone)]
pub struct Reader {
    shared: Arc<Shared>,
}

impl std::fmt::Debug for Reader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Reader").finish_non_exhaustive()
    }
}

impl Reader {
    pub(crate) fn new(shared: Arc<Shared>) -> Self {
        Self { shared }
    }

    fn partition_ids(&self) -> impl Iterator<Item = PartitionId> + use<> {
        (0..self.shared.partitions()).map(PartitionId)
    }

    /// Calls `read` with the partition, its next offset, the profile of `id` and what decides over it; none if the
    /// customer is not known.
    pub fn customer<T>(
        &self,
        id: &CustomerId,
        read: impl FnOnce(PartitionId, Offset, &Profile, &Decider) -> T,
    ) -> Option<T> {
        let mut id = id.clone();
        for _ in 0..HOPS {
            let partition = partition_of(&id, self.shared.partitions());
            let cell = self.shared.cell(partition).read();
            match cell.state.find(&id)? {
                Ok(profile) => return Some(read(partition, cell.state.next_offset(), &profile, &cell.decider)),
                Err(elsewhere) => id = elsewhere.clone(),
            }
        }
        None
    }

    /// The first `limit` customers behind `after` in `order` whose id or name contains `text` (any case), and how many
    /// there are in all.
    pub fn list(&self, text: &str, order: Order, after: Option<&After>, limit: usize) -> (Vec<Listed>, u64) {
        let text = text.trim().to_lowercase();
        let mut total = 0;
        let mut found: Vec<Listed> = Vec::new();
        for partition in (0..self.shared.partitions()).map(PartitionId) {
            let cell = self.shared.cell(partition).read();
            for (_, summary) in cell.state.summaries() {
                if !text.is_empty() && !matches(&summary, &text) {
                    continue;
                }
                total += 1;
                let key = match order {
                    Order::LastSeen => summary.last_seen.0 as f64,
                    Order::Score => summary.score.unwrap_or(-1.0),
                };
                let listed = Listed { after: After { key, id: summary.primary.to_string() }, partition };
                if after.is_none_or(|after| before(after, &listed.after)) {
                    found.push(listed);
                }
            }
            keep_first(&mut found, limit);
        }
        (found, total)
    }

    /// Calls `read` with the profiles of a list; one that was merged away meanwhile is left out.
    pub fn listed<T>(&self, listed: &[Listed], mut read: impl FnMut(&Profile, &Decider) -> T) -> Vec<T> {
        let mut read_one = |line: &Listed| {
            let cell = self.shared.cell(line.partition).read();
            let id = CustomerId::parse(&line.after.id);
            match cell.state.find(&id)? {
                Ok(profile) => Some(read(&profile, &cell.decider)),
                Err(_) => None,
            }
        };
        listed.iter().filter_map(&mut read_one).collect()
    }

    /// The ledger of every source over all partitions, as of one moment: what waits in the log counts as accepted, and so
    /// is [`LedgerLine::pending`]. Of a log that is far ahead of the state, as in a rebuild, the first
    /// 4 MB of each partition are looked at.
    pub fn ledger(&self) -> Vec<(SourceId, LedgerLine)> {
        let mut lines: BTreeMap<SourceId, LedgerLine> = BTreeMap::new();
        let applied: Vec<Offset> = {
            // All locks at once: an event that went from one partition to another must not be seen in the second only.
            let cells: Vec<_> = self.partition_ids().map(|partition| self.shared.cell(partition).read()).collect();
            for (source, line) in cells.iter().flat_map(|cell| cell.state.ledger().lines()) {
                let sum = lines.entry(source).or_default();
                *sum = sum.plus(line);
            }
            cells.iter().map(|cell| cell.state.next_offset()).collect()
        };
        for (partition, next) in self.partition_ids().zip(applied) {
            // A log that cannot be read says so at `/readyz`; the ledger tells what is known.
            for record in self.shared.log.read(partition, next, WAITING_BYTES).unwrap_or_default() {
                if let Ok(Entry::Event(event)) = Entry::decode(&record.bytes) {
                    lines.entry(event.source).or_default().accepted += 1;
                }
            }
        }
        lines.into_iter().collect()
    }

    /// Dead letters of every partition, with the partition.
    pub fn dead_letters(&self) -> Vec<(PartitionId, rapport_profile::DeadLetter)> {
        let partitions = (0..self.shared.partitions()).map(PartitionId);
        let of = |partition| {
            let cell = self.shared.cell(partition).read();
            let letters = cell.state.ledger().dead_letters.clone();
            letters.into_iter().map(move |letter| (partition, letter))
        };
        partitions.flat_map(of).collect()
    }

    /// The newest time of an entry over all partitions.
    pub fn watermark(&self) -> Timestamp {
        let partitions = (0..self.shared.partitions()).map(PartitionId);
        partitions.map(|partition| self.shared.cell(partition).read().state.watermark()).max().unwrap_or(Timestamp::MIN)
    }

    /// The definitions in force: their version and document.
    pub fn definitions(&self) -> Option<(u32, Box<str>)> {
        let cell = self.shared.cell(PartitionId(0)).read();
        cell.control.definitions.as_ref().map(|definitions| (definitions.version, definitions.document.clone()))
    }

    /// The model in service for `score`: its version, if one is.
    pub fn champion(&self, score: &str) -> Option<u32> {
        let cell = self.shared.cell(PartitionId(0)).read();
        cell.control.activations.get(score).and_then(|activation| activation.version)
    }

    /// Since when a model has been in service for `score`.
    pub fn champion_since(&self, score: &str) -> Option<Timestamp> {
        let cell = self.shared.cell(PartitionId(0)).read();
        cell.control.activations.get(score).filter(|activation| activation.version.is_some()).map(|active| active.at)
    }

    /// The challenger on trial for `score`: its version, how it is tried, and since when.
    pub fn challenger(&self, score: &str) -> Option<(u32, TrialMode, Timestamp)> {
        let cell = self.shared.cell(PartitionId(0)).read();
        cell.control.trials.get(score).and_then(|trial| Some((trial.version?, trial.mode, trial.at)))
    }

    /// What was in service for `score` before the present model.
    pub fn earlier(&self, score: &str) -> Option<Earlier> {
        let cell = self.shared.cell(PartitionId(0)).read();
        cell.control.earlier.get(score).and_then(|earlier| earlier.last().copied())
    }

    /// How a model that learns in service did, over all partitions; none if it does not learn, or is neither in service nor on
    /// trial.
    pub fn lessons(&self, score: &str, version: u32) -> Option<Lessons> {
        let mut sum: Option<Lessons> = None;
        for partition in self.partition_ids() {
            let cell = self.shared.cell(partition).read();
            if let Some(lessons) = cell.decider.lessons(score, version) {
                sum.get_or_insert_default().add(lessons);
            }
        }
        sum
    }
}

fn matches(summary: &Summary<'_>, text: &str) -> bool {
    let contains = |whole: &str| whole.to_lowercase().contains(text);
    summary.name.as_deref().is_some_and(contains) || summary.ids().any(|id| contains(&id.to_string()))
}

/// Whether `first` stands before `second` in a list.
fn before(first: &After, second: &After) -> bool {
    first.key.total_cmp(&second.key).reverse().then_with(|| first.id.cmp(&second.id)).is_lt()
}

fn keep_first(found: &mut Vec<Listed>, limit: usize) {
    let order = |a: &Listed, b: &Listed| {
        a.after.key.total_cmp(&b.after.key).reverse().then_with(|| a.after.id.cmp(&b.after.id))
    };
    if found.len() > limit {
        found.select_nth_unstable_by(limit, order);
        found.truncate(limit);
    }
    found.sort_unstable_by(order);
}
