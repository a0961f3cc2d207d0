//! What readers see: the ends of the partitions and their latest rows in memory.
//!
//! Workers that keep up read only here and never touch the file. The rows are bounded in bytes over all partitions;
//! the oldest go first, whatever partition they are of. One lock guards everything, so an append over several
//! partitions becomes visible at one moment; it is held only to clone or to move pointers.

use std::{collections::VecDeque, sync::Arc, time::Duration};

use parking_lot::{Condvar, Mutex};
use rapport_types::{Offset, PartitionId};

use super::row::{Budget, Row};
use crate::{LogError, Record, memory::deadline};

#[derive(Debug)]
pub(crate) struct Tail {
    limit: usize,
    state: Mutex<State>,
    grown: Vec<Condvar>,
}

#[derive(Debug)]
struct State {
    partitions: Vec<Partition>,
    /// The partitions of all rows, oldest first.
    order: VecDeque<PartitionId>,
    bytes: usize,
}

#[derive(Debug)]
struct Partition {
    end: Offset,
    rows: VecDeque<Arc<Row>>,
}

/// Where a read finds its entries.
#[derive(Debug)]
pub(crate) enum Place {
    /// In memory; these rows, all that there are from the one that holds the offset on.
    Memory(Vec<Arc<Row>>),
    /// In the file, which holds everything up to this end.
    File(Offset),
}

impl Tail {
    /// Without rows, with the ends that the file has.
    pub(crate) fn new(limit: usize, ends: &[Offset]) -> Self {
        let partitions = ends.iter().map(|end| Partition { end: *end, rows: VecDeque::new() }).collect();
        let state = State { partitions, order: VecDeque::new(), bytes: 0 };
        Self { limit, state: Mutex::new(state), grown: ends.iter().map(|_| Condvar::new()).collect() }
    }

    /// Shows a commit's rows to readers.
    pub(crate) fn publish(&self, rows: Vec<Row>) {
        let touched: Vec<_> = rows.iter().map(|row| row.header.partition).collect();
        // Freed outside the lock: it may be megabytes.
        let mut forgotten = Vec::new();
        {
            let mut state = self.state.lock();
            for row in rows {
                state.bytes += row.cost();
                state.order.push_back(row.header.partition);
                let partition = &mut state.partitions[row.header.partition.0 as usize];
                partition.end = row.header.end();
                partition.rows.push_back(Arc::new(row));
            }
            while state.bytes > self.limit {
                let Some(oldest) = state.order.pop_front() else { break };
                if let Some(row) = state.partitions[oldest.0 as usize].rows.pop_front() {
                    state.bytes -= row.cost();
                    forgotten.push(row);
                }
            }
        }
        for partition in touched {
            self.grown[partition.0 as usize].notify_all();
        }
    }

    pub(crate) fn end(&self, partition: PartitionId) -> Offset {
        self.state.lock().partitions.get(partition.0 as usize).map_or(Offset(0), |partition| partition.end)
    }

    pub(crate) fn ends(&self) -> Vec<Offset> {
        self.state.lock().partitions.iter().map(|partition| partition.end).collect()
    }

    pub(crate) fn wait(&self, partition: PartitionId, beyond: Offset, timeout: Duration) -> Offset {
        let Some(grown) = self.grown.get(partition.0 as usize) else { return Offset(0) };
        let deadline = deadline(timeout);
        let mut state = self.state.lock();
        loop {
            let end = state.partitions[partition.0 as usize].end;
            if end > beyond || grown.wait_until(&mut state, deadline).timed_out() {
                return state.partitions[partition.0 as usize].end;
            }
        }
    }

    /// Where the entries from `from` on are.
    pub(crate) fn find(&self, partition: PartitionId, from: Offset, max_bytes: usize) -> Result<Place, LogError> {
        let state = self.state.lock();
        let partitions = state.partitions.len() as u32;
        let found =
            state.partitions.get(partition.0 as usize).ok_or(LogError::UnknownPartition { partition, partitions })?;
        if from > found.end {
            return Err(LogError::BeyondEnd { partition, from, end: found.end });
        }
        if from == found.end {
            return Ok(Place::Memory(Vec::new()));
        }
        let first = found.rows.partition_point(|row| row.header.end() <= from);
        match found.rows.get(first) {
            Some(row) if row.holds(from) => {
                let mut bytes = 0;
                let enough = |row: &&Arc<Row>| {
                    let go_on = bytes <= max_bytes;
                    // What comes before `from` in the first row is not read.
                    bytes += if row.holds(from) { 0 } else { row.bytes.len() };
                    go_on
                };
                Ok(Place::Memory(found.rows.range(first..).take_while(enough).map(Arc::clone).collect()))
            }
            _ => Ok(Place::File(found.end)),
        }
    }
}

/// The entries of `rows` from `from` on.
pub(crate) fn records(rows: &[Arc<Row>], from: Offset, max_bytes: usize) -> Vec<Record> {
    let mut budget = Budget::new(max_bytes);
    let mut records = Vec::new();
    for row in rows {
        if !row.collect(from, &mut budget, &mut records) {
            break;
        }
    }
    records
}
