//! Labelled moments: the features of a customer as they were right after an event, and whether the outcome came.
//!
//! A moment whose outcome is not known yet is left out, never called negative.
//!
//! What happened at or after `until` is not seen at all: no event, nor that people joined customers. What happened before it is seen
//! however late it was told, because to the fold late is on time; an imported history is all told late. What partitions made for each
//! other follows from what they knew when they made it: a profile that moves has its events up to then, and what it is joined to,
//! whatever the time of the alias that moves it. So it is not read from the log but made again, of what is seen alone and under the
//! features that are asked for, and taken where the log has it; at the end, as if it had been told late, where the log has no place.

use std::{collections::HashMap, ops::ControlFlow};

use rapport_decide::{Labels, Meaning, ScoreDefinition};
use rapport_ml::frame::{Column, Frame};
use rapport_ml::{Matrix, MlError};
use rapport_profile::{Changes, FeatureSet, PartitionState, Place};
use rapport_stream::Log;
use rapport_types::{CustomerId, DAY_MS, Duration, Entry, Offset, PartitionId, Rollback, Timestamp, partition_of};

use crate::{
    LearnError,
    exchange::{Exchange, Side},
};

/// How much is read at a time.
const READ_BYTES: usize = 1 << 20;
/// How often an id is followed to another partition.
const HOPS: usize = 16;

/// What is to be learnt of known customers, as a score declares it.
#[derive(Debug)]
pub struct Task {
    score: Box<str>,
    labels: Labels,
    until: Option<Timestamp>,
}

impl Task {
    /// The task of a declared score. Only what happened before `until` is seen; everything if none.
    pub fn new(score: &ScoreDefinition, until: Option<Timestamp>) -> Result<Self, LearnError> {
        let labels = Labels::new(score).map_err(LearnError::Mismatch)?;
        Ok(Self { score: score.name.clone(), labels, until })
    }

    /// How soon the outcome must come.
    pub fn within(&self) -> Duration {
        self.labels.within()
    }
}

/// Where a moment was seen, and which models of its score were there to see it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Served {
    /// The partition.
    pub partition: u32,
    /// The version in service.
    pub in_service: Option<u32>,
    /// The version on trial.
    pub on_trial: Option<u32>,
}

impl Served {
    /// Whether a version was in service or on trial.
    pub fn has(&self, version: u32) -> bool {
        self.in_service == Some(version) || self.on_trial == Some(version)
    }

    /// Takes an entry in that may change which models of a score are there.
    fn take(&mut self, entry: &Entry, score: &str) {
        match entry {
            Entry::Activation(activation) if *activation.score == *score => {
                (self.in_service, self.on_trial) = (activation.version, None);
            }
            Entry::Trial(trial) if *trial.score == *score => self.on_trial = trial.version,
            Entry::Rollback(Rollback { activation, trial }) if *activation.score == *score => {
                self.in_service = activation.version;
                self.on_trial = trial.as_ref().and_then(|trial| trial.version);
            }
            _ => {}
        }
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
    /// From when on each label is known: the outcome happened, or its time was over.
    pub known: Vec<Timestamp>,
    /// Where each moment was seen.
    pub served: Vec<Served>,
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
    /// Whose moment it is.
    event: u128,
    row: Vec<f64>,
    served: Served,
}

/// What an event is to the score.
struct Meant {
    at: Timestamp,
    key: u128,
    event: u128,
    meaning: Meaning,
}

/// One event that may be an outcome.
struct Seen {
    customer: CustomerId,
    at: Timestamp,
    key: u128,
    event: u128,
    good: bool,
}

struct Folded {
    state: PartitionState,
    served: Served,
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
    let exchange = Exchange::new(partitions);
    let replay = Replay { log, features, numbers: &numbers, task, exchange: &exchange };
    // All of them before the first thread: one that could not be started must not be waited for.
    let sides: Vec<Side<'_>> = (0..partitions).map(|partition| exchange.side(PartitionId(partition))).collect();
    let folded: Result<Vec<Folded>, LearnError> = std::thread::scope(|scope| {
        let mut threads = Vec::new();
        for (side, end) in sides.into_iter().zip(&ends) {
            let (replay, tell, partition) = (&replay, &tell, side.partition());
            let served = Served { partition: partition.0, ..Served::default() };
            let state = PartitionState::new(partition, partitions);
            let folded = Folded { state, served, moments: Vec::new(), outcomes: Vec::new() };
            threads.push(scope.spawn(move || replay.fold(folded, *end, &side, tell)));
        }
        threads.into_iter().map(|thread| thread.join().expect("a folding thread does not panic")).collect()
    });
    let mut folded = folded?;
    let mut changes = Changes::default();
    while let Some((home, entry)) = exchange.leftover() {
        replay.apply_made(&mut folded[home.0 as usize], entry, &mut changes);
    }
    let names = numbers.iter().map(|index| features.definition(*index).name.to_string()).collect();
    label(folded, names, task)
}

/// What the threads of a replay have in common.
struct Replay<'a> {
    log: &'a dyn Log,
    features: &'a FeatureSet,
    /// Those that are numbers.
    numbers: &'a [usize],
    task: &'a Task,
    exchange: &'a Exchange,
}

