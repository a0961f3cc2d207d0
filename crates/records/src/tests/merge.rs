//! Merging and taking it apart again.

use serde_json::{Value, json};

use super::{create, everything, fields, know, made, on_both, person, set_clock};
use crate::{
    Access, AuditQuery, Change, Desk, Edit, Fields, Grant, Id, Identity, ListQuery, Op, Reach, RecordsError, Role, ties,
};

fn update(desk: &Desk, object: &str, id: Id, given: Value) {
    desk.edit(&everything(), object, &[Edit::Update { id, fields: fields(given), version: None }], None).unwrap();
}

/// All records of an object, without what every change changes.
fn all(desk: &Desk, object: &str) -> Vec<(Id, Fields, Option<Id>, bool)> {
    let mut records = Vec::new();
    for trash in [false, true] {
        let mut query = ListQuery { limit: 500, trash, ..ListQuery::default() };
        loop {
            let page = desk.list(&everything(), object, &query).unwrap();
            records.extend(
                page.records
                    .into_iter()
                    .map(|record| (record.id, record.fields, record.owner, record.deleted_at.is_some())),
            );
            let Some(next) = page.next else { break };
            query.cursor = Some(next);
        }
    }
    records.sort_by_key(|(id, ..)| *id);
    records
}

fn lines(desk: &Desk, batch: Id) -> Vec<Change> {
    desk.audit(&everything(), &AuditQuery { batch: Some(batch), limit: 500, ..AuditQuery::default() }).unwrap()
}

#[test]
fn two_contacts_become_one_and_two_again() {
    on_both(|desk| {
        let access = everything();
        know(desk, &[1], &[]);
        let acme = made(desk, &access, "company", json!({ "name": "Acme" }));
        let winner = made(
            desk,
            &access,
            "contact",
            json!({
                "name": "Ann Lee", "email": "ann@acme.example", "phone": "030 1234567", "tags": ["vip"], "customer_id": "c-1", "city": "Berlin",
            }),
        );
        let loser = made(
            desk,
            &access,
            "contact",
            json!({
                "name": "Annie Lee", "first_name": "Annie", "email": "annie@home.example", "other_emails": ["a@b.example", "ann@acme.example"],
                "tags": ["partner", "vip"], "customer_id": "c-2", "city": "Potsdam", "company": acme.id, "owner": Id(1),
            }),
        );
        let other = made(desk, &access, "contact", json!({ "name": "Bo" }));
        let deal = json!({ "name": "d", "contact": loser.id, "contacts": [loser.id, winner.id, other.id] });
        made(desk, &access, "deal", deal);
        made(desk, &access, "deal", json!({ "name": "e", "contact": other.id, "contacts": [loser.id] }));
        made(desk, &access, "lead", json!({ "name": "l", "contact": loser.id }));
        let gone = made(desk, &access, "ticket", json!({ "subject": "t", "contact": loser.id }));
        desk.edit(&access, "ticket", &[Edit::Delete { id: gone.id, version: None }], None).unwrap();
        let objects = ["contact", "deal", "lead", "ticket"];
        let before: Vec<_> = objects.iter().map(|object| all(desk, object)).collect();
        let chosen = fields(json!({ "city": "Potsdam", "email": "annie@home.example" }));
        let merged = desk.merge(&access, "contact", winner.id, loser.id, &chosen).unwrap();
        assert_eq!(merged.moved, 4);
        assert_eq!(merged.profiles, Some(("c-1".to_owned(), "c-2".to_owned())));
        let expected = json!({
            "name": "Ann Lee", "first_name": "Annie", "email": "annie@home.example", "other_emails": ["a@b.example", "ann@acme.example"],
            "phone": "030 1234567", "tags": ["vip", "partner"], "customer_id": "c-1", "city": "Potsdam", "company": acme.id,
        });
        assert_eq!(Value::Object(merged.record.fields.clone()), expected);
        assert_eq!(merged.record.owner, Some(Id(1)));
        let deals = all(desk, "deal");
        assert_eq!(deals[0].1["contact"], json!(winner.id));
        assert_eq!(deals[0].1["contacts"], json!([winner.id, other.id]));
        assert_eq!(deals[1].1["contacts"], json!([winner.id]));
        assert_eq!(all(desk, "lead")[0].1["contact"], json!(winner.id));
        assert_eq!(all(desk, "ticket")[0].1["contact"], json!(winner.id));
        assert!(desk.get(&access, "contact", loser.id).unwrap().deleted_at.is_some());
        let told = lines(desk, merged.batch);
        assert_eq!(told.len(), 6);
        let of = |id: Id| told.iter().find(|change| change.record == id).unwrap();
        assert_eq!(of(winner.id).op, Op::Merge);
        assert_eq!((of(loser.id).op, &of(loser.id).after["merged_into"]), (Op::Delete, &json!(winner.id)));
        let undone = desk.undo(&access, merged.batch).unwrap();
        assert_eq!((undone.undone, undone.kept), (6, Vec::new()));
        let after: Vec<_> = objects.iter().map(|object| all(desk, object)).collect();
        assert_eq!(after, before);
        assert!(desk.undo(&access, merged.batch).is_err());
        // The keys are there again too.
        let typed = fields(json!({ "email": "annie@home.example" }));
        assert_eq!(desk.similar(&access, "contact", &typed, None).unwrap()[0].id, loser.id);
    });
}

