//! The engine over an in-memory log: what it keeps is what the log says, whatever happens in between.

#![allow(clippy::unwrap_used, reason = "helpers of tests stop the test as the tests themselves do")]

mod online;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Condvar, Mutex},
};

use rapport_decide::{Definitions, Effect, What};
use rapport_engine::{Engine, EngineError, EngineOptions, Order, Sink, rebuild_digest};
use rapport_store::{Checkpoint, CheckpointHead, CheckpointPart, CheckpointWrite, Chunk, StoreError};
use rapport_stream::{Append, Log, MemoryLog};
use rapport_types::{
    Activation, CustomerId, DAY_MS, DefinitionsChanged, Entry, Event, EventKind, Forward, Joined, Object, Offset,
    Origin, PartitionId, Rollback, SourceId, Timestamp, Trial, TrialMode, partition_of,
};

const PARTITIONS: u32 = 3;
/// 2100-01-01. No timer after it is due by the machine's clock, so no worker appends a tick by itself, and what a caught-up
/// log holds follows from what was sent.
const START: i64 = 4_102_444_800_000;
/// 2020-01-01, so long ago that every window of the definitions is over by the machine's clock.
const LONG_AGO: Timestamp = Timestamp(1_577_836_800_000);

/// One partition's rows in memory.
#[derive(Default, Clone)]
struct Kept {
    head: Option<CheckpointHead>,
    rows: BTreeMap<u64, Vec<u8>>,
    chunks: Vec<Chunk>,
}

/// A checkpoint in memory, to be looked at, damaged and given to the next engine.
#[derive(Default)]
struct MemoryCheckpoint {
    kept: Mutex<BTreeMap<u32, Kept>>,
    /// So many writes find no room.
    no_room: Mutex<u32>,
}

impl Checkpoint for MemoryCheckpoint {
    fn head(&self, partition: PartitionId) -> Result<Option<CheckpointHead>, StoreError> {
        Ok(self.kept.lock().unwrap().get(&partition.0).and_then(|kept| kept.head.clone()))
    }

    fn load(&self, partition: PartitionId, each: &mut dyn FnMut(CheckpointPart<'_>)) -> Result<(), StoreError> {
        let kept = self.kept.lock().unwrap().get(&partition.0).cloned().unwrap_or_default();
        kept.rows.iter().for_each(|(key, row)| each(CheckpointPart::Row(*key, row)));
        kept.chunks.into_iter().for_each(|chunk| each(CheckpointPart::Chunk(chunk)));
        Ok(())
    }

    fn save(&self, write: &CheckpointWrite<'_>) -> Result<(), StoreError> {
        let mut no_room = self.no_room.lock().unwrap();
        if *no_room > 0 {
            *no_room -= 1;
            return Err(StoreError::Full { path: "state.db".into() });
        }
        let mut all = self.kept.lock().unwrap();
        let kept = all.entry(write.partition.0).or_default();
        let at = kept.head.as_ref().map_or(Offset(0), |head| head.next);
        if at != write.expected {
            return Err(StoreError::Fenced { partition: write.partition.0, expected: write.expected.0, found: at.0 });
        }
        kept.head = Some(CheckpointHead { next: write.next, version: write.version, meta: write.meta.to_vec() });
        kept.rows.extend(write.changed.iter().cloned());
        write.deleted.iter().for_each(|key| {
            kept.rows.remove(key);
        });
        kept.chunks.extend(write.chunks.iter().cloned());
        kept.chunks.retain(|chunk| chunk.expires_at > write.forget_before);
        Ok(())
    }

    fn reset(&self, partition: PartitionId) -> Result<(), StoreError> {
        self.kept.lock().unwrap().remove(&partition.0);
        Ok(())
    }

    fn bind(&self, _log: u128) -> Result<(), StoreError> {
        Ok(())
    }
}

#[derive(Default)]
struct Heard {
    effects: Mutex<Vec<Effect>>,
    resets: Mutex<u32>,
}

impl Heard {
    /// All effects, each partition's in the order in which they came.
    fn by_partition(&self) -> Vec<Effect> {
        let mut effects = self.effects.lock().unwrap().clone();
        effects.sort_by_key(|effect| effect.partition);
        effects
    }
}

impl Sink for Heard {
    fn deliver(&self, _partition: PartitionId, effects: &[(Offset, u32, Effect)]) {
        self.effects.lock().unwrap().extend(effects.iter().map(|(_, _, effect)| effect.clone()));
    }

