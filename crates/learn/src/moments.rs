//! Labelled moments: the features of a customer as they were right after an event, and whether the event came again.
//!
//! Each partition's log is folded as it stands. What partitions made for each other is in the log already, so nothing is
//! exchanged. A moment whose outcome is not known yet is left out, never called negative; what happens at or after `until`
//! is not seen at all.

use std::collections::HashMap;

use rapport_ml::Matrix;
use rapport_profile::{Changes, FeatureSet, PartitionState};
use rapport_stream::Log;
use rapport_types::{CustomerId, Duration, Entry, Event, Offset, PartitionId, Timestamp, partition_of};

use crate::LearnError;

/// How much is read at a time.
const READ_BYTES: usize = 1 << 20;
/// How often an id is followed to another partition.
const HOPS: usize = 16;

/// What is to be learnt: whether a known customer does the same again in time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Task {
    /// The event, such as `Order Completed`: each one is a moment, and the next one its outcome.
    pub event: Box<str>,
    /// How soon it must come again.
    pub within: Duration,
    /// Only what happened before this instant is seen; everything if none.
    pub until: Option<Timestamp>,
}

/// Moments in the order of time.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct TrainingSet {
    /// The names of the columns: all features that are numbers.
    pub names: Vec<String>,
    /// The features of each moment.
    pub rows: Matrix,
    /// When each moment was.
    pub at: Vec<Timestamp>,
    /// Whether the event came again in time.
    pub labels: Vec<bool>,
    /// Moments that were left out because their outcome is not known yet.
    pub open: usize,
}

/// One moment as the fold saw it.
struct Moment {
    customer: CustomerId,
    at: Timestamp,
    /// Orders moments of one instant in every run alike.
    key: u128,
    row: Vec<f64>,
}

struct Folded {
    state: PartitionState,
    moments: Vec<Moment>,
}

/// Makes the training set of a log. `progress` is told the share that is done, from 0 to 1, now and then.
pub fn training_set(
    log: &dyn Log,
    features: &FeatureSet,
    task: &Task,
    progress: &(dyn Fn(f64) + Sync),
) -> Result<TrainingSet, LearnError> {
    let partitions = log.partitions();
    let ends: Vec<Offset> = (0..partitions).map(|partition| log.end(PartitionId(partition))).collect();
    let total = ends.iter().map(|end| end.0).sum::<u64>().max(1);
    let done = std::sync::atomic::AtomicU64::new(0);
    let tell = |entries: u64| {
        let before = done.fetch_add(entries, std::sync::atomic::Ordering::Relaxed);
        progress((before + entries) as f64 / total as f64);
    };
    let numbers: Vec<usize> = (0..features.len()).filter(|index| features.is_number(*index)).collect();
    let folded: Result<Vec<Folded>, LearnError> = std::thread::scope(|scope| {
        let one = |(partition, end): (u32, &Offset)| {
            let (end, numbers, tell) = (*end, &numbers, &tell);
            scope.spawn(move || {
                let state = PartitionState::new(PartitionId(partition), partitions);
                fold(log, Folded { state, moments: Vec::new() }, end, features, numbers, task, tell)
            })
        };
        let threads: Vec<_> = (0..).zip(&ends).map(one).collect();
        threads.into_iter().map(|thread| thread.join().expect("a folding thread does not panic")).collect()
    });
    let names = numbers.iter().map(|index| features.definition(*index).name.to_string()).collect();
    label(folded?, names, task)
}

