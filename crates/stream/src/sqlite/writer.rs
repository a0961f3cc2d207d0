//! The one thread that writes: takes what waits, makes rows of it, commits, acknowledges, shows.

use std::{collections::VecDeque, sync::Arc};

use parking_lot::Mutex;
use rapport_types::{Offset, PartitionId, Timestamp};
use rusqlite::ErrorCode;

use super::{
    ack::{AckFile, Found},
    copier::Copier,
    file::LogFile,
    queue::{Job, Queue},
    row::{Builder, Header, Row},
    tail::Tail,
};
use crate::{Appended, LogError, LogId, Statistics, memory::now};

/// Compares what was acknowledged with what the file has; the sequence from which `log.ack` goes on.
pub(super) fn compare(found: &Found, id: LogId, ends: &[Offset]) -> Result<u64, LogError> {
    match found {
        Found::Missing => Ok(0),
        Found::Torn => {
            tracing::warn!("log.ack is not readable; the log is opened without its witness");
            Ok(0)
        }
        // A log that was taken away and made anew has lost everything.
        Found::Sound { id: other, ends: acknowledged, sequence, .. } if *other != id => {
            match acknowledged.iter().zip(0..).find(|(end, _)| end.0 > 0) {
                None => Ok(*sequence),
                Some((acknowledged, partition)) => {
                    let partition = PartitionId(partition);
                    Err(LogError::Truncated { partition, acknowledged: *acknowledged, found: Offset(0) })
                }
            }
        }
        Found::Sound { ends: acknowledged, sequence, half, .. } => {
            if *half {
                tracing::warn!("the newest part of log.ack is not readable; the part before it is used");
            }
            for ((acknowledged, found), partition) in acknowledged.iter().zip(ends).zip(0..) {
                if found < acknowledged {
                    let partition = PartitionId(partition);
                    return Err(LogError::Truncated { partition, acknowledged: *acknowledged, found: *found });
                }
            }
            Ok(*sequence)
        }
    }
}

pub(super) struct Writer {
    /// Dropped before the file, which tidies up when it is the last connection.
    pub(super) copier: Copier,
    pub(super) file: LogFile,
    pub(super) ack: AckFile,
    pub(super) queue: Arc<Queue>,
    pub(super) tail: Arc<Tail>,
    pub(super) statistics: Arc<Mutex<Statistics>>,
    /// By partition: what the next row begins with.
    pub(super) ends: Vec<Offset>,
    /// By partition: the checksum of the newest row.
    pub(super) checksums: Vec<u32>,
    /// The time of the newest commit: a clock that is set back does not take the log's times back.
    pub(super) newest: Timestamp,
}

/// What a failed commit means.
enum Failure {
    /// Nothing was kept, and the next commit may succeed.
    Nothing(LogError),
    /// What the disk has is unknown.
    Unknown(Arc<str>),
}

impl Writer {
    pub(super) fn run(mut self) {
        // A panic here is a bug; senders must hear of it all the same.
        let queue = Arc::clone(&self.queue);
        let run = std::panic::AssertUnwindSafe(|| self.work());
        if std::panic::catch_unwind(run).is_err() {
            queue.poison(&Arc::from("the writer met a bug and stopped"));
        }
    }

    fn work(&mut self) {
        while let Some(jobs) = self.queue.take() {
            let (rows, answers) = self.rows(&jobs);
            let committed = self.commit(&rows);
            match committed {
                Ok(()) => self.acknowledge(jobs, rows, answers),
                Err(Failure::Nothing(error)) => {
                    tracing::warn!(%error, "a commit of the log kept nothing");
                    self.statistics.lock().failed_commits += 1;
                    jobs.into_iter().for_each(|job| job.completer.complete(Err(error.clone())));
                }
                Err(Failure::Unknown(why)) => {
                    tracing::error!(%why, "a commit of the log failed; the log takes no more entries");
                    self.statistics.lock().failed_commits += 1;
                    self.queue.poison(&why);
                    let poisoned = LogError::Poisoned(why);
                    jobs.into_iter().for_each(|job| job.completer.complete(Err(poisoned.clone())));
                    return;
                }
            }
        }
    }