    fn reset(&self) {
        *self.resets.lock().unwrap() += 1;
    }
}

fn event(n: u32, user: Option<&str>, anonymous: Option<&str>, day: i64, kind: EventKind, name: &str) -> Event {
    let at = Timestamp(START + day * DAY_MS + i64::from(n));
    let properties = serde_json::from_str(&format!("{{\"total\": {}.5, \"order_id\": \"o{n}\"}}", n % 97)).unwrap();
    Event {
        kind,
        message_id: format!("m{n}").into(),
        user_id: user.map(Into::into),
        anonymous_id: anonymous.map(Into::into),
        previous_id: None,
        group_id: None,
        name: (!name.is_empty()).then(|| name.into()),
        properties,
        context: Object::default(),
        integrations: Object::default(),
        timestamp: at,
        original_timestamp: None,
        sent_at: None,
        received_at: at,
        source: SourceId(1),
    }
}

/// Orders of known customers, visits of devices, and devices that become known in another partition. With 23 devices each
/// has one person; with another number they change hands, and who has one when depends on the order of the logs.
fn history_with(devices: u32) -> Vec<Event> {
    let mut events = Vec::new();
    for n in 0..400_u32 {
        let user = format!("u{}", n % 23);
        let device = format!("d{}", n % devices);
        let day = i64::from(n / 4);
        events.push(match n % 7 {
            0..=2 => event(n, Some(&user), None, day, EventKind::Track, "Order Completed"),
            3 | 4 => event(n, None, Some(&device), day, EventKind::Track, "Product Viewed"),
            5 => event(n, None, Some(&device), day, EventKind::Page, ""),
            _ => event(n, Some(&user), Some(&device), day, EventKind::Identify, ""),
        });
    }
    events
}

fn history() -> Vec<Event> {
    history_with(23)
}

fn append(log: &Arc<dyn Log>, entries: Vec<(PartitionId, Vec<u8>)>) {
    log.append(Append { entries }).unwrap().wait().unwrap();
}

fn send(log: &Arc<dyn Log>, events: &[Event]) {
    for event in events {
        append(log, vec![(partition_of(&event.routing_id(), PARTITIONS), Entry::Event(event.clone()).encode())]);
    }
}

fn define(log: &Arc<dyn Log>, version: u32, definitions: &Definitions) {
    let document = definitions.to_json().into();
    let entry = Entry::Definitions(DefinitionsChanged { version, document, at: Timestamp(START) }).encode();
    append(log, (0..PARTITIONS).map(|partition| (PartitionId(partition), entry.clone())).collect());
}

fn start(log: &Arc<dyn Log>, store: &Arc<MemoryCheckpoint>, heard: &Arc<Heard>) -> Result<Engine, EngineError> {
    let sink: Arc<dyn Sink> = Arc::<Heard>::clone(heard);
    let store: Arc<dyn Checkpoint> = Arc::<MemoryCheckpoint>::clone(store);
    Engine::start(Arc::clone(log), store, sink, EngineOptions::default())
}

/// Runs until everything is applied, and stops; the effects by partition.
fn run(log: &Arc<dyn Log>, store: &Arc<MemoryCheckpoint>) -> Vec<Effect> {
    let heard = Arc::default();
    let engine = start(log, store, &heard).unwrap();
    engine.wait_until_caught_up().unwrap();
    engine.stop().unwrap();
    heard.by_partition()
}

fn ends(log: &Arc<dyn Log>) -> Vec<Offset> {
    (0..PARTITIONS).map(|partition| log.end(PartitionId(partition))).collect()
}

/// The whole history without interruption.
fn whole() -> (Arc<dyn Log>, Engine, Arc<Heard>) {
    whole_of(&history())
}

fn whole_of(history: &[Event]) -> (Arc<dyn Log>, Engine, Arc<Heard>) {
    let log: Arc<dyn Log> = Arc::new(MemoryLog::new(PARTITIONS).unwrap());
    define(&log, 1, &Definitions::retail());
    send(&log, history);
    let heard = Arc::default();
    let engine = start(&log, &Arc::default(), &heard).unwrap();
    engine.wait_until_caught_up().unwrap();
    (log, engine, heard)
}

#[test]
fn live_state_equals_the_state_made_from_the_log() {
    for devices in [23, 31, 5] {
        let (log, engine, _) = whole_of(&history_with(devices));
        let live = engine.digest();
        assert!(live.profiles >= 23, "{live:?}");
        engine.stop().unwrap();
        assert_eq!(rebuild_digest(&log).unwrap().digest, live, "{devices} devices");
    }
}

/// What earlier versions made for other partitions where this one finds the way by itself.
#[test]
fn what_nothing_makes_any_more_is_passed_over_where_the_state_is_made_anew() {
    let (log, engine, _) = whole();
    engine.stop().unwrap();
    let expected = rebuild_digest(&log).unwrap().digest;
    let to = CustomerId::User("u1".into());
    let origin = Origin { partition: PartitionId(0), offset: log.end(PartitionId(0)), index: 0 };
    append(&log, vec![(origin.partition, Entry::Tick(LONG_AGO).encode())]);
    let event = event(1_000, Some("u1"), None, 100, EventKind::Track, "Order Completed");
    let home = partition_of(&to, PARTITIONS);
    append(&log, vec![(home, Entry::Forward(Forward { origin, to, event, hops: 1 }).encode())]);
    assert_eq!(rebuild_digest(&log).unwrap().digest, expected);
}

#[test]
fn a_customer_who_left_every_segment_is_as_one_who_was_in_none() {
    let order = |n, day| event(n, Some("left"), None, day, EventKind::Track, "Order Completed");
    let view = event(2, Some("left"), None, 700, EventKind::Track, "Product Viewed");
    let (log, engine, heard) = whole_of(&[order(0, 0), order(1, 1), view]);
    let left = |effect: &Effect| matches!(effect.what, What::SegmentLeft { .. });
    assert!(heard.effects.lock().unwrap().iter().any(left));
    assert_eq!(rebuild_digest(&log).unwrap().digest, engine.digest());
    engine.stop().unwrap();
}

#[test]
fn a_restart_anywhere_changes_nothing() {
    let (_, engine, _) = whole();
    let expected = (engine.digest(), engine.reader().ledger());
    drop(engine);
    for cut in [0, 1, 57, 200, 399] {
        let log: Arc<dyn Log> = Arc::new(MemoryLog::new(PARTITIONS).unwrap());
        let store = Arc::default();
        define(&log, 1, &Definitions::retail());
        send(&log, &history()[..cut]);
        let engine = start(&log, &store, &Arc::default()).unwrap();
        engine.wait_until_caught_up().unwrap();
        engine.stop().unwrap();
        send(&log, &history()[cut..]);
        let engine = start(&log, &store, &Arc::default()).unwrap();
        engine.wait_until_caught_up().unwrap();
        assert_eq!((engine.digest(), engine.reader().ledger()), expected, "cut at {cut}");
        engine.stop().unwrap();
    }
}

/// Says that people are one customer, as it is appended: to the homes of all of them at once.
fn join(log: &Arc<dyn Log>, names: &[&str]) {
    let ids: Box<[CustomerId]> = names.iter().map(|name| CustomerId::User((*name).into())).collect();
    let homes: BTreeSet<PartitionId> = ids.iter().map(|id| partition_of(id, PARTITIONS)).collect();
    let entry = Entry::Joined(Joined { ids, at: Timestamp(START) }).encode();
    append(log, homes.into_iter().map(|home| (home, entry.clone())).collect());
}

#[test]
fn customers_who_were_joined_and_taken_apart_are_as_if_they_never_were() {
    let (_, engine, _) = whole();
    let apart = engine.digest();
    drop(engine);
    let log: Arc<dyn Log> = Arc::new(MemoryLog::new(PARTITIONS).unwrap());
    let store = Arc::default();
    define(&log, 1, &Definitions::retail());
    let same_as_from_the_log = |engine: &Engine, what: &str| {
        engine.wait_until_caught_up().unwrap();
        assert_eq!(rebuild_digest(&log).unwrap().digest, engine.digest(), "{what}");
    };
    let heard = Arc::<Heard>::default();
    let engine = start(&log, &store, &heard).unwrap();
    send(&log, &history()[..100]);
    join(&log, &["u0", "u1", "u2", "u3"]);
    send(&log, &history()[100..250]);
    same_as_from_the_log(&engine, "joined");
    assert_eq!(engine.digest().profiles, 20, "23 people less the three that are seen as the first");
    assert_eq!(engine.facts().partitions.iter().map(|partition| partition.profiles).sum::<u64>(), 20);
    let orders = |engine: &Engine, name: &str| {
        let id = CustomerId::User(name.into());
        engine.reader().customer(&id, |_, _, profile, _| (profile.primary.to_string(), profile.events)).unwrap()
    };
    assert_eq!(orders(&engine, "u3"), orders(&engine, "u0"));
    // What is decided of the joined customer is told as of the first.
    let decided = |name: &str| heard.effects.lock().unwrap().iter().any(|effect| &*effect.customer == name);
    assert!(decided("user:u0") && decided("user:u3"));
    engine.stop().unwrap();
    heard.effects.lock().unwrap().clear();
    let engine = start(&log, &store, &heard).unwrap();
    send(&log, &history()[250..320]);
    join(&log, &["u1"]);
    join(&log, &["u2", "u0", "u3"]);
    same_as_from_the_log(&engine, "joined otherwise");
    assert!(!decided("user:u3"), "it is not seen by itself");
    // New definitions make the joined customers anew, too.
    define(&log, 2, &Definitions::retail());
    same_as_from_the_log(&engine, "rebuilt");
    for name in ["u0", "u2", "u3"] {
        join(&log, &[name]);
    }
    send(&log, &history()[320..]);
    same_as_from_the_log(&engine, "taken apart");
    assert_eq!(engine.digest(), apart);
    engine.stop().unwrap();
    let engine = start(&log, &store, &heard).unwrap();
    engine.wait_until_caught_up().unwrap();
    assert_eq!(engine.digest(), apart);
    engine.stop().unwrap();
}

#[test]
fn the_ledger_balances_and_repeats_are_counted() {
    let (log, engine, _) = whole();
    // Of the last seven days, as a sender would repeat them.
    send(&log, &history()[380..]);
    engine.wait_until_caught_up().unwrap();
    let lines = engine.reader().ledger();
    let line = lines.iter().find(|(source, _)| *source == SourceId(1)).unwrap().1;
    assert_eq!((line.accepted, line.applied, line.deduplicated), (420, 400, 20));
    engine.stop().unwrap();
}

/// A sink that holds every worker that comes until it is opened.
#[derive(Default)]
struct Gate {
    state: Mutex<GateState>,
    news: Condvar,
}

#[derive(Default)]
struct GateState {
    is_open: bool,
    has_visitor: bool,
}

impl Sink for Gate {
    fn deliver(&self, _partition: PartitionId, _effects: &[(Offset, u32, Effect)]) {
        let mut state = self.state.lock().unwrap();
        state.has_visitor = true;
        self.news.notify_all();
        drop(self.news.wait_while(state, |state| !state.is_open).unwrap());
    }

