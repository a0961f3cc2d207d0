//! Between cells and the store: how a checkpoint is written, and how a start reads them all.

use std::sync::Arc;

use rapport_profile::DedupChunk;
use rapport_store::{Checkpoint, CheckpointHead, CheckpointPart, CheckpointWrite, Chunk, Retry, StoreError};
use rapport_types::{Offset, PartitionId};

use crate::{EngineError, cell::Cell, shared::Save, stock::Stock};

/// What a start finds in the store.
pub(crate) enum Found {
    /// No partition has a checkpoint.
    Nothing,
    /// The state up to the checkpoints.
    Cells(Vec<Cell>),
    /// The checkpoints do not belong together: a rebuild after new definitions was cut short.
    Torn,
}

/// Writes a checkpoint. Where the store has no room, or somebody else writes, `again` says whether to try once more.
pub(crate) fn save(
    store: &dyn Checkpoint,
    save: Save,
    mut again: impl FnMut(&StoreError) -> bool,
) -> Result<(), EngineError> {
    let Save { partition, expected, version, parts } = save;
    let chunk = |chunk: DedupChunk| Chunk { expires_at: chunk.expires_at, keys: chunk.keys };
    let chunks: Vec<Chunk> = parts.chunks.into_iter().map(chunk).collect();
    let write = CheckpointWrite {
        partition,
        expected,
        next: parts.next,
        version,
        meta: &parts.meta,
        rows: parts.rows,
        changed: &parts.changed,
        deleted: &parts.deleted,
        chunks: &chunks,
        forget_before: parts.forget_before,
    };
    loop {
        match store.save(&write) {
            Err(error) if error.retry() == Retry::Later && again(&error) => {}
            saved => return Ok(saved?),
        }
    }
}

/// Reads the checkpoints of all partitions on at most `threads` threads. `ends` are the log's ends: a checkpoint beyond them means
/// that the log lost entries, which nothing here may gloss over.
pub(crate) fn load_all(
    store: &dyn Checkpoint,
    ends: &[Offset],
    stock: &Arc<Stock>,
    threads: usize,
) -> Result<Found, EngineError> {
    let partitions = ends.len() as u32;
    let heads = (0..partitions).map(|partition| store.head(PartitionId(partition))).collect::<Result<Vec<_>, _>>()?;
    let Some(first) = heads.iter().flatten().next() else { return Ok(Found::Nothing) };
    for ((head, end), partition) in heads.iter().zip(ends).zip(0..) {
        if let Some(head) = head.as_ref().filter(|head| head.next > *end) {
            return Err(EngineError::Ahead { partition, checkpoint: head.next.0, log: end.0 });
        }
    }
    if heads.iter().any(|head| head.as_ref().is_none_or(|head| head.version != first.version)) {
        return Ok(Found::Torn);
    }
    let heads: Vec<(&CheckpointHead, u32)> = heads.iter().flatten().zip(0..).collect();
    let load_some = |heads: &[(&CheckpointHead, u32)]| -> Result<Vec<Cell>, EngineError> {
        let new = |partition| Cell::new(PartitionId(partition), partitions, stock);
        heads.iter().map(|(head, partition)| load(store, head, new(*partition))).collect()
    };
    let cells: Result<Vec<Vec<Cell>>, EngineError> = std::thread::scope(|scope| {
        let shares = heads.chunks(heads.len().div_ceil(threads));
        let threads: Vec<_> = shares.map(|share| scope.spawn(move || load_some(share))).collect();
        threads.into_iter().map(|thread| thread.join().expect("a loading thread does not panic")).collect()
    });
    Ok(Found::Cells(cells?.into_iter().flatten().collect()))
}