#[test]
fn many_relations_move_and_what_changed_since_stays() {
    on_both(|desk| {
        let access = everything();
        let object = serde_json::from_value(json!({
            "name": "visit", "label": { "en": "Visit", "zh": "拜访" }, "plural": { "en": "Visits", "zh": "拜访" }, "title": "name",
            "fields": [
                { "name": "name", "label": { "en": "Name", "zh": "名称" }, "kind": { "type": "text" } },
                { "name": "host", "label": { "en": "Host", "zh": "公司" }, "kind": { "type": "relation", "object": "company" } },
                { "name": "guests", "label": { "en": "Guests", "zh": "公司" }, "kind": { "type": "relations", "object": "company" } },
            ],
        }));
        desk.define(&access, object.unwrap()).unwrap();
        let loser = made(desk, &access, "company", json!({ "name": "Acme Inc" })).id;
        let winner = made(desk, &access, "company", json!({ "name": "Acme", "parent": loser })).id;
        made(desk, &access, "company", json!({ "name": "Child", "parent": loser }));
        let visits = (0..1_203).map(|n| create(json!({ "name": format!("v{n}"), "host": loser, "guests": [loser] })));
        let visits = desk.edit(&access, "visit", &visits.collect::<Vec<_>>(), None).unwrap().records;
        let before = (all(desk, "company"), all(desk, "visit"));
        let merge = || desk.merge(&access, "company", winner, loser, &Fields::new()).unwrap();
        let first = merge();
        assert_eq!(first.moved, 1_204);
        assert!(!first.record.fields.contains_key("parent"), "a company is not its own parent");
        let named =
            |id: Id| desk.count(&access, "visit", Some(&format!("host == \"{id}\" && \"{id}\" in guests"))).unwrap();
        assert_eq!((named(winner), named(loser)), (1_203, 0));
        assert_eq!(desk.undo(&access, first.batch).unwrap().kept, []);
        assert_eq!((all(desk, "company"), all(desk, "visit")), before);
        // Taken apart after others worked on: their work stays, the rest goes back.
        let second = merge();
        update(desk, "visit", visits[7].id, json!({ "name": "changed" }));
        let undone = desk.undo(&access, second.batch).unwrap();
        assert_eq!((undone.undone, undone.kept.len()), (1_203 - 1 + 3, 1));
        assert_eq!((undone.kept[0].id, undone.kept[0].object.as_str()), (visits[7].id, "visit"));
        assert_eq!((named(winner), named(loser)), (1, 1_202));
        assert_eq!(all(desk, "company"), before.0);
        // The winner changed since: it keeps what it has.
        let third = merge();
        update(desk, "company", winner, json!({ "city": "Berlin" }));
        let undone = desk.undo(&access, third.batch).unwrap();
        assert_eq!(undone.kept.iter().map(|kept| kept.id).collect::<Vec<_>>(), [winner]);
        assert!(desk.get(&access, "company", loser).unwrap().deleted_at.is_none());
    });
}

