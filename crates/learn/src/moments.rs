//! Labelled moments: the features of a customer as they were right after an event, and whether the outcome came.
//!
//! Each partition's log is folded as it stands. What partitions made for each other is in the log already, so nothing is
//! exchanged. A moment whose outcome is not known yet is left out, never called negative; what happens at or after `until`
//! is not seen at all, be it that customers are joined.

use std::{collections::HashMap, ops::ControlFlow};

use rapport_decide::{Labels, Meaning, ScoreDefinition};
use rapport_ml::frame::{Column, Frame};
use rapport_ml::{Matrix, MlError};
use rapport_profile::{Changes, FeatureSet, PartitionState};
use rapport_stream::Log;
use rapport_types::{CustomerId, DAY_MS, Duration, Entry, Mark, Offset, PartitionId, Timestamp, partition_of};

use crate::LearnError;

/// How much is read at a time.
const READ_BYTES: usize = 1 << 20;
/// How often an id is followed to another partition.
const HOPS: usize = 16;

/// What is to be learnt of known customers, as a score declares it.
#[derive(Debug)]
pub struct Task {
    labels: Labels,
    until: Option<Timestamp>,
}

impl Task {
    /// The task of a declared score. Only what happened before `until` is seen; everything if none.
    pub fn new(score: &ScoreDefinition, until: Option<Timestamp>) -> Result<Self, LearnError> {
        Ok(Self { labels: Labels::new(score).map_err(LearnError::Mismatch)?, until })
    }

    /// How soon the outcome must come.
    pub fn within(&self) -> Duration {
        self.labels.within()
    }
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
    /// Whether the outcome came in time; the other way round if the score asks for its absence.
    pub labels: Vec<bool>,
    /// Whose moment each is: equal numbers are one customer.
    pub customers: Vec<u32>,
    /// Moments that were left out because their outcome is not known yet.
    pub open: usize,
    /// Moments that were left out because nobody answered, where only answers count.
    pub unanswered: usize,
}

impl TrainingSet {
    /// The moments as a table of all features.
    ///
    /// # Errors
    ///
    /// [`MlError::Table`] if two features have one name.
    pub fn frame(&self) -> Result<Frame, MlError> {
        let column = |(place, name): (usize, &String)| Column::numbers(name, self.rows.column(place).collect());
        Frame::new(self.names.iter().enumerate().map(column).collect())
    }
}

/// One moment as the fold saw it.
struct Moment {
    customer: CustomerId,
    at: Timestamp,
    /// Orders moments of one instant in every run alike.
    key: u128,
    row: Vec<f64>,
}

/// What an event is to the score.
struct Meant {
    at: Timestamp,
    key: u128,
    meaning: Meaning,
}

/// One event that may be an outcome.
struct Seen {
    customer: CustomerId,
    at: Timestamp,
    key: u128,
    good: bool,
}

struct Folded {
    state: PartitionState,
    moments: Vec<Moment>,
    outcomes: Vec<Seen>,
}

