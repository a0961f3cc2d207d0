//! Demo data: filled with its past, kept from the log, and removed so that nothing of it is left but what people made theirs.

use std::{cell::Cell, collections::BTreeMap, ops::ControlFlow};

use rapport_testkit::postgres::Server;
use rapport_types::{DAY_MS, Timestamp};
use serde_json::{Value, json};

use super::{NOW, create, everything, fields, made, on_both, on_both_shared, opened, person, set_clock};
use crate::{
    Database, Desk, Edit, Id, Identity, ListQuery, Op, Pruned, RecordsError, Role,
    demo::{DemoState, Script, StandIn, Tale},
    edit::Editor,
};

/// A time so many days ago.
fn ago(days: i64) -> Timestamp {
    Timestamp(NOW.0 - days * DAY_MS)
}

fn id(number: i64) -> Id {
    Id(Id::first_at(ago(600)).0 + number)
}

const OWNER: i64 = 900;

fn tale(object: &str, number: i64, days: i64, values: Value, later: Vec<(i64, Value)>) -> Tale {
    let later = later.into_iter().map(|(days, values)| (ago(days), fields(values))).collect();
    Tale { object: object.to_owned(), id: id(number), at: ago(days), fields: fields(values), later }
}

/// A company with two people, one of whom is a customer, a deal that was won, a ticket, and a note about the deal.
fn script() -> Script {
    let tales = vec![
        tale("note", 5, 40, json!({ "title": "Likes tea", "deal": id(4) }), vec![]),
        tale(
            "company",
            1,
            500,
            json!({ "name": "Willow Gifts", "domain": "willow.example", "owner": id(OWNER) }),
            vec![],
        ),
        tale(
            "contact",
            2,
            400,
            json!({ "name": "Ann Lee", "email": "ann@willow.example", "company": id(1), "customer_id": "17850" }),
            vec![(300, json!({ "lifecycle": "customer" }))],
        ),
        tale("contact", 3, 390, json!({ "name": "Anne Lee", "email": "ann@willow.example", "company": id(1) }), vec![]),
        tale(
            "deal",
            4,
            100,
            json!({ "name": "Christmas", "amount": 1200, "company": id(1), "contact": id(2), "contacts": [id(3)] }),
            vec![
                (60, json!({ "amount": 1500, "probability": 80 })),
                (30, json!({ "closed_at": ago(30), "probability": 100 })),
            ],
        ),
        tale("ticket", 6, 20, json!({ "subject": "Where is it?", "status": "new", "contact": id(2) }), vec![]),
    ];
    let people = vec![StandIn {
        id: id(OWNER),
        name: "Sophie Turner".to_owned(),
        email: "sophie.turner@demo.example".to_owned(),
        since: ago(600),
    }];
    Script { title: "A company that does not exist".to_owned(), seed: 7, people, tales }
}

fn fill(desk: &Desk) {
    let filled = desk.fill_demo(&everything(), &script(), &|_| {}).unwrap();
    assert_eq!((filled.state, filled.records, filled.seed, filled.since), (DemoState::Filled, 6, 7, NOW));
}

fn remove(desk: &Desk) -> crate::demo::Demo {
    desk.begin_removing_demo(&everything()).unwrap();
    desk.go_on_removing_demo(&|_| ControlFlow::Continue(())).unwrap().unwrap()
}

/// How many rows each table has. Of the feed without what tells that a record is gone.
fn rows(desk: &Desk) -> BTreeMap<String, i64> {
    let schema = desk.schema();
    let mut tables: Vec<String> = schema.objects().map(|object| format!("o_{}", object.name)).collect();
    tables.extend(["person", "membership", "relation", "match_key", "duplicate_pair", "change"].map(str::to_owned));
    desk.read(|_, tx| {
        let mut counts = BTreeMap::new();
        for table in tables {
            let which = if table == "change" { " WHERE op <> 'purge'" } else { "" };
            let found = tx.query_sql(&format!("SELECT count(*) FROM {table}{which}"), &[])?;
            counts.insert(table, found[0].int(0)?);
        }
        Ok(counts)
    })
    .unwrap()
}

fn follow(desk: &Desk) {
    while desk.find_duplicates(500).unwrap() > 0 {}
    while desk.follow_search().unwrap() {}
}

fn find(desk: &Desk, words: &str) -> usize {
    desk.search(&everything(), words, None, 10).unwrap().len()
}

