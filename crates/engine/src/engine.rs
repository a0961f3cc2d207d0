//! Starting and stopping: load the checkpoints, or rebuild; then a worker for each partition.

use std::{
    sync::{Arc, mpsc::Receiver},
    thread::JoinHandle,
};

use rapport_profile::RestoreError;
use rapport_store::Checkpoint;
use rapport_stream::Log;
use rapport_types::{Offset, PartitionId};

use crate::{
    Digest, EngineError, EngineOptions, Facts, Reader, Sink,
    cell::Cell,
    checkpoint::{self, Found},
    digest, rebuild,
    shared::{Save, Shared},
    stock::Stock,
    worker::Worker,
};

/// How long [`Engine::wait_until_caught_up`] waits for news before it looks itself.
const CATCH_UP_LOOK: std::time::Duration = std::time::Duration::from_millis(20);

/// The running engine. Dropping it stops it; [`Engine::stop`] also tells how it went.
pub struct Engine {
    shared: Arc<Shared>,
    workers: Vec<JoinHandle<()>>,
    saver: Option<JoinHandle<()>>,
}

impl std::fmt::Debug for Engine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Engine").field("workers", &self.workers.len()).finish_non_exhaustive()
    }
}

impl Engine {
    /// Loads the state and starts the workers; what the log holds beyond the checkpoints is applied by them, with
    /// effects, because they may not have been delivered before.
    pub fn start(
        log: Arc<dyn Log>,
        store: Arc<dyn Checkpoint>,
        sink: Arc<dyn Sink>,
        options: EngineOptions,
    ) -> Result<Self, EngineError> {
        let cells = load_or_rebuild(&log, &store, options)?;
        let (shared, to_save) = Shared::new(log, store, sink, options, cells);
        let shared = Arc::new(shared);
        let saver = spawn_saver(&shared, to_save);
        let workers = (0..shared.partitions()).map(|partition| spawn_worker(&shared, PartitionId(partition))).collect();
        Ok(Self { shared, workers, saver: Some(saver) })
    }

    /// Answers from the state in memory.
    pub fn reader(&self) -> Reader {
        Reader::new(Arc::clone(&self.shared))
    }

    /// What it is doing.
    pub fn facts(&self) -> Facts {
        self.shared.facts()
    }

    /// Waits until everything that the log holds is applied, also what the partitions made for each other meanwhile.
    /// It is not the end of all effects: where a timer is due by the machine's clock, a worker without work appends a tick.
    pub fn wait_until_caught_up(&self) -> Result<(), EngineError> {
        // The partitions are looked at one after the other, and one can make an entry for another that was looked at before:
        // only two looks that find the same ends find everything.
        let mut ends_before = None;
        loop {
            if let Some(error) = self.shared.failure() {
                return Err(error);
            }
            let partitions = self.facts().partitions;
            let is_done = partitions.iter().all(|partition| partition.next == partition.end);
            let ends: Option<Vec<u64>> = is_done.then(|| partitions.iter().map(|partition| partition.end).collect());
            if ends.is_some() && ends == ends_before {
                return Ok(());
            }
            ends_before = ends;
            if is_done {
                continue;
            }
            self.shared.wait_for_news(CATCH_UP_LOOK);
        }
    }

    /// The digest of the state as it is now.
    pub fn digest(&self) -> Digest {
        let partitions = (0..self.shared.partitions()).map(PartitionId);
        let guards: Vec<_> = partitions.map(|partition| self.shared.cell(partition).read()).collect();
        digest::of(&guards.iter().map(|guard| &**guard).collect::<Vec<_>>())
    }

    /// Stops after the entry at hand and writes a last checkpoint; the failure that stopped it before, if there was one.
    pub fn stop(mut self) -> Result<(), EngineError> {
        self.join();
        self.shared.failure().map_or(Ok(()), Err)
    }

