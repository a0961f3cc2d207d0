//! The suite that every database passes: each case runs on SQLite and on a real PostgreSQL.

mod at_once;
mod bulk;
mod contents;
mod copies;
mod people;
mod records;
mod sign_on;
mod systems;
mod teams;
mod tls;
mod transfer;

use std::cell::Cell;
mod convert;
mod demo;
mod duplicates;
mod hostile;
mod merge;
mod prune;
mod ties;
mod views;
mod workspace;

use rapport_testkit::postgres::Server;
use rapport_types::Timestamp;
use serde_json::Value;

use crate::{Access, Database, Desk, Edit, Fields, Id, Role, access::Actor, people::SealingKey};

pub(crate) const NOW: Timestamp = Timestamp(1_764_000_000_000);

/// Runs a case on both databases.
pub(crate) fn on_both(case: impl Fn(&Desk)) {
    on_both_shared(|open| case(&open()));
}

thread_local! {
    static CLOCK: Cell<Timestamp> = const { Cell::new(NOW) };
}

/// Has it be so many milliseconds after [`NOW`], for the calls of this thread.
pub(crate) fn set_clock(milliseconds: i64) {
    CLOCK.set(Timestamp(NOW.0 + milliseconds));
}

/// Runs a case on both databases that opens one database as often as it likes, as several processes do.
pub(crate) fn on_both_shared(case: impl Fn(&dyn Fn() -> Desk)) {
    set_clock(0);
    let folder = tempfile::tempdir().unwrap();
    case(&|| opened(Database::sqlite(&folder.path().join("records.db")).unwrap()));
    set_clock(0);
    let server = Server::start().unwrap();
    let url = server.database("records");
    case(&|| opened(Database::postgres(&url).unwrap()));
}

fn opened(database: Database) -> Desk {
    let desk = Desk::open(database, || CLOCK.get()).unwrap();
    desk.set_sealing_key(SealingKey::of([7; 32])).unwrap();
    desk
}

/// An access that may do everything.
pub(crate) fn everything() -> Access {
    Access::of_system(Actor::System)
}

/// A person with a role.
pub(crate) fn person(id: i64, teams: &[i64], role: Role) -> Access {
    let teams = teams.iter().map(|team| Id(*team)).collect();
    Access::new(Actor::User(Id(id)), Some(Id(id)), teams, std::sync::Arc::new(role))
}

pub(crate) fn fields(value: Value) -> Fields {
    let Value::Object(fields) = value else { panic!("{value} is no object") };
    fields
}

pub(crate) fn create(value: Value) -> Edit {
    Edit::Create { fields: fields(value) }
}

/// Makes a record.
pub(crate) fn made(desk: &Desk, access: &Access, object: &str, value: Value) -> crate::Record {
    desk.edit(access, object, &[create(value)], None).unwrap().records.remove(0)
}

/// Makes people and teams known, so that records can belong to them.
pub(crate) fn know(desk: &Desk, people: &[i64], teams: &[i64]) {
    desk.write(|_, tx| {
        for id in people {
            let columns = ["id", "email", "name", "role", "active", "created_at"];
            let row = vec![
                (*id).into(),
                format!("p{id}@example.com").into(),
                format!("Person {id}").into(),
                1_i64.into(),
                true.into(),
                0_i64.into(),
            ];
            tx.insert_rows("person", &columns, &[row])?;
        }
        for id in teams {
            tx.insert_rows("team", &["id", "name"], &[vec![(*id).into(), format!("Team {id}").into()]])?;
        }
        Ok(())
    })
    .unwrap();
}