impl Replay<'_> {
    fn fold(
        &self,
        mut folded: Folded,
        end: Offset,
        side: &Side<'_>,
        tell: &(dyn Fn(u64) -> ControlFlow<()> + Sync),
    ) -> Result<Folded, LearnError> {
        let partition = folded.state.partition();
        let mut changes = Changes::default();
        while folded.state.next_offset() < end {
            let records = self.log.read(partition, folded.state.next_offset(), READ_BYTES)?;
            if tell(records.len() as u64).is_break() {
                return Err(MlError::Stopped.into());
            }
            for record in records.into_iter().take_while(|record| record.offset < end) {
                let Ok(entry) = Entry::decode(&record.bytes) else {
                    folded.state.skip(record.offset);
                    continue;
                };
                if let Some(origin) = entry.origin() {
                    for made in side.take(record.offset, origin) {
                        self.apply_made(&mut folded, made, &mut changes);
                    }
                    folded.state.skip(record.offset);
                } else if self.task.until.is_some_and(|until| time_of(&entry).is_some_and(|at| at >= until)) {
                    folded.state.skip(record.offset);
                } else {
                    let meant = self.meant(record.offset, &entry);
                    folded.served.take(&entry, &self.task.score);
                    folded.state.apply(record.offset, entry, self.features, &mut changes);
                    self.note(&mut folded, meant.as_ref(), &mut changes);
                }
            }
            side.pass(folded.state.next_offset());
        }
        Ok(folded)
    }

    /// Applies what another partition made, in the place where the replay is.
    fn apply_made(&self, folded: &mut Folded, entry: Entry, changes: &mut Changes) {
        let place = Place { partition: folded.state.partition(), offset: folded.state.next_offset() };
        let meant = self.meant(place.offset, &entry);
        folded.state.apply_exchanged(place, entry, self.features, changes);
        self.note(folded, meant.as_ref(), changes);
    }

    /// What the event of an entry, if there is one, is to the score.
    fn meant(&self, offset: Offset, entry: &Entry) -> Option<Meant> {
        let event = entry.event()?;
        let key = order(offset, event.message_key());
        Some(Meant { at: event.timestamp, key, event: event.message_key(), meaning: self.task.labels.meaning(event)? })
    }

    /// Notes what an entry changed. A moment is of the time of the customer's newest event, which its features know. An outcome is of
    /// its own time, however late it was told.
    fn note(&self, folded: &mut Folded, meant: Option<&Meant>, changes: &mut Changes) {
        let Folded { state, served, moments, outcomes } = folded;
        if let Some(&Meant { at, key, event, meaning }) = meant {
            for slot in changes.concerned() {
                let profile = state.profile(slot);
                if !profile.primary.is_known() {
                    continue;
                }
                if let Some(good) = meaning.outcome {
                    outcomes.push(Seen { customer: profile.primary.clone(), at, key, event, good });
                }
                if meaning.moment {
                    let number = |index: &usize| self.features.number(&profile, *index, profile.at);
                    let row = self.numbers.iter().map(number).collect();
                    // A timer may have taken the profile beyond its events.
                    let at = profile.last_seen;
                    moments.push(Moment { customer: profile.primary.clone(), at, key, event, row, served: *served });
                }
            }
        }
        self.exchange.give(&mut changes.internal);
        changes.clear();
    }
}