    fn join(&mut self) {
        self.shared.stop();
        for worker in self.workers.drain(..) {
            // A panic of a worker was told by the worker's own guard.
            let _panicked = worker.join().is_err();
        }
        if let Some(saver) = self.saver.take() {
            self.shared.end_saving();
            let _panicked = saver.join().is_err();
        }
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        self.join();
    }
}

fn spawn_saver(shared: &Arc<Shared>, saves: Receiver<Option<Save>>) -> JoinHandle<()> {
    let shared = Arc::clone(shared);
    let run = move || shared.save_all(&saves);
    std::thread::Builder::new().name("checkpoints".to_owned()).spawn(run).expect("the system can start a thread")
}

fn spawn_worker(shared: &Arc<Shared>, partition: PartitionId) -> JoinHandle<()> {
    let shared = Arc::clone(shared);
    let run = move || {
        let worker = Worker::new(Arc::clone(&shared), partition);
        let run = std::panic::AssertUnwindSafe(|| worker.run());
        let stopped = |what: String| {
            let offset = shared.cell(partition).read().state.next_offset().0;
            EngineError::Stopped { partition: partition.0, offset, what }
        };
        match std::panic::catch_unwind(run) {
            Ok(Ok(())) => {}
            Ok(Err(error)) => shared.fail(error),
            Err(panic) => shared.fail(stopped(panic_text(&*panic))),
        }
    };
    let name = format!("partition-{}", partition.0);
    std::thread::Builder::new().name(name).spawn(run).expect("the system can start a thread")
}

fn panic_text(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("a bug").to_owned()
}

/// The cells of the checkpoints; where there are none, or of an older format, cells made from the log. Damage is not mended
/// here: what damaged the state may have damaged more, so a person shall know before anything is written over it.
///
/// A short log without a checkpoint is left to the workers, which apply it as if it came just now: its effects may not
/// have been delivered before. A long one is rebuilt, which delivers nothing; readers are told to look again.
fn load_or_rebuild(
    log: &Arc<dyn Log>,
    store: &Arc<dyn Checkpoint>,
    options: EngineOptions,
) -> Result<Vec<Cell>, EngineError> {
    let ends: Vec<Offset> = (0..log.partitions()).map(|partition| log.end(PartitionId(partition))).collect();
    let is_short = ends.iter().all(|end| end.0 <= options.checkpoint_entries);
    let stock = Arc::default();
    // No more threads than cores: the heap of each keeps some of what its load took for as long as the program runs.
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    match checkpoint::load_all(&**store, &ends, &stock, threads) {
        Ok(Found::Cells(cells)) => Ok(cells),
        Ok(Found::Nothing) if is_short => {
            let cell = |partition| Cell::new(PartitionId(partition), log.partitions(), &stock);
            Ok((0..log.partitions()).map(cell).collect())
        }
        Ok(Found::Nothing) => {
            tracing::warn!("there is no checkpoint; rebuilding the state from the log");
            make_anew(log, &**store, &ends, &stock)
        }
        Ok(Found::Torn) => {
            tracing::warn!("the checkpoints were cut short by a crash; rebuilding the state from the log");
            make_anew(log, &**store, &ends, &stock)
        }
        Err(EngineError::Restore(error @ RestoreError::Older { .. })) => {
            tracing::warn!(%error, "rebuilding the state from the log");
            make_anew(log, &**store, &ends, &stock)
        }
        Err(error) => Err(error),
    }
}

fn make_anew(
    log: &Arc<dyn Log>,
    store: &dyn Checkpoint,
    ends: &[Offset],
    stock: &Arc<Stock>,
) -> Result<Vec<Cell>, EngineError> {
    let mut cells = rebuild::rebuild(log, ends, stock)?;
    for cell in &mut cells {
        let partition = cell.state.partition();
        store.reset(partition)?;
        let (parts, version) = (cell.take_checkpoint(), cell.decider.version());
        checkpoint::save(store, Save { partition, expected: Offset(0), version, parts }, |_| false)?;
    }
    Ok(cells)
}
