//! The state made anew from the log, from its first entry up to given ends: after a change of definitions, without a
//! usable checkpoint, and to check that live state equals replayed state.
//!
//! All partitions are read at once, a thread each. An entry that one partition made for another stands in the log as older
//! definitions made it, so it is made again: where the log has it, the reader waits for its new form from the partition that
//! caused it. The order of the log is thereby kept, and the result is the same each time. Nobody waits in a circle, because
//! whatever an entry waits for happened before it was appended. What its cause does not make any more, as one that an earlier
//! version made, is passed over. Entries that a crash kept out of the log are applied at the end. Decisions are looked at once,
//! at the end, because they follow from the facts and the time. What models learn in service does depend on the order, so it is
//! learnt entry by entry.
//!
//! The same order as that of the live system has a seam: when definitions changed, all partitions met at that entry, and what they
//! had made for each other by then was taken at once. So the log is read up to the newest definitions first, and then the rest.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use parking_lot::{Condvar, Mutex};
use rapport_profile::{Changes, Place, RestoreError};
use rapport_stream::Log;
use rapport_types::{Entry, Offset, Origin, PartitionId};

use crate::{EngineError, cell::Cell, control::Control, stock::Stock};

/// How much is read at a time.
const READ_BYTES: usize = 1 << 20;

/// What the threads share.
struct Exchange {
    state: Mutex<Exchanged>,
    news: Condvar,
}

#[derive(Default)]
struct Exchanged {
    /// By home partition: entries that were made and wait to be met in the log.
    made: Vec<BTreeMap<Origin, Entry>>,
    /// What each thread waits for.
    wanted: Vec<Wanted>,
    /// Before which offset each has taken everything.
    passed: Vec<Offset>,
    failed: bool,
}

#[derive(Default, Clone, Copy, PartialEq, Eq)]
enum Wanted {
    #[default]
    Nothing,
    Entry(Origin),
    Done,
}

impl Exchanged {
    /// Whether no thread can go on. That a log could not have been written like this makes it no less possible to read.
    fn is_stuck(&self) -> bool {
        self.wanted.iter().zip(&self.made).all(|(wanted, made)| match wanted {
            Wanted::Nothing => false,
            Wanted::Entry(origin) => !made.contains_key(origin) && !self.is_past(*origin),
            Wanted::Done => true,
        })
    }

    /// Whether the cause was taken, and whatever it makes is made.
    fn is_past(&self, origin: Origin) -> bool {
        self.passed.get(origin.partition.0 as usize).is_some_and(|passed| *passed > origin.offset)
    }
}

impl Exchange {
    fn new(partitions: usize) -> Self {
        let made = (0..partitions).map(|_| BTreeMap::new()).collect();
        let (wanted, passed) = (vec![Wanted::Nothing; partitions], vec![Offset(0); partitions]);
        let state = Exchanged { made, wanted, passed, failed: false };
        Self { state: Mutex::new(state), news: Condvar::new() }
    }

    /// Lays down what an entry made for other partitions.
    fn give(&self, changes: &mut Changes) {
        changes.touched.clear();
        if changes.internal.is_empty() {
            return;
        }
        let mut state = self.state.lock();
        for (home, entry) in changes.internal.drain(..) {
            if let Some(origin) = entry.origin() {
                state.made[home.0 as usize].insert(origin, entry);
            }
        }
        self.news.notify_all();
    }

    /// Says that a partition has taken everything before `next`, and given what it made.
    fn pass(&self, partition: PartitionId, next: Offset) {
        self.state.lock().passed[partition.0 as usize] = next;
        self.news.notify_all();
    }