fn fold(
    log: &dyn Log,
    mut folded: Folded,
    end: Offset,
    features: &FeatureSet,
    numbers: &[usize],
    task: &Task,
    tell: &(dyn Fn(u64) + Sync),
) -> Result<Folded, LearnError> {
    let partition = folded.state.partition();
    let mut changes = Changes::default();
    while folded.state.next_offset() < end {
        let records = log.read(partition, folded.state.next_offset(), READ_BYTES)?;
        tell(records.len() as u64);
        for record in records.into_iter().take_while(|record| record.offset < end) {
            let Ok(entry) = Entry::decode(&record.bytes) else {
                folded.state.skip(record.offset);
                continue;
            };
            if task.until.is_some_and(|until| time_of(&entry).is_some_and(|at| at >= until)) {
                folded.state.skip(record.offset);
                continue;
            }
            let key = event_of(&entry).filter(|event| event.feature_name() == &*task.event).map(Event::message_key);
            folded.state.apply(record.offset, entry, features, &mut changes);
            if let Some(key) = key {
                note(&mut folded, &changes, features, numbers, key);
            }
            changes.touched.clear();
            changes.internal.clear();
        }
    }
    Ok(folded)
}

/// The event in an entry, whether it was sent here or passed on.
fn event_of(entry: &Entry) -> Option<&Event> {
    match entry {
        Entry::Event(event) => Some(event),
        Entry::Forward(forward) => Some(&forward.event),
        _ => None,
    }
}

fn time_of(entry: &Entry) -> Option<Timestamp> {
    match entry {
        Entry::Event(event) => Some(event.timestamp),
        Entry::Forward(forward) => Some(forward.event.timestamp),
        Entry::Link(link) => Some(link.at),
        Entry::Absorb(absorb) => Some(absorb.at),
        Entry::Tick(at) => Some(*at),
        Entry::Definitions(_) | Entry::Activation(_) => None,
    }
}

fn note(folded: &mut Folded, changes: &Changes, features: &FeatureSet, numbers: &[usize], key: u128) {
    // A repeat touches nothing, and what another partition gets is a moment there.
    let Some(touch) = changes.touched.iter().find(|touch| touch.cause.is_some()) else { return };
    let profile = folded.state.profile(touch.slot);
    if !profile.primary.is_known() {
        return;
    }
    let row = numbers.iter().map(|index| features.number(&profile, *index, profile.at)).collect();
    let moment = Moment { customer: profile.primary.clone(), at: profile.at, key, row };
    drop(profile);
    folded.moments.push(moment);
}

fn label(folded: Vec<Folded>, names: Vec<String>, task: &Task) -> Result<TrainingSet, LearnError> {
    let newest = |folded: &Folded| folded.state.last_seen().map(|(_, at)| at).max();
    let horizon = folded.iter().filter_map(newest).max().unwrap_or(Timestamp::MIN);
    let mut moments = Vec::new();
    let mut times: HashMap<CustomerId, Vec<(Timestamp, u128)>> = HashMap::new();
    let (states, all): (Vec<PartitionState>, Vec<Vec<Moment>>) =
        folded.into_iter().map(|folded| (folded.state, folded.moments)).unzip();
    for mut moment in all.into_iter().flatten() {
        moment.customer = survivor(&states, moment.customer);
        times.entry(moment.customer.clone()).or_default().push((moment.at, moment.key));
        moments.push(moment);
    }
    times.values_mut().for_each(|times| times.sort_unstable());
    moments.sort_by_key(|moment| (moment.at, moment.key));
    let mut set = TrainingSet { rows: Matrix::new(names.len()), names, ..TrainingSet::default() };
    for moment in moments {
        let last = moment.at.plus(task.within);
        if last > horizon {
            set.open += 1;
            continue;
        }
        let own = &times[&moment.customer];
        let next = own.partition_point(|known| *known <= (moment.at, moment.key));
        set.labels.push(own.get(next).is_some_and(|(at, _)| *at <= last));
        set.rows.push(&moment.row)?;
        set.at.push(moment.at);
    }
    Ok(set)
}

/// The id under which the customer is known in the end.
fn survivor(states: &[PartitionState], mut id: CustomerId) -> CustomerId {
    for _ in 0..HOPS {
        let home = partition_of(&id, states.len() as u32);
        match states[home.0 as usize].find(&id) {
            Some(Ok(profile)) => return profile.primary.clone(),
            Some(Err(elsewhere)) => id = elsewhere.clone(),
            None => break,
        }
    }
    id
}
