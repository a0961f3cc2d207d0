//! The fold as a whole: what a history of events leaves, whatever the number of partitions, the order of arrival, and
//! the restarts in between.

#![allow(clippy::unwrap_used, reason = "helpers of tests stop the test as the tests themselves do")]

mod joined;
mod restarts;

use std::collections::{BTreeMap, VecDeque};

use proptest::prelude::*;
use rapport_profile::{Changes, DedupChunk, FeatureDefinition, FeatureSet, PartitionState, Profile};
use rapport_types::{
    CustomerId, DAY_MS, Entry, Event, EventKind, HOUR_MS, Object, Offset, PartitionId, SourceId, Timestamp, Value,
    partition_of,
};

const FEATURES: &str = r#"[
    {"name":"orders","event":"Order","aggregate":"count"},
    {"name":"orders_30d","event":"Order","aggregate":"count","window":{"sliding":"30d"}},
    {"name":"revenue_90d","event":"Order","aggregate":"sum","value":"total","window":{"sliding":"90d"}},
    {"name":"mean_90d","event":"Order","aggregate":"mean","value":"total","window":{"sliding":"90d"}},
    {"name":"smallest","event":"Order","aggregate":"min","value":"total"},
    {"name":"largest_7d","event":"Order","aggregate":"max","value":"total","window":{"sliding":"7d"}},
    {"name":"last_country","event":"Order","aggregate":"last","value":"country"},
    {"name":"items","event":"Order","aggregate":"distinct","value":"products.id","window":{"sliding":"30d"}},
    {"name":"since_order","event":"Order","aggregate":"recency"},
    {"name":"since_previous","event":"Order","aggregate":"recency","n":2},
    {"name":"age","aggregate":"age"},
    {"name":"totals","event":"Order","aggregate":"sequence","value":"total","n":3},
    {"name":"session_events","aggregate":"count","window":{"session":"30m"}},
    {"name":"large","event":"Order","filter":"properties.total > 50","aggregate":"count"}
]"#;

fn features() -> FeatureSet {
    let definitions: Vec<FeatureDefinition> = serde_json::from_str(FEATURES).unwrap();
    FeatureSet::compile(&definitions).unwrap()
}

fn event(n: u64, user: Option<&str>, anonymous: Option<&str>, at: i64) -> Event {
    Event {
        kind: EventKind::Track,
        message_id: format!("m{n}").into(),
        user_id: user.map(Into::into),
        anonymous_id: anonymous.map(Into::into),
        previous_id: None,
        group_id: None,
        name: Some("Order".into()),
        properties: Object::default(),
        context: Object::default(),
        integrations: Object::default(),
        timestamp: Timestamp(at),
        original_timestamp: None,
        sent_at: None,
        received_at: Timestamp(400 * DAY_MS),
        source: SourceId(1),
    }
}

