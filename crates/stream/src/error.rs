//! What can go wrong with a log, whose fault it is and whether trying again makes sense.

use std::{path::PathBuf, sync::Arc};

use rapport_types::{Offset, PartitionId};

/// Where the cause of an error lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The calling code asked for something that cannot be.
    Caller,
    /// The machine or its configuration: disk, memory, permissions, load.
    Environment,
    /// What is stored is not what was written.
    Corruption,
}

/// Whether the same call can succeed later.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Retry {
    /// The same call fails again until a person has acted.
    Never,
    /// The same call may succeed after a pause.
    Later,
}

/// Every error of this crate.
///
/// It is cheap to clone, because one failed commit is told to every sender in it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LogError {
    /// An append without entries.
    #[error("an append needs at least one entry")]
    Empty,
    /// An entry or a read names a partition that the log does not have.
    #[error("partition {} does not exist: the log has {partitions} partitions, from 0", partition.0)]
    UnknownPartition {
        /// The partition that was named.
        partition: PartitionId,
        /// How many partitions the log has.
        partitions: u32,
    },
    /// An append that would not fit into one commit.
    #[error(
        "an append of {entries} entries and {bytes} bytes is over the limit of {entry_limit} entries and {limit} bytes"
    )]
    TooLarge {
        /// Bytes of the append.
        bytes: usize,
        /// The most bytes that one append may have.
        limit: usize,
        /// Entries of the append.
        entries: usize,
        /// The most entries that one append may have.
        entry_limit: usize,
    },
    /// A read from behind the end: the reader knows entries that this log never had.
    #[error("offset {} of partition {} is beyond the end of the log at {}", from.0, partition.0, end.0)]
    BeyondEnd {
        /// The partition that was read.
        partition: PartitionId,
        /// Where the read was to start.
        from: Offset,
        /// The end of the partition.
        end: Offset,
    },
    /// A log with this number of partitions cannot be made.
    #[error("a log has 1 to {limit} partitions, not {wanted}")]
    Partitions {
        /// What was asked for.
        wanted: u32,
        /// The most that this backend can have.
        limit: u32,
    },
    /// The log was made with another number of partitions; the number is fixed for its life.
    #[error("the log in {} has {found} partitions, {wanted} were asked for; the number is fixed when a log is made", path.display())]
    PartitionCount {
        /// The log's directory.
        path: PathBuf,
        /// What the log has.
        found: u32,
        /// What was asked for.
        wanted: u32,
    },
    /// The file was written by a newer version of Rapport.
    #[error("the log {} has format {found}, this version reads formats up to {known}; use a newer Rapport", path.display())]
    Format {
        /// The log's file.
        path: PathBuf,
        /// The format of the file.
        found: i64,
        /// The newest format that this version reads.
        known: i64,
    },
    /// Another process has the log open.
    #[error("the log in {} is in use by {holder}; stop it first", path.display())]
    Locked {
        /// The log's directory.
        path: PathBuf,
        /// What the holder wrote about itself.
        holder: Arc<str>,
    },
    /// The queue of appends that wait for the disk is full.
    #[error("the log's queue is full ({limit} bytes wait for the disk)")]
    Full {
        /// The limit of the queue in bytes.
        limit: usize,
    },
    /// The disk has no space; nothing of the append was kept.
    #[error("the disk of the log is full; nothing of this append was kept")]
    DiskFull,
    /// Another program holds the file's write lock; nothing of the append was kept.
    #[error("another program holds the write lock of the log's file; nothing of this append was kept")]
    Busy,
    /// A write or a sync failed, so what the disk holds is unknown: the log takes nothing more until it is opened anew.
    #[error("the log takes no more entries since a write failed: {0}")]
    Poisoned(Arc<str>),
    /// The log was closed.
    #[error("the log is closed")]
    Closed,
    /// The operating system refused something outside a commit.
    #[error("{action}: {why}")]
    Io {
        /// What was being done, with the path.
        action: Arc<str>,
        /// What the system answered.
        why: Arc<str>,
    },
    /// Stored entries are missing or changed.
    #[error("the log is damaged in partition {} at offset {}: {what}; restore log.db from a backup", partition.0, offset.0)]
    Corrupt {
        /// The damaged partition.
        partition: PartitionId,
        /// The first offset that cannot be trusted.
        offset: Offset,
        /// What was found.
        what: Arc<str>,
    },
    /// The file as a whole is not a readable log.
    #[error("the log's file {} is damaged: {what}; restore it from a backup", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What was found.
        what: Arc<str>,
    },
    /// The log ends before entries whose senders were told that they are durable.
    #[error(
        "the log lost acknowledged entries: partition {} ends at {}, acknowledged up to {}; restore a copy of log.db, \
         or remove log.ack to accept the loss",
        partition.0, found.0, acknowledged.0
    )]
    Truncated {
        /// The partition that is too short.
        partition: PartitionId,
        /// The end that senders were told of.
        acknowledged: Offset,
        /// The end that the log has.
        found: Offset,
    },
}

impl LogError {
    /// Where the cause lies.
    pub fn fault(&self) -> Fault {
        match self {
            Self::Empty
            | Self::UnknownPartition { .. }
            | Self::TooLarge { .. }
            | Self::BeyondEnd { .. }
            | Self::Partitions { .. }
            | Self::PartitionCount { .. }
            | Self::Closed => Fault::Caller,
            Self::Format { .. }
            | Self::Locked { .. }
            | Self::Full { .. }
            | Self::DiskFull
            | Self::Busy
            | Self::Poisoned(_)
            | Self::Io { .. } => Fault::Environment,
            Self::Corrupt { .. } | Self::Damaged { .. } | Self::Truncated { .. } => Fault::Corruption,
        }
    }

    /// Whether the same call may succeed after a pause.
    pub fn retry(&self) -> Retry {
        match self {
            Self::Full { .. } | Self::DiskFull | Self::Busy => Retry::Later,
            _ => Retry::Never,
        }
    }

    pub(crate) fn io(action: impl Into<Arc<str>>, why: &(dyn std::error::Error + 'static)) -> Self {
        Self::Io { action: action.into(), why: format!("{why}{}", remedy(why)).into() }
    }
}

/// What to do about an error that only its reader can do something about.
fn remedy(why: &(dyn std::error::Error + 'static)) -> &'static str {
    use rusqlite::ErrorCode;
    use std::io::ErrorKind;
    let system = why.downcast_ref::<std::io::Error>().map(std::io::Error::kind);
    let database = why.downcast_ref::<rusqlite::Error>().and_then(rusqlite::Error::sqlite_error_code);
    match (system, database) {
        (Some(ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem), _)
        | (_, Some(ErrorCode::ReadOnly | ErrorCode::CannotOpen | ErrorCode::PermissionDenied)) => {
            "; make the folder and its files writable for who runs Rapport"
        }
        _ => "",
    }
}