#[test]
fn who_names_a_record_of_the_demo_while_it_is_removed_keeps_it() {
    let server = Server::start().unwrap();
    let url = server.database("records");
    let open = || opened(Database::postgres(&url).unwrap());
    let (desk, remover) = (open(), open());
    fill(&desk);
    desk.begin_removing_demo(&everything()).unwrap();
    let going = |_: &crate::demo::Demo| ControlFlow::Continue(());
    let waits = || desk.read(|_, tx| tx.query_sql("SELECT count(*) FROM pg_locks WHERE NOT granted", &[])?[0].int(0));
    std::thread::scope(|scope| {
        let removal = desk.write(|moment, tx| {
            let named = vec![create(json!({ "subject": "Ours", "contact": id(3) }))];
            Editor::new(moment, &everything(), "ticket", None)?.run(tx, &named)?;
            let removal = scope.spawn(|| remover.go_on_removing_demo(&going).unwrap());
            // Until it waits for this transaction, or did not and has come to its end.
            while !removal.is_finished() && waits()? == 0 {
                std::thread::yield_now();
            }
            Ok(removal)
        });
        removal.unwrap().join().unwrap();
    });
    assert_eq!(desk.get(&everything(), "contact", id(3)).unwrap().fields["name"], "Anne Lee");
    assert!(desk.get(&everything(), "contact", id(2)).is_err(), "which nobody names");
}

#[test]
fn records_come_with_their_past() {
    on_both(|desk| {
        let seen = Cell::new(0);
        desk.fill_demo(&everything(), &script(), &|made| seen.set(made)).unwrap();
        assert_eq!(seen.get(), 6);
        let deal = desk.get(&everything(), "deal", id(4)).unwrap();
        assert_eq!((deal.version, deal.created_at, deal.updated_at), (3, ago(100), ago(30)));
        assert_eq!((deal.created_by.as_str(), deal.updated_by.as_str()), ("demo", "demo"));
        assert_eq!(
            (&deal.fields["amount"], &deal.fields["contacts"]),
            (&json!({ "amount": 1500, "currency": "EUR" }), &json!([id(3)]))
        );
        assert_eq!(desk.get(&everything(), "company", id(1)).unwrap().owner, Some(id(OWNER)));
        let history = desk.history(&everything(), "deal", id(4), None, 10).unwrap();
        let told: Vec<(i64, Timestamp, Op)> = history.iter().map(|line| (line.version, line.at, line.op)).collect();
        assert_eq!(told, [(3, ago(30), Op::Update), (2, ago(60), Op::Update), (1, ago(100), Op::Create)]);
        assert_eq!(history[1].before["amount"]["amount"], 1200);
        assert_eq!((&history[1].before["probability"], &history[1].after["probability"]), (&Value::Null, &json!(80)));
        // Read forwards, the feed is in the order of time.
        let (changes, _) = desk.changes(&everything(), 0, 500).unwrap();
        let told: Vec<Timestamp> = changes.iter().filter(|line| line.actor == "demo").map(|line| line.at).collect();
        assert_eq!(told.len(), 9);
        assert!(told.is_sorted());
    });
}

#[test]
fn history_that_tells_who_changed_the_demo_is_kept_as_long_as_it_is_there() {
    on_both(|desk| {
        fill(desk);
        let edit = Edit::Update { id: id(3), fields: fields(json!({ "city": "Bonn" })), version: None };
        desk.edit(&person(7, &[], Role::administrator()), "contact", &[edit], None).unwrap();
        follow(desk);
        let end = desk.happened(10_000).unwrap().1;
        desk.told(end).unwrap();
        set_clock(500 * DAY_MS);
        assert_eq!(desk.prune_feed(30, 0).unwrap(), Pruned { gone: 0, next: None });
        remove(desk);
        assert_eq!(
            desk.get(&everything(), "contact", id(3)).unwrap().fields["city"],
            "Bonn",
            "it is somebody's by now"
        );
        follow(desk);
        let end = desk.happened(10_000).unwrap().1;
        desk.told(end).unwrap();
        assert!(desk.prune_feed(30, 0).unwrap().gone > 0);
    });
}