    fn reset(&self) {}
}

#[test]
fn what_waits_in_the_log_is_pending() {
    let log: Arc<dyn Log> = Arc::new(MemoryLog::new(PARTITIONS).unwrap());
    let gate: Arc<Gate> = Arc::default();
    let store: Arc<MemoryCheckpoint> = Arc::default();
    let sink: Arc<dyn Sink> = Arc::<Gate>::clone(&gate);
    let engine = Engine::start(Arc::clone(&log), store, sink, EngineOptions::default()).unwrap();
    let history = history();
    send(&log, &history[..1]);
    drop(gate.news.wait_while(gate.state.lock().unwrap(), |state| !state.has_visitor).unwrap());
    // The partition of the first event takes no more from here on.
    send(&log, &history[1..]);
    let line = || engine.reader().ledger().into_iter().find(|(source, _)| *source == SourceId(1)).unwrap().1;
    let held = line();
    assert_eq!(held.accepted, 400);
    assert_eq!(held.applied + held.pending(), 400);
    assert!(held.pending() > 50, "{held:?}");
    gate.state.lock().unwrap().is_open = true;
    gate.news.notify_all();
    engine.wait_until_caught_up().unwrap();
    assert_eq!((line().applied, line().pending()), (400, 0));
    engine.stop().unwrap();
}

#[test]
fn after_a_crash_the_same_effects_have_the_same_ids() {
    // Without a checkpoint the short log is applied as if it came just now; with one, from there on.
    for (devices, checkpoint) in [(23, None), (31, None), (5, None), (23, Some(200)), (31, Some(200)), (5, Some(200))] {
        let case = format!("{devices} devices, checkpoint at {checkpoint:?}");
        let history = history_with(devices);
        let (before, after) = history.split_at(checkpoint.unwrap_or(0));
        let log: Arc<dyn Log> = Arc::new(MemoryLog::new(PARTITIONS).unwrap());
        let store: Arc<MemoryCheckpoint> = Arc::default();
        define(&log, 1, &Definitions::retail());
        if checkpoint.is_some() {
            send(&log, before);
            run(&log, &store);
        }
        let survives = store.kept.lock().unwrap().clone();
        send(&log, after);
        let first = run(&log, &store);
        let applied = ends(&log);
        // The crash came after time was appended and before it was applied.
        control(&log, &Entry::Tick(Timestamp(START + 400 * DAY_MS)));
        let restart = || {
            let kept = Mutex::new(survives.clone());
            run(&log, &Arc::new(MemoryCheckpoint { kept, ..MemoryCheckpoint::default() }))
        };
        let again = restart();
        let is_repeat = |effect: &&Effect| effect.offset < applied[effect.partition.0 as usize];
        let (repeats, new): (Vec<&Effect>, Vec<&Effect>) = again.iter().partition(is_repeat);
        assert!(!first.is_empty(), "{case}");
        assert_eq!(repeats, first.iter().collect::<Vec<_>>(), "{case}");
        // Behind the ticks stands what the partitions made for each other once more. It causes nothing.
        let repeated = |(end, applied): (Offset, &Offset)| end.0 > applied.0 + 1;
        assert!(ends(&log).into_iter().zip(&applied).any(repeated), "{case}");
        assert!(!new.is_empty(), "{case}");
        let is_of_tick = |effect: &&Effect| effect.offset == applied[effect.partition.0 as usize];
        assert!(new.iter().all(is_of_tick), "{case}: {new:?}");
        let ids: BTreeSet<&str> = again.iter().map(|effect| &*effect.id).collect();
        assert_eq!(ids.len(), again.len(), "{case}: an id means one effect");
        assert_eq!(restart(), again, "{case}: a second crash");
    }
}

#[test]
fn time_passes_by_an_entry_that_a_replay_meets_in_its_place() {
    let log: Arc<dyn Log> = Arc::new(MemoryLog::new(PARTITIONS).unwrap());
    define(&log, 1, &Definitions::retail());
    let order = event(0, Some("left"), None, 0, EventKind::Track, "Order Completed");
    let order = Event { timestamp: LONG_AGO, received_at: LONG_AGO, ..order };
    let home = partition_of(&order.routing_id(), PARTITIONS);
    send(&log, &[order]);
    let heard = Arc::default();
    let engine = start(&log, &Arc::default(), &heard).unwrap();
    // The worker that has nothing more to apply appends the time, because the order's windows are over.
    let tick = Offset(2);
    assert!(log.wait(home, tick, std::time::Duration::from_mins(1)) > tick);
    engine.wait_until_caught_up().unwrap();
    let digest = engine.digest();
    engine.stop().unwrap();
    let record = log.read(home, tick, 1).unwrap().remove(0);
    assert!(matches!(Entry::decode(&record.bytes), Ok(Entry::Tick(_))));
    let first = heard.by_partition();
    let left = |effect: &&Effect| matches!(&effect.what, What::SegmentLeft { segment } if &**segment == "new_customer");
    let left = first.iter().find(left).unwrap();
    assert_eq!((left.partition, left.offset, &left.cause), (home, tick, &None));
    let held = ends(&log);
    assert_eq!(run(&log, &Arc::default()), first);
    assert_eq!(ends(&log), held, "a replay finds the time in the log and makes none");
    assert_eq!(rebuild_digest(&log).unwrap().digest, digest);
}

#[test]
fn new_definitions_are_as_if_they_had_always_been() {
    let (log, engine, heard) = whole();
    let mut definitions = Definitions::retail();
    definitions.features.truncate(4);
    definitions.segments.retain(|segment| &*segment.name == "regular");
    definitions.scores.clear();
    define(&log, 2, &definitions);
    engine.wait_until_caught_up().unwrap();
    assert_eq!(engine.reader().definitions().unwrap().0, 2);
    assert!(*heard.resets.lock().unwrap() >= 2, "readers are told to look again");
    let digest = engine.digest();
    engine.stop().unwrap();

    let log: Arc<dyn Log> = Arc::new(MemoryLog::new(PARTITIONS).unwrap());
    define(&log, 2, &definitions);
    send(&log, &history());
    let engine = start(&log, &Arc::default(), &Arc::default()).unwrap();
    engine.wait_until_caught_up().unwrap();
    assert_eq!(engine.digest(), digest);
    engine.stop().unwrap();
}

#[test]
fn a_device_leads_to_the_person_it_became() {
    let (_, engine, _) = whole();
    let reader = engine.reader();
    let identified = history().into_iter().find(|event| event.kind == EventKind::Identify).unwrap();
    let device = CustomerId::Anonymous(identified.anonymous_id.unwrap());
    let primary = reader.customer(&device, |_, _, profile, _| profile.primary.clone()).unwrap();
    assert!(primary.is_known(), "{primary}");
    assert!(reader.customer(&CustomerId::User("nobody".into()), |_, _, _, _| ()).is_none());
    engine.stop().unwrap();
}

#[test]
fn a_list_goes_on_where_it_stopped() {
    let (_, engine, _) = whole();
    let reader = engine.reader();
    let (all, total) = reader.list("", Order::LastSeen, None, 1_000);
    assert_eq!(all.len() as u64, total);
    let (mut pages, mut after) = (Vec::new(), None);
    loop {
        let (page, of) = reader.list("", Order::LastSeen, after.as_ref(), 7);
        assert_eq!(of, total);
        let Some(last) = page.last() else { break };
        after = Some(last.after.clone());
        pages.extend(page);
    }
    assert_eq!(pages, all);
    let (found, total) = reader.list("U7", Order::LastSeen, None, 10);
    assert_eq!((found.len(), total), (1, 1), "a search sees no case");
    engine.stop().unwrap();
}

#[test]
fn a_checkpoint_beyond_the_log_is_refused() {
    let (_, engine, _) = whole();
    drop(engine);
    let log: Arc<dyn Log> = Arc::new(MemoryLog::new(PARTITIONS).unwrap());
    define(&log, 1, &Definitions::retail());
    send(&log, &history());
    let store = Arc::default();
    let engine = start(&log, &store, &Arc::default()).unwrap();
    engine.wait_until_caught_up().unwrap();
    engine.stop().unwrap();
    let shorter: Arc<dyn Log> = Arc::new(MemoryLog::new(PARTITIONS).unwrap());
    let error = start(&shorter, &store, &Arc::default()).unwrap_err();
    assert!(matches!(error, EngineError::Ahead { .. }), "{error}");
}

/// A log with the history, and its checkpoint after `change`.
fn checkpointed(change: impl FnOnce(&mut BTreeMap<u32, Kept>)) -> (Arc<dyn Log>, Arc<MemoryCheckpoint>) {
    let log: Arc<dyn Log> = Arc::new(MemoryLog::new(PARTITIONS).unwrap());
    define(&log, 1, &Definitions::retail());
    send(&log, &history());
    let store: Arc<MemoryCheckpoint> = Arc::default();
    let engine = start(&log, &store, &Arc::default()).unwrap();
    engine.wait_until_caught_up().unwrap();
    engine.stop().unwrap();
    change(&mut store.kept.lock().unwrap());
    (log, store)
}

#[test]
fn a_torn_checkpoint_is_made_anew_from_the_log() {
    let (_, engine, _) = whole();
    let expected = engine.digest();
    drop(engine);
    let (log, store) = checkpointed(|kept| drop(kept.remove(&1)));
    let engine = start(&log, &store, &Arc::default()).unwrap();
    engine.wait_until_caught_up().unwrap();
    assert_eq!(engine.digest(), expected);
    engine.stop().unwrap();
}

#[test]
fn a_checkpoint_that_finds_no_room_is_written_when_there_is_some() {
    let log: Arc<dyn Log> = Arc::new(MemoryLog::new(PARTITIONS).unwrap());
    let store: Arc<MemoryCheckpoint> = Arc::default();
    define(&log, 1, &Definitions::retail());
    let options = EngineOptions { checkpoint_entries: 1, ..EngineOptions::default() };
    let (keeps, sink): (Arc<dyn Checkpoint>, Arc<dyn Sink>) =
        (Arc::<MemoryCheckpoint>::clone(&store), Arc::<Heard>::default());
    let engine = Engine::start(Arc::clone(&log), keeps, sink, options).unwrap();
    engine.wait_until_caught_up().unwrap();
    *store.no_room.lock().unwrap() = 2;
    send(&log, &history());
    let begun = std::time::Instant::now();
    let is_behind =
        |engine: &Engine| engine.facts().partitions.iter().any(|partition| partition.checkpointed < partition.end);
    while is_behind(&engine) {
        assert!(begun.elapsed().as_secs() < 60, "{:?}", engine.facts());
        engine.wait_until_caught_up().unwrap();
        std::thread::yield_now();
    }
    assert_eq!(*store.no_room.lock().unwrap(), 0);
    let digest = engine.digest();
    engine.stop().unwrap();
    let engine = start(&log, &store, &Arc::default()).unwrap();
    assert_eq!(engine.digest(), digest);
}

#[test]
fn a_damaged_checkpoint_is_told_and_not_written_over() {
    let damages: [fn(&mut Kept); 2] = [
        |kept| {
            let row = kept.rows.values_mut().next().unwrap();
            let middle = row.len() / 2;
            row[middle] ^= 4;
        },
        |kept| kept.head.as_mut().unwrap().meta.truncate(9),
    ];
    for damage in damages {
        let (log, store) = checkpointed(|kept| damage(kept.get_mut(&2).unwrap()));
        let before = store.kept.lock().unwrap()[&2].rows.clone();
        let error = start(&log, &store, &Arc::default()).unwrap_err();
        assert!(matches!(error, EngineError::Restore(_)), "{error}");
        assert!(error.to_string().contains("partition 2 is damaged; `rapport repair`"), "{error}");
        assert_eq!(store.kept.lock().unwrap()[&2].rows, before);
    }
}

#[test]
fn what_a_newer_program_wrote_is_refused_and_kept() {
    let (log, store) = checkpointed(|kept| kept.get_mut(&0).unwrap().head.as_mut().unwrap().meta[0] = 4);
    let error = start(&log, &store, &Arc::default()).unwrap_err();
    assert!(error.to_string().contains("partition 0 has format 4"), "{error}");
    assert!(error.to_string().contains("install the version that wrote it"), "{error}");
    for bytes in [vec![2, 0, 6, 1], vec![1, 0, 99, 1]] {
        let (log, store) = checkpointed(|_| {});
        append(&log, vec![(PartitionId(1), bytes)]);
        let place = log.end(PartitionId(1)).0 - 1;
        let engine = start(&log, &store, &Arc::default()).unwrap();
        let error = engine.wait_until_caught_up().unwrap_err();
        assert!(matches!(error, EngineError::NewerEntry { partition: 1, offset, .. } if offset == place), "{error}");
        assert!(error.to_string().contains("install the version that wrote it"), "{error}");
        assert!(engine.stop().is_err());
        assert!(matches!(rebuild_digest(&log).unwrap_err(), EngineError::NewerEntry { partition: 1, .. }));
    }
    drop(log);
}

/// An artifact of format 1 that weighs one feature.
fn artifact(weight: f64) -> Box<[u8]> {
    let text = format!(
        r#"{{"format":1,"algorithm":"logistic_regression","intercept":0.0,"ridge":1.0,"rows":9,"inputs":[{{"name":"orders_30d",
        "transform":"identity","mean":1.0,"deviation":1.0,"missing_rate":0.0,"weight":{weight},"missing_weight":0.0}}]}}"#
    );
    text.into_bytes().into()
}

