//! Customers whom people joined, as a training set sees them.

use rapport_profile::{Changes, PartitionState};
use rapport_types::{CustomerId, Joined, PartitionId};

use super::*;

/// A log with what its partitions make for each other, as a running system has it.
pub(super) struct Live {
    pub(super) log: MemoryLog,
    states: Vec<PartitionState>,
    pub(super) features: FeatureSet,
}

impl Live {
    pub(super) fn new(partitions: u32) -> Self {
        let states = (0..partitions).map(|p| PartitionState::new(PartitionId(p), partitions)).collect();
        Self { log: MemoryLog::new(partitions).unwrap(), states, features: features() }
    }

    fn append(&mut self, homes: &[PartitionId], entry: &Entry) {
        for home in homes {
            self.log.append(Append::one(*home, entry.encode())).unwrap();
        }
        self.settle();
    }

    /// Folds what is in the log until no partition has anything for another.
    fn settle(&mut self) {
        let Self { log, states, features } = self;
        let is_behind = |state: &PartitionState| state.next_offset() < log.end(state.partition());
        while states.iter().any(is_behind) {
            for state in &mut *states {
                for record in log.read(state.partition(), state.next_offset(), usize::MAX).unwrap() {
                    let mut changes = Changes::default();
                    state.apply(record.offset, Entry::decode(&record.bytes).unwrap(), features, &mut changes);
                    for (home, entry) in changes.internal {
                        log.append(Append::one(home, entry.encode())).unwrap();
                    }
                }
            }
        }
    }

    pub(super) fn send(&mut self, event: Event) {
        let home = partition_of(&event.routing_id(), self.log.partitions());
        self.append(&[home], &Entry::Event(event));
    }

    pub(super) fn order(&mut self, n: u64, name: &str, day: i64) {
        self.send(Event { user_id: Some(name.into()), ..order(n, 0, day * DAY_MS) });
    }

    /// Says that `previous` is `name`, too.
    pub(super) fn alias(&mut self, n: u64, previous: &str, name: &str, day: i64) {
        let (kind, previous_id) = (EventKind::Alias, Some(previous.into()));
        let event = Event { kind, previous_id, name: None, properties: Object::default(), ..order(n, 0, day * DAY_MS) };
        self.send(Event { user_id: Some(name.into()), ..event });
    }

    pub(super) fn join(&mut self, names: &[&str], day: i64) {
        let ids: Box<[CustomerId]> = names.iter().map(|name| CustomerId::User((*name).into())).collect();
        let mut homes: Vec<PartitionId> = ids.iter().map(|id| partition_of(id, self.log.partitions())).collect();
        homes.sort_unstable();
        homes.dedup();
        self.append(&homes, &Entry::Joined(Joined { ids, at: Timestamp(day * DAY_MS) }));
    }

    /// The day, the orders so far and the label of each moment, and how many customers have moments.
    pub(super) fn learnt(&self, until: Option<i64>) -> (Vec<(i64, f64, bool)>, usize) {
        let set = training_set(&self.log, &self.features, &task(until), &|_| ControlFlow::Continue(())).unwrap();
        let row = |row: usize| (set.at[row].0 / DAY_MS, set.rows.row(row)[0], set.labels[row]);
        let customers: std::collections::BTreeSet<u32> = set.customers.iter().copied().collect();
        ((0..set.labels.len()).map(row).collect(), customers.len())
    }
}

#[test]
fn an_event_of_one_who_is_part_of_two_customers_is_a_moment_of_both() {
    for partitions in [1, 3, 16] {
        let mut live = Live::new(partitions);
        live.join(&["ann", "anna"], 1);
        live.join(&["bob", "bobby"], 1);
        live.alias(1, "bob", "ann", 2);
        live.order(2, "bob", 10);
        live.order(3, "ann", 20);
        live.order(4, "zed", 200);
        let twice = |day, orders, label| [(day, orders, label); 2];
        let expected = [twice(10, 1.0, true), twice(20, 2.0, false)].concat();
        assert_eq!(live.learnt(None), (expected, 2), "{partitions} partitions");
    }
}

#[test]
fn who_was_joined_after_the_limit_is_not_joined_yet() {
    for partitions in [1, 3, 16] {
        let mut live = Live::new(partitions);
        live.order(1, "kim", 1);
        live.alias(2, "kim", "kimberly", 2);
        live.order(3, "ann", 2);
        live.order(4, "zed", 60);
        live.join(&["ann", "kim"], 80);
        // It came late.
        live.order(5, "kimberly", 6);
        let alone = vec![(1, 1.0, true), (2, 1.0, false), (6, 2.0, false)];
        assert_eq!(live.learnt(Some(70)), (alone, 2), "{partitions} partitions");
        let joined = vec![(1, 1.0, true), (2, 1.0, true), (6, 3.0, false)];
        assert_eq!(live.learnt(None), (joined, 1), "{partitions} partitions");
    }
}

#[test]
fn an_event_of_two_customers_who_are_one_in_the_end_is_one_moment() {
    for partitions in [1, 3, 16] {
        let mut live = Live::new(partitions);
        live.join(&["ann", "anna"], 1);
        live.join(&["bob", "bobby"], 1);
        live.alias(1, "bob", "ann", 2);
        live.order(2, "bob", 10);
        live.order(3, "ann", 50);
        live.join(&["ann", "anna", "bob", "bobby"], 60);
        live.order(4, "zed", 200);
        // The order of day 10 is not its own outcome.
        assert_eq!(live.learnt(None), (vec![(10, 1.0, false), (50, 2.0, false)], 1), "{partitions} partitions");
    }
}
