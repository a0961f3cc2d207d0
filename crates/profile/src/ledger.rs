//! The ledger: for each source, what became of every event that was accepted.
//!
//! Invariant, once nothing is under way: accepted = applied + deduplicated + dead-lettered + erased.

use rapport_types::{Offset, SourceId, Timestamp};
use serde::{Deserialize, Serialize};

/// How many dead letters a partition lists; more are only counted, and stay in the log.
pub const DEAD_LETTERS_LISTED: usize = 1_000;

/// What became of one source's events in one partition.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct LedgerLine {
    /// Entries that reached this partition from the source.
    pub accepted: u64,
    /// Taken into a profile of this partition.
    pub applied: u64,
    /// Repeats.
    pub deduplicated: u64,
    /// Could not be applied; the reason is listed.
    pub dead_lettered: u64,
    /// Erased at the person's wish.
    pub erased: u64,
}

impl LedgerLine {
    /// Accepted and none of the others yet: on the way to a partition, or from one to another.
    pub fn pending(self) -> u64 {
        self.accepted.saturating_sub(self.applied + self.deduplicated + self.dead_lettered + self.erased)
    }

    /// Adds another partition's line.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self {
            accepted: self.accepted + other.accepted,
            applied: self.applied + other.applied,
            deduplicated: self.deduplicated + other.deduplicated,
            dead_lettered: self.dead_lettered + other.dead_lettered,
            erased: self.erased + other.erased,
        }
    }
}

/// An event that could not be applied. Its bytes stay in the log at the offset.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeadLetter {
    /// Where its bytes are.
    pub offset: Offset,
    /// When it was received, if it could be read at all.
    pub received_at: Option<Timestamp>,
    /// Why, as a sentence.
    pub reason: Box<str>,
}

/// The ledger of one partition.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Ledger {
    /// By the number of the source.
    lines: Vec<LedgerLine>,
    /// The newest dead letters, oldest first.
    pub dead_letters: Vec<DeadLetter>,
}

impl Ledger {
    /// The line of a source.
    pub(crate) fn line(&mut self, source: SourceId) -> &mut LedgerLine {
        let index = source.0 as usize;
        if self.lines.len() <= index {
            self.lines.resize(index + 1, LedgerLine::default());
        }
        &mut self.lines[index]
    }

    /// The lines with their sources.
    pub fn lines(&self) -> impl Iterator<Item = (SourceId, LedgerLine)> {
        self.lines.iter().enumerate().map(|(index, line)| (SourceId(index as u32), *line))
    }

    pub(crate) fn dead_letter(&mut self, source: SourceId, letter: DeadLetter) {
        self.line(source).dead_lettered += 1;
        if self.dead_letters.len() >= DEAD_LETTERS_LISTED {
            self.dead_letters.remove(0);
        }
        self.dead_letters.push(letter);
    }
}