#[test]
fn what_only_one_may_have_goes_over_and_back() {
    on_both(|desk| {
        let access = everything();
        let winner = made(desk, &access, "contact", json!({ "name": "Ann" })).id;
        let loser = made(desk, &access, "contact", json!({ "name": "Anne", "customer_id": "c-2" })).id;
        let merge = || desk.merge(&access, "contact", winner, loser, &Fields::new()).unwrap();
        let merged = merge();
        assert_eq!((merged.record.fields["customer_id"].as_str(), merged.profiles), (Some("c-2"), None));
        desk.undo(&access, merged.batch).unwrap();
        assert_eq!(desk.get(&access, "contact", loser).unwrap().fields["customer_id"], "c-2");
        // Where it cannot go back, nothing does.
        let merged = merge();
        update(desk, "contact", winner, json!({ "city": "Berlin" }));
        let before = all(desk, "contact");
        assert!(matches!(desk.undo(&access, merged.batch), Err(RecordsError::Conflict(_))));
        assert_eq!(all(desk, "contact"), before);
        assert!(desk.batches(&access, 1).unwrap()[0].undone_by.is_none());
    });
}

#[test]
fn a_merge_that_is_refused_changes_nothing() {
    on_both(|desk| {
        let admin = everything();
        know(desk, &[1, 2], &[]);
        let contact = |name: &str, owner: i64| {
            made(desk, &admin, "contact", json!({ "name": name, "owner": Id(owner), "phone": "030 1234567" })).id
        };
        let (mine, other, theirs) = (contact("Ann", 1), contact("Anne", 1), contact("Anna", 2));
        let ticket = made(desk, &admin, "ticket", json!({ "subject": "t", "contact": other, "owner": Id(2) }));
        let grant = |read: Reach| Grant {
            read,
            update: Reach::Own,
            delete: Reach::Own,
            hidden: vec!["phone".to_owned()],
            locked: vec!["city".to_owned()],
            ..Grant::default()
        };
        let access = |read: Reach| person(1, &[], Role { other: grant(read), ..Role::default() });
        let (reader, narrow) = (access(Reach::All), access(Reach::Own));
        let end = desk.newest_change().unwrap();
        let merge = |access: &Access, winner, loser, chosen: Value| {
            desk.merge(access, "contact", winner, loser, &fields(chosen))
        };
        assert!(matches!(merge(&reader, mine, theirs, json!({})), Err(RecordsError::Forbidden(_))));
        assert!(matches!(merge(&reader, theirs, mine, json!({})), Err(RecordsError::Forbidden(_))));
        assert!(matches!(merge(&narrow, mine, theirs, json!({})), Err(RecordsError::NotFound(_))));
        for chosen in
            [json!({ "city": "X" }), json!({ "phone": "1234567" }), json!({ "nothing": 1 }), json!({ "email": "x" })]
        {
            assert!(
                matches!(merge(&reader, mine, other, chosen.clone()), Err(RecordsError::Invalid { .. })),
                "{chosen}"
            );
        }
        assert!(matches!(merge(&reader, mine, mine, json!({})), Err(RecordsError::Invalid { .. })));
        let stages = all(desk, "stage");
        assert!(desk.merge(&admin, "stage", stages[0].0, stages[1].0, &Fields::new()).is_err());
        assert_eq!(desk.newest_change().unwrap(), end);
        assert_eq!(desk.batches(&admin, 10).unwrap(), []);
        // What follows from a permitted merge needs no more, nor does taking it apart.
        let merged = merge(&narrow, mine, other, json!({})).unwrap();
        assert_eq!(desk.get(&admin, "ticket", ticket.id).unwrap().fields["contact"], json!(mine));
        assert!(!merged.record.fields.contains_key("phone"));
        assert_eq!(desk.undo(&narrow, merged.batch).unwrap().kept, []);
        assert_eq!(desk.get(&admin, "ticket", ticket.id).unwrap().fields["contact"], json!(other));
    });
}

#[test]
fn an_open_task_stays_open_whatever_is_merged_into_it() {
    on_both(|desk| {
        let access = everything();
        let task =
            |title: &str, status: &str| made(desk, &access, "task", json!({ "title": title, "status": status })).id;
        let (open, done) = (task("a", "open"), task("b", "done"));
        let merged = desk.merge(&access, "task", open, done, &Fields::new()).unwrap();
        assert_eq!(Value::Object(merged.record.fields), json!({ "title": "a", "status": "open" }));
    });
}