    /// The new form of the entry of `origin` that `home` has at `here`; none if nobody makes it.
    fn take(&self, home: PartitionId, here: Offset, origin: Origin) -> Option<Entry> {
        let place = home.0 as usize;
        self.pass(home, here);
        let mut state = self.state.lock();
        state.wanted[place] = Wanted::Entry(origin);
        let found = loop {
            if let Some(entry) = state.made[place].remove(&origin) {
                break Some(entry);
            }
            if state.failed || state.is_past(origin) || state.is_stuck() {
                break None;
            }
            self.news.wait(&mut state);
        };
        state.wanted[place] = Wanted::Nothing;
        found
    }

    /// The first entry, in the order of origins, that was made and never met; with its home.
    fn leftover(&self) -> Option<(PartitionId, Origin, Entry)> {
        let mut state = self.state.lock();
        let first = |(home, made): (u32, &BTreeMap<Origin, Entry>)| Some((*made.first_key_value()?.0, home));
        let (origin, home) = (0..).zip(&state.made).filter_map(first).min()?;
        let entry = state.made[home as usize].remove(&origin)?;
        Some((PartitionId(home), origin, entry))
    }
}

/// A thread that reads. However it ends, a panic included, nobody waits for it any more.
struct Reading<'a> {
    exchange: &'a Exchange,
    home: PartitionId,
    failed: bool,
}

impl Drop for Reading<'_> {
    fn drop(&mut self) {
        let mut state = self.exchange.state.lock();
        state.wanted[self.home.0 as usize] = Wanted::Done;
        state.failed |= self.failed;
        self.exchange.news.notify_all();
    }
}

/// Makes the cells of all partitions from the entries before `ends`, one end for each partition.
pub(crate) fn rebuild(log: &Arc<dyn Log>, ends: &[Offset], stock: &Arc<Stock>) -> Result<Vec<Cell>, EngineError> {
    let (controls, seams): (Vec<Control>, Vec<Offset>) = control_before(log, ends, stock)?.into_iter().unzip();
    let partitions = ends.len() as u32;
    let begin = |(control, partition): (&Control, u32)| {
        let mut cell = Cell::new(PartitionId(partition), partitions, stock);
        cell.decider = control.without_models()?;
        Ok(cell)
    };
    let cells = controls.iter().zip(0..).map(begin).collect::<Result<Vec<Cell>, EngineError>>()?;
    let cells = read_up_to(log, cells, &vec![Offset(0); ends.len()], &seams)?;
    let mut cells = read_up_to(log, cells, &seams, ends)?;
    for (cell, control) in cells.iter_mut().zip(controls) {
        let learnt = cell.decider.learnt();
        cell.decider = control.decider(stock)?;
        cell.control = control;
        let partition = cell.state.partition().0;
        cell.decider.restore_learnt(learnt).map_err(|_| RestoreError::Meta(partition))?;
    }
    std::thread::scope(|scope| {
        for (cell, end) in cells.iter_mut().zip(ends) {
            scope.spawn(move || {
                let (mut unsent, last) = (Vec::new(), Offset(end.0.saturating_sub(1)));
                cell.decide_all(last, &mut unsent);
                unsent.clear();
                cell.fire_timers(last, &mut unsent);
            });
        }
    });
    Ok(cells)
}

/// Goes on with cells that have taken the entries before `from`, up to `ends`.
fn read_up_to(
    log: &Arc<dyn Log>,
    cells: Vec<Cell>,
    from: &[Offset],
    ends: &[Offset],
) -> Result<Vec<Cell>, EngineError> {
    let exchange = Exchange::new(ends.len());
    let cells: Result<Vec<Cell>, EngineError> = std::thread::scope(|scope| {
        let fill = |cell: Cell| {
            let exchange = &exchange;
            scope.spawn(move || {
                let mut reading = Reading { exchange, home: cell.state.partition(), failed: true };
                let filled = read_all(log, cell, from, ends, exchange);
                reading.failed = filled.is_err();
                filled
            })
        };
        let threads: Vec<_> = cells.into_iter().map(fill).collect();
        threads.into_iter().map(|thread| thread.join().expect("a rebuild's thread does not panic")).collect()
    });
    let mut cells = cells?;
    apply_leftovers(&mut cells, &exchange);
    for cell in &mut cells {
        for (from, end) in ends.iter().enumerate() {
            if let Some(last) = end.0.checked_sub(1) {
                cell.state.skip_internal(PartitionId(from as u32), Offset(last), u32::MAX);
            }
        }
    }
    Ok(cells)
}