#[test]
fn only_administrators_fill_and_remove_and_one_demo_is_there_at_a_time() {
    on_both(|desk| {
        let manager = person(1, &[], Role::manager());
        let refused = [desk.fill_demo(&manager, &script(), &|_| {}), desk.begin_removing_demo(&manager)];
        assert!(refused.iter().all(|told| matches!(told, Err(RecordsError::Forbidden(_)))), "{refused:?}");
        assert!(matches!(desk.begin_removing_demo(&everything()), Err(RecordsError::NotFound(_))));
        let before = rows(desk);
        let mut wrong = script();
        wrong.tales[5].fields.insert("contact".to_owned(), json!(id(77)));
        assert!(desk.fill_demo(&everything(), &wrong, &|_| {}).is_err());
        assert_eq!((rows(desk), desk.demo(&everything()).unwrap()), (before, None), "all or nothing");
        fill(desk);
        assert!(matches!(desk.fill_demo(&everything(), &script(), &|_| {}), Err(RecordsError::Conflict(_))));
        let batch = desk.batches(&everything(), 1).unwrap().remove(0);
        assert_eq!((batch.kind.as_str(), batch.changes, batch.actor.as_str()), ("demo", 6, "demo"));
        assert!(matches!(desk.undo(&everything(), batch.id), Err(RecordsError::Conflict(_))));
    });
}

#[test]
fn nobody_can_sign_in_as_one_of_its_people() {
    on_both(|desk| {
        fill(desk);
        let user = desk.user(&everything(), id(OWNER)).unwrap();
        assert!(!user.active && !user.password && !user.second_factor, "{user:?}");
        let role = desk.roles(&everything()).unwrap().into_iter().find(|role| role.id == user.role).unwrap();
        assert_eq!(role.role.name, "Reader");
    });
}

#[test]
fn the_log_is_not_told_and_a_customer_keeps_the_name_of_the_demo() {
    on_both(|desk| {
        fill(desk);
        let (happened, end) = desk.happened(500).unwrap();
        assert!(happened.is_empty(), "{happened:?}");
        desk.told(end).unwrap();
        let attributes = fields(json!({ "name": "17850", "city": "Leeds" }));
        desk.take_identities(0, 1, &[Identity { customer: "17850".to_owned(), attributes }]).unwrap();
        let ann = desk.get(&everything(), "contact", id(2)).unwrap();
        assert_eq!((&ann.fields["name"], &ann.fields["city"]), (&json!("Ann Lee"), &json!("Leeds")));
        assert_eq!(desk.count(&everything(), "contact", None).unwrap(), 2, "it is the customer's contact");
        // However often events come; what they have said themselves they say anew.
        let attributes = fields(json!({ "name": "17850", "city": "York" }));
        desk.take_identities(0, 2, &[Identity { customer: "17850".to_owned(), attributes }]).unwrap();
        let ann = desk.get(&everything(), "contact", id(2)).unwrap();
        assert_eq!((&ann.fields["name"], &ann.fields["city"]), (&json!("Ann Lee"), &json!("York")));
        // What a person does with it is told as with any other.
        let edit = Edit::Update { id: id(6), fields: fields(json!({ "status": "open" })), version: None };
        desk.edit(&everything(), "ticket", &[edit], None).unwrap();
        let (happened, _) = desk.happened(500).unwrap();
        let told: Vec<(&str, Option<&str>)> =
            happened.iter().map(|one| (one.customer.as_str(), one.name.as_deref())).collect();
        assert_eq!(told, [("17850", Some("Ticket Updated"))]);
        assert_eq!(desk.customers_with_contacts(&everything()).unwrap(), BTreeMap::from([("17850".to_owned(), id(2))]));
    });
}

#[test]
fn what_a_person_wrote_stays_whatever_events_say_and_however_often() {
    on_both(|desk| {
        let said = |place: u64, attributes: Value| {
            let identity = Identity { customer: "c-1".to_owned(), attributes: fields(attributes) };
            desk.take_identities(0, place, &[identity]).unwrap();
        };
        said(1, json!({ "name": "Ann", "city": "Leeds" }));
        let query = ListQuery { limit: 10, ..ListQuery::default() };
        let ann = desk.list(&everything(), "contact", &query).unwrap().records.remove(0);
        let edit = Edit::Update { id: ann.id, fields: fields(json!({ "city": "Köln" })), version: None };
        desk.edit(&person(1, &[], Role::administrator()), "contact", &[edit], None).unwrap();
        for place in 2..4 {
            said(place, json!({ "name": format!("Ann {place}"), "city": "Leeds", "country": "UK" }));
        }
        let ann = desk.get(&everything(), "contact", ann.id).unwrap();
        assert_eq!((&ann.fields["name"], &ann.fields["city"]), (&json!("Ann 3"), &json!("Köln")));
        assert_eq!(ann.fields["country"], json!("UK"));
    });
}

