//! People who own the records of a demo and do not exist. Nobody can sign in as one: they are deactivated, and have no password
//! and no link.

use rapport_types::Timestamp;
use sea_query::{ExprTrait as _, Value as Bound};
use serde_json::json;

use super::{
    AUDITED, Ledger, book, room_for_more,
    sql::{col, count, delete, insert},
};
use crate::{
    Access, Actor, Id, Op, RecordsError, Tx, migrate,
    schema::{FieldKind, table_of},
};

/// Somebody who does not exist.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StandIn {
    /// Their id.
    pub id: Id,
    /// What they are called.
    pub name: String,
    /// An address that cannot be anybody's.
    pub email: String,
    /// Since when they are there.
    pub since: Timestamp,
}

/// Makes people known, with the least role that there is. One who is there already stays as they are.
pub(crate) fn add_stand_ins(
    tx: &mut Tx<'_>,
    access: &Access,
    people: &[StandIn],
    now: Timestamp,
) -> Result<Vec<Id>, RecordsError> {
    let roles = book::roles(tx)?;
    let least = roles.iter().min_by_key(|(_, role)| (role.administrator, role.other.create, role.transfer));
    let Some((role, _)) = least else { return Err(RecordsError::Damaged { what: "the list of roles".to_owned() }) };
    let mut ledger = Ledger { access: access.clone(), lines: Vec::new() };
    for person in people {
        if count(tx, "person", col("id").eq(person.id.0))? > 0 {
            continue;
        }
        room_for_more(tx, "person", super::MAX_PEOPLE, "people")?;
        // One of an earlier demo may have stayed.
        let is_taken = count(tx, "person", col("email").eq(&person.email))? > 0;
        let email = if is_taken { format!("{}.{}", person.id, person.email) } else { person.email.clone() };
        let row: Vec<(&str, Bound)> = vec![
            ("id", person.id.0.into()),
            ("email", email.as_str().into()),
            ("name", person.name.as_str().into()),
            ("role", role.0.into()),
            ("active", false.into()),
            ("created_at", person.since.0.into()),
        ];
        insert(tx, "person", row)?;
        let after = json!({ "email": email, "name": person.name, "role": role, "active": false });
        ledger.note(Op::Create, AUDITED[0], person.id, json!({}), after);
    }
    ledger.write(tx, now)?;
    super::grow_version(tx)?;
    Ok(people.iter().map(|person| person.id).collect())
}

/// Forgets people with what the demo told the audit of them and with what once let them in, unless a record is theirs, names them, or somebody has made them sign in since.
pub(crate) fn remove_stand_ins(tx: &mut Tx<'_>, people: &[Id]) -> Result<(), RecordsError> {
    let mut gone = Vec::new();
    for person in people {
        let signs_in = col("id").eq(person.0).and(col("active").eq(true));
        if count(tx, "person", signs_in)? == 0 && !is_named(tx, *person)? {
            gone.push(person.0);
        }
    }
    if gone.is_empty() {
        return Ok(());
    }
    // What an administrator did about them stays told.
    let made_up = col("record").is_in(gone.clone()).and(col("actor").eq(Actor::Demo.to_string()));
    tx.execute(&delete("change").and_where(made_up).take())?;
    for table in ["membership", "sign_on", "session", "recovery_code", "link"] {
        tx.execute(&delete(table).and_where(col("person").is_in(gone.clone())).take())?;
    }
    tx.execute(&delete("person").and_where(col("id").is_in(gone)).take())?;
    super::grow_version(tx)
}

/// Whether a record is a person's, or names them.
fn is_named(tx: &mut Tx<'_>, person: Id) -> Result<bool, RecordsError> {
    for object in migrate::read_schema(tx)?.objects() {
        let fields = object.fields.iter().filter(|field| field.kind == FieldKind::User);
        for field in fields.map(|field| field.name.as_str()).chain(["owner"]) {
            if count(tx, &table_of(&object.name), col(field).eq(person.0))? > 0 {
                return Ok(true);
            }
        }
    }
    Ok(false)
}
