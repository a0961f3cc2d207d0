//! Checkpoints: profiles and moved ids, message keys, and the head with the control entries: profiles and head of version 2, and of
//! version 3, which have what models learn in service.
//!
//! Two partitions are fed one event after the other, each with its consequences, so that the bytes are the same each time.

use std::{fmt::Write as _, sync::Arc};

use rapport_decide::Effect;
use rapport_engine::{Engine, EngineOptions, Sink, rebuild_digest};
use rapport_ml::{Artifact, Card, Fitted, Ftrl, FtrlOptions, Member, Model, References, Task, pipeline::Pipeline};
use rapport_store::{Checkpoint as _, CheckpointPart, CheckpointWrite, Chunk, SqliteStore};
use rapport_stream::{Append, Log, MemoryLog};
use rapport_types::{
    Activation, CustomerId, DAY_MS, DefinitionsChanged, Duration, Entry, Event, EventKind, Object, Offset, PartitionId,
    SourceId, Timestamp, Trial, TrialMode, partition_of,
};

use super::{fixture, hex, path, unhex};

const PARTITIONS: u32 = 2;
/// 2024-01-01.
const START: i64 = 1_704_067_200_000;
const DEFINITIONS: &str = r#"{"features":[{"name":"orders","event":"Order Completed","aggregate":"count","window":{"sliding":"30d"}},
    {"name":"total","event":"Order Completed","aggregate":"sum","value":"total"},
    {"name":"products","event":"Order Completed","aggregate":"distinct","value":"product"},
    {"name":"row","event":"Order Completed","aggregate":"sequence","value":"product","n":3},
    {"name":"pages","event":"page","aggregate":"count","window":{"session":"30m"}}],
    "segments":[{"name":"buys","when":"count(\"Order Completed\") >= 1"}],
    "scores":[{"name":"again","event":"Order Completed","within":"30d","baseline":"orders"}]}"#;

/// Takes effects that nobody waits for.
pub(super) struct Nobody;

impl Sink for Nobody {
    fn deliver(&self, _: PartitionId, _: &[(Offset, u32, Effect)]) {}

    fn reset(&self) {}
}

fn artifact(weight: f64) -> Box<[u8]> {
    let text = format!(
        r#"{{"format":1,"algorithm":"logistic_regression","intercept":0.0,"ridge":1.0,"rows":9,"inputs":[{{"name":"orders",
        "transform":"identity","mean":1.0,"deviation":1.0,"missing_rate":0.0,"weight":{weight},"missing_weight":0.0}}]}}"#
    );
    text.into_bytes().into()
}

/// A model that learns in service, and has learnt nothing yet.
fn online() -> Box<[u8]> {
    let fitted = Fitted::OnlineLogistic(Ftrl::new(2, FtrlOptions::default()).unwrap());
    let member = Member { pipeline: 0, weight: 1.0, fitted };
    let pipeline = Pipeline::plain(&["orders", "total"]);
    let model = Model::new(Task::Binary, vec![pipeline], vec![member], None).unwrap();
    let artifact = Artifact { card: Card::default(), model, references: References::default(), report: None };
    artifact.to_bytes().unwrap().into()
}

/// The control entries, for every partition: definitions, two models one after the other, a third on trial.
fn controls(third: Box<[u8]>) -> Vec<Entry> {
    let at = Timestamp(START);
    let model = |version: u32| Activation {
        score: "again".into(),
        version: Some(version),
        artifact: artifact(f64::from(version)),
        at,
    };
    let mode = TrialMode::Canary { permille: 500 };
    vec![
        Entry::Definitions(DefinitionsChanged { version: 1, document: DEFINITIONS.into(), at }),
        Entry::Activation(model(1)),
        Entry::Activation(model(2)),
        Entry::Trial(Trial { score: "again".into(), version: Some(3), artifact: third, mode, at }),
    ]
}

/// Orders, pages of devices, people who become known in another partition, and one who is found to be another.
///
/// Received `late`, they are from the past to the engine: it lets no time pass by the machine's clock.
fn history(late: Duration) -> Vec<Event> {
    let one = |n: u32| {
        let (user, device) = (format!("u{}", n % 6), format!("d{}", n % 6));
        let (kind, user, device, previous) = match n % 5 {
            0 => (EventKind::Page, None, Some(device), None),
            1 => (EventKind::Identify, Some(user), Some(device), None),
            2 if n == 42 => (EventKind::Alias, Some("u1".to_owned()), None, Some(user)),
            _ => (EventKind::Track, Some(user), None, None),
        };
        let at = Timestamp(START + i64::from(n) * DAY_MS / 2);
        let properties = format!(r#"{{"total":{n}.25,"product":"p{}","name":"N{n}"}}"#, n % 4);
        Event {
            kind,
            message_id: format!("m{n}").into(),
            user_id: user.map(Into::into),
            anonymous_id: device.map(Into::into),
            previous_id: previous.map(Into::into),
            group_id: None,
            name: (kind == EventKind::Track).then(|| "Order Completed".into()),
            properties: serde_json::from_str(&properties).unwrap(),
            context: Object::default(),
            integrations: Object::default(),
            timestamp: at,
            original_timestamp: None,
            sent_at: None,
            received_at: at.plus(late),
            source: SourceId(1),
        }
    };
    (0..60).map(one).collect()
}

fn start(log: &Arc<dyn Log>, store: &Arc<SqliteStore>) -> Engine {
    let options = EngineOptions { checkpoint_every: std::time::Duration::from_hours(1), ..EngineOptions::default() };
    let store: Arc<dyn rapport_store::Checkpoint> = Arc::<SqliteStore>::clone(store);
    Engine::start(Arc::clone(log), store, Arc::new(Nobody), options).unwrap()
}

/// The log and the checkpoint that the present program makes of the history; `third` is on trial.
fn made(store: &Arc<SqliteStore>, third: Box<[u8]>, late: Duration) -> Arc<dyn Log> {
    let log: Arc<dyn Log> = Arc::new(MemoryLog::new(PARTITIONS).unwrap());
    let engine = start(&log, store);
    let append = |entries: Vec<(PartitionId, Vec<u8>)>| {
        log.append(Append { entries }).unwrap().wait().unwrap();
        engine.wait_until_caught_up().unwrap();
    };
    for control in controls(third) {
        append((0..PARTITIONS).map(|partition| (PartitionId(partition), control.encode())).collect());
    }
    for event in history(late) {
        append(vec![(partition_of(&event.routing_id(), PARTITIONS), Entry::Event(event).encode())]);
    }
    engine.stop().unwrap();
    log
}

/// A checkpoint as text: a line for each head, row and chunk.
fn told(store: &SqliteStore) -> String {
    let mut text = String::new();
    for partition in (0..PARTITIONS).map(PartitionId) {
        let head = store.head(partition).unwrap().unwrap();
        writeln!(text, "head {} {} {}", head.next.0, head.version, hex(&head.meta)).unwrap();
        let mut each = |part: CheckpointPart<'_>| match part {
            CheckpointPart::Row(key, row) => writeln!(text, "row {key} {}", hex(row)).unwrap(),
            CheckpointPart::Chunk(chunk) => {
                writeln!(text, "chunk {} {}", chunk.expires_at.0, hex(&chunk.keys)).unwrap();
            }
        };
        store.load(partition, &mut each).unwrap();
    }
    text
}