fn load(store: &dyn Checkpoint, head: &CheckpointHead, mut cell: Cell) -> Result<Cell, EngineError> {
    let partition = cell.state.partition();
    cell.restore_meta(&head.meta)?;
    let mut restored = Ok(());
    store.load(partition, &mut |part| {
        if restored.is_err() {
            return;
        }
        match part {
            CheckpointPart::Row(key, row) => restored = cell.state.restore_row(key, row.as_ref()),
            CheckpointPart::Chunk(chunk) => {
                cell.state.restore_chunk(&DedupChunk { expires_at: chunk.expires_at, keys: chunk.keys });
            }
        }
    })?;
    // What the store says of damage comes first: it names the file.
    restored?;
    Ok(cell)
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, HashSet};

    use parking_lot::Mutex;
    use rapport_profile::Changes;
    use rapport_types::{Entry, Timestamp};

    use super::*;

    type Written = (CheckpointHead, Vec<(u64, Vec<u8>)>);

    /// A store that notes which threads read it.
    #[derive(Default)]
    struct Watched {
        written: Mutex<BTreeMap<PartitionId, Written>>,
        readers: Mutex<HashSet<std::thread::ThreadId>>,
        damaged: Option<PartitionId>,
    }

    impl Checkpoint for Watched {
        fn head(&self, partition: PartitionId) -> Result<Option<CheckpointHead>, StoreError> {
            Ok(self.written.lock().get(&partition).map(|(head, _)| head.clone()))
        }

        fn load(&self, partition: PartitionId, each: &mut dyn FnMut(CheckpointPart<'_>)) -> Result<(), StoreError> {
            self.readers.lock().insert(std::thread::current().id());
            if self.damaged == Some(partition) {
                return Err(StoreError::Damaged { path: "state.db".into(), what: "a row".to_owned() });
            }
            let rows = self.written.lock()[&partition].1.clone();
            rows.iter().for_each(|(key, row)| each(CheckpointPart::Row(*key, row)));
            Ok(())
        }

        fn save(&self, write: &CheckpointWrite<'_>) -> Result<(), StoreError> {
            let head = CheckpointHead { next: write.next, version: write.version, meta: write.meta.to_vec() };
            self.written.lock().insert(write.partition, (head, write.changed.to_vec()));
            Ok(())
        }

        fn reset(&self, partition: PartitionId) -> Result<(), StoreError> {
            self.written.lock().remove(&partition);
            Ok(())
        }

        fn bind(&self, _log: u128) -> Result<(), StoreError> {
            Ok(())
        }
    }

    /// Checkpoints of so many partitions; each has taken one entry more than the one before, and the ends of their logs.
    fn written(partitions: u32, damaged: Option<PartitionId>) -> (Watched, Vec<Offset>) {
        let store = Watched { damaged, ..Watched::default() };
        let ends: Vec<Offset> = (1..=u64::from(partitions)).map(Offset).collect();
        for (partition, end) in (0..).map(PartitionId).zip(&ends) {
            let mut cell = Cell::new(partition, partitions, &Arc::default());
            for offset in (0..end.0).map(Offset) {
                let tick = Entry::Tick(Timestamp(0));
                cell.apply(offset, Ok(tick), &mut Changes::default(), &mut Vec::new());
            }
            let parts = cell.take_checkpoint();
            save(&store, Save { partition, expected: Offset(0), version: 0, parts }, |_| false).unwrap();
        }
        (store, ends)
    }

    #[test]
    fn a_few_threads_load_many_partitions_each_in_its_place() {
        for (partitions, threads) in [(1, 1), (1, 8), (2, 3), (7, 1), (7, 3), (8, 3), (16, 2), (16, 5), (16, 64)] {
            let (store, ends) = written(partitions, None);
            let Ok(Found::Cells(cells)) = load_all(&store, &ends, &Arc::default(), threads) else {
                panic!("{partitions} partitions by {threads} threads");
            };
            let found: Vec<_> = cells.iter().map(|cell| (cell.state.partition(), cell.state.next_offset())).collect();
            let expected: Vec<_> = (0..partitions).map(PartitionId).zip(ends).collect();
            assert_eq!(found, expected, "{threads} threads");
            let readers = store.readers.into_inner().len();
            assert!(readers <= threads, "{readers} threads loaded {partitions} partitions, not {threads}");
            assert!(readers > 1 || threads == 1 || partitions == 1, "{partitions} were loaded one after the other");
        }
    }

    #[test]
    fn damage_of_one_partition_among_several_of_a_thread_is_told() {
        for damaged in (0..7).map(PartitionId) {
            let (store, ends) = written(7, Some(damaged));
            let Err(EngineError::Store(error)) = load_all(&store, &ends, &Arc::default(), 2) else {
                panic!("{damaged:?}");
            };
            assert!(matches!(*error, StoreError::Damaged { .. }), "{error}");
        }
    }
}