/// Makes the training set of a log. `progress` is told the share that is done, from 0 to 1, now and then, and ends the work by
/// [`ControlFlow::Break`].
///
/// # Errors
///
/// [`MlError::Stopped`] if `progress` ended it, what the log says, and what [`Task`] wants and the log does not have.
pub fn training_set(
    log: &dyn Log,
    features: &FeatureSet,
    task: &Task,
    progress: &(dyn Fn(f64) -> ControlFlow<()> + Sync),
) -> Result<TrainingSet, LearnError> {
    let partitions = log.partitions();
    let ends: Vec<Offset> = (0..partitions).map(|partition| log.end(PartitionId(partition))).collect();
    let total = ends.iter().map(|end| end.0).sum::<u64>().max(1);
    let done = std::sync::atomic::AtomicU64::new(0);
    let tell = |entries: u64| {
        let before = done.fetch_add(entries, std::sync::atomic::Ordering::Relaxed);
        progress((before + entries) as f64 / total as f64)
    };
    let numbers: Vec<usize> = (0..features.len()).filter(|index| features.is_number(*index)).collect();
    let folded: Result<Vec<Folded>, LearnError> = std::thread::scope(|scope| {
        let one = |(partition, end): (u32, &Offset)| {
            let (end, numbers, tell) = (*end, &numbers, &tell);
            scope.spawn(move || {
                let state = PartitionState::new(PartitionId(partition), partitions);
                fold(
                    log,
                    Folded { state, moments: Vec::new(), outcomes: Vec::new() },
                    end,
                    features,
                    numbers,
                    task,
                    tell,
                )
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
    tell: &(dyn Fn(u64) -> ControlFlow<()> + Sync),
) -> Result<Folded, LearnError> {
    let partition = folded.state.partition();
    let mut changes = Changes::default();
    while folded.state.next_offset() < end {
        let records = log.read(partition, folded.state.next_offset(), READ_BYTES)?;
        if tell(records.len() as u64).is_break() {
            return Err(MlError::Stopped.into());
        }
        for record in records.into_iter().take_while(|record| record.offset < end) {
            let Ok(entry) = Entry::decode(&record.bytes) else {
                folded.state.skip(record.offset);
                continue;
            };
            if let Some(until) = task.until
                && time_of(log, &entry)?.is_some_and(|at| at >= until)
            {
                folded.state.skip(record.offset);
                continue;
            }
            let meant = entry.event().and_then(|event| {
                let key = order(record.offset, event.message_key());
                Some(Meant { at: event.timestamp, key, meaning: task.labels.meaning(event)? })
            });
            folded.state.apply(record.offset, entry, features, &mut changes);
            if let Some(meant) = meant {
                note(&mut folded, &changes, features, numbers, &meant);
            }
            changes.clear();
        }
    }
    Ok(folded)
}

/// When what an entry tells happened; none for what is no part of the history.
fn time_of(log: &dyn Log, entry: &Entry) -> Result<Option<Timestamp>, LearnError> {
    let mut cause;
    let mut entry = entry;
    // A mark has no time of its own: it follows from what people said, from an event, or from a mark that was passed on.
    while let Entry::Mark(Mark { origin, .. }) = entry {
        let caused = log.read(origin.partition, origin.offset, 1)?.into_iter().next();
        let Some(Ok(found)) = caused.map(|record| Entry::decode(&record.bytes)) else { return Ok(None) };
        cause = found;
        entry = &cause;
    }
    Ok(match entry {
        Entry::Event(event) => Some(event.timestamp),
        Entry::Forward(forward) => Some(forward.event.timestamp),
        Entry::Link(link) => Some(link.at),
        Entry::Absorb(absorb) => Some(absorb.at),
        Entry::Unlink(unlink) => Some(unlink.at),
        Entry::Joined(joined) => Some(joined.at),
        Entry::Share(share) => Some(share.at),
        Entry::Relay(relay) => Some(relay.event.timestamp),
        Entry::Tick(at) => Some(*at),
        Entry::Definitions(_) | Entry::Activation(_) | Entry::Trial(_) | Entry::Rollback(_) | Entry::Mark(_) => None,
    })
}

/// Orders what happened at one instant as it was folded; entries of different partitions in every run alike.
fn order(offset: Offset, key: u128) -> u128 {
    u128::from(offset.0) << 64 | key & u128::from(u64::MAX)
}

/// A moment is of the time of the customer's newest event, which its features know. An outcome is of its own time, however late
/// it was told.
fn note(folded: &mut Folded, changes: &Changes, features: &FeatureSet, numbers: &[usize], meant: &Meant) {
    let Folded { state, moments, outcomes } = folded;
    let Meant { at, key, meaning } = *meant;
    for slot in changes.concerned() {
        let profile = state.profile(slot);
        if !profile.primary.is_known() {
            continue;
        }
        if let Some(good) = meaning.outcome {
            outcomes.push(Seen { customer: profile.primary.clone(), at, key, good });
        }
        if meaning.moment {
            let row = numbers.iter().map(|index| features.number(&profile, *index, profile.at)).collect();
            // A timer may have taken the profile beyond its events.
            let at = profile.last_seen;
            moments.push(Moment { customer: profile.primary.clone(), at, key, row });
        }
    }
}

fn label(folded: Vec<Folded>, names: Vec<String>, task: &Task) -> Result<TrainingSet, LearnError> {
    let newest = |folded: &Folded| folded.state.last_seen().map(|(_, at)| at).max();
    let horizon = folded.iter().filter_map(newest).max().unwrap_or(Timestamp::MIN);
    let (mut states, mut moments, mut seen) = (Vec::new(), Vec::new(), Vec::new());
    for folded in folded {
        states.push(folded.state);
        moments.extend(folded.moments);
        seen.extend(folded.outcomes);
    }
    let mut outcomes: HashMap<CustomerId, Vec<(Timestamp, u128, bool)>> = HashMap::new();
    for outcome in seen {
        let customer = survivor(&states, outcome.customer);
        outcomes.entry(customer).or_default().push((outcome.at, outcome.key, outcome.good));
    }
    // Each customer's list is put into order by itself, so the order of the walk does not matter.
    outcomes.values_mut().for_each(|outcomes| outcomes.sort_unstable());
    moments.iter_mut().for_each(|moment| moment.customer = survivor(&states, moment.customer.clone()));
    moments.sort_by_key(|moment| (moment.at, moment.key));
    if task.labels.is_daily() {
        one_a_day(&mut moments);
    }
    let mut numbers: HashMap<CustomerId, u32> = HashMap::new();
    let mut set = TrainingSet { rows: Matrix::new(names.len()), names, ..TrainingSet::default() };
    for moment in moments {
        let last = moment.at.plus(task.within());
        if last > horizon {
            set.open += 1;
            continue;
        }
        let own = outcomes.get(&moment.customer).map_or(&[][..], Vec::as_slice);
        let next = own.partition_point(|(at, key, _)| (*at, *key) <= (moment.at, moment.key));
        let came = own.get(next).filter(|(at, _, _)| *at <= last);
        let Some(label) = task.labels.label(came.map(|(_, _, good)| *good)) else {
            set.unanswered += 1;
            continue;
        };
        let new = numbers.len() as u32;
        set.customers.push(*numbers.entry(moment.customer).or_insert(new));
        set.labels.push(label);
        set.rows.push(&moment.row)?;
        set.at.push(moment.at);
    }
    Ok(set)
}

/// Where every event is a moment, the first of a customer's day stands for the day: more of one day tell little more.
fn one_a_day(moments: &mut Vec<Moment>) {
    let mut days: HashMap<CustomerId, i64> = HashMap::new();
    moments.retain(|moment| {
        let day = moment.at.0.div_euclid(DAY_MS);
        days.insert(moment.customer.clone(), day) != Some(day)
    });
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