fn order(n: u64, user: &str, at: i64, total: f64, product: &str) -> Event {
    let json =
        format!(r#"{{"total":{total},"country":"C{product}","products":[{{"id":"{product}"}},{{"id":"common"}}]}}"#);
    Event { properties: serde_json::from_str(&json).unwrap(), ..event(n, Some(user), None, at) }
}

fn alias(n: u64, previous: &str, user: &str, at: i64) -> Event {
    let kind = EventKind::Alias;
    Event { kind, name: None, previous_id: Some(previous.into()), ..event(n, Some(user), None, at) }
}

/// What checkpoints of a partition have written: rows, chunks of message keys, and the head; no head before the first.
type Kept = (BTreeMap<u64, Vec<u8>>, Vec<DedupChunk>, Option<Vec<u8>>);

/// Rows in the order in which a store gives them back: it keeps their keys as signed numbers.
fn in_order(rows: &BTreeMap<u64, Vec<u8>>) -> impl Iterator<Item = (u64, &Vec<u8>)> {
    let half = 1 << 63;
    rows.range(half..).chain(rows.range(..half)).map(|(key, row)| (*key, row))
}

/// Partitions with their logs, as the engine would run them.
struct World {
    features: FeatureSet,
    states: Vec<PartitionState>,
    logs: Vec<Vec<Entry>>,
    kept: Vec<Kept>,
}

impl World {
    fn new(partitions: u32) -> Self {
        let states = (0..partitions).map(|p| PartitionState::new(PartitionId(p), partitions)).collect();
        let (logs, kept) = (vec![Vec::new(); partitions as usize], vec![Kept::default(); partitions as usize]);
        Self { features: features(), states, logs, kept }
    }

    fn send(&mut self, event: Event) {
        let home = partition_of(&event.routing_id(), self.states.len() as u32);
        self.logs[home.0 as usize].push(Entry::Event(event));
    }

    /// Puts every partition through a checkpoint and a restart.
    fn restart(&mut self) {
        (0..self.states.len()).for_each(|partition| self.checkpoint(partition));
        self.crash();
    }

    fn checkpoint(&mut self, partition: usize) {
        let (rows, chunks, head) = &mut self.kept[partition];
        let parts = self.states[partition].take_checkpoint();
        parts.deleted.iter().for_each(|key| drop(rows.remove(key)));
        rows.extend(parts.changed);
        chunks.extend(parts.chunks);
        *head = Some(parts.meta);
        assert_eq!(parts.rows, rows.len() as u64);
    }

    /// Every partition goes back to its last checkpoint. The log stays.
    fn crash(&mut self) {
        let partitions = self.states.len() as u32;
        for (state, (rows, chunks, head)) in self.states.iter_mut().zip(&self.kept) {
            *state = PartitionState::new(state.partition(), partitions);
            let Some(head) = head else { continue };
            state.restore_meta(head).unwrap();
            in_order(rows).for_each(|(key, row)| state.restore_row(key, row).unwrap());
            chunks.iter().for_each(|chunk| state.restore_chunk(chunk));
        }
    }

    /// Applies what is in the logs, in turns, until nothing is left.
    fn settle(&mut self) {
        self.apply(usize::MAX);
    }

    /// Applies so many entries, in turns, or until nothing is left.
    fn apply(&mut self, most: usize) {
        let mut applied = 0;
        let mut turns: VecDeque<usize> = (0..self.states.len()).collect();
        let mut idle = 0;
        while idle < self.states.len() && applied < most {
            let p = turns.pop_front().unwrap();
            turns.push_back(p);
            let next = self.states[p].next_offset();
            let Some(entry) = self.logs[p].get(next.0 as usize).cloned() else {
                idle += 1;
                continue;
            };
            (idle, applied) = (0, applied + 1);
            let mut changes = Changes::default();
            self.states[p].apply(next, entry, &self.features, &mut changes);
            for (home, entry) in changes.internal {
                self.logs[home.0 as usize].push(entry);
            }
        }
    }

    fn profile(&self, id: &str) -> Profile {
        let mut id = CustomerId::parse(id);
        for _ in 0..16 {
            let home = partition_of(&id, self.states.len() as u32);
            match self.states[home.0 as usize].find(&id) {
                Some(Ok(profile)) => return profile.clone(),
                Some(Err(to)) => id = to.clone(),
                None => panic!("{id} is not known"),
            }
        }
        panic!("{id} leads round in circles");
    }

    fn value(&self, id: &str, feature: &str) -> Value {
        let profile = self.profile(id);
        self.features.json(&profile, self.features.index_of(feature).unwrap(), profile.at)
    }

    fn digest(&self) -> blake3::Hash {
        let mut profiles: Vec<Profile> = self
            .states
            .iter()
            .flat_map(|state| state.profiles().map(|profile| profile.clone()).collect::<Vec<_>>())
            .collect();
        profiles.sort_by(|a, b| a.primary.cmp(&b.primary));
        let mut hasher = blake3::Hasher::new();
        profiles.iter().for_each(|profile| profile.digest_facts(&mut hasher));
        hasher.finalize()
    }

    fn totals(&self) -> rapport_profile::LedgerLine {
        let lines = self.states.iter().flat_map(|state| state.ledger().lines().map(|(_, line)| line));
        lines.fold(rapport_profile::LedgerLine::default(), rapport_profile::LedgerLine::plus)
    }
}

#[test]
fn features_of_an_ordinary_history() {
    let mut world = World::new(1);
    for (n, (day, total, product)) in
        [(0, 20.0, "a"), (40, 60.0, "b"), (95, 80.5, "c"), (99, 10.25, "b")].into_iter().enumerate()
    {
        world.send(order(n as u64, "u", day * DAY_MS + HOUR_MS, total, product));
    }
    world.settle();
    let number = |feature: &str| world.value("u", feature).as_f64();
    assert_eq!(number("orders"), Some(4.0));
    assert_eq!(number("orders_30d"), Some(2.0));
    assert_eq!(number("revenue_90d"), Some(150.75));
    assert_eq!(number("mean_90d"), Some(50.25));
    assert_eq!(number("smallest"), Some(10.25));
    assert_eq!(number("largest_7d"), Some(80.5));
    assert_eq!(world.value("u", "last_country"), Value::from("Cb"));
    assert_eq!(number("items"), Some(3.0));
    assert_eq!(number("since_order"), Some(0.0));
    assert_eq!(number("since_previous"), Some(4.0));
    assert_eq!(number("age"), Some(99.0));
    assert_eq!(number("large"), Some(2.0));
    assert_eq!(number("session_events"), Some(1.0));
    let totals = [60, 80, 10].map(|_| ());
    let Value::List(sequence) = world.value("u", "totals") else { panic!("a sequence is a list") };
    assert_eq!(sequence.len(), totals.len());
    assert_eq!(sequence.iter().map(|value| value.as_f64().unwrap()).collect::<Vec<_>>(), [60.0, 80.5, 10.25]);
}

#[test]
fn a_profile_without_events_of_a_feature_counts_zero_and_misses_the_rest() {
    let mut world = World::new(1);
    world.send(Event { kind: EventKind::Identify, name: None, ..event(1, Some("u"), None, 5) });
    world.settle();
    assert_eq!(world.value("u", "orders").as_f64(), Some(0.0));
    assert_eq!(world.value("u", "revenue_90d").as_f64(), Some(0.0));
    for feature in ["smallest", "mean_90d", "last_country", "since_order", "totals"] {
        assert_eq!(world.value("u", feature), Value::Null, "{feature}");
    }
}

#[test]
fn repeats_are_counted_once_and_the_ledger_balances() {
    let mut world = World::new(2);
    for n in [1, 2, 1, 3, 2, 1] {
        world.send(order(n, "u", n as i64 * DAY_MS, 10.0, "a"));
    }
    world.settle();
    assert_eq!(world.value("u", "orders").as_f64(), Some(3.0));
    let totals = world.totals();
    assert_eq!((totals.accepted, totals.applied, totals.deduplicated, totals.dead_lettered), (6, 3, 3, 0));
}

#[test]
fn an_anonymous_history_joins_the_known_customer_in_any_partition() {
    for partitions in [1, 2, 3, 8] {
        let mut world = World::new(partitions);
        for n in 0..3 {
            world.send(event(n, None, Some("browser"), n as i64 * HOUR_MS));
        }
        world.settle();
        assert_eq!(world.profile("anon:browser").events, 3);
        world.send(event(10, Some("kim"), Some("browser"), 5 * HOUR_MS));
        world.settle();
        world.send(event(11, None, Some("browser"), 6 * HOUR_MS));
        world.settle();
        let profile = world.profile("anon:browser");
        assert_eq!(
            (profile.events, profile.primary.to_string()),
            (5, "user:kim".to_owned()),
            "{partitions} partitions"
        );
        assert_eq!(world.value("kim", "orders").as_f64(), Some(5.0));
        assert_eq!(world.totals().applied, 5);
    }
}

#[test]
fn a_shared_device_does_not_merge_two_known_people() {
    for partitions in [1, 4, 8] {
        let mut world = World::new(partitions);
        for (n, user) in ["ann", "bob"].into_iter().enumerate() {
            world.send(event(n as u64, Some(user), Some("tablet"), n as i64));
            world.settle();
        }
        world.send(event(9, None, Some("tablet"), 9));
        world.settle();
        assert_eq!(world.profile("ann").events, 1, "{partitions} partitions");
        assert_eq!(world.profile("bob").events, 2, "{partitions} partitions");
    }
}

/// Who has a device depends on the newest claim alone, wherever the three ids are at home.
#[test]
fn a_device_goes_from_hand_to_hand_and_back() {
    for partitions in [1, 2, 4, 8, 16] {
        for device in ["tablet", "phone", "till"] {
            let mut world = World::new(partitions);
            let mut owned = [0, 0];
            for (n, user) in [0, 1, 0, 1, 1, 0].into_iter().enumerate() {
                let (n, name) = (n as u64, ["ann", "bob"][user]);
                world.send(event(10 * n, Some(name), Some(device), 10 * n as i64));
                world.settle();
                world.send(event(10 * n + 1, None, Some(device), 10 * n as i64 + 1));
                world.settle();
                owned[user] += 2;
                let told = |name| {
                    let profile = world.profile(name);
                    (profile.events, profile.ids.iter().any(|id| id.to_string() == format!("anon:{device}")))
                };
                let expected = [(owned[0], user == 0), (owned[1], user == 1)];
                assert_eq!(
                    [told("ann"), if owned[1] == 0 { (0, false) } else { told("bob") }],
                    expected,
                    "{partitions} {device}"
                );
            }
        }
    }
}

/// The one who had the device was found to be somebody else meanwhile: the word is passed on.
#[test]
fn a_device_of_a_person_who_moved_is_forgotten_there() {
    for partitions in [1, 4, 16] {
        let mut world = World::new(partitions);
        world.send(event(1, Some("ann"), Some("tablet"), 1));
        world.settle();
        world.send(alias(2, "ann", "anna", 2));
        world.settle();
        let ids =
            |world: &World, name| world.profile(name).ids.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ");
        assert_eq!(ids(&world, "anna"), "user:ann user:anna anon:tablet", "it went with her: {partitions} partitions");
        world.send(event(3, Some("bob"), Some("tablet"), 3));
        world.settle();
        assert_eq!(ids(&world, "anna"), "user:ann user:anna", "{partitions} partitions");
        assert_eq!(ids(&world, "bob"), "user:bob anon:tablet", "{partitions} partitions");
        assert_eq!((world.profile("ann").events, world.totals().applied), (2, 3));
    }
}

#[test]
fn aliases_in_both_directions_end_in_one_profile() {
    for partitions in [1, 2, 5, 16] {
        for (a, b) in [("a", "b"), ("b", "a"), ("x1", "y7"), ("y7", "x1")] {
            let mut world = World::new(partitions);
            world.send(order(1, a, 1, 10.0, "p"));
            world.send(order(2, b, 2, 10.0, "p"));
            world.settle();
            world.send(alias(3, a, b, 3));
            world.send(alias(4, b, a, 4));
            world.settle();
            world.send(order(5, a, 5, 10.0, "p"));
            world.send(order(6, b, 6, 10.0, "p"));
            world.settle();
            assert_eq!(world.profile(a), world.profile(b), "{partitions} partitions");
            assert_eq!(world.value(a, "orders").as_f64(), Some(4.0), "{partitions} partitions, {a} and {b}");
            assert_eq!(world.totals().applied, 6);
        }
    }
}

#[test]
fn too_many_attributes_are_a_dead_letter_and_nothing_is_half_done() {
    let mut world = World::new(1);
    let properties = (0..501).map(|n| (format!("p{n}").into(), Value::Int(n))).collect();
    world.send(Event { kind: EventKind::Identify, name: None, properties, ..event(1, Some("u"), None, 5) });
    world.settle();
    assert_eq!(world.totals().dead_lettered, 1);
    assert_eq!(world.states[0].ledger().dead_letters.len(), 1);
    assert_eq!(world.profile("u").attributes().count(), 0);
}

#[test]
fn ticks_move_time_only_when_events_come_as_they_happen() {
    let mut state = PartitionState::new(PartitionId(0), 1);
    let (features, mut changes) = (features(), Changes::default());
    state.apply(Offset(0), Entry::Event(order(1, "u", DAY_MS, 1.0, "a")), &features, &mut changes);
    state.set_due(0, Some(Timestamp(2 * DAY_MS)));
    state.apply(Offset(1), Entry::Tick(Timestamp(400 * DAY_MS)), &features, &mut changes);
    assert_eq!(state.take_due(), None, "a history that is played back has no clock of its own");
    let mut live = order(2, "u", 2 * DAY_MS, 1.0, "a");
    live.received_at = live.timestamp;
    state.apply(Offset(2), Entry::Event(live), &features, &mut changes);
    assert_eq!(state.take_due().map(|(slot, _)| slot), Some(0));
    assert_eq!(state.take_due(), None);
}

fn any_event() -> impl Strategy<Value = (u64, u8, u8, i64, u32, u8)> {
    (0_u64..60, 0_u8..6, 0_u8..6, 0_i64..200, 0_u32..5_000, 0_u8..4)
}

/// An event of a few customers. Every anonymous id belongs to one customer only and aliases go one way, so that the
/// outcome does not depend on which of two claims came first.
fn made(n: usize, (id, user, device, time, cents, kind): (u64, u8, u8, i64, u32, u8)) -> Event {
    let at = time * 8 * HOUR_MS + (id as i64);
    let user_name = format!("u{user}");
    match kind {
        0 => event(1_000 + n as u64, None, Some(&format!("d{device}")), at),
        1 => event(1_000 + n as u64, Some(&format!("u{device}")), Some(&format!("d{device}")), at),
        2 if user == 0 => alias(1_000 + n as u64, "old0", "u0", at),
        _ => order(id, &user_name, at, f64::from(cents) / 100.0, &format!("p{device}")),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    /// Facts do not depend on the order of arrival (late = on time), on the number of partitions, or on when the
    /// entries between partitions arrive.
    #[test]
    fn facts_are_a_function_of_the_set_of_events(
        specs in prop::collection::vec(any_event(), 1..60), seed in 0_u64..1_000, partitions in 1_u32..6,
    ) {
        // One spec an id: a repeat with another body is whichever came first.
        let mut specs = specs;
        specs.sort_by_key(|spec| spec.0);
        specs.dedup_by_key(|spec| spec.0);
        let events: Vec<Event> = specs.iter().enumerate().map(|(n, spec)| made(n, *spec)).collect();
        let mut first = World::new(1);
        events.iter().cloned().for_each(|event| first.send(event));
        first.settle();
        let mut shuffled = events.clone();
        let mut random = seed;
        for place in (1..shuffled.len()).rev() {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            shuffled.swap(place, (random >> 33) as usize % (place + 1));
        }
        let mut second = World::new(partitions);
        for (n, event) in shuffled.into_iter().enumerate() {
            second.send(event);
            if (seed + n as u64).is_multiple_of(3) {
                second.settle();
            }
        }
        second.settle();
        prop_assert_eq!(first.totals(), second.totals());
        prop_assert_eq!(first.digest(), second.digest());
    }

    /// A checkpoint at any place and a restart give the state of an uninterrupted run.
    #[test]
    fn a_restart_changes_nothing(specs in prop::collection::vec(any_event(), 1..60), cut in 0_usize..60) {
        let events: Vec<Event> = specs.iter().enumerate().map(|(n, spec)| made(n, *spec)).collect();
        let features = features();
        let mut whole = PartitionState::new(PartitionId(0), 1);
        let mut state = PartitionState::new(PartitionId(0), 1);
        let mut rows = BTreeMap::new();
        let mut chunks = Vec::new();
        for (n, event) in events.into_iter().enumerate() {
            let mut changes = Changes::default();
            whole.apply(Offset(n as u64), Entry::Event(event.clone()), &features, &mut changes);
            changes.clear();
            state.apply(Offset(n as u64), Entry::Event(event), &features, &mut changes);
            if n == cut || n == cut / 2 {
                let parts = state.take_checkpoint();
                rows.extend(parts.changed);
                parts.deleted.iter().for_each(|key| { rows.remove(key); });
                chunks.extend(parts.chunks);
                state = PartitionState::new(PartitionId(0), 1);
                state.restore_meta(&parts.meta).unwrap();
                in_order(&rows).for_each(|(key, row)| state.restore_row(key, row).unwrap());
                chunks.iter().for_each(|chunk| state.restore_chunk(chunk));
            }
        }
        prop_assert_eq!(whole.ledger(), state.ledger());
        let profiles = |state: &PartitionState| state.profiles().map(|profile| profile.clone()).collect::<Vec<_>>();
        prop_assert_eq!(profiles(&whole), profiles(&state));
    }
}

#[test]
fn a_flipped_bit_in_a_row_is_noticed() {
    let mut state = PartitionState::new(PartitionId(0), 1);
    state.apply(Offset(0), Entry::Event(order(1, "u", DAY_MS, 1.0, "a")), &features(), &mut Changes::default());
    let parts = state.take_checkpoint();
    let (key, row) = &parts.changed[0];
    for bit in 0..row.len() * 8 {
        let mut broken = row.clone();
        broken[bit / 8] ^= 1 << (bit % 8);
        let mut restored = PartitionState::new(PartitionId(0), 1);
        restored.restore_meta(&parts.meta).unwrap();
        assert!(restored.restore_row(*key, &broken).is_err(), "bit {bit}");
    }
}
