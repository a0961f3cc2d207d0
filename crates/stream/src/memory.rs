//! A log in memory: for tests and for trials that may forget.
//!
//! It is a `Log` in every respect but survival: it keeps everything until it is dropped. An append is "durable" at
//! once, unless commits are held back with [`MemoryLog::hold`], so a test can look at the moment before durability;
//! [`MemoryLog::poison`] makes it fail as a broken disk would.

use std::{
    sync::Arc,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use bytes::Bytes;
use parking_lot::{Condvar, Mutex};
use rapport_types::{Offset, PartitionId, Timestamp};

use crate::{
    Append, Appended, Log, LogError, LogId, Record, Statistics, Ticket, Verified, log::COMMIT_BYTES, ticket::Completer,
};

/// The most partitions; far more than workers are of use on one machine.
const MAX_PARTITIONS: u32 = 4_096;

/// A log that lives as long as the process.
#[derive(Debug)]
pub struct MemoryLog {
    id: LogId,
    shared: Arc<Shared>,
}

/// While it lives, a log commits nothing: appends queue up to the queue's limit.
#[derive(Debug)]
#[must_use = "commits go on as soon as it is dropped"]
pub struct MemoryHold {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    queue_bytes: usize,
    state: Mutex<State>,
    grown: Condvar,
}

#[derive(Debug)]
struct State {
    partitions: Vec<Vec<(Timestamp, Bytes)>>,
    queue: Vec<(Append, Completer)>,
    holds: usize,
    poisoned: Option<Arc<str>>,
    statistics: Statistics,
}

impl MemoryLog {
    /// An empty log with the given number of partitions (1 to 4,096).
    pub fn new(partitions: u32) -> Result<Self, LogError> {
        Self::with_queue(partitions, 8 * COMMIT_BYTES)
    }

    /// As [`MemoryLog::new`], with the limit in bytes of what waits while commits are held back.
    pub fn with_queue(partitions: u32, queue_bytes: usize) -> Result<Self, LogError> {
        if !(1..=MAX_PARTITIONS).contains(&partitions) {
            return Err(LogError::Partitions { wanted: partitions, limit: MAX_PARTITIONS });
        }
        let state = State {
            partitions: vec![Vec::new(); partitions as usize],
            queue: Vec::new(),
            holds: 0,
            poisoned: None,
            statistics: Statistics::default(),
        };
        let shared = Arc::new(Shared { queue_bytes, state: Mutex::new(state), grown: Condvar::new() });
        Ok(Self { id: LogId::random()?, shared })
    }

    /// Holds commits back while the answer lives.
    pub fn hold(&self) -> MemoryHold {
        self.shared.state.lock().holds += 1;
        MemoryHold { shared: Arc::clone(&self.shared) }
    }

    /// Fails all waiting and later appends, as after a failed sync.
    pub fn poison(&self, why: &str) {
        let queue = {
            let mut state = self.shared.state.lock();
            state.poisoned = Some(why.into());
            state.statistics.queued_bytes = 0;
            std::mem::take(&mut state.queue)
        };
        for (_, completer) in queue {
            completer.complete(Err(LogError::Poisoned(why.into())));
        }
    }
}

impl Drop for MemoryHold {
    fn drop(&mut self) {
        let mut state = self.shared.state.lock();
        state.holds -= 1;
        if state.holds == 0 {
            let queue = std::mem::take(&mut state.queue);
            state.statistics.queued_bytes = 0;
            self.shared.commit(&mut state, queue);
        }
    }
}

impl Shared {
    fn commit(&self, state: &mut State, queue: Vec<(Append, Completer)>) {
        if queue.is_empty() {
            return;
        }
        let now = now();
        for (append, completer) in queue {
            let mut offsets = Vec::with_capacity(append.entries.len());
            for (partition, entry) in append.entries {
                let entries = &mut state.partitions[partition.0 as usize];
                offsets.push(Offset(entries.len() as u64));
                let at = entries.last().map_or(now, |(last, _)| now.max(*last));
                state.statistics.entries += 1;
                state.statistics.bytes += entry.len() as u64;
                entries.push((at, Bytes::from(entry)));
            }
            completer.complete(Ok(Appended { offsets }));
        }
        state.statistics.commits += 1;
        self.grown.notify_all();
    }
}

impl Log for MemoryLog {
    fn id(&self) -> LogId {
        self.id
    }

    fn partitions(&self) -> u32 {
        self.shared.state.lock().partitions.len() as u32
    }

    fn append(&self, append: Append) -> Result<Ticket, LogError> {
        let mut state = self.shared.state.lock();
        if let Some(why) = &state.poisoned {
            return Err(LogError::Poisoned(Arc::clone(why)));
        }
        let cost = append.admit(state.partitions.len() as u32)?;
        if state.holds > 0 && state.statistics.queued_bytes + cost > self.shared.queue_bytes {
            state.statistics.refused_full += 1;
            return Err(LogError::Full { limit: self.shared.queue_bytes });
        }
        let (ticket, completer) = Ticket::pair();
        if state.holds > 0 {
            state.statistics.queued_bytes += cost;
            state.queue.push((append, completer));
        } else {
            self.shared.commit(&mut state, vec![(append, completer)]);
        }
        Ok(ticket)
    }

    fn read(&self, partition: PartitionId, from: Offset, max_bytes: usize) -> Result<Vec<Record>, LogError> {
        let state = self.shared.state.lock();
        let partitions = state.partitions.len() as u32;
        let entries =
            state.partitions.get(partition.0 as usize).ok_or(LogError::UnknownPartition { partition, partitions })?;
        let end = Offset(entries.len() as u64);
        if from > end {
            return Err(LogError::BeyondEnd { partition, from, end });
        }
        let mut bytes = 0;
        let mut records = Vec::new();
        for (index, (appended_at, entry)) in entries.iter().enumerate().skip(from.0 as usize) {
            if !records.is_empty() && bytes + entry.len() > max_bytes {
                break;
            }
            bytes += entry.len();
            records.push(Record { offset: Offset(index as u64), appended_at: *appended_at, bytes: entry.clone() });
        }
        Ok(records)
    }

    fn end(&self, partition: PartitionId) -> Offset {
        let state = self.shared.state.lock();
        Offset(state.partitions.get(partition.0 as usize).map_or(0, |entries| entries.len() as u64))
    }

    fn wait(&self, partition: PartitionId, beyond: Offset, timeout: Duration) -> Offset {
        let deadline = deadline(timeout);
        let mut state = self.shared.state.lock();
        loop {
            let end = Offset(state.partitions.get(partition.0 as usize).map_or(0, |entries| entries.len() as u64));
            if end > beyond || self.shared.grown.wait_until(&mut state, deadline).timed_out() {
                return end;
            }
        }
    }

    fn healthy(&self) -> Result<(), LogError> {
        match &self.shared.state.lock().poisoned {
            Some(why) => Err(LogError::Poisoned(Arc::clone(why))),
            None => Ok(()),
        }
    }

    fn verify(&self) -> Result<Verified, LogError> {
        let state = self.shared.state.lock();
        let ends = state.partitions.iter().map(|entries| Offset(entries.len() as u64)).collect();
        Ok(Verified { ends, entries: state.statistics.entries, bytes: state.statistics.bytes })
    }

    fn statistics(&self) -> Statistics {
        self.shared.state.lock().statistics
    }
}

/// When `timeout` is over; a year from now at the latest, which keeps the sum in range.
pub(crate) fn deadline(timeout: Duration) -> Instant {
    Instant::now() + timeout.min(Duration::from_hours(365 * 24))
}

/// The machine's clock; before 1970 it is taken as 1970.
pub(crate) fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}
