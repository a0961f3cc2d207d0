//! Results of independent pieces of work, in the order of the pieces whatever the number of threads.

use std::sync::OnceLock;

use crate::{Context, MlError};

/// What `work` returns for each number below `pieces`. A piece that has not begun when the caller loses patience is not
/// begun any more.
pub fn map<T: Send + Sync>(
    context: &Context<'_>,
    pieces: usize,
    work: impl Fn(usize) -> T + Sync,
) -> Result<Vec<T>, MlError> {
    let results: Vec<OnceLock<T>> = (0..pieces).map(|_| OnceLock::new()).collect();
    context.parallel.run(pieces, &|piece| {
        if context.go_on().is_ok() {
            results[piece].get_or_init(|| work(piece));
        }
    });
    results.into_iter().map(|result| result.into_inner().ok_or(MlError::Stopped)).collect()
}
