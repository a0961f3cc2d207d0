//! Ties of customers: who names a group, what ends it, and where it goes with a workspace.

use std::{collections::BTreeSet, io::Cursor};

use proptest::{
    prelude::{Strategy as _, any},
    test_runner::{Config, TestRunner},
};
use sea_query::{Alias, Query};
use serde_json::json;

use super::{
    NOW,
    at_once::{on_two, wait_for_waiting},
    everything, fields, know, made,
    merge::{customer, news},
    on_both, person, set_clock,
};
use crate::{Desk, Edit, Fields, Grant, Id, Identity, ListQuery, Reach, Role, Tx, ties};

fn merge(desk: &Desk, winner: Id, loser: Id) -> Id {
    desk.merge(&everything(), "contact", winner, loser, &Fields::new()).unwrap().batch
}

fn ties_kept(desk: &Desk) -> i64 {
    desk.read(|_, tx| tx.query_sql("SELECT count(*) FROM tie", &[])?[0].int(0)).unwrap()
}

/// Puts records into the trash and empties it.
fn purge(desk: &Desk, contacts: &[Id]) {
    for id in contacts {
        desk.edit(&everything(), "contact", &[Edit::Delete { id: *id, version: None }], None).unwrap();
    }
    desk.empty_trash(&everything(), "contact").unwrap();
}