#[test]
fn what_is_told_of_a_made_up_person_by_others_stays() {
    on_both(|desk| {
        fill(desk);
        let change = crate::people::UserChange { name: Some("Sophie".to_owned()), ..Default::default() };
        desk.change_user(&everything(), id(OWNER), &change).unwrap();
        let sign_on = "INSERT INTO sign_on (id, person, provider, issuer, subject, linked_at, used_at) \
                       VALUES (1, 900, 'company', 'https://login.example.com', 'a1', 0, 0)";
        desk.write(|_, tx| tx.script(&sign_on.replace("900", &id(OWNER).0.to_string()))).unwrap();
        remove(desk);
        assert!(matches!(desk.user(&everything(), id(OWNER)), Err(RecordsError::NotFound(_))));
        let query = crate::AuditQuery { object: Some("person".to_owned()), limit: 10, ..Default::default() };
        let told = desk.audit(&everything(), &query).unwrap();
        assert_eq!(told.len(), 1, "{told:?}");
        assert_eq!((told[0].actor.as_str(), &told[0].after["name"]), ("system", &json!("Sophie")));
        let left = desk.read(|_, tx| tx.query_sql("SELECT count(*) FROM sign_on", &[])?[0].int(0)).unwrap();
        assert_eq!(left, 0);
    });
}

/// On PostgreSQL alone: a SQLite has one writer at a time.
#[test]
fn what_somebody_changes_while_the_demo_is_removed_stays() {
    let server = Server::start().unwrap();
    let url = server.database("race");
    let open = || Desk::open(Database::postgres(&url).unwrap(), || NOW).unwrap();
    let (desk, remover) = (open(), open());
    fill(&desk);
    desk.begin_removing_demo(&everything()).unwrap();
    let ada = person(1, &[], Role::administrator());
    std::thread::scope(|scope| {
        let removal = desk.write(|moment, tx| {
            let edit = Edit::Update { id: id(4), fields: fields(json!({ "amount": 1600 })), version: None };
            Editor::new(moment, &ada, "deal", None)?.run(tx, &[edit])?;
            let removal = scope.spawn(|| remover.go_on_removing_demo(&|_| ControlFlow::Continue(())));
            // Until the removal waits for this transaction.
            let begun = std::time::Instant::now();
            while tx.query_sql("SELECT count(*) FROM pg_locks WHERE NOT granted", &[])?[0].int(0)? == 0 {
                assert!(begun.elapsed().as_secs() < 60 && !removal.is_finished(), "the removal does not wait");
                std::thread::yield_now();
            }
            Ok(removal)
        });
        removal.unwrap().join().unwrap().unwrap();
    });
    let deal = desk.get(&everything(), "deal", id(4)).unwrap();
    assert_eq!(deal.fields["amount"]["amount"], 1600);
    assert_eq!(desk.history(&everything(), "deal", id(4), None, 10).unwrap()[0].actor, ada.actor.to_string());
}

#[test]
fn removing_leaves_no_trace() {
    on_both(|desk| {
        let folder = tempfile::tempdir().unwrap();
        desk.open_search(folder.path()).unwrap();
        let own = made(desk, &everything(), "contact", json!({ "name": "Grace Hopper" }));
        follow(desk);
        let before = rows(desk);
        fill(desk);
        follow(desk);
        assert_eq!((find(desk, "willow"), desk.duplicates(&everything(), "contact", 10).unwrap().len()), (3, 1));
        // What events did does not make a record anybody's.
        let attributes = fields(json!({ "city": "Leeds" }));
        desk.take_identities(0, 1, &[Identity { customer: "17850".to_owned(), attributes }]).unwrap();
        // Nor does the trash.
        desk.edit(&person(1, &[], Role::administrator()), "ticket", &[Edit::Delete { id: id(6), version: None }], None)
            .unwrap();
        let done = remove(desk);
        assert_eq!((done.state, done.records, done.removed, done.kept), (DemoState::Removed, 6, 6, 0));
        follow(desk);
        assert_eq!(rows(desk), before);
        assert_eq!((find(desk, "willow"), find(desk, "grace")), (0, 1));
        assert!(desk.duplicates(&everything(), "contact", 10).unwrap().is_empty());
        assert_eq!(desk.get(&everything(), "contact", own.id).unwrap(), own);
        assert!(matches!(desk.user(&everything(), id(OWNER)), Err(RecordsError::NotFound(_))));
        assert_eq!(desk.go_on_removing_demo(&|_| ControlFlow::Continue(())).unwrap(), None);
        // It can be filled in again.
        fill(desk);
        assert_eq!(desk.demo(&everything()).unwrap().unwrap().state, DemoState::Filled);
    });
}