/// Puts a checkpoint that was told into a store.
fn put(text: &str, store: &SqliteStore) {
    for (partition, part) in (0..).map(PartitionId).zip(text.split("head ").skip(1)) {
        let mut lines = part.lines();
        let mut words = lines.next().unwrap().split(' ');
        let (next, version) = (words.next().unwrap().parse().unwrap(), words.next().unwrap().parse().unwrap());
        let meta = unhex(words.next().unwrap());
        let (mut changed, mut chunks) = (Vec::new(), Vec::new());
        for line in lines {
            match line.split(' ').collect::<Vec<_>>()[..] {
                ["row", key, row] => changed.push((key.parse().unwrap(), unhex(row))),
                ["chunk", at, keys] => {
                    chunks.push(Chunk { expires_at: Timestamp(at.parse().unwrap()), keys: unhex(keys) });
                }
                _ => panic!("{line}"),
            }
        }
        let write = CheckpointWrite {
            partition,
            expected: Offset(0),
            next: Offset(next),
            version,
            meta: &meta,
            rows: changed.len() as u64,
            changed: &changed,
            deleted: &[],
            chunks: &chunks,
            forget_before: Timestamp::MIN,
        };
        store.save(&write).unwrap();
    }
}

/// What a checkpoint of the log holds, whatever version wrote it.
fn holds_the_history(log: &Arc<dyn Log>, held: &str) {
    let folder = tempfile::tempdir().unwrap();
    let store = Arc::new(SqliteStore::open(folder.path()).unwrap());
    put(held, &store);
    let engine = start(log, &store);
    engine.wait_until_caught_up().unwrap();
    assert_eq!(engine.digest(), rebuild_digest(log).unwrap().digest);
    let reader = engine.reader();
    assert_eq!(reader.definitions().unwrap(), (1, DEFINITIONS.into()));
    assert_eq!((reader.champion("again"), reader.earlier("again").unwrap().version), (Some(2), 1));
    let challenger = reader.challenger("again").map(|(version, mode, _)| (version, mode));
    assert_eq!(challenger, Some((3, TrialMode::Canary { permille: 500 })));
    // u0, whose last event made it u1's.
    let profile = reader.customer(&CustomerId::User("u0".into()), |_, _, profile, _| profile.clone()).unwrap();
    assert_eq!(profile.primary, CustomerId::User("u1".into()));
    assert_eq!(profile.ids.len(), 4, "two people with a device each: {:?}", profile.ids);
    assert_eq!(profile.events, 20);
    assert_eq!(profile.attribute("name").and_then(rapport_types::Value::as_str), Some("N36"));
    let line = reader.ledger().into_iter().find(|(source, _)| *source == SourceId(1)).unwrap().1;
    assert_eq!((line.accepted, line.applied), (60, 60));
    engine.stop().unwrap();
}

#[test]
fn checkpoints_with_profiles_and_control_of_version_2_are_read() {
    let folder = tempfile::tempdir().unwrap();
    let log = made(&Arc::new(SqliteStore::open(folder.path()).unwrap()), artifact(3.0), Duration(0));
    let held = std::fs::read_to_string(path("checkpoint-2.txt")).unwrap();
    assert!(held.lines().any(|line| line.starts_with("row 9223372036854775808 ")), "an id that moved is among them");
    holds_the_history(&log, &held);
}

#[test]
fn checkpoints_with_profiles_and_control_of_version_3_are_read_and_written() {
    let folder = tempfile::tempdir().unwrap();
    let mine = Arc::new(SqliteStore::open(folder.path()).unwrap());
    let log = made(&mine, online(), Duration(DAY_MS));
    let made = told(&mine);
    let held = fixture("checkpoint-3.txt", &made);
    assert_eq!(made, held, "the writer writes something else under the same version");
    holds_the_history(&log, &held);
    let engine = start(&log, &mine);
    let lessons = engine.reader().lessons("again", 3).unwrap();
    assert!(lessons.learnt > 10 && lessons.waiting > 0, "{} {}", lessons.learnt, lessons.waiting);
    engine.stop().unwrap();
}