/// Has an event tell of a customer; the customer ids of the contacts that are there then.
fn heard_of(desk: &Desk, customer: &str, offset: u64) -> Vec<String> {
    let attributes = fields(json!({ "city": format!("of {customer}") }));
    desk.take_identities(0, offset, &[Identity { customer: customer.to_owned(), attributes }]).unwrap();
    let query = ListQuery { limit: 99, sort: Some("customer_id".to_owned()), ..ListQuery::default() };
    let contacts = desk.list(&everything(), "contact", &query).unwrap().records;
    contacts.iter().map(|contact| contact.fields["customer_id"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn a_customer_id_that_is_used_again_names_the_group_once_its_contact_is_the_one_left() {
    on_both(|desk| {
        let [a, b] = ["a", "b"].map(|id| customer(desk, id));
        merge(desk, a, b);
        assert_eq!(news(desk), [[["a", "b"]]]);
        set_clock(1);
        let b_anew = customer(desk, "b");
        merge(desk, b_anew, a);
        assert_eq!(news(desk), [[["b", "a"]]]);
        for (offset, id) in (1..).zip(["a", "b"]) {
            assert_eq!(heard_of(desk, id, offset), ["b"]);
            assert_eq!(desk.get(&everything(), "contact", b_anew).unwrap().fields["city"], format!("of {id}"));
        }
    });
}

/// Customer ids in these cases.
const IDS: usize = 6;

/// Two contacts that are merged, or one whose id a new contact is given, if it was merged away.
#[derive(Debug, Clone, Copy)]
enum Did {
    Merged(usize, usize),
    Anew(usize),
}

/// Makes the ties that these leave; which ids have a contact then.
fn leave_ties(tx: &mut Tx<'_>, history: &[Did]) -> [bool; IDS] {
    tx.execute(Query::delete().from_table(Alias::new("tie"))).unwrap();
    let mut has_contact = [true; IDS];
    for (place, did) in history.iter().enumerate() {
        match *did {
            Did::Merged(stays, goes) if stays != goes && has_contact[stays] && has_contact[goes] => {
                let at = rapport_types::Timestamp(NOW.0 + place as i64);
                ties::join(tx, Id(place as i64), (&format!("c{stays}"), &format!("c{goes}")), at).unwrap();
                has_contact[goes] = false;
            }
            Did::Merged(..) => {}
            Did::Anew(id) => has_contact[id] = true,
        }
    }
    has_contact
}

#[test]
fn who_names_a_group_does_not_go_by_who_is_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let desk = Desk::open_file(&folder.path().join("records.db"), || NOW).unwrap();
    let did = (any::<bool>(), 0..IDS, 0..IDS)
        .prop_map(|(merged, one, other)| if merged { Did::Merged(one, other) } else { Did::Anew(one) });
    let history = proptest::collection::vec(did, 0..20);
    let mut runner = TestRunner::new(Config { cases: 200, failure_persistence: None, ..Config::default() });
    let checked = runner.run(&history, |history| {
        let (has_contact, groups) = desk
            .write(|_, tx| {
                let has_contact = leave_ties(tx, &history);
                let of = |id| ties::group_of(tx, &format!("c{id}"));
                Ok((has_contact, (0..IDS).map(of).collect::<Result<Vec<_>, _>>()?))
            })
            .unwrap();
        for (id, group) in groups.iter().enumerate() {
            let others = group.iter().map(|other| other[1..].parse::<usize>().unwrap());
            let others: BTreeSet<usize> = others.collect();
            assert!(others.contains(&id));
            for other in &others {
                assert_eq!(&groups[*other], group, "asked for c{id} and for c{other}");
            }
            let left: Vec<&usize> = others.iter().filter(|other| has_contact[**other]).collect();
            if let [only] = left[..] {
                assert_eq!(group[0], format!("c{only}"), "the only one with a contact");
            }
        }
        Ok(())
    });
    checked.unwrap();
}

#[test]
fn who_was_merged_and_is_purged_stays_one_with_whom_is_left() {
    on_both(|desk| {
        let [a, b, c] = ["a", "b", "c"].map(|id| customer(desk, id));
        merge(desk, a, b);
        news(desk);
        desk.empty_trash(&everything(), "contact").unwrap();
        assert!(desk.get(&everything(), "contact", b).is_err());
        assert!(news(desk).is_empty(), "they are one as before");
        assert_eq!(heard_of(desk, "b", 1), ["a", "c"]);
        set_clock(1);
        merge(desk, c, a);
        assert_eq!(news(desk), [[["c", "a", "b"]]]);
        // A contact in the trash can come back, and so is one that is left.
        desk.edit(&everything(), "contact", &[Edit::Delete { id: c, version: None }], None).unwrap();
        assert!(news(desk).is_empty());
        assert_eq!(ties_kept(desk), 2);
    });
}

#[test]
fn customers_without_a_contact_are_apart_again_and_nothing_is_left_of_the_tie() {
    on_both(|desk| {
        let [a, b, other] = ["a", "b", "x"].map(|id| customer(desk, id));
        merge(desk, a, b);
        news(desk);
        set_clock(1);
        purge(desk, &[other]);
        assert!(news(desk).is_empty(), "it was nobody's");
        set_clock(2);
        purge(desk, &[a]);
        assert_eq!(news(desk), [[["a"], ["b"]]]);
        assert_eq!(ties_kept(desk), 0);
        assert_eq!(heard_of(desk, "b", 1), ["b"], "who comes again is a customer of their own");
        // The same where a tie had ended before.
        let [c, d] = ["c", "d"].map(|id| customer(desk, id));
        let batch = merge(desk, c, d);
        desk.undo(&everything(), batch).unwrap();
        assert_eq!(news(desk), [[["c"], ["d"]]]);
        assert_eq!(ties_kept(desk), 0);
    });
}

#[test]
fn of_many_customers_that_are_purged_at_once_those_are_apart_who_have_no_contact_left() {
    on_both(|desk| {
        know(desk, &[1, 2], &[]);
        let owned = |id: &str, owner: i64| {
            let contact = json!({ "name": id, "customer_id": id, "owner": Id(owner) });
            made(desk, &everything(), "contact", contact).id
        };
        // Of each two, the first stays; Ann purges what is hers and in the trash.
        let pairs = [("a", "b", 1), ("c", "d", 2), ("e", "f", 1), ("g", "h", 2)];
        let first = pairs.map(|(stays, goes, owner)| {
            let stays = owned(stays, owner);
            merge(desk, stays, owned(goes, 1));
            stays
        });
        assert_eq!(news(desk).len(), 4);
        for id in &first[..3] {
            desk.edit(&everything(), "contact", &[Edit::Delete { id: *id, version: None }], None).unwrap();
        }
        let mine = Grant { read: Reach::Own, delete: Reach::Own, ..Grant::default() };
        let ann = person(1, &[], Role { objects: [("contact".to_owned(), mine)].into(), ..Role::default() });
        assert_eq!(desk.empty_trash(&ann, "contact").unwrap(), 6);
        assert_eq!(news(desk), [[["a"], ["b"]], [["e"], ["f"]]], "c lies in the trash, g is there");
        assert_eq!(ties_kept(desk), 2);
    });
}

#[test]
fn a_merge_that_came_with_a_workspace_is_told_and_can_be_taken_apart() {
    let folder = tempfile::tempdir().unwrap();
    let source = Desk::open_file(&folder.path().join("records.db"), || NOW).unwrap();
    source.set_files(&folder.path().join("files")).unwrap();
    let [a, b] = ["a", "b"].map(|id| customer(&source, id));
    merge(&source, a, b);
    news(&source);
    let mut file = Vec::new();
    let manifest = source.export_workspace(&everything(), &mut file, &mut |_, _| ()).unwrap();
    assert_eq!(manifest.counts["tie.jsonl"], 1);
    on_both(|desk| {
        let folder = tempfile::tempdir().unwrap();
        desk.set_files(folder.path()).unwrap();
        desk.restore_workspace(Cursor::new(&file), &mut |_, _| ()).unwrap();
        assert_eq!(news(desk), [[["a", "b"]]], "this log knows of nothing yet");
        assert_eq!(heard_of(desk, "b", 1), ["a"]);
        desk.edit(&everything(), "contact", &[Edit::Restore { id: b }], None).unwrap();
        assert_eq!(news(desk), [[["a"], ["b"]]]);
        assert_eq!(heard_of(desk, "b", 2), ["a", "b"]);
    });
}

#[test]
fn a_tie_ends_with_a_contact_that_had_another_customer_id_when_it_was_merged() {
    on_both(|desk| {
        for (offset, now) in (1..).zip([json!("z"), json!(null)]) {
            set_clock(0);
            let [a, b] = ["a", "b"].map(|id| customer(desk, id));
            merge(desk, a, b);
            news(desk);
            desk.empty_trash(&everything(), "contact").unwrap();
            set_clock(1);
            let edit = Edit::Update { id: a, fields: fields(json!({ "customer_id": now })), version: None };
            desk.edit(&everything(), "contact", &[edit], None).unwrap();
            assert!(news(desk).is_empty(), "that can be taken back");
            purge(desk, &[a]);
            assert_eq!(news(desk), [[["a"], ["b"]]]);
            assert_eq!(ties_kept(desk), 0);
            assert_eq!(heard_of(desk, "b", offset), ["b"]);
            let found = desk.list(&everything(), "contact", &ListQuery { limit: 9, ..ListQuery::default() }).unwrap();
            purge(desk, &[found.records[0].id]);
        }
    });
}

#[test]
fn of_two_who_purge_the_last_contacts_of_a_customer_the_later_one_ends_its_ties() {
    on_two(|desk, other| {
        know(desk, &[1, 2], &[]);
        let owned = |id: &str, owner: i64| {
            let contact = json!({ "name": id, "customer_id": id, "owner": Id(owner) });
            made(desk, &everything(), "contact", contact).id
        };
        let b = owned("b", 2);
        let mut last = b;
        for (now, id) in (1..).zip(["a", "c", "d", "e"]) {
            set_clock(now);
            let next = owned(id, 1);
            merge(desk, next, last);
            last = next;
        }
        assert_eq!(news(desk), [[["e", "a", "b", "c", "d"]]; 4]);
        // Of those in the middle, by whom the others are tied, nothing is left.
        let mine = Grant { read: Reach::Own, delete: Reach::Own, ..Grant::default() };
        let [ann, bob] = [1, 2].map(|id| {
            person(id, &[], Role { objects: [("contact".to_owned(), mine.clone())].into(), ..Role::default() })
        });
        assert_eq!(desk.empty_trash(&ann, "contact").unwrap(), 3);
        desk.edit(&everything(), "contact", &[Edit::Delete { id: last, version: None }], None).unwrap();
        std::thread::scope(|scope| {
            let later = desk.write(|moment, tx| {
                let object = moment.schema.object("contact").unwrap();
                crate::purge::purge(moment, tx, &ann, None, object, &[(last, 3)])?;
                let later = scope.spawn(|| other.empty_trash(&bob, "contact"));
                wait_for_waiting(tx, &later)?;
                Ok(later)
            });
            assert_eq!(later.unwrap().join().unwrap().unwrap(), 1);
        });
        assert!(desk.get(&everything(), "contact", b).is_err());
        assert_eq!(news(desk).len(), 4, "all ties are over");
        assert_eq!(ties_kept(desk), 0);
    });
}