    /// The rows of a commit, and the answer to each of its jobs.
    fn rows(&mut self, jobs: &VecDeque<Job>) -> (Vec<Row>, Vec<Appended>) {
        let mut partitions: Vec<Making> = self.ends.iter().zip(&self.checksums).map(Making::new).collect();
        for (partition, bytes) in jobs.iter().flat_map(|job| &job.append.entries) {
            let making = &mut partitions[partition.0 as usize];
            making.entries += 1;
            making.bytes += bytes.len();
        }
        for making in &mut partitions {
            making.builder.reserve(making.entries, making.bytes);
        }
        self.newest = self.newest.max(now());
        let (id, at) = (self.file.id(), self.newest);
        let mut rows = Vec::new();
        let mut answers = Vec::with_capacity(jobs.len());
        for job in jobs {
            let mut offsets = Vec::with_capacity(job.append.entries.len());
            for (partition, bytes) in &job.append.entries {
                let making = &mut partitions[partition.0 as usize];
                if making.builder.is_full_for(bytes.len()) {
                    rows.push(making.finish(id, *partition, at));
                }
                offsets.push(Offset(making.base.0 + u64::from(making.builder.count())));
                making.builder.push(bytes);
            }
            answers.push(Appended { offsets });
        }
        for (making, partition) in partitions.iter_mut().zip(0..) {
            if making.builder.count() > 0 {
                rows.push(making.finish(id, PartitionId(partition), at));
            }
        }
        (rows, answers)
    }

    fn commit(&mut self, rows: &[Row]) -> Result<(), Failure> {
        let Err(error) = self.file.write(rows) else { return Ok(()) };
        let known = match error.sqlite_error_code() {
            Some(ErrorCode::DiskFull) => Some(LogError::DiskFull),
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Some(LogError::Busy),
            _ => None,
        };
        match known.filter(|_| self.file.is_at_rest()) {
            Some(error) => Err(Failure::Nothing(error)),
            None => Err(Failure::Unknown(error.to_string().into())),
        }
    }

    fn acknowledge(&mut self, jobs: VecDeque<Job>, rows: Vec<Row>, answers: Vec<Appended>) {
        let mut sums = self.statistics.lock();
        sums.commits += 1;
        for row in &rows {
            let partition = row.header.partition.0 as usize;
            self.ends[partition] = row.header.end();
            self.checksums[partition] = row.crc32;
            sums.entries += u64::from(row.header.count);
            sums.bytes += row.bytes.len() as u64 - 4 * u64::from(row.header.count);
        }
        drop(sums);
        let copy_rest = self.copier.committed(&rows);
        self.tail.publish(rows);
        // Before the senders hear of it: the witness must never be behind what a sender knows by more than a power cut.
        if let Err(error) = self.ack.write(self.ends.iter().copied()) {
            tracing::warn!(%error, "log.ack cannot be written; a loss of the log's end would go unnoticed");
        }
        for (job, answer) in jobs.into_iter().zip(answers) {
            job.completer.complete(Ok(answer));
        }
        if copy_rest && let Err(error) = self.file.copy_ahead() {
            tracing::warn!(%error, "the log's write-ahead log cannot begin anew yet");
        }
    }
}

/// A partition's rows of one commit.
struct Making {
    base: Offset,
    previous_crc32: u32,
    builder: Builder,
    entries: usize,
    bytes: usize,
}

impl Making {
    fn new((end, checksum): (&Offset, &u32)) -> Self {
        Self { base: *end, previous_crc32: *checksum, builder: Builder::default(), entries: 0, bytes: 0 }
    }

    fn finish(&mut self, id: LogId, partition: PartitionId, appended_at: Timestamp) -> Row {
        let header = Header {
            partition,
            base: self.base,
            count: self.builder.count(),
            appended_at,
            previous_crc32: self.previous_crc32,
        };
        let row = self.builder.finish(id, header);
        (self.base, self.previous_crc32) = (header.end(), row.crc32);
        row
    }
}
