//! The feed shortened: what nobody needs any more goes, and nothing else.

use rapport_types::DAY_MS;
use serde_json::json;

use super::{create, everything, fields, made, on_both, set_clock};
use crate::{AuditQuery, Desk, Edit, Id, RecordsError, batch};

fn day(days: i64) {
    set_clock(days * DAY_MS);
}

/// Has every reader come to the end of the feed.
fn read_all(desk: &Desk) {
    let end = desk.happened(10_000).unwrap().1;
    desk.told(end).unwrap();
    while desk.find_duplicates(500).unwrap() > 0 {}
}

/// All steps; how many lines went.
fn prune(desk: &Desk, days: u32) -> u64 {
    let (mut gone, mut after) = (0, Some(0));
    while let Some(place) = after {
        let step = desk.prune_feed(days, place).unwrap();
        gone += step.gone;
        after = step.next;
    }
    gone
}

fn lines(desk: &Desk) -> Vec<(Id, i64)> {
    let audit = desk.audit(&everything(), &AuditQuery { limit: 500, ..AuditQuery::default() }).unwrap();
    let mut lines: Vec<_> = audit.into_iter().map(|change| (change.record, change.version)).collect();
    lines.reverse();
    lines
}

#[test]
fn lines_go_when_they_are_old_and_every_reader_has_them() {
    on_both(|desk| {
        let access = everything();
        let edit = |id, city: &str| {
            let edit = Edit::Update { id, fields: fields(json!({ "city": city })), version: None };
            desk.edit(&access, "contact", &[edit], None).unwrap();
        };
        let first = lines(desk).len();
        let ann = made(desk, &access, "contact", json!({ "name": "Ann" })).id;
        day(100);
        edit(ann, "Berlin");
        day(405);
        edit(ann, "Paris");
        assert_eq!(prune(desk, 400), 0, "the log was told of nothing yet");
        read_all(desk);
        let before = desk.newest_change().unwrap();
        assert_eq!(prune(desk, 400), first as u64 + 1);
        assert_eq!(lines(desk), [(ann, 2), (ann, 3)]);
        assert_eq!(prune(desk, 400), 0);
        day(10_000);
        assert_eq!(prune(desk, 400), 2);
        assert_eq!(desk.get(&access, "contact", ann).unwrap().fields["city"], "Paris");
        // Places go on from where they were: no reader takes a new line for one that it had.
        edit(ann, "Rome");
        assert!(desk.newest_change().unwrap() > before);
        read_all(desk);
        assert_eq!(lines(desk), [(ann, 4)]);
    });
}

#[test]
fn what_can_be_undone_is_whole_or_gone_and_an_undo_at_work_keeps_its_lines() {
    on_both(|desk| {
        let access = everything();
        let many = |n: usize| {
            let edits: Vec<Edit> = (0..n).map(|n| create(json!({ "name": format!("Contact {n}") }))).collect();
            desk.edit(&access, "contact", &edits, None).unwrap().batch.unwrap()
        };
        let (old, open) = (many(3), many(2));
        day(500);
        let new = many(2);
        read_all(desk);
        // As an undo of many thousand changes is between two of its steps.
        desk.note(|tx| batch::stop_half_way(tx, open)).unwrap();
        prune(desk, 400);
        assert!(matches!(desk.undo(&access, old), Err(RecordsError::NotFound(_))));
        let kept: Vec<Id> = desk.batches(&access, 10).unwrap().iter().map(|batch| batch.id).collect();
        assert_eq!(kept, [new, open]);
        assert_eq!((desk.undo(&access, open).unwrap().undone, desk.undo(&access, new).unwrap().undone), (2, 2));
    });
}
