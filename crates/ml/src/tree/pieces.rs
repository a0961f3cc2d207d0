//! Work in pieces on borrowed hands, with results in the order of the pieces.

use std::sync::Mutex;

use crate::Parallel;

/// The results of `work` for each number below `pieces`, in that order.
pub(super) fn map<T: Send>(parallel: &dyn Parallel, pieces: usize, work: impl Fn(usize) -> T + Sync) -> Vec<T> {
    let slots: Vec<Mutex<Option<T>>> = (0..pieces).map(|_| Mutex::new(None)).collect();
    parallel.run(pieces, &|piece| {
        let result = work(piece);
        if let Ok(mut slot) = slots[piece].lock() {
            *slot = Some(result);
        }
    });
    slots.into_iter().filter_map(|slot| slot.into_inner().ok().flatten()).collect()
}

/// Gives `work` consecutive blocks of `items` (the last one may be shorter) with their numbers; the results in the order of
/// the blocks. Blocks do not depend on the number of threads, so sums over them do not either.
pub(super) fn over_blocks<I: Send, T: Send>(
    parallel: &dyn Parallel,
    items: &mut [I],
    block: usize,
    work: impl Fn(usize, &mut [I]) -> T + Sync,
) -> Vec<T> {
    let blocks: Vec<Mutex<&mut [I]>> = items.chunks_mut(block).map(Mutex::new).collect();
    map(parallel, blocks.len(), |number| blocks[number].lock().ok().map(|mut items| work(number, &mut items)))
        .into_iter()
        .flatten()
        .collect()
}
