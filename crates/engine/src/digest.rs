//! One hash over all profiles, to compare two runs over the same events.
//!
//! It covers facts, segments and scores, all as of the time of the newest event, and what models have learnt in service, where some
//! do. It leaves out what may differ between two correct runs: positions in the log, and the moment at which a decision was last
//! looked at.

use std::sync::Arc;

use rapport_stream::Log;
use rapport_types::{Offset, PartitionId, Timestamp};

use crate::{EngineError, cell::Cell, rebuild};

/// A state in one line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Digest {
    /// 64 hexadecimal digits.
    pub digest: String,
    /// How many profiles.
    pub profiles: u64,
}

/// A rebuild in one line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rebuilt {
    /// The state that it gave.
    pub digest: Digest,
    /// Entries that were read.
    pub entries: u64,
    /// How long reading, folding and deciding took, without the digest.
    pub took: std::time::Duration,
}

/// Makes the state from the log alone and tells its digest; nothing is written.
pub fn rebuild_digest(log: &Arc<dyn Log>) -> Result<Rebuilt, EngineError> {
    let begun = std::time::Instant::now();
    let ends: Vec<Offset> = (0..log.partitions()).map(|partition| log.end(PartitionId(partition))).collect();
    let cells = rebuild::rebuild(log, &ends, &Arc::default())?;
    let took = begun.elapsed();
    let digest = of(&cells.iter().collect::<Vec<_>>());
    Ok(Rebuilt { digest, entries: ends.iter().map(|end| end.0).sum(), took })
}

pub(crate) fn of(cells: &[&Cell]) -> Digest {
    let newest = |cell: &&Cell| cell.state.last_seen().map(|(_, at)| at).max();
    let at = cells.iter().filter_map(newest).max().unwrap_or(Timestamp::MIN);
    let mut profiles: Vec<(String, [u8; 32])> = std::thread::scope(|scope| {
        let threads: Vec<_> = cells.iter().map(|cell| scope.spawn(move || cell.digests(at))).collect();
        threads.into_iter().flat_map(|thread| thread.join().expect("a digest's thread does not panic")).collect()
    });
    profiles.sort();
    let mut hasher = blake3::Hasher::new();
    for (_, hash) in &profiles {
        hasher.update(hash);
    }
    for learnt in cells.iter().flat_map(|cell| cell.decider.learnt()) {
        hasher.update(&postcard::to_allocvec(&learnt).expect("what was learnt encodes"));
    }
    Digest { digest: hasher.finalize().to_hex().to_string(), profiles: profiles.len() as u64 }
}