#[test]
fn a_merged_pair_leaves_the_queue_and_comes_back_with_the_records() {
    on_both(|desk| {
        let access = everything();
        let ids: Vec<Id> = (0..3)
            .map(|_| made(desk, &access, "contact", json!({ "name": "Ann Lee", "email": "ann@acme.example" })).id)
            .collect();
        let waiting = || {
            while desk.find_duplicates(100).unwrap() > 0 {}
            desk.duplicates(&access, "contact", 10).unwrap().len()
        };
        assert_eq!(waiting(), 3);
        let merged = desk.merge(&access, "contact", ids[0], ids[1], &Fields::new()).unwrap();
        assert_eq!(desk.duplicates(&access, "contact", 10).unwrap().len(), 1, "at once");
        assert_eq!(waiting(), 1);
        desk.undo(&access, merged.batch).unwrap();
        assert_eq!(waiting(), 3);
    });
}

/// Which customers are one as far as the log was not told.
pub(super) fn news(desk: &Desk) -> Vec<Vec<Vec<String>>> {
    let ties = desk.untold_ties(100).unwrap();
    desk.told_of_ties(&ties).unwrap();
    assert_eq!(desk.untold_ties(100).unwrap(), []);
    ties.into_iter().map(|tie| tie.groups).collect()
}

pub(super) fn customer(desk: &Desk, id: &str) -> Id {
    made(desk, &everything(), "contact", json!({ "name": id, "customer_id": id })).id
}

#[test]
fn the_log_is_told_which_customers_are_one_and_that_they_are_two_again() {
    on_both(|desk| {
        let access = everything();
        let [a, b, z] = ["a", "b", "z"].map(|id| customer(desk, id));
        made(desk, &access, "ticket", json!({ "subject": "t", "contact": b }));
        let end = desk.happened(500).unwrap().1;
        assert!(desk.told(end).unwrap());
        let merge = |winner, loser| desk.merge(&access, "contact", winner, loser, &Fields::new()).unwrap().batch;
        let first = merge(a, b);
        assert_eq!(news(desk), [[["a", "b"]]]);
        set_clock(1);
        let second = merge(z, a);
        assert_eq!(news(desk), [[["z", "a", "b"]]]);
        // That one of them is known by an old id makes no new contact.
        let attributes = fields(json!({ "city": "Berlin" }));
        desk.take_identities(0, 9, &[Identity { customer: "b".to_owned(), attributes }]).unwrap();
        assert_eq!(desk.get(&access, "contact", z).unwrap().fields["city"], "Berlin");
        set_clock(2);
        let back = desk.undo(&access, first).unwrap();
        assert_eq!(back.kept.len(), 2, "the first contact and the ticket went on to another: {back:?}");
        assert_eq!(news(desk), [vec![vec!["z", "a"], vec!["b"]]]);
        set_clock(3);
        desk.undo(&access, second).unwrap();
        assert_eq!(news(desk), [vec![vec!["z"], vec!["a"]]]);
        let told: Vec<_> = desk.happened(500).unwrap().0;
        assert!(told.is_empty(), "nothing happened to the customers: {told:?}");
    });
}

#[test]
fn customers_are_two_while_both_have_a_contact_whatever_brings_it_back() {
    on_both(|desk| {
        let access = everything();
        let [a, b] = ["a", "b"].map(|id| customer(desk, id));
        let merged = desk.merge(&access, "contact", a, b, &Fields::new()).unwrap();
        assert_eq!(news(desk), [[["a", "b"]]]);
        set_clock(1);
        let undone = desk.undo(&access, merged.batch).unwrap();
        assert_eq!(undone.profiles, merged.profiles);
        assert_eq!(news(desk), [[["a"], ["b"]]]);
        set_clock(2);
        let again = desk.undo(&access, undone.batch).unwrap();
        assert_eq!(news(desk), [[["a", "b"]]]);
        set_clock(3);
        desk.undo(&access, again.batch).unwrap();
        assert_eq!(news(desk), [[["a"], ["b"]]]);
        set_clock(4);
        desk.merge(&access, "contact", a, b, &Fields::new()).unwrap();
        assert_eq!(news(desk), [[["a", "b"]]]);
        set_clock(5);
        desk.edit(&access, "contact", &[Edit::Restore { id: b }], None).unwrap();
        assert_eq!(news(desk), [[["a"], ["b"]]]);
        // What is no contact of a merge is no news.
        desk.edit(&access, "contact", &[Edit::Delete { id: b, version: None }], None).unwrap();
        desk.edit(&access, "contact", &[Edit::Restore { id: b }], None).unwrap();
        assert!(news(desk).is_empty());
    });
}

