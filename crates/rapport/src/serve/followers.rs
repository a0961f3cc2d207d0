//! What follows the records and the log while the server runs: the search index, the contacts, the log itself, the sweep of
//! files, and that of old history.
//!
//! One thread does all of it in turns, because each is a reader of a feed with a position that is kept: after a stop or a crash
//! it goes on where it was. Nothing waits for it.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::JoinHandle,
    time::{Duration, Instant},
};

use rapport_records::{Desk, Happened, Identity, Pruned, RecordsError};
use rapport_stream::{Append, Log, LogError};
use rapport_types::{
    CustomerId, Entry, Event, EventKind, Joined, Object, Offset, PartitionId, SourceId, Value, partition_of,
};
use serde_json::Map;

/// How often is looked if nothing rings: the log rings elsewhere, another server's changes nowhere.
const LOOK_EVERY: Duration = Duration::from_millis(250);
/// How long after the last change the index's writer gives its memory back.
const REST_AFTER: Duration = Duration::from_secs(30);
/// How often the place in the log is kept while it names nobody.
const KEEP_EVERY: Duration = Duration::from_secs(10);
/// How often contents of files are looked through for what nobody names any more, and history for what is too old.
const SWEEP_EVERY: Duration = Duration::from_hours(1);
/// How long is waited after a failure.
const PAUSE: Duration = Duration::from_secs(5);
/// Bytes of the log that are looked at in one step.
const STEP_BYTES: usize = 4 << 20;
/// Bytes of one append, well below what the log takes at once.
const APPEND_BYTES: usize = 4 << 20;
/// Bytes of one entry, as of an event of a sender; beyond it fields longer than this are left out.
const ENTRY_BYTES: usize = 32 << 10;
const FIELD_BYTES: usize = 256;
/// Ties of customers that are told to the log in one step.
const STEP_TIES: u64 = 100;
/// Changes that are told to the log in one step.
const STEP_CHANGES: u64 = 500;

