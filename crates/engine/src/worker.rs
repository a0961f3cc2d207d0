//! One thread for each partition: reads durable entries, folds them, hands effects over, writes checkpoints.
//!
//! Invariants:
//! - An effect leaves only after its entry was read from the log, so its cause is durable.
//! - Entries for other partitions are durable in their logs before the next ones are made, so a receiver gets them in
//!   order and a checkpoint never runs ahead of them.
//! - After a failure the worker stops for good and says so; the log keeps what it could not apply.

use std::{
    sync::Arc,
    time::{Duration, Instant, SystemTime},
};

use rapport_decide::Effect;
use rapport_profile::Changes;
use rapport_stream::{Append, LogError, Record, Retry};
use rapport_types::{Entry, EntryError, Offset, PartitionId, Timestamp};

use crate::{EngineError, cell::Next, shared::Shared};

/// How much is read from the log at a time.
const READ_BYTES: usize = 1 << 20;
/// How many entries are folded under one lock: a reader waits for no more than these.
const CHUNK: usize = 256;
/// A checkpoint that is due waits for those of other partitions until so many times the time or the entries have passed.
const OVERDUE: u32 = 2;
/// How long an idle worker waits before it looks at timers and checkpoints again.
const IDLE: Duration = Duration::from_millis(100);
/// How long a worker waits when the log has no room before it tries again.
const NO_ROOM: Duration = Duration::from_millis(50);

pub(crate) struct Worker {
    pub(crate) shared: Arc<Shared>,
    pub(crate) partition: PartitionId,
    next: Offset,
    changes: Changes,
    effects: Vec<(Offset, u32, Effect)>,
    saved_at: Instant,
    saved: Offset,
}

impl Worker {
    pub(crate) fn new(shared: Arc<Shared>, partition: PartitionId) -> Self {
        let next = shared.cell(partition).read().state.next_offset();
        Self {
            shared,
            partition,
            next,
            changes: Changes::default(),
            effects: Vec::new(),
            saved_at: Instant::now(),
            saved: next,
        }
    }

    /// Runs until the engine stops or something fails; the last checkpoint is written at a stop.
    pub(crate) fn run(mut self) -> Result<(), EngineError> {
        while !self.shared.is_stopping() {
            let records = self.shared.log.read(self.partition, self.next, READ_BYTES)?;
            if records.is_empty() {
                self.idle()?;
            }
            for chunk in records.chunks(CHUNK) {
                self.apply(chunk)?;
            }
            self.checkpoint_when_due();
        }
        self.last_checkpoint()
    }

    fn idle(&mut self) -> Result<(), EngineError> {
        self.shared.tell_news();
        let now = wall_clock();
        let due = {
            let cell = self.shared.cell(self.partition).read();
            let state = &cell.state;
            state.earliest_due().filter(|_| state.is_live() && state.watermark() < now)
        };
        let mut wait = IDLE;
        if let Some(due) = due {
            if due <= now {
                // Time passes by an entry like everything else, so that a replay fires the timer at the same place.
                let tick = Append::one(self.partition, Entry::Tick(now).encode());
                self.append(&tick)?;
                return Ok(());
            }
            wait = wait.min(Duration::from_millis(due.since(now).0.unsigned_abs()));
        }
        self.shared.log.wait(self.partition, self.next, wait);
        Ok(())
    }

    /// Appends entries and waits until they are durable, however long the log has no room for them.
    fn append(&self, append: &Append) -> Result<(), LogError> {
        loop {
            let answer = self.shared.log.append(append.clone()).and_then(rapport_stream::Ticket::wait);
            match answer {
                Err(error) if error.retry() == Retry::Later && !self.shared.is_stopping() => {
                    tracing::warn!(partition = self.partition.0, %error, "the log has no room; trying again");
                    self.shared.wait_for_news(NO_ROOM);
                }
                Err(error) => return Err(error),
                Ok(_) => return Ok(()),
            }
        }
    }

    fn apply(&mut self, records: &[Record]) -> Result<(), EngineError> {
        let decode = |record: &Record| match Entry::decode(&record.bytes) {
            Err(error) if error.is_newer() => Err(EngineError::newer(self.partition, record.offset, error)),
            decoded => Ok((record.offset, decoded)),
        };
        let mut entries = records.iter().map(decode).collect::<Result<Vec<_>, _>>()?.into_iter();
        loop {
            let rebuild = self.fold(&mut entries);
            self.send_internal()?;
            self.shared.sink.deliver(self.partition, &self.effects);
            if rebuild {
                self.shared.rebuild_together(self.partition)?;
                (self.saved, self.saved_at) = (self.next, Instant::now());
            }
            self.shared.note_progress(self.partition, self.next, self.effects.len(), records);
            self.effects.clear();
            if !rebuild {
                return Ok(());
            }
        }
    }

    /// Folds entries until they are used up or one asks for a rebuild; whether one did.
    fn fold(&mut self, entries: &mut impl Iterator<Item = (Offset, Result<Entry, EntryError>)>) -> bool {
        let mut cell = self.shared.cell(self.partition).write();
        for (offset, entry) in entries {
            self.next = Offset(offset.0 + 1);
            let next = cell.apply(offset, entry, &mut self.changes, &mut self.effects);
            if next == Next::Rebuild {
                return true;
            }
        }
        false
    }

    fn send_internal(&mut self) -> Result<(), EngineError> {
        if self.changes.internal.is_empty() {
            return Ok(());
        }
        let entries = self.changes.internal.drain(..).map(|(home, entry)| (home, entry.encode())).collect();
        Ok(self.append(&Append { entries })?)
    }

    fn checkpoint_when_due(&mut self) {
        let options = &self.shared.options;
        let entries = self.next.0 - self.saved.0;
        let waited = self.saved_at.elapsed();
        let due = |times: u32| {
            entries >= options.checkpoint_entries * u64::from(times) || waited >= options.checkpoint_every * times
        };
        if entries > 0 && due(1) && self.shared.begin_saving(self.partition, due(OVERDUE)) {
            self.checkpoint();
        }
    }

    /// The last checkpoint, once the one before it is saved.
    fn last_checkpoint(&mut self) -> Result<(), EngineError> {
        self.shared.wait_saved(self.partition)?;
        if self.next != self.saved && self.shared.begin_saving(self.partition, true) {
            self.checkpoint();
            self.shared.wait_saved(self.partition)?;
        }
        Ok(())
    }

    /// Takes what changed and hands it to the thread that saves it. The checkpoint has been begun.
    fn checkpoint(&mut self) {
        let expected = self.saved;
        let (parts, version) = {
            let mut cell = self.shared.cell(self.partition).write();
            let parts = cell.take_checkpoint();
            cell.state.freeze_idle(self.shared.options.hot_profiles);
            (parts, cell.decider.version())
        };
        (self.saved, self.saved_at) = (parts.next, Instant::now());
        self.shared.save(self.partition, expected, version, parts);
    }
}

/// The time by the machine's clock. The one place where the engine asks for it, besides measuring.
pub(crate) fn wall_clock() -> Timestamp {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    Timestamp(since.as_millis() as i64)
}