#[test]
fn to_merge_again_by_taking_back_twice_needs_what_merging_needs() {
    on_both(|desk| {
        know(desk, &[1], &[]);
        let grant = |update: Reach, locked: &[&str]| Grant {
            read: Reach::All,
            update,
            delete: Reach::Own,
            locked: locked.iter().map(|name| (*name).to_owned()).collect(),
            ..Grant::default()
        };
        let access = |grant: Grant| person(1, &[], Role { other: grant, ..Role::default() });
        let joining = access(grant(Reach::All, &[]));
        let own = |id: &str| {
            made(desk, &everything(), "contact", json!({ "name": id, "customer_id": id, "owner": Id(1) })).id
        };
        let [a, b] = ["a", "b"].map(own);
        let ticket = made(desk, &everything(), "ticket", json!({ "subject": "t", "contact": b })).id;
        let merged = desk.merge(&joining, "contact", a, b, &Fields::new()).unwrap();
        let undone = desk.undo(&joining, merged.batch).unwrap();
        news(desk);
        for less in [grant(Reach::Own, &[]), grant(Reach::All, &["customer_id"])] {
            let refused = desk.undo(&access(less), undone.batch).unwrap_err();
            assert!(refused.to_string().contains("profiles would become one"), "{refused}");
        }
        let unable = Grant { delete: Reach::None, ..grant(Reach::All, &[]) };
        assert!(matches!(desk.undo(&access(unable), undone.batch), Err(RecordsError::Forbidden(_))));
        assert!(desk.get(&everything(), "contact", b).unwrap().deleted_at.is_none());
        assert!(news(desk).is_empty());
        // As with merging, what follows needs no more: the ticket is nobody's.
        let narrow = Grant { update: Reach::None, ..Grant::default() };
        let mut role = Role { other: grant(Reach::All, &[]), ..Role::default() };
        role.objects.insert("ticket".to_owned(), narrow);
        let again = desk.undo(&person(1, &[], role), undone.batch).unwrap();
        assert_eq!(again.kept, []);
        assert_eq!(desk.get(&everything(), "ticket", ticket).unwrap().fields["contact"], json!(a));
        assert_eq!(news(desk), [[["a", "b"]]]);
        // To take two apart needs no permission to join, however they came together.
        desk.undo(&access(grant(Reach::Own, &[])), again.batch).unwrap();
        assert_eq!(news(desk), [[["a"], ["b"]]]);
    });
}

#[test]
fn who_goes_on_to_another_before_the_log_was_told_is_told_of_both() {
    on_both(|desk| {
        let access = everything();
        let [a, b, x] = ["a", "b", "x"].map(|id| customer(desk, id));
        desk.merge(&access, "contact", a, x, &Fields::new()).unwrap();
        assert_eq!(news(desk), [[["a", "x"]]]);
        set_clock(1);
        desk.edit(&access, "contact", &[Edit::Restore { id: x }], None).unwrap();
        set_clock(2);
        desk.merge(&access, "contact", b, x, &Fields::new()).unwrap();
        assert_eq!(news(desk), [vec![vec!["a"], vec!["b", "x"]], vec![vec!["b", "x"]]]);
    });
}

#[test]
fn one_customer_has_at_most_so_many_ids() {
    on_both(|desk| {
        let join =
            |n: usize| desk.write(|moment, tx| ties::join(tx, Id(n as i64), ("c0", &format!("c{n}")), moment.now));
        (1..ties::JOINED).for_each(|n| join(n).unwrap());
        let error = join(ties::JOINED).unwrap_err();
        assert!(matches!(error, RecordsError::Limit(_)) && error.to_string().contains("64 customer ids"), "{error}");
        let groups = &desk.untold_ties(1).unwrap()[0].groups;
        assert_eq!((groups.len(), groups[0].len(), groups[0][0].as_str()), (1, ties::JOINED, "c0"));
    });
}