/// Why a step was not done. It is tried again.
#[derive(Debug, thiserror::Error)]
enum StepError {
    #[error(transparent)]
    Records(#[from] RecordsError),
    #[error(transparent)]
    Log(#[from] LogError),
}

/// The thread; it ends when this is dropped.
pub(super) struct Followers {
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Followers {
    /// `audit_days` is after how many days history is removed; 0 for never.
    pub(super) fn start(desk: Arc<Desk>, log: Arc<dyn Log>, audit_days: u32) -> Result<Self, std::io::Error> {
        let stop = Arc::new(AtomicBool::new(false));
        let told = Arc::clone(&stop);
        let follower = Follower {
            desk,
            log,
            audit_days,
            places: BTreeMap::new(),
            busy_at: None,
            swept_at: None,
            prune_after: None,
        };
        let run = move || follower.run(&told);
        let thread = std::thread::Builder::new().name("followers".to_owned()).spawn(run)?;
        Ok(Self { stop, thread: Some(thread) })
    }
}

impl Drop for Followers {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        let Some(thread) = self.thread.take() else { return };
        thread.thread().unpark();
        if thread.join().is_err() {
            tracing::error!("the thread that follows the records panicked");
        }
    }
}

/// How far a partition was read for identities.
#[derive(Clone, Copy)]
struct Place {
    next: Offset,
    /// The place that a restart goes on from, and since when.
    kept: Offset,
    kept_at: Instant,
}

struct Follower {
    desk: Arc<Desk>,
    log: Arc<dyn Log>,
    audit_days: u32,
    places: BTreeMap<PartitionId, Place>,
    /// When the search index was last written to.
    busy_at: Option<Instant>,
    /// When contents of files and history were last looked through.
    swept_at: Option<Instant>,
    /// Behind which line of the feed old history is looked for next; none if that is done for now.
    prune_after: Option<i64>,
}

impl Follower {
    fn run(mut self, stop: &AtomicBool) {
        let mut seen = self.desk.changes_seen();
        while !stop.load(Ordering::Relaxed) {
            match self.step() {
                Ok(true) => {}
                Ok(false) => seen = self.desk.wait_for_change(seen, LOOK_EVERY),
                Err(error) => {
                    tracing::warn!(%error, "records, search and log are not in step; it is tried again");
                    // The end of the program wakes it.
                    std::thread::park_timeout(PAUSE);
                }
            }
        }
        if let Err(error) = self.keep_places() {
            tracing::warn!(%error, "the next start reads a part of the log again");
        }
    }

    /// Keeps places that a step found not worth a sync: a start that reads them again pays with time and memory.
    fn keep_places(&self) -> Result<(), RecordsError> {
        let mut passed = self.places.iter().filter(|(_, place)| place.next != place.kept);
        passed.try_for_each(|(partition, place)| self.desk.take_identities(partition.0, place.next.0, &[]))
    }

    /// One turn; whether there is more to do at once.
    fn step(&mut self) -> Result<bool, StepError> {
        let mut more = false;
        // What fails must not hold up the others; it is told once all had their turn.
        let mut told = Ok(());
        for partition in (0..self.log.partitions()).map(PartitionId) {
            match self.take_identities(partition) {
                Ok(again) => more |= again,
                Err(error) => told = Err(error),
            }
        }
        match self.tell_ties() {
            Ok(again) => more |= again,
            Err(error) => told = Err(error),
        }
        match self.tell_log() {
            Ok(again) => more |= again,
            Err(error) => told = Err(error),
        }
        more |= self.desk.find_duplicates(STEP_CHANGES)? > 0;
        let begin = self.desk.search_position();
        more |= self.desk.follow_search()?;
        if self.desk.search_position() != begin {
            self.busy_at = Some(Instant::now());
        } else if self.busy_at.is_some_and(|at| at.elapsed() > REST_AFTER) {
            self.desk.rest_search()?;
            self.busy_at = None;
        }
        if self.swept_at.is_none_or(|at| at.elapsed() > SWEEP_EVERY) {
            // A folder that cannot be read is looked at again in an hour, not at once.
            self.swept_at = Some(Instant::now());
            if let Err(error) = self.desk.sweep_files() {
                told = Err(error.into());
            }
            self.prune_after = (self.audit_days > 0).then_some(0);
        }
        // A step for each turn: the first time there may be years to look at, and the others have work meanwhile.
        if let Some(after) = self.prune_after.take() {
            match self.desk.prune_feed(self.audit_days, after) {
                Ok(Pruned { gone, next }) => {
                    if gone > 0 {
                        tracing::info!(lines = gone, days = self.audit_days, "old history was removed");
                    }
                    more |= next.is_some();
                    self.prune_after = next;
                }
                Err(error) => told = Err(error.into()),
            }
        }
        told.map(|()| more)
    }

    /// Makes contacts of the customers that a step of the log names.
    fn take_identities(&mut self, partition: PartitionId) -> Result<bool, StepError> {
        let mut place = match self.places.get(&partition) {
            Some(place) => *place,
            None => {
                let kept = Offset(self.desk.identities_position(partition.0)?);
                Place { next: kept, kept, kept_at: Instant::now() }
            }
        };
        let mut identities: Vec<Identity> = Vec::new();
        if place.next < self.log.end(partition) {
            let records = self.log.read(partition, place.next, STEP_BYTES)?;
            let said = records.iter().filter(|record| Entry::is_identify(&record.bytes));
            identities.extend(said.filter_map(|record| identity(&record.bytes)));
            place.next = records.last().map_or(place.next, |last| Offset(last.offset.0 + 1));
        }
        // To read again what names nobody costs less than a sync for every step.
        let is_due = place.next != place.kept && place.kept_at.elapsed() > KEEP_EVERY;
        if is_due || !identities.is_empty() {
            self.desk.take_identities(partition.0, place.next.0, &identities)?;
            (place.kept, place.kept_at) = (place.next, Instant::now());
        }
        self.places.insert(partition, place);
        Ok(place.next < self.log.end(partition))
    }

    /// Tells the log which customers people made one, or two again: all homes of their ids at once.
    fn tell_ties(&self) -> Result<bool, StepError> {
        let ties = self.desk.untold_ties(STEP_TIES)?;
        if ties.is_empty() {
            return Ok(false);
        }
        for tie in &ties {
            let mut entries = Vec::new();
            for group in &tie.groups {
                let ids: Box<[CustomerId]> = group.iter().map(|id| CustomerId::User(id.as_str().into())).collect();
                let homes: BTreeSet<PartitionId> =
                    ids.iter().map(|id| partition_of(id, self.log.partitions())).collect();
                let entry = Entry::Joined(Joined { ids, at: tie.at }).encode();
                entries.extend(homes.into_iter().map(|home| (home, entry.clone())));
            }
            self.log.append(Append { entries })?.wait()?;
        }
        self.desk.told_of_ties(&ties)?;
        Ok(true)
    }

    /// Tells the log what happened to customers' records. The ids make a repeat after a crash a repeat for the log, too.
    fn tell_log(&self) -> Result<bool, StepError> {
        let (happened, end) = self.desk.happened(STEP_CHANGES)?;
        if happened.is_empty() {
            return Ok(self.desk.told(end)?);
        }
        let mut entries = Vec::new();
        let mut bytes = 0;
        for happened in happened {
            let before = happened.seq - 1;
            let (place, entry) = self.entry(happened);
            if bytes + entry.len() > APPEND_BYTES && !entries.is_empty() {
                self.log.append(Append { entries: std::mem::take(&mut entries) })?.wait()?;
                self.desk.told(before)?;
                bytes = 0;
            }
            bytes += entry.len();
            entries.push((place, entry));
        }
        self.log.append(Append { entries })?.wait()?;
        self.desk.told(end)?;
        Ok(true)
    }
}

impl Follower {
    /// The entry of what happened, and its partition. Long texts are left out of one that would be too large for an event; they
    /// stand in the record.
    fn entry(&self, happened: Happened) -> (PartitionId, Vec<u8>) {
        let id = CustomerId::User(happened.customer.as_str().into());
        let partition = partition_of(&id, self.log.partitions());
        let mut short = happened.clone();
        let bytes = Entry::Event(event(happened)).encode();
        if bytes.len() <= ENTRY_BYTES {
            return (partition, bytes);
        }
        short.fields.retain(|_, value| value.to_string().len() <= FIELD_BYTES);
        (partition, Entry::Event(event(short)).encode())
    }
}

/// What an event says of a known customer; none if it was Rapport itself that said it.
fn identity(bytes: &[u8]) -> Option<Identity> {
    let Ok(Entry::Event(event)) = Entry::decode(bytes) else { return None };
    if event.source == SourceId(0) {
        return None;
    }
    let attributes = serde_json::to_value(&event.properties).ok()?;
    let attributes = attributes.as_object().cloned().unwrap_or_default();
    Some(Identity { customer: event.user_id?.into(), attributes })
}

/// What happened to a record as an event of Rapport's own source.
fn event(happened: Happened) -> Event {
    let Happened { seq, customer, at, name, fields } = happened;
    Event {
        kind: if name.is_some() { EventKind::Track } else { EventKind::Identify },
        // Places in the feed are given again after a restore or a rollback, of which the log knows nothing: with its time in the
        // id, a new change is no repeat of one that is gone.
        message_id: format!("record-{seq}-{}", at.0).into(),
        user_id: Some(customer.into()),
        anonymous_id: None,
        previous_id: None,
        group_id: None,
        name: name.map(Into::into),
        properties: object(fields),
        context: Object::default(),
        integrations: Object::default(),
        timestamp: at,
        original_timestamp: None,
        sent_at: None,
        received_at: at,
        source: SourceId(0),
    }
}

fn object(fields: Map<String, serde_json::Value>) -> Object {
    fields.into_iter().map(|(name, value)| (name.into(), value_of(value))).collect()
}

fn value_of(value: serde_json::Value) -> Value {
    serde_json::from_value(value).unwrap_or_default()
}

#[cfg(test)]
mod tests;
