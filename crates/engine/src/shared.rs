//! What the engine's threads share: cells, progress, the thread that saves checkpoints, and the meeting for a rebuild.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
        mpsc::{Receiver, SyncSender, sync_channel},
    },
    time::{Duration, Instant},
};

use parking_lot::{Condvar, Mutex, RwLock};
use rapport_profile::CheckpointParts;
use rapport_store::{Checkpoint, StoreError};
use rapport_stream::{Log, Record};
use rapport_types::{Offset, PartitionId, Timestamp};

use crate::{
    EngineError, EngineOptions, Facts, PartitionFacts, Sink, cell::Cell, checkpoint, rebuild, stock::Stock,
    worker::wall_clock,
};

/// How long a thread that waits for others sleeps before it looks whether the engine failed meanwhile.
const LOOK_AGAIN: Duration = Duration::from_millis(100);

/// How long the thread that saves checkpoints waits for room before it tries again. Nothing is lost meanwhile: the log has it.
const SAVE_AGAIN: Duration = Duration::from_millis(500);

/// The niceness of the thread that saves checkpoints: about a third of the share that another thread gets.
#[cfg(target_os = "linux")]
const STEPS_BACK: i32 = 5;

/// One partition.
struct Partition {
    cell: RwLock<Cell>,
    /// The next entry to apply, for readers that do not want the lock.
    next: AtomicU64,
    /// When the log took the entry applied last, in milliseconds.
    applied_at: AtomicU64,
    effects: AtomicU64,
    checkpointed: AtomicU64,
    saving: AtomicBool,
}

/// One checkpoint on its way to the store.
pub(crate) struct Save {
    pub(crate) partition: PartitionId,
    pub(crate) expected: Offset,
    pub(crate) version: u32,
    pub(crate) parts: CheckpointParts,
}

/// The meeting of all workers before a rebuild.
#[derive(Default)]
struct Meeting {
    arrived: u32,
    held: u64,
}

pub(crate) struct Shared {
    pub(crate) log: Arc<dyn Log>,
    pub(crate) store: Arc<dyn Checkpoint>,
    pub(crate) sink: Arc<dyn Sink>,
    pub(crate) options: EngineOptions,
    /// What the cells share.
    stock: Arc<Stock>,
    all: Vec<Partition>,
    stopping: AtomicBool,
    failure: Mutex<Option<EngineError>>,
    meeting: Mutex<Meeting>,
    /// Told when a meeting is over, a checkpoint is saved, or the engine failed.
    news: Condvar,
    saves: SyncSender<Option<Save>>,
    /// Held while it is looked at whose turn it is to take a checkpoint.
    turns: Mutex<()>,
}

impl Shared {
    pub(crate) fn new(
        log: Arc<dyn Log>,
        store: Arc<dyn Checkpoint>,
        sink: Arc<dyn Sink>,
        options: EngineOptions,
        cells: Vec<Cell>,
    ) -> (Self, Receiver<Option<Save>>) {
        let (saves, receiver) = sync_channel(cells.len());
        let one = |cell: Cell| {
            let next = cell.state.next_offset().0;
            Partition {
                cell: RwLock::new(cell),
                next: AtomicU64::new(next),
                applied_at: AtomicU64::new(0),
                effects: AtomicU64::new(0),
                checkpointed: AtomicU64::new(next),
                saving: AtomicBool::new(false),
            }
        };
        let shared = Self {
            log,
            store,
            sink,
            options,
            stock: cells.first().map_or_else(Arc::default, |cell| Arc::clone(&cell.stock)),
            all: cells.into_iter().map(one).collect(),
            stopping: AtomicBool::new(false),
            failure: Mutex::new(None),
            meeting: Mutex::new(Meeting::default()),
            news: Condvar::new(),
            saves,
            turns: Mutex::new(()),
        };
        (shared, receiver)
    }

    pub(crate) fn partitions(&self) -> u32 {
        self.all.len() as u32
    }

    fn one(&self, partition: PartitionId) -> &Partition {
        &self.all[partition.0 as usize]
    }

    pub(crate) fn cell(&self, partition: PartitionId) -> &RwLock<Cell> {
        &self.one(partition).cell
    }