/// When what an entry tells happened; none for what is no part of the history.
fn time_of(entry: &Entry) -> Option<Timestamp> {
    match entry {
        Entry::Event(event) => Some(event.timestamp),
        Entry::Joined(joined) => Some(joined.at),
        Entry::Tick(at) => Some(*at),
        _ => None,
    }
}

/// Orders what happened at one instant as it was folded; entries of different partitions in every run alike.
fn order(offset: Offset, key: u128) -> u128 {
    u128::from(offset.0) << 64 | key & u128::from(u64::MAX)
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
    let mut outcomes: HashMap<CustomerId, Vec<(Timestamp, u128, u128, bool)>> = HashMap::new();
    for outcome in seen {
        let customer = survivor(&states, outcome.customer);
        outcomes.entry(customer).or_default().push((outcome.at, outcome.key, outcome.event, outcome.good));
    }
    // Each customer's list is put into order by itself, so the order of the walk does not matter.
    outcomes.values_mut().for_each(|outcomes| outcomes.sort_unstable());
    moments.iter_mut().for_each(|moment| moment.customer = survivor(&states, moment.customer.clone()));
    one_an_event(&mut moments);
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
        let next = own.partition_point(|(at, key, _, _)| (*at, *key) <= (moment.at, moment.key));
        // Where the customer was two the moment's own event may stand here once more.
        let came = own[next..].iter().find(|(_, _, event, _)| *event != moment.event);
        let came = came.filter(|(at, _, _, _)| *at <= last);
        let Some(label) = task.labels.label(came.map(|(_, _, _, good)| *good)) else {
            set.unanswered += 1;
            continue;
        };
        let new = numbers.len() as u32;
        set.customers.push(*numbers.entry(moment.customer).or_insert(new));
        set.labels.push(label);
        set.known.push(came.map_or(last.plus(Duration(1)), |(at, ..)| *at));
        set.served.push(moment.served);
        set.rows.push(&moment.row)?;
        set.at.push(moment.at);
    }
    Ok(set)
}

/// An event of one who was part of two customers is a moment of both; it is one moment if the two are one customer in the end.
fn one_an_event(moments: &mut Vec<Moment>) {
    moments.sort_by(|a, b| (a.event, &a.customer, a.at, a.key).cmp(&(b.event, &b.customer, b.at, b.key)));
    moments.dedup_by(|next, known| (next.event, &next.customer) == (known.event, &known.customer));
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

#[cfg(test)]
mod tests {
    use rapport_types::{Activation, Trial, TrialMode};

    use super::*;

    fn activation(score: &str, version: Option<u32>) -> Activation {
        Activation { score: score.into(), version, artifact: Box::default(), at: Timestamp(0) }
    }

    fn trial(score: &str, version: Option<u32>) -> Trial {
        Trial { score: score.into(), version, artifact: Box::default(), mode: TrialMode::Shadow, at: Timestamp(0) }
    }

    #[test]
    fn it_is_told_which_models_of_a_score_are_there() {
        let back = |trial| Entry::Rollback(Rollback { activation: activation("s", Some(1)), trial });
        let mut served = Served::default();
        for (entry, in_service, on_trial) in [
            (Entry::Trial(trial("s", Some(2))), None, Some(2)),
            (Entry::Activation(activation("other", Some(9))), None, Some(2)),
            (Entry::Activation(activation("s", Some(1))), Some(1), None),
            (Entry::Trial(trial("s", Some(3))), Some(1), Some(3)),
            (Entry::Trial(trial("other", None)), Some(1), Some(3)),
            (Entry::Activation(activation("s", Some(2))), Some(2), None),
            (back(Some(trial("s", Some(3)))), Some(1), Some(3)),
            (back(None), Some(1), None),
            (Entry::Tick(Timestamp(1)), Some(1), None),
            (Entry::Activation(activation("s", None)), None, None),
        ] {
            served.take(&entry, "s");
            assert_eq!((served.in_service, served.on_trial), (in_service, on_trial), "{entry:?}");
            assert_eq!(served.has(1), in_service == Some(1));
            assert_eq!(served.has(3), on_trial == Some(3));
        }
    }
}