/// Applies what the log does not have: a crash came between an entry and what it made for others.
fn apply_leftovers(cells: &mut [Cell], exchange: &Exchange) {
    let mut changes = Changes::default();
    while let Some((home, origin, entry)) = exchange.leftover() {
        let cell = &mut cells[home.0 as usize];
        let root = Place { partition: origin.partition, offset: origin.offset };
        cell.refold_exchanged(root, entry, &mut changes);
        exchange.give(&mut changes);
    }
}

/// The control entries in force at the ends, each with the place behind the newest definitions.
fn control_before(log: &Arc<dyn Log>, ends: &[Offset], stock: &Stock) -> Result<Vec<(Control, Offset)>, EngineError> {
    let mut all = Vec::new();
    for (partition, end) in ends.iter().enumerate() {
        let (mut control, mut seam) = (Control::default(), Offset(0));
        let mut next = Offset(0);
        while next < *end {
            for record in log.read(PartitionId(partition as u32), next, READ_BYTES)? {
                next = Offset(record.offset.0 + 1);
                if record.offset < *end
                    && Entry::is_control(&record.bytes)
                    && let Ok(entry) = Entry::decode(&record.bytes)
                {
                    control.take(&entry, stock);
                    if matches!(entry, Entry::Definitions(_)) {
                        seam = next;
                    }
                }
            }
        }
        all.push((control, seam));
    }
    Ok(all)
}

fn read_all(
    log: &Arc<dyn Log>,
    mut cell: Cell,
    from: &[Offset],
    ends: &[Offset],
    exchange: &Exchange,
) -> Result<Cell, EngineError> {
    let partition = cell.state.partition();
    let end = ends[partition.0 as usize];
    let mut changes = Changes::default();
    // What comes from entries that were taken before was taken with them, wherever it stands.
    let taken = |(partition, from): (u32, &Offset)| {
        let (partition, offset) = (PartitionId(partition), Offset(from.0.checked_sub(1)?));
        Some((partition, Origin { partition, offset, index: u32::MAX }))
    };
    let mut newest: HashMap<PartitionId, Origin> = (0..).zip(from).filter_map(taken).collect();
    while cell.state.next_offset() < end {
        for record in log.read(partition, cell.state.next_offset(), READ_BYTES)? {
            if record.offset >= end {
                break;
            }
            let mut entry = match Entry::decode(&record.bytes) {
                Ok(entry) => entry,
                Err(error) if error.is_newer() => return Err(EngineError::newer(partition, record.offset, error)),
                Err(error) => {
                    cell.state.apply_unreadable(record.offset, &error.to_string());
                    continue;
                }
            };
            if let Some(origin) = entry.origin() {
                // A crash can make a partition append again what it had appended.
                if newest.get(&origin.partition).is_some_and(|newest| *newest >= origin) {
                    cell.state.skip(record.offset);
                    continue;
                }
                newest.insert(origin.partition, origin);
                match exchange.take(partition, record.offset, origin) {
                    Some(made) => entry = made,
                    None if ends.get(origin.partition.0 as usize).is_some_and(|end| origin.offset < *end) => {
                        cell.state.skip(record.offset);
                        continue;
                    }
                    // Its cause is in no log any more, or behind the newest definitions: then it is made again there.
                    None => {}
                }
            }
            cell.refold(record.offset, entry, &mut changes);
            exchange.give(&mut changes);
        }
        exchange.pass(partition, cell.state.next_offset());
    }
    Ok(cell)
}