fn control(log: &Arc<dyn Log>, entry: &Entry) {
    append(log, (0..PARTITIONS).map(|partition| (PartitionId(partition), entry.encode())).collect());
}

fn activate(log: &Arc<dyn Log>, version: Option<u32>) {
    let (score, at) = ("repeat_purchase".into(), Timestamp(START));
    let artifact = version.map_or_else(Box::default, |version| artifact(f64::from(version)));
    control(log, &Entry::Activation(Activation { score, version, artifact, at }));
}

fn challenge(log: &Arc<dyn Log>, version: u32) {
    let (score, mode) = ("repeat_purchase".into(), TrialMode::Canary { permille: 300 });
    let artifact = artifact(f64::from(version));
    control(log, &Entry::Trial(Trial { score, version: Some(version), artifact, mode, at: Timestamp(START) }));
}

#[test]
fn a_trial_survives_a_restart_and_ends_with_an_activation() {
    let log: Arc<dyn Log> = Arc::new(MemoryLog::new(PARTITIONS).unwrap());
    let store = Arc::default();
    define(&log, 1, &Definitions::retail());
    activate(&log, Some(1));
    challenge(&log, 2);
    send(&log, &history());
    let engine = start(&log, &store, &Arc::default()).unwrap();
    engine.wait_until_caught_up().unwrap();
    let digest = engine.digest();
    engine.stop().unwrap();
    let engine = start(&log, &store, &Arc::default()).unwrap();
    engine.wait_until_caught_up().unwrap();
    let on_trial = engine.reader().challenger("repeat_purchase").map(|(version, mode, _)| (version, mode));
    assert_eq!(on_trial, Some((2, TrialMode::Canary { permille: 300 })));
    assert_eq!(engine.digest(), digest);
    activate(&log, Some(2));
    engine.wait_until_caught_up().unwrap();
    assert_eq!(
        (engine.reader().challenger("repeat_purchase"), engine.reader().champion("repeat_purchase")),
        (None, Some(2))
    );
    assert_ne!(engine.digest(), digest, "the challenger scores everybody now");
    engine.stop().unwrap();
}

