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

/// Reads the checkpoints of all partitions, several at the same time. `ends` are the log's ends: a checkpoint beyond them means that
/// the log lost entries, which nothing here may gloss over.
pub(crate) fn load_all(store: &Arc<dyn Checkpoint>, ends: &[Offset], stock: &Arc<Stock>) -> Result<Found, EngineError> {
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
    // No more threads than cores: the heap of each keeps some of what its load took for as long as the program runs.
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let load_some = |heads: &[(&CheckpointHead, u32)]| -> Result<Vec<Cell>, EngineError> {
        let new = |partition| Cell::new(PartitionId(partition), partitions, stock);
        heads.iter().map(|(head, partition)| load(&**store, head, new(*partition))).collect()
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