#[test]
fn what_people_made_theirs_stays_with_what_it_names() {
    on_both(|desk| {
        fill(desk);
        // Somebody's own note about a demo contact, and a change of the demo's deal.
        let note = made(desk, &everything(), "note", json!({ "title": "Called", "contact": id(3) }));
        let ada = person(1, &[], Role::administrator());
        let edit = Edit::Update { id: id(4), fields: fields(json!({ "amount": 1600 })), version: None };
        desk.edit(&ada, "deal", &[edit], None).unwrap();
        let done = remove(desk);
        assert_eq!((done.removed, done.kept), (2, 4));
        let there = |object: &str| {
            let query = ListQuery { limit: 10, expand: vec!["*".to_owned()], ..ListQuery::default() };
            desk.list(&everything(), object, &query).unwrap().records
        };
        assert_eq!(there("note"), [desk.get(&everything(), "note", note.id).unwrap()]);
        assert_eq!(there("deal")[0].related["company"]["title"], "Willow Gifts");
        assert_eq!((there("contact").len(), there("company").len(), there("ticket").len()), (2, 1, 0));
        // Its owner stays with the company.
        assert!(!desk.user(&everything(), id(OWNER)).unwrap().active);
        // A demo that comes again takes what is there for what it brought then.
        desk.fill_demo(&everything(), &script(), &|_| {}).unwrap();
        assert_eq!(desk.demo(&everything()).unwrap().unwrap().records, 2);
        assert_eq!(there("deal")[0].fields["amount"]["amount"], 1600);
        let done = remove(desk);
        assert_eq!((done.removed, done.kept, there("deal").len()), (2, 0, 1));
        // One of another day has other ids, and people who are called the same.
        let people = vec![StandIn { id: id(OWNER + 1), ..script().people.remove(0) }];
        desk.fill_demo(&everything(), &Script { people, tales: Vec::new(), ..script() }, &|_| {}).unwrap();
        let called = desk.users(&everything()).unwrap().into_iter().filter(|user| user.name == "Sophie Turner");
        assert_eq!(called.count(), 2);
    });
}

#[test]
fn a_deal_that_stays_keeps_the_stages_that_it_can_go_to() {
    on_both(|desk| {
        let mut script = script();
        for (number, pipeline) in [(10, "Renewals"), (20, "Partners")] {
            script.tales.push(tale("pipeline", number, 500, json!({ "name": pipeline }), vec![]));
            for (place, outcome) in [(1, "open"), (2, "won"), (3, "lost")] {
                let stage =
                    json!({ "name": format!("{pipeline} {outcome}"), "pipeline": id(number), "outcome": outcome });
                script.tales.push(tale("stage", number + place, 500, stage, vec![]));
            }
            let deal = json!({ "name": pipeline, "pipeline": id(number), "stage": id(number + 1) });
            script.tales.push(tale("deal", number + 4, 50, deal, vec![]));
        }
        desk.fill_demo(&everything(), &script, &|_| {}).unwrap();
        let ada = person(1, &[], Role::administrator());
        let edit = Edit::Update { id: id(14), fields: fields(json!({ "next_step": "Call" })), version: None };
        desk.edit(&ada, "deal", &[edit], None).unwrap();
        assert_eq!(remove(desk).kept, 5);
        let count = |object: &str, filter: &str| desk.count(&everything(), object, Some(filter)).unwrap();
        assert_eq!(
            (count("stage", "pipeline.name == \"Renewals\""), count("pipeline", "name == \"Partners\"")),
            (3, 0)
        );
    });
}

#[test]
fn an_interrupted_removal_is_gone_on_with_by_whoever_comes() {
    on_both_shared(|open| {
        let desk = open();
        let before = rows(&desk);
        fill(&desk);
        assert!(!desk.is_removing_demo().unwrap());
        desk.begin_removing_demo(&everything()).unwrap();
        let stopped = desk.go_on_removing_demo(&|_| ControlFlow::Break(())).unwrap().unwrap();
        assert_eq!(stopped.state, DemoState::Removing);
        assert!(stopped.removed > 0 && stopped.removed < 6, "{stopped:?}");
        drop(desk);
        let desk = open();
        assert!(desk.is_removing_demo().unwrap());
        // Between two steps somebody makes a record of the demo theirs.
        let kept =
            desk.edit(&everything(), "task", &[create(json!({ "title": "Visit", "company": id(1) }))], None).unwrap();
        let done = remove(&desk);
        assert_eq!((done.state, done.removed, done.kept), (DemoState::Removed, 5, 1));
        assert!(desk.get(&everything(), "company", id(1)).is_ok() && !desk.is_removing_demo().unwrap());
        let after = rows(&desk);
        assert_eq!((after["o_contact"], after["o_deal"], after["o_task"]), (before["o_contact"], before["o_deal"], 1));
        assert_eq!(kept.records.len(), 1);
    });
}
