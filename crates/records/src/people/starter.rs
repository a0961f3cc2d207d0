//! Who started something that outlives the request and the process, such as an import, with what they may do now.

use std::sync::Arc;

use rapport_types::Timestamp;
use sea_query::ExprTrait as _;

use super::sql::{col, ids, select};
use crate::{Access, Actor, Id, RecordsError, Role, Tx, desk::Moment};

/// The access of an actor as it stands in a table, with today's rights.
pub(crate) fn access_of(moment: &Moment<'_>, tx: &mut Tx<'_>, actor: &str) -> Result<Access, RecordsError> {
    let gone = || RecordsError::Forbidden("whoever started it may not do it any more".to_owned());
    let (actor, person, role) = match actor.split_once(':') {
        None if actor == "system" => return Ok(Access::of_system(Actor::System)),
        Some(("user", id)) => {
            let person = id.parse()?;
            (Actor::User(person), Some(person), role_of(tx, person)?)
        }
        Some(("key", id)) => {
            let id = id.parse()?;
            let (person, role) = of_key(tx, id, moment.now)?.ok_or_else(gone)?;
            (Actor::Key(id), person, Some(role))
        }
        _ => return Err(gone()),
    };
    let role = role.map_or(Ok(None), |role| role_called(tx, role))?.ok_or_else(gone)?;
    let teams = person.map_or(Ok(Vec::new()), |person| ids(tx, "membership", "team", col("person").eq(person.0)))?;
    Ok(Access::new(actor, person, teams, Arc::new(role.hiding_formulas(moment.schema))))
}

/// The person and the role of a key that may change something.
fn of_key(tx: &mut Tx<'_>, id: Id, now: Timestamp) -> Result<Option<(Option<Id>, Id)>, RecordsError> {
    let columns = ["role", "person", "read_only", "ends_at"];
    let Some(row) = tx.first(&select("api_key", &columns).and_where(col("id").eq(id.0)).take())? else {
        return Ok(None);
    };
    let person = row.int_or_none(1)?.map(Id);
    // A key lets nobody in whose person was deactivated.
    let is_gone = person.map_or(Ok(false), |person| Ok::<_, RecordsError>(role_of(tx, person)?.is_none()))?;
    let is_over = is_gone || row.truth(2)? || row.int_or_none(3)?.is_some_and(|end| end <= now.0);
    Ok(if is_over { None } else { Some((person, Id(row.int(0)?))) })
}

/// The role of an active person.
fn role_of(tx: &mut Tx<'_>, person: Id) -> Result<Option<Id>, RecordsError> {
    let active = col("id").eq(person.0).and(col("active").eq(true));
    Ok(ids(tx, "person", "role", active)?.pop())
}

fn role_called(tx: &mut Tx<'_>, id: Id) -> Result<Option<Role>, RecordsError> {
    let row = tx.first(&select("role", &["definition"]).and_where(col("id").eq(id.0)).take())?;
    let damaged = |_| RecordsError::Damaged { what: format!("role {id}") };
    row.map(|row| serde_json::from_str(row.text(0)?).map_err(damaged)).transpose()
}
