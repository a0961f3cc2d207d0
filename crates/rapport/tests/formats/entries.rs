//! Entries of the log, format 1: one of each kind.

use rapport_types::{
    Absorb, Activation, CustomerId, DefinitionsChanged, Entry, EntryError, Event, EventKind, Forward, Joined, Link,
    Mark, Object, Offset, Origin, PartitionId, Relay, Rollback, Share, SourceId, Timestamp, Trial, TrialMode, Unlink,
};

use super::{fixture, hex, unhex};

fn object(text: &str) -> Object {
    serde_json::from_str(text).unwrap()
}

/// An event with everything in it.
fn event(kind: EventKind) -> Event {
    Event {
        kind,
        message_id: "message-1".into(),
        user_id: Some("Ada".into()),
        anonymous_id: Some("device-1".into()),
        previous_id: Some("old".into()),
        group_id: Some("group".into()),
        name: Some("Order Completed".into()),
        properties: object(
            r#"{"total":12.5,"n":-3,"big":9007199254740993,"yes":true,"none":null,"list":[1,"二",{"a":[]}]}"#,
        ),
        context: object(r#"{"ip":"::1","page":{"path":"/"}}"#),
        integrations: object(r#"{"All":false}"#),
        timestamp: Timestamp(1_700_000_000_123),
        original_timestamp: Some(Timestamp(1_699_999_999_000)),
        sent_at: Some(Timestamp(-1)),
        received_at: Timestamp(1_700_000_001_000),
        source: SourceId(2),
    }
}

fn every_kind() -> Vec<Entry> {
    let origin = Origin { partition: PartitionId(3), offset: Offset(1_000_000), index: 7 };
    let (ada, device) = (CustomerId::User("Ada".into()), CustomerId::Anonymous("device-1".into()));
    let bob = CustomerId::User("Bob".into());
    let at = Timestamp(1_700_000_000_000);
    let bare =
        Event { user_id: None, previous_id: None, group_id: None, name: None, sent_at: None, ..event(EventKind::Page) };
    vec![
        Entry::Event(event(EventKind::Identify)),
        Entry::Event(event(EventKind::Track)),
        Entry::Event(bare.clone()),
        Entry::Event(event(EventKind::Screen)),
        Entry::Event(event(EventKind::Group)),
        Entry::Event(event(EventKind::Alias)),
        Entry::Link(Link { origin, id: device, to: ada.clone(), at, hops: 2 }),
        Entry::Absorb(Absorb { origin, into: ada.clone(), profile: [2, 0, 255].into(), definitions: 77, at, hops: 1 }),
        Entry::Forward(Forward { origin, to: ada.clone(), event: bare.clone(), hops: 31 }),
        Entry::Definitions(DefinitionsChanged { version: 300, document: "{}".into(), at }),
        Entry::Activation(Activation { score: "s".into(), version: Some(4), artifact: [1, 2, 3].into(), at }),
        Entry::Activation(Activation { score: "s".into(), version: None, artifact: Box::default(), at }),
        Entry::Tick(at),
        Entry::Trial(Trial {
            score: "s".into(),
            version: Some(5),
            artifact: [9].into(),
            mode: TrialMode::Canary { permille: 300 },
            at,
        }),
        Entry::Unlink(Unlink {
            origin,
            id: CustomerId::Anonymous("d".into()),
            from: CustomerId::User("u".into()),
            to: CustomerId::User("v".into()),
            at,
            hops: 3,
        }),
        Entry::Trial(Trial { score: "s".into(), version: None, artifact: Box::default(), mode: TrialMode::Shadow, at }),
        Entry::Joined(Joined { ids: [ada.clone(), bob.clone()].into(), at }),
        Entry::Mark(Mark { origin, id: bob.clone(), head: Some(ada.clone()), to: bob.clone(), hops: 4 }),
        Entry::Mark(Mark { origin, id: bob.clone(), head: None, to: bob.clone(), hops: 0 }),
        Entry::Share(Box::new(Share {
            origin,
            head: ada.clone(),
            ids: [bob.clone()].into(),
            part: bob.clone(),
            profile: [2, 0, 255].into(),
            definitions: 77,
            at,
        })),
        Entry::Relay(Box::new(Relay {
            origin,
            head: ada,
            ids: [bob.clone()].into(),
            part: bob,
            event: bare,
            stands: (PartitionId(2), Offset(300)),
        })),
        Entry::Rollback(Rollback {
            activation: Activation { score: "s".into(), version: Some(3), artifact: [7].into(), at },
            trial: Some(Trial {
                score: "s".into(),
                version: Some(4),
                artifact: [8].into(),
                mode: TrialMode::Shadow,
                at: Timestamp(1_699_999_999_999),
            }),
        }),
    ]
}

#[test]
fn entries_of_format_1_are_read_and_written() {
    let entries = every_kind();
    let made = entries.iter().map(|entry| hex(&entry.encode()) + "\n").collect::<String>();
    let held = fixture("entries-1.txt", &made);
    let read: Vec<Entry> = held.lines().map(|line| Entry::decode(&unhex(line)).unwrap()).collect();
    assert_eq!(read, entries);
    assert_eq!(made, held, "the writer writes something else under the same version");
    let controls = held.lines().filter(|line| Entry::is_control(&unhex(line))).count();
    assert_eq!(controls, 6);
}

#[test]
fn an_entry_of_a_newer_format_is_told_from_one_that_is_damaged() {
    let mut bytes = Entry::Tick(Timestamp(5)).encode();
    bytes[0] = 2;
    assert_eq!(Entry::decode(&bytes), Err(EntryError::Unknown { version: 2, flags: 0 }));
    let sealed = [1, 1, 6, 10];
    assert!(Entry::decode(&sealed).unwrap_err().is_newer());
    assert!(!Entry::decode(&[1, 0, 4, 200]).unwrap_err().is_newer());
}