    pub(crate) fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::SeqCst)
    }

    pub(crate) fn stop(&self) {
        self.stopping.store(true, Ordering::SeqCst);
        self.tell_news();
    }

    /// Waits until something happened (a meeting, a checkpoint, a worker without work, a stop), or for so long.
    pub(crate) fn wait_for_news(&self, limit: Duration) {
        let mut meeting = self.meeting.lock();
        self.news.wait_for(&mut meeting, limit);
    }

    pub(crate) fn tell_news(&self) {
        // The lock is taken so that nobody who is about to wait misses it.
        let _meeting = self.meeting.lock();
        self.news.notify_all();
    }

    /// The first failure stops every worker.
    pub(crate) fn fail(&self, error: EngineError) {
        tracing::error!(%error, "the engine stops");
        self.failure.lock().get_or_insert(error);
        self.stop();
    }

    pub(crate) fn failure(&self) -> Option<EngineError> {
        self.failure.lock().clone()
    }

    pub(crate) fn note_progress(&self, partition: PartitionId, next: Offset, effects: usize, records: &[Record]) {
        let slot = self.one(partition);
        slot.next.store(next.0, Ordering::Relaxed);
        slot.effects.fetch_add(effects as u64, Ordering::Relaxed);
        if let Some(record) = records.last() {
            slot.applied_at.store(record.appended_at.0.unsigned_abs(), Ordering::Relaxed);
        }
    }

    fn is_saving(&self, partition: PartitionId) -> bool {
        self.one(partition).saving.load(Ordering::SeqCst)
    }

    /// Whether a checkpoint of the partition may be taken now; if so it is on its way from here on. Partitions take turns, since
    /// all that they have taken and written at once would hold up all events; one that `must` waits for nobody but itself.
    pub(crate) fn begin_saving(&self, partition: PartitionId, must: bool) -> bool {
        let _one_asks = self.turns.lock();
        let others = self.all.iter().any(|one| one.saving.load(Ordering::SeqCst));
        let may = if must { !self.is_saving(partition) } else { !others };
        if may {
            self.one(partition).saving.store(true, Ordering::SeqCst);
        }
        may
    }

    /// Hands a checkpoint that was begun to the thread that saves it.
    pub(crate) fn save(&self, partition: PartitionId, expected: Offset, version: u32, parts: CheckpointParts) {
        // The receiver is gone only after a failure, which has been told already.
        let _gone = self.saves.send(Some(Save { partition, expected, version, parts })).is_err();
    }

    /// Waits until no checkpoint of the partition is on its way.
    pub(crate) fn wait_saved(&self, partition: PartitionId) -> Result<(), EngineError> {
        let mut meeting = self.meeting.lock();
        while self.is_saving(partition) {
            if let Some(error) = self.failure() {
                return Err(error);
            }
            self.news.wait_for(&mut meeting, LOOK_AGAIN);
        }
        Ok(())
    }

    /// Tells the saving thread that nothing more comes.
    pub(crate) fn end_saving(&self) {
        let _gone = self.saves.send(None).is_err();
    }

    /// The saving thread: one checkpoint after the other, until it is told that nothing more comes.
    pub(crate) fn save_all(&self, saves: &Receiver<Option<Save>>) {
        step_back();
        while let Ok(Some(save)) = saves.recv() {
            let (partition, next) = (save.partition, save.parts.next);
            let again = |error: &StoreError| {
                tracing::warn!(partition = partition.0, %error, "the checkpoint is not written; trying again");
                let begun = Instant::now();
                while !self.is_stopping() && begun.elapsed() < SAVE_AGAIN {
                    self.wait_for_news(SAVE_AGAIN);
                }
                !self.is_stopping()
            };
            match checkpoint::save(&*self.store, save, again) {
                Ok(()) => self.one(partition).checkpointed.store(next.0, Ordering::Relaxed),
                Err(error) => self.fail(error),
            }
            self.one(partition).saving.store(false, Ordering::SeqCst);
            self.tell_news();
        }
    }

    /// All workers come here when they met the same definitions; the last one rebuilds for all.
    pub(crate) fn rebuild_together(&self, partition: PartitionId) -> Result<(), EngineError> {
        self.wait_saved(partition)?;
        let mut meeting = self.meeting.lock();
        meeting.arrived += 1;
        if meeting.arrived < self.partitions() {
            let number = meeting.held;
            while meeting.held == number {
                if let Some(error) = self.failure() {
                    return Err(error);
                }
                if self.is_stopping() {
                    return Ok(());
                }
                self.news.wait_for(&mut meeting, LOOK_AGAIN);
            }
            return self.failure().map_or(Ok(()), Err);
        }
        let rebuilt = self.rebuild();
        if rebuilt.is_ok() {
            self.sink.reset();
        }
        meeting.arrived = 0;
        meeting.held += 1;
        self.news.notify_all();
        rebuilt
    }

    fn rebuild(&self) -> Result<(), EngineError> {
        let ends: Vec<Offset> = self.all.iter().map(|slot| slot.cell.read().state.next_offset()).collect();
        let cells = rebuild::rebuild(&self.log, &ends, &self.stock)?;
        for (slot, mut cell) in self.all.iter().zip(cells) {
            let partition = cell.state.partition();
            self.store.reset(partition)?;
            let (parts, version) = (cell.take_checkpoint(), cell.decider.version());
            let next = parts.next;
            checkpoint::save(&*self.store, Save { partition, expected: Offset(0), version, parts }, |_| false)?;
            slot.checkpointed.store(next.0, Ordering::Relaxed);
            *slot.cell.write() = cell;
        }
        Ok(())
    }

    /// What every partition is doing.
    pub(crate) fn facts(&self) -> Facts {
        let failure = self.failure().map(|error| error.to_string());
        let now = wall_clock();
        let partitions = self.all.iter().zip(0..).map(|(slot, partition)| {
            let end = self.log.end(PartitionId(partition)).0;
            let next = slot.next.load(Ordering::Relaxed).min(end);
            let applied_at = Timestamp(slot.applied_at.load(Ordering::Relaxed) as i64);
            let behind = if next < end && applied_at.0 > 0 { now.since(applied_at).0.max(0) } else { 0 };
            PartitionFacts {
                next,
                end,
                behind: Duration::from_millis(behind.unsigned_abs()),
                profiles: slot.cell.read().state.len() as u64,
                checkpointed: slot.checkpointed.load(Ordering::Relaxed),
                effects: slot.effects.load(Ordering::Relaxed),
                stopped: failure.clone(),
            }
        });
        Facts { partitions: partitions.collect() }
    }
}

/// Lets other threads go first: an event that waits for an answer is more urgent than a checkpoint, without which a restart
/// merely replays more.
fn step_back() {
    // Only Linux counts it by thread; elsewhere the whole process would step back.
    #[cfg(target_os = "linux")]
    if let Err(error) = rustix::process::setpriority_process(None, STEPS_BACK) {
        tracing::debug!(%error, "the thread that saves checkpoints keeps its priority");
    }
}