#[test]
fn a_rollback_goes_back_along_what_was_in_service() {
    let log: Arc<dyn Log> = Arc::new(MemoryLog::new(PARTITIONS).unwrap());
    define(&log, 1, &Definitions::retail());
    let engine = start(&log, &Arc::default(), &Arc::default()).unwrap();
    let earlier = || {
        engine.wait_until_caught_up().unwrap();
        engine.reader().earlier("repeat_purchase").map(|earlier| earlier.version)
    };
    let earlier_after = |version| {
        activate(&log, Some(version));
        earlier()
    };
    let earlier_after_rollback_to = |version| {
        let (score, artifact) = ("repeat_purchase".into(), artifact(f64::from(version)));
        let activation = Activation { score, version: Some(version), artifact, at: Timestamp(START) };
        control(&log, &Entry::Rollback(Rollback { activation, trial: None }));
        let earlier = earlier();
        assert_eq!(engine.reader().champion("repeat_purchase"), Some(version));
        earlier
    };
    assert_eq!(earlier_after(1), None);
    assert_eq!(earlier_after(1), None, "the same again is no change");
    assert_eq!(earlier_after(2), Some(1));
    assert_eq!(earlier_after(3), Some(2));
    assert_eq!(earlier_after_rollback_to(2), Some(1), "back to 2, and 1 is behind it");
    assert_eq!(earlier_after_rollback_to(1), None);
    assert_eq!(earlier_after(4), Some(1));
    assert_eq!(earlier_after(1), Some(4), "who makes an earlier one live can take that back");
    engine.stop().unwrap();
}
